/** The reader: reads bytes beside the passes, a task a target over a connection of its own, and writes what it read into the ledger. */

import { retryUnreadableMs } from '../core/findings/due.ts';
import { tellsOfBytes } from '../core/findings/proof.ts';
import type { FileView } from '../core/model/evidence.ts';
import { describeError, WatchdogError } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { limits } from '../support/limits.ts';
import type { Place } from '../probes/place.ts';
import type { Memory } from './memory.ts';

/** What a target wants read, in order. */
export interface ReadingWork {
  readonly target: string;
  readonly files: readonly FileView[];
  readonly cores: number;
  readonly idle: boolean;
  /** Opens the place anew; `close` gives up what was opened for it, the connection included. */
  readonly open: (signal: AbortSignal) => Promise<{ readonly place: Place; readonly close: () => Promise<void> }>;
}

/** What a reader is made from. */
export interface ReaderOptions {
  readonly memory: Memory;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Called when a target's work has ended and something was read: the next pass may know more. */
  readonly onRead: () => void;
  /** Called with what should be impossible, a mistake of ours: whoever runs the reader must end and say so. */
  readonly onBroken: (error: unknown) => void;
}

/** A running reader. */
export interface Reader {
  /**
   * Replaces what a target that was seen wants read. What is being hashed goes on and is not hashed again; the rest is
   * taken from the newest offer, so that a new snapshot does not wait behind an old backlog. An empty offer says that
   * nothing is due, so that an earlier failure is no trouble any more.
   */
  offer(work: ReadingWork): void;
  /** The newest failure to read a target at all, by target; empty while all goes well. */
  troubles(): ReadonlyMap<string, string>;
  /** Stops reading; remote work dies. Resolves when all of it has ended. */
  close(): Promise<void>;
}

/** Starts a reader; it does nothing until work is offered. */
export function startReader(options: ReaderOptions): Reader {
  const stop = new AbortController();
  const offered = new Map<string, ReadingWork>();
  const running = new Map<string, Promise<void>>();
  const troubles = new Map<string, string>();
  /** Until when files rest that could not be read to their end, epoch ms: a stuck one must not stand before all others. */
  const resting = new Map<string, number>();
  const restKey = (target: string, file: FileView): string => `${target} ${keyOf(file)}`;

  const run = async (target: string): Promise<void> => {
    let work = offered.get(target);
    if (work === undefined) return;
    const { place, close } = await work.open(stop.signal);
    let read = 0;
    try {
      while (work !== undefined && !stop.signal.aborted) {
        const batch = nextBatch(work.files);
        offered.set(target, { ...work, files: work.files.slice(batch.length) });
        const untilMs = options.nowMs() + retryUnreadableMs;
        const rest = (file: FileView): void => void resting.set(restKey(target, file), untilMs);
        const told = await readBatch(place, batch, { work, rest, signal: stop.signal }, options);
        read += told.size;
        work = takeNext(offered, target, told);
      }
    } finally {
      await close();
      if (read > 0 && !stop.signal.aborted) options.onRead();
    }
  };

  return {
    offer: (offer) => {
      const { target } = offer;
      if (stop.signal.aborted) return;
      const nowMs = options.nowMs();
      for (const [key, untilMs] of resting) if (untilMs <= nowMs) resting.delete(key);
      const work = { ...offer, files: offer.files.filter((file) => !resting.has(restKey(target, file))) };
      if (running.has(target)) return void offered.set(target, work);
      if (work.files.length === 0) return void troubles.delete(target);
      offered.set(target, work);
      const task = run(target)
        .then(
          () => void troubles.delete(target),
          (error: unknown) => {
            if (!(error instanceof WatchdogError)) return options.onBroken(error);
            if (error.code === 'aborted') return;
            troubles.set(target, describeError(error));
            options.log.warn({ event: 'reader.failed', target, code: error.code }, describeError(error));
          },
        )
        .finally(() => running.delete(target));
      running.set(target, task);
    },
    troubles: () => troubles,
    close: async () => {
      stop.abort();
      await Promise.allSettled(running.values());
    },
  };
}

/** @param told files of the batch that has just ended: an offer made meanwhile may name them again. */
function takeNext(
  offered: Map<string, ReadingWork>,
  target: string,
  told: ReadonlySet<string>,
): ReadingWork | undefined {
  const work = offered.get(target);
  const files = work?.files.filter((file) => !told.has(keyOf(file))) ?? [];
  if (work !== undefined && files.length > 0) return { ...work, files };
  offered.delete(target);
  return undefined;
}

function keyOf({ path, sizeBytes, mtimeNs, ctimeNs, inode }: FileView): string {
  return JSON.stringify([path, sizeBytes, mtimeNs, ctimeNs, inode]);
}

/** As many files as take a while but not long: a newer offer waits behind one batch. */
function nextBatch(files: readonly FileView[]): readonly FileView[] {
  let bytes = 0;
  const end = files.findIndex((file, index) => {
    bytes += file.sizeBytes;
    return index > 0 && (bytes > limits.batchBytes || index >= limits.batchFiles);
  });
  return end === -1 ? files : files.slice(0, end);
}

/** @returns the files whose outcome was told, by {@link keyOf}. */
async function readBatch(
  place: Place,
  files: readonly FileView[],
  reading: {
    readonly work: ReadingWork;
    /** Called for a file that could not be read to its end. */
    readonly rest: (file: FileView) => void;
    readonly signal: AbortSignal;
  },
  { memory, nowMs, log }: ReaderOptions,
): Promise<ReadonlySet<string>> {
  const told = new Set<string>();
  const { cores, idle, target } = reading.work;
  await place.hash(files, {
    cores,
    idle,
    signal: reading.signal,
    onOutcome: (file, outcome) => {
      told.add(keyOf(file));
      log.debug({ event: 'reader.read', target, outcome: outcome.kind, sizeBytes: file.sizeBytes });
      if (!tellsOfBytes(outcome)) return reading.rest(file);
      // The place dates a reading by the machine's clock; ours never steps back, and tells when it is due again.
      const atMs = nowMs();
      memory.ledger.recordOutcome(place.address, file, { ...outcome, readAtMs: atMs }, atMs);
    },
  });
  return told;
}
