/**
 * Whether the state database is there, ours, whole, new or lost; and making it, in one step that no crash can halve.
 */

import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, linkSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { Database } from './database.ts';
import { createFile, syncDirectory, type StateDirectory } from './directory.ts';
import { damaged, storeFailure } from './failure.ts';
import { migrate } from './migrate.ts';
import { applicationId, type Migration } from './migrations.ts';

/**
 * Looks for the database and refuses what is not ours, without changing a byte of it.
 *
 * @returns false when there is none.
 * @throws WatchdogError `store/unusable` for a file of somebody else, an empty one, one that is no database.
 */
export function isDatabaseThere(directory: StateDirectory): boolean {
  const file = directory.database;
  try {
    if (statSync(file).size === 0) throw damaged('it is empty', 'opening the state database', file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw storeFailure(error, 'opening the state database', file);
  }
  const found = readApplicationId(file);
  if (found === applicationId) return true;
  throw new WatchdogError(
    'store/unusable',
    `${file} is a database of another program (application id ${String(found)})`,
    {
      hint: 'move it away, or give deadair its own `state:` directory; it was not changed',
      permanent: true,
    },
  );
}

/**
 * Makes the database with its whole schema under another name and links it into place, so that its name never stands
 * for half of one. When another process is faster, its database is left as it is.
 *
 * @param nowMs epoch ms, for the marker.
 * @returns true when it is ours that stands there now.
 * @throws WatchdogError `store/unusable`, `store/full`.
 */
export function createDatabase(directory: StateDirectory, migrations: readonly Migration[], nowMs: number): boolean {
  const unfinished = `${directory.database}.new-${randomBytes(6).toString('hex')}`;
  const isLoss = existsSync(directory.marker);
  try {
    createFile(directory, unfinished);
    using database = new Database(unfinished);
    migrate(database, migrations, null);
    const insert = database.prepare('INSERT INTO facts (name, value) VALUES (?, ?)');
    database.write('creating the state database', { isDurable: true }, () => {
      insert.run('created-at-ms', String(nowMs));
      if (isLoss) insert.run('loss-noticed-at-ms', String(nowMs));
    });
    database.close();
    linkSync(unfinished, directory.database);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw storeFailure(error, 'creating the state database', directory.database);
  } finally {
    rmSync(unfinished, { force: true });
    syncDirectory(directory);
  }
}

/**
 * Writes the marker that a later loss is recognised by, or adds a line to it when the database was made anew.
 *
 * @throws WatchdogError `store/unusable`, `store/full`.
 */
export function markCreated(directory: StateDirectory, isNew: boolean, nowMs: number): void {
  try {
    const isFirst = createFile(directory, directory.marker);
    if (isFirst) {
      appendFileSync(
        directory.marker,
        'While this file is here and deadair.db is not, deadair announces that its state was lost.\n',
      );
    }
    if (isFirst || isNew)
      appendFileSync(directory.marker, `deadair.db is here since ${new Date(nowMs).toISOString()}\n`);
  } catch (error) {
    throw storeFailure(error, 'marking the state database as created', directory.marker);
  }
}

/**
 * Checks every page of a small database; of a large one damage shows when its pages are read.
 *
 * @throws WatchdogError `store/unusable` when it is damaged.
 */
export function checkPages(database: Database): void {
  if (statSync(database.file).size > limits.storeCheckBytes) return;
  const check = database.prepare('PRAGMA quick_check(1)');
  const answer = database.read('checking the state database', () => Object.values(check.get() ?? {})[0]);
  if (answer !== 'ok') throw damaged(answer, 'checking the state database', database.file);
}

/**
 * `immutable` makes SQLite read the file as it lies: no lock, no write-ahead log, no side files next to what is not
 * ours. Our own header never changes after creation, so that it is right even while a log waits beside it.
 */
function readApplicationId(file: string): unknown {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(url, { readOnly: true });
    return Object.values(connection.prepare('PRAGMA application_id').get() ?? {})[0];
  } catch (error) {
    throw storeFailure(error, 'opening the state database', file);
  } finally {
    connection?.close();
  }
}
