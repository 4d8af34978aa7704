/** A full disk: nothing half written, a name for the trouble, and work that goes on by itself once there is room. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../../src/store/open.ts';
import {
  openTestStore,
  sampleFile,
  sampleMessage,
  samplePass,
  sampleStanding,
  someTimeMs,
  temporaryDirectory,
} from '../../support/store.ts';

const full: unknown = expect.objectContaining({ code: 'store/full', hint: expect.stringContaining('free some space') });

/** A pass of about 100 KiB with a message. */
function largePass(passId: string): Parameters<Store['commitPass']>[0] {
  const standings = Array.from({ length: 200 }, (_, n) => sampleStanding(`${passId}/c${n}`));
  return samplePass(passId, { standings, messages: [sampleMessage(1, { groupId: passId })] });
}

/** Commits passes, numbered from `first` on, until one does not fit; returns the number of that one. */
function fill(store: Store, first = 0): number {
  for (let n = first; n < 1_000; n += 1) {
    try {
      store.commitPass(largePass(`pass${n}`));
    } catch (error) {
      expect(error).toEqual(full);
      return n;
    }
  }
  throw new Error('the disk never got full');
}

function expectWhole(store: Store, passes: number): void {
  expect(store.standings.all()).toHaveLength(passes * 200);
  expect(store.outbox.count()).toBe(passes);
  expect(store.passes.lastCommitted()?.passId).toBe(`pass${passes - 1}`);
}

describe('a database at its greatest size', () => {
  const maxBytes = 2 * 2 ** 20;

  test('refuses a pass whole, and takes it once there is room', () => {
    using directory = temporaryDirectory();
    let passes: number;
    {
      using store = openTestStore(directory.path, { maxBytes });
      passes = fill(store);
      expect(passes).toBeGreaterThan(2);
      expectWhole(store, passes);
      // The same connection still works: removing makes room, and the pass that was refused fits.
      store.commitPass(samplePass('smaller', { removed: largePass('pass0').standings }));
      store.commitPass(largePass(`pass${passes}`));
      expect(store.standings.all()).toHaveLength(passes * 200);
    }
    using store = openTestStore(directory.path, { maxBytes: maxBytes * 2 });
    store.commitPass(largePass('roomy'));
    expect(store.outbox.count()).toBe(passes + 2);
  });

  test('keeps memory and database of the ledger alike when a listing does not fit', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path, { maxBytes });
    const files = Array.from({ length: 50_000 }, (_, n) => sampleFile(`${n}.snapshot`));
    const seen = { isBacklog: true, atMs: someTimeMs };
    expect(() => store.ledger.recordSeen('file:///a', files, seen)).toThrow(full as Error);
    expect(store.ledger.load('file:///a').reading(files[0]!)).toBeUndefined();
    expect(store.ledger.isAddressKnown('file:///a')).toBe(false);
    store.ledger.recordSeen('file:///a', files.slice(0, 10), seen);
    expect(store.ledger.load('file:///a').reading(files[0]!)).toBeDefined();
  });
});

/** Mounts a file system of that size until the end of the test; where it cannot, says why. */
function mountSmall(directory: string, options: string): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=1m,mode=700${options}`, 'none', directory], { stdio: 'pipe' });
    onTestFinished(() => void execFileSync('umount', [directory], { stdio: 'pipe' }));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error);
  }
}

describe('a real file system of 1 MiB', () => {
  function prepare(context: { skip: (note: string) => never }, options = ''): string {
    const directory = temporaryDirectory();
    onTestFinished(() => directory[Symbol.dispose]());
    const disk = join(directory.path, 'disk');
    mkdirSync(disk);
    const trouble = mountSmall(disk, options);
    if (trouble !== undefined) {
      process.stderr.write(`left out: a real full disk: ${trouble}\n`);
      context.skip(`left out: mounting needs root: ${trouble}`);
    }
    return disk;
  }

  /** Makes files until no more can be made. */
  function emptyFiles(disk: string): string[] {
    const made: string[] = [];
    for (;;) {
      const file = join(disk, `empty-${made.length}`);
      try {
        writeFileSync(file, '');
      } catch {
        return made;
      }
      made.push(file);
    }
  }

  /** Takes all space that is left. */
  function occupy(disk: string): string {
    const ballast = join(disk, 'ballast');
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(ballast, Buffer.alloc(bavail * bsize));
    return ballast;
  }

  test('when full refuses a pass whole, delivers what it has, and takes the pass once there is room', (context) => {
    const disk = prepare(context);
    using store = openTestStore(disk);
    store.commitPass(largePass('pass0'));
    const ballast = occupy(disk);
    const committed = fill(store, 1);
    expectWhole(store, committed);
    expect(store.outbox.pending('phone')).toHaveLength(committed);

    rmSync(ballast);
    store.commitPass(samplePass('after', { messages: [sampleMessage(1, { groupId: 'after' })] }));
    store.outbox.recordAccepted(sampleMessage(1, { groupId: 'pass0' }).id, { atMs: someTimeMs, acceptedId: 'x' });
    expect(store.outbox.count()).toBe(committed);
  });

  test('when full at the start is told as full, with or without a database there', (context) => {
    const disk = prepare(context);
    const ballast = occupy(disk);
    expect(() => openTestStore(disk)).toThrow(full as Error);
    rmSync(ballast);
    {
      using store = openTestStore(disk);
      store.commitPass(largePass('pass0'));
    }
    const again = occupy(disk);
    expect(() => openTestStore(disk)).toThrow(full as Error);
    rmSync(again);
    using store = openTestStore(disk);
    expect([store.isNew, store.wasLost]).toEqual([false, false]);
    expectWhole(store, 1);
  });

  test('with no room for one more file is told as full too', (context) => {
    const disk = prepare(context, ',nr_inodes=20');
    openTestStore(disk).close();
    const ballast = emptyFiles(disk);
    expect(() => openTestStore(disk)).toThrow(full as Error);
    for (const name of ballast) rmSync(name);
    openTestStore(disk).close();
  });
});
