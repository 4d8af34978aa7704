/**
 * The ledger of digests: what reading each file of a place has told, keyed by all of `FileView`. Held in memory a
 * place, written through to the database. A digest once read is never lost to a later failure.
 */

import type { FileView, Reading, ReadingOutcome } from '../core/model/evidence.ts';
import type { Database } from './database.ts';
import { prepareLedger } from './ledger-rows.ts';
import { PlaceLedger } from './place-ledger.ts';

/** The memory of one place's files; always the newest, also after later recordings. */
export interface LedgerView {
  /** Undefined for a file that was never recorded. */
  readonly reading: (file: FileView) => Reading | undefined;
}

/** How files came to be listed. */
export interface SeenOptions {
  /** True when they lay there at the first sight of the place: backlog, not news. */
  readonly isBacklog: boolean;
  /** Epoch ms of the listing. */
  readonly atMs: number;
}

/** Readings by the address of their place. */
export interface Ledger {
  /** True once a list of that place, even an empty one, was recorded. */
  isAddressKnown(address: string): boolean;

  /**
   * The memory of a place. The first call reads all of it, as does one after another process wrote: under 1 s for
   * 100,000 files.
   */
  load(address: string): LedgerView;

  /**
   * Remembers that files are listed. Those already known keep what is known of them.
   *
   * @throws WatchdogError `output/too-large` above `limits.ledgerEntries` of one place; nothing is then recorded.
   */
  recordSeen(address: string, files: readonly FileView[], options: SeenOptions): void;

  /**
   * Remembers how reading a file ended. The newest outcome is the one that counts, a failure too: what can no longer be
   * read is no longer proven. The first digest of the key stays beside it, whatever comes later.
   *
   * @param atMs epoch ms; the first sight of a file that was not recorded before.
   */
  recordOutcome(address: string, file: FileView, outcome: ReadingOutcome, atMs: number): void;

  /**
   * Forgets files that are gone: not among those listed now, and missing since before `beforeMs`. One that is missing
   * for the first time is only marked, so that a listing that failed in part costs no digest.
   *
   * @returns how many were forgotten.
   */
  prune(address: string, listedFiles: readonly FileView[], beforeMs: number): number;
}

/** Opens the ledger part of a database. */
export function openLedger(database: Database, nowMs: () => number): Ledger {
  const statements = prepareLedger(database);
  const places = new Map<string, PlaceLedger>();
  let version = database.pragmaNumber('data_version');

  const placeOf = (address: string): PlaceLedger => {
    const place = places.get(address) ?? new PlaceLedger(database, statements, address);
    places.set(address, place);
    return place;
  };

  return {
    isAddressKnown: (address) =>
      database.read('reading the ledger', () => statements.findPlace.get(address) !== undefined),
    load: (address) => {
      // Another process has written, `check` beside the daemon: what memory holds may be old.
      const newest = database.pragmaNumber('data_version');
      if (newest !== version) places.clear();
      version = newest;
      placeOf(address);
      return { reading: (file) => placeOf(address).reading(file) };
    },
    recordSeen: (address, files, { isBacklog, atMs }) => placeOf(address).recordSeen(files, isBacklog, atMs),
    recordOutcome: (address, file, outcome, atMs) => placeOf(address).recordOutcome(file, outcome, atMs),
    prune: (address, listedFiles, beforeMs) => placeOf(address).prune(listedFiles, beforeMs, nowMs()),
  };
}
