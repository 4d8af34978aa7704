/** freshness: the newest proven snapshot of each collection on each target is young enough. */

import { z } from 'zod';
import { durationMs } from '../../support/schemas.ts';
import { formatCount, formatDuration } from '../../support/units.ts';
import type { Finding } from '../model/finding.ts';
import type { TargetWorld } from '../model/world.ts';
import { createFreshness, describeCadence, parseCron, type Freshness } from './cadence.ts';
import type { ParameterMistake, RuleKind } from './kind.ts';
import type { Cadence, Rule, RuleCommon } from '../model/rule.ts';
import { defaultProveWithinMs, type Grade, isEnough, type Proof, prove } from './proof.ts';
import type { Scene } from './scene.ts';
import type { Catalogue, Snapshot } from '../model/catalogue.ts';
import { futureSkewMs } from './snapshots.ts';
import {
  ambiguous,
  collectionsOf,
  finding,
  type FindingPart,
  nothingGuarded,
  outOfSight,
  type SubjectCollection,
  targetsOf,
} from './subjects.ts';

/** Parameters of a freshness rule. */
export interface FreshnessParameters {
  /** Five fields of cron, null when `maxAgeMs` rules. */
  readonly schedule: string | null;
  readonly graceMs: number;
  readonly maxAgeMs: number | null;
  readonly proof: Grade;
  readonly proveWithinMs: number;
}

/** The rule kind `freshness`. */
export const freshness: RuleKind<FreshnessParameters> = {
  kind: 'freshness',
  promise: 'the newest proven snapshot of each live collection on each target is young enough',
  defaultSeverity: 'critical',
  shape: {
    max_age: durationMs
      .optional()
      .describe('How old the newest proven snapshot may be, such as 26h; this or schedule.'),
    schedule: z
      .string()
      .refine((text) => isCron(text), { error: 'expected five fields of cron such as "15 2 * * *"' })
      .optional()
      .describe('When backups start: five fields of cron in the time zone of the main file; this or max_age.'),
    grace: durationMs.optional().describe('With schedule: how long after its slot a backup may take; default 1h.'),
    ...proofShape(),
  },
  parameters: (parsed) => {
    const mistakes = cadenceMistakes(parsed);
    if (mistakes.length > 0) return mistakes;
    return {
      schedule: (parsed['schedule'] as string | undefined) ?? null,
      graceMs: (parsed['grace'] as number | undefined) ?? 3_600_000,
      maxAgeMs: (parsed['max_age'] as number | undefined) ?? null,
      ...proofParameters(parsed),
    };
  },
  judge: judgeFreshness,
};

/** The keys that every rule about bytes shares: which grade of proof it wants, and how long bytes may wait for the reader. */
export function proofShape(): Readonly<Record<'proof' | 'prove_within', z.ZodType>> {
  return {
    proof: z
      .enum(['manifest', 'first-seen'], { error: 'expected manifest or first-seen' })
      .optional()
      .describe(
        'The witness a proof needs: manifest, or first-seen (unchanged since we first read it); default manifest.',
      ),
    prove_within: durationMs
      .optional()
      .describe('How long a snapshot that has arrived may wait to be read; default 6h.'),
  };
}

/** The parameters behind {@link proofShape}. */
export function proofParameters(parsed: Readonly<Record<string, unknown>>): { proof: Grade; proveWithinMs: number } {
  return {
    proof: (parsed['proof'] as Grade | undefined) ?? 'manifest',
    proveWithinMs: (parsed['prove_within'] as number | undefined) ?? defaultProveWithinMs,
  };
}

/** The cadence a freshness rule asks for, in the rule's time zone. */
export function cadenceOf(rule: RuleCommon & { readonly parameters: FreshnessParameters }): Cadence {
  const { schedule, graceMs, maxAgeMs } = rule.parameters;
  if (schedule !== null) return { kind: 'schedule', cron: schedule, graceMs, timezone: rule.timezone };
  return { kind: 'max-age', maxAgeMs: maxAgeMs ?? 0 };
}

function judgeFreshness(rule: Rule<FreshnessParameters>, scene: Scene): readonly Finding[] {
  const fresh = createFreshness(cadenceOf(rule));
  const subjects = collectionsOf(rule, scene.world);
  const judged = targetsOf(rule, scene).flatMap(({ target, seen }) => {
    if (seen === null) {
      const unseen = outOfSight(target, scene);
      return subjects.map(({ subject }) => finding(rule, { subject, target: target.name, ...unseen }));
    }
    return subjects.map((subject) => judgeCollection({ rule, target, seen, fresh, scene, subject }));
  });
  return [...nothingGuarded(rule, subjects, scene), ...judged];
}

interface Case {
  readonly rule: Rule<FreshnessParameters>;
  readonly target: TargetWorld;
  readonly seen: Catalogue;
  readonly fresh: Freshness;
  readonly scene: Scene;
  readonly subject: SubjectCollection;
}

function judgeCollection(given: Case): Finding {
  const { rule, target, seen, fresh, scene, subject } = given;
  const judgement = (part: Omit<FindingPart, 'subject' | 'target' | 'observedAtMs'>): Finding =>
    finding(rule, {
      subject: subject.subject,
      target: target.name,
      observedAtMs: target.evidence.observedAtMs,
      ...part,
    });
  const { nowMs } = scene;
  if (scene.ambiguous(target.name, subject.collection.name)) {
    return judgement({ validUntilMs: nowMs, ...ambiguous(target.name) });
  }
  const snapshots = (seen.byCollection.get(subject.collection.name) ?? [])
    .filter(({ madeAtMs }) => madeAtMs <= nowMs + futureSkewMs)
    .toSorted((a, b) => b.madeAtMs - a.madeAtMs);
  const newer: { snapshot: Snapshot; proof: Proof }[] = [];
  let proven: Snapshot | null = null;
  for (const snapshot of snapshots) {
    const proof = prove(snapshot, target, scene, rule.parameters.proveWithinMs);
    if (proof.kind === 'proven' && isEnough(proof.grade, rule.parameters.proof)) {
      proven = snapshot;
      break;
    }
    newer.push({ snapshot, proof });
  }
  const untilMs = proven === null ? Number.NEGATIVE_INFINITY : fresh.freshUntilMs(proven.madeAtMs);
  if (proven !== null && untilMs >= nowMs) {
    const age = formatDuration(nowMs - proven.madeAtMs);
    return judgement({
      status: 'ok',
      reason: 'fresh',
      headline: `${age} old`,
      summary: `newest proven snapshot is ${age} old, ${words(rule)}`,
      validUntilMs: untilMs,
    });
  }
  const graceMs = subject.collection.isBaseline
    ? Number.NEGATIVE_INFINITY
    : fresh.freshUntilMs(subject.collection.firstSeenAtMs);
  if (snapshots.length === 0 && graceMs >= nowMs) {
    return judgement({
      status: 'ok',
      reason: 'new',
      headline: 'new, not due yet',
      summary: `new since ${formatDuration(nowMs - subject.collection.firstSeenAtMs)}, first snapshot due in ${formatDuration(graceMs - nowMs)}`,
      validUntilMs: graceMs,
    });
  }
  const helpful = newer.filter(({ snapshot }) => fresh.freshUntilMs(snapshot.madeAtMs) >= nowMs);
  const oldestUnread = newer.flatMap(({ proof }) => (proof.kind === 'unread' ? [proof] : [])).at(-1) ?? null;
  return judgement({ validUntilMs: nowMs, ...explain(given, { helpful, oldestUnread, proven, snapshots }) });
}

/** What there is instead of a fresh proof. */
interface Lack {
  /** Newer than the last proven one, and fresh if only they were proven. */
  readonly helpful: readonly { readonly snapshot: Snapshot; readonly proof: Proof }[];
  /** The oldest unread one that is newer than the last proven one: a reader that stands still shows by it. */
  readonly oldestUnread: Extract<Proof, { kind: 'unread' }> | null;
  readonly proven: Snapshot | null;
  readonly snapshots: readonly Snapshot[];
}

/** Says why there is no fresh proof: what waits, what cannot be read, what is broken, or that nothing came. */
function explain(
  { rule, target, seen, scene, subject }: Case,
  { helpful, oldestUnread, proven, snapshots }: Lack,
): Pick<FindingPart, 'status' | 'reason' | 'headline' | 'summary' | 'todo'> {
  const { nowMs } = scene;
  const lastProven =
    proven === null
      ? `none was ever proven on ${target.name}`
      : `newest proven snapshot is ${formatDuration(nowMs - proven.madeAtMs)} old, ${words(rule)}`;
  if (oldestUnread !== null && helpful.some(({ proof }) => proof.kind === 'unread')) {
    return explainUnread(oldestUnread, lastProven, scene);
  }
  const blocked = helpful.find(({ proof }) => proof.kind === 'unreadable');
  if (blocked?.proof.kind === 'unreadable') {
    const { why } = blocked.proof;
    const summary = `the newest snapshot cannot be read: ${why.message}; ${lastProven}`;
    return { status: 'unknown', reason: 'unreadable', headline: 'cannot be read', summary, todo: why.hint ?? null };
  }
  const witnessless = helpful.find(({ proof }) => proof.kind === 'proven');
  if (witnessless !== undefined) {
    return {
      status: 'unknown',
      reason: 'no-digest',
      headline: 'nothing to prove it by',
      summary: `no manifest on ${target.name} has a digest of the newest snapshot, so nothing proves it; ${lastProven}`,
      todo: 'let the backup write SHA256SUMS, or say proof: first-seen in the rule',
    };
  }
  if (seen.incomplete !== null) {
    const summary = `part of ${target.name} cannot be listed: ${seen.incomplete}; ${lastProven}`;
    return { status: 'unknown', reason: 'incomplete', headline: 'cannot see all of it', summary };
  }
  if (helpful.length > 0) {
    return {
      status: 'failing',
      reason: 'newest-broken',
      headline: 'newest snapshot is broken',
      summary: `the newest snapshot does not match its witness; ${lastProven}`,
      todo: 'delete nothing; see the integrity finding for what differs, then run the backup',
    };
  }
  const [newest] = snapshots;
  if (newest === undefined) {
    const { points } = subject.collection;
    const what = `no snapshot of it on ${target.name}`;
    return {
      status: 'failing',
      reason: 'none',
      headline: 'no backup',
      summary: points === null ? what : `${what}; live with ${formatCount(points)} points`,
      todo: "look at the backup's collection list, then run it",
    };
  }
  const age = formatDuration(nowMs - (proven ?? newest).madeAtMs);
  const unproven = `newest snapshot is ${age} old, ${words(rule)}; ${lastProven}`;
  return {
    status: 'failing',
    reason: 'stale',
    headline: `${age} old, ${words(rule)}`,
    summary: proven === null ? unproven : lastProven,
    todo: "look at the backup's timer and its last log, then run it",
  };
}

/** What could help has arrived and is not read: it waits, it has waited too long, or `check` could not read it. */
function explainUnread(
  { sinceMs, proveByMs }: Extract<Proof, { kind: 'unread' }>,
  lastProven: string,
  { nowMs, isReaderBeside }: Scene,
): Pick<FindingPart, 'status' | 'reason' | 'headline' | 'summary' | 'todo'> {
  if (!isReaderBeside) {
    const summary = `a snapshot could not be read to its end; ${lastProven}`;
    return { status: 'unknown', reason: 'not-read', headline: 'not read', summary };
  }
  const waited = formatDuration(nowMs - sinceMs);
  if (nowMs < proveByMs) {
    const summary = `a snapshot has arrived and waits to be read since ${waited}; ${lastProven}`;
    return { status: 'unread', reason: 'unread', headline: 'waiting to be read', summary };
  }
  return {
    status: 'failing',
    reason: 'unread-too-long',
    headline: `unread for ${waited}`,
    summary: `a snapshot has waited ${waited} to be read; ${lastProven}`,
    todo: 'look at the reader in the log of deadair; give it more cores',
  };
}

function words(rule: Rule<FreshnessParameters>): string {
  return describeCadence(cadenceOf(rule), formatDuration);
}

function isCron(text: string): boolean {
  try {
    parseCron(text, 'UTC');
    return true;
  } catch {
    return false;
  }
}

function cadenceMistakes(parsed: Readonly<Record<string, unknown>>): readonly ParameterMistake[] {
  const hasAge = parsed['max_age'] !== undefined;
  const hasSchedule = parsed['schedule'] !== undefined;
  if (hasAge && hasSchedule) return [{ key: 'schedule', message: 'expected either max_age or schedule, not both' }];
  if (!hasAge && !hasSchedule) return [{ key: null, message: 'expected max_age or schedule' }];
  if (parsed['grace'] !== undefined && !hasSchedule)
    return [{ key: 'grace', message: 'expected grace only with schedule' }];
  return [];
}
