/** The lock across processes: it is the kernel that gives it back. */

import { expect, test, vi } from 'vitest';
import { startKillable } from '../../support/killable.ts';
import { openTestStore, temporaryDirectory } from '../../support/store.ts';

/** Nobody listens there: the child's messages stay in its outbox. */
const nowhere = 'http://127.0.0.1:9/';

test('a second daemon is refused while the first one runs, and let in once that was killed', async () => {
  using directory = temporaryDirectory();
  await using child = startKillable('store-child.ts', [directory.path, nowhere, 'one', 'none']);
  await vi.waitFor(() => expect(child.lines.length).toBeGreaterThan(2), { timeout: 20_000 });

  expect(() => openTestStore(directory.path)).toThrow(expect.objectContaining({ code: 'store/locked' }));
  {
    using check = openTestStore(directory.path, { mode: 'check' });
    expect(check.standings.all().length).toBeGreaterThan(2);
  }
  const before = child.lines.length;
  await vi.waitFor(() => expect(child.lines.length).toBeGreaterThan(before), { timeout: 20_000 });

  await child.kill();
  using store = openTestStore(directory.path);
  expect(store.isNew).toBe(false);
  expect(store.outbox.count()).toBeGreaterThanOrEqual(child.lines.length);
});

test('processes that start together in an empty directory share one database, and one of them the lock', async () => {
  using directory = temporaryDirectory();
  const children = [1, 2, 3].map((n) => startKillable('store-child.ts', [directory.path, nowhere, `c${n}`, 'none']));
  try {
    await vi.waitFor(() => expect(children.some(({ lines }) => lines.length > 2)).toBe(true), { timeout: 20_000 });
    const winners = children.filter(({ lines }) => lines.length > 0);
    const losers = children.filter((child) => !winners.includes(child));
    expect(winners).toHaveLength(1);
    expect(await Promise.all(losers.map(({ ended }) => ended))).toEqual([11, 11]);
  } finally {
    await Promise.all(children.map((child) => child.kill()));
  }
});
