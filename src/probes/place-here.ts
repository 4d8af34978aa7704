/**
 * A directory on this host. Made from a path with Node's own file functions in worker threads: it starts no program, since a
 * hardened service may not, and writes nothing.
 */

import { resolve } from 'node:path';
import type { Evidence, FileView, ListingView, ReadingOutcome, Unseen } from '../core/model/evidence.ts';
import { systemClock } from '../support/clock.ts';
import { WatchdogError, unseenFrom } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { encodePath } from './address.ts';
import { HereDesk, type StuckThread } from './here-desk.ts';
import type { HashOptions, Place, ReadResult } from './place.ts';
import { readingDeadlineMs } from './reading-deadline.ts';

/**
 * Opens a directory of this host. Nothing is looked at before the first question.
 *
 * @param root may itself be a symlink; a relative one is relative to the working directory.
 * @param options.nowMs epoch ms, the time that evidence bears.
 * @param options.stuck kept from place to place of one directory, so that a hanging mount costs one thread and not one a pass.
 */
export function openPlaceHere(
  root: string,
  {
    nowMs = (): number => systemClock.nowMs(),
    stuck = { end: null },
  }: { readonly nowMs?: () => number; readonly stuck?: StuckThread } = {},
): Place {
  return new PlaceHere(resolve(root), nowMs, stuck);
}

class PlaceHere implements Place {
  readonly address: string;
  readonly #root: string;
  readonly #nowMs: () => number;
  readonly #closing = new AbortController();
  /** For listing and reading, which come one after the other; hashing has desks of its own. */
  readonly #desk: HereDesk;
  readonly #stuck: StuckThread;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(root: string, nowMs: () => number, stuck: StuckThread) {
    this.#desk = new HereDesk(false, stuck);
    this.#stuck = stuck;
    this.#root = root;
    this.#nowMs = nowMs;
    this.address = `file://${encodePath(root)}`;
  }

  async list(signal: AbortSignal): Promise<Evidence<ListingView>> {
    const stamp = { address: this.address, observedAtMs: this.#nowMs() };
    const files: FileView[] = [];
    const unreadable: { path: string; why: Unseen }[] = [];
    let failure: Unseen | undefined;
    try {
      await this.#inTurn(() =>
        this.#desk.run(
          { kind: 'list', root: this.#root },
          {
            deadlineMs: limits.listMs,
            signal: this.#stopsWith(signal),
            onReply: (reply) => {
              if (reply.kind === 'files') for (const file of reply.files) files.push(file);
              if (reply.kind === 'unreadable') unreadable.push(reply);
              if (reply.kind === 'failed') failure = reply.why;
            },
          },
        ),
      );
    } catch (thrown) {
      failure = unseenFrom(thrown);
    }
    if (failure !== undefined) return { seen: false, ...stamp, why: failure };
    const once = [...new Map(unreadable.map(({ path, why }) => [path, { path, why }])).values()];
    return { seen: true, ...stamp, value: { files, unreadable: once } };
  }

  async read(
    paths: readonly string[],
    { maxBytesEach, signal }: { readonly maxBytesEach: number; readonly signal: AbortSignal },
  ): Promise<readonly ReadResult[]> {
    if (paths.length === 0) return [];
    const results: ReadResult[] = [];
    await this.#inTurn(() =>
      this.#desk.run(
        { kind: 'read', root: this.#root, paths, maxBytesEach },
        {
          deadlineMs: readingDeadlineMs(limits.manifestsBytes),
          signal: this.#stopsWith(signal),
          onReply: (reply) => {
            if (reply.kind === 'read') results.push(reply.result);
          },
        },
      ),
    );
    return results;
  }

  async hash(files: readonly FileView[], options: HashOptions): Promise<void> {
    const signal = this.#stopsWith(options.signal);
    const queue = files.values();
    const lane = async (): Promise<void> => {
      const desk = new HereDesk(options.idle, this.#stuck);
      try {
        for (const file of queue) options.onOutcome(file, await this.#hashOne(desk, file, signal, options));
      } finally {
        await desk.end();
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: Math.min(options.cores, files.length) }, lane));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled([this.#queue, this.#desk.end()]);
  }

  async #hashOne(
    desk: HereDesk,
    file: FileView,
    signal: AbortSignal,
    { onProgress }: HashOptions,
  ): Promise<ReadingOutcome> {
    let outcome: { sha256: string } | { why: Unseen } | undefined;
    try {
      await desk.run(
        { kind: 'hash', root: this.#root, file },
        {
          deadlineMs: readingDeadlineMs(file.sizeBytes),
          signal,
          onReply: (reply) => {
            if (reply.kind === 'progress') onProgress?.(reply.bytes);
            if (reply.kind === 'digest' || reply.kind === 'no-digest') outcome = reply;
          },
        },
      );
    } catch (thrown) {
      // One file that hangs is that file's trouble; a stop is ours.
      if (!(thrown instanceof WatchdogError) || thrown.code !== 'net/timeout') throw thrown;
      outcome = { why: unseenFrom(thrown) };
    }
    if (outcome === undefined) throw new Error('the worker ended without an outcome');
    const readAtMs = this.#nowMs();
    if ('why' in outcome) return { kind: 'unreadable', readAtMs, why: outcome.why };
    return { kind: 'digest', sha256: outcome.sha256, readAtMs, tool: 'here' };
  }

  #stopsWith(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    await turn;
  }
}
