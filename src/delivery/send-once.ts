/** One try at handing a message over, with a deadline that holds even for a receiver that ignores its signal. */

import type { Message } from '../core/model/alert.ts';
import { WatchdogError } from '../support/errors.ts';
import type { MessageReceiver } from './outbox.ts';

/** Bounds of a try. */
export interface SendOptions {
  /** Ms from now. */
  readonly deadlineMs: number;
  /** Gives the try up. */
  readonly signal: AbortSignal;
}

/**
 * Sends once.
 *
 * @returns the id that the receiver gave the message.
 * @throws WatchdogError `net/timeout` after the deadline, `aborted` when the signal fired (the message may have arrived
 *   in both cases), or whatever the receiver threw.
 */
export async function sendOnce(receiver: MessageReceiver, message: Message, options: SendOptions): Promise<string> {
  const { deadlineMs, signal } = options;
  const trying = new AbortController();
  const giveUp = (): void => trying.abort(new WatchdogError('aborted', `sending to ${message.receiver} was given up`));
  const timer = setTimeout(() => {
    const seconds = deadlineMs / 1_000;
    trying.abort(new WatchdogError('net/timeout', `${message.receiver} did not accept a message within ${seconds} s`));
  }, deadlineMs);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    const { acceptedId } = await Promise.race([receiver.send(message, trying.signal), rejection(trying.signal)]);
    return acceptedId;
  } catch (error) {
    // What a receiver throws because it was aborted says less than why it was.
    throw trying.signal.aborted ? trying.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
