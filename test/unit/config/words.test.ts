import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMistake, type Mistake, sortMistakes } from '../../../src/config/mistake.ts';
import { describeUnknownName, describeValue, quote, suggestion } from '../../../src/config/words.ts';
import { limits } from '../../../src/support/limits.ts';

describe('what was found', () => {
  it.each([
    [undefined, 'nothing'],
    [null, 'nothing'],
    ['', '""'],
    ['26', '"26"'],
    [26, '26'],
    [Number.NaN, 'NaN'],
    [true, 'true'],
    [[], 'an empty list'],
    [['a'], 'a list'],
    [{}, 'a map'],
  ])('%j is told as %s', (value, text) => {
    expect(describeValue(value)).toBe(text);
  });

  it('is one printable line of bounded length', () => {
    expect(quote('a\nb\u001b[31m')).toBe('"a\\x0ab\\x1b[31m"');
    expect(quote('x'.repeat(500))).toBe(`"${'x'.repeat(80)}…"`);
    expect(quote('📦'.repeat(81))).toBe(`"${'📦'.repeat(80)}…"`);
  });

  it('leaves out the password inside a URL', () => {
    expect(quote('smtps://deadair:hunter2@mail.example.net:465')).toBe('"smtps://…:…@mail.example.net:465"');
    expect(quote('ssh://deadair@nas.lan')).toBe('"ssh://deadair@nas.lan"');
  });
});

describe('the nearest name', () => {
  const known = ['max_age', 'schedule', 'grace', 'rule', 'id'];

  it.each([
    ['max_agee', 'max_age'],
    ['maxage', 'max_age'],
    ['Max_Age', 'max_age'],
    ['shcedule', 'schedule'],
    ['rul', 'rule'],
  ])('of %s is %s', (name, near) => {
    expect(suggestion(name, known)).toBe(` (did you mean ${near}?)`);
  });

  it.each(['', 'x', 'severity', 'a'.repeat(1_000)])('of %j is none', (name) => {
    expect(suggestion(name, known)).toBe('');
  });

  it('of a known name is itself, and of no names there is none', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20 }), (name) => {
        expect(suggestion(name, [name])).toBe(` (did you mean ${name}?)`);
        expect(suggestion(name, [])).toBe('');
      }),
    );
  });

  it('stands behind what was expected', () => {
    expect(describeUnknownName('nass', ['nas', 'here'], 'targets')).toBe(
      'expected one of nas, here (targets), got "nass" (did you mean nas?)',
    );
    expect(describeUnknownName('x', ['phone'])).toBe('expected phone, got "x"');
  });
});

describe('mistakes', () => {
  const one: Mistake = { file: 'a.yaml', line: 3, column: 13, path: 'rules[0].max_age', message: 'expected x, got y' };

  it('are written as FILE:LINE:COL path: expected …, got …', () => {
    expect(formatMistake(one)).toBe('a.yaml:3:13 rules[0].max_age: expected x, got y');
    expect(formatMistake({ ...one, path: '' })).toBe('a.yaml:3:13 expected x, got y');
    expect(formatMistake({ ...one, file: 'a\nb.yaml' })).toBe('a\\x0ab.yaml:3:13 rules[0].max_age: expected x, got y');
  });

  it('are sorted by file, then line, then column', () => {
    const later = { ...one, line: 20 };
    const right = { ...one, column: 14 };
    const other = { ...one, file: 'b.yaml', line: 1 };
    expect(sortMistakes([other, later, right, one])).toStrictEqual([one, right, later, other]);
  });

  it('are told up to a limit, and how many there are', () => {
    const many = Array.from({ length: limits.mistakes + 5 }, (_, index) => ({ ...one, line: index + 1 }));
    const told = sortMistakes(many);
    expect(told).toHaveLength(limits.mistakes + 1);
    expect(told.at(-1)?.message).toContain(`got ${limits.mistakes + 5}`);
    expect(sortMistakes(many.slice(0, limits.mistakes))).toHaveLength(limits.mistakes);
  });
});
