/** The rows of the outbox: its statements, prepared once. */

import type { StatementSync } from 'node:sqlite';
import type { Database } from './database.ts';

/**
 * What a query of unsettled messages tells beside the message itself; the table is STRICT, so that SQLite keeps this
 * shape.
 */
export interface QueuedRow {
  readonly receiver: string;
  readonly created_at_ms: number;
  readonly tries: number;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

/** Statements over `outbox`. */
export interface OutboxStatements {
  readonly find: StatementSync;
  readonly insert: StatementSync;
  readonly pending: StatementSync;
  readonly setAside: StatementSync;
  readonly receivers: StatementSync;
  readonly count: StatementSync;
  readonly oldest: StatementSync;
  readonly accept: StatementSync;
  /** Settles what an accepted message has overtaken. */
  readonly overtake: StatementSync;
  /** Settles what waits for a receiver that is gone. */
  readonly leave: StatementSync;
  readonly fail: StatementSync;
  /** Finds a message that was never tried and is not the head of its receiver. */
  readonly unsent: StatementSync;
  readonly replace: StatementSync;
  /** Deletes what was settled before an instant. */
  readonly forget: StatementSync;
}

/** Prepares the statements of the outbox. */
export function prepareOutbox(database: Database): OutboxStatements {
  return {
    find: database.prepare('SELECT 1 FROM outbox WHERE id = ?'),
    insert: database.prepare(
      `INSERT INTO outbox (id, receiver, group_id, sequence_id, content, created_at_ms)
       VALUES (:id, :receiver, :groupId, :sequenceId, :content, :createdAtMs)`,
    ),
    pending: database.prepare(
      `SELECT content FROM outbox WHERE receiver = ? AND is_set_aside = 0 AND settled_at_ms IS NULL
       ORDER BY position LIMIT ?`,
    ),
    setAside: database.prepare(
      `SELECT content FROM outbox WHERE receiver = ? AND is_set_aside = 1 AND settled_at_ms IS NULL
       ORDER BY tries, position LIMIT ?`,
    ),
    receivers: database.prepare('SELECT DISTINCT receiver FROM outbox WHERE settled_at_ms IS NULL ORDER BY receiver'),
    count: database.prepare('SELECT count(*) AS count FROM outbox WHERE settled_at_ms IS NULL'),
    oldest: database.prepare(
      `SELECT receiver, created_at_ms, tries, error_code, error_message
       FROM outbox WHERE settled_at_ms IS NULL ORDER BY position LIMIT 1`,
    ),
    accept: database.prepare(
      `UPDATE outbox SET settled_at_ms = :atMs, accepted_id = :acceptedId, tries = tries + 1
       WHERE id = :id AND settled_at_ms IS NULL`,
    ),
    overtake: database.prepare(
      `UPDATE outbox SET settled_at_ms = :atMs, superseded_by = :id
       WHERE is_set_aside = 1 AND settled_at_ms IS NULL AND (receiver, group_id) =
         (SELECT receiver, group_id FROM outbox WHERE id = :id)
         AND position < (SELECT position FROM outbox WHERE id = :id)`,
    ),
    leave: database.prepare(
      `UPDATE outbox SET settled_at_ms = :atMs, superseded_by = 'receiver removed'
       WHERE receiver = :receiver AND settled_at_ms IS NULL`,
    ),
    fail: database.prepare(
      `UPDATE outbox SET tries = tries + 1, error_code = :code, error_message = :message, failed_at_ms = :atMs,
         is_set_aside = max(is_set_aside, :isSetAside) WHERE id = :id AND settled_at_ms IS NULL`,
    ),
    unsent: database.prepare(
      `SELECT position, content FROM outbox AS unsent
       WHERE receiver = :receiver AND group_id = :groupId AND sequence_id = :sequenceId
         AND settled_at_ms IS NULL AND tries = 0
         AND EXISTS (SELECT 1 FROM outbox AS head WHERE head.receiver = :receiver AND head.is_set_aside = 0
           AND head.settled_at_ms IS NULL AND head.position < unsent.position)`,
    ),
    replace: database.prepare(
      'UPDATE outbox SET id = :id, sequence_id = :sequenceId, content = :content WHERE position = :position',
    ),
    forget: database.prepare('DELETE FROM outbox WHERE settled_at_ms < ?'),
  };
}
