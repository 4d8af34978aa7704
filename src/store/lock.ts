/** One daemon a state directory: a lock that the kernel takes back when its holder dies, however it dies. */

import { DatabaseSync } from 'node:sqlite';
import { WatchdogError } from '../support/errors.ts';
import { createFile, type StateDirectory } from './directory.ts';
import { storeFailure } from './failure.ts';

/** A held lock. */
export interface RunLock {
  /** Gives it up. Releasing twice is harmless. */
  release(): void;
}

/**
 * Takes the lock: an exclusive transaction, never ended, on a second SQLite file. Nothing is ever written to that file,
 * so that a full disk does not matter and nothing is left to clean up.
 *
 * @throws WatchdogError `store/locked` when another process or another store of this one holds it, `store/unusable`,
 *   `store/full`.
 */
export function takeRunLock(directory: StateDirectory): RunLock {
  let connection: DatabaseSync | undefined;
  try {
    createFile(directory, directory.lock);
    connection = new DatabaseSync(directory.lock, { timeout: 0 });
    // A journal in memory is no side file; there is nothing to roll back either.
    connection.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    const held = connection;
    return {
      release: () => {
        if (held.isOpen) held.close();
      },
    };
  } catch (error) {
    connection?.close();
    const failure = storeFailure(error, 'taking the lock', directory.lock);
    if (!(failure instanceof WatchdogError) || failure.code !== 'store/locked') throw failure;
    throw new WatchdogError('store/locked', `another deadair runs with the state directory ${directory.path}`, {
      hint: 'stop the other one (systemctl status deadair), or give this one its own `state:`',
      permanent: true,
      cause: error,
    });
  }
}
