import { describe, expect, test } from 'vitest';
import { dueFiles, filesToProve } from '../../../../src/core/findings/due.ts';
import {
  arrange,
  digest,
  type FileSketch,
  goodSketch,
  ms,
  nowMs,
  readAs,
  snapshot,
  target,
  type TargetSketch,
  unreadableSince,
  unreadSince,
  unseen,
} from '../../../support/world.ts';

const unread = (name: string, madeAgo: string): FileSketch => snapshot(name, madeAgo, { reading: unreadSince(nowMs) });
const read = (madeAgo: string, readAgo: string): FileSketch =>
  snapshot('books', madeAgo, { reading: readAs(digest('x'), nowMs - ms(readAgo)) });
const unreadable = (ago: string): FileSketch =>
  snapshot('books', '1h', { reading: unreadableSince(nowMs - ms(ago), unseen('denied', 'place/denied')) });

function due(files: FileSketch[], part: Partial<TargetSketch> = {}): readonly string[] {
  const [world] = arrange({ ...goodSketch(), targets: { nas: target(files, part) } }).targets;
  const options = { nowMs, rereadEveryMs: ms('30d'), retryUnreadableMs: ms('15m') };
  return dueFiles(world!, options).map(({ path }) => path);
}

test('the newest unread snapshot of each collection comes first, then the others, newest first', () => {
  const files = [unread('books', '65h'), unread('books', '17h'), unread('arxiv', '41h'), unread('arxiv', '89h')];
  expect(due(files)).toEqual([files[1], files[2], files[0], files[3]].map((file) => file?.path));
});

test('readings that end soon come last, the oldest first, and sooner than they end', () => {
  const files = [read('28d', '27d'), read('40d', '29d'), read('26d', '26d'), unread('arxiv', '90d')];
  expect(due(files)).toEqual([files[3], files[1], files[0]].map((file) => file?.path));
});

test('a reading dated in the future is renewed now, not when that future has passed', () => {
  const future = snapshot('books', '17h', { reading: readAs(digest('x'), nowMs + ms('400d')) });
  expect(due([future])).toEqual([future.path]);
});

test('a file without bytes need not be read', () => {
  expect(due([snapshot('books', '1h', { sizeBytes: 0, reading: null })])).toEqual([]);
});

describe('a file that could not be read', () => {
  test('is tried again after a while', () => {
    expect(due([unreadable('14m')])).toEqual([]);
    expect(due([unreadable('15m')])).toHaveLength(1);
  });

  test('is tried again at once when the clock was stepped back since', () => {
    const future = snapshot('books', '1h', { reading: unreadableSince(nowMs + ms('1d'), unseen()) });
    expect(due([future])).toHaveLength(1);
  });
});

test('a target out of sight has nothing to read', () => {
  expect(due([unread('books', '1h')], { unseen: unseen() })).toEqual([]);
});

test('what is worth remembering are snapshots, and what a manifest lists', () => {
  const files = [
    snapshot('books', '1h', { witnesses: [] }),
    snapshot('books', '1h', { path: 'aliases.json' }),
    snapshot('books', '1h', { path: 'README.txt', witnesses: [] }),
  ];
  const [seen] = arrange({ ...goodSketch(), targets: { nas: target(files) } }).targets;
  expect(filesToProve(seen!.catalogue!).map(({ path }) => path)).toEqual([files[0]?.path, 'aliases.json']);
});
