/** What is wrong with single files of a target, each with a named reason. Made from the catalogue and the proofs. */

import { formatDuration, formatSize } from '../../support/units.ts';
import type { FindingStatus } from '../model/finding.ts';
import type { TargetWorld } from '../model/world.ts';
import type { Rule } from '../model/rule.ts';
import { type Grade, isEnough, prove } from './proof.ts';
import type { Scene } from './scene.ts';
import type { Catalogue, MissingFile, Snapshot } from '../model/catalogue.ts';
import { arrivalMsOf, futureSkewMs, nsToMs } from './snapshots.ts';

/** Parameters of an integrity rule. */
export interface IntegrityParameters {
  /** Every byte is read again within this. */
  readonly rereadEveryMs: number;
  readonly proof: Grade;
  readonly proveWithinMs: number;
}

/** Something about one file that keeps the target from being whole. */
export interface Fault {
  readonly path: string;
  readonly status: Exclude<FindingStatus, 'ok'>;
  readonly reason: string;
  /** A clause that follows the file's name. */
  readonly words: string;
}

/** How one file stands; a sound one until when its reading holds, and by what it was read. */
export type FileJudgement =
  | Omit<Fault, 'path'>
  | { readonly status: 'ok'; readonly reason: 'proven'; readonly validUntilMs: number; readonly tool: string };

/** Judges a file that is there: a snapshot, or another that a manifest lists. */
export function judgeFile(
  rule: Rule<IntegrityParameters>,
  snapshot: Snapshot,
  target: TargetWorld,
  scene: Scene,
): FileJudgement {
  const proof = prove(snapshot, target, scene, rule.parameters.proveWithinMs);
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
      return changing(snapshot, scene) ?? failing('truncated', 'has no bytes');
    case 'interrupted':
      return failing('epoch', epochWords);
    case 'truncated': {
      const words = `has ${formatSize(proof.sizeBytes)}, its manifest says ${formatSize(proof.wantedBytes)}`;
      return changing(snapshot, scene) ?? failing('truncated', words);
    }
    case 'contradiction':
      return failing('contradiction', `has two different digests in ${proof.manifests.join(' and ')}`);
    case 'mismatch': {
      const words = `reads ${short(proof.read)}, ${proof.witness} says ${short(proof.wanted)}`;
      return changing(snapshot, scene) ?? failing('mismatch', words);
    }
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
      if (!isEnough(proof.grade, rule.parameters.proof)) return withoutDigest(rule, snapshot, target, scene);
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
      return { status: 'ok', reason: 'proven', validUntilMs: expiresAtMs, tool: proof.tool };
    }
  }
}

function failing(reason: string, words: string): FileJudgement {
  return { status: 'failing', reason, words };
}

/**
 * Read, but no manifest has its digest: unlisted where a manifest claims to be whole, unproven where there is none. A
 * backup writes its manifest last: while it is at work, what we have first seen in this run may still get its line.
 */
function withoutDigest(
  rule: Rule<IntegrityParameters>,
  { file, governedBy }: Snapshot,
  target: TargetWorld,
  scene: Scene,
): FileJudgement {
  const firstSeenAtMs = target.reading(file)?.firstSeenAtMs ?? scene.nowMs;
  if (isAtWork(target.catalogue, firstSeenAtMs + rule.parameters.proveWithinMs, scene)) {
    return { status: 'unread', reason: 'arriving', words: 'has arrived, and its manifest may still come' };
  }
  if (governedBy === null) return { status: 'unknown', reason: 'no-digest', words: 'has no digest in any manifest' };
  return failing('unlisted', `is not listed by ${governedBy}`);
}

/** A file that changed a moment ago may still be written under its final name; what it holds then proves nothing. */
function changing({ file }: Snapshot, scene: Scene): FileJudgement | null {
  return isSettling(arrivalMsOf(file), scene)
    ? { status: 'unread', reason: 'arriving', words: 'is still changing' }
    : null;
}

/** Whether what changed then may still be changing. A person who waits is told at once. */
export function isSettling(changedAtMs: number, scene: Scene): boolean {
  const agoMs = scene.nowMs - changedAtMs;
  return scene.isReaderBeside && agoMs > -futureSkewMs && agoMs < settleMs(scene);
}

/** Whether a copy is at work on the target: something arrived there a moment ago, and it began not too long ago. */
function isAtWork(catalogue: Catalogue | null, untilMs: number, scene: Scene): boolean {
  const newestMs = catalogue?.newestArrivalMs ?? null;
  return newestMs !== null && scene.nowMs < untilMs && isSettling(newestMs, scene);
}

/** How long a target must be quiet before what is missing or wrong there counts: three looks, at most 15 minutes. */
function settleMs({ checkEveryMs }: Scene): number {
  return Math.min(3 * checkEveryMs, 15 * 60_000);
}

const epochWords = 'is dated 1970, as an interrupted rsync leaves it';

function short(digest: string): string {
  return `${digest.slice(0, 4)}…`;
}

/** Judges a file that a manifest lists and that is not there; a manifest may also be copied before its files. */
export function judgeMissing(
  rule: Rule<IntegrityParameters>,
  { witness, listedAtMs, isArriving }: MissingFile,
  catalogue: Catalogue,
  scene: Scene,
): FileJudgement {
  const isAwaited = isArriving || isAtWork(catalogue, listedAtMs + rule.parameters.proveWithinMs, scene);
  if (isAwaited && scene.isReaderBeside) return { status: 'unread', reason: 'arriving', words: 'is being copied in' };
  const { incomplete } = catalogue;
  if (incomplete !== null) {
    return { status: 'unknown', reason: 'cannot-look', words: `cannot be looked for: ${incomplete}` };
  }
  return failing('missing', `is listed by ${witness.manifest} and not there`);
}
