/**
 * The entries of one place in memory, found by a file's whole key. A path usually has one; it has more while changed
 * files are remembered.
 */

import type { FileView } from '../core/model/evidence.ts';
import type { Entry } from './ledger-rows.ts';

/** A place's entries. */
export class PlaceEntries {
  readonly #byPath = new Map<string, readonly Entry[]>();
  #size = 0;

  /** How many entries there are. */
  get size(): number {
    return this.#size;
  }

  /** The entry of exactly this file. */
  find(file: FileView): Entry | undefined {
    return this.#byPath.get(file.path)?.find((entry) => isSameFile(entry.file, file));
  }

  /** Adds an entry in place of an older one of the same file. */
  put(entry: Entry): void {
    const others = this.#without(entry.file);
    this.#byPath.set(entry.file.path, [...others, entry]);
    this.#size += 1;
  }

  /** Takes an entry out. */
  remove(entry: Entry): void {
    const others = this.#without(entry.file);
    if (others.length === 0) this.#byPath.delete(entry.file.path);
    else this.#byPath.set(entry.file.path, others);
  }

  /** All entries except those of the files given. */
  except(files: readonly FileView[]): readonly Entry[] {
    const excepted = new Set(files.map((file) => this.find(file)));
    return [...this.#byPath.values()].flat().filter((entry) => !excepted.has(entry));
  }

  /** The other entries of the file's path; the caller decides what becomes of them. */
  #without(file: FileView): readonly Entry[] {
    const all = this.#byPath.get(file.path) ?? [];
    const others = all.filter((entry) => !isSameFile(entry.file, file));
    this.#size -= all.length - others.length;
    return others;
  }
}

function isSameFile(one: FileView, other: FileView): boolean {
  return (
    one.path === other.path &&
    one.sizeBytes === other.sizeBytes &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs &&
    one.inode === other.inode
  );
}
