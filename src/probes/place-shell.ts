/** A directory on another host, over a shell. Made from a shell that somebody else opened and closes; it writes nothing there. */

import type { Shell } from '../clients/shell.ts';
import type { Evidence, FileView, ListingView } from '../core/model/evidence.ts';
import { systemClock } from '../support/clock.ts';
import { WatchdogError, unseenFrom } from '../support/errors.ts';
import { encodePath } from './address.ts';
import type { HashOptions, Place, ReadResult } from './place.ts';
import type { RecordForm } from './records.ts';
import { hashOverShell } from './shell-hashing.ts';
import { listOverShell } from './shell-listing.ts';
import { readOverShell } from './shell-reading.ts';
import { findTools, type HostTools } from './shell-tools.ts';

/**
 * Opens a directory over a shell. Nothing is sent before the first question.
 *
 * @param root absolute; may itself be a symlink.
 * @param options.nowMs epoch ms, the time that evidence bears.
 */
export function openPlaceOverShell(
  shell: Shell,
  root: string,
  { nowMs = (): number => systemClock.nowMs() }: { readonly nowMs?: () => number } = {},
): Place {
  if (!root.startsWith('/')) throw new Error(`a place over a shell needs an absolute path, not ${root}`);
  return new PlaceOverShell(shell, root, nowMs);
}

class PlaceOverShell implements Place {
  readonly address: string;
  readonly #shell: Shell;
  readonly #root: string;
  readonly #nowMs: () => number;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  /** As the last listing told it: a host that could list need not be asked for its tools before it reads. */
  #form: RecordForm | undefined;
  #tools: HostTools | undefined;

  constructor(shell: Shell, root: string, nowMs: () => number) {
    this.#shell = shell;
    this.#root = root;
    this.#nowMs = nowMs;
    this.address = `${shell.address}${encodePath(root)}`;
  }

  async list(signal: AbortSignal): Promise<Evidence<ListingView>> {
    const stamp = { address: this.address, observedAtMs: this.#nowMs() };
    try {
      const { form, listing } = await this.#run(signal, (inner) => listOverShell(this.#shell, this.#root, inner));
      this.#form = form;
      return { seen: true, ...stamp, value: listing };
    } catch (thrown) {
      return { seen: false, ...stamp, why: unseenFrom(thrown) };
    }
  }

  async read(
    paths: readonly string[],
    { maxBytesEach, signal }: { readonly maxBytesEach: number; readonly signal: AbortSignal },
  ): Promise<readonly ReadResult[]> {
    if (paths.length === 0) return [];
    return await this.#run(signal, async (inner) => {
      const form = this.#form ?? (await this.#findTools(inner)).form;
      const reading = { shell: this.#shell, root: this.#root, form, maxBytesEach, signal: inner };
      return await readOverShell(paths, reading);
    });
  }

  async hash(files: readonly FileView[], options: HashOptions): Promise<void> {
    if (files.length === 0) return;
    await this.#run(options.signal, async (inner) => {
      const tools = await this.#findTools(inner);
      const place = { shell: this.#shell, root: this.#root, tools, nowMs: this.#nowMs };
      await hashOverShell(files, { ...options, signal: inner, ...place });
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
  }

  /** Asked once: the tools of a host do not change while a connection lasts. */
  async #findTools(signal: AbortSignal): Promise<HostTools> {
    this.#tools ??= await findTools(this.#shell, signal);
    return this.#tools;
  }

  async #run<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const inner = AbortSignal.any([signal, this.#closing.signal]);
    if (inner.aborted) throw new WatchdogError('aborted', `looking at ${this.address} was stopped by us`);
    const running = work(inner);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}
