/** coverage: each live collection is proven on enough targets on distinct machines, and none vanished unexplained (G6). */

import { z } from 'zod';
import { durationMs } from '../../support/schemas.ts';
import { formatCount, formatDuration } from '../../support/units.ts';
import type { FileView } from '../model/evidence.ts';
import type { Finding } from '../model/finding.ts';
import type { SourceWorld } from '../model/world.ts';
import { createFreshness } from './cadence.ts';
import { cadenceOf, type FreshnessParameters, proofParameters, proofShape } from './freshness.ts';
import type { RuleKind } from './kind.ts';
import type { Rule } from '../model/rule.ts';
import { type Grade, isEnough, type Proof, prove } from './proof.ts';
import type { Scene } from './scene.ts';
import {
  ambiguous,
  collectionsOf,
  finding,
  type FindingPart,
  nothingGuarded,
  outOfSight,
  sightValidMs,
  type SubjectCollection,
  type SubjectTarget,
  targetsOf,
} from './subjects.ts';

/** Parameters of a coverage rule. */
export interface CoverageParameters {
  /** Proven copies wanted, each on another machine. */
  readonly copies: number;
  /** Grace of a collection that is new, ms; null asks the freshness rule of the same file. */
  readonly newWithinMs: number | null;
  readonly proof: Grade;
  readonly proveWithinMs: number;
}

/** The rule kind `coverage`. */
export const coverage: RuleKind<CoverageParameters> = {
  kind: 'coverage',
  promise: 'each live collection is proven on enough targets on distinct hosts, and none vanished unexplained',
  defaultSeverity: 'critical',
  shape: {
    copies: z
      .int({ error: 'expected a whole number of copies, at least 1' })
      .min(1, { error: 'expected a whole number of copies, at least 1' })
      .optional()
      .describe('How many targets, each on another host, must hold a proven copy; default 1.'),
    new_within: durationMs
      .optional()
      .describe(
        "How long a new collection may be without; default until the file's freshness rule wants a copy of it.",
      ),
    ...proofShape(),
  },
  parameters: (parsed) => ({
    copies: (parsed['copies'] as number | undefined) ?? 1,
    newWithinMs: (parsed['new_within'] as number | undefined) ?? null,
    ...proofParameters(parsed),
  }),
  judge: (rule, scene) => {
    const targets = targetsOf(rule, scene);
    const listed = listedNames(scene.world.sources);
    const notes = uncounted(scene.world.sources);
    const subjects = collectionsOf(rule, scene.world);
    const unguarded = new Map(nothingGuarded(rule, subjects, scene).map((each) => [each.subject, each]));
    return [
      ...scene.world.sources
        .filter(({ name }) => rule.sources.includes(name))
        .map((source) => {
          const list = judgeList(rule, source, scene);
          return list.status === 'ok' ? (unguarded.get(list.subject) ?? list) : list;
        }),
      ...subjects.map((subject) => {
        const isGone = listed.get(subject.source.name)?.has(subject.collection.name) === false;
        if (isGone) return vanished(rule, subject, targets, scene);
        const judged = judgeCollection(rule, subject, targets, scene);
        const note = notes.get(subject.subject);
        return note === undefined ? judged : { ...judged, summary: `${judged.summary}${note}` };
      }),
    ];
  },
};

/** The list itself is a subject: empty, filtered or out of sight, it is a failure to explain, not fewer things to check. */
function judgeList(rule: Rule<CoverageParameters>, source: SourceWorld, scene: Scene): Finding {
  const { evidence } = source;
  const judgement = (part: Omit<FindingPart, 'subject' | 'target' | 'observedAtMs' | 'validUntilMs'>): Finding =>
    finding(rule, {
      subject: `source/${source.name}`,
      target: null,
      observedAtMs: evidence.observedAtMs,
      validUntilMs: part.status === 'ok' ? evidence.observedAtMs + sightValidMs : scene.nowMs,
      ...part,
    });
  if (!evidence.seen) {
    return judgement({
      status: 'unknown',
      reason: 'cannot-look',
      headline: 'cannot list collections',
      summary: `cannot list the collections of ${source.name}: ${evidence.why.message}`,
      cause: { subject: `source/${source.name}`, summary: evidence.why.message },
    });
  }
  const { collections, scope } = evidence.value;
  if (collections.length === 0) {
    return judgement({
      status: 'failing',
      reason: 'empty-list',
      headline: 'lists no collection at all',
      summary: `${source.name} answers but lists no collection${source.remembered.length > 0 ? `; ${source.remembered.length} were seen there before` : ''}`,
      todo: 'check that this is the right Qdrant, that its storage is mounted, and that the key sees everything',
    });
  }
  if (scope === 'filtered') {
    return judgement({
      status: 'unknown',
      reason: 'filtered-list',
      headline: 'list may be filtered',
      summary: `the key for ${source.name} may not see everything (/cluster is forbidden), so new collections would stay invisible`,
      todo: 'use the read-only API key, or a token with global read access',
    });
  }
  if (scope === 'cluster') {
    return judgement({
      status: 'unknown',
      reason: 'cluster',
      headline: 'one peer of a cluster',
      summary: `${source.name} is one peer of a cluster; shards on other peers are out of sight, and a snapshot holds only its own`,
      todo: 'watch a single node; clusters are not judged by this version',
    });
  }
  return judgement({
    status: 'ok',
    reason: 'listed',
    headline: `${collections.length} collections`,
    summary: `${source.name} lists ${collections.length} collections`,
  });
}

/** The names each source lists now; a source out of sight lists nothing that could be compared. */
function listedNames(sources: readonly SourceWorld[]): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    sources.flatMap(({ name, evidence }) =>
      evidence.seen ? [[name, new Set(evidence.value.collections.map((each) => each.name))] as const] : [],
    ),
  );
}

/** The oldest look that a judgement of this subject rests on. */
function lookedAtMs({ source }: SubjectCollection, targets: readonly SubjectTarget[]): number {
  return Math.min(source.evidence.observedAtMs, ...targets.map(({ target }) => target.evidence.observedAtMs));
}

function vanished(
  rule: Rule<CoverageParameters>,
  subject: SubjectCollection,
  targets: readonly SubjectTarget[],
  { nowMs }: Scene,
): Finding {
  const { source, collection } = subject;
  const points = collection.points === null ? '' : ` with ${formatCount(collection.points)} points`;
  return finding(rule, {
    subject: subject.subject,
    target: null,
    observedAtMs: lookedAtMs(subject, targets),
    validUntilMs: nowMs,
    status: 'failing',
    reason: 'vanished',
    headline: 'vanished from Qdrant',
    summary: `${source.name} listed it${points} until ${formatDuration(nowMs - collection.lastSeenAtMs)} ago and no longer does`,
    todo: 'find out who dropped it before retention deletes its last copy; if it was meant, add an exception with a reason',
  });
}

function judgeCollection(
  rule: Rule<CoverageParameters>,
  subject: SubjectCollection,
  targets: readonly SubjectTarget[],
  scene: Scene,
): Finding {
  const { nowMs } = scene;
  const { collection } = subject;
  const observedAtMs = lookedAtMs(subject, targets);
  const judgement = (part: Omit<FindingPart, 'subject' | 'target' | 'observedAtMs'>): Finding =>
    finding(rule, { subject: subject.subject, target: null, observedAtMs, ...part });
  const copies = targets.map((target) => copyOn(rule, subject, target, scene));
  const machines = machinesOf(copies);
  const wanted = rule.parameters.copies;
  const tally = copies.map(({ words }) => words).join('; ');
  if (machines.size >= wanted) {
    return judgement({
      status: 'ok',
      reason: 'covered',
      headline: machines.size === 1 ? '1 copy' : `${machines.size} copies`,
      summary: `proven on ${machines.size} of ${targets.length} targets, wanted ${wanted}`,
      validUntilMs: observedAtMs + sightValidMs,
    });
  }
  const graceUntilMs = collection.isBaseline ? Number.NEGATIVE_INFINITY : newUntilMs(rule, subject, scene);
  if (graceUntilMs >= nowMs) {
    return judgement({
      status: 'ok',
      reason: 'new',
      headline: 'new, not due yet',
      summary: `new since ${formatDuration(nowMs - collection.firstSeenAtMs)}, to be covered within ${formatDuration(graceUntilMs - nowMs)}`,
      validUntilMs: graceUntilMs,
    });
  }
  const hopeful = copies.flatMap((copy) => (copy.kind === 'none' || copy.kind === 'proven' ? [] : [copy.machine]));
  const possible = new Set([...machines, ...hopeful]);
  const short = { headline: `proven on ${machines.size}, wanted ${wanted}`, validUntilMs: nowMs };
  const summary = `proven on ${machines.size} of ${targets.length} targets, wanted ${wanted}. ${tally}`;
  if (possible.size < wanted) {
    return judgement({
      ...short,
      status: 'failing',
      reason: machines.size === 0 ? 'uncovered' : 'too-few',
      headline: machines.size === 0 ? 'no proven backup anywhere' : short.headline,
      summary: collection.points === null ? summary : `${summary}. Live with ${formatCount(collection.points)} points`,
      todo: "look at the backup's collection list, then run it",
    });
  }
  const withUnread = new Set([
    ...machines,
    ...copies.flatMap((copy) => (copy.kind === 'unread' ? [copy.machine] : [])),
  ]);
  if (withUnread.size >= wanted) return judgement({ ...short, status: 'unread', reason: 'unread', summary });
  const unseen = copies.find((copy) => copy.kind === 'unknown' && copy.cause !== null);
  return judgement({ ...short, status: 'unknown', reason: 'cannot-tell', summary, cause: unseen?.cause ?? null });
}

/** That Qdrant cannot count a collection is a sign that its next snapshot will fail. By subject; empty when it can. */
function uncounted(sources: readonly SourceWorld[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { name: source, evidence } of sources) {
    for (const { name, points } of evidence.seen ? evidence.value.collections : []) {
      if (!points.seen) found.set(`${source}/${name}`, `; its points cannot be counted: ${points.why.message}`);
    }
  }
  return found;
}

/** What one target adds to the count. `unknown` could be a copy; `none` cannot. */
interface Copy {
  readonly kind: 'proven' | 'unread' | 'unknown' | 'none';
  readonly machine: string;
  /** `nas: never`, for the summary. */
  readonly words: string;
  readonly cause: Finding['cause'];
  /** What tells the proven file from any other file anywhere; null when the transport does not say enough. */
  readonly identity: string | null;
}

function copyOn(
  rule: Rule<CoverageParameters>,
  { collection }: SubjectCollection,
  { target, seen }: SubjectTarget,
  scene: Scene,
): Copy {
  const { machine, name } = target;
  const copy = (kind: Copy['kind'], words: string, part: Partial<Copy> = {}): Copy => ({
    kind,
    machine,
    words: `${name}: ${words}`,
    cause: null,
    identity: null,
    ...part,
  });
  if (seen === null) {
    const { summary, cause } = outOfSight(target, scene);
    return copy('unknown', summary, { cause: cause ?? null });
  }
  if (scene.ambiguous(name, collection.name)) return copy('unknown', ambiguous(name).summary);
  const proofs: Proof[] = [];
  for (const snapshot of seen.byCollection.get(collection.name) ?? []) {
    const proof = prove(snapshot, target, scene, rule.parameters.proveWithinMs);
    if (proof.kind === 'proven' && isEnough(proof.grade, rule.parameters.proof)) {
      return copy('proven', 'proven', { identity: identityOf(snapshot.file) });
    }
    proofs.push(proof);
  }
  // All of them: new ones keep arriving, so with a reader that stands still some are always young.
  const unread = proofs.filter((proof) => proof.kind === 'unread');
  if (scene.isReaderBeside && unread.length > 0 && unread.every(({ proveByMs }) => scene.nowMs < proveByMs)) {
    return copy('unread', 'arrived, waits to be read');
  }
  if (unread.length > 0) return copy(scene.isReaderBeside ? 'none' : 'unknown', 'not read to its end');
  const unreadable = proofs.find((proof) => proof.kind === 'unreadable');
  if (unreadable !== undefined) return copy('unknown', `cannot be read: ${unreadable.why.message}`);
  if (proofs.some(({ kind }) => kind === 'proven')) return copy('unknown', 'no digest to prove it by');
  if (seen.incomplete !== null) return copy('unknown', `part of it cannot be listed: ${seen.incomplete}`);
  return copy('none', proofs.length === 0 ? 'no snapshot' : 'only broken snapshots');
}

/** What two ways to one file have in common, and two files on two machines never: inode and times to the nanosecond. */
function identityOf({ inode, ctimeNs, mtimeNs, sizeBytes }: FileView): string | null {
  return inode === null || ctimeNs === null ? null : JSON.stringify([inode, ctimeNs, mtimeNs, sizeBytes]);
}

/** Machines that hold a proven copy; one directory reached by two names or mounts is one copy. */
function machinesOf(copies: readonly Copy[]): ReadonlySet<string> {
  const machines = new Set<string>();
  const identities = new Set<string>();
  for (const { kind, machine, identity } of copies) {
    if (kind !== 'proven' || (identity !== null && identities.has(identity))) continue;
    machines.add(machine);
    if (identity !== null) identities.add(identity);
  }
  return machines;
}

function newUntilMs(rule: Rule<CoverageParameters>, { collection }: SubjectCollection, scene: Scene): number {
  const { newWithinMs } = rule.parameters;
  if (newWithinMs !== null) return collection.firstSeenAtMs + newWithinMs;
  const freshness = scene.rules.find(
    (sibling): sibling is Rule<FreshnessParameters> => sibling.file === rule.file && sibling.kind === 'freshness',
  );
  if (freshness === undefined) return collection.firstSeenAtMs + sightValidMs;
  return createFreshness(cadenceOf(freshness)).freshUntilMs(collection.firstSeenAtMs);
}
