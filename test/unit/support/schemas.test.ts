import { expect, it } from 'vitest';
import type { z } from 'zod';
import { durationMs, expected, oneOrMore, path, sizeBytes } from '../../../src/support/schemas.ts';

const messagesOf = (schema: z.ZodType, value: unknown): readonly string[] =>
  schema.safeParse(value).error?.issues.map(({ message }) => message) ?? [];

const isRefused = (schema: z.ZodType, value: unknown): boolean => !schema.safeParse(value).success;

it.each([
  [durationMs, 26, 'expected a duration such as 26h'],
  [durationMs, null, 'expected a duration such as 26h'],
  [durationMs, '26', 'expected a duration above zero such as 26h'],
  [durationMs, '0s', 'expected a duration above zero such as 26h'],
  [sizeBytes, 10, 'expected a size such as 10GiB'],
  [sizeBytes, '10', 'expected a size such as 10GiB'],
  [oneOrMore, [], 'expected a name or a list of names'],
  [oneOrMore, '', 'expected a name or a list of names'],
  [oneOrMore, ['a', ''], 'expected a name or a list of names'],
  [oneOrMore, ['a', 2], 'expected a name or a list of names'],
  [oneOrMore, { a: 1 }, 'expected a name or a list of names'],
])('each schema says in one message what it expected (%#)', (schema, value, message) => {
  expect(messagesOf(schema, value)).toStrictEqual([message]);
});

it('the schemas turn what people write into numbers and lists', () => {
  expect(durationMs.parse('26h')).toBe(93_600_000);
  expect(sizeBytes.parse('10GiB')).toBe(10 * 2 ** 30);
  expect(oneOrMore.parse('nas')).toStrictEqual(['nas']);
  expect(oneOrMore.parse(['nas', 'here'])).toStrictEqual(['nas', 'here']);
});

it('an expectation begins with the word the loader completes', () => {
  expect(expected('a path')).toStrictEqual({ error: 'expected a path' });
});

it('a path is anything but empty, with a NUL, or with the tilde of a shell', () => {
  expect(['', '~/x', '~', 'a\0b', 7].every((value) => isRefused(path, value))).toBe(true);
  expect(['x', './x', '/x y', 'a~'].map((value) => path.parse(value))).toStrictEqual(['x', './x', '/x y', 'a~']);
});
