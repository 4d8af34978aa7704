/** Directories of snapshots as a backup leaves them, for what looks at them from outside. */

import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** One hour, ms. */
export const hourMs = 3_600_000;

/** A new directory that everybody may enter, removed after the running test. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'deadair-e2e-'));
  chmodSync(path, 0o755);
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Qdrant's own name for a snapshot. */
export function snapshotName(collection: string, atMs: number): string {
  const stamp = new Date(atMs).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
  return `${collection}-5107399302912640-${stamp}.snapshot`;
}

/** One directory of copies. */
export interface Copies {
  readonly path: string;
  /** Puts a snapshot there, an hour old unless told otherwise. Returns its name. */
  snapshot(collection: string, options?: { readonly atMs?: number; readonly bytes?: string }): string;
  /** Puts any file there, by its relative path. Returns its absolute one. */
  put(name: string, bytes: string): string;
  /** Writes SHA256SUMS over all snapshots that were put there so far, lines of our own last. */
  sums(more?: readonly string[], lineBreak?: string): void;
}

/** Makes an empty one. */
export function makeCopies(path = temporaryDirectory()): Copies {
  const lines: string[] = [];
  const put = (name: string, bytes: string): string => {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    return file;
  };
  return {
    path,
    put,
    snapshot: (collection, { atMs = Date.now() - hourMs, bytes = `all of ${collection} at ${atMs}` } = {}) => {
      const name = snapshotName(collection, atMs);
      utimesSync(put(name, bytes), atMs / 1_000, atMs / 1_000);
      lines.push(`${sha256(bytes)}  ${name}`);
      return name;
    },
    sums: (more = [], lineBreak = '\n') => void put('SHA256SUMS', [...lines, ...more, ''].join(lineBreak)),
  };
}

/** SHA-256 in hex; `latin1` for text whose characters are bytes. */
export function sha256(bytes: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  return createHash('sha256').update(bytes, encoding).digest('hex');
}
