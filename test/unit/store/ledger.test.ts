import { describe, expect, test } from 'vitest';
import type { ReadingOutcome } from '../../../src/core/model/evidence.ts';
import { bytesToPath } from '../../../src/support/paths.ts';
import { openTestStore, sampleFile, someTimeMs, temporaryDirectory } from '../../support/store.ts';

const address = 'file:///srv/backups';

const digest = (sha256: string, readAtMs: number): ReadingOutcome => ({
  kind: 'digest',
  sha256: sha256.repeat(64),
  readAtMs,
  tool: 'here',
});

const unreadable = (readAtMs: number): ReadingOutcome => ({
  kind: 'unreadable',
  readAtMs,
  why: { code: 'place/denied', message: 'EIO', hint: 'check the disk' },
});

describe('the sight of files', () => {
  test('makes a place known, also when nothing lies there', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    expect(store.ledger.isAddressKnown(address)).toBe(false);
    store.ledger.recordSeen(address, [], { isBacklog: true, atMs: someTimeMs });
    expect(store.ledger.isAddressKnown(address)).toBe(true);
  });

  test('is remembered as the first one, however often it is repeated', () => {
    using directory = temporaryDirectory();
    const file = sampleFile('a.snapshot');
    {
      using store = openTestStore(directory.path);
      expect(store.ledger.load(address).reading(file)).toBeUndefined();
      store.ledger.recordSeen(address, [file, file], { isBacklog: true, atMs: someTimeMs });
      store.ledger.recordSeen(address, [file], { isBacklog: false, atMs: someTimeMs + 9 });
    }
    using store = openTestStore(directory.path);
    expect(store.ledger.load(address).reading(file)).toEqual({
      firstSeenAtMs: someTimeMs,
      isBacklog: true,
      firstSha256: null,
      outcome: null,
    });
  });

  test('is of another file when any part of the key differs, or cannot be told', () => {
    using directory = temporaryDirectory();
    const file = sampleFile('a.snapshot');
    const others = [
      sampleFile('b.snapshot'),
      sampleFile('a.snapshot', { sizeBytes: 1_025 }),
      sampleFile('a.snapshot', { mtimeNs: '1795000000123456788' }),
      sampleFile('a.snapshot', { ctimeNs: '1' }),
      sampleFile('a.snapshot', { inode: '43' }),
      sampleFile('a.snapshot', { ctimeNs: null, inode: null }),
    ];
    {
      using store = openTestStore(directory.path);
      store.ledger.recordSeen(address, [file], { isBacklog: false, atMs: someTimeMs });
      for (const other of others) expect(store.ledger.load(address).reading(other)).toBeUndefined();
      for (const [n, other] of others.entries()) {
        store.ledger.recordOutcome(address, other, digest(String(n), someTimeMs), someTimeMs);
      }
    }
    using store = openTestStore(directory.path);
    const { reading } = store.ledger.load(address);
    expect(reading(file)?.outcome).toBeNull();
    expect(others.map((other) => reading(other)?.firstSha256?.[0])).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('keeps names apart that are not UTF-8, byte for byte', () => {
    using directory = temporaryDirectory();
    const names = [
      [0x61, 0xff],
      [0x61, 0xfe],
      [0x61, 0xc3],
      [0x61, 0xef, 0xbf, 0xbd],
      [0x61, 0x0a, 0x27, 0x22],
    ];
    const files = names.map((bytes) => sampleFile(bytesToPath(Uint8Array.from(bytes))));
    {
      using store = openTestStore(directory.path);
      for (const [n, file] of files.entries()) {
        store.ledger.recordOutcome(address, file, digest(String(n), someTimeMs), someTimeMs);
      }
    }
    using store = openTestStore(directory.path);
    const { reading } = store.ledger.load(address);
    expect(files.map((file) => reading(file)?.firstSha256?.[0])).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('the outcome of a reading', () => {
  test('is the newest, and the first digest stays beside it', () => {
    using directory = temporaryDirectory();
    const file = sampleFile('a.snapshot');
    using store = openTestStore(directory.path);
    const { reading } = store.ledger.load(address);
    store.ledger.recordSeen(address, [file], { isBacklog: true, atMs: someTimeMs });
    store.ledger.recordOutcome(address, file, digest('a', someTimeMs + 1), someTimeMs + 1);
    expect(reading(file)).toMatchObject({ isBacklog: true, firstSha256: 'a'.repeat(64), outcome: { kind: 'digest' } });
    store.ledger.recordOutcome(address, file, digest('b', someTimeMs + 2), someTimeMs + 2);
    expect(reading(file)).toMatchObject({ firstSha256: 'a'.repeat(64), outcome: digest('b', someTimeMs + 2) });
  });

  test('is a failure once the file can no longer be read, whatever was read before, and over a restart', () => {
    using directory = temporaryDirectory();
    const file = sampleFile('a.snapshot');
    const expected = { firstSha256: 'a'.repeat(64), outcome: unreadable(someTimeMs + 2) };
    {
      using store = openTestStore(directory.path);
      store.ledger.recordOutcome(address, file, digest('a', someTimeMs + 1), someTimeMs + 1);
      store.ledger.recordOutcome(address, file, unreadable(someTimeMs + 2), someTimeMs + 2);
      expect(store.ledger.load(address).reading(file)).toMatchObject(expected);
    }
    using store = openTestStore(directory.path);
    expect(store.ledger.load(address).reading(file)).toMatchObject(expected);
  });

  test('is the digest again after the failure has passed, even if the clock was set back meanwhile', () => {
    using directory = temporaryDirectory();
    const file = sampleFile('a.snapshot');
    using store = openTestStore(directory.path);
    store.ledger.recordOutcome(address, file, unreadable(someTimeMs), someTimeMs);
    store.ledger.recordOutcome(address, file, digest('a', someTimeMs - 3_600_000), someTimeMs - 3_600_000);
    expect(store.ledger.load(address).reading(file)?.outcome).toEqual(digest('a', someTimeMs - 3_600_000));
  });

  test('is seen by the daemon when check has recorded it', () => {
    using directory = temporaryDirectory();
    const file = sampleFile('a.snapshot');
    using daemon = openTestStore(directory.path);
    daemon.ledger.recordSeen(address, [file], { isBacklog: false, atMs: someTimeMs });
    daemon.ledger.load(address);
    using check = openTestStore(directory.path, { mode: 'check' });
    check.ledger.recordOutcome(address, file, digest('a', someTimeMs), someTimeMs);
    expect(daemon.ledger.load(address).reading(file)?.firstSha256).toBe('a'.repeat(64));
  });
});

describe('a file that is gone', () => {
  test('is forgotten only after it was missing for the given time', () => {
    using directory = temporaryDirectory();
    let nowMs = someTimeMs;
    using store = openTestStore(directory.path, { nowMs: () => nowMs });
    const [stays, goes] = [sampleFile('stays'), sampleFile('goes')];
    store.ledger.recordSeen(address, [stays, goes], { isBacklog: false, atMs: nowMs });
    const { reading } = store.ledger.load(address);

    nowMs += 1_000;
    expect(store.ledger.prune(address, [stays], nowMs)).toBe(0);
    nowMs += 1_000;
    expect(store.ledger.prune(address, [stays], nowMs - 5_000)).toBe(0);
    expect(reading(goes)).toBeDefined();
    expect(store.ledger.prune(address, [stays], nowMs)).toBe(1);
    expect([reading(stays) !== undefined, reading(goes)]).toEqual([true, undefined]);
  });

  test('is forgotten for good, and starts unread when it comes back', () => {
    using directory = temporaryDirectory();
    const file = sampleFile('goes');
    {
      using store = openTestStore(directory.path);
      store.ledger.recordOutcome(address, file, digest('a', someTimeMs), someTimeMs);
      store.ledger.prune(address, [], someTimeMs);
      expect(store.ledger.prune(address, [], someTimeMs + 1)).toBe(1);
    }
    using store = openTestStore(directory.path);
    store.ledger.recordSeen(address, [file], { isBacklog: false, atMs: someTimeMs + 2 });
    expect(store.ledger.load(address).reading(file)).toMatchObject({ firstSeenAtMs: someTimeMs + 2, outcome: null });
  });

  test('keeps its digest when it is listed again in time, and its time starts anew', () => {
    using directory = temporaryDirectory();
    const file = sampleFile('blinks');
    using store = openTestStore(directory.path);
    store.ledger.recordOutcome(address, file, digest('a', someTimeMs), someTimeMs);
    store.ledger.prune(address, [], someTimeMs);
    store.ledger.recordSeen(address, [file], { isBacklog: false, atMs: someTimeMs });
    expect(store.ledger.prune(address, [], someTimeMs + 1)).toBe(0);
    expect(store.ledger.load(address).reading(file)?.firstSha256).toBe('a'.repeat(64));
  });
});
