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

/** A row of `files`; the table is STRICT, so that SQLite itself keeps this shape. */
interface FileRow {
  readonly id: number;
  readonly path: Uint8Array;
  readonly size_bytes: number;
  readonly mtime_ns: string;
  readonly ctime_ns: string;
  readonly inode: string;
  readonly first_seen_at_ms: number;
  readonly is_backlog: number;
  readonly missing_since_ms: number | null;
  readonly first_sha256: string | null;
  readonly sha256: string | null;
  readonly read_at_ms: number | null;
  readonly tool: string | null;
  readonly failure: string | null;
  readonly failed_at_ms: number | null;
}

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
  return {
    findPlace: database.prepare('SELECT id FROM places WHERE address = ?'),
    upsertPlace: database.prepare(
      `INSERT INTO places (address, first_seen_at_ms) VALUES (?, ?)
       ON CONFLICT (address) DO UPDATE SET address = excluded.address RETURNING id`,
    ),
    select: database.prepare('SELECT f.* FROM files f JOIN places p ON p.id = f.place_id WHERE p.address = ?'),
    upsert: database.prepare(
      `INSERT INTO files (place_id, path, size_bytes, mtime_ns, ctime_ns, inode, first_seen_at_ms, is_backlog)
       VALUES (:place, :path, :size, :mtime, :ctime, :inode, :at, :isBacklog)
       ON CONFLICT (place_id, path, size_bytes, mtime_ns, ctime_ns, inode) DO UPDATE SET missing_since_ms = NULL
       RETURNING *`,
    ),
    setDigest: database.prepare(
      `UPDATE files SET sha256 = :sha256, first_sha256 = coalesce(first_sha256, :sha256), read_at_ms = :readAt,
         tool = :tool, failure = NULL, failed_at_ms = NULL WHERE id = :id RETURNING *`,
    ),
    setFailure: database.prepare(
      'UPDATE files SET failure = :failure, failed_at_ms = :failedAt WHERE id = :id RETURNING *',
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
  const row = returned as FileRow;
  return {
    id: row.id,
    file: {
      path: bytesToPath(row.path),
      sizeBytes: row.size_bytes,
      mtimeNs: row.mtime_ns,
      ctimeNs: row.ctime_ns === '' ? null : row.ctime_ns,
      inode: row.inode === '' ? null : row.inode,
    },
    missingSinceMs: row.missing_since_ms,
    reading: {
      firstSeenAtMs: row.first_seen_at_ms,
      isBacklog: row.is_backlog === 1,
      firstSha256: row.first_sha256,
      outcome: outcomeOf(row),
    },
  };
}

/**
 * A failure is there only while it is newer than the digest: recording a digest removes it, recording a failure leaves
 * the digest.
 */
function outcomeOf(row: FileRow): ReadingOutcome | null {
  if (row.failure !== null) {
    return { kind: 'unreadable', readAtMs: row.failed_at_ms ?? 0, why: JSON.parse(row.failure) as Unseen };
  }
  if (row.sha256 === null) return null;
  return { kind: 'digest', sha256: row.sha256, readAtMs: row.read_at_ms ?? 0, tool: row.tool ?? '' };
}
