/**
 * The store: everything deadair remembers, in `deadair.db` of its state directory. Made from a directory and a clock.
 * It never repairs, replaces or overwrites a database that it does not understand.
 */

import { resolve } from 'node:path';
import { limits } from '../support/limits.ts';
import { prepareCommit, type PassCommit } from './commit.ts';
import { Database } from './database.ts';
import { openStateDirectory, type StateDirectory } from './directory.ts';
import { openInventory, type Inventory } from './inventory.ts';
import { openLedger, type Ledger } from './ledger.ts';
import { takeRunLock, type RunLock } from './lock.ts';
import { migrate } from './migrate.ts';
import { storeMigrations, type Migration } from './migrations.ts';
import { checkPages, createDatabase, isDatabaseThere, markCreated } from './origin.ts';
import { openOutboxTable, type OutboxTable } from './outbox.ts';
import { openPasses, type Passes } from './passes.ts';
import { openStandings, type Standings } from './standings.ts';

/** What a store is made from. */
export interface StoreOptions {
  /** The state directory; made (0700) when it does not exist. */
  readonly directory: string;
  /** Epoch ms. */
  readonly nowMs: () => number;
  /** `daemon` holds the directory for itself and commits passes; `check` reads, and adds to inventory and ledger. */
  readonly mode: 'daemon' | 'check';
  /** Bytes the database may grow to; default `limits.storeBytes`. */
  readonly maxBytes?: number;
}

/**
 * What deadair remembers, by part. Every method may throw WatchdogError `store/full`, `store/locked` (a retry may help)
 * or `store/unusable`.
 */
export interface Store extends Disposable {
  /** True when there was no database and this opening made one. */
  readonly isNew: boolean;
  /**
   * True when there had been a database before and it was gone; it stays true, over restarts too, until a pass is
   * committed.
   */
  readonly wasLost: boolean;
  readonly inventory: Inventory;
  readonly ledger: Ledger;
  readonly standings: Standings;
  readonly passes: Passes;
  readonly outbox: OutboxTable;

  /**
   * Commits what a pass decided in one transaction (G3): all of it, messages included, is on the disk when this
   * returns; when it throws, none of it is.
   */
  commitPass(pass: PassCommit): void;

  /** Gives database and lock up. Closing twice is harmless. */
  close(): void;
}

/**
 * Opens the store, making or migrating the database where needed.
 *
 * @param migrations the schema's steps; other than the default only in tests of the steps themselves.
 * @throws WatchdogError `store/locked` when mode is `daemon` and another daemon runs here; `store/full`;
 *   `store/unusable` for a foreign, newer or damaged database, or a directory that this user may not write.
 */
export function openStore(options: StoreOptions, migrations: readonly Migration[] = storeMigrations): Store {
  const directory = openStateDirectory(resolve(options.directory));
  const lock = options.mode === 'daemon' ? takeRunLock(directory) : null;
  try {
    const isNew = !isDatabaseThere(directory) && createDatabase(directory, migrations, options.nowMs());
    return assemble(openDatabase(directory, options, migrations), lock, directory, { ...options, isNew });
  } catch (error) {
    lock?.release();
    throw error;
  }
}

function openDatabase(directory: StateDirectory, options: StoreOptions, migrations: readonly Migration[]): Database {
  const database = new Database(directory.database, options.maxBytes);
  try {
    // A daemon of an older version that runs now must not find its tables changed: only the lock's holder migrates.
    const isOlder = database.pragmaNumber('user_version') < migrations.length;
    const lock = isOlder && options.mode === 'check' ? takeRunLock(directory) : null;
    try {
      migrate(database, migrations, directory);
    } finally {
      lock?.release();
    }
    database.execute(`PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ${limits.storeCheckBytes}`);
    checkPages(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function assemble(
  database: Database,
  lock: RunLock | null,
  directory: StateDirectory,
  options: StoreOptions & { readonly isNew: boolean },
): Store {
  try {
    markCreated(directory, options.isNew, options.nowMs());
    const loss = database.prepare(`SELECT value FROM facts WHERE name = 'loss-noticed-at-ms'`);
    const outbox = openOutboxTable(database);
    const commit = prepareCommit(database, outbox);
    const close = (): void => {
      database.close();
      lock?.release();
    };
    return {
      isNew: options.isNew,
      wasLost: database.read('looking for a loss', () => loss.get() !== undefined),
      inventory: openInventory(database),
      ledger: openLedger(database, options.nowMs),
      standings: openStandings(database),
      passes: openPasses(database),
      outbox,
      commitPass: (pass) => {
        if (lock === null) throw new Error('a store opened for `check` commits no pass');
        commit(pass);
      },
      close,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    database.close();
    throw error;
  }
}
