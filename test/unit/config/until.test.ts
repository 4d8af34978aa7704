import { describe, expect, it } from 'vitest';
import { parseUntil } from '../../../src/config/exceptions.ts';

const iso = (text: string, timezone: string): string | null => {
  const ms = parseUntil(text, timezone);
  return ms === null ? null : new Date(ms).toISOString();
};

describe('the end of an exception', () => {
  it.each([
    '',
    'tomorrow',
    '2027-1-31',
    '2027-02-30',
    '2027-13-01',
    '2027-00-01',
    '1969-12-31',
    '2027-01-31T18:00',
    '2027-01-31 18:00:00Z',
    '2027-01-31T25:00:00Z',
    '2027-01-31T18:00:00+0200',
    '2027-01-31\n',
    '2027-01-31T18:00:00Z x',
  ])('is not %j', (text) => {
    expect(parseUntil(text, 'UTC')).toBeNull();
  });

  it.each([
    ['2027-01-31', 'UTC', '2027-02-01T00:00:00.000Z'],
    ['2027-01-31', 'America/Phoenix', '2027-02-01T07:00:00.000Z'],
    ['2028-02-29', 'Asia/Kolkata', '2028-02-29T18:30:00.000Z'],
    // The clock is put forward at the end of this day: the next one has no midnight.
    ['2018-11-03', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    // 25 hours and 23 hours long.
    ['2027-10-31', 'Europe/Berlin', '2027-10-31T23:00:00.000Z'],
    ['2027-03-28', 'Europe/Berlin', '2027-03-28T22:00:00.000Z'],
  ])('of the day %s in %s is %s', (text, timezone, end) => {
    expect(iso(text, timezone)).toBe(end);
  });

  it.each([
    ['2027-01-31T18:00:00Z', '2027-01-31T18:00:00.000Z'],
    ['2027-01-31t18:00z', '2027-01-31T18:00:00.000Z'],
    ['2027-01-31T18:00:00.250-07:00', '2027-02-01T01:00:00.250Z'],
  ])('of the time %s is %s in any zone', (text, end) => {
    expect(iso(text, 'America/Phoenix')).toBe(end);
  });
});
