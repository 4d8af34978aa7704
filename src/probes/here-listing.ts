/** Lists a directory tree of this host. Made from a root, in a worker thread, since every call here blocks. */

import { lstatSync, opendirSync, readdirSync, statSync, type BigIntStats } from 'node:fs';
import type { FileView } from '../core/model/evidence.ts';
import { unseenFrom } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { bytesToPath, pathToBytes } from '../support/paths.ts';
import { printablePath } from '../support/printable.ts';
import { errorCode, makeFileView, systemWords } from './here-files.ts';
import type { Reply } from './here-jobs.ts';
import { explainRefusal } from './listing-trouble.ts';
import { unseen } from './unseen.ts';

/** Files in one answer: the main thread takes each in about a millisecond. */
const filesPerReply = 1_000;

/** Answers `files` and `unreadable`, then `done`; or `failed` when the root itself cannot be listed. */
export function listTree(root: string, reply: Reply): void {
  const tree = new Tree(root, reply);
  try {
    tree.enter();
  } catch (thrown) {
    const words = systemWords(errorCode(thrown) ?? rethrow(thrown));
    reply({ kind: 'failed', why: unseenFrom(explainRefusal(`cannot enter ${printablePath(root)}`, words)) });
    return;
  }
  if (tree.walk()) reply({ kind: 'done' });
}

class Tree {
  readonly #root: Buffer;
  readonly #reply: Reply;
  /** Relative to the root, `''` for itself. */
  #directories: string[] = [''];
  #files: FileView[] = [];
  #count = 0;
  /** The device of the root: other file systems mounted below it are not entered. */
  #device = 0n;

  constructor(root: string, reply: Reply) {
    this.#root = pathToBytes(root);
    this.#reply = reply;
  }

  /** @throws the system's error when the root is absent, no directory, or may not be listed. */
  enter(): void {
    // With a dot, so that a file or a dangling link is an error, and a link to a directory is followed.
    this.#device = statSync(this.#absolute('.'), { bigint: true }).dev;
    opendirSync(this.#absolute('.')).closeSync();
  }

  /** @returns false when it gave up. */
  walk(): boolean {
    for (let directory = this.#directories.pop(); directory !== undefined; directory = this.#directories.pop()) {
      try {
        this.#list(directory);
      } catch (thrown) {
        this.#tell(directory, errorCode(thrown) ?? rethrow(thrown));
      }
      if (this.#count > limits.files) {
        const hint = 'point the target at a directory that holds backups only';
        this.#reply({ kind: 'failed', why: unseen('output/too-large', `more than ${limits.files} files`, hint) });
        return false;
      }
    }
    this.#flush();
    return true;
  }

  #list(directory: string): void {
    const prefix = directory === '' ? '' : `${directory}/`;
    for (const entry of readdirSync(this.#absolute(directory), { encoding: 'buffer', withFileTypes: true })) {
      const path = prefix + bytesToPath(entry.name);
      if (entry.isSymbolicLink()) continue;
      try {
        this.#see(path, lstatSync(this.#absolute(path), { bigint: true }));
      } catch (thrown) {
        // What vanished may have a new name that this listing missed: its directory is what is not whole.
        this.#tell(directory, errorCode(thrown) ?? rethrow(thrown));
      }
    }
  }

  #see(path: string, stats: BigIntStats): void {
    if (stats.isDirectory() && stats.dev === this.#device) this.#directories.push(path);
    if (!stats.isFile()) return;
    this.#count += 1;
    this.#files.push(makeFileView(path, stats));
    if (this.#files.length === filesPerReply) this.#flush();
  }

  #flush(): void {
    this.#reply({ kind: 'files', files: this.#files });
    this.#files = [];
  }

  #tell(path: string, code: string): void {
    const what = `cannot list ${path === '' ? '.' : printablePath(path)}`;
    const why = unseenFrom(explainRefusal(what, systemWords(code)));
    const isPlain = why.code === 'place/denied' || why.code === 'place/not-found';
    this.#reply({ kind: 'unreadable', path, why: isPlain ? why : { ...why, code: 'place/incomplete' } });
  }

  #absolute(path: string): Buffer {
    return Buffer.concat([this.#root, Buffer.from('/'), pathToBytes(path)]);
  }
}

/** A mistake of ours is no evidence. */
function rethrow(thrown: unknown): never {
  throw thrown;
}
