/** Directories full of trouble, for what lists and reads files. */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileView, ListingView } from '../../src/core/model/evidence.ts';
import type { HashOptions, Place } from '../../src/probes/place.ts';
import type { ReadingOutcome } from '../../src/core/model/evidence.ts';
import { pathToBytes } from '../../src/support/paths.ts';

/** Names that a shell, a line-based tool or a decoder would trip over. In the form of `support/paths.ts`. */
export const oddNames: readonly string[] = [
  'plain.snapshot',
  'two words',
  ' leading and trailing ',
  'line\nbreak',
  'ends with newline\n',
  '\nstarts with newline',
  'carriage\rreturn',
  'tab\there',
  "single'quote",
  'double"quote',
  '$(touch x)',
  '`touch x`',
  '${HOME}',
  '-n',
  '--help',
  'back\\slash',
  '\\n',
  '\\',
  'percent %s %n %%',
  'star * and ? and [a-z]',
  'semi; touch x',
  'pipe | touch x & ! #',
  '|1|2|3|4|./forged',
  '~',
  '...',
  '.hidden',
  'ünïcödé-字-🦆',
  '\u001b[31mred',
  'not utf-8 \udcff\udcfe',
  '\udcc3',
  'é\udce9',
  'a'.repeat(255),
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  .forged',
];

/** A new directory that everybody may enter, removed by `remove`. */
export async function makeTree(): Promise<Tree> {
  const root = await mkdtemp(join(tmpdir(), 'deadair-tree-'));
  await chmod(root, 0o755);
  return new Tree(root);
}

/** One such directory. */
export class Tree implements AsyncDisposable {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Absolute bytes of a path in it. */
  at(path: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.root}/`), pathToBytes(path)]);
  }

  /** Writes a file, and the directories above it. */
  write(path: string, content: string | Uint8Array = path): void {
    const slash = path.lastIndexOf('/');
    if (slash > 0) mkdirSync(this.at(path.slice(0, slash)), { recursive: true });
    writeFileSync(this.at(path), content);
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

/** A listing that must succeed. */
export async function listed(place: Place, signal = new AbortController().signal): Promise<ListingView> {
  const evidence = await place.list(signal);
  if (!evidence.seen) throw new Error(`not seen: ${evidence.why.code} ${evidence.why.message}`);
  return evidence.value;
}

/** Hashes files and collects what came of each, by path. Two outcomes for one file are an error. */
export async function hashed(
  place: Place,
  files: readonly FileView[],
  options: Partial<HashOptions> = {},
): Promise<ReadonlyMap<string, ReadingOutcome>> {
  const outcomes = new Map<string, ReadingOutcome>();
  await place.hash(files, {
    cores: 2,
    idle: false,
    signal: new AbortController().signal,
    onOutcome: (file, outcome) => {
      if (outcomes.has(file.path)) throw new Error(`two outcomes for ${file.path}`);
      outcomes.set(file.path, outcome);
    },
    ...options,
  });
  return outcomes;
}

/** What came of each file, as a digest or the code of the reason. */
export function verdicts(outcomes: ReadonlyMap<string, ReadingOutcome>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...outcomes].map(([path, outcome]) => [path, outcome.kind === 'digest' ? outcome.sha256 : outcome.why.code]),
  );
}

/** The digest that a file of this content must have. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
