/** How deliveries to one receiver go, told in the log once a change and never once a try. */

import { describeError } from '../support/errors.ts';
import type { OutboxLog } from './outbox.ts';

/** The state of one receiver's deliveries; at first they are held to go well. */
export class DeliveryState {
  readonly #receiver: string;
  readonly #log: OutboxLog;
  #state = 'delivering';

  constructor(receiver: string, log: OutboxLog) {
    this.#receiver = receiver;
    this.#log = log;
  }

  /** The receiver answers, and takes what is fit to take. */
  isDelivering(): void {
    if (this.#state === 'delivering') return;
    this.#state = 'delivering';
    this.#log.info({ event: 'outbox.delivering', receiver: this.#receiver });
  }

  /**
   * Deliveries fail.
   *
   * @param code why, stable for code; another code is another state.
   */
  isFailing(event: 'outbox.failing' | 'outbox.refused', code: string, error: unknown): void {
    this.#change(code, event, error);
  }

  /** The queue cannot be read or written. */
  isQueueFailing(error: unknown): void {
    this.#change('queue', 'outbox.queue-failing', error);
  }

  /** The queue can be read; whether the receiver answers is not known by that, but nothing else is wrong now. */
  isQueueReadable(): void {
    if (this.#state === 'queue') this.isDelivering();
  }

  #change(state: string, event: string, error: unknown): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#log.warn({ event, receiver: this.#receiver, state, error: describeError(error) });
  }
}
