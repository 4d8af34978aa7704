/**
 * One question to an HTTP service that speaks JSON, and its checked answer, over undici. Every failure becomes a
 * WatchdogError. It never follows a redirect, never retries, never prints the key.
 */

import { Agent } from 'undici';
import type { z } from 'zod';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { formatSize } from '../support/units.ts';
import { explainStatus, explainThrown, quote } from './qdrant-failures.ts';
import type { Asked } from './qdrant-failures.ts';

/** Where and how to ask. */
export interface JsonHttpOptions {
  /** Scheme, host and port, without a path. */
  readonly origin: string;
  /** What stands before every path, `''` or such as `/qdrant`. */
  readonly prefix: string;
  readonly apiKey: string | undefined;
  /** PEM; when given, only these authorities are trusted. */
  readonly ca: string | undefined;
  readonly connectMs: number;
}

/** One request. */
export interface Question<T> {
  readonly method: 'GET' | 'POST';
  /** Sent as it stands, with no normalisation, so that a segment `..` stays one. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** From now to the last byte of the answer, ms. */
  readonly deadlineMs: number;
  /** What a good answer looks like; unknown keys are ignored. */
  readonly answer: z.ZodType<T>;
  readonly signal: AbortSignal;
}

/** A pool of connections to one service. */
export interface JsonHttp {
  /**
   * Asks and checks.
   *
   * @throws WatchdogError `net/*`, `http/*`, `output/too-large`, `aborted`; a retry may help unless it is `permanent`.
   */
  ask<T>(question: Question<T>): Promise<T>;
  /** Ends every connection at once, also those with a question on them. */
  close(): Promise<void>;
}

/** Bytes of a refusal that are read: enough for its first sentence, whatever a proxy wraps around it. */
const refusalBytes = 4_096;

/** How long an idle connection is kept, ms: within a pass, and shorter than any server (actix: 5 s) keeps it. */
const idleMs = 1_000;

/** Opens a pool; nothing is sent before the first question. */
export function openJsonHttp(options: JsonHttpOptions): JsonHttp {
  const agent = new Agent({
    connect: { timeout: options.connectMs, ...(options.ca === undefined ? {} : { ca: options.ca }) },
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs,
    // One deadline spans the whole question; undici's own two would each start anew.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  async function ask<T>(question: Question<T>): Promise<T> {
    const asked: Asked = {
      what: `${question.method} ${quote(options.prefix + question.path)} on ${options.origin}`,
      apiKey: options.apiKey,
      received: null,
    };
    using deadline = startDeadline(question.signal, question.deadlineMs);
    try {
      const { statusCode, headers, body } = await agent.request({
        origin: options.origin,
        path: options.prefix + question.path,
        method: question.method,
        headers: requestHeaders(options.apiKey, question.body),
        body: question.body ?? null,
        signal: deadline.signal,
      });
      asked.received = { bytes: 0 };
      if (statusCode !== 200) throw explainStatus(asked, statusCode, headers, await readRefusal(body));
      const declaredBytes = Number(headers['content-length'] ?? 0);
      return parse(asked, question.answer, await readAll(asked, body, declaredBytes));
    } catch (thrown) {
      throw explainThrown(asked, thrown, { isAborted: question.signal.aborted, deadlineMs: deadline.passedMs() });
    }
  }

  return { ask, close: () => agent.destroy() };
}

function requestHeaders(apiKey: string | undefined, body: string | undefined): Record<string, string> {
  return {
    accept: 'application/json',
    // A compressed answer would have no length, and its limit would count the wrong bytes.
    'accept-encoding': 'identity',
    ...(apiKey === undefined ? {} : { 'api-key': apiKey }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

async function readAll(asked: Asked, body: AsyncIterable<Uint8Array>, declaredBytes: number): Promise<Buffer> {
  const tooLarge = (): WatchdogError =>
    new WatchdogError(
      'output/too-large',
      `${asked.what}: the answer is larger than ${formatSize(limits.httpBodyBytes)}; reading was stopped`,
      { hint: 'Check that the url leads to a Qdrant' },
    );
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by a throw destroys the body, and its connection with it.
  for await (const chunk of body) {
    bytes += chunk.length;
    asked.received = { bytes };
    if (bytes > limits.httpBodyBytes || declaredBytes > limits.httpBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads the beginning of a refusal. What breaks here is dropped: the status is known, and tells more. */
async function readRefusal(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
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
  return Buffer.concat(chunks).subarray(0, refusalBytes);
}

function parse<T>(asked: Asked, answer: z.ZodType<T>, bytes: Buffer): T {
  const notUnderstood = (what: string): WatchdogError =>
    new WatchdogError('http/not-understood', `${asked.what}: ${what}: ${quote(bytes.toString('utf8'), asked.apiKey)}`, {
      hint: 'Check that the url leads to a Qdrant, and what stands between',
    });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    const isHtml = /^\s*</.test(bytes.toString('latin1', 0, 256));
    throw notUnderstood(isHtml ? 'HTML instead of JSON' : 'not the JSON of one whole answer');
  }
  const checked = answer.safeParse(json);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.map(String).join('.');
  throw notUnderstood(`not the expected shape (${quote(place)}: ${issue?.message ?? 'invalid'})`);
}

/** A signal that aborts with `outer` or when the time is over, and can tell which. */
interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** The deadline when it has passed, else null, ms. */
  passedMs(): number | null;
}

function startDeadline(outer: AbortSignal, deadlineMs: number): Deadline {
  const inner = new AbortController();
  let hasPassed = false;
  const onAbort = (): void => inner.abort();
  const timer = setTimeout(() => {
    hasPassed = true;
    inner.abort();
  }, deadlineMs);
  outer.addEventListener('abort', onAbort, { once: true });
  if (outer.aborted) inner.abort();
  return {
    signal: inner.signal,
    passedMs: () => (hasPassed ? deadlineMs : null),
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', onAbort);
    },
  };
}
