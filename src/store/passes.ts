/** Passes and the history of what they decided. Read here; added to only by `commitPass`. */

import type { Verdict } from '../core/model/finding.ts';
import type { Database } from './database.ts';

/** A pass that was committed. Instants are epoch ms, as the clock said then. */
export interface CommittedPass {
  readonly passId: string;
  readonly startedAtMs: number;
  readonly committedAtMs: number;
  readonly verdict: Verdict;
}

/** One line of history. */
export interface HistoryEvent {
  readonly atMs: number;
  /** Such as `fired`, `ended`. */
  readonly kind: string;
  /** The named reason. */
  readonly why: string;
  /** Null when it is not about an alert. */
  readonly alertId: string | null;
  readonly summary: string;
}

/** The past. */
export interface Passes {
  /**
   * The pass committed last, in the order of commits: a clock that stepped back changes nothing. Undefined before the
   * first.
   */
  lastCommitted(): CommittedPass | undefined;
  /** The newest events, the newest first. */
  events(count: number): readonly HistoryEvent[];
}

/** Opens the part of a database that remembers passes. */
export function openPasses(database: Database): Passes {
  const last = database.prepare(
    `SELECT pass_id AS passId, started_at_ms AS startedAtMs, committed_at_ms AS committedAtMs, verdict
     FROM passes ORDER BY id DESC LIMIT 1`,
  );
  const events = database.prepare(
    'SELECT at_ms AS atMs, kind, why, alert_id AS alertId, summary FROM events ORDER BY id DESC LIMIT ?',
  );
  return {
    lastCommitted: () => {
      const row = database.read('reading the last pass', () => last.get()) as CommittedPass | undefined;
      return row === undefined ? undefined : { ...row };
    },
    events: (count) =>
      database
        .read('reading the history', () => events.all(count) as unknown as readonly HistoryEvent[])
        .map((row) => ({ ...row })),
  };
}
