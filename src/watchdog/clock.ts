/** Time that never steps back while we run, so that no deadline is postponed by a clock that was set (G5). */

import type { Clock } from '../support/clock.ts';

/** A clock that has noticed what the machine's own clock did. */
export interface SteadyClock extends Clock {
  /**
   * How far the wall clock has left the even flow of time since the last call, ms: negative when it stepped back,
   * positive when it stepped forward or the machine slept.
   */
  takeStepMs(): number;
  /** How far `nowMs` is ahead of the wall clock because that stepped back, ms. */
  aheadMs(): number;
}

/**
 * Makes a clock whose `nowMs` is the later of the wall clock and of where it was plus the time that has passed since: the
 * earlier of a wall and a monotonic deadline is the one that counts.
 */
export function createSteadyClock(machine: Clock): SteadyClock {
  let anchorWallMs = machine.nowMs();
  let anchorMonotonicMs = machine.monotonicMs();
  let lastWallMs = anchorWallMs;
  let lastMonotonicMs = anchorMonotonicMs;
  const nowMs = (): number => {
    const wallMs = machine.nowMs();
    const flowedMs = anchorWallMs + (machine.monotonicMs() - anchorMonotonicMs);
    // Below a second it is the slewing of a sound clock, which would otherwise add up.
    if (wallMs >= flowedMs - 1_000) {
      anchorWallMs = wallMs;
      anchorMonotonicMs = machine.monotonicMs();
    }
    return wallMs >= flowedMs - 1_000 ? wallMs : Math.round(flowedMs);
  };
  return {
    nowMs,
    monotonicMs: () => machine.monotonicMs(),
    aheadMs: () => Math.max(0, nowMs() - machine.nowMs()),
    takeStepMs: () => {
      const wallMs = machine.nowMs();
      const monotonicMs = machine.monotonicMs();
      const stepMs = wallMs - lastWallMs - (monotonicMs - lastMonotonicMs);
      lastWallMs = wallMs;
      lastMonotonicMs = monotonicMs;
      return stepMs;
    },
  };
}
