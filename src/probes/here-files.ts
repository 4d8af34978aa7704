/** Looks at, reads and hashes files of this host. Made from paths, in a worker thread, since every call here blocks. */

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import type { FileView, Unseen } from '../core/model/evidence.ts';
import { unseenFrom } from '../support/errors.ts';
import { pathToBytes } from '../support/paths.ts';
import { printablePath } from '../support/printable.ts';
import type { Reply } from './here-jobs.ts';
import { explainRefusal } from './listing-trouble.ts';
import { isSameFile } from './same-file.ts';
import { tooLarge, unseen } from './unseen.ts';

/** Measured: as fast as OpenSSL's own program; 64 KiB takes 1.6 times as long. */
const pieceBytes = 2 ** 20;
/** Often enough for a person who watches, seldom enough to cost nothing. */
const progressBytes = 64 * 2 ** 20;

/** Makes evidence of what `lstat` or `fstat` said. */
export function makeFileView(path: string, stats: BigIntStats): FileView {
  return {
    path,
    sizeBytes: Number(stats.size),
    mtimeNs: stats.mtimeNs.toString(),
    ctimeNs: stats.ctimeNs.toString(),
    inode: stats.ino.toString(),
  };
}

/** Hashes one file from first to last byte; answers `digest` only when it was the listed file before and after. */
export function hashFile(root: string, file: FileView, reply: Reply): void {
  const name = printablePath(file.path);
  const outcome = withOpenFile(root, file.path, (descriptor, before) => {
    if (!isSameFile(file, before)) return unseen('place/changed', `${name} changed after it was listed`);
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(pieceBytes);
    let [total, untold] = [0, 0];
    for (let count = readSync(descriptor, piece); count > 0; count = readSync(descriptor, piece)) {
      hash.update(piece.subarray(0, count));
      total += count;
      untold += count;
      if (untold >= progressBytes) {
        reply({ kind: 'progress', bytes: untold });
        untold = 0;
      }
    }
    reply({ kind: 'progress', bytes: untold });
    if (total !== file.sizeBytes) return unseen('place/changed', `${name} changed while it was read`);
    return hash.digest('hex');
  });
  if (typeof outcome === 'string') reply({ kind: 'digest', sha256: outcome });
  else reply({ kind: 'no-digest', why: outcome });
}

/** Reads one small file whole. */
export function readFile(root: string, path: string, maxBytes: number, reply: Reply): void {
  const outcome = withOpenFile(root, path, (descriptor, file) => {
    if (file.sizeBytes > maxBytes) return tooLarge(file, maxBytes);
    // One byte more than it should have, so that growth shows.
    const bytes = new Uint8Array(file.sizeBytes + 1);
    let total = 0;
    for (let count = -1; count !== 0 && total < bytes.length; total += count) {
      count = readSync(descriptor, bytes, total, bytes.length - total, null);
    }
    if (total !== file.sizeBytes) return unseen('place/changed', `${printablePath(path)} changed while it was read`);
    return { file, bytes: bytes.subarray(0, total) };
  });
  reply({ kind: 'read', result: 'bytes' in outcome ? { path, ...outcome } : { path, why: outcome } });
}

/**
 * Opens a regular file, without following a symlink and without waiting for the other end of a pipe, and looks at its name
 * again when `work` is done.
 */
function withOpenFile<T extends string | object>(
  root: string,
  path: string,
  work: (descriptor: number, file: FileView) => T | Unseen,
): T | Unseen {
  const where = Buffer.concat([pathToBytes(root), Buffer.from('/'), pathToBytes(path)]);
  const name = printablePath(path);
  try {
    const descriptor = openSync(where, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(descriptor, { bigint: true });
      if (!stats.isFile()) return unseen('place/changed', `${name} is no longer a regular file`);
      const file = makeFileView(path, stats);
      const result = work(descriptor, file);
      const isSame = isSameFile(file, makeFileView(path, lstatSync(where, { bigint: true })));
      return isSame ? result : unseen('place/changed', `${name} changed while it was read`);
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    const code = errorCode(thrown);
    if (code === undefined) throw thrown;
    if (code === 'ELOOP') return unseen('place/changed', `${name} is no longer a regular file`);
    return unseenFrom(explainRefusal(`cannot read ${name}`, systemWords(code)));
  }
}

/** The system's code of an error, such as `ENOENT`; undefined when it is no system error. */
export function errorCode(thrown: unknown): string | undefined {
  const code = thrown instanceof Error && 'syscall' in thrown && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** What the C locale calls an error, so that a person reads the same words whatever leads to a place. */
export function systemWords(code: string): string {
  return words[code] ?? code;
}

const words: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EIO: 'Input/output error',
};
