import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/support/units.ts';

describe('durations', () => {
  it.each([
    '',
    '5',
    '5 m',
    'm',
    '-5m',
    '5M',
    '5m ',
    ' 5m',
    '1h 30m',
    '1e3s',
    '5min',
    '5µs',
    '999999999999999999w',
    '1.s',
    '٥m',
  ])('are not %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['26h', 93_600_000],
    ['7d', 604_800_000],
    ['1w', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
  ])('of %s are %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    [-1, '0ms'],
    [999, '999ms'],
    [90_000, '90s'],
    [119_999, '119s'],
    [120_000, '2m'],
    [31 * 3_600_000, '31h'],
    [72 * 3_600_000 - 1, '71h'],
    [12.9 * 86_400_000, '12d'],
  ])('of %i ms are written %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('are never written longer than they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => {
        const written = parseDuration(formatDuration(ms)) ?? Number.NaN;
        expect(written).toBeLessThanOrEqual(ms);
        expect(written).toBeGreaterThanOrEqual(ms / 2);
      }),
    );
  });
});

describe('sizes', () => {
  it.each(['', '10', '10 gib', 'GiB', '-1B', '1e3B', '10GiB/s', '99999999999TiB'])('are not %j', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it.each([
    ['0B', 0],
    ['812 B', 812],
    ['500MB', 500_000_000],
    ['1.5KiB', 1_536],
    ['10GiB', 10 * 2 ** 30],
  ])('of %s are %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_536, '1.5 KiB'],
    [5 * 2 ** 40, '5.0 TiB'],
    [5_000 * 2 ** 40, '5000.0 TiB'],
  ])('of %i bytes are written %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});
