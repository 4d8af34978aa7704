/** The world as one pass knows it: fresh evidence, and what the store remembers. The judges see nothing else. */

import type { Catalogue } from './catalogue.ts';
import type { Evidence, FileView, Reading, RememberedCollection, SourceView, TargetView } from './evidence.ts';

/** A source, with its memory. */
export interface SourceWorld {
  readonly name: string;
  readonly evidence: Evidence<SourceView>;
  /** Everything ever seen there, the present included. */
  readonly remembered: readonly RememberedCollection[];
}

/** A target, with its memory. */
export interface TargetWorld {
  readonly name: string;
  /** Name of the configured host, null for this host. */
  readonly host: string | null;
  /** Tells whether two targets are on distinct machines: `this host`, or the SSH host and port. */
  readonly machine: string;
  readonly evidence: Evidence<TargetView>;
  /** Made of the evidence, once for all who ask; null while the target is out of sight. */
  readonly catalogue: Catalogue | null;
  /** The ledger for a listed file. A file without an entry was never seen before this pass. */
  readonly reading: (file: FileView) => Reading | undefined;
  /** Sum of the sizes of all backlog, read or not: what its bound is computed from must not shrink as reading goes on. */
  readonly backlogBytes: number;
}

/** A configured SSH host. */
export interface HostWorld {
  readonly name: string;
  readonly evidence: Evidence<Record<string, never>>;
}

/** A configured receiver: whether it could be reached and would take our messages. */
export interface ReceiverWorld {
  readonly name: string;
  readonly evidence: Evidence<Record<string, never>>;
}

/** Something wrong with the watchdog itself. */
export interface SelfTrouble {
  /** `clock`, `outbox`, `pass`, `reader`, `reload` or `store`. */
  readonly name: string;
  readonly headline: string;
  readonly summary: string;
  readonly todo: string | null;
}

/** What the watchdog knows of itself. */
export interface SelfWorld {
  readonly troubles: readonly SelfTrouble[];
  readonly observedAtMs: number;
}

/** One pass's knowledge. */
export interface World {
  readonly sources: readonly SourceWorld[];
  readonly targets: readonly TargetWorld[];
  readonly hosts: readonly HostWorld[];
  readonly receivers: readonly ReceiverWorld[];
  readonly self: SelfWorld;
}

/** How the judges may treat what is not there yet. */
export interface JudgeOptions {
  readonly nowMs: number;
  /** Between passes; evidence older than a few of these has expired. */
  readonly checkEveryMs: number;
  /**
   * True in the daemon, where bytes that have arrived wait for the reader (`unread`). False in `check`, where
   * everything due has been read before judging and nobody may be told to wait.
   */
  readonly isReaderBeside: boolean;
}
