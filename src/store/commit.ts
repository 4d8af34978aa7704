/**
 * Committing a pass: alert state and outgoing messages in one transaction (G3), history and passes kept within their
 * limits.
 */

import type { Group, Message, Standing } from '../core/model/alert.ts';
import { limits } from '../support/limits.ts';
import type { Database } from './database.ts';
import type { OutboxTable } from './outbox.ts';
import type { CommittedPass, HistoryEvent } from './passes.ts';
import { cut, toStored } from './stored-text.ts';

/** What tells one standing from another. */
export type StandingKey = Pick<Standing, 'ruleId' | 'subject' | 'target'>;

/** Everything that one pass decided. Removals take effect before additions. */
export interface PassCommit extends CommittedPass {
  /** Those that are new or changed. */
  readonly standings: readonly Standing[];
  readonly removed: readonly StandingKey[];
  /** Those that are new or changed. */
  readonly groups: readonly Group[];
  /** Ids. */
  readonly removedGroups: readonly string[];
  readonly messages: readonly Message[];
  readonly events: readonly HistoryEvent[];
}

/**
 * Prepares the commit of passes.
 *
 * @returns a function that commits one pass. The same `passId` again changes nothing: whoever does not know whether a
 *   commit went through may simply repeat it. It throws WatchdogError `store/full`, `store/locked` (a retry may help),
 *   `store/unusable`, in which case nothing was committed.
 */
export function prepareCommit(database: Database, outbox: OutboxTable): (pass: PassCommit) => void {
  const insertPass = database.prepare(
    `INSERT INTO passes (pass_id, started_at_ms, committed_at_ms, verdict) VALUES (?, ?, ?, ?)
     ON CONFLICT (pass_id) DO NOTHING`,
  );
  const removeStanding = database.prepare('DELETE FROM standings WHERE rule_id = ? AND subject = ? AND target = ?');
  const upsertStanding = database.prepare(
    'INSERT OR REPLACE INTO standings (rule_id, subject, target, content) VALUES (?, ?, ?, ?)',
  );
  const removeGroup = database.prepare('DELETE FROM groups WHERE id = ?');
  const upsertGroup = database.prepare('INSERT OR REPLACE INTO groups (id, content) VALUES (?, ?)');
  const insertEvent = database.prepare(
    'INSERT INTO events (at_ms, kind, why, alert_id, summary) VALUES (?, ?, ?, ?, ?)',
  );
  const trimEvents = database.prepare('DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?');
  const trimPasses = database.prepare('DELETE FROM passes WHERE id <= (SELECT max(id) FROM passes) - ?');
  const announceLoss = database.prepare(`DELETE FROM facts WHERE name = 'loss-noticed-at-ms'`);

  return (pass) =>
    database.write('committing a pass', { isDurable: true }, () => {
      const { changes } = insertPass.run(pass.passId, pass.startedAtMs, pass.committedAtMs, pass.verdict);
      if (changes === 0) return;
      for (const { ruleId, subject, target } of pass.removed) removeStanding.run(ruleId, subject, target ?? '');
      for (const standing of pass.standings) {
        upsertStanding.run(standing.ruleId, standing.subject, standing.target ?? '', toStored(standing));
      }
      for (const id of pass.removedGroups) removeGroup.run(id);
      for (const group of pass.groups) upsertGroup.run(group.id, toStored(group));
      for (const { atMs, kind, why, alertId, summary } of pass.events) {
        insertEvent.run(atMs, kind, why, alertId, cut(summary));
      }
      outbox.add(pass.messages, pass.committedAtMs);
      trimEvents.run(limits.events);
      trimPasses.run(limits.passes);
      announceLoss.run();
    });
}
