/**
 * The ntfy receiver: makes publications of messages and says whether the server would take them. It never retries; the
 * outbox does.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { openNtfy } from '../clients/ntfy.ts';
import type { NtfyClient, NtfyMessage } from '../clients/ntfy.ts';
import type { Message } from '../core/model/alert.ts';
import type { Evidence } from '../core/model/evidence.ts';
import { systemClock } from '../support/clock.ts';
import type { Clock } from '../support/clock.ts';
import { unseenFrom, WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { origin } from '../support/origin.ts';
import { expected, path } from '../support/schemas.ts';
import { publicationOf } from './ntfy-publication.ts';

/** What opening a receiver needs; secrets and files already read. */
export interface NtfyReceiverOptions {
  /** The receiver's name in the configuration. */
  readonly name: string;
  /** The server's origin. */
  readonly url: string;
  readonly topic: string;
  /** May write to the topic; without one we publish as nobody. */
  readonly token?: string | undefined;
  /** May read the topic; with one, every message is read back. */
  readonly readToken?: string | undefined;
  /** PEM of the authority to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** One HTTP exchange, ms; default `limits.httpMs`. */
  readonly deadlineMs?: number | undefined;
  /** Override of `limits.afterAcceptanceMs`. */
  readonly afterMs?: number | undefined;
  /** Dates what {@link NtfyReceiver.look} saw; default the machine's. */
  readonly clock?: Clock | undefined;
}

/** An open receiver. */
export interface NtfyReceiver {
  readonly name: string;
  /**
   * Publishes, and reads back where a read token allows it.
   *
   * @returns once the server has accepted the message: ntfy's id of it.
   * @throws WatchdogError unless it is accepted, or when it is accepted and then not there (`delivery/lost`). A retry
   *   keeps the message's sequence id, so that the phone shows one.
   */
  send(message: Message, signal: AbortSignal): Promise<{ readonly acceptedId: string }>;
  /**
   * Looks whether the server runs, knows the token, and lets the read token read, without publishing anything. What goes
   * wrong out there is `seen: false`, never thrown.
   */
  look(signal: AbortSignal): Promise<Evidence<Record<string, never>>>;
  /** Breaks off what is under way. */
  close(): Promise<void>;
}

/**
 * The YAML keys of an ntfy receiver.
 *
 * @param secret schema of a secret reference.
 */
export function ntfyShape<Secret extends z.ZodType>(secret: Secret) {
  const topic = z
    .string(expected('an ntfy topic'))
    .regex(/^[-_A-Za-z0-9]{1,64}$/, { error: 'expected 1 to 64 letters, digits, - or _' })
    .meta({ description: 'The topic that the phones subscribe to.' });
  return {
    ntfy: origin('https://ntfy.example.net', 'token').meta({ description: "The ntfy server's address." }),
    topic,
    token: secret
      .optional()
      .meta({ description: 'Access token of a user who may write to the topic and nothing else.' }),
    read_token: secret.optional().meta({ description: 'Access token of another user, to read messages back.' }),
    ca: path
      .optional()
      .meta({ description: 'PEM file of the authority that signed the server, instead of the system’s.' }),
  };
}

/** Opens a receiver. Nothing is sent before the first call. */
export function openNtfyReceiver(options: NtfyReceiverOptions): NtfyReceiver {
  const { name, url, topic, ca, deadlineMs } = options;
  const writer = openNtfy({ url, ca, deadlineMs, token: options.token });
  const reader = options.readToken === undefined ? null : openNtfy({ url, ca, deadlineMs, token: options.readToken });
  return {
    name,
    async send(message, signal) {
      const accepted = await writer.publish({ topic, ...publicationOf(message) }, signal);
      // What is accepted must not count as failed, and be sent again, because what follows takes too long.
      const soon = AbortSignal.any([signal, AbortSignal.timeout(options.afterMs ?? limits.afterAcceptanceMs)]);
      if (reader !== null) await readBack(reader, accepted, soon);
      if (message.clears !== null) await writer.clear(topic, message.clears, soon).catch(ignoreRefusedClear);
      return { acceptedId: accepted.id };
    },
    async look(signal) {
      const address = `${writer.address}/${topic}`;
      const clock = options.clock ?? systemClock;
      try {
        await writer.health(signal);
        if (options.token !== undefined) await writer.checkToken(signal);
        await reader?.canRead(topic, signal);
        return { seen: true, address, observedAtMs: clock.nowMs(), value: {} };
      } catch (error) {
        return { seen: false, address, observedAtMs: clock.nowMs(), why: unseenFrom(error) };
      }
    },
    async close() {
      await Promise.all([writer.close(), reader?.close()]);
    },
  };
}

/** The receiver kind: the key that names it in YAML, its keys, how it opens. */
export const ntfyReceiver = { kind: 'ntfy', shape: ntfyShape, open: openNtfyReceiver } as const;

/** Asks for the message a few times, because a server may write its cache in batches (`cache-batch-timeout`). */
async function readBack(reader: NtfyClient, accepted: NtfyMessage, signal: AbortSignal): Promise<void> {
  // A server that keeps nothing (`cache-duration: 0`) has nothing to show.
  if (accepted.expiresAtMs === null) return;
  for (let attempt = 1; ; attempt += 1) {
    const poll = await reader.poll(accepted.topic, accepted.atMs, signal).catch(() => null);
    // Not being able to look takes nothing from the acceptance; that the read token fails, `look` tells.
    if (poll === null || poll.isTruncated || poll.messages.some(({ id }) => id === accepted.id)) return;
    if (attempt === limits.readBackTries) break;
    await sleep(limits.readBackPauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
  throw new WatchdogError(
    'delivery/lost',
    `${reader.address}/${accepted.topic} accepted message ${accepted.id} and lost it`,
    {
      hint: "Look at ntfy's log and at the disk of its cache-file.",
    },
  );
}

/** Clearing is a courtesy to the phone: the message itself has been accepted, and servers before 2.16 cannot clear. */
function ignoreRefusedClear(): void {}
