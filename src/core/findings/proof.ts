/** Whether the bytes of one file are proven: what its witnesses say against what was read. Pure; the only judge of bytes. */

import type { Reading, ReadingOutcome, Unseen } from '../model/evidence.ts';
import type { JudgeOptions, TargetWorld } from '../model/world.ts';
import type { Snapshot } from '../model/catalogue.ts';

/** How good a proof is, by its best witness. */
export type Grade = 'manifest' | 'first-seen';

/** What is known of one file's bytes. Only `proven` lets a rule be ok. */
export type Proof =
  | { readonly kind: 'proven'; readonly grade: Grade; readonly readAtMs: number; readonly tool: string }
  | {
      readonly kind: 'mismatch';
      /** What we read, and what the witness says. */
      readonly read: string;
      readonly wanted: string;
      readonly witness: string;
      readonly readAtMs: number;
    }
  | { readonly kind: 'truncated'; readonly sizeBytes: number; readonly wantedBytes: number }
  | { readonly kind: 'empty' }
  /** Without a digest, and dated 1970: rsync marks a copy so that it had to leave unfinished. */
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'contradiction'; readonly manifests: readonly string[] }
  | { readonly kind: 'unread'; readonly sinceMs: number; readonly proveByMs: number }
  | { readonly kind: 'unreadable'; readonly why: Unseen; readonly readAtMs: number };

/** How long arrived bytes may wait for the reader unless the rule says `prove_within`. */
export const defaultProveWithinMs = 6 * 3_600_000;
/** The pace that a backlog's bound is computed with, bytes a second: a slow disk on one core. */
export const backlogBytesPerSecond = 50 * 2 ** 20;

/** Outcomes that say nothing about the bytes: the next listing settles what became of the file. */
const passing = new Set(['place/not-found', 'place/changed', 'aborted', 'ssh/connection-lost', 'net/timeout']);

/**
 * Whether an outcome is worth remembering. One that only says that reading was cut short, or that the file is another by
 * now, must not take the place of a digest that was read before.
 */
export function tellsOfBytes(outcome: ReadingOutcome): boolean {
  return outcome.kind === 'digest' || !passing.has(outcome.why.code);
}

/**
 * Judges one file.
 *
 * @param proveWithinMs how long it may stay unread after we first saw it; backlog gets the time its bytes need besides.
 */
export function prove(
  snapshot: Snapshot,
  target: TargetWorld,
  options: JudgeOptions,
  proveWithinMs: number = defaultProveWithinMs,
): Proof {
  const { file, witnesses } = snapshot;
  if (file.sizeBytes === 0) return { kind: 'empty' };
  const wanted = witnesses.find(({ sha256 }) => sha256 !== null)?.sha256 ?? null;
  if (witnesses.some(({ sha256 }) => sha256 !== null && sha256 !== wanted)) {
    return { kind: 'contradiction', manifests: [...new Set(witnesses.map(({ manifest }) => manifest))] };
  }
  const wrongSize = witnesses.find(({ sizeBytes }) => sizeBytes !== undefined && sizeBytes !== file.sizeBytes);
  if (wrongSize?.sizeBytes !== undefined) {
    return { kind: 'truncated', sizeBytes: file.sizeBytes, wantedBytes: wrongSize.sizeBytes };
  }
  const reading = target.reading(file);
  const outcome = reading?.outcome ?? null;
  if (outcome === null) return unread(reading, target, options, proveWithinMs);
  if (outcome.kind === 'unreadable') return { kind: 'unreadable', why: outcome.why, readAtMs: outcome.readAtMs };
  const { sha256: read, readAtMs, tool } = outcome;
  if (wanted !== null) {
    if (wanted === read) return { kind: 'proven', grade: 'manifest', readAtMs, tool };
    const witness = witnesses.find(({ sha256 }) => sha256 === wanted)?.manifest ?? 'manifest';
    return { kind: 'mismatch', read, wanted, witness, readAtMs };
  }
  if (Number(file.mtimeNs) === 0) return { kind: 'interrupted' };
  const first = reading?.firstSha256 ?? read;
  if (first !== read) return { kind: 'mismatch', read, wanted: first, witness: 'first reading', readAtMs };
  return { kind: 'proven', grade: 'first-seen', readAtMs, tool };
}

/** @returns whether a proof of this grade satisfies a rule that wants `wanted`. */
export function isEnough(grade: Grade, wanted: Grade): boolean {
  return grade === 'manifest' || wanted === 'first-seen';
}

function unread(
  reading: Reading | undefined,
  target: TargetWorld,
  options: JudgeOptions,
  proveWithinMs: number,
): Proof {
  const sinceMs = reading?.firstSeenAtMs ?? options.nowMs;
  const extraMs = reading?.isBacklog === true ? backlogMs(target) : 0;
  return { kind: 'unread', sinceMs, proveByMs: sinceMs + proveWithinMs + extraMs };
}

/** The time that a target's backlog needs at {@link backlogBytesPerSecond}, ms. */
export function backlogMs({ backlogBytes }: TargetWorld): number {
  return Math.round((backlogBytes / backlogBytesPerSecond) * 1_000);
}
