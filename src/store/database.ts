/**
 * One opened SQLite file: statements, transactions, and errors that an operator understands. Knows nothing of what is
 * stored.
 */

import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { storeFailure } from './failure.ts';

/** How much a transaction must survive. */
export interface WriteOptions {
  /**
   * True: on the disk before it returns, so that not even a power cut loses it. False: a power cut may lose the
   * newest such writes, a killed process none; for what can be looked at again, such as a digest.
   */
  readonly isDurable: boolean;
}

/** An opened SQLite file. It is closed by `close()` or at the end of a `using` block. */
export class Database implements Disposable {
  readonly file: string;
  readonly #connection: DatabaseSync;
  readonly #identity: string;
  #isDurable = true;

  /**
   * Opens a file that exists and is known to be ours.
   *
   * @param maxBytes the file never grows past it; the write that would gets `store/full`.
   * @throws WatchdogError `store/unusable`, `store/locked`, `store/full`.
   */
  constructor(file: string, maxBytes: number = limits.storeBytes) {
    this.file = file;
    this.#connection = guard('opening the state database', file, () => connect(file, maxBytes));
    this.#identity = identityOf(file);
  }

  /**
   * Compiles a statement, once for the life of the database. Run it inside {@link read} or {@link write} only.
   */
  prepare(sql: string): StatementSync {
    return guard('preparing a statement', this.file, () => this.#connection.prepare(sql));
  }

  /** Runs SQL without results, for the schema and for pragmas. */
  execute(sql: string): void {
    guard('preparing the state database', this.file, () => this.#connection.exec(sql));
  }

  /**
   * Runs queries.
   *
   * @param what the work for the error message, such as `reading the ledger`.
   * @throws WatchdogError `store/unusable`, `store/locked`.
   */
  read<Result>(what: string, work: () => Result): Result {
    return guard(what, this.file, work);
  }

  /**
   * Runs statements in one transaction: all of them take effect, or none.
   *
   * @param what the work for the error message, such as `committing a pass`.
   * @throws WatchdogError `store/full`, `store/locked` (a retry may help), `store/unusable`.
   */
  write<Result>(what: string, options: WriteOptions, work: () => Result): Result {
    return guard(what, this.file, () => {
      if (options.isDurable) this.#assertInPlace(what);
      if (this.#isDurable !== options.isDurable) {
        this.#connection.exec(`PRAGMA synchronous = ${options.isDurable ? 'FULL' : 'NORMAL'}`);
        this.#isDurable = options.isDurable;
      }
      this.#connection.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#connection.exec('COMMIT');
        return result;
      } finally {
        // Some failures, a full disk among them, have already rolled back.
        if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK');
      }
    });
  }

  /** SQLite goes on writing to a file that has lost its name; all of it would be gone at the next start. */
  #assertInPlace(what: string): void {
    if (identityOf(this.file) === this.#identity) return;
    throw new WatchdogError('store/unusable', `${what}: ${this.file} was removed or replaced while in use`, {
      hint: 'restart deadair, which then announces the loss; find out who touched the file',
      permanent: true,
    });
  }

  /** Reads a pragma that is a number, such as `user_version`. */
  pragmaNumber(name: 'user_version' | 'data_version'): number {
    return guard(`reading ${name}`, this.file, () => {
      const value = Object.values(this.#connection.prepare(`PRAGMA ${name}`).get() ?? {})[0];
      return typeof value === 'number' ? value : 0;
    });
  }

  /** Gives the file up. Closing twice is harmless. */
  close(): void {
    if (this.#connection.isOpen) this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function connect(file: string, maxBytes: number): DatabaseSync {
  const connection = new DatabaseSync(file, { timeout: limits.storeBusyMs, enableForeignKeyConstraints: true });
  try {
    // Temporary files would land on a disk we were not given. Reading a page size also finds out what is not a
    // database.
    connection.exec('PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF');
    const pageBytes = Number(Object.values(connection.prepare('PRAGMA page_size').get() ?? {})[0] ?? 4096);
    connection.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function identityOf(file: string): string {
  const status = statSync(file, { throwIfNoEntry: false });
  return status === undefined ? 'none' : `${status.dev}:${status.ino}`;
}

function guard<Result>(what: string, file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw storeFailure(error, what, file);
  }
}
