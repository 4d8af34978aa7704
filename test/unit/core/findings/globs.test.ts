import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutMatcher, matcher } from '../../../../src/core/findings/globs.ts';

describe('matcher', () => {
  test('no globs at all match every name, an empty list none', () => {
    expect(matcher(null)('books')).toBe(true);
    expect(matcher([])('books')).toBe(false);
  });

  test.each([
    ['scratch_*', 'scratch_7', true],
    ['scratch_*', 'scratch_', true],
    ['scratch_*', 'my_scratch_7', false],
    ['*', '', true],
    ['*', 'two\nlines', true],
    ['book?', 'books', true],
    ['book?', 'book', false],
    ['book?', 'book📚', true],
    ['b**k', 'book', true],
    ['[ab]', 'a', false],
    ['[ab]', '[ab]', true],
    ['a.c', 'abc', false],
    ['a\\*', 'a\\anything', true],
    ['^a|b$', 'b', false],
    ['(a)-{2}', '(a)-{2}', true],
  ])('%j on %j: %s', (glob, name, isMatch) => {
    expect(matcher([glob])(name)).toBe(isMatch);
  });

  test('a name that any of several globs takes in is taken in', () => {
    expect(matcher(['books', 'arxiv_*'])('arxiv_2026')).toBe(true);
    expect(matcher(['books', 'arxiv_*'])('canon')).toBe(false);
  });

  const literal = fc
    .oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'\\^$.|+()[]{}/-_aA0 \n\r\u2028\udc80'.split('')) }),
    )
    .filter((text) => !/[*?]/.test(text));

  test('literal text matches itself, whatever its characters', () => {
    fc.assert(fc.property(literal, (text) => matcher([text])(text)));
  });

  test('literal text matches nothing else', () => {
    fc.assert(fc.property(literal, literal, (text, other) => text === other || !matcher([text])(other)));
  });

  test('a star takes in every text that begins and ends as the glob does', () => {
    fc.assert(
      fc.property(literal, fc.string({ unit: 'binary' }), literal, (head, middle, tail) =>
        matcher([`${head}*${tail}`])(`${head}${middle}${tail}`),
      ),
    );
  });
});

describe('layoutMatcher', () => {
  test.each([
    [null, 'books/a.snapshot', null],
    ['*.snapshot', 'a.snapshot', null],
    ['{collection}/*.snapshot', 'books/a.snapshot', 'books'],
    ['{collection}/*.snapshot', 'old/books/a.snapshot', null],
    ['{collection}/*.snapshot', 'books/old/a.snapshot', null],
    ['*/{collection}.tar', '2026-11-22/books.tar', 'books'],
    ['backup-{collection}.tar', 'backup-.tar', null],
    ['{collection}.tar', 'my books\n.tar', 'my books\n'],
    ['a+b/{collection}', 'a+b/books', 'books'],
    ['a+b/{collection}', 'aab/books', null],
    ['{collection}/{collection}.tar', 'books/books.tar', 'books'],
    ['{collection}/{collection}.tar', 'books/arxiv.tar', null],
  ])('%j on %j: %j', (layout, path, collection) => {
    expect(layoutMatcher(layout)(path)).toBe(collection);
  });
});
