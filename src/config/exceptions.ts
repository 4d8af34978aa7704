/** Reads `except` of a rule: what is muted on purpose, why, and until when (G4). */

import { Cron } from 'croner';
import { z } from 'zod';
import type { Exception } from '../core/model/rule.ts';
import { expected, oneOrMore } from '../support/schemas.ts';
import { readFields } from './fields.ts';
import { inside, mistake, type Place, warn } from './place.ts';
import { sentence } from './schemas.ts';
import { describeValue, quote } from './words.ts';

const untilExpectation = 'a date such as 2027-01-31, or a time such as 2027-01-31T18:00:00Z';

const shape = {
  collections: oneOrMore,
  because: sentence,
  until: z.string(expected(untilExpectation)),
};

/** When exceptions are read, and in which zone their days end. */
export interface ExceptionClock {
  readonly nowMs: number;
  /** IANA. */
  readonly timezone: string;
}

/** @returns the exceptions without mistakes. One that has ended is kept and warned of: its collections are told about again. */
export function readExceptions(place: Place, clock: ExceptionClock): readonly Exception[] {
  if (place.value === undefined) return [];
  if (!Array.isArray(place.value)) {
    const got = describeValue(place.value);
    mistake(place, `expected a list of exceptions, each with collections, because, until, got ${got}`);
    return [];
  }
  return place.value.flatMap((_, index) => readException(inside(place, index), clock));
}

function readException(place: Place, { nowMs, timezone }: ExceptionClock): readonly Exception[] {
  const { isWhole, values } = readFields(place, shape);
  const { until } = values;
  if (until === undefined) return [];
  const untilMs = parseUntil(until, timezone);
  if (untilMs === null) {
    mistake(inside(place, 'until'), `expected ${untilExpectation}, got ${quote(until)}`);
    return [];
  }
  if (untilMs <= nowMs)
    warn(inside(place, 'until'), `this exception has ended (${until}): remove it, or say until when`);
  return isWhole ? [{ collections: values.collections, because: values.because, untilMs }] : [];
}

/**
 * Reads the end of an exception.
 *
 * @param text a day, which ends with its last second in `timezone`, or RFC 3339 with an offset.
 * @returns epoch ms from which the exception is over; null when the text is neither.
 */
export function parseUntil(text: string, timezone: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/i.exec(text);
  if (match === null || !isDay(Number(match[1]), Number(match[2]), Number(match[3]))) return null;
  if (match[4] === undefined) {
    // The last second rather than the next midnight, which some zones skip when their summer begins.
    const last = new Cron(`${text}T23:59:59`, { timezone, paused: true }).nextRun(new Date(0));
    return last === null ? null : last.getTime() + 1_000;
  }
  const instant = Date.parse(text.toUpperCase());
  return Number.isNaN(instant) ? null : instant;
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return year >= 1970 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
