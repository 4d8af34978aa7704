/**
 * The inventory: every collection ever seen on a source, so that none can vanish unnoticed (G6). Nothing is ever
 * forgotten here.
 */

import type { RememberedCollection } from '../core/model/evidence.ts';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import type { Database } from './database.ts';

/** A collection in a list that a source gave. */
export interface SightedCollection {
  readonly name: string;
  /** The exact count, null when none could be taken; the last one is then kept. */
  readonly points: number | null;
}

/** Remembered collections, by the address of their source. */
export interface Inventory {
  /** Everything ever seen at an address, by name; empty for one never seen. */
  remembered(address: string): readonly RememberedCollection[];

  /**
   * Remembers a list that a source gave. What the first list of an address holds is its baseline; an empty first list
   * counts as one, so that everything after it is new.
   *
   * @param atMs epoch ms of the observation.
   * @throws WatchdogError `output/too-large` above `limits.rememberedCollections`; nothing of the list is then
   *   recorded.
   */
  recordSight(address: string, collections: readonly SightedCollection[], atMs: number): void;
}

interface Row {
  readonly name: string;
  readonly first_seen_at_ms: number;
  readonly last_seen_at_ms: number;
  readonly is_baseline: number;
  readonly points: number | null;
}

/** Opens the inventory part of a database. */
export function openInventory(database: Database): Inventory {
  const findSource = database.prepare('SELECT id FROM sources WHERE address = ?');
  const addSource = database.prepare('INSERT INTO sources (address, first_seen_at_ms) VALUES (?, ?)');
  const select = database.prepare(
    `SELECT name, c.first_seen_at_ms, last_seen_at_ms, is_baseline, points
     FROM collections c JOIN sources s ON s.id = c.source_id WHERE s.address = ? ORDER BY name`,
  );
  const count = database.prepare('SELECT count(*) AS count FROM collections WHERE source_id = ?');
  const upsert = database.prepare(
    `INSERT INTO collections (source_id, name, first_seen_at_ms, last_seen_at_ms, is_baseline, points)
     VALUES (:source, :name, :at, :at, :isBaseline, :points)
     ON CONFLICT (source_id, name) DO UPDATE SET
       last_seen_at_ms = excluded.last_seen_at_ms, points = coalesce(excluded.points, points)`,
  );

  return {
    remembered: (address) =>
      database.read('reading the inventory', () =>
        // The tables are STRICT: SQLite itself keeps the rows in this shape.
        (select.all(address) as unknown as readonly Row[]).map((row) => ({
          name: row.name,
          firstSeenAtMs: row.first_seen_at_ms,
          lastSeenAtMs: row.last_seen_at_ms,
          isBaseline: row.is_baseline === 1,
          points: row.points,
        })),
      ),

    recordSight: (address, collections, atMs) =>
      database.write('recording the inventory', { isDurable: true }, () => {
        const known = findSource.get(address);
        const source = known === undefined ? addSource.run(address, atMs).lastInsertRowid : Number(known['id']);
        for (const { name, points } of collections) {
          upsert.run({ source, name, at: atMs, isBaseline: known === undefined ? 1 : 0, points });
        }
        if (Number(count.get(source)?.['count']) > limits.rememberedCollections) throw tooMany(address);
      }),
  };
}

function tooMany(address: string): WatchdogError {
  return new WatchdogError(
    'output/too-large',
    `${address} has had more than ${limits.rememberedCollections} collections; no more are remembered`,
    { hint: 'find out what makes so many collections there', permanent: true },
  );
}
