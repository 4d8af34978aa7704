import { expect, test } from 'vitest';
import { readTrouble } from '../../../src/probes/listing-trouble.ts';

function codes(stderr: string, status: number): readonly (readonly [string, string])[] {
  return readTrouble(stderr, status).map(({ path, why }) => [path, why.code] as const);
}

test('find that failed without a word leaves the whole root in doubt', () => {
  expect(codes('', 1)).toEqual([['', 'place/incomplete']]);
  expect(codes('Killed\n', 137)).toEqual([['', 'place/incomplete']]);
});

test('a good find is no trouble, whatever the login printed', () => {
  expect(
    codes('mesg: ttyname failed: Inappropriate ioctl for device\nWelcome to find: Permission denied\n', 0),
  ).toEqual([]);
});

test("GNU's quoted names are read back to their bytes", () => {
  const stderr = [
    "find: './plain': Permission denied",
    "find: './it\\'s\\na \\303\\274 \\377: x': Permission denied",
    "/usr/bin/find: './a: b': Permission denied",
    "find: '.': Permission denied",
  ].join('\n');
  expect(codes(stderr, 1)).toEqual([
    ['plain', 'place/denied'],
    ["it's\na ü \udcff: x", 'place/denied'],
    ['a: b', 'place/denied'],
    ['', 'place/denied'],
  ]);
});

test("BusyBox's and BSD's bare names are read, and each directory is told once", () => {
  const stderr = 'find: ./shut: Permission denied\nfind: ./shut: Permission denied\nfind: ./a b: Input/output error\n';
  expect(codes(stderr, 1)).toEqual([
    ['shut', 'place/denied'],
    ['', 'place/incomplete'],
  ]);
});

test('a file that vanished while it was listed leaves its directory in doubt, since it may have a new name', () => {
  expect(codes("find: './run/x.partial': No such file or directory\n", 1)).toEqual([['run', 'place/not-found']]);
  expect(codes("stat: can't stat './x': No such file or directory\n", 0)).toEqual([['', 'place/not-found']]);
  expect(codes("stat: cannot statx './run/x': No such file or directory\n", 0)).toEqual([['run', 'place/not-found']]);
});
