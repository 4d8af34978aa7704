/**
 * Takes a database to the newest version of the schema. Never changes one of a newer version, nor one that it has not
 * copied.
 */

import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { WatchdogError } from '../support/errors.ts';
import type { Database } from './database.ts';
import { createFile, type StateDirectory } from './directory.ts';
import { storeFailure } from './failure.ts';
import { applicationId, type Migration } from './migrations.ts';

/**
 * Takes a database to the newest version, all steps in one transaction. One that already holds something is copied to
 * `<file>.before-<newest version>` first. Does nothing when the version is already the newest.
 *
 * @param directory null for a database that is being created, which has nothing to copy.
 * @throws WatchdogError `store/unusable` when the database is from a newer deadair, or when a step fails: it is then as
 *   it was.
 */
export function migrate(database: Database, migrations: readonly Migration[], directory: StateDirectory | null): void {
  const version = database.pragmaNumber('user_version');
  if (version === migrations.length) return;
  if (version > migrations.length) throw newer(database.file, version, migrations.length);
  const backup = directory === null ? null : backUp(database, migrations.length, directory);
  try {
    database.write('changing the schema', { isDurable: true }, () => {
      // Somebody else may have been faster between our look and the lock.
      for (const step of migrations.slice(database.pragmaNumber('user_version'))) database.execute(step.sql);
      database.execute(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
    });
  } catch (error) {
    if (error instanceof WatchdogError) throw error;
    throw new WatchdogError('store/unusable', `${database.file} could not be brought to version ${migrations.length}`, {
      hint: `run the deadair that wrote it; the file is as it was${backup === null ? '' : `, a copy is ${backup}`}`,
      permanent: true,
      cause: error,
    });
  }
}

function newer(file: string, found: number, known: number): WatchdogError {
  return new WatchdogError('store/unusable', `${file} has version ${found}, this deadair knows ${known}`, {
    hint: `run the newer deadair that wrote it, or stop it and put ${file}.before-${found} in its place`,
    permanent: true,
  });
}

/**
 * Copies the database as its readers see it, write-ahead log included, and has the copy on the disk before it returns.
 */
function backUp(database: Database, version: number, directory: StateDirectory): string {
  const backup = `${database.file}.before-${version}`;
  const unfinished = `${backup}.partial`;
  try {
    rmSync(unfinished, { force: true });
    createFile(directory, unfinished);
    database.execute(`VACUUM INTO '${unfinished.replaceAll("'", "''")}'`);
    const descriptor = openSync(unfinished, 'r+');
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(unfinished, backup);
    return backup;
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw storeFailure(error, 'backing up the state database', backup);
  }
}
