/**
 * The outbox loop: brings every committed message to its receiver, at least once and in order (G3). Made from a queue
 * and receivers. It never drops a message and never holds up a pass.
 */

import type { Message } from '../core/model/alert.ts';
import type { Clock } from '../support/clock.ts';
import { limits } from '../support/limits.ts';
import { OutboxWorker } from './outbox-worker.ts';

/** Where committed messages wait. Each call is one short transaction and may throw when the database cannot be used. */
export interface OutboxQueue {
  /** The first unsettled messages of a receiver, in order, without those set aside. */
  pending(receiver: string, count: number): readonly Message[];
  /** Messages that their receiver refused for what they are, in the order in which to try them again. */
  setAside(receiver: string): readonly Message[];
  /** Names of all receivers with unsettled messages. */
  receivers(): readonly string[];
  /** Settles a message. `atMs` is epoch ms. */
  recordAccepted(id: string, acceptance: { readonly atMs: number; readonly acceptedId: string }): void;
  /** Counts a failed try; `isPermanent` sets the message aside. */
  recordFailure(
    id: string,
    failure: { readonly atMs: number; readonly code: string; readonly message: string; readonly isPermanent: boolean },
  ): void;
}

/** Somebody who takes messages. */
export interface MessageReceiver {
  /**
   * Hands one message over.
   *
   * @returns the id that the receiver gave it, once it has accepted the message.
   * @throws WatchdogError with a code of `http/` or `net/`; `permanent` when this message will never be accepted as it
   *   is.
   */
  send(message: Message, signal: AbortSignal): Promise<{ readonly acceptedId: string }>;
}

/** The part of a pino logger that is used. */
export interface OutboxLog {
  info(line: OutboxLine): void;
  warn(line: OutboxLine): void;
}

/** A line of the log: the name of an event such as `outbox.failing`, and its fields. */
export interface OutboxLine {
  readonly event: string;
  readonly receiver: string;
  readonly [field: string]: string;
}

/** How long to wait after which failure, ms. */
export interface OutboxRetry {
  /** After the first transient failure; it doubles, with jitter, up to `maxMs`. Default 1 s. */
  readonly minMs: number;
  /** Default 60 s. */
  readonly maxMs: number;
  /** Between tries while the receiver refuses us (401, 403): an operator may mend it. Default 60 s. */
  readonly heldMs: number;
  /** Between tries of messages set aside. Default 5 minutes. */
  readonly setAsideMs: number;
  /** Deadline of one try. Default: what a publication and all that follows it may take. */
  readonly sendMs: number;
}

/** What the loop is made from. */
export interface OutboxOptions {
  readonly queue: OutboxQueue;
  /**
   * By name, as in {@link Message.receiver}. Messages for others stay in the queue and are told of in the log, once a
   * name.
   */
  readonly receivers: ReadonlyMap<string, MessageReceiver>;
  readonly clock: Clock;
  readonly log: OutboxLog;
  readonly retry?: Partial<OutboxRetry>;
}

/** A running loop. */
export interface Outbox extends AsyncDisposable {
  /** Says that messages were committed. It shortens no wait after a failure. */
  wake(): void;

  /**
   * Tries at once what is pending, goes on until nothing is or the time is over, and stops for good.
   *
   * @param deadlineMs ms from now; a try under way then is given up, and may be repeated after a restart.
   */
  drain(deadlineMs: number): Promise<void>;

  /** Stops now; a try under way is given up. Resolves when nothing runs any more. Closing twice is harmless. */
  close(): Promise<void>;
}

const defaultRetry: OutboxRetry = {
  minMs: 1_000,
  maxMs: 60_000,
  heldMs: 60_000,
  setAsideMs: 300_000,
  sendMs: limits.httpMs + 2 * limits.afterAcceptanceMs,
};

/**
 * Starts the loop: one worker a receiver, so that none waits for another. It starts with what an earlier process left.
 */
export function startOutbox(options: OutboxOptions): Outbox {
  const { queue, receivers, clock, log } = options;
  const retry = { ...defaultRetry, ...options.retry };
  const workers = [...receivers].map(
    ([name, receiver]) => new OutboxWorker({ name, receiver, queue, clock, log, retry }),
  );
  const strangers = new Set<string>();

  const tellStrangers = (): void => {
    for (const receiver of namesIn(queue)) {
      if (receivers.has(receiver) || strangers.has(receiver)) continue;
      strangers.add(receiver);
      log.warn({ event: 'outbox.receiver-unknown', receiver });
    }
  };
  const close = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.close()));
  };

  tellStrangers();
  return {
    wake: () => {
      tellStrangers();
      for (const worker of workers) worker.wake();
    },
    drain: async (deadlineMs) => {
      const timer = setTimeout(() => void close(), deadlineMs);
      await Promise.all(workers.map((worker) => worker.drain()));
      clearTimeout(timer);
      await close();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A queue that cannot be read is told of by the workers, who go on trying. */
function namesIn(queue: OutboxQueue): readonly string[] {
  try {
    return queue.receivers();
  } catch {
    return [];
  }
}
