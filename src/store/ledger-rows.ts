/** The rows of the ledger: statements prepared once, and the way between a row, a file's key and a reading. */

import type { StatementSync } from 'node:sqlite';
import type { FileView, Reading, ReadingOutcome, Unseen } from '../core/model/evidence.ts';
import { bytesToPath, pathToBytes } from '../support/paths.ts';
import type { Database } from './database.ts';

/** One file of a place, as memory holds it. */
export interface Entry {
  /** The row. */
  readonly id: number;
  readonly file: FileView;
  readonly reading: Reading;
  /** Epoch ms since when it is no longer listed, null while it is. */
  readonly missingSinceMs: number | null;
}

/**
 * What is read of `files`, in the order of {@link Row}. The first digest comes only where it is not also the newest.
 */
const columns = `id, path, size_bytes, mtime_ns, ctime_ns, inode, first_seen_at_ms, is_backlog,
  missing_since_ms, nullif(first_sha256, sha256), sha256, read_at_ms, tool, failure, failed_at_ms`;

/**
 * A row of `files` as an array, which is read in half the time of an object; the table is STRICT and keeps this shape.
 */
type Row = readonly [
  id: number,
  path: Uint8Array,
  sizeBytes: number,
  mtimeNs: string,
  ctimeNs: string,
  inode: string,
  firstSeenAtMs: number,
  isBacklog: number,
  missingSinceMs: number | null,
  firstSha256: string | null,
  ...reading: ReadingColumns,
];

type ReadingColumns = readonly [
  sha256: string | null,
  readAtMs: number | null,
  tool: string | null,
  failure: string | null,
  failedAtMs: number | null,
];

/** Statements over `places` and `files`. */
export interface LedgerStatements {
  readonly findPlace: StatementSync;
  /** Adds a place unless it is there; returns its `id` in either case. */
  readonly upsertPlace: StatementSync;
  readonly select: StatementSync;
  /** Adds a file, or finds it again after it was missing; returns its row in either case. */
  readonly upsert: StatementSync;
  readonly setDigest: StatementSync;
  readonly setFailure: StatementSync;
  readonly setMissing: StatementSync;
  readonly remove: StatementSync;
}

/** Prepares the statements of the ledger. */
export function prepareLedger(database: Database): LedgerStatements {
  const rows = (sql: string): StatementSync => {
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  };
  return {
    findPlace: database.prepare('SELECT id FROM places WHERE address = ?'),
    upsertPlace: database.prepare(
      `INSERT INTO places (address, first_seen_at_ms) VALUES (?, ?)
       ON CONFLICT (address) DO UPDATE SET address = excluded.address RETURNING id`,
    ),
    select: rows(
      `SELECT ${columns} FROM files INDEXED BY files_of_place
       WHERE place_id = (SELECT id FROM places WHERE address = ?)`,
    ),
    upsert: rows(
      `INSERT INTO files (place_id, path, size_bytes, mtime_ns, ctime_ns, inode, first_seen_at_ms, is_backlog)
       VALUES (:place, :path, :size, :mtime, :ctime, :inode, :at, :isBacklog)
       ON CONFLICT (place_id, path, size_bytes, mtime_ns, ctime_ns, inode) DO UPDATE SET missing_since_ms = NULL
       RETURNING ${columns}`,
    ),
    setDigest: rows(
      `UPDATE files SET sha256 = :sha256, first_sha256 = coalesce(first_sha256, :sha256), read_at_ms = :readAt,
         tool = :tool, failure = NULL, failed_at_ms = NULL WHERE id = :id RETURNING ${columns}`,
    ),
    setFailure: rows(
      `UPDATE files SET failure = :failure, failed_at_ms = :failedAt WHERE id = :id RETURNING ${columns}`,
    ),
    setMissing: database.prepare('UPDATE files SET missing_since_ms = ? WHERE id = ?'),
    remove: database.prepare('DELETE FROM files WHERE id = ?'),
  };
}

/** The key of a file as named parameters. */
export function bindingsOf(file: FileView) {
  return {
    path: pathToBytes(file.path),
    size: file.sizeBytes,
    mtime: file.mtimeNs,
    ctime: file.ctimeNs ?? '',
    inode: file.inode ?? '',
  };
}

/**
 * Reads an entry from a row that a statement of {@link prepareLedger} returned.
 *
 * @throws Error when there is no row, which none of those statements allows.
 */
export function entryOf(returned: unknown): Entry {
  if (returned === undefined) throw new Error('the ledger returned no row');
  const [id, path, sizeBytes, mtimeNs, ctimeNs, inode, firstSeenAtMs, isBacklog, missingSinceMs, firstSha256, ...rest] =
    returned as Row;
  return {
    id,
    file: {
      path: bytesToPath(path),
      sizeBytes,
      mtimeNs,
      ctimeNs: ctimeNs === '' ? null : ctimeNs,
      inode: inode === '' ? null : inode,
    },
    missingSinceMs,
    reading: {
      firstSeenAtMs,
      isBacklog: isBacklog === 1,
      firstSha256: firstSha256 ?? rest[0],
      outcome: outcomeOf(...rest),
    },
  };
}

/**
 * A failure is there only while it is the newest: recording a digest removes it, recording a failure leaves the digest.
 */
function outcomeOf(...[sha256, readAtMs, tool, failure, failedAtMs]: ReadingColumns): ReadingOutcome | null {
  if (failure !== null) {
    return { kind: 'unreadable', readAtMs: failedAtMs ?? 0, why: JSON.parse(failure) as Unseen };
  }
  return sha256 === null ? null : { kind: 'digest', sha256, readAtMs: readAtMs ?? 0, tool: tool ?? '' };
}
