/** Hands jobs to worker threads, so that a slow or hanging disk never holds up the main thread. Made anew for each place. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { WatchdogError } from '../support/errors.ts';
import { formatDuration } from '../support/units.ts';
import type { HereJob, HereReply } from './here-jobs.ts';

/** How one job may run. */
export interface JobOptions {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Receives all but the end of the answer: `done` returns, `failed` is thrown to the caller by this function. */
  readonly onReply: (reply: HereReply) => void;
}

/** A thread that was given up, maybe inside a call to the kernel that does not return, as on a mount whose server is gone. */
export interface StuckThread {
  /** Settles when it has ended; null when there is none. */
  end: Promise<unknown> | null;
}

/** How long a thread may take to end before it counts as hanging, ms. */
const endingMs = 1_000;

/** One worker thread, from its first job until it is ended. */
export class HereDesk {
  readonly #isIdle: boolean;
  readonly #stuck: StuckThread;
  #worker: Worker | undefined;

  /**
   * @param isIdle lowest priority, for the life of the thread: nobody but root may raise it again.
   * @param stuck shared by all desks of a directory: while one of them hangs there, no other thread is sent after it.
   */
  constructor(isIdle: boolean, stuck: StuckThread) {
    this.#isIdle = isIdle;
    this.#stuck = stuck;
  }

  /**
   * Runs one job; a second one may begin when it has ended.
   *
   * @throws WatchdogError `net/timeout` or `aborted`, the thread being ended then, in the middle of whatever it does.
   */
  async run(job: HereJob, options: JobOptions): Promise<void> {
    if (options.signal.aborted) throw stoppedByUs(job);
    await this.#waitForStuck(job);
    const worker = (this.#worker ??= startWorker(this.#isIdle));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onMessage = (reply: HereReply): void => {
      if (reply.kind === 'done') resolve();
      else options.onReply(reply);
      if (reply.kind === 'failed') resolve();
    };
    const onExit = (): void => reject(new Error(`the worker thread ended during ${job.kind}`));
    const onAbort = (): void => reject(stoppedByUs(job));
    const timer = setTimeout(() => reject(tooSlow(job, options.deadlineMs)), options.deadlineMs);
    worker.on('message', onMessage).on('error', reject).on('exit', onExit);
    options.signal.addEventListener('abort', onAbort, { once: true });
    worker.ref();
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
      worker.postMessage(job);
      await promise;
      // Between jobs it must not keep the process alive.
      worker.unref();
    } catch (thrown) {
      // Not waited for: a thread inside a hanging read ends only when the read does.
      const end = this.end();
      this.#stuck.end = end;
      void end.finally(() => {
        if (this.#stuck.end === end) this.#stuck.end = null;
      });
      throw thrown;
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', reject).off('exit', onExit);
    }
  }

  async #waitForStuck(job: HereJob): Promise<void> {
    if (this.#stuck.end === null) return;
    await Promise.race([this.#stuck.end, sleep(endingMs, undefined, { ref: false })]);
    if (this.#stuck.end !== null) throw stillStuck(job);
  }

  /** Ends the thread; a later job starts another. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

/** Sources run as `.ts`, the package as `.js`. */
function startWorker(isIdle: boolean): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./here-worker.${extension}`, import.meta.url), { workerData: { isIdle } });
}

function stoppedByUs(job: HereJob): WatchdogError {
  return new WatchdogError('aborted', `${verbs[job.kind]} in ${job.root} was stopped by us`);
}

function tooSlow(job: HereJob, deadlineMs: number): WatchdogError {
  const span = formatDuration(deadlineMs);
  return new WatchdogError('net/timeout', `${verbs[job.kind]} in ${job.root} did not end within ${span}`, {
    hint: 'look at the disk or network mount below that path',
  });
}

function stillStuck(job: HereJob): WatchdogError {
  return new WatchdogError(
    'net/timeout',
    `${verbs[job.kind]} in ${job.root} waits for an earlier call that still hangs`,
    {
      hint: 'look at the disk or network mount below that path',
    },
  );
}

const verbs = { list: 'listing', read: 'reading', hash: 'hashing' } as const;
