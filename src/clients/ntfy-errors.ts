/** What ntfy, or a proxy before it, refused, as a WatchdogError. Made from an answer whose status is not 200. */

import { WatchdogError } from '../support/errors.ts';
import type { ErrorCode } from '../support/errors.ts';
import type { HttpAnswer } from './http.ts';
import { notUnderstood } from './http-json.ts';

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
 * Turns a refusal into an error.
 *
 * @returns `http/…`; permanent only where ntfy itself says so, because a proxy's 403 may be gone in a minute.
 */
export function refusal(answer: HttpAnswer): WatchdogError {
  const { what, status } = answer;
  const ntfy = readNtfyError(answer.text);
  if (ntfy === undefined) return notUnderstood(answer, `${status}, and not ntfy's JSON`);
  const { code, permanent, hint } = meanings[ntfy.code] ?? meaningsByStatus[status] ?? meaningOfRange(status);
  const message = `${what}: ${status}, ${answer.quote(ntfy.error)} (ntfy error ${ntfy.code})`;
  return new WatchdogError(code, message, { hint, permanent });
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
      ? { code: value.code, error: value.error }
      : undefined;
  } catch {
    return undefined;
  }
}
