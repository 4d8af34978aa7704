import { expect, test } from 'vitest';
import { limits } from '../../../src/support/limits.ts';
import { openTestStore, someTimeMs, temporaryDirectory } from '../../support/store.ts';

const address = 'http://phx-ai01:6333';

test('what the first list holds is the baseline, what comes later is new', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  expect(store.inventory.remembered(address)).toEqual([]);
  store.inventory.recordSight(address, [{ name: 'arxiv', points: 10 }], someTimeMs);
  store.inventory.recordSight(address, [{ name: 'canon', points: null }], someTimeMs + 5);
  expect(store.inventory.remembered(address)).toEqual([
    { name: 'arxiv', firstSeenAtMs: someTimeMs, lastSeenAtMs: someTimeMs, isBaseline: true, points: 10 },
    { name: 'canon', firstSeenAtMs: someTimeMs + 5, lastSeenAtMs: someTimeMs + 5, isBaseline: false, points: null },
  ]);
});

test('an empty first list is a sight, so that the first collection after it is new', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  store.inventory.recordSight(address, [], someTimeMs);
  store.inventory.recordSight(address, [{ name: 'arxiv', points: 1 }], someTimeMs + 1);
  expect(store.inventory.remembered(address)[0]?.isBaseline).toBe(false);
});

test('a vanished collection, the last exact count and the first sight are remembered over a restart', () => {
  using directory = temporaryDirectory();
  {
    using store = openTestStore(directory.path);
    store.inventory.recordSight(address, [{ name: 'arxiv', points: 10 }], someTimeMs);
    store.inventory.recordSight(address, [{ name: 'arxiv', points: null }], someTimeMs + 1);
    store.inventory.recordSight(address, [], someTimeMs + 2);
  }
  using store = openTestStore(directory.path);
  expect(store.inventory.remembered(address)).toEqual([
    { name: 'arxiv', firstSeenAtMs: someTimeMs, lastSeenAtMs: someTimeMs + 1, isBaseline: true, points: 10 },
  ]);
});

test('sources do not mix', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  store.inventory.recordSight(address, [{ name: 'arxiv', points: 1 }], someTimeMs);
  store.inventory.recordSight('http://other:6333', [{ name: 'arxiv', points: 2 }], someTimeMs);
  expect(store.inventory.remembered(address)).toMatchObject([{ points: 1 }]);
});

test('a list beyond all measure is refused whole, and what was remembered stays', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  store.inventory.recordSight(address, [{ name: 'arxiv', points: 1 }], someTimeMs);
  const many = Array.from({ length: limits.rememberedCollections }, (_, n) => ({ name: `c${n}`, points: null }));
  expect(() => store.inventory.recordSight(address, many, someTimeMs)).toThrow(
    expect.objectContaining({ code: 'output/too-large' }),
  );
  expect(store.inventory.remembered(address)).toHaveLength(1);
});
