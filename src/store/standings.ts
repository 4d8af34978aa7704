/** Standings and groups as the last pass left them. Read here; changed only by `commitPass`. */

import type { Group, Standing } from '../core/model/alert.ts';
import type { Database } from './database.ts';
import { fromStored } from './stored-text.ts';

/** What is remembered of findings and alerts between passes. */
export interface Standings {
  /** All of them, ordered by rule, subject and target. */
  all(): readonly Standing[];
  /** All groups that were not removed, ordered by id. */
  groups(): readonly Group[];
}

/** Opens the standings part of a database. */
export function openStandings(database: Database): Standings {
  const standings = database.prepare('SELECT content FROM standings ORDER BY rule_id, subject, target');
  const groups = database.prepare('SELECT content FROM groups ORDER BY id');
  return {
    all: () => database.read('reading the standings', () => standings.all().map((row) => fromStored(row) as Standing)),
    groups: () => database.read('reading the groups', () => groups.all().map((row) => fromStored(row) as Group)),
  };
}
