/** What went wrong between us and a Qdrant, as a WatchdogError: from a status, or from what undici and Node threw. */

import { WatchdogError } from '../support/errors.ts';
import type { ErrorCode } from '../support/errors.ts';
import { formatDuration } from '../support/units.ts';

/** A question, as its failure tells it. */
export interface Asked {
  /** `GET /collections on http://phx-ai01:6333`. */
  readonly what: string;
  /** Never printed: it is taken out of whatever the other side says. */
  readonly apiKey: string | undefined;
  /** What came of the answer so far, null while not even its head has come. */
  received: { readonly bytes: number } | null;
}

/** The first characters of a foreign text that a message may carry. */
const quotedCharacters = 120;

/**
 * A foreign text as a person may see it in a message: one line, printable, at most 120 characters, without `secret`.
 *
 * @returns the text; `an empty body` when nothing printable is in it.
 */
export function quote(text: string, secret?: string): string {
  const safe = secret === undefined || secret === '' ? text : text.replaceAll(secret, '***');
  const printable = safe.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  const characters = Array.from(printable);
  if (characters.length === 0) return 'an empty body';
  return characters.length <= quotedCharacters ? printable : `${characters.slice(0, quotedCharacters).join('')}…`;
}

/** Turns an answer whose status is not 200 into an error. Refusals come as JSON, as text, and as a proxy's HTML. */
export function explainStatus(
  asked: Asked,
  status: number,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: Buffer,
): WatchdogError {
  const { code, hint, isPermanent = false } = judgeStatus(status, asked.apiKey !== undefined);
  const later = status === 429 ? headers['retry-after'] : undefined;
  const notes = [
    quote(errorText(body), asked.apiKey),
    ...(later === undefined ? [] : [`retry after ${quote(String(later), asked.apiKey)}`]),
    ...(status >= 300 && status < 400
      ? [`redirects to ${quote(redirectTarget(headers['location']), asked.apiKey)}`]
      : []),
  ];
  return new WatchdogError(code, `${asked.what}: ${status}, ${notes.join(', ')}`, {
    ...(hint === undefined ? {} : { hint }),
    permanent: isPermanent,
  });
}

/** What an exception says about who was to blame: our shutdown, or our deadline. */
export interface Circumstances {
  /** True when the caller's own signal was aborted. */
  readonly isAborted: boolean;
  /** Our deadline when it has passed, null when it has not, ms. */
  readonly deadlineMs: number | null;
}

/**
 * Turns what undici or Node threw into an error; one of ours passes as it is.
 *
 * @throws whatever is no failure of the world, such as a TypeError: it is a mistake in the program.
 */
export function explainThrown(asked: Asked, thrown: unknown, circumstances: Circumstances): WatchdogError {
  if (thrown instanceof WatchdogError) return thrown;
  const cause = { cause: thrown };
  if (circumstances.isAborted) return new WatchdogError('aborted', `${asked.what}: stopped by us`, cause);
  if (circumstances.deadlineMs !== null) {
    const span = formatDuration(circumstances.deadlineMs);
    const came = asked.received === null ? 'no answer' : `only ${asked.received.bytes} bytes of the answer`;
    return new WatchdogError('net/timeout', `${asked.what}: ${came} within ${span}`, {
      hint: 'Look at the load of that Qdrant and at the way to it',
      ...cause,
    });
  }
  const code = codeOf(thrown);
  if (code === null) throw thrown;
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
    return new WatchdogError('aborted', `${asked.what}: the client was closed`, cause);
  }
  if (isTls(code)) {
    return new WatchdogError('net/tls', `${asked.what}: the TLS connection was not accepted (${code})`, {
      hint: 'Name the authority that signed the certificate as ca:, check its names and dates, and http against https',
      permanent: true,
      ...cause,
    });
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    const hint = 'Check the address, the port and the firewall';
    return new WatchdogError('net/timeout', `${asked.what}: no connection (${code})`, { hint, ...cause });
  }
  if (asked.received !== null || code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    const what = asked.received === null ? 'not HTTP' : `the answer broke off after ${asked.received.bytes} bytes`;
    const hint = 'Check that the url leads to a Qdrant (http or https?), and what stands between';
    return new WatchdogError('http/not-understood', `${asked.what}: ${what} (${code})`, { hint, ...cause });
  }
  const isNameless = code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  const hint = isNameless ? 'Check the host name and the resolver' : 'Check that Qdrant runs, and its address and port';
  const what = isNameless ? 'the host name does not resolve' : 'cannot be reached';
  return new WatchdogError('net/unreachable', `${asked.what}: ${what} (${code})`, { hint, ...cause });
}

interface StatusVerdict {
  readonly code: ErrorCode;
  readonly hint?: string;
  readonly isPermanent?: boolean;
}

function judgeStatus(status: number, hasKey: boolean): StatusVerdict {
  const keyHint = hasKey ? 'Check the api_key of this source' : 'This Qdrant wants an api_key: give it a read-only one';
  if (status === 401) return { code: 'http/unauthorized', hint: keyHint, isPermanent: true };
  if (status === 403) {
    return {
      code: 'http/forbidden',
      hint: 'Use a global read-only key, not one of single collections',
      isPermanent: true,
    };
  }
  if (status === 404) return { code: 'http/not-found' };
  // Qdrant answers 408 when it gives up a count by itself.
  if (status === 408) return { code: 'net/timeout', hint: 'Look at the load of that Qdrant' };
  if (status === 413) return { code: 'http/too-large' };
  if (status === 429)
    return { code: 'http/rate-limited', hint: 'Raise the read limit of strict mode, or check less often' };
  if (status === 502 || status === 504) {
    return { code: 'http/server-error', hint: 'A proxy answers, Qdrant behind it does not: look at both' };
  }
  if (status >= 500) return { code: 'http/server-error', hint: "Look at that Qdrant's own log" };
  if (status >= 400) return { code: 'http/rejected', hint: 'Check that the url leads to a Qdrant' };
  if (status >= 300) {
    return {
      code: 'http/not-understood',
      hint: 'Redirects are not followed: set url to the last address',
      isPermanent: true,
    };
  }
  return { code: 'http/not-understood', hint: 'Check that the url leads to a Qdrant' };
}

/** Qdrant's own sentence where the body is its JSON, else the body. */
function errorText(body: Buffer): string {
  const text = body.toString('utf8');
  try {
    const json: unknown = JSON.parse(text);
    const status: unknown = isRecord(json) ? json['status'] : undefined;
    const error: unknown = isRecord(status) ? status['error'] : undefined;
    return typeof error === 'string' ? error : text;
  } catch {
    return text;
  }
}

/** Host and path of a redirect. Its query stays out: sign-in pages carry tokens there. */
function redirectTarget(location: string | readonly string[] | undefined): string {
  const [target] = String(location ?? 'nowhere').split(/[?#]/, 1);
  return (target ?? '').replace(/\/\/[^/@]*@/, '//');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The code of a failure of the world, null for everything else. llhttp's errors keep theirs, where they have one. */
function codeOf(thrown: unknown): string | null {
  if (!isRecord(thrown) || thrown instanceof TypeError) return null;
  const code = thrown['code'];
  if (thrown['name'] === 'HTTPParserError') return typeof code === 'string' ? code : 'HPE_INVALID';
  return typeof code === 'string' && code !== 'UND_ERR_INVALID_ARG' ? code : null;
}

/** OpenSSL's verification errors as Node names them, and its protocol errors. */
function isTls(code: string): boolean {
  return /^(?:CERT_|CRL_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_|PATH_LENGTH_|HOSTNAME_|EPROTO$)/.test(
    code,
  );
}
