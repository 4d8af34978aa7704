/**
 * Turns what SQLite and the file system throw into `store/…` errors. Never hides a mistake of our own: those pass
 * through.
 */

import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { WatchdogError } from '../support/errors.ts';

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html); the extended ones hold them in the low byte. */
const sqlite = {
  permission: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

const denied: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENOENT', 'ELOOP']);

/**
 * Names a failure of the state directory.
 *
 * @param thrown what was caught.
 * @param what the work that failed, such as `committing a pass`.
 * @param file the file it was about.
 * @returns a `store/full` or `store/locked` error, where a retry helps once there is room again; a `store/unusable`
 *   one, where it does not; or `thrown` itself when it is neither SQLite's nor the file system's doing.
 */
export function storeFailure(thrown: unknown, what: string, file: string): unknown {
  if (thrown instanceof WatchdogError || !(thrown instanceof Error)) return thrown;
  const { code, errcode } = thrown as Error & { readonly code?: unknown; readonly errcode?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT') return full(thrown, what, file);
  if (denied.has(code)) return refused(thrown, what, file);
  if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number') return thrown;
  switch (errcode & 0xff) {
    case sqlite.full:
      return full(thrown, what, file);
    case sqlite.busy:
    case sqlite.locked:
      return new WatchdogError('store/locked', `${what}: ${file} is held by another process`, {
        hint: 'wait for the other deadair, or find out who else opened the file',
        cause: thrown,
      });
    // SQLite names a full disk only where it fails to write a page; making its side files fails with these two.
    case sqlite.cannotOpen:
    case sqlite.inputOutput:
      if (isDiskFull(file)) return full(thrown, what, file);
      return (errcode & 0xff) === sqlite.cannotOpen ? refused(thrown, what, file) : damaged(thrown, what, file);
    case sqlite.permission:
    case sqlite.readOnly:
      return refused(thrown, what, file);
    case sqlite.corrupt:
    case sqlite.notADatabase:
      return damaged(thrown, what, file);
    default:
      return thrown;
  }
}

/**
 * A database whose content cannot be trusted: never repaired or replaced by us, since that would lose what it still
 * holds.
 */
export function damaged(cause: unknown, what: string, file: string): WatchdogError {
  return new WatchdogError('store/unusable', `${what}: ${file} is damaged (${reason(cause)})`, {
    hint:
      `check the disk; put a backup (${file}.before-*) in its place, or move it away to start anew: ` +
      'the watchdog will announce the loss, read all digests again and tell open alerts again',
    permanent: true,
    cause,
  });
}

function full(cause: Error, what: string, file: string): WatchdogError {
  return new WatchdogError('store/full', `${what}: no space left for ${file}`, {
    hint: `free some space in ${dirname(file)}; nothing was half written, and work goes on by itself`,
    cause,
  });
}

function refused(cause: Error, what: string, file: string): WatchdogError {
  return new WatchdogError('store/unusable', `${what}: ${file} cannot be opened or written (${reason(cause)})`, {
    hint: `run as the user who owns ${dirname(file)}, and let that directory be writable for that user`,
    permanent: true,
    cause,
  });
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function isDiskFull(file: string): boolean {
  try {
    const { bavail, files, ffree } = statfsSync(dirname(file));
    return bavail === 0 || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}
