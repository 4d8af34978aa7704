/** What a Qdrant, or a proxy before it, refused, as a WatchdogError. Made from an answer whose status is not 200. */

import { WatchdogError } from '../support/errors.ts';
import type { ErrorCode } from '../support/errors.ts';
import type { HttpAnswer } from './http.ts';

/** Turns a refusal into an error. Refusals come as JSON, as text, and as a proxy's HTML. */
export function explainStatus(answer: HttpAnswer, hasKey: boolean): WatchdogError {
  const { what, status, headers, text } = answer;
  const { code, hint, isPermanent = false } = judgeStatus(status, hasKey);
  const later = status === 429 ? headers['retry-after'] : undefined;
  const note = later === undefined ? '' : `, retry after ${answer.quote(String(later))}`;
  return new WatchdogError(code, `${what}: ${status}, ${answer.quote(errorText(text))}${note}`, {
    ...(hint === undefined ? {} : { hint }),
    permanent: isPermanent,
  });
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
  return { code: 'http/not-understood', hint: 'Check that the url leads to a Qdrant' };
}

/** Qdrant's own sentence where the body is its JSON, else the body. */
function errorText(text: string): string {
  try {
    const json: unknown = JSON.parse(text);
    const status: unknown = isRecord(json) ? json['status'] : undefined;
    const error: unknown = isRecord(status) ? status['error'] : undefined;
    return typeof error === 'string' ? error : text;
  } catch {
    return text;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
