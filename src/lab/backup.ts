/** The lab's backup: what a sound one leaves on its targets, and what a forgetful or a stopped one does not. */

import { copyFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabQdrant } from './qdrant.ts';

/** One run of the backup. */
export interface LabBackupOptions {
  /** Takes snapshots; its clock gives them their names. */
  readonly qdrant: LabQdrant;
  /** Directories to copy to. */
  readonly targets: readonly string[];
  /** The backup's list. What is not on it is not copied, and nobody says so. */
  readonly collections: readonly string[];
  /** When the run is said to have happened, epoch ms. */
  readonly atMs: number;
}

/**
 * Runs it: one directory a run on each target, a directory a collection in it, `SHA256SUMS` written last.
 *
 * @returns the name of the run's directory.
 */
export function runLabBackup({ qdrant, targets, collections, atMs }: LabBackupOptions): string {
  const run = new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const lines: string[] = [];
  for (const collection of collections) {
    const { name, path, sha256 } = qdrant.snapshot(collection);
    lines.push(`${sha256}  ${collection}/${name}`);
    for (const target of targets) {
      const directory = join(target, run, collection);
      mkdirSync(directory, { recursive: true });
      copyFileSync(path, join(directory, name));
      utimesSync(join(directory, name), atMs / 1_000, atMs / 1_000);
    }
  }
  for (const target of targets) {
    mkdirSync(join(target, run), { recursive: true });
    writeFileSync(join(target, run, 'SHA256SUMS'), `${lines.join('\n')}\n`);
  }
  return run;
}

/** Flips one bit in the middle of a file: rot on a disk. Done twice, the file is as it was. */
export function flipBit(file: string): void {
  const bytes = readFileSync(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}
