/** `check`: one pass for a person who waits. Reads what is due before it judges; delivers nothing, changes no alert. */

import { dueFiles } from '../core/findings/due.ts';
import { tellsOfBytes } from '../core/findings/proof.ts';
import { rereadEveryMs } from '../core/findings/integrity.ts';
import { judge } from '../core/findings/judge.ts';
import type { Judgement } from '../core/model/finding.ts';
import type { FileView } from '../core/model/evidence.ts';
import type { SelfWorld, World } from '../core/model/world.ts';
import { WatchdogError } from '../support/errors.ts';
import { gather, type Look } from './gather.ts';
import { kindsByName } from './kinds.ts';
import type { Memory } from './memory.ts';
import type { Setup } from './setup.ts';

/** How a check is made. */
export interface CheckOptions {
  readonly setup: Setup;
  readonly memory: Memory;
  readonly nowMs: () => number;
  readonly self: SelfWorld;
  readonly signal: AbortSignal;
  /** All cores, unless a target says otherwise. */
  readonly cores: number;
  readonly onProgress: (progress: {
    readonly files: number;
    readonly filesTotal: number;
    readonly bytes: number;
    readonly bytesTotal: number;
  }) => void;
  /** Last word on the world before it is judged; `check PATH` adds the collections it found there. */
  readonly complete?: (world: World) => World;
}

/** Looks, reads, judges. Findings are never `unread`: what was not read to its end is `unknown`. */
export async function check(options: CheckOptions): Promise<Judgement> {
  const { setup, memory, nowMs, signal, self } = options;
  await using look = await gather(setup, memory, { signal, nowMs, self });
  const isUnsettled = await readDue(look, options);
  // What vanished or changed while we read is looked at once more: retention may have run, or a copy arrived.
  await using second = isUnsettled ? await gather(setup, memory, { signal, nowMs, self }) : null;
  if (second !== null) await readDue(second, options);
  const world = second?.world ?? look.world;
  return judge(setup.rules, kindsByName, options.complete?.(world) ?? world, [], {
    nowMs: nowMs(),
    checkEveryMs: setup.checkEveryMs,
    isReaderBeside: false,
  });
}

/** @returns whether a file vanished or changed between listing and reading. */
async function readDue(look: Look, options: CheckOptions): Promise<boolean> {
  const { setup, memory, nowMs, signal, cores } = options;
  const work = look.world.targets.flatMap((target) => {
    const place = look.places.get(target.name);
    const due = { nowMs: nowMs(), rereadEveryMs: rereadEveryMs(setup.rules), retryUnreadableMs: 0 };
    const files = place === undefined ? [] : dueFiles(target, due);
    return place === undefined || files.length === 0 ? [] : [{ place, files }];
  });
  const all = work.flatMap(({ files }) => files);
  const progress = { files: 0, filesTotal: all.length, bytes: 0, bytesTotal: sumOf(all) };
  let isUnsettled = false;
  // One target after the other on this machine's cores; the bytes lie elsewhere, but the disks may be shared.
  for (const { place, files } of work) {
    const hashing = place.hash(files, {
      cores,
      idle: false,
      signal,
      onProgress: (bytes) => {
        progress.bytes += bytes;
        options.onProgress(progress);
      },
      onOutcome: (file, outcome) => {
        progress.files += 1;
        if (tellsOfBytes(outcome)) memory.ledger.recordOutcome(place.address, file, outcome, nowMs());
        else if (outcome.kind === 'unreadable' && outcome.why.code.startsWith('place/')) isUnsettled = true;
        options.onProgress(progress);
      },
    });
    await hashing.catch((error: unknown) => {
      // The place was lost on the way: what was not read stays unread, and the judges say unknown.
      if (!(error instanceof WatchdogError)) throw error;
    });
  }
  return isUnsettled;
}

function sumOf(files: readonly FileView[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
