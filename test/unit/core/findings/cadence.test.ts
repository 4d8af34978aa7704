import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFreshness, describeCadence, parseCron } from '../../../../src/core/findings/cadence.ts';
import type { Cadence } from '../../../../src/core/model/rule.ts';
import { formatDuration } from '../../../../src/support/units.ts';
import { ms } from '../../../support/world.ts';

function schedule(cron: string, timezone: string, grace = '3h'): Cadence {
  return { kind: 'schedule', cron, graceMs: ms(grace), timezone };
}

function freshUntil(cadence: Cadence, madeAt: string): string {
  return new Date(createFreshness(cadence).freshUntilMs(Date.parse(madeAt))).toISOString();
}

test.each([
  ['six fields, the first of which would be seconds', '* * * * * *'],
  ['two fields', '15 2'],
  ['words', 'every night'],
  ['a minute that does not exist', '75 2 * * *'],
  ['nothing', ''],
  ['a day that never comes, before which everything would be fresh for ever', '0 0 30 2 *'],
])('a schedule of %s is refused', (_, cron) => {
  expect(() => parseCron(cron, 'UTC')).toThrow();
});

test('a time zone that does not exist is refused', () => {
  expect(() => parseCron('15 2 * * *', 'America/Phenix')).toThrow();
});

test('a leap day comes often enough to be a schedule', () => {
  expect(freshUntil(schedule('0 0 29 2 *', 'UTC'), '2026-01-01T00:00:00Z')).toBe('2028-02-29T03:00:00.000Z');
});

describe('a copy of one slot is fresh until the grace of the next one ends', () => {
  test.each([
    // Phoenix knows no DST: 02:15 is 09:15 UTC on every day of the year.
    ['America/Phoenix', '15 2 * * *', '2026-03-08T09:20:00Z', '2026-03-09T12:15:00.000Z'],
    ['America/Phoenix', '15 2 * * *', '2026-11-01T09:20:00Z', '2026-11-02T12:15:00.000Z'],
    // New York springs forward on 8 March at 02:00: 02:30 does not exist and runs at 03:00 EDT.
    ['America/New_York', '30 2 * * *', '2026-03-07T07:31:00Z', '2026-03-08T10:00:00.000Z'],
    ['America/New_York', '30 2 * * *', '2026-03-08T07:01:00Z', '2026-03-09T09:30:00.000Z'],
    // New York falls back on 1 November: 01:30 comes twice and runs once, at the first.
    ['America/New_York', '30 1 * * *', '2026-10-31T05:31:00Z', '2026-11-01T08:30:00.000Z'],
    ['America/New_York', '30 1 * * *', '2026-11-01T05:31:00Z', '2026-11-02T09:30:00.000Z'],
    ['America/New_York', '30 1 * * *', '2026-11-01T06:31:00Z', '2026-11-02T09:30:00.000Z'],
    // Berlin springs forward on 29 March and falls back on 25 October.
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T01:31:00Z', '2026-03-29T04:00:00.000Z'],
    ['Europe/Berlin', '30 2 * * *', '2026-03-29T01:01:00Z', '2026-03-30T03:30:00.000Z'],
    ['Europe/Berlin', '30 2 * * *', '2026-10-24T00:31:00Z', '2026-10-25T03:30:00.000Z'],
    ['Europe/Berlin', '30 2 * * *', '2026-10-25T01:31:00Z', '2026-10-26T04:30:00.000Z'],
    // An hourly schedule runs in both of the two hours that have one name.
    ['Europe/Berlin', '15 * * * *', '2026-10-25T00:20:00Z', '2026-10-25T04:15:00.000Z'],
    ['Europe/Berlin', '15 * * * *', '2026-10-25T01:20:00Z', '2026-10-25T05:15:00.000Z'],
  ])('%s %s made %s → %s', (timezone, cron, madeAt, until) => {
    expect(freshUntil(schedule(cron, timezone), madeAt)).toBe(until);
  });
});

test('a run long before its slot does not stand for the slot', () => {
  expect(freshUntil(schedule('15 2 * * *', 'UTC'), '2026-11-22T01:00:00Z')).toBe('2026-11-22T05:15:00.000Z');
});

test('a stamp a little before its slot is the skew of two clocks, and belongs to the slot', () => {
  const daily = schedule('15 2 * * *', 'UTC');
  expect(freshUntil(daily, '2026-11-22T02:14:00.000Z')).toBe('2026-11-23T05:15:00.000Z');
  expect(freshUntil(daily, '2026-11-22T02:13:59.999Z')).toBe('2026-11-22T05:15:00.000Z');
});

test('a copy stamped exactly at the beginning of a slot belongs to it, also when the slot before was just asked for', () => {
  const fresh = createFreshness(schedule('15 2 * * *', 'UTC'));
  const slotMs = Date.parse('2026-11-22T02:14:00Z');
  expect([slotMs - 1, slotMs].map((atMs) => new Date(fresh.freshUntilMs(atMs)).toISOString())).toEqual([
    '2026-11-22T05:15:00.000Z',
    '2026-11-23T05:15:00.000Z',
  ]);
});

test('a max_age counts from when the copy was made', () => {
  expect(freshUntil({ kind: 'max-age', maxAgeMs: ms('26h') }, '2026-11-22T02:15:00Z')).toBe('2026-11-23T04:15:00.000Z');
});

test('a cadence is told in the words of the rule file', () => {
  expect(describeCadence({ kind: 'max-age', maxAgeMs: ms('26h') }, formatDuration)).toBe('allowed 26h');
  expect(describeCadence(schedule('15 2 * * *', 'UTC'), formatDuration)).toBe('wanted by schedule "15 2 * * *" + 3h');
});

const cadences: fc.Arbitrary<Cadence> = fc.oneof(
  fc.record({ kind: fc.constant('max-age' as const), maxAgeMs: fc.integer({ min: 1, max: ms('400d') }) }),
  fc.record({
    kind: fc.constant('schedule' as const),
    cron: fc.constantFrom('15 2 * * *', '30 1 * * *', '*/20 * * * *', '0 3 * * 1', '0 4 1 * *', '0 0,12 * * *'),
    graceMs: fc.integer({ min: 0, max: ms('3d') }),
    timezone: fc.constantFrom('UTC', 'America/New_York', 'Europe/Berlin', 'America/Phoenix', 'Australia/Lord_Howe'),
  }),
);
// Around both changes of 2026 in New York and Berlin, since that is where arithmetic goes wrong.
const instants = fc.oneof(
  ...['2026-03-08T07:00:00Z', '2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z', '2026-11-01T06:00:00Z'].map((near) =>
    fc.integer({ min: Date.parse(near) - ms('2d'), max: Date.parse(near) + ms('2d') }),
  ),
  fc.integer({ min: Date.parse('2020-01-01T00:00:00Z'), max: Date.parse('2040-01-01T00:00:00Z') }),
);

test('whatever the cadence, a copy is fresh until after it was made, but never for ever', () => {
  fc.assert(
    fc.property(cadences, instants, (cadence, madeAtMs) => {
      const untilMs = createFreshness(cadence).freshUntilMs(madeAtMs);
      expect(untilMs).toBeGreaterThan(madeAtMs);
      expect(untilMs).toBeLessThan(madeAtMs + ms('500d'));
    }),
  );
});

test('whatever the cadence, a copy made later is fresh for at least as long, in whichever order one asks', () => {
  fc.assert(
    fc.property(cadences, fc.array(instants, { minLength: 2, maxLength: 12 }), (cadence, madeAtMs) => {
      const asked = createFreshness(cadence);
      const answers = new Map(madeAtMs.map((atMs) => [atMs, asked.freshUntilMs(atMs)]));
      let lastMs = Number.NEGATIVE_INFINITY;
      for (const atMs of madeAtMs.toSorted((a, b) => a - b)) {
        expect(answers.get(atMs), 'remembering slots changes no answer').toBe(
          createFreshness(cadence).freshUntilMs(atMs),
        );
        expect(answers.get(atMs)).toBeGreaterThanOrEqual(lastMs);
        lastMs = answers.get(atMs) ?? lastMs;
      }
    }),
    { numRuns: 60 },
  );
});
