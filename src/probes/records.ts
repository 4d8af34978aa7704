/**
 * File records: how `find` and `stat` on another host tell us of files, and a reader of that stream. Made from bytes in
 * pieces of any size; it never holds more than the piece and one unfinished record.
 */

import { isUtf8 } from 'node:buffer';
import type { FileView } from '../core/model/evidence.ts';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { bytesToPath } from '../support/paths.ts';

/**
 * How a host can tell of files. `gnu`: `find -printf` with NUL between fields. `stat`: `stat -c` (BusyBox), `bsd`: `stat -f`,
 * both with a nonce before each record, since they can print no NUL. `stat` knows whole seconds only.
 */
export type RecordForm = 'gnu' | 'stat' | 'bsd';

/** Reads records as they come. Names are relative; each arrives as `./name`. */
export interface RecordReader {
  /**
   * Takes the next piece.
   *
   * @returns the files whose records are now complete.
   * @throws WatchdogError `place/incomplete` when this is no stream of records, `output/too-large` when one is endless.
   */
  push(chunk: Uint8Array): readonly FileView[];
  /** What came after the last complete record: the end mark, when all is well. */
  rest(): string;
}

/** Makes a reader for one stream. */
export function createRecordReader(form: RecordForm, nonce: string): RecordReader {
  return form === 'gnu' ? new NulRecords() : new NonceRecords(nonce);
}

/** Reads a stream that is already here, up to its last complete record. */
export function readRecords(form: RecordForm, nonce: string, bytes: Uint8Array): readonly FileView[] {
  // What comes last is completed by an end mark, as in a stream.
  return createRecordReader(form, nonce).push(
    form === 'gnu' ? bytes : Buffer.concat([Buffer.from('\n'), bytes, Buffer.from(nonce)]),
  );
}

const nul = 0;
const fieldsPerRecord = 5;

class NulRecords implements RecordReader {
  #pending: Buffer = Buffer.alloc(0);
  #fields: string[] = [];

  push(chunk: Uint8Array): readonly FileView[] {
    const bytes = append(this.#pending, chunk);
    const cut = bytes.lastIndexOf(nul);
    this.#pending = keep(bytes.subarray(cut + 1));
    if (cut < 0) return [];
    const whole = bytes.subarray(0, cut);
    const fields = [...this.#fields, ...(isUtf8(whole) ? whole.toString('utf8').split('\0') : splitAtNul(whole))];
    const count = Math.floor(fields.length / fieldsPerRecord);
    const files: FileView[] = [];
    for (let record = 0; record < count; record += 1) {
      const at = record * fieldsPerRecord;
      files.push(makeFile(fields[at], fields[at + 1], fields[at + 2], fields[at + 3], fields[at + 4]));
    }
    this.#fields = fields.slice(count * fieldsPerRecord);
    return files;
  }

  rest(): string {
    return this.#fields.length === 0 ? this.#pending.toString('latin1') : '';
  }
}

class NonceRecords implements RecordReader {
  readonly #mark: Buffer;
  #pending: Buffer = Buffer.alloc(0);

  constructor(nonce: string) {
    this.#mark = Buffer.from(`\n${nonce}`);
  }

  push(chunk: Uint8Array): readonly FileView[] {
    const bytes = append(this.#pending, chunk);
    const cut = bytes.lastIndexOf(this.#mark);
    this.#pending = keep(cut < 0 ? bytes : bytes.subarray(cut));
    const files: FileView[] = [];
    for (let from = bytes.indexOf(this.#mark); from >= 0 && from < cut;) {
      const next = bytes.indexOf(this.#mark, from + this.#mark.length);
      files.push(this.#parse(bytes.subarray(from + this.#mark.length, next)));
      from = next;
    }
    return files;
  }

  rest(): string {
    return this.#pending.subarray(0, 200).toString('latin1');
  }

  /** `|size|mtime|ctime|inode|./name`: only the name may contain the separator. */
  #parse(record: Buffer): FileView {
    const parts = record.subarray(0, 120).toString('latin1').split('|', fieldsPerRecord);
    const nameAt = parts.join('|').length + 1;
    return makeFile(parts[1], parts[2], parts[3], parts[4], bytesToPath(record.subarray(nameAt)));
  }
}

/** Copies what must outlive the piece it came in. */
function keep(bytes: Buffer): Buffer {
  if (bytes.length > limits.recordBytes) {
    throw new WatchdogError('output/too-large', `one record of the listing exceeds ${limits.recordBytes} bytes`);
  }
  return Buffer.from(bytes);
}

function append(pending: Buffer, chunk: Uint8Array): Buffer {
  const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return pending.length === 0 ? view : Buffer.concat([pending, view]);
}

function splitAtNul(bytes: Buffer): string[] {
  const fields: string[] = [];
  for (let from = 0; from <= bytes.length;) {
    const next = bytes.indexOf(nul, from);
    const end = next < 0 ? bytes.length : next;
    fields.push(bytesToPath(bytes.subarray(from, end)));
    from = end + 1;
  }
  return fields;
}

function makeFile(size = '', mtime = '', ctime = '', inode = '', name = ''): FileView {
  if (!/^\d+$/.test(size) || !/^\d+$/.test(inode) || !name.startsWith('./') || name.length === 2) {
    throw new WatchdogError('place/incomplete', 'the listing holds something that is no record of a file');
  }
  return {
    path: name.slice(2),
    sizeBytes: Number(size),
    mtimeNs: toNs(mtime),
    ctimeNs: toNs(ctime),
    inode,
  };
}

/** `1795379160.1234567890` → `1795379160123456789`. Before 1970 the fraction still counts forward, as the kernel's does. */
function toNs(seconds: string): string {
  const match = /^(-?\d+)(?:\.(\d{1,9})\d*)?$/.exec(seconds);
  if (match === null) {
    throw new WatchdogError('place/incomplete', 'the listing holds something that is no time');
  }
  const [, whole = '', fraction = ''] = match;
  const nanoseconds = fraction.padEnd(9, '0');
  if (/^[1-9]/.test(whole)) return whole + nanoseconds;
  return (BigInt(whole) * 1_000_000_000n + BigInt(nanoseconds)).toString();
}
