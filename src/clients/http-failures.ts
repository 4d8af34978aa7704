/** What went wrong between us and an HTTP service, as a WatchdogError: from what undici and Node threw, or from a redirect. */

import { WatchdogError } from '../support/errors.ts';
import { formatDuration } from '../support/units.ts';

/** A request, as its failure tells it. */
export interface Exchange {
  /** `GET /collections on http://phx-ai01:6333`. */
  readonly what: string;
  /** What runs there: `Qdrant`. */
  readonly service: string;
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

/** An answer of 3xx. It may be a captive portal's and gone in a minute, so that a retry may help. */
export function explainRedirect(
  answer: Exchange & {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
    quote(text: string): string;
  },
): WatchdogError {
  // The query stays out: sign-in pages carry tokens there.
  const [location = ''] = String(answer.headers['location'] ?? 'nowhere').split(/[?#]/, 1);
  const target = answer.quote(location.replace(/\/\/[^/@]*@/, '//'));
  return new WatchdogError('http/not-understood', `${answer.what}: ${answer.status}, redirects to ${target}`, {
    hint: 'Redirects are not followed: set url to the last address, unless something between us answered',
  });
}

/** What an exception says about who was to blame: our shutdown, or our deadline. */
export interface Circumstances {
  /** What came of the answer's body; null while not even its head has come. */
  readonly receivedBytes: number | null;
  /** True when the caller's own signal was aborted. */
  readonly isAborted: boolean;
  /** Our deadline when it has passed, null when it has not, ms. */
  readonly deadlineMs: number | null;
}

/**
 * Turns what undici or Node threw into an error; one of ours passes as it is. A retry may help: even a certificate that
 * is refused may be that of a portal in between.
 *
 * @throws whatever is no failure of the world, such as a TypeError: it is a mistake in the program.
 */
export function explainThrown({ what, service }: Exchange, thrown: unknown, then: Circumstances): WatchdogError {
  if (thrown instanceof WatchdogError) return thrown;
  const cause = thrown;
  const { receivedBytes } = then;
  if (then.isAborted) return new WatchdogError('aborted', `${what}: stopped by us`, { cause });
  if (then.deadlineMs !== null) {
    const came = receivedBytes === null ? 'no answer' : `only ${receivedBytes} bytes of the answer`;
    const hint = `Look at the load of that ${service} and at the way to it`;
    return new WatchdogError('net/timeout', `${what}: ${came} within ${formatDuration(then.deadlineMs)}`, {
      hint,
      cause,
    });
  }
  const code = codeOf(thrown);
  if (code === null) throw thrown;
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
    return new WatchdogError('aborted', `${what}: the client was closed`, { cause });
  }
  if (isTls(code)) {
    const hint =
      'Name the authority that signed the certificate as ca:, check its names and dates, and http against https';
    return new WatchdogError('net/tls', `${what}: the TLS connection was not accepted (${code})`, { hint, cause });
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    const hint = 'Check the address, the port and the firewall';
    return new WatchdogError('net/timeout', `${what}: no connection (${code})`, { hint, cause });
  }
  if (receivedBytes !== null || code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    const trouble = receivedBytes === null ? 'not HTTP' : `the answer broke off after ${receivedBytes} bytes`;
    const hint = `Check that the url leads to ${service} (http or https?), and what stands between`;
    return new WatchdogError('http/not-understood', `${what}: ${trouble} (${code})`, { hint, cause });
  }
  const isNameless = code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  const hint = isNameless
    ? 'Check the host name and the resolver'
    : `Check that ${service} runs, and its address and port`;
  const trouble = isNameless ? 'the host name does not resolve' : 'cannot be reached';
  return new WatchdogError('net/unreachable', `${what}: ${trouble} (${code})`, { hint, cause });
}

/** The code of a failure of the world, null for everything else. llhttp's errors keep theirs, where they have one. */
function codeOf(thrown: unknown): string | null {
  if (typeof thrown !== 'object' || thrown === null || thrown instanceof TypeError) return null;
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : null;
  if ('name' in thrown && thrown.name === 'HTTPParserError') return code ?? 'HPE_INVALID';
  return code === 'UND_ERR_INVALID_ARG' ? null : code;
}

/** OpenSSL's verification errors as Node names them, and its protocol errors. */
function isTls(code: string): boolean {
  return /^(?:CERT_|CRL_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_|PATH_LENGTH_|HOSTNAME_|EPROTO$)/.test(
    code,
  );
}
