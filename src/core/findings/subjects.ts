/** The subjects of a rule, and what all judges say the same way when something is out of sight. */

import type { RememberedCollection } from '../model/evidence.ts';
import type { Cause, Finding } from '../model/finding.ts';
import type { SourceWorld, TargetWorld, World } from '../model/world.ts';
import { matcher } from './globs.ts';
import type { Rule } from '../model/rule.ts';
import type { Scene } from './scene.ts';
import type { Catalogue } from '../model/catalogue.ts';

/** How long an ok holds on the sight of a file alone, without a date of its own. */
export const sightValidMs = 24 * 3_600_000;

/** A collection a rule must judge: live now, or remembered (G6). */
export interface SubjectCollection {
  readonly source: SourceWorld;
  readonly collection: RememberedCollection;
  /** `source/collection`. */
  readonly subject: string;
}

/** Everything a rule protects: each remembered collection of its sources that its globs take in, sorted by name. */
export function collectionsOf(rule: Rule, world: World): readonly SubjectCollection[] {
  const matches = matcher(rule.collections);
  return world.sources
    .filter(({ name }) => rule.sources.includes(name))
    .flatMap((source) =>
      source.remembered
        .filter(({ name }) => matches(name))
        .map((collection) => ({ source, collection, subject: `${source.name}/${collection.name}` })),
    )
    .toSorted((a, b) => (a.subject < b.subject ? -1 : 1));
}

/** A target a rule looks at; `seen` is null when it could not be looked at. */
export interface SubjectTarget {
  readonly target: TargetWorld;
  readonly seen: Catalogue | null;
}

/** The targets a rule looks at, in the order it names them. */
export function targetsOf(rule: Rule, scene: Scene): readonly SubjectTarget[] {
  return rule.targets.flatMap((name) =>
    scene.world.targets.filter((target) => target.name === name).map((target) => ({ target, seen: target.catalogue })),
  );
}

/** What a judge must fill in itself; the rest comes from the rule. */
export type FindingPart = Pick<
  Finding,
  'subject' | 'target' | 'status' | 'reason' | 'headline' | 'summary' | 'observedAtMs' | 'validUntilMs'
> &
  Partial<Pick<Finding, 'cause' | 'todo'>>;

/** Completes a judgement to a finding of the rule. */
export function finding(rule: Rule, judgement: FindingPart): Finding {
  return {
    rule: rule.kind,
    id: rule.id,
    severity: rule.severity,
    cause: null,
    todo: null,
    mutedBy: null,
    forMs: rule.forMs,
    patienceMs: 0,
    ...judgement,
  };
}

/** The part of a judgement that says: we could not look, so this is unknown (never ok, never empty). */
export function outOfSight(
  target: TargetWorld,
  scene: Scene,
): Pick<FindingPart, 'status' | 'reason' | 'headline' | 'summary' | 'observedAtMs' | 'validUntilMs' | 'cause'> {
  if (target.evidence.seen) throw new Error(`outOfSight: ${target.name} was seen`);
  const { why, observedAtMs } = target.evidence;
  const host = scene.world.hosts.find(({ name, evidence }) => name === target.host && !evidence.seen);
  const cause: Cause = {
    subject: host === undefined ? `target/${target.name}` : `host/${host.name}`,
    summary: why.message,
  };
  return {
    status: 'unknown',
    reason: 'cannot-look',
    headline: `cannot look at ${target.name}`,
    summary: `cannot look at ${target.name}: ${why.message}`,
    observedAtMs,
    validUntilMs: scene.nowMs,
    cause,
  };
}

/** A source of which a rule guards nothing is no reason for calm: its list is empty, or a glob has a typing error. */
export function nothingGuarded(
  rule: Rule,
  subjects: readonly SubjectCollection[],
  { world, nowMs }: Scene,
): readonly Finding[] {
  return world.sources
    .filter(({ name }) => rule.sources.includes(name) && !subjects.some(({ source }) => source.name === name))
    .map(({ name, evidence }) =>
      finding(rule, {
        subject: `source/${name}`,
        target: null,
        status: 'unknown',
        reason: 'no-subject',
        headline: 'guards nothing',
        summary: evidence.seen
          ? `this rule guards no collection of ${name}: none is known there that its collections name`
          : `no collection of ${name} is known, and it cannot be looked at: ${evidence.why.message}`,
        observedAtMs: evidence.observedAtMs,
        validUntilMs: nowMs,
        cause: evidence.seen ? null : { subject: `source/${name}`, summary: evidence.why.message },
        todo: evidence.seen ? 'check the globs of the rule, and that Qdrant lists its collections' : null,
      }),
    );
}

/** The part of a judgement that says: there are copies, and nothing tells whose. */
export function ambiguous(target: string): Pick<FindingPart, 'status' | 'reason' | 'headline' | 'summary' | 'todo'> {
  return {
    status: 'unknown',
    reason: 'ambiguous',
    headline: 'whose copy it is cannot be told',
    summary: `two sources have a collection of this name, and nothing on ${target} tells whose copies lie there`,
    todo: 'give each source a target of its own',
  };
}
