/**
 * ntfy's HTTP protocol, thin: publish, clear, poll, account, health. One call is one request; it never retries and
 * never follows a redirect.
 */

import { z } from 'zod';
import { limits } from '../support/limits.ts';
import { type HttpAnswer, type HttpRequest, openHttp } from './http.ts';
import { notUnderstood, readJson } from './http-json.ts';
import { refusal } from './ntfy-errors.ts';

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

/**
 * Opens a client. Nothing is sent before the first call.
 *
 * @throws WatchdogError `config/invalid` for a URL, token or CA that can never work; a retry cannot help.
 */
export function openNtfy(options: NtfyOptions): NtfyClient {
  const { url, token, ca, deadlineMs = limits.httpMs } = options;
  const http = openHttp({
    service: 'ntfy',
    url,
    exampleUrl: 'https://ntfy.example.net',
    credentialKey: 'token',
    credential: token,
    ca,
  });
  // Spelled exactly: ntfy reads a lower-case `bearer` as Basic and answers 401.
  const ours = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const send = async (request: Omit<HttpRequest, 'deadlineMs' | 'headers'>, login = ours): Promise<HttpAnswer> => {
    const type = request.body === undefined ? {} : { 'content-type': 'text/plain; charset=utf-8' };
    const answer = await http.send({ ...request, headers: { ...login, ...type }, deadlineMs });
    if (answer.status !== 200) throw refusal(answer);
    return answer;
  };

  return {
    address: http.origin,
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
      return { messages, isTruncated: answer.headers['x-messages-truncated'] === '1' };
    },
    async canRead(topic, signal) {
      readJson(await send({ method: 'GET', path: `/${encodeURIComponent(topic)}/auth`, signal }), wireSuccess);
    },
    async checkToken(signal) {
      readJson(await send({ method: 'GET', path: '/v1/account', signal }), wireAccount);
    },
    async health(signal) {
      // A bad token makes even this answer 401, so it goes without one and tells the server from the token.
      readJson(await send({ method: 'GET', path: '/v1/health', signal }, {}), wireHealth);
    },
    close: () => http.close(),
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

/** A 200 alone is no acceptance: a captive portal gives it too. The body must be the message, on our topic. */
function acceptance(answer: HttpAnswer, event: NtfyMessage['event'], topic: string): NtfyMessage {
  const message = readMessage(answer, answer.text);
  if (message?.event === event && message.topic === topic) return message;
  throw notUnderstood(answer, 'no acceptance of what was sent');
}

/** @returns undefined for events of later versions and for `open` and `keepalive`, which carry no news. */
function readMessage(answer: HttpAnswer, text: string): NtfyMessage | undefined {
  const wire = readJson(answer, wireMessage, text);
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
