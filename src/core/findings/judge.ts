/** The judgement of one pass: every rule over the world, exceptions applied, nothing known left out. Pure. */

import { formatDuration } from '../../support/units.ts';
import type { Finding, Judgement } from '../model/finding.ts';
import type { Standing } from '../model/alert.ts';
import { findingKey } from '../model/key.ts';
import type { JudgeOptions, World } from '../model/world.ts';
import { matcher } from './globs.ts';
import type { RuleKind } from './kind.ts';
import { builtInKinds, type Rule } from '../model/rule.ts';
import type { Scene } from './scene.ts';
import { backlogMs, defaultProveWithinMs } from './proof.ts';
import { futureSkewMs } from './snapshots.ts';
import { sightValidMs } from './subjects.ts';

/**
 * Judges all rules.
 *
 * @param kinds the registry; every rule's kind is in it.
 * @param standings what was remembered: a subject with an alert is judged again even when nothing shows it now (G2).
 */
export function judge(
  rules: readonly Rule[],
  kinds: ReadonlyMap<string, RuleKind>,
  world: World,
  standings: readonly Standing[],
  options: JudgeOptions,
): Judgement {
  const scene: Scene = { ...options, world, rules, ambiguous: ambiguities(rules, world) };
  const findings = rules.flatMap((rule) => {
    const kind = kinds.get(rule.kind);
    if (kind === undefined) throw new Error(`no rule kind ${rule.kind}`);
    const mute = exceptions(rule, options.nowMs);
    const patienceMs = patienceOf(rule, world);
    return kind.judge(rule, scene).map((finding) => mute(expiring(patient(finding, patienceMs), options)));
  });
  return {
    findings: [...findings, ...keptInSight(findings, rules, standings, scene)],
    notPromised: gaps(rules, kinds, world),
  };
}

/** How long findings of a rule may stay unread: what the rule grants each file, and the time the largest backlog needs. */
function patienceOf({ parameters, targets }: Rule, world: World): number {
  const { proveWithinMs = defaultProveWithinMs } = parameters as { readonly proveWithinMs?: number };
  const backlogs = world.targets.filter(({ name }) => targets.includes(name)).map(backlogMs);
  return proveWithinMs + Math.max(0, ...backlogs);
}

function patient(finding: Finding, patienceMs: number): Finding {
  return finding.status === 'unread' ? { ...finding, patienceMs } : finding;
}

/**
 * Collections of one name on several sources whose copies go to one target: nothing there tells whose a copy is, so it
 * proves neither.
 */
function ambiguities(rules: readonly Rule[], world: World): Scene['ambiguous'] {
  const found = new Map<string, ReadonlySet<string>>();
  for (const { name: target } of world.targets) {
    const protectedHere = new Set(
      rules.filter(({ targets }) => targets.includes(target)).flatMap(({ sources }) => sources),
    );
    const seen = new Set<string>();
    const twice = new Set<string>();
    for (const source of world.sources.filter(({ name }) => protectedHere.has(name))) {
      for (const { name } of source.remembered) (seen.has(name) ? twice : seen).add(name);
    }
    if (twice.size > 0) found.set(target, twice);
  }
  return (target, collection) => found.get(target)?.has(collection) === true;
}

/** How many passes may go by without a new look before an old one has expired. */
const passesAtMost = 3;

/** Nothing is ok for ever: an ok that has ended, or that rests on a sight too old or dated in the future, is unknown. */
function expiring(finding: Finding, { nowMs, checkEveryMs }: JudgeOptions): Finding {
  const { status, observedAtMs, validUntilMs } = finding;
  if (status !== 'ok') return finding;
  const unknown = (reason: string, headline: string, words: string): Finding => ({
    ...finding,
    status: 'unknown',
    reason,
    headline,
    summary: `${words}; then: ${finding.summary}`,
    // A trouble that is dated in the future could be ended by nothing until then.
    observedAtMs: Math.min(observedAtMs, nowMs),
    validUntilMs: nowMs,
  });
  if (observedAtMs > nowMs + futureSkewMs) {
    const ahead = formatDuration(observedAtMs - nowMs);
    return unknown('future-evidence', 'seen in the future', `was looked at ${ahead} in the future by our clock`);
  }
  if (observedAtMs + Math.max(sightValidMs, passesAtMost * checkEveryMs) < nowMs || validUntilMs < nowMs) {
    const age = formatDuration(nowMs - observedAtMs);
    return unknown('expired-evidence', 'not looked at in time', `was last looked at ${age} ago`);
  }
  return finding;
}

/** Prepares the muting of a rule's findings: the first exception that names a collection and has not ended covers it. */
function exceptions(rule: Rule, nowMs: number): (finding: Finding) => Finding {
  const open = rule.except
    .filter(({ untilMs }) => nowMs < untilMs)
    .map((exception) => ({ ...exception, matches: matcher(exception.collections) }));
  if (open.length === 0) return (finding) => finding;
  return (finding) => {
    const slash = finding.subject.indexOf('/');
    if (!rule.sources.includes(finding.subject.slice(0, slash))) return finding;
    const exception = open.find(({ matches }) => matches(finding.subject.slice(slash + 1)));
    if (exception === undefined) return finding;
    const { because, untilMs } = exception;
    return { ...finding, mutedBy: { kind: 'exception', because, by: rule.file, untilMs } };
  };
}

/**
 * An alert whose subject no judge named although its rule stands: while its target or a source is out of sight, that
 * is blindness and not an end, so it stays as unknown. Only with everything in sight may it end as withdrawn.
 */
function keptInSight(
  findings: readonly Finding[],
  rules: readonly Rule[],
  standings: readonly Standing[],
  scene: Scene,
): readonly Finding[] {
  if (standings.every(({ alert }) => alert === null)) return [];
  const { nowMs } = scene;
  const named = new Set(findings.map(findingKey));
  return standings.flatMap((standing) => {
    const rule = rules.find(({ id }) => id === standing.ruleId);
    if (standing.alert === null || rule === undefined || named.has(findingKey(standing))) return [];
    const blind = blindnessOf(standing, rule, scene);
    if (blind === null) return [];
    return [
      exceptions(
        rule,
        nowMs,
      )({
        rule: standing.rule,
        id: standing.ruleId,
        subject: standing.subject,
        target: standing.target,
        severity: rule.severity,
        status: 'unknown',
        reason: 'cannot-look',
        headline: `cannot look at ${blind.name}`,
        summary: `cannot look at ${blind.name}: ${blind.message}; before: ${standing.alert.summary}`,
        observedAtMs: blind.observedAtMs,
        validUntilMs: nowMs,
        cause: null,
        mutedBy: null,
        forMs: rule.forMs,
        patienceMs: 0,
        todo: null,
      }),
    ];
  });
}

interface Blindness {
  readonly name: string;
  readonly message: string;
  readonly observedAtMs: number;
}

/** Why a subject may be hidden rather than gone; null when everything it could be seen in was seen whole. */
function blindnessOf(standing: Standing, rule: Rule, { world }: Scene): Blindness | null {
  const sources = world.sources.filter(({ name }) => rule.sources.includes(name));
  const targets = world.targets.filter(({ name }) => name === standing.target && rule.targets.includes(name));
  for (const { name, evidence } of [...sources, ...targets]) {
    const { observedAtMs } = evidence;
    if (!evidence.seen) return { name, message: evidence.why.message, observedAtMs };
  }
  for (const { name, evidence, catalogue } of targets) {
    const message = catalogue?.incomplete ?? null;
    if (message !== null) return { name, message, observedAtMs: evidence.observedAtMs };
  }
  return null;
}

function gaps(rules: readonly Rule[], kinds: ReadonlyMap<string, RuleKind>, world: World): Judgement['notPromised'] {
  const guards = rules.map((rule) => ({ rule, matches: matcher(rule.collections) }));
  return world.sources.flatMap(({ name: source, remembered }) =>
    remembered.flatMap(({ name: collection }) =>
      [...kinds.keys()]
        .filter((kind) => !builtInKinds.has(kind))
        .filter(
          (kind) =>
            !guards.some(
              ({ rule, matches }) => rule.kind === kind && rule.sources.includes(source) && matches(collection),
            ),
        )
        .map((kind) => ({ subject: `${source}/${collection}`, rule: kind })),
    ),
  );
}
