/** The schema of the state database as an ordered list of steps. `migrate.ts` takes a database through them. */

/** `dair` in ASCII, in the header of our databases: what tells them from everybody else's. */
export const applicationId = 0x64616972;

/** One step: SQL that turns version n - 1 into version n, n being its place in the list from 1. */
export interface Migration {
  readonly summary: string;
  readonly sql: string;
}

/** All steps. A step that was released is never changed, only followed by another. */
export const storeMigrations: readonly Migration[] = [
  {
    summary: 'inventory, ledger, standings, passes, history, outbox',
    sql: `
      CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

      CREATE TABLE sources (
        id INTEGER PRIMARY KEY,
        address TEXT NOT NULL UNIQUE,
        first_seen_at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE collections (
        source_id INTEGER NOT NULL REFERENCES sources (id),
        name TEXT NOT NULL,
        first_seen_at_ms INTEGER NOT NULL,
        last_seen_at_ms INTEGER NOT NULL,
        is_baseline INTEGER NOT NULL,
        points INTEGER,
        PRIMARY KEY (source_id, name)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE places (
        id INTEGER PRIMARY KEY,
        address TEXT NOT NULL UNIQUE,
        first_seen_at_ms INTEGER NOT NULL
      ) STRICT;
      -- A path is bytes. What a transport cannot tell is '', since UNIQUE holds two NULLs to be different.
      CREATE TABLE files (
        id INTEGER PRIMARY KEY,
        place_id INTEGER NOT NULL REFERENCES places (id),
        path BLOB NOT NULL,
        size_bytes INTEGER NOT NULL,
        mtime_ns TEXT NOT NULL,
        ctime_ns TEXT NOT NULL,
        inode TEXT NOT NULL,
        first_seen_at_ms INTEGER NOT NULL,
        is_backlog INTEGER NOT NULL,
        missing_since_ms INTEGER,
        first_sha256 TEXT,
        sha256 TEXT,
        read_at_ms INTEGER,
        tool TEXT,
        failure TEXT,
        failed_at_ms INTEGER,
        UNIQUE (place_id, path, size_bytes, mtime_ns, ctime_ns, inode)
      ) STRICT;
      -- Reading a whole place through the large index of UNIQUE would take twice as long.
      CREATE INDEX files_of_place ON files (place_id);

      CREATE TABLE standings (
        rule_id TEXT NOT NULL,
        subject TEXT NOT NULL,
        target TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (rule_id, subject, target)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE groups (id TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT, WITHOUT ROWID;

      CREATE TABLE passes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pass_id TEXT NOT NULL UNIQUE,
        started_at_ms INTEGER NOT NULL,
        committed_at_ms INTEGER NOT NULL,
        verdict TEXT NOT NULL
      ) STRICT;
      CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        why TEXT NOT NULL,
        alert_id TEXT,
        summary TEXT NOT NULL
      ) STRICT;

      CREATE TABLE outbox (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        receiver TEXT NOT NULL,
        group_id TEXT NOT NULL,
        sequence_id TEXT NOT NULL,
        content TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        error_code TEXT,
        error_message TEXT,
        failed_at_ms INTEGER,
        is_set_aside INTEGER NOT NULL DEFAULT 0,
        settled_at_ms INTEGER,
        accepted_id TEXT,
        superseded_by TEXT
      ) STRICT;
      CREATE INDEX outbox_unsettled ON outbox (receiver, is_set_aside, position) WHERE settled_at_ms IS NULL;
      CREATE INDEX outbox_sequence ON outbox (sequence_id, receiver) WHERE settled_at_ms IS NULL;
      CREATE INDEX outbox_settled ON outbox (settled_at_ms) WHERE settled_at_ms IS NOT NULL;
    `,
  },
];
