import { describe, expect, test } from 'vitest';
import { createSteadyClock } from '../../../src/watchdog/clock.ts';

const hourMs = 3_600_000;

/** A machine whose wall clock can be set, and whose even flow of time cannot. */
function machine(startMs = 1_795_000_000_000) {
  let wallMs = startMs;
  let monotonicMs = 1_000;
  return {
    clock: createSteadyClock({ nowMs: () => wallMs, monotonicMs: () => monotonicMs }),
    wallMs: () => wallMs,
    flow: (ms: number, wallFlowMs = ms) => {
      monotonicMs += ms;
      wallMs += wallFlowMs;
    },
    set: (stepMs: number) => void (wallMs += stepMs),
  };
}

describe('a steady clock', () => {
  test('is the wall clock while that flows evenly', () => {
    const { clock, flow, wallMs } = machine();
    flow(hourMs);
    expect(clock.nowMs()).toBe(wallMs());
    expect(clock.aheadMs()).toBe(0);
    expect(clock.takeStepMs()).toBe(0);
  });

  test('goes on evenly when the wall clock is set back, and tells how far it is ahead', () => {
    const { clock, flow, set, wallMs } = machine();
    const before = clock.nowMs();
    set(-2 * hourMs);
    flow(60_000);
    expect(clock.nowMs()).toBe(before + 60_000);
    expect(clock.aheadMs()).toBe(2 * hourMs);
    expect(clock.takeStepMs()).toBe(-2 * hourMs);
    expect(clock.takeStepMs()).toBe(0);
    flow(hourMs);
    expect(clock.nowMs()).toBe(wallMs() + 2 * hourMs);
  });

  test('adds up steps back, small ones too, once they exceed the slewing of a sound clock', () => {
    const { clock, flow, set } = machine();
    const before = clock.nowMs();
    for (let n = 0; n < 10; n += 1) {
      set(-1_500);
      flow(1_000);
      clock.nowMs();
    }
    expect(clock.nowMs()).toBe(before + 10_000);
  });

  test('follows a wall clock that is set forward, and after it never falls behind that', () => {
    const { clock, flow, set, wallMs } = machine();
    set(5 * hourMs);
    expect(clock.nowMs()).toBe(wallMs());
    expect(clock.takeStepMs()).toBe(5 * hourMs);
    set(-5 * hourMs);
    flow(1_000);
    expect(clock.nowMs()).toBe(wallMs() + 5 * hourMs);
  });

  test('is the wall clock again once that has caught up', () => {
    const { clock, flow, set, wallMs } = machine();
    clock.nowMs();
    set(-hourMs);
    clock.nowMs();
    set(hourMs);
    flow(1_000);
    expect(clock.nowMs()).toBe(wallMs());
    expect(clock.aheadMs()).toBe(0);
  });

  test('follows a clock that is slewed, however long, and calls it no step', () => {
    const { clock, flow, wallMs } = machine();
    for (let n = 0; n < 10_000; n += 1) {
      // 500 ppm, the most that a sound clock is slewed by.
      flow(10_000, 9_995);
      clock.nowMs();
    }
    expect(Math.abs(clock.nowMs() - wallMs())).toBeLessThanOrEqual(1_000);
    expect(clock.aheadMs()).toBeLessThanOrEqual(1_000);
  });

  test('tells sleep as a step forward', () => {
    const { clock, flow } = machine();
    flow(0, 8 * hourMs);
    expect(clock.takeStepMs()).toBe(8 * hourMs);
  });
});
