import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatYamlPath, readYaml, type YamlPath } from '../../../src/support/yaml.ts';

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const problemsOf = (text: string): readonly string[] =>
  readYaml(bytesOf(text)).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);

describe('text that is not the YAML we read', () => {
  it.each([
    ['a tab before a key', 'a:\n\tb: 1\n', '2:1 expected spaces before the first word of a line, got a tab'],
    ['two documents', 'a: 1\n---\nb: 2\n', '2:1 expected one document in the file, got another one after ---'],
    ['a repeated key', 'a: 1\nb: 2\na: 3\n', '3:1 expected each key once, got "a" again'],
    ['a repeated key inside', 'x:\n  a: 1\n  a: 2\n', '3:3 expected each key once, got "a" again'],
    ['YAML 1.1', '%YAML 1.1\n---\na: on\n', '1:1 expected YAML 1.2, got %YAML 1.1'],
    ['a tag', 'a: !!binary x\n', '1:13 expected a plain value, got a !tag'],
    ['a key with a question mark', '? a\n: b\n', '1:1 expected a key such as name:, got a key written with ?'],
    ['a list as a key', '[a]: b\n', '1:1 expected a plain word as key, got something else'],
    [
      'an alias of nothing',
      'a: *b\n',
      '1:4 expected *alias to repeat something above, got an alias without its anchor before it',
    ],
    [
      'an alias inside its anchor',
      'a: &b [*b]\n',
      '1:8 expected *alias to repeat something above, got an alias inside its own anchor',
    ],
    ['a control character', 'a: 1\nb: \u0007\n', '2:4 expected printable text, got the control character 0x07'],
    ['an open quote', 'a: "x\n', '2:1 expected valid YAML, got an error of syntax: missing closing "quote'],
    ['deep brackets', `a: ${'['.repeat(17)}`, '1:20 expected at most 16 brackets inside one another, got more'],
    ['deep lists', `${'- '.repeat(18)}a`, '1:35 expected at most 16 levels inside one another, got more'],
  ])('tells the place of %s', (_, text, problem) => {
    expect(problemsOf(text)).toStrictEqual([problem]);
  });

  it('tells the first byte that is not UTF-8', () => {
    const bytes = Buffer.concat([bytesOf('a: 1\nbé: '), Buffer.from([0xe9]), bytesOf('x\n')]);
    expect(readYaml(bytes)).toStrictEqual({
      document: null,
      problems: [{ line: 2, column: 5, message: 'expected UTF-8, got the byte 0xe9' }],
    });
  });

  it('tells a character that the end of the file cuts in two', () => {
    const bytes = bytesOf('a: é').subarray(0, 4);
    expect(readYaml(bytes).problems).toStrictEqual([
      { line: 1, column: 4, message: 'expected UTF-8, got the byte 0xc3' },
    ]);
  });

  it('does not unfold a billion laughs', () => {
    const lines = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg', 'ih']) {
      lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(',')}]`);
    }
    expect(problemsOf(lines.join('\n'))).toStrictEqual(['1:1 expected at most 1000 repetitions by *alias, got more']);
  });

  it('never quotes the source, which may hold a secret', () => {
    for (const text of [
      'token: "hunter2" hunter2\n',
      '- a\ntoken: hunter2\n',
      'token: {hunter2: hunter2]\n',
      'token: `hunter2\n',
    ]) {
      expect(problemsOf(text).length).toBeGreaterThan(0);
      expect(problemsOf(text).join('\n')).not.toContain('hunter2');
    }
  });

  it('takes time in proportion to the size of brackets, keys or lists', { timeout: 60_000 }, () => {
    const size = 2 ** 16;
    for (const text of ['{', '[', '? ', '- ', 'a: ', '&a ', '- *a\n', 'k: v\n', '}', '"\n']) {
      readYaml(bytesOf(text.repeat(size / text.length)));
    }
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}:`).join('\n');
    expect(Object.keys(readYaml(bytesOf(keys)).document?.value ?? {})).toHaveLength(20_000);
  });

  it('never throws, whatever the text', () => {
    const piece = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      '"',
      "'",
      '|',
      '>',
      '#',
      '!',
      '%',
      '---',
      '\t',
      '\r',
      '?',
      ',',
      '<<',
      '\u0000',
      'é',
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 30 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (given) => readYaml(bytesOf(given)).problems.every(({ line }) => line >= 1)),
      { numRuns: 500 },
    );
  });
});

describe('readYaml', () => {
  it.each([
    ['', null],
    ['# only a comment\n', null],
    ['\uFEFFa: 1\n', { a: 1 }],
    ['a: 1\r\nb: [x, "y"]\r\n', { a: 1, b: ['x', 'y'] }],
    ['a: yes\nb: 0o17\nc: 2027-01-31\nd:\n', { a: 'yes', b: 15, c: '2027-01-31', d: null }],
    ['a: &x {b: 1}\nc: *x\n', { a: { b: 1 }, c: { b: 1 } }],
    ['<<: {a: 1}\n', { '<<': { a: 1 } }],
    ['--- {a: 1}\n', { a: 1 }],
  ])('reads %j by the core of YAML 1.2', (text, value) => {
    expect(readYaml(bytesOf(text))).toMatchObject({ document: { value }, problems: [] });
  });

  it('keeps a key called __proto__ as a key', () => {
    const value = readYaml(bytesOf('__proto__: {isAdmin: true}\n')).document?.value as object;
    expect(Object.hasOwn(value, '__proto__')).toBe(true);
    expect('isAdmin' in value).toBe(false);
  });

  it('keeps the last value of a repeated key, so that reading can go on', () => {
    expect(readYaml(bytesOf('a: 1\na: 2\n')).document?.value).toStrictEqual({ a: 2 });
  });

  it.each<[YamlPath, 'key' | 'value', string]>([
    [[], 'value', '2:1'],
    [['rules'], 'key', '2:1'],
    [['rules', 0], 'value', '3:5'],
    [['rules', 0, 'max_age'], 'key', '4:5'],
    [['rules', 0, 'max_age'], 'value', '4:14'],
    [['rules', 0, 'absent'], 'value', '3:5'],
    [['rules', 7], 'value', '2:1'],
    [['empty'], 'value', '5:1'],
    [['flow', 'b', 1], 'value', '6:23'],
    [['absent', 'deeper'], 'value', '2:1'],
    [['copy', 'a'], 'value', '6:14'],
  ])('tells the place of %j, %s: %s', (path, spot, place) => {
    const text =
      '# comment\nrules:\n  - rule: freshness\n    max_age: 26h\nempty:\nflow: &f {a: 1, b: [x,y]}\ncopy: *f\n';
    const position = readYaml(bytesOf(text)).document?.position(path, spot);
    expect(`${position?.line}:${position?.column}`).toBe(place);
  });
});

it('writes paths as people read them', () => {
  expect(formatYamlPath([])).toBe('');
  expect(formatYamlPath(['targets', 'nas', 'path'])).toBe('targets.nas.path');
  expect(formatYamlPath(['rules', 2, 'max_age'])).toBe('rules[2].max_age');
  expect(formatYamlPath(['hosts', 'a b\n', 'ssh'])).toBe('hosts."a b\\x0a".ssh');
});
