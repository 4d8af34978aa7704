import { describe, expect, test } from 'vitest';
import { createRecordReader, readRecords, type RecordForm } from '../../../src/probes/records.ts';

const nonce = 'c0ffee00c0ffee00c0ffee00';
const files = [
  { name: 'plain', bytes: Buffer.from('plain') },
  { name: 'a|b|\n|c', bytes: Buffer.from('a|b|\n|c') },
  { name: 'ü \udcff', bytes: Buffer.concat([Buffer.from('ü '), Buffer.from([0xff])]) },
  { name: 'dir/\n', bytes: Buffer.from('dir/\n') },
];

function stream(form: RecordForm): Buffer {
  const records = files.flatMap(({ bytes }, index) =>
    form === 'gnu'
      ? [Buffer.from(`${index}\x001795379160.1234567890\x000.5000000000\x0017\0./`), bytes, Buffer.from([0])]
      : [Buffer.from(`${nonce}|${index}|1795379160.123456789|0.5|17|./`), bytes, Buffer.from('\n')],
  );
  return Buffer.concat([...(form === 'gnu' ? [] : [Buffer.from('\n')]), ...records, Buffer.from(`${nonce} end 0\n`)]);
}

describe.each(['gnu', 'stat', 'bsd'] as const)('records in the form %s', (form) => {
  test('are the same whatever pieces they come in', () => {
    const whole = stream(form);
    for (let size = 1; size <= whole.length; size += 1) {
      const reader = createRecordReader(form, nonce);
      const found = [];
      for (let at = 0; at < whole.length; at += size) found.push(...reader.push(whole.subarray(at, at + size)));
      expect(found).toEqual(
        files.map(({ name }, index) => ({
          path: name,
          sizeBytes: index,
          mtimeNs: '1795379160123456789',
          ctimeNs: '500000000',
          inode: '17',
        })),
      );
      expect(reader.rest().trim()).toBe(`${nonce} end 0`);
    }
  });

  test('never end with a mark when the stream was cut anywhere', () => {
    const whole = stream(form);
    for (let length = 0; length < whole.length - 1; length += 1) {
      const reader = createRecordReader(form, nonce);
      reader.push(whole.subarray(0, length));
      expect(reader.rest()).not.toMatch(new RegExp(`^\\n?${nonce} end \\d+\\n`));
    }
  });

  test('that are none are refused', () => {
    const record =
      form === 'gnu' ? Buffer.from('x\x001\x001\x001\0./a\0') : Buffer.from(`\n${nonce}|x|1|1|1|./a\n${nonce}|`);
    expect(() => createRecordReader(form, nonce).push(record)).toThrow(/no record of a file/);
  });

  test('without an end are given up before they fill the memory', () => {
    const reader = createRecordReader(form, nonce);
    const flood = (): void => {
      for (let count = 0; count < 1_000; count += 1) reader.push(Buffer.alloc(4_096, 'x'));
    };
    expect(flood).toThrow(expect.objectContaining({ code: 'output/too-large' }));
  });
});

test('a time that is none is refused', () => {
  expect(() => readRecords('gnu', nonce, Buffer.from('1\x00soon\x001\x001\0./a\0'))).toThrow(/no time/);
});

test('times before 1970 count their fraction forward, as the kernel does', () => {
  const [file] = readRecords('gnu', nonce, Buffer.from('1\x00-315619200.2500000000\x000.0000000000\x001\0./a\0'));
  expect(file).toMatchObject({ mtimeNs: '-315619199750000000', ctimeNs: '0' });
});
