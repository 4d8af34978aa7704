/** Which files are due to be read, and in which order. Made from a catalogue and the ledger; it reads nothing. */

import type { FileView } from '../model/evidence.ts';
import type { TargetWorld } from '../model/world.ts';
import type { Catalogue, Snapshot } from '../model/catalogue.ts';
import { futureSkewMs } from './snapshots.ts';

/** A file that could not be read is tried again no sooner than this, so that a bad disk is not hammered. */
export const retryUnreadableMs = 15 * 60_000;
/** A reading is renewed at this part of its life, so that it is not missed when it ends. */
const renewAt = 0.9;

/** When bytes are due again. */
export interface DueOptions {
  readonly nowMs: number;
  /** The life of a reading. */
  readonly rereadEveryMs: number;
  /** How soon a file that could not be read is tried again; 0 at once. */
  readonly retryUnreadableMs: number;
}

/**
 * Orders what a target's reader has to do: the newest unread snapshot of each collection, then what else is unread,
 * newest first, then readings that end soon, oldest first. Empty while the target is out of sight.
 */
export function dueFiles(target: TargetWorld, options: DueOptions): readonly FileView[] {
  if (target.catalogue === null) return [];
  const { snapshots, others } = target.catalogue;
  const unread: Snapshot[] = [];
  const ending: { readonly file: FileView; readonly readAtMs: number }[] = [];
  for (const snapshot of [...snapshots, ...others]) {
    const { file } = snapshot;
    const outcome = file.sizeBytes === 0 ? undefined : (target.reading(file)?.outcome ?? null);
    if (outcome === undefined) continue;
    if (outcome === null || (outcome.kind === 'unreadable' && isOver(outcome, options.retryUnreadableMs, options))) {
      unread.push(snapshot);
    } else if (outcome.kind === 'digest' && isOver(outcome, options.rereadEveryMs * renewAt, options)) {
      ending.push({ file, readAtMs: outcome.readAtMs });
    }
  }
  const newestFirst = unread.toSorted((a, b) => b.madeAtMs - a.madeAtMs);
  const seenCollections = new Set<string>();
  const [newestOfEach, rest]: [FileView[], FileView[]] = [[], []];
  for (const { collection, file } of newestFirst) {
    const isNewest = collection !== null && !seenCollections.has(collection);
    if (collection !== null) seenCollections.add(collection);
    (isNewest ? newestOfEach : rest).push(file);
  }
  return [...newestOfEach, ...rest, ...ending.toSorted((a, b) => a.readAtMs - b.readAtMs).map(({ file }) => file)];
}

/** Whether an outcome has had its time. One dated in the future, by a clock that was stepped back since, has none left. */
function isOver({ readAtMs }: { readonly readAtMs: number }, lastsMs: number, { nowMs }: DueOptions): boolean {
  return readAtMs + lastsMs <= nowMs || readAtMs > nowMs + futureSkewMs;
}

/** The files of a target whose bytes a ledger must remember: snapshots, and what a manifest lists. */
export function filesToProve({ snapshots, others }: Catalogue): readonly FileView[] {
  return [...snapshots, ...others].map(({ file }) => file);
}
