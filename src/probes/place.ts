/**
 * A place where files lie: this host or a host over SSH. Both pass `test/contract/place.test.ts`. Nothing here writes (G8).
 */

import type { Evidence, FileView, ListingView, ReadingOutcome } from '../core/model/evidence.ts';

/** A directory whose files can be listed, read and hashed. Each method has its own deadline. */
export interface Place {
  /** `file:///srv/backups` or `ssh://user@host:22/srv/backups`: what evidence and the ledger are keyed by. */
  readonly address: string;

  /**
   * Lists all regular files below the root, following a symlink only at the root itself, staying on one file system,
   * in one round trip. A missing root, a denied root, a lost connection are `seen: false`, never thrown.
   */
  list(signal: AbortSignal): Promise<Evidence<ListingView>>;

  /**
   * Reads small files whole, for manifests.
   *
   * @param maxBytesEach files above it are not read and get a `why` of `output/too-large`.
   * @returns one entry a path, in the order asked.
   * @throws WatchdogError when the place as a whole is lost, or `aborted`. A retry may help.
   */
  read(
    paths: readonly string[],
    options: { readonly maxBytesEach: number; readonly signal: AbortSignal },
  ): Promise<readonly ReadResult[]>;

  /**
   * Reads files from first to last byte where they lie and hashes them with SHA-256.
   *
   * A file counts as read only when it was the same file (all of {@link FileView}) before and after.
   *
   * `options.onOutcome` is called once a file, as each ends, in any order; files we were stopped before get none.
   *
   * @throws WatchdogError when the place as a whole is lost, or `aborted`; outcomes told before stay true. A retry may help.
   */
  hash(files: readonly FileView[], options: HashOptions): Promise<void>;

  /** Stops what still runs, here or there. A connection stays open: it belongs to whoever opened it. */
  close(): Promise<void>;
}

/** A small file's bytes, and the file as it was both before and after it was read; or why there are none. */
export type ReadResult =
  | { readonly path: string; readonly file: FileView; readonly bytes: Uint8Array }
  | {
      readonly path: string;
      readonly why: { readonly code: string; readonly message: string; readonly hint?: string };
    };

/** How to read: how hard, and whom to tell. */
export interface HashOptions {
  /** Files hashed side by side, at least 1. */
  readonly cores: number;
  /** True: lowest CPU and I/O priority, so that the host's own work goes first. */
  readonly idle: boolean;
  readonly signal: AbortSignal;
  readonly onOutcome: (file: FileView, outcome: ReadingOutcome) => void;
  /** Bytes read since the last call, as often as the place can tell. */
  readonly onProgress?: (bytes: number) => void;
}
