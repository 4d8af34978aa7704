/**
 * ntfy's HTTP protocol, thin: publish, clear, poll, account, health. One call is one request; it never retries and
 * never follows a redirect.
 */

import { Agent, request } from 'undici';
import { z } from 'zod';
import { limits } from '../support/limits.ts';
import { WatchdogError } from '../support/errors.ts';
import { notUnderstood, refusal, transportFailure } from './ntfy-errors.ts';

/** Where a server is and who we are to it. */
export interface NtfyOptions {
  /** `https://ntfy.example.net`, without a path: ntfy itself cannot live below one. */
  readonly url: string;
  /** An access token, `tk_` and 29 characters. Without one we are anonymous. */
  readonly token?: string | undefined;
  /** PEM of the authority to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** From request to last byte, ms; default `limits.httpMs`. */
  readonly deadlineMs?: number | undefined;
}

/** What to publish. Texts are Unicode; ntfy trims white space at both ends. */
export interface NtfyPublication {
  readonly topic: string;
  readonly title?: string | undefined;
  /** Below 4,096 bytes of UTF-8, or the server turns it into an attachment. */
  readonly body: string;
  /** 1 (silent) to 5 (rings through). */
  readonly priority?: number | undefined;
  /** No commas inside: the server splits at them. */
  readonly tags?: readonly string[] | undefined;
  /**
   * `[-_A-Za-z0-9]{1,64}`: a later message with the same one replaces this one on the phone. Ignored before ntfy 2.16.
   */
  readonly sequenceId?: string | undefined;
}

/** One line of a topic: a message, or the news that one was cleared or deleted. */
export interface NtfyMessage {
  readonly id: string;
  readonly event: 'message' | 'message_clear' | 'message_delete';
  readonly topic: string;
  /** When it is or will be delivered; ntfy counts in whole seconds. */
  readonly atMs: number;
  /** Until when the server keeps it; null when it keeps it not at all. */
  readonly expiresAtMs: number | null;
}

/** What a poll brought. */
export interface NtfyPoll {
  readonly messages: readonly NtfyMessage[];
  /** The server left some out (2.28 caps a replay at 10 MB a topic and says so in a header). */
  readonly isTruncated: boolean;
}

/**
 * A connection to one server under one token. Every method throws {@link WatchdogError}; `permanent` says that a retry
 * cannot help.
 */
export interface NtfyClient {
  /** Origin of the server. */
  readonly address: string;
  /**
   * Publishes and returns what the server says it took: accepted, which is not delivered. Safe to retry with the same
   * sequence id.
   */
  publish(publication: NtfyPublication, signal?: AbortSignal): Promise<NtfyMessage>;
  /**
   * Takes a sequence's notification off the phones. `http/not-found` when the server is older than 2.16. Needs write
   * permission.
   */
  clear(topic: string, sequenceId: string, signal?: AbortSignal): Promise<NtfyMessage>;
  /**
   * Reads what the server keeps, oldest first, scheduled messages left out. Needs read permission.
   *
   * @param sinceMs by time and never by id, because a scheduled message that fires late is missed by `since=<id>`.
   */
  poll(topic: string, sinceMs: number, signal?: AbortSignal): Promise<NtfyPoll>;
  /** Asks whether we may read a topic, without reading it. */
  canRead(topic: string, signal?: AbortSignal): Promise<void>;
  /** Asks whether the server knows our token; `http/unauthorized` for a bad one. */
  checkToken(signal?: AbortSignal): Promise<void>;
  /** Asks whether the server runs, as nobody: it tells nothing of disk or database. */
  health(signal?: AbortSignal): Promise<void>;
  /** Breaks off what is under way. */
  close(): Promise<void>;
}

const wireMessage = z.object({
  id: z.string().min(1),
  event: z.string(),
  topic: z.string(),
  time: z.number(),
  expires: z.number().optional(),
});
const wireAccount = z.object({ username: z.string() });
const wireHealth = z.object({ healthy: z.literal(true) });
const wireSuccess = z.object({ success: z.literal(true) });

/** Opens a client. Nothing is sent before the first call. */
export function openNtfy(options: NtfyOptions): NtfyClient {
  const address = new URL(options.url).origin;
  // Messages are minutes apart: a connection kept alive would be found dead by the one request that matters.
  const agent = new Agent({
    pipelining: 0,
    connect: { timeout: limits.connectMs, ...(options.ca === undefined ? {} : { ca: options.ca }) },
  });
  const send = (
    call: Omit<Call, 'address' | 'agent' | 'deadlineMs' | 'token'>,
    token = options.token,
  ): Promise<Answer> => exchange({ ...call, address, agent, token, deadlineMs: options.deadlineMs ?? limits.httpMs });

  return {
    address,
    async publish(publication, signal) {
      const path = `/${encodeURIComponent(publication.topic)}?${publicationQuery(publication)}`;
      const answer = await send({ method: 'POST', path, body: publication.body, signal });
      return acceptance(answer, 'message', publication.topic);
    },
    async clear(topic, sequenceId, signal) {
      const path = `/${encodeURIComponent(topic)}/${encodeURIComponent(sequenceId)}/clear`;
      return acceptance(await send({ method: 'PUT', path, signal }), 'message_clear', topic);
    },
    async poll(topic, sinceMs, signal) {
      const path = `/${encodeURIComponent(topic)}/json?poll=1&since=${Math.floor(sinceMs / 1_000)}`;
      const answer = await send({ method: 'GET', path, signal });
      const lines = answer.text.split('\n').filter((line) => line !== '');
      const messages = lines.map((line) => readMessage(answer, line)).filter((message) => message !== undefined);
      return { messages, isTruncated: answer.isTruncated };
    },
    async canRead(topic, signal) {
      parse(wireSuccess, await send({ method: 'GET', path: `/${encodeURIComponent(topic)}/auth`, signal }));
    },
    async checkToken(signal) {
      parse(wireAccount, await send({ method: 'GET', path: '/v1/account', signal }));
    },
    async health(signal) {
      // A bad token makes even this answer 401, so it goes without one and tells the server from the token.
      parse(wireHealth, await send({ method: 'GET', path: '/v1/health', signal }, ''));
    },
    close: () => agent.destroy(),
  };
}

/**
 * Title and the rest go into the query: headers cannot carry emoji, and JSON escapes may double a body past the
 * server's limit.
 */
function publicationQuery(publication: NtfyPublication): string {
  const query = new URLSearchParams();
  if (publication.title !== undefined) query.set('title', publication.title);
  if (publication.priority !== undefined) query.set('priority', String(publication.priority));
  if (publication.tags !== undefined && publication.tags.length > 0) query.set('tags', publication.tags.join(','));
  if (publication.sequenceId !== undefined) query.set('sequence-id', publication.sequenceId);
  return query.toString();
}

interface Call {
  readonly address: string;
  readonly agent: Agent;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly token: string | undefined;
  readonly body?: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Answer {
  /** `POST https://…/topic`: what was asked, without the query, for messages. */
  readonly asked: string;
  readonly text: string;
  readonly isTruncated: boolean;
}

async function exchange(call: Call): Promise<Answer> {
  const asked = `${call.method} ${call.address}${call.path.split('?', 1)[0]}`;
  const deadline = AbortSignal.timeout(call.deadlineMs);
  try {
    const response = await request(`${call.address}${call.path}`, {
      method: call.method,
      dispatcher: call.agent,
      headers: {
        // Spelled exactly: ntfy reads a lower-case `bearer` as Basic and answers 401.
        ...(call.token === undefined || call.token === '' ? {} : { authorization: `Bearer ${call.token}` }),
        ...(call.body === undefined ? {} : { 'content-type': 'text/plain; charset=utf-8' }),
      },
      ...(call.body === undefined ? {} : { body: call.body }),
      signal: call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]),
    });
    const text = await readText(response.body, asked);
    if (response.statusCode !== 200) throw refusal(asked, response.statusCode, text);
    return { asked, text, isTruncated: response.headers['x-messages-truncated'] === '1' };
  } catch (error) {
    if (error instanceof WatchdogError) throw error;
    throw transportFailure(asked, error, { isAborted: call.signal?.aborted === true, deadlineMs: call.deadlineMs });
  }
}

async function readText(body: AsyncIterable<Uint8Array>, asked: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    // Leaving the loop destroys the body and with it the connection.
    if (sizeBytes > limits.httpBodyBytes) {
      throw new WatchdogError('output/too-large', `${asked} answered with more than ${limits.httpBodyBytes} bytes`, {
        hint: 'Check that the address is ntfy and nothing else.',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A 200 alone is no acceptance: a captive portal gives it too. The body must be the message, on our topic. */
function acceptance(answer: Answer, event: NtfyMessage['event'], topic: string): NtfyMessage {
  const message = readMessage(answer, answer.text);
  if (message?.event === event && message.topic === topic) return message;
  throw notUnderstood(answer.asked, 200, answer.text);
}

/** @returns undefined for events of later versions and for `open` and `keepalive`, which carry no news. */
function readMessage(answer: Answer, text: string): NtfyMessage | undefined {
  const wire = parse(wireMessage, { ...answer, text });
  const { event } = wire;
  if (event !== 'message' && event !== 'message_clear' && event !== 'message_delete') return undefined;
  const isKept = wire.expires !== undefined && wire.expires > wire.time;
  return {
    id: wire.id,
    event,
    topic: wire.topic,
    atMs: wire.time * 1_000,
    expiresAtMs: isKept ? Number(wire.expires) * 1_000 : null,
  };
}

function parse<T>(schema: z.ZodType<T>, answer: Answer): T {
  let value: unknown;
  try {
    value = JSON.parse(answer.text);
  } catch {
    throw notUnderstood(answer.asked, 200, answer.text);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw notUnderstood(answer.asked, 200, answer.text);
}
