import { expect, test } from 'vitest';
import type { FileView } from '../../../src/core/model/evidence.ts';
import { createPassingMemory } from '../../../src/watchdog/memory.ts';

const file: FileView = { path: 'a.snapshot', sizeBytes: 3, mtimeNs: '1', ctimeNs: '2', inode: '3' };
const digest = (sha256: string) => ({ kind: 'digest', sha256, readAtMs: 7, tool: 'here' }) as const;

test('a passing memory knows no address: everything there is a first sight', () => {
  const { ledger } = createPassingMemory();
  ledger.recordSeen('file:///a', [file], { isBacklog: true, atMs: 5 });
  expect(ledger.isAddressKnown('file:///a')).toBe(false);
});

test('a passing memory keeps the first digest beside the newest, and the sight of a file that was seen before', () => {
  const { ledger } = createPassingMemory();
  ledger.recordSeen('file:///a', [file], { isBacklog: true, atMs: 5 });
  ledger.recordOutcome('file:///a', file, digest('one'), 7);
  ledger.recordOutcome('file:///a', file, digest('two'), 8);
  ledger.recordSeen('file:///a', [file], { isBacklog: false, atMs: 9 });
  const { reading } = ledger.load('file:///a');
  expect(reading(file)).toEqual({ firstSeenAtMs: 5, isBacklog: true, firstSha256: 'one', outcome: digest('two') });
});

test.each(['path', 'sizeBytes', 'mtimeNs', 'ctimeNs', 'inode'] as const)(
  'a passing memory takes a file for another one when its %s differs',
  (field) => {
    const { ledger } = createPassingMemory();
    ledger.recordOutcome('file:///a', file, digest('one'), 7);
    const other = { ...file, [field]: field === 'sizeBytes' ? 4 : 'x' };
    expect(ledger.load('file:///a').reading(other)).toBeUndefined();
    expect(ledger.load('file:///b').reading(file)).toBeUndefined();
  },
);

test('a passing memory remembers the collections of each source', () => {
  const { inventory } = createPassingMemory();
  inventory.recordSight('http://one', [{ name: 'arxiv', points: 12 }], 5);
  expect(inventory.remembered('http://one')).toEqual([
    { name: 'arxiv', points: 12, firstSeenAtMs: 5, lastSeenAtMs: 5, isBaseline: true },
  ]);
  expect(inventory.remembered('http://other')).toEqual([]);
});
