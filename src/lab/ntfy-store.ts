/**
 * The message cache of the lab's ntfy: append-only lines on disk, replayed at start, so that a killed server forgets
 * nothing.
 */

import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Since, WireMessage } from './ntfy-wire.ts';

type Line =
  | { readonly kind: 'message'; readonly message: WireMessage; readonly isPublished: boolean }
  | { readonly kind: 'published'; readonly id: string }
  | { readonly kind: 'cancelled'; readonly topic: string; readonly sequenceId: string };

interface Row {
  readonly message: WireMessage;
  isPublished: boolean;
}

/** Messages by topic, delivered and scheduled. */
export interface NtfyStore {
  /** Stores a message; a scheduled one under the same sequence id is dropped for it, as on a real server. */
  add(message: WireMessage, isPublished: boolean): void;
  /** Stores the news that a sequence was cleared or deleted. */
  record(message: WireMessage): void;
  /** Drops the scheduled message of a sequence. */
  cancel(topic: string, sequenceId: string): void;
  /** Marks what is due as delivered and returns it, oldest first. */
  takeDue(nowSeconds: number): readonly WireMessage[];
  /** Selects as ntfy does: by insertion for `since=<id>`, by time for the rest; sorted by time. */
  select(
    topic: string,
    since: Since,
    options: { readonly nowSeconds: number; readonly withScheduled: boolean },
  ): readonly WireMessage[];
}

/** Opens the store in a directory that exists. */
export function openNtfyStore(directory: string): NtfyStore {
  const file = join(directory, 'ntfy.jsonl');
  let rows: Row[] = [];
  const apply = (line: Line): void => {
    switch (line.kind) {
      case 'message':
        rows.push({ message: line.message, isPublished: line.isPublished });
        break;
      case 'published':
        for (const row of rows) if (row.message.id === line.id) row.isPublished = true;
        break;
      case 'cancelled':
        rows = rows.filter(
          ({ message, isPublished }) =>
            isPublished || message.topic !== line.topic || message.sequence_id !== line.sequenceId,
        );
    }
  };
  const write = (line: Line): void => {
    appendFileSync(file, `${JSON.stringify(line)}\n`);
    apply(line);
  };
  for (const line of readLines(file)) apply(line);

  return {
    add(message, isPublished) {
      if (message.sequence_id !== undefined)
        write({ kind: 'cancelled', topic: message.topic, sequenceId: message.sequence_id });
      write({ kind: 'message', message, isPublished });
    },
    record: (message) => write({ kind: 'message', message, isPublished: true }),
    cancel: (topic, sequenceId) => write({ kind: 'cancelled', topic, sequenceId }),
    takeDue(nowSeconds) {
      const due = byTime(rows.filter(({ message, isPublished }) => !isPublished && message.time <= nowSeconds));
      for (const { id } of due) write({ kind: 'published', id });
      return due;
    },
    select(topic, since, { nowSeconds, withScheduled }) {
      const known = rows.filter(({ message, isPublished }) => {
        const isExpired = isPublished && message.expires !== undefined && message.expires <= nowSeconds;
        return message.topic === topic && !isExpired && (isPublished || withScheduled);
      });
      return chosen(known, rows, since);
    },
  };
}

function chosen(known: readonly Row[], rows: readonly Row[], since: Since): readonly WireMessage[] {
  switch (since.kind) {
    case 'none':
      return [];
    case 'all':
      return byTime(known);
    case 'latest':
      return byTime(known.filter(({ isPublished }) => isPublished)).slice(-1);
    case 'time':
      return byTime(known.filter(({ message }) => message.time >= since.seconds));
    case 'id': {
      const place = rows.findIndex(({ message }) => message.id === since.id);
      // An id that is not known selects everything, and scheduled ones have no place in the order yet.
      return byTime(known.filter((row) => rows.indexOf(row) > place || !row.isPublished));
    }
  }
}

function byTime(rows: readonly Row[]): readonly WireMessage[] {
  return rows.map(({ message }) => message).toSorted((a, b) => a.time - b.time);
}

/** A line cut off by a kill was never answered for, so it is dropped, from the file too. */
function readLines(file: string): readonly Line[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
