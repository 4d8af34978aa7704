/**
 * Makes an error with a code and a hint from what ntfy, a proxy before it or the network answered. Never quotes more
 * than a line of a body.
 */

import { WatchdogError } from '../support/errors.ts';
import type { ErrorCode } from '../support/errors.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly permanent: boolean;
  readonly hint: string;
}

/** ntfy's own codes that say more than their HTTP status (`server/errors.go`). */
const meanings: Readonly<Record<number, Meaning>> = {
  40014: {
    code: 'http/rejected',
    permanent: true,
    hint: 'The message is too long for this server, or not text: shorten it.',
  },
  42901: {
    code: 'http/rate-limited',
    permanent: false,
    hint: 'Too many requests from this address: wait 5 seconds or more.',
  },
  42908: {
    code: 'http/rate-limited',
    permanent: false,
    hint: 'The daily limit is used up until midnight UTC: use another receiver, or raise visitor-message-daily-limit.',
  },
  42909: {
    code: 'http/rate-limited',
    permanent: false,
    hint: 'Failed logins from this address lock out good tokens too: find the client with the bad one, wait a minute.',
  },
};

const meaningsByStatus: Readonly<Record<number, Meaning>> = {
  401: {
    code: 'http/unauthorized',
    permanent: true,
    hint: 'Check the token: `ntfy token list` on the server shows the valid ones.',
  },
  403: {
    code: 'http/forbidden',
    permanent: true,
    hint: 'Grant the user access to the topic; check that no proxy strips the Authorization header.',
  },
  404: {
    code: 'http/not-found',
    permanent: true,
    hint: 'Check the topic (letters, digits, - and _, at most 64); sequences need ntfy 2.16 or newer.',
  },
  413: { code: 'http/too-large', permanent: true, hint: 'Shorten the message, or raise message-size-limit.' },
  429: { code: 'http/rate-limited', permanent: false, hint: 'Wait a minute: ntfy does not say how long.' },
};

/**
 * Reads an answer that was not 200.
 *
 * @param asked what was sent where, for the message.
 * @returns `http/…`; permanent only where ntfy itself says so, because a proxy's 403 may be gone in a minute.
 */
export function refusal(asked: string, status: number, body: string): WatchdogError {
  const ntfy = readNtfyError(body);
  if (ntfy === undefined) return notUnderstood(asked, status, body);
  const { code, permanent, hint } = meanings[ntfy.code] ?? meaningsByStatus[status] ?? meaningOfRange(status);
  return new WatchdogError(code, `${asked} answered ${status}: ${ntfy.error} (ntfy error ${ntfy.code})`, {
    hint,
    permanent,
  });
}

/**
 * An answer that ntfy cannot have given: a proxy's page, a captive portal, a redirect, half a body. A retry may help.
 */
export function notUnderstood(asked: string, status: number, body: string): WatchdogError {
  const start = body.slice(0, 60).replace(/\s+/g, ' ').trim();
  const found = start === '' ? 'an empty body' : JSON.stringify(start);
  const hint =
    status >= 300 && status < 400
      ? 'Redirects are not followed: configure the address it leads to.'
      : 'Something between us and ntfy answered, or this is not ntfy: check the proxy and the address.';
  return new WatchdogError(
    'http/not-understood',
    `${asked} answered ${status} with what is not ntfy's JSON: ${found}`,
    { hint },
  );
}

/** Reads why there was no whole answer: our own stop, the deadline, TLS, or the network. A retry may help. */
export function transportFailure(
  asked: string,
  thrown: unknown,
  context: { readonly isAborted: boolean; readonly deadlineMs: number },
): WatchdogError {
  if (context.isAborted) return new WatchdogError('aborted', `${asked} was stopped`, { cause: thrown });
  const name = thrown instanceof Error ? thrown.name : '';
  const code = errorCode(thrown);
  if (name === 'TimeoutError' || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT') {
    return new WatchdogError('net/timeout', `${asked} was not answered within ${context.deadlineMs} ms`, {
      cause: thrown,
      hint: 'Check that the server is up and that nothing drops its packets.',
    });
  }
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(code)) {
    return new WatchdogError('net/tls', `${asked}: the certificate was not accepted (${code})`, {
      cause: thrown,
      hint: 'Renew the certificate, or name its authority under `ca`.',
    });
  }
  return new WatchdogError('net/unreachable', `${asked} failed: ${code === '' ? String(thrown) : code}`, {
    cause: thrown,
    hint: 'Check that the server runs and that its name resolves from here.',
  });
}

function meaningOfRange(status: number): Meaning {
  return status >= 500
    ? {
        code: 'http/server-error',
        permanent: false,
        hint: "Look at ntfy's log: its disk or database often is the cause.",
      }
    : { code: 'http/rejected', permanent: true, hint: 'Check the receiver: the server finds the request wrong.' };
}

function readNtfyError(body: string): { readonly code: number; readonly error: string } | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || !('code' in value) || !('error' in value)) return undefined;
    return typeof value.code === 'number' && typeof value.error === 'string'
      ? { code: value.code, error: value.error.slice(0, 200) }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The code of the innermost cause, since undici wraps the socket's own error and Node collects one a tried address. */
function errorCode(thrown: unknown): string {
  if (!(thrown instanceof Error)) return '';
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return errorCode(thrown.errors[0]);
  if (thrown.cause instanceof Error) {
    const inner = errorCode(thrown.cause);
    if (inner !== '') return inner;
  }
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}
