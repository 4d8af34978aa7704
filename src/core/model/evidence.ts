/** Evidence: what a probe saw, or why it could not see. Keyed by what was looked at, never by a name in the configuration. */

/** Why something could not be looked at. */
export interface Unseen {
  /** A code of `support/errors.ts`, such as `net/timeout`. */
  readonly code: string;
  /** One sentence for a person: what failed, on what, with what. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/**
 * One observation. `seen: false` is never empty and never good: every rule turns it into `unknown`.
 *
 * @typeParam T what was seen.
 */
export type Evidence<T> =
  | { readonly seen: true; readonly address: string; readonly observedAtMs: number; readonly value: T }
  | { readonly seen: false; readonly address: string; readonly observedAtMs: number; readonly why: Unseen };

/** A live Qdrant, as one pass saw it. */
export interface SourceView {
  /** Qdrant's own version, such as `1.19.0`. */
  readonly version: string;
  readonly collections: readonly CollectionView[];
  readonly aliases: readonly AliasView[];
  /**
   * Whether the list can be trusted to be whole: `whole` when `/cluster` answered and says one node; `cluster` when this
   * is one peer of several, so other shards stay out of sight; `filtered` when `/cluster` was forbidden, which a
   * key that sees only some collections causes.
   */
  readonly scope: 'whole' | 'cluster' | 'filtered';
}

/** A live collection. */
export interface CollectionView {
  readonly name: string;
  /** The exact count; or why there is none. */
  readonly points: { readonly seen: true; readonly count: number } | { readonly seen: false; readonly why: Unseen };
}

/** An alias and the collection it stands for. */
export interface AliasView {
  readonly alias: string;
  readonly collection: string;
}

/** One file of a target. Names keep every byte (`support/paths.ts`) and are relative to the target's root. */
export interface FileView {
  readonly path: string;
  readonly sizeBytes: number;
  /** Ns since the epoch as a decimal string: it is a key, and only compared. */
  readonly mtimeNs: string;
  /** Ns since the epoch, null where the transport cannot tell (SFTP). Arrival: a chmod moves it forward, nothing back. */
  readonly ctimeNs: string | null;
  /** Null where the transport cannot tell (SFTP). */
  readonly inode: string | null;
}

/** A target's directory as one pass saw it: regular files only. */
export interface ListingView {
  readonly files: readonly FileView[];
  /** Directories that could not be read; while there is one, absence of a file proves nothing. */
  readonly unreadable: readonly { readonly path: string; readonly why: Unseen }[];
}

/** What a manifest says about one file. */
export interface Witness {
  /** The manifest that says so, a path like {@link FileView.path}. */
  readonly manifest: string;
  /** 64 lower-case hex digits; null where a manifest tells only the size. */
  readonly sha256: string | null;
  readonly sizeBytes?: number;
  readonly collection?: string;
  /** When the run that made the snapshot began, by the manifest: its data is no older. */
  readonly madeAtMs?: number;
  /** Exact point counts around the snapshot, by the manifest. */
  readonly points?: { readonly before: number; readonly after: number };
}

/** All manifests of a target, read. */
export interface ManifestsView {
  /** Witnesses of each file, keyed by {@link FileView.path}. A file may have several, and they may disagree. */
  readonly witnesses: ReadonlyMap<string, readonly Witness[]>;
  /**
   * Directories for which a manifest claims to list everything (SHA256SUMS, manifest.json), `''` for the root. A
   * sidecar of one file claims nothing about others.
   */
  readonly complete: readonly { readonly directory: string; readonly manifest: string }[];
  /** Lines that could not be understood, paths that climb out, files that could not be read. */
  readonly problems: readonly ManifestProblem[];
}

/** Something in a manifest that cannot be used. It is a finding: a line that is not understood guards nothing. */
export interface ManifestProblem {
  readonly manifest: string;
  /** 1-based; null where it is about the file as a whole. */
  readonly line: number | null;
  readonly message: string;
}

/** A target: listing and manifests, taken one after the other over one connection. */
export interface TargetView {
  readonly listing: ListingView;
  readonly manifests: ManifestsView;
}

/**
 * The memory of one file's bytes, in the ledger of digests. The key is all of {@link FileView}: when one of its fields
 * changes, it is another file and starts unread.
 */
export interface Reading {
  /** When this file was first listed. */
  readonly firstSeenAtMs: number;
  /** True when it lay there at the first sight of its target: backlog, not news. */
  readonly isBacklog: boolean;
  /** The first digest ever read of this key, null when there is none: the witness of grade `first-seen`. */
  readonly firstSha256: string | null;
  /** How the newest reading ended; null while unread. */
  readonly outcome: ReadingOutcome | null;
}

/** How reading a file ended. */
export type ReadingOutcome =
  | {
      readonly kind: 'digest';
      readonly sha256: string;
      readonly readAtMs: number;
      /** Who hashed: `here`, or the tool of the target's host, such as `openssl`. */
      readonly tool: string;
    }
  /** Could not be read; `why.code` tells denied from vanished from aborted. */
  | { readonly kind: 'unreadable'; readonly readAtMs: number; readonly why: Unseen };

/** A collection once seen on a source. Remembered until somebody explains where it went (G6). */
export interface RememberedCollection {
  readonly name: string;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  /** True when it was there at the first sight of its source: it has no claim to the grace of a new one. */
  readonly isBaseline: boolean;
  /** The last exact count, null when none was ever taken. */
  readonly points: number | null;
}
