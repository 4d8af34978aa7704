/**
 * The outbox: messages that were committed, each until its receiver has accepted it. A row is the queue. An unsettled
 * message is never deleted; `delivery/outbox.ts` empties it.
 */

import type { Message } from '../core/model/alert.ts';
import { limits } from '../support/limits.ts';
import type { Database } from './database.ts';
import { prepareOutbox, type OutboxStatements, type QueuedRow } from './outbox-rows.ts';
import { cut, fromStored, toStored } from './stored-text.ts';

/** Why a message was not accepted. */
export interface DeliveryFailure {
  /** Epoch ms. */
  readonly atMs: number;
  /** A code of `support/errors.ts`, or `unexpected`. */
  readonly code: string;
  readonly message: string;
  /**
   * True when it is the message itself that the receiver will not have: it is set aside, so that the next can go on.
   */
  readonly isPermanent: boolean;
}

/** The message that waits longest. */
export interface OldestPending {
  /** Since when it waits, epoch ms. */
  readonly createdAtMs: number;
  readonly receiver: string;
  /** Tries so far, all of which failed. */
  readonly tries: number;
  /** Null when it was not tried yet. */
  readonly lastError: { readonly code: string; readonly message: string } | null;
}

/**
 * The outbox as delivery and the rule about ourselves use it. A message is settled when it was accepted, or overtaken
 * while set aside.
 */
export interface OutboxTable {
  /**
   * Unsettled messages of a receiver in the order they were committed, without those set aside. At most
   * `limits.outboxPage`.
   */
  pending(receiver: string, count?: number): readonly Message[];
  /** Messages set aside, those with the fewest tries first. At most `limits.outboxPage`. */
  setAside(receiver: string): readonly Message[];
  /** Names of all receivers that have unsettled messages, also of those the configuration no longer knows. */
  receivers(): readonly string[];

  /**
   * Settles a message. Older ones of its group that were set aside for the same receiver are settled with it: told
   * later, they would contradict what the receiver knows by then. Unknown ids are ignored.
   *
   * @param acceptance when, epoch ms, and the id that the receiver gave it.
   */
  recordAccepted(id: string, acceptance: { readonly atMs: number; readonly acceptedId: string }): void;

  /**
   * Settles what waits for receivers that the configuration no longer has: nobody will ever take it. Whatever still fires
   * was told anew to those who are there, by the pass that came before this.
   *
   * @param known names of the receivers there are.
   * @returns how many messages were given up.
   */
  settleStrangers(known: ReadonlySet<string>, atMs: number): number;

  /** Remembers a failed try. Once set aside, a message stays so until it is settled. */
  recordFailure(id: string, failure: DeliveryFailure): void;

  /**
   * The unsettled message that was committed first, by which the rule about ourselves sees that nobody accepts them;
   * undefined when there is none.
   */
  oldestPending(): OldestPending | undefined;
  /** How many messages are unsettled. */
  count(): number;

  /**
   * Adds messages, inside the transaction of `commitPass` only. An id that is already there is left as it is.
   *
   * From `limits.outboxMessages` unsettled ones on, a message that clears an unsent one of the same group and receiver
   * takes its place in the queue. Nothing else is ever dropped, since an alert's state must commit with its message:
   * from then on the outbox grows by no more than one message a group and receiver, until the disk or
   * `limits.storeBytes` ends it.
   *
   * @param nowMs epoch ms; what was settled `limits.outboxKeptMs` before is deleted.
   */
  add(messages: readonly Message[], nowMs: number): void;
}

/** Opens the outbox part of a database. */
export function openOutboxTable(database: Database): OutboxTable {
  const statements = prepareOutbox(database);
  const count = (): number => Number(statements.count.get()?.['count']);
  return {
    pending: (receiver, size = limits.outboxPage) =>
      database.read('reading the outbox', () =>
        statements.pending.all(receiver, Math.min(size, limits.outboxPage)).map((row) => fromStored(row) as Message),
      ),
    setAside: (receiver) =>
      database.read('reading the outbox', () =>
        statements.setAside.all(receiver, limits.outboxPage).map((row) => fromStored(row) as Message),
      ),
    receivers: () =>
      database.read('reading the outbox', () => statements.receivers.all().map((row) => String(row['receiver']))),
    count: () => database.read('reading the outbox', count),
    oldestPending: () => {
      const row = database.read('reading the outbox', () => statements.oldest.get()) as QueuedRow | undefined;
      return row === undefined ? undefined : toOldest(row);
    },
    recordAccepted: (id, { atMs, acceptedId }) =>
      // On the disk before the next message goes out: a power cut, too, repeats no more than one.
      database.write('recording a delivery', { isDurable: true }, () => {
        statements.accept.run({ id, atMs, acceptedId: cut(acceptedId) });
        statements.overtake.run({ id, atMs });
      }),
    settleStrangers: (known, atMs) => {
      const rows = database.read('reading the outbox', () => statements.receivers.all());
      const strangers = rows.map((row) => String(row['receiver'])).filter((receiver) => !known.has(receiver));
      if (strangers.length === 0) return 0;
      return database.write('giving up messages', { isDurable: true }, () =>
        strangers.reduce((sum, receiver) => sum + Number(statements.leave.run({ receiver, atMs }).changes), 0),
      );
    },
    recordFailure: (id, { atMs, code, message, isPermanent }) =>
      database.write('recording a failed delivery', { isDurable: false }, () => {
        statements.fail.run({ id, atMs, code, message: cut(message, 1_000), isSetAside: isPermanent ? 1 : 0 });
      }),
    add: (messages, nowMs) => {
      statements.forget.run(nowMs - limits.outboxKeptMs);
      let unsettled = count();
      for (const message of messages) unsettled += addOne(statements, message, unsettled >= limits.outboxMessages);
    },
  };
}

/** @returns by how many the unsettled messages grew. */
function addOne(statements: OutboxStatements, message: Message, isFull: boolean): 0 | 1 {
  if (statements.find.get(message.id) !== undefined) return 0;
  if (isFull && replaceUnsent(statements, message)) return 0;
  statements.insert.run({
    id: message.id,
    receiver: message.receiver,
    groupId: message.groupId,
    sequenceId: message.sequenceId,
    content: toStored(message),
    createdAtMs: message.createdAtMs,
  });
  return 1;
}

/**
 * Lets a message take the place of the unsent one it clears. What the older one would have cleared, it clears
 * instead. The head of the queue is left alone, since it may be on its way.
 *
 * @returns true when there was such a message.
 */
function replaceUnsent(statements: OutboxStatements, message: Message): boolean {
  const row = statements.unsent.get({
    receiver: message.receiver,
    groupId: message.groupId,
    sequenceId: message.clears,
  });
  if (row === undefined) return false;
  const { clears } = fromStored(row) as Message;
  statements.replace.run({
    position: Number(row['position']),
    id: message.id,
    sequenceId: message.sequenceId,
    content: toStored({ ...message, clears }),
  });
  return true;
}

function toOldest(row: QueuedRow): OldestPending {
  return {
    createdAtMs: row.created_at_ms,
    receiver: row.receiver,
    tries: row.tries,
    lastError: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
  };
}
