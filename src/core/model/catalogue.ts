/** What a target holds: which of its files are snapshots, of what, and made when. */

import type { FileView, Witness } from './evidence.ts';

/** One backup file on a target. */
export interface Snapshot {
  readonly file: FileView;
  /** Null when neither manifest, name, layout nor directory tells. */
  readonly collection: string | null;
  readonly madeAtMs: number;
  /** Where the time comes from, most trusted first. */
  readonly madeAtFrom: 'manifest' | 'name' | 'arrival' | 'mtime';
  readonly witnesses: readonly Witness[];
  /** A manifest that claims to list everything where this file lies; null when there is none. */
  readonly governedBy: string | null;
}

/** Everything a rule may ask of a target that could be seen. */
export interface Catalogue {
  readonly snapshots: readonly Snapshot[];
  readonly byCollection: ReadonlyMap<string, readonly Snapshot[]>;
  /** What manifests list and the listing does not have. */
  readonly missing: readonly MissingFile[];
  /** Files that are no snapshots but that a manifest lists: their bytes are checked as well. */
  readonly others: readonly Snapshot[];
  /** When each manifest arrived or last changed, epoch ms, by its path. */
  readonly manifestArrivals: ReadonlyMap<string, number>;
  /** When a file last arrived or grew on the target, one in flight included; null on an empty target. */
  readonly newestArrivalMs: number | null;
  /** Why the absence of a file proves nothing; null when the listing is whole. */
  readonly incomplete: string | null;
}

/** A file that a manifest lists and the listing does not have. */
export interface MissingFile {
  readonly path: string;
  readonly witness: Witness;
  /** Like {@link Snapshot.collection}. */
  readonly collection: string | null;
  /** When the manifest that lists it arrived. */
  readonly listedAtMs: number;
  /** True when a copy in flight has its name and still grows. */
  readonly isArriving: boolean;
}
