/** What is wrong with single files of a target, each with a named reason. Made from the catalogue and the proofs. */

import { formatDuration, formatSize } from '../../support/units.ts';
import type { FindingStatus } from '../model/finding.ts';
import type { Rule } from './kind.ts';
import { type Grade, isEnough, type Proof, prove } from './proof.ts';
import type { Scene } from './scene.ts';
import { futureSkewMs, nsToMs, type Snapshot } from './snapshots.ts';
import type { SubjectTarget } from './subjects.ts';

/** Parameters of an integrity rule. */
export interface IntegrityParameters {
  /** Every byte is read again within this. */
  readonly rereadEveryMs: number;
  readonly proof: Grade;
  readonly proveWithinMs: number;
}

/** Something about one file that keeps the target from being whole, or the date its sound reading expires. */
export interface FileState {
  readonly path: string;
  /** Null when it is about no collection that can be told. */
  readonly collection: string | null;
  readonly status: FindingStatus;
  readonly reason: string;
  /** A clause that follows the file's name. */
  readonly words: string;
  readonly validUntilMs: number;
}

/** Judges every file of a target that was seen: snapshots, other listed files, and what is missing. */
export function fileStates(
  rule: Rule<IntegrityParameters>,
  { target, seen }: SubjectTarget,
  scene: Scene,
): readonly FileState[] {
  if (seen === null) return [];
  const here = [...seen.snapshots, ...seen.others].map((snapshot): FileState => {
    const proof = prove(snapshot, target, scene, rule.parameters.proveWithinMs);
    const { status, reason, words, validUntilMs } = judgeFile(rule, snapshot, proof, scene);
    const { collection } = snapshot;
    return { path: snapshot.file.path, collection, status, reason, words, validUntilMs: validUntilMs ?? scene.nowMs };
  });
  const absent = seen.missing.map(({ path, witness, collection, isArriving }): FileState => {
    const common = { path, collection, validUntilMs: scene.nowMs };
    if (isArriving && scene.isReaderBeside) {
      return { ...common, status: 'unread', reason: 'arriving', words: 'is being copied in' };
    }
    if (seen.incomplete !== null) {
      return { ...common, status: 'unknown', reason: 'cannot-look', words: `cannot be looked for: ${seen.incomplete}` };
    }
    return { ...common, status: 'failing', reason: 'missing', words: `is listed by ${witness.manifest} and not there` };
  });
  return [...here, ...absent];
}

type FileJudgement = Pick<FileState, 'status' | 'reason' | 'words'> & { readonly validUntilMs?: number };

function judgeFile(rule: Rule<IntegrityParameters>, snapshot: Snapshot, proof: Proof, scene: Scene): FileJudgement {
  const { nowMs, isReaderBeside } = scene;
  if (snapshot.madeAtMs > nowMs + futureSkewMs) {
    return failing(
      'future',
      `is dated ${formatDuration(snapshot.madeAtMs - nowMs)} in the future (by its ${snapshot.madeAtFrom})`,
    );
  }
  if (nsToMs(snapshot.file.mtimeNs) === 0 && snapshot.madeAtFrom === 'mtime') return failing('epoch', epochWords);
  switch (proof.kind) {
    case 'empty':
      return failing('truncated', 'has no bytes');
    case 'interrupted':
      return failing('epoch', epochWords);
    case 'truncated':
      return failing(
        'truncated',
        `has ${formatSize(proof.sizeBytes)}, its manifest says ${formatSize(proof.wantedBytes)}`,
      );
    case 'contradiction':
      return failing('contradiction', `has two different digests in ${proof.manifests.join(' and ')}`);
    case 'mismatch':
      return failing('mismatch', `reads ${short(proof.read)}, ${proof.witness} says ${short(proof.wanted)}`);
    case 'unreadable':
      return { status: 'unknown', reason: 'unreadable', words: `cannot be read: ${proof.why.message}` };
    case 'unread': {
      const waited = formatDuration(nowMs - proof.sinceMs);
      if (!isReaderBeside) return { status: 'unknown', reason: 'not-read', words: 'was not read to its end' };
      if (nowMs < proof.proveByMs)
        return { status: 'unread', reason: 'unread', words: `waits to be read since ${waited}` };
      return failing('never-read', `was never read in ${waited}`);
    }
    case 'proven': {
      if (!isEnough(proof.grade, rule.parameters.proof)) return withoutDigest(snapshot, scene);
      if (proof.readAtMs > nowMs + futureSkewMs) {
        // Its expiry would lie as far ahead as our clock once was, and until then nobody would read these bytes again.
        const ahead = formatDuration(proof.readAtMs - nowMs);
        return { status: 'unknown', reason: 'future-reading', words: `was last read ${ahead} in the future` };
      }
      const expiresAtMs = proof.readAtMs + rule.parameters.rereadEveryMs;
      if (expiresAtMs < nowMs) {
        const age = formatDuration(nowMs - proof.readAtMs);
        return failing(
          'expired',
          `was last read ${age} ago, wanted every ${formatDuration(rule.parameters.rereadEveryMs)}`,
        );
      }
      return { status: 'ok', reason: 'proven', words: 'matches its witness', validUntilMs: expiresAtMs };
    }
  }
}

function failing(reason: string, words: string): FileJudgement {
  return { status: 'failing', reason, words };
}

/** Read, but no manifest has its digest: unlisted where a manifest claims to be whole, unproven where there is none. */
function withoutDigest(snapshot: Snapshot, { nowMs, isReaderBeside }: Scene): FileJudgement {
  if (snapshot.governedBy === null) {
    return { status: 'unknown', reason: 'no-digest', words: 'has no digest in any manifest' };
  }
  const words = `is not listed by ${snapshot.governedBy}`;
  // A backup writes its manifest last; what is younger than this may still get its line.
  const isSettling = isReaderBeside && nowMs - snapshot.madeAtMs < settleMs;
  return { status: isSettling ? 'unread' : 'failing', reason: 'unlisted', words };
}

const settleMs = 3_600_000;

const epochWords = 'is dated 1970, as an interrupted rsync leaves it';

function short(digest: string): string {
  return `${digest.slice(0, 4)}…`;
}
