/** How long a copy stays fresh, from when it was made and how often one must be made. Pure date arithmetic. */

import { Cron } from 'croner';
import type { Cadence } from '../model/rule.ts';

/** Clocks of two hosts differ; a copy stamped this little before its slot belongs to the slot. */
export const slotSkewMs = 60_000;

/** Slots kept per rule: a year of daily ones. */
const knownSlots = 400;

/** Answers until when a copy made at some time is fresh. */
export interface Freshness {
  /**
   * @param madeAtMs epoch ms.
   * @returns epoch ms, inclusive: `max_age` after it was made, or the end of the grace of the first slot after the one
   *   it was made in.
   */
  freshUntilMs(madeAtMs: number): number;
}

/**
 * Prepares the arithmetic of one rule. Slots already computed are kept, since thousands of copies share a few slots.
 *
 * @throws Error when the cron text or the time zone is invalid; the loader has refused both before.
 */
export function createFreshness(cadence: Cadence): Freshness {
  if (cadence.kind === 'max-age') return { freshUntilMs: (madeAtMs) => madeAtMs + cadence.maxAgeMs };
  const cron = parseCron(cadence.cron, cadence.timezone);
  const known: { fromMs: number; nextMs: number }[] = [];
  return {
    freshUntilMs: (madeAtMs) => {
      const atMs = madeAtMs + slotSkewMs;
      const hit = known.find(({ fromMs, nextMs }) => fromMs <= atMs && atMs < nextMs);
      if (hit !== undefined) return hit.nextMs + cadence.graceMs;
      // Without a next slot there is nothing to wait for, and nothing is fresh for ever.
      const nextMs = nextSlotMs(cron, atMs) ?? atMs;
      const sameSlot = known.find((span) => span.nextMs === nextMs);
      if (sameSlot === undefined) known.push({ fromMs: atMs, nextMs });
      else sameSlot.fromMs = Math.min(sameSlot.fromMs, atMs);
      if (known.length > knownSlots) known.shift();
      return nextMs + cadence.graceMs;
    },
  };
}

/**
 * Parses five fields of cron in a time zone. A schedule that never comes, such as `0 0 30 2 *`, is invalid: what was
 * made before it would be fresh for ever. Across DST croner lets a fixed time that is skipped run at the first
 * moment after the gap, and one that occurs twice run once.
 *
 * @throws Error with croner's reason when either is invalid.
 */
export function parseCron(cron: string, timezone: string): Cron {
  const parsed = new Cron(cron, { timezone, mode: '5-part', paused: true });
  if (nextSlotMs(parsed, 0) === null) throw new Error(`the schedule "${cron}" never comes`);
  return parsed;
}

/** Words for a cadence: `allowed 26h`, `schedule "15 2 * * *" + 3h`. */
export function describeCadence(cadence: Cadence, formatSpan: (ms: number) => string): string {
  if (cadence.kind === 'max-age') return `allowed ${formatSpan(cadence.maxAgeMs)}`;
  return `wanted by schedule "${cadence.cron}" + ${formatSpan(cadence.graceMs)}`;
}

/** Null when there is none, as after the year croner looks ahead to. */
function nextSlotMs(cron: Cron, atMs: number): number | null {
  // oxlint-disable-next-line no-restricted-globals -- a Date made from a number reads no clock
  return cron.nextRun(new Date(atMs))?.getTime() ?? null;
}
