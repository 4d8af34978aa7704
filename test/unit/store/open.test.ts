import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { storeMigrations } from '../../../src/store/migrations.ts';
import { openStore } from '../../../src/store/open.ts';
import { openTestStore, samplePass, sampleStanding, someTimeMs, temporaryDirectory } from '../../support/store.ts';

const isRoot = process.getuid?.() === 0;

describe('a file that is not ours', () => {
  const unusable = (path: string, parts: object): void =>
    expect(() => openTestStore(path)).toThrow(
      expect.objectContaining({ code: 'store/unusable', permanent: true, ...parts }),
    );

  test('is refused and left as it is, byte by byte, when it is another program’s database', () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, 'deadair.db');
    const foreign = new DatabaseSync(file);
    foreign.exec('PRAGMA journal_mode = WAL; CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)');
    foreign.close();
    const before = readFileSync(file);
    unusable(directory.path, { message: expect.stringContaining(`${file} is a database of another program`) });
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(directory.path).toSorted()).toEqual(['deadair.db', 'run.lock']);
  });

  test('is refused when it is no database at all', () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'deadair.db'), 'hello '.repeat(1_000));
    unusable(directory.path, { message: expect.stringContaining('is damaged'), hint: expect.stringContaining('move') });
    expect(readFileSync(join(directory.path, 'deadair.db'), 'utf8')).toBe('hello '.repeat(1_000));
  });

  test('is refused when it is empty, since somebody has emptied it', () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'deadair.db'), '');
    unusable(directory.path, { message: expect.stringContaining('it is empty') });
  });

  test('is refused when a directory lies there', () => {
    using directory = temporaryDirectory();
    mkdirSync(join(directory.path, 'deadair.db'));
    unusable(directory.path, {});
  });

  test('is refused when a newer deadair wrote it, naming both versions', () => {
    using directory = temporaryDirectory();
    openTestStore(directory.path).close();
    using newer = new DatabaseSync(join(directory.path, 'deadair.db'));
    newer.exec('PRAGMA user_version = 999');
    newer.close();
    unusable(directory.path, { message: expect.stringContaining('has version 999, this deadair knows 1') });
  });

  test('is refused when pages of it are damaged, at the start', () => {
    using directory = temporaryDirectory();
    const store = openTestStore(directory.path);
    const standings = Array.from({ length: 500 }, (_, n) => sampleStanding(`phx-ai01/c${n}`));
    store.commitPass(samplePass('one', { standings }));
    store.close();
    const file = join(directory.path, 'deadair.db');
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4_096 * 4);
    writeFileSync(file, bytes);
    unusable(directory.path, { message: expect.stringContaining('is damaged') });
    expect(readFileSync(file)).toEqual(bytes);
  });

  test('gives up the lock when it refuses, so that the next start after a repair works', () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'deadair.db'), '');
    unusable(directory.path, {});
    rmSync(join(directory.path, 'deadair.db'));
    using store = openTestStore(directory.path);
    expect(store.isNew).toBe(true);
  });
});

describe('a state directory that cannot be used', () => {
  test('is refused when a file is in its place', () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'file'), '');
    expect(() => openTestStore(join(directory.path, 'file', 'state'))).toThrow(
      expect.objectContaining({ code: 'store/unusable', hint: expect.stringContaining('owns') }),
    );
  });

  test('is named with what to do when the database vanishes while in use', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    rmSync(join(directory.path, 'deadair.db'));
    expect(() => store.commitPass(samplePass('one'))).toThrow(
      expect.objectContaining({ code: 'store/unusable', message: expect.stringContaining('removed or replaced') }),
    );
  });
});

describe('a new database', () => {
  test('is announced once, and leaves a marker that says since when', () => {
    using directory = temporaryDirectory();
    const first = openTestStore(directory.path);
    expect([first.isNew, first.wasLost]).toEqual([true, false]);
    first.close();
    const marker = readFileSync(join(directory.path, 'deadair.db.created'), 'utf8');
    expect(marker).toContain(`deadair.db is here since ${new Date(someTimeMs).toISOString()}`);
    using second = openTestStore(directory.path);
    expect([second.isNew, second.wasLost]).toEqual([false, false]);
  });

  test('is private, as is a directory made for it', () => {
    using directory = temporaryDirectory();
    const state = join(directory.path, 'a', 'state');
    using store = openTestStore(state);
    store.commitPass(samplePass('one'));
    const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect(modeOf(state)).toBe('700');
    const files = readdirSync(state);
    const expected = ['deadair.db', 'deadair.db-shm', 'deadair.db-wal', 'deadair.db.created', 'run.lock'];
    expect(files.toSorted()).toEqual(expected);
    for (const file of files) expect([file, modeOf(join(state, file))]).toEqual([file, '600']);
  });

  test.runIf(isRoot)('belongs to the owner of the directory when root makes it, side files too', () => {
    using directory = temporaryDirectory();
    chownSync(directory.path, 12_345, 23_456);
    using store = openTestStore(directory.path);
    store.commitPass(samplePass('one'));
    for (const file of readdirSync(directory.path)) {
      const { uid, gid } = statSync(join(directory.path, file));
      expect([file, uid, gid]).toEqual([file, 12_345, 23_456]);
    }
  });
});

describe('a lost database', () => {
  test('is announced over restarts until a pass is committed, by whomever the loss was found', () => {
    using directory = temporaryDirectory();
    openTestStore(directory.path).close();
    rmSync(join(directory.path, 'deadair.db'));

    const check = openTestStore(directory.path, { mode: 'check' });
    expect([check.isNew, check.wasLost]).toEqual([true, true]);
    check.close();

    const daemon = openTestStore(directory.path);
    expect([daemon.isNew, daemon.wasLost]).toEqual([false, true]);
    daemon.commitPass(samplePass('one'));
    daemon.close();

    using later = openTestStore(directory.path);
    expect(later.wasLost).toBe(false);
    expect(readFileSync(join(directory.path, 'deadair.db.created'), 'utf8').match(/is here since/g)).toHaveLength(2);
  });

  test('is known as lost later even when the marker had been removed while the database was there', () => {
    using directory = temporaryDirectory();
    openTestStore(directory.path).close();
    rmSync(join(directory.path, 'deadair.db.created'));
    openTestStore(directory.path).close();
    rmSync(join(directory.path, 'deadair.db'));
    using store = openTestStore(directory.path);
    expect(store.wasLost).toBe(true);
  });
});

describe('a second opening', () => {
  test('as a daemon is refused while the first one holds the lock', () => {
    using directory = temporaryDirectory();
    const first = openTestStore(directory.path);
    expect(() => openTestStore(directory.path)).toThrow(
      expect.objectContaining({ code: 'store/locked', hint: expect.stringContaining('state:') }),
    );
    first.close();
    first.close();
    using second = openTestStore(directory.path);
    expect(second.isNew).toBe(false);
  });

  test('for check works beside the daemon and commits no pass', () => {
    using directory = temporaryDirectory();
    using daemon = openTestStore(directory.path);
    using check = openTestStore(directory.path, { mode: 'check' });
    daemon.commitPass(samplePass('one', { standings: [sampleStanding('phx-ai01/arxiv')] }));
    expect(check.standings.all()).toHaveLength(1);
    expect(() => check.commitPass(samplePass('two'))).toThrow('commits no pass');
  });
});

describe('an older database', () => {
  const [first] = storeMigrations;
  const goodStep = { summary: 'a table more', sql: 'CREATE TABLE more (a INTEGER) STRICT' };
  const badStep = { summary: 'the same table again', sql: goodStep.sql };
  const options = (directory: string, mode: 'daemon' | 'check' = 'daemon') => ({
    directory,
    nowMs: () => someTimeMs,
    mode,
  });

  function fill(directory: string): void {
    using store = openTestStore(directory);
    store.commitPass(samplePass('one', { standings: [sampleStanding('phx-ai01/arxiv')] }));
  }

  test('is copied before its schema changes, and keeps what it holds', () => {
    using directory = temporaryDirectory();
    fill(directory.path);
    using store = openStore(options(directory.path), [first!, goodStep]);
    expect(store.standings.all()).toHaveLength(1);

    const backup = join(directory.path, 'deadair.db.before-2');
    expect((statSync(backup).mode & 0o777).toString(8)).toBe('600');
    using copy = new DatabaseSync(backup, { readOnly: true });
    expect(copy.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    expect(copy.prepare('SELECT count(*) AS count FROM standings').get()).toEqual({ count: 1 });
  });

  test('is left as it was when a step fails, with the copy named', () => {
    using directory = temporaryDirectory();
    fill(directory.path);
    expect(() => openStore(options(directory.path), [first!, goodStep, badStep])).toThrow(
      expect.objectContaining({ code: 'store/unusable', hint: expect.stringContaining('deadair.db.before-3') }),
    );
    using store = openTestStore(directory.path);
    expect(store.standings.all()).toHaveLength(1);
  });

  test('is not changed by check while a daemon of the older version runs', () => {
    using directory = temporaryDirectory();
    using daemon = openTestStore(directory.path);
    expect(() => openStore(options(directory.path, 'check'), [first!, goodStep])).toThrow(
      expect.objectContaining({ code: 'store/locked' }),
    );
    expect(existsSync(join(directory.path, 'deadair.db.before-2'))).toBe(false);
    daemon.commitPass(samplePass('one'));
  });
});
