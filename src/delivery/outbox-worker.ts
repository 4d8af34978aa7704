/**
 * The outbox of one receiver: its messages one after the other, each until it is accepted or set aside. Waits as long
 * as it takes, and never sends again what it knows to be accepted.
 */

import { setTimeout } from 'node:timers/promises';
import pRetry, { type Options } from 'p-retry';
import type { Message } from '../core/model/alert.ts';
import type { Clock } from '../support/clock.ts';
import { DeliveryState } from './delivery-state.ts';
import { FailedAttempt } from './failed-attempt.ts';
import type { MessageReceiver, OutboxLog, OutboxQueue, OutboxRetry } from './outbox.ts';
import { sendOnce } from './send-once.ts';

/** What a worker is made from. */
export interface WorkerOptions {
  readonly name: string;
  readonly receiver: MessageReceiver;
  readonly queue: OutboxQueue;
  readonly clock: Clock;
  readonly log: OutboxLog;
  readonly retry: OutboxRetry;
}

/** One receiver's worker; it runs from its making until `close()` or the end of `drain()`. */
export class OutboxWorker {
  readonly #options: WorkerOptions;
  readonly #state: DeliveryState;
  readonly #endless: Options;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  /** Ends the present wait or backoff, never a try under way. */
  #interrupt = new AbortController();
  #isIdle = false;
  #isDraining = false;
  /**
   * On the monotonic clock; the first look at what was set aside comes at once, since a restart may follow a repair.
   */
  #nextSetAsideMs = Number.NEGATIVE_INFINITY;

  constructor(options: WorkerOptions) {
    const { minMs: minTimeout, maxMs: maxTimeout } = options.retry;
    this.#options = options;
    this.#state = new DeliveryState(options.name, options.log);
    this.#endless = { retries: Number.POSITIVE_INFINITY, factor: 2, minTimeout, maxTimeout, randomize: true };
    this.#done = this.#run();
  }

  /** Looks for new messages when it has none. */
  wake(): void {
    if (this.#isIdle) this.#interrupt.abort();
  }

  /** Tries at once what waits; resolves when nothing is pending any more, or when closed. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#interrupt.abort();
    await this.#done;
  }

  /** Stops, giving up a try under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#interrupt.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    // The maker gets hold of the worker before the first try.
    await Promise.resolve();
    while (!this.#closing.signal.aborted) {
      this.#interrupt = new AbortController();
      try {
        await this.#trySetAside();
        const head = this.#head();
        if (head === undefined && this.#isDraining) return;
        await (head === undefined ? this.#idle() : this.#deliver(head));
      } catch (error) {
        // The queue cannot be read: nothing to do but look again.
        this.#state.isQueueFailing(error);
        await pause(this.#options.retry.maxMs, this.#interrupt.signal);
      }
    }
  }

  #head(): Message | undefined {
    // One at a time, since the queue may change while a message is on its way.
    const [head] = this.#options.queue.pending(this.#options.name, 1);
    this.#state.isQueueReadable();
    return head;
  }

  async #idle(): Promise<void> {
    this.#isIdle = true;
    await pause(this.#nextSetAsideMs - this.#options.clock.monotonicMs(), this.#interrupt.signal);
    this.#isIdle = false;
  }

  /** Tries the head until it is accepted, set aside, or interrupted. */
  async #deliver(message: Message): Promise<void> {
    const { signal } = this.#interrupt;
    try {
      await pRetry(() => this.#attempt(message, 'pending'), {
        ...this.#endless,
        signal,
        shouldRetry: ({ error }) => error instanceof FailedAttempt && error.kind === 'transient',
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof FailedAttempt && error.kind === 'credentials') {
        await pause(this.#options.retry.heldMs, signal);
      }
    }
  }

  /** Now and then gives each message set aside another try, until a failure is not about the message. */
  async #trySetAside(): Promise<void> {
    const { queue, name, clock, retry } = this.#options;
    if (this.#isDraining || clock.monotonicMs() < this.#nextSetAsideMs) return;
    this.#nextSetAsideMs = clock.monotonicMs() + retry.setAsideMs;
    for (const message of queue.setAside(name)) {
      if (this.#interrupt.signal.aborted) return;
      try {
        await this.#attempt(message, 'set-aside');
      } catch (error) {
        if (!(error instanceof FailedAttempt) || error.kind !== 'message') return;
      }
    }
  }

  /**
   * Sends once and records how it went.
   *
   * @throws FailedAttempt when the message was not accepted.
   */
  async #attempt(message: Message, from: 'pending' | 'set-aside'): Promise<void> {
    const { receiver, queue, clock, retry } = this.#options;
    const closing = this.#closing.signal;
    try {
      const acceptedId = await sendOnce(receiver, message, { deadlineMs: retry.sendMs, signal: closing });
      await this.#record(() => queue.recordAccepted(message.id, { atMs: clock.nowMs(), acceptedId }));
      this.#state.isDelivering();
    } catch (error) {
      const failed = new FailedAttempt(error);
      if (!closing.aborted) await this.#recordFailure(message, failed, from);
      throw failed;
    }
  }

  async #recordFailure(message: Message, failed: FailedAttempt, from: 'pending' | 'set-aside'): Promise<void> {
    const { name, queue, clock, log } = this.#options;
    const { kind, code, message: error } = failed;
    const failure = { atMs: clock.nowMs(), code, message: error, isPermanent: kind === 'message' };
    if (kind === 'message') {
      // Without this on record the message would stay the head and be sent again at once.
      await this.#record(() => queue.recordFailure(message.id, failure));
      this.#state.isDelivering();
      if (from === 'pending') log.warn({ event: 'outbox.set-aside', receiver: name, message: message.id, code, error });
      return;
    }
    this.#state.isFailing(kind === 'credentials' ? 'outbox.refused' : 'outbox.failing', code, failed);
    try {
      queue.recordFailure(message.id, failure);
    } catch {
      // A count of tries is not worth holding up the message; a queue that fails is told of when it is read.
    }
  }

  /**
   * Records what must not be forgotten, for as long as it takes. A message that was accepted but is not on record as
   * such would be sent again, so that the next one waits while the disk is full (G3).
   */
  async #record(work: () => void): Promise<void> {
    await pRetry(work, {
      ...this.#endless,
      signal: this.#closing.signal,
      onFailedAttempt: ({ error }) => this.#state.isQueueFailing(error),
    });
  }
}

/** Waits, at most until the signal fires. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}
