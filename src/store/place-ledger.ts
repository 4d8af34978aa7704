/** The ledger of one place: memory and database kept alike. Memory changes only after the database has. */

import type { FileView, Reading, ReadingOutcome } from '../core/model/evidence.ts';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import type { Database } from './database.ts';
import { bindingsOf, entryOf, type Entry, type LedgerStatements } from './ledger-rows.ts';
import { PlaceEntries } from './place-entries.ts';

/** One place's readings; the methods are those of `Ledger` without the address. */
export class PlaceLedger {
  readonly #database: Database;
  readonly #statements: LedgerStatements;
  readonly #address: string;
  readonly #entries = new PlaceEntries();

  /** Reads all entries of the place. */
  constructor(database: Database, statements: LedgerStatements, address: string) {
    this.#database = database;
    this.#statements = statements;
    this.#address = address;
    database.read('reading the ledger', () => {
      for (const row of statements.select.iterate(address)) this.#entries.put(entryOf(row));
    });
  }

  /** The memory of one file, undefined when it was never recorded. */
  reading(file: FileView): Reading | undefined {
    return this.#entries.find(file)?.reading;
  }

  /** See `Ledger.recordSeen`. */
  recordSeen(files: readonly FileView[], isBacklog: boolean, atMs: number): void {
    const changed = files.filter((file) => this.#entries.find(file)?.missingSinceMs !== null);
    this.#update('recording listed files', () => {
      if (this.#entries.size + changed.length > limits.ledgerEntries) throw tooMany(this.#address);
      const place = this.#placeId(atMs);
      return changed.map((file) => this.#upsert(place, file, isBacklog, atMs));
    });
  }

  /** See `Ledger.recordOutcome`. */
  recordOutcome(file: FileView, outcome: ReadingOutcome, atMs: number): void {
    const { setDigest, setFailure } = this.#statements;
    this.#update('recording a digest', () => {
      const { id } = this.#upsert(this.#placeId(atMs), file, false, atMs);
      const row =
        outcome.kind === 'digest'
          ? setDigest.get({ id, sha256: outcome.sha256, readAt: outcome.readAtMs, tool: outcome.tool })
          : setFailure.get({ id, failure: JSON.stringify(outcome.why), failedAt: outcome.readAtMs });
      return [entryOf(row)];
    });
  }

  /** See `Ledger.prune`. */
  prune(listedFiles: readonly FileView[], beforeMs: number, nowMs: number): number {
    const gone = this.#entries.except(listedFiles);
    const expired = gone.filter(({ missingSinceMs }) => missingSinceMs !== null && missingSinceMs < beforeMs);
    this.#update('forgetting files that are gone', () => {
      for (const entry of expired) this.#statements.remove.run(entry.id);
      const missing = gone.filter(({ missingSinceMs }) => missingSinceMs === null);
      for (const entry of missing) this.#statements.setMissing.run(nowMs, entry.id);
      return missing.map((entry) => ({ ...entry, missingSinceMs: nowMs }));
    });
    for (const entry of expired) this.#entries.remove(entry);
    return expired.length;
  }

  /**
   * A power cut may lose the newest digests and sights until the next pass commits: they are then read and seen again.
   */
  #update(what: string, work: () => readonly Entry[]): void {
    for (const entry of this.#database.write(what, { isDurable: false }, work)) this.#entries.put(entry);
  }

  #placeId(atMs: number): number {
    return Number(this.#statements.upsertPlace.get(this.#address, atMs)?.['id']);
  }

  #upsert(place: number, file: FileView, isBacklog: boolean, atMs: number): Entry {
    const key = { place, ...bindingsOf(file) };
    return entryOf(this.#statements.upsert.get({ ...key, at: atMs, isBacklog: isBacklog ? 1 : 0 }));
  }
}

function tooMany(address: string): WatchdogError {
  return new WatchdogError('output/too-large', `${address} has more than ${limits.ledgerEntries} files to remember`, {
    hint: 'point the target at the directory that holds backups only',
    permanent: true,
  });
}
