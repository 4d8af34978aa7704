/**
 * One request to an HTTP service and its whole answer, over undici. Every failure on the way becomes a WatchdogError. It
 * never follows a redirect, never retries, never prints the credential.
 */

import { X509Certificate } from 'node:crypto';
import type { Agent } from 'undici';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { origin as originSchema } from '../support/origin.ts';
import { formatSize } from '../support/units.ts';
import { startDeadline } from './deadline.ts';
import { explainRedirect, explainThrown, type Exchange, quote } from './http-failures.ts';

/** Where to, and what to trust. */
export interface HttpOptions {
  /** What runs there, for messages: `Qdrant`. */
  readonly service: string;
  /** Scheme, host and port, without a path. */
  readonly url: string;
  /** What such a URL may look like, for messages. */
  readonly exampleUrl: string;
  /** The key of the configuration that the credential stands under, for messages. */
  readonly credentialKey: string;
  /** What requests carry in a header; it is taken out of whatever the other side says. */
  readonly credential: string | undefined;
  /** PEM; when given, only these authorities are trusted. */
  readonly ca: string | undefined;
  /** Default `limits.connectMs`. */
  readonly connectMs?: number | undefined;
}

/** One request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Sent as it stands, with no normalisation, so that a segment `..` stays one. Messages leave the query out. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** From now to the last byte of the answer, ms. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came back. */
export interface HttpAnswer extends Exchange {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** All of it where the status is 200, else its beginning: a refusal's first sentence is enough. */
  readonly text: string;
  /** A text from there as a message may carry it: one line, printable, short, without the credential. */
  quote(text: string): string;
}

/** Header fields by their names in lower case. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A pool of connections to one service. */
export interface HttpClient {
  readonly origin: string;
  /**
   * Asks once. An answer of any status but a redirect is a result.
   *
   * @throws WatchdogError `net/*`, `http/not-understood` (no HTTP, a redirect, a body cut off or not UTF-8),
   * `output/too-large`, `aborted`. A retry may help.
   */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Ends every connection at once; requests under way end as `aborted`. */
  close(): Promise<void>;
}

/** Bytes of a refusal that are read: enough for its first sentence, whatever a proxy wraps around it. */
const refusalBytes = 4_096;

/** How long an idle connection is kept, ms: within a pass, and shorter than any server (actix: 5 s) keeps it. */
const idleMs = 1_000;

/**
 * Opens a pool; nothing is sent before the first request.
 *
 * @throws WatchdogError `config/invalid`, permanent, for a URL, credential or CA that can never work.
 */
export function openHttp(options: HttpOptions): HttpClient {
  const { service, credential, ca } = options;
  const origin = requireOrigin(options);
  requireCredential(options, origin);
  requireCa(ca, origin);
  const settings: Agent.Options = {
    connect: { timeout: options.connectMs ?? limits.connectMs, ...(ca === undefined ? {} : { ca }) },
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs,
    // One deadline spans the whole exchange; undici's own two would each start anew.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  let opened: Promise<Agent> | null = null;
  // Loading undici takes longer than starting Node, so only who sends a request pays for it.
  const openAgent = async (): Promise<Agent> => new (await import('undici')).Agent(settings);

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    const { method, path, body, signal } = request;
    const what = `${method} ${quote(path.split('?', 1)[0] ?? '', credential)} on ${origin}`;
    const progress = { receivedBytes: null as number | null };
    using deadline = startDeadline(signal, request.deadlineMs);
    try {
      opened ??= openAgent();
      const response = await (
        await opened
      ).request({
        origin,
        path,
        method,
        // A compressed answer would have no length, and its limit would count the wrong bytes.
        headers: { 'accept-encoding': 'identity', ...request.headers },
        body: body ?? null,
        signal: deadline.signal,
      });
      progress.receivedBytes = 0;
      const { statusCode: status, headers } = response;
      const text =
        status === 200
          ? await readAll({ what, service }, response.body, Number(headers['content-length'] ?? 0), progress)
          : await readBeginning(response.body);
      const answer = { what, service, status, headers, text, quote: (told: string) => quote(told, credential) };
      if (status >= 300 && status < 400) throw explainRedirect(answer);
      return answer;
    } catch (thrown) {
      const isAborted = signal?.aborted === true;
      throw explainThrown({ what, service }, thrown, { ...progress, isAborted, deadlineMs: deadline.passedMs() });
    }
  }

  return { origin, send, close: async () => (await opened)?.destroy() };
}

async function readAll(
  { what, service }: Exchange,
  body: AsyncIterable<Uint8Array>,
  declaredBytes: number,
  progress: { receivedBytes: number | null },
): Promise<string> {
  const hint = `Check that the url leads to ${service}`;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by a throw destroys the body, and its connection with it.
  for await (const chunk of body) {
    bytes += chunk.length;
    progress.receivedBytes = bytes;
    if (bytes > limits.httpBodyBytes || declaredBytes > limits.httpBodyBytes) {
      const message = `${what}: the answer is larger than ${formatSize(limits.httpBodyBytes)}; reading was stopped`;
      throw new WatchdogError('output/too-large', message, { hint });
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new WatchdogError('http/not-understood', `${what}: the answer is not UTF-8`, { hint, cause });
  }
}

/** Reads the beginning of a refusal. What breaks here is dropped: the status is known, and tells more. */
async function readBeginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= refusalBytes) break;
    }
  } catch {
    // The beginning that came before the break is all there is to quote.
  }
  return Buffer.concat(chunks).subarray(0, refusalBytes).toString('utf8');
}

function requireOrigin({ service, url, exampleUrl, credentialKey }: HttpOptions): string {
  const { data, error } = originSchema(exampleUrl, credentialKey).safeParse(url);
  if (data !== undefined) return data;
  // The text is not repeated: it may hold a password.
  throw invalid(`the url of ${service} cannot be used: ${error?.issues[0]?.message}`, `Write it as ${exampleUrl}`);
}

function requireCredential({ credential, credentialKey }: HttpOptions, origin: string): void {
  if (credential === undefined || /^[\x21-\x7e]+$/.test(credential)) return;
  const hint = 'Look for a line break, a space or a quote of another alphabet in it';
  throw invalid(`the ${credentialKey} for ${origin} is empty or has characters that no HTTP header may carry`, hint);
}

/** Node ignores a CA text that holds no certificate, and then trusts nobody, without saying why. */
function requireCa(ca: string | undefined, origin: string): void {
  if (ca === undefined) return;
  try {
    void new X509Certificate(ca);
  } catch (cause) {
    throw invalid(`the ca for ${origin} is no PEM certificate`, 'Name the file of the authority’s certificate', cause);
  }
}

function invalid(message: string, hint: string, cause?: unknown): WatchdogError {
  return new WatchdogError('config/invalid', message, { hint, permanent: true, cause });
}
