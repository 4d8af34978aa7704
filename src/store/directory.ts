/** The state directory: private files in it that belong to the service's user even when root made them. */

import { closeSync, chownSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { storeFailure } from './failure.ts';

/** Where everything lies, as absolute or process-relative paths. */
export interface StateDirectory {
  readonly path: string;
  /** The database itself. */
  readonly database: string;
  /** Says that there once was a database; its absence beside the marker is a loss. */
  readonly marker: string;
  /** Held by the daemon as long as it runs. */
  readonly lock: string;
  /** Who shall own new files: the directory's owner. */
  readonly userId: number;
  readonly groupId: number;
}

/**
 * Makes sure that the directory exists, private (0700) when we make it; the mode of one that exists is its owner's
 * choice.
 *
 * @throws WatchdogError `store/unusable`, `store/full`.
 */
export function openStateDirectory(path: string): StateDirectory {
  const database = join(path, 'deadair.db');
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const { uid, gid } = statSync(path);
    return {
      path,
      database,
      marker: `${database}.created`,
      lock: join(path, 'run.lock'),
      userId: uid,
      groupId: gid,
    };
  } catch (error) {
    throw storeFailure(error, 'opening the state directory', path);
  }
}

/**
 * Makes an empty private file (0600) unless there is one of that name, which is then left alone and not even opened:
 * closing any descriptor of a file drops all of this process's POSIX locks on it, SQLite's included.
 *
 * @returns true when it was made.
 * @throws the file system's own error when it cannot be made.
 */
export function createFile(directory: StateDirectory, file: string): boolean {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  giveToOwner(directory, file);
  return true;
}

/** As root, hands a file that we made to the directory's owner; SQLite then does the same with its side files. */
function giveToOwner(directory: StateDirectory, file: string): void {
  if (process.getuid?.() === 0) chownSync(file, directory.userId, directory.groupId);
}

/** Has new, renamed and removed names of the directory on the disk before it returns. */
export function syncDirectory(directory: StateDirectory): void {
  const descriptor = openSync(directory.path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
