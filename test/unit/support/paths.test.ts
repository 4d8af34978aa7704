import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesToPath, pathToBytes } from '../../../src/support/paths.ts';
import { printablePath } from '../../../src/support/printable.ts';

describe('names of files', () => {
  it.each([
    [[0xff], '\udcff'],
    [[0x61, 0xc3, 0x62], 'a\udcc3b'],
    [[0xe2, 0x82], '\udce2\udc82'],
    [[0xc0, 0xaf], '\udcc0\udcaf'],
    [[0xed, 0xb3, 0xbf], '\udced\udcb3\udcbf'],
    [[0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
    [[0x0a, 0x00, 0x5c], '\n\0\\'],
  ])('keep the bytes %j', (bytes, path) => {
    expect(bytesToPath(Uint8Array.from(bytes))).toBe(path);
    expect([...pathToBytes(path)]).toStrictEqual(bytes);
  });

  it('come back as the same bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(Buffer.compare(pathToBytes(bytesToPath(bytes)), bytes)).toBe(0);
      }),
    );
  });

  it('are different names when their bytes differ', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }), (one, other) => {
        expect(bytesToPath(one) === bytesToPath(other)).toBe(Buffer.compare(one, other) === 0);
      }),
    );
  });
});

describe('names shown to a person', () => {
  it.each([
    ['a\nb', 'a\\x0ab'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['a\\x0a', 'a\\\\x0a'],
    ['\udcff', '\\xff'],
    ['invoice\u202efdp.exe', 'invoice\\u202efdp.exe'],
    ['größe 📦', 'größe 📦'],
  ])('%j are written %s', (path, text) => {
    expect(printablePath(path)).toBe(text);
  });

  it('never hold a control character', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const shown = printablePath(bytesToPath(bytes));
        expect(Array.from(shown).filter((char) => /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(char))).toStrictEqual([]);
      }),
    );
  });
});
