/** How ntfy's requests are read: parameters from headers or query, delays, `since`. Pure. */

import type { IncomingHttpHeaders } from 'node:http';
import { refusals } from './ntfy-errors.ts';

/** A message as ntfy writes it, field by field. */
export interface WireMessage {
  readonly id: string;
  readonly sequence_id?: string;
  /** s since the epoch, like every time here. */
  readonly time: number;
  readonly expires?: number;
  readonly event: 'open' | 'keepalive' | 'message' | 'message_clear' | 'message_delete';
  readonly topic: string;
  readonly title?: string;
  readonly message?: string;
  readonly priority?: number;
  readonly tags?: readonly string[];
  readonly click?: string;
  readonly content_type?: 'text/markdown';
  readonly attachment?: {
    readonly name: string;
    readonly type: string;
    readonly size: number;
    readonly expires: number;
    readonly url: string;
  };
}

/** Reads a parameter by any of its names. */
export type Parameters = (...names: readonly string[]) => string;

/** Headers win over the query; headers may be RFC 2047 words; names in the query are lower case. `''` when absent. */
export function parametersOf(headers: IncomingHttpHeaders, query: URLSearchParams): Parameters {
  return (...names) => {
    for (const name of names) {
      const raw = headers[name];
      const value = decodeHeader(typeof raw === 'string' ? raw : '').trim();
      // Proxies add the `Priority` header of RFC 9218, which has nothing to do with ours.
      const isForeign = name === 'priority' && /^u=\d(?:,\s*i)?$|^i$/.test(value);
      if (value !== '' && !isForeign) return value;
    }
    for (const name of names) {
      const value = query.get(name);
      if (value !== null && value !== '') return value.trim();
    }
    return '';
  };
}

/** Node hands header bytes over as Latin-1, Go as UTF-8: this reads them as Go does. */
function decodeHeader(raw: string): string {
  return decodeWords(Buffer.from(raw, 'latin1').toString('utf8'));
}

/** Decodes RFC 2047 words, `=?UTF-8?B?…?=`, in the three character sets that Go knows. */
export function decodeWords(text: string): string {
  const joined = text.replace(/\?=\s+=\?/g, '?==?');
  return joined.replace(
    /=\?(utf-8|iso-8859-1|us-ascii)\?([bq])\?([^?]*)\?=/gi,
    (_whole, charset: string, encoding: string, word: string) => {
      const isBase64 = encoding.toLowerCase() === 'b';
      const bytes = isBase64 ? Buffer.from(word, 'base64') : Buffer.from(unquote(word), 'latin1');
      return bytes.toString(charset.toLowerCase() === 'utf-8' ? 'utf8' : 'latin1');
    },
  );
}

function unquote(word: string): string {
  const spaced = word.replaceAll('_', ' ');
  return spaced.replace(/=[0-9A-F]{2}/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
}

/** `''` and anything but the words for no and yes leave the default. */
export function readFlag(value: string, byDefault: boolean): boolean {
  if (['1', 'yes', 'true', 'on'].includes(value.toLowerCase())) return true;
  return value === '' ? byDefault : false;
}

/** @returns 1 to 5, 0 when none was given. @throws NtfyRefusal 40007 */
export function readPriority(value: string): number {
  const words: Readonly<Record<string, number>> = { min: 1, low: 2, default: 3, high: 4, max: 5, urgent: 5 };
  if (value === '') return 0;
  const priority = /^[1-5]$/.test(value) ? Number(value) : words[value.toLowerCase()];
  if (priority === undefined) throw refusals.priority;
  return priority;
}

const durationUnitsSeconds: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60, s: 1, ms: 0.001 };

/**
 * Reads when a delayed message is due: s since the epoch, or a duration such as `30m` or `2 days`. The words of natural
 * language that ntfy also takes ("tomorrow, 10am") are left out.
 *
 * @throws NtfyRefusal 40004, 40005 below ten seconds, 40006 above three days.
 */
export function readDelay(value: string, nowSeconds: number): number {
  const isInstant = /^\d+$/.test(value);
  const dueSeconds = isInstant ? Number(value) : nowSeconds + readDuration(value);
  // An instant in the past is not too small for a real server, it is none.
  if (Number.isNaN(dueSeconds) || (isInstant && dueSeconds < nowSeconds)) throw refusals.delayUnreadable;
  if (dueSeconds < nowSeconds + 10) throw refusals.delayTooSmall;
  if (dueSeconds > nowSeconds + 3 * 86_400) throw refusals.delayTooLarge;
  return Math.floor(dueSeconds);
}

/** From where a subscriber wants to hear. */
export type Since =
  | { readonly kind: 'none' | 'all' | 'latest' }
  | { readonly kind: 'time'; readonly seconds: number }
  | { readonly kind: 'id'; readonly id: string };

/** @throws NtfyRefusal 40008 */
export function readSince(value: string, nowSeconds: number, isPoll: boolean): Since {
  if (value === '') return { kind: isPoll ? 'all' : 'none' };
  if (value === 'all' || value === 'none' || value === 'latest') return { kind: value };
  if (/^[A-Za-z0-9]{12}$/.test(value)) return { kind: 'id', id: value };
  if (/^-?\d+$/.test(value)) return { kind: 'time', seconds: Number(value) };
  const agoSeconds = readDuration(value);
  if (Number.isNaN(agoSeconds)) throw refusals.since;
  return { kind: 'time', seconds: Math.floor(nowSeconds - agoSeconds) };
}

/**
 * @returns s, NaN for what is no duration: Go's own (`1h30m`, `-5m`, `1500ms`), or one number and a word (`2 days`).
 */
function readDuration(value: string): number {
  const single = /^(\d+)\s*(d(?:ays?)?|h(?:ours?)?|m(?:ins?|inutes?)?|s(?:ecs?|econds?)?)$/.exec(value);
  if (single !== null) return Number(single[1]) * (durationUnitsSeconds[single[2]?.[0] ?? ''] ?? Number.NaN);
  if (!/^-?(?:\d+(?:\.\d+)?(?:ms|[hms]))+$/.test(value)) return Number.NaN;
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|[hms])/g)];
  const sum = parts.reduce(
    (seconds, [, amount, unit]) => seconds + Number(amount) * (durationUnitsSeconds[unit ?? ''] ?? 0),
    0,
  );
  return value.startsWith('-') ? -sum : sum;
}
