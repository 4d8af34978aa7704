/**
 * What the lab's Qdrant keeps on disk: collections, aliases, snapshots. Made from a directory; another one made from the same
 * directory, after a kill too, goes on where it stood. It knows nothing of HTTP.
 */

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buildArchive } from './qdrant-archive.ts';

/** A finished snapshot file. */
export interface LabSnapshot {
  readonly name: string;
  /** Absolute; mode 0600, as Qdrant leaves it. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A snapshot as it is listed. */
export interface ListedSnapshot {
  readonly name: string;
  /** UTC without Z, to the second. */
  readonly creation_time: string;
  readonly size: number;
  /** Left out where no sidecar lies beside the file. */
  readonly checksum?: string;
}

/** Ids 1 to `points` exist, and `others`: what was upserted one by one. */
interface StoredCollection {
  readonly points: number;
  readonly others: readonly string[];
}

interface StoredState {
  readonly peerId: number;
  readonly collections: Readonly<Record<string, StoredCollection>>;
  readonly aliases: Readonly<Record<string, string>>;
}

/** The storage of one lab Qdrant. All methods are synchronous, so that none interleaves with another. */
export class LabStorage {
  readonly #directory: string;
  readonly #clock: () => number;
  #collections: Map<string, StoredCollection>;
  #aliases: Map<string, string>;
  readonly peerId: number;

  /** Opens or creates `directory`. A peer id once stored stays. */
  constructor(directory: string, options: { readonly clock: () => number; readonly peerId: number }) {
    mkdirSync(join(directory, 'snapshots'), { recursive: true });
    this.#directory = directory;
    this.#clock = options.clock;
    const path = join(directory, 'state.json');
    const stored = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StoredState) : null;
    this.peerId = stored?.peerId ?? options.peerId;
    this.#collections = new Map(Object.entries(stored?.collections ?? {}));
    this.#aliases = new Map(Object.entries(stored?.aliases ?? {}));
  }

  /** Names of all collections, ordered. */
  names(): readonly string[] {
    return [...this.#collections.keys()].toSorted();
  }

  /** The collection that a name or an alias stands for, null when there is none. */
  resolve(nameOrAlias: string): string | null {
    const name = this.#aliases.get(nameOrAlias) ?? nameOrAlias;
    return this.#collections.has(name) ? name : null;
  }

  /** @throws Error when there is no such collection. */
  points(name: string): number {
    const { points, others } = this.#get(name);
    return points + others.length;
  }

  /** @returns false when it exists already. */
  create(name: string, points: number): boolean {
    if (this.#collections.has(name) || this.#aliases.has(name)) return false;
    this.#collections.set(name, { points, others: [] });
    this.#save();
    return true;
  }

  /**
   * Deletes a collection and its aliases. Its snapshots stay on disk, out of the API's sight.
   *
   * @returns false when there was none.
   */
  delete(name: string): boolean {
    const existed = this.#collections.delete(name);
    this.#aliases = new Map([...this.#aliases].filter(([, collection]) => collection !== name));
    this.#save();
    return existed;
  }

  /** @throws Error when there is no such collection. */
  setPoints(name: string, points: number): void {
    this.#get(name);
    this.#collections.set(name, { points, others: [] });
    this.#save();
  }

  /** Adds the points of these ids; one that exists is replaced, and counts once. */
  upsert(name: string, ids: readonly (number | string)[]): void {
    const { points, others } = this.#get(name);
    const isNew = (id: number | string): boolean => !(typeof id === 'number' && id >= 1 && id <= points);
    this.#collections.set(name, { points, others: [...new Set([...others, ...ids.filter(isNew).map(String)])] });
    this.#save();
  }

  /** All aliases, ordered. */
  aliases(): readonly { readonly alias_name: string; readonly collection_name: string }[] {
    return [...this.#aliases]
      .map(([alias, collection]) => ({ alias_name: alias, collection_name: collection }))
      .toSorted((one, other) => (one.alias_name < other.alias_name ? -1 : 1));
  }

  /** Points an alias to a collection, or takes it away when that is null. */
  setAlias(alias: string, collection: string | null): void {
    if (collection === null) this.#aliases.delete(alias);
    else this.#aliases.set(alias, collection);
    this.#save();
  }

  /**
   * Makes a snapshot named after the clock's second; a second one in that second replaces the first, as in Qdrant.
   *
   * @throws what the file system throws, such as ENAMETOOLONG for a collection name above 198 bytes.
   */
  takeSnapshot(collection: string): LabSnapshot {
    const points = this.points(collection);
    const madeAtMs = Math.floor(this.#clock() / 1_000) * 1_000;
    const stamp = new Date(madeAtMs).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
    const name = `${collection}-${this.peerId}-${stamp}.snapshot`;
    const bytes = buildArchive({ collection, points, madeAtMs });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = join(this.#snapshotDirectory(collection), name);
    mkdirSync(this.#snapshotDirectory(collection), { recursive: true });
    writeFileSync(`${path}.tmp`, bytes, { mode: 0o600 });
    // The lab's clock may differ from the machine's, and this is where the listing takes the creation time from.
    utimesSync(`${path}.tmp`, madeAtMs / 1_000, madeAtMs / 1_000);
    renameSync(`${path}.tmp`, path);
    writeFileSync(`${path}.checksum`, sha256);
    return { name, path, sizeBytes: bytes.length, sha256 };
  }

  /** Finished snapshots, in no order of time. A missing directory holds none. */
  snapshots(collection: string): readonly ListedSnapshot[] {
    const directory = this.#snapshotDirectory(collection);
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .filter((name) => name.endsWith('.snapshot'))
      .map((name) => {
        const path = join(directory, name);
        const { size, mtimeMs } = statSync(path);
        const sidecar = `${path}.checksum`;
        return {
          name,
          creation_time: new Date(mtimeMs).toISOString().slice(0, 19),
          size,
          ...(existsSync(sidecar) ? { checksum: readFileSync(sidecar, 'utf8') } : {}),
        };
      });
  }

  /** Where a listed snapshot lies, null when it is not listed. */
  snapshotPath(collection: string, name: string): string | null {
    const isListed = this.snapshots(collection).some((snapshot) => snapshot.name === name);
    return isListed ? join(this.#snapshotDirectory(collection), name) : null;
  }

  /** @returns false when there was none. */
  deleteSnapshot(collection: string, name: string): boolean {
    const path = this.snapshotPath(collection, name);
    if (path === null) return false;
    rmSync(path);
    rmSync(`${path}.checksum`, { force: true });
    return true;
  }

  #get(name: string): StoredCollection {
    const found = this.#collections.get(name);
    if (found === undefined) throw new Error(`The lab's Qdrant has no collection ${JSON.stringify(name)}`);
    return found;
  }

  /** A name of dots alone would lead out of the directory. */
  #snapshotDirectory(collection: string): string {
    return join(this.#directory, 'snapshots', /^\.+$/.test(collection) ? `dots-${collection.length}` : collection);
  }

  /** Written beside and renamed, so that a kill leaves the old state or the new one. */
  #save(): void {
    const state: StoredState = {
      peerId: this.peerId,
      collections: Object.fromEntries(this.#collections),
      aliases: Object.fromEntries(this.#aliases),
    };
    const path = join(this.#directory, 'state.json');
    writeFileSync(`${path}.tmp`, JSON.stringify(state));
    renameSync(`${path}.tmp`, path);
  }
}
