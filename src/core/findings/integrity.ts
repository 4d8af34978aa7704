/** integrity: every file on a target matches its witnesses, is re-read in time, is listed; and what is listed is there. */

import { durationMs } from '../../support/schemas.ts';
import { printablePath } from '../../support/printable.ts';
import type { Finding } from '../model/finding.ts';
import {
  type Fault,
  type FileJudgement,
  type IntegrityParameters,
  isSettling,
  judgeFile,
  judgeMissing,
} from './faults.ts';
import { proofParameters, proofShape } from './freshness.ts';
import { matcher } from './globs.ts';
import type { RuleKind } from './kind.ts';
import type { Rule } from '../model/rule.ts';
import type { Scene } from './scene.ts';
import {
  collectionsOf,
  finding,
  type FindingPart,
  outOfSight,
  sightValidMs,
  type SubjectTarget,
  targetsOf,
} from './subjects.ts';

/** How long a reading counts unless the rule says `reread_every`. */
export const defaultRereadEveryMs = 30 * 86_400_000;

/** The rule kind `integrity`. */
export const integrity: RuleKind<IntegrityParameters> = {
  kind: 'integrity',
  promise: 'every snapshot matches its witnesses, is re-read in time and is listed; what a manifest lists exists',
  defaultSeverity: 'critical',
  shape: {
    reread_every: durationMs.optional().describe('Every byte is read again within this time; default 30d.'),
    ...proofShape(),
  },
  parameters: (parsed) => ({
    rereadEveryMs: (parsed['reread_every'] as number | undefined) ?? defaultRereadEveryMs,
    ...proofParameters(parsed),
  }),
  judge: (rule, scene) => targetsOf(rule, scene).flatMap((target) => judgeTarget(rule, target, scene)),
};

function judgeTarget(rule: Rule<IntegrityParameters>, subject: SubjectTarget, scene: Scene): readonly Finding[] {
  const { target, seen } = subject;
  const collections = collectionsOf(rule, scene.world);
  const rest = `target/${target.name}`;
  if (seen === null) {
    const unseen = outOfSight(target, scene);
    return [rest, ...collections.map((each) => each.subject)].map((name) =>
      finding(rule, { subject: name, target: target.name, ...unseen }),
    );
  }
  const subjectByName = new Map(collections.map((each) => [each.collection.name, each.subject]));
  const matches = matcher(rule.collections);
  const tallies = new Map<string, Tally>();
  const tallyOf = (collection: string | null): Tally | null => {
    if (collection !== null && !matches(collection)) return null;
    const about = subjectByName.get(collection ?? '') ?? rest;
    const tally = tallies.get(about) ?? emptyTally();
    tallies.set(about, tally);
    return tally;
  };
  // By collection, since a target may hold a million files and only their worst and their number are wanted.
  const homeless = seen.snapshots.filter(({ collection }) => collection === null);
  for (const [collection, snapshots] of [...seen.byCollection, [null, homeless] as const]) {
    const tally = tallyOf(collection);
    for (const each of tally === null ? [] : snapshots)
      add(tally, each.file.path, judgeFile(rule, each, target, scene));
  }
  for (const each of seen.others) add(tallyOf(each.collection), each.file.path, judgeFile(rule, each, target, scene));
  for (const each of seen.missing) add(tallyOf(each.collection), each.path, judgeMissing(rule, each, seen, scene));
  const whole = ofTheWhole(subject, scene);
  // What could not be listed may hold files of any collection, so none of them is known to be intact.
  const blind = whole.filter(({ reason }) => reason === 'incomplete').slice(0, 1);
  // A collection without a file here is not this rule's matter: freshness and coverage say so.
  const judged = collections.flatMap((each) => {
    const own = tallies.get(each.subject);
    return own === undefined ? [] : [summarize(rule, each.subject, subject, own, blind, scene)];
  });
  const others = tallies.get(rest) ?? emptyTally();
  return [summarize(rule, rest, subject, others, whole, scene), ...judged];
}

/** The files of one subject, counted while they are judged. */
interface Tally {
  readonly faults: Fault[];
  soundCount: number;
  /** The end of the first of their readings that ends. */
  soundUntilMs: number;
  /** Who hashed them: `here`, or a tool of the target's host. */
  readonly tools: Set<string>;
}

function emptyTally(): Tally {
  return { faults: [], soundCount: 0, soundUntilMs: Number.POSITIVE_INFINITY, tools: new Set() };
}

function add(tally: Tally | null, path: string, judgement: FileJudgement): void {
  if (tally === null) return;
  if (judgement.status !== 'ok') {
    tally.faults.push({ path, ...judgement });
    return;
  }
  tally.soundCount += 1;
  tally.soundUntilMs = Math.min(tally.soundUntilMs, judgement.validUntilMs);
  tally.tools.add(judgement.tool);
}

/** What is wrong with the target rather than with one file. */
function ofTheWhole({ target, seen }: SubjectTarget, scene: Scene): readonly Fault[] {
  if (seen === null || !target.evidence.seen) return [];
  const { listing, manifests } = target.evidence.value;
  const problems = manifests.problems.map(({ manifest, line, message }) => {
    // One that is being written is empty at first, and ends in half a line.
    const isWritten = isSettling(seen.manifestArrivals.get(manifest) ?? Number.NEGATIVE_INFINITY, scene);
    const words = `${line === null ? '' : `line ${line}: `}${message}`;
    return isWritten
      ? faultOf(manifest, 'unread', 'arriving', words)
      : faultOf(manifest, 'failing', 'bad-manifest', words);
  });
  const blind = listing.unreadable.map(({ path, why }) =>
    faultOf(path, 'unknown', 'incomplete', `cannot be listed: ${why.message}`),
  );
  const isBare = seen.snapshots.length === 0 && blind.length === 0;
  return [...problems, ...blind, ...(isBare ? [faultOf('.', 'failing', 'empty', 'holds no snapshot at all')] : [])];
}

function faultOf(path: string, status: Fault['status'], reason: string, words: string): Fault {
  return { path, status, reason, words };
}

/** Loudest first: what is seen to be false, then what could not be seen, then what waits. */
const loudness: Readonly<Record<Fault['status'], number>> = { failing: 2, unknown: 1, unread: 0 };

function summarize(
  rule: Rule<IntegrityParameters>,
  name: string,
  { target }: SubjectTarget,
  { faults: own, soundCount, soundUntilMs, tools }: Tally,
  shared: readonly Fault[],
  scene: Scene,
): Finding {
  const { observedAtMs } = target.evidence;
  const judgement = (part: Omit<FindingPart, 'subject' | 'target' | 'observedAtMs'>): Finding =>
    finding(rule, { subject: name, target: target.name, observedAtMs, ...part });
  const faults = [...own, ...shared];
  const worst = faults.reduce<Fault | null>(
    (loudest, fault) => (loudest !== null && loudness[loudest.status] >= loudness[fault.status] ? loudest : fault),
    null,
  );
  if (worst === null) {
    const validUntilMs = Math.min(soundUntilMs, observedAtMs + sightValidMs);
    const what = soundCount === 0 ? 'nothing amiss' : `${soundCount} of ${soundCount} files match (${readBy(tools)})`;
    return judgement({ status: 'ok', reason: 'intact', headline: 'intact', summary: what, validUntilMs });
  }
  const alike = faults.filter(({ status }) => status === worst.status);
  const more = alike.length === 1 ? '' : ` (and ${alike.length - 1} more)`;
  return judgement({
    status: worst.status,
    reason: worst.reason,
    headline: headlines[worst.reason] ?? worst.reason,
    summary: `${printablePath(worst.path)} ${worst.words}${more}; ${soundCount} other ${soundCount === 1 ? 'file' : 'files'} intact`,
    validUntilMs: scene.nowMs,
    todo: todos[worst.reason] ?? null,
  });
}

/** A tool of another host is trusted, and so it is named. */
function readBy(tools: ReadonlySet<string>): string {
  const names = [...tools].map((tool) => (tool === 'here' ? 'deadair' : tool));
  return `read by ${names.toSorted().join(' and ')}`;
}

const headlines: Readonly<Record<string, string>> = {
  mismatch: 'bytes changed',
  truncated: 'truncated',
  missing: 'listed but gone',
  unlisted: 'not in the manifest',
  contradiction: 'two digests for one file',
  future: 'dated in the future',
  epoch: 'left half copied',
  expired: 'not re-read in time',
  'never-read': 'never read',
  'bad-manifest': 'manifest unusable',
  empty: 'no snapshot at all',
  unreadable: 'cannot be read',
  'no-digest': 'no digest to prove it by',
  incomplete: 'cannot see all of it',
  'cannot-look': 'cannot see all of it',
  'not-read': 'not read',
  'future-reading': 'read in the future',
  unread: 'waiting to be read',
  arriving: 'being copied in',
};

const todos: Readonly<Record<string, string>> = {
  mismatch: 'delete nothing; check the disk and memory of that host; compare with another copy',
  truncated: 'delete nothing; copy it again from the source',
  missing: 'find out what deleted it; copy it back from another target',
  unlisted: 'let the backup list it in its manifest, or remove what does not belong',
  contradiction: 'find out which manifest is stale',
  future: 'set the clock of the host that made it',
  epoch: 'run the interrupted copy again',
  expired: 'look at the reader in the log of deadair',
  'future-reading': 'look at the clock of this host; it was stepped back',
  'never-read': 'look at the reader in the log of deadair',
  'bad-manifest': 'look at the manifest; a line that is not understood guards nothing',
  empty: 'check that the disk is mounted and that the path is right',
  unreadable: 'give the user of deadair read access (group or ACL)',
  incomplete: 'give the user of deadair read access (group or ACL)',
  'no-digest': 'let the backup write SHA256SUMS, or say proof: first-seen in the rule',
};

/** How often an integrity rule of this configuration wants bytes re-read: the shortest; the default where there is none. */
export function rereadEveryMs(rules: readonly Rule[]): number {
  const wanted = rules
    .filter((rule): rule is Rule<IntegrityParameters> => rule.kind === 'integrity')
    .map(({ parameters }) => parameters.rereadEveryMs);
  return wanted.length === 0 ? defaultRereadEveryMs : Math.min(...wanted);
}
