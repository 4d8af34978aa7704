import { describe, expect, test } from 'vitest';
import { freshness } from '../../../../src/core/findings/freshness.ts';
import type { Finding } from '../../../../src/core/model/finding.ts';
import { about, freshnessRule, judgeSketch, type Mode } from '../../../support/rules.ts';
import {
  collection,
  digest,
  type FileSketch,
  goodSketch,
  ms,
  nowMs,
  readAs,
  type Sketch,
  snapshot,
  target,
  unreadableSince,
  unreadSince,
  unseen,
} from '../../../support/world.ts';

/** Books on the NAS, judged by one freshness rule over these files. */
function judgeBooks(
  files: FileSketch[],
  rule: Parameters<typeof freshnessRule>[0] = {},
  mode: Mode = 'daemon',
  alter: (sketch: Sketch) => void = () => undefined,
): Finding {
  const sketch = goodSketch();
  sketch.targets['nas'] = target(files);
  alter(sketch);
  return about(judgeSketch(sketch, [freshnessRule({ targets: ['nas'], ...rule })], mode), 'phx-ai01/books', 'nas');
}

const unread = (madeAgo: string, waited: string): FileSketch =>
  snapshot('books', madeAgo, { reading: unreadSince(nowMs - ms(waited)) });
const broken = (madeAgo: string): FileSketch =>
  snapshot('books', madeAgo, { reading: readAs(digest('other'), nowMs - ms('1h')) });
const bare = (madeAgo: string): FileSketch => snapshot('books', madeAgo, { witnesses: [] });

describe('with max_age', () => {
  test('no snapshot at all fails, and tells what is at stake', () => {
    expect(judgeBooks([])).toMatchObject({
      status: 'failing',
      reason: 'none',
      headline: 'no backup',
      summary: 'no snapshot of it on nas; live with 120 points',
    });
  });

  test('a young proven snapshot is ok until it is too old', () => {
    expect(judgeBooks([snapshot('books', '17h')])).toMatchObject({
      status: 'ok',
      reason: 'fresh',
      headline: '17h old',
      validUntilMs: nowMs + ms('9h'),
      observedAtMs: nowMs,
    });
  });

  test('is ok to the last millisecond of its age, and stale after', () => {
    expect(judgeBooks([snapshot('books', '26h')]).status).toBe('ok');
    const later = judgeBooks([snapshot('books', '26h')], {}, 'daemon', (sketch) => {
      sketch.nowMs += 1;
    });
    expect(later).toMatchObject({ status: 'failing', reason: 'stale' });
  });

  test('a stale one says its age and the allowed one', () => {
    expect(judgeBooks([snapshot('books', '31h')])).toMatchObject({
      status: 'failing',
      reason: 'stale',
      headline: '31h old, allowed 26h',
      summary: 'newest proven snapshot is 31h old, allowed 26h',
    });
  });

  test('a broken newest snapshot does not hide a fresh one before it', () => {
    expect(judgeBooks([broken('1h'), snapshot('books', '17h')])).toMatchObject({ status: 'ok', reason: 'fresh' });
  });

  test('a broken newest snapshot fails when the one before it is stale', () => {
    expect(judgeBooks([broken('1h'), snapshot('books', '41h')])).toMatchObject({
      status: 'failing',
      reason: 'newest-broken',
      summary: 'the newest snapshot does not match its witness; newest proven snapshot is 41h old, allowed 26h',
    });
  });

  test('only broken snapshots, long ago, are stale, and none was ever proven', () => {
    expect(judgeBooks([broken('41h')])).toMatchObject({
      status: 'failing',
      reason: 'stale',
      headline: '41h old, allowed 26h',
      summary: 'newest snapshot is 41h old, allowed 26h; none was ever proven on nas',
    });
  });

  test('a snapshot dated in the future makes nothing fresh', () => {
    const witnesses = [{ manifest: 'SHA256SUMS', sha256: digest('x'), madeAtMs: nowMs + ms('6m') }];
    const future = snapshot('books', '1h', { witnesses, reading: readAs(digest('x'), nowMs) });
    expect(judgeBooks([future])).toMatchObject({ status: 'failing', reason: 'none' });
    expect(judgeBooks([future, snapshot('books', '41h')])).toMatchObject({ status: 'failing', reason: 'stale' });
  });

  test('a stamp a few minutes ahead is the skew of two clocks', () => {
    const witnesses = [{ manifest: 'SHA256SUMS', sha256: digest('x'), madeAtMs: nowMs + ms('5m') }];
    const skewed = snapshot('books', '1h', {
      path: 'books/latest.snapshot',
      witnesses,
      reading: readAs(digest('x'), nowMs),
    });
    expect(judgeBooks([skewed])).toMatchObject({
      status: 'ok',
      headline: '0ms old',
      validUntilMs: nowMs + ms('26h5m'),
    });
  });

  test('another collection’s snapshot makes nothing fresh', () => {
    expect(judgeBooks([snapshot('books2', '1h'), snapshot('book', '1h')])).toMatchObject({ reason: 'none' });
  });
});

describe('with a schedule', () => {
  // Slots of 02:15 in Phoenix, which is 09:15 UTC; now it is 20:00 UTC.
  const nightly = { timezone: 'America/Phoenix', parameters: { schedule: '15 2 * * *', graceMs: ms('3h') } };

  test('the copy of the newest slot is fresh until the grace of the next one ends', () => {
    expect(judgeBooks([snapshot('books', '10h')], nightly)).toMatchObject({
      status: 'ok',
      validUntilMs: Date.parse('2026-11-23T12:15:00Z'),
      summary: 'newest proven snapshot is 10h old, wanted by schedule "15 2 * * *" + 3h',
    });
  });

  test('the copy of the slot before is stale as soon as the grace is over', () => {
    const inGrace = judgeBooks([snapshot('books', '34h')], nightly, 'daemon', (sketch) => {
      sketch.nowMs = Date.parse('2026-11-22T12:15:00Z');
      sketch.targets['nas']!.observedAtMs = sketch.nowMs;
    });
    expect(inGrace.status).toBe('ok');
    expect(judgeBooks([snapshot('books', '34h')], nightly)).toMatchObject({ status: 'failing', reason: 'stale' });
  });

  test('a run by hand an hour before the slot does not stand for it', () => {
    expect(judgeBooks([snapshot('books', '11h50m')], nightly)).toMatchObject({ status: 'failing', reason: 'stale' });
  });
});

describe('a new collection', () => {
  const isNew =
    (ago: string) =>
    (sketch: Sketch): void => {
      const firstSeenAtMs = nowMs - ms(ago);
      sketch.sources['phx-ai01']!.collections['books'] = collection({ isBaseline: false, firstSeenAtMs });
    };

  test('is given the time a snapshot made at its first sight would be fresh', () => {
    expect(judgeBooks([], {}, 'daemon', isNew('2h'))).toMatchObject({
      status: 'ok',
      reason: 'new',
      headline: 'new, not due yet',
      validUntilMs: nowMs + ms('24h'),
    });
    expect(judgeBooks([], {}, 'daemon', isNew('27h'))).toMatchObject({ status: 'failing', reason: 'none' });
  });

  test('is given none when it was there at the first sight of its source', () => {
    const baseline = (sketch: Sketch): void => {
      sketch.sources['phx-ai01']!.collections['books'] = collection({ firstSeenAtMs: nowMs - ms('2h') });
    };
    expect(judgeBooks([], {}, 'daemon', baseline)).toMatchObject({ status: 'failing', reason: 'none' });
  });

  test('is given none once a snapshot of it is there and broken', () => {
    expect(judgeBooks([broken('1h')], {}, 'daemon', isNew('2h'))).toMatchObject({ reason: 'newest-broken' });
  });
});

describe('bytes that wait for the reader', () => {
  test('are unread in the daemon, and unknown in check, which may let nobody wait', () => {
    const files = [unread('1h', '50m'), snapshot('books', '41h')];
    expect(judgeBooks(files)).toMatchObject({ status: 'unread', headline: 'waiting to be read' });
    expect(judgeBooks(files, {}, 'check')).toMatchObject({ status: 'unknown', reason: 'not-read' });
  });

  test('do not matter while an older snapshot is fresh and proven', () => {
    expect(judgeBooks([unread('1h', '50m'), snapshot('books', '17h')]).status).toBe('ok');
  });

  test('fail once they have waited for prove_within', () => {
    expect(judgeBooks([unread('7h', '6h'), snapshot('books', '41h')])).toMatchObject({
      status: 'failing',
      reason: 'unread-too-long',
      headline: 'unread for 6h',
    });
  });

  test('do not start to wait anew with every snapshot that arrives', () => {
    // An hourly backup: by the time the oldest has waited six hours, it is no longer fresh itself.
    const hourly = { parameters: { maxAgeMs: ms('2h') } };
    const files = ['1h', '2h', '3h', '4h', '5h', '6h', '7h'].map((ago) => unread(ago, ago));
    expect(judgeBooks([...files, snapshot('books', '8h')], hourly)).toMatchObject({ reason: 'unread-too-long' });
    expect(judgeBooks([...files.slice(0, 5), snapshot('books', '8h')], hourly).status).toBe('unread');
  });

  test('do not excuse anything when they would not be fresh themselves', () => {
    expect(judgeBooks([unread('30h', '1h'), snapshot('books', '41h')])).toMatchObject({ reason: 'stale' });
  });
});

test('bytes that cannot be read are unknown, with the reason and what to do', () => {
  const why = unseen('permission denied', 'place/denied');
  const files = [snapshot('books', '1h', { reading: unreadableSince(nowMs, why) }), snapshot('books', '41h')];
  expect(judgeBooks(files)).toMatchObject({
    status: 'unknown',
    reason: 'unreadable',
    summary: 'the newest snapshot cannot be read: permission denied; newest proven snapshot is 41h old, allowed 26h',
    todo: 'look at the network',
  });
});

test('bytes that no digest can prove are unknown, unless the rule is content with first-seen', () => {
  expect(judgeBooks([bare('1h')])).toMatchObject({ status: 'unknown', reason: 'no-digest' });
  expect(judgeBooks([bare('1h')], { parameters: { proof: 'first-seen' } })).toMatchObject({ status: 'ok' });
});

test('a copy that rsync had to leave unfinished proves nothing, though the rule is content with first-seen', () => {
  const files = [{ ...bare('1h'), mtimeMs: 0 }];
  expect(judgeBooks(files, { parameters: { proof: 'first-seen' } })).toMatchObject({ reason: 'newest-broken' });
});

test('a copy whose only time is 1970 is as old as it says', () => {
  const path = 'books/latest.snapshot';
  const witnesses = [{ manifest: 'SHA256SUMS', sha256: digest(path) }];
  const epoch = snapshot('books', '1h', {
    path,
    witnesses,
    ctimeMs: null,
    mtimeMs: 0,
    reading: readAs(digest(path), nowMs),
  });
  expect(judgeBooks([epoch])).toMatchObject({ status: 'failing', reason: 'stale' });
});

test('absence from a listing that is not whole is unknown', () => {
  const blind = (sketch: Sketch): void => {
    sketch.targets['nas']!.unreadable = [{ path: 'books', why: unseen('permission denied', 'place/denied') }];
  };
  expect(judgeBooks([], {}, 'daemon', blind)).toMatchObject({ status: 'unknown', reason: 'incomplete' });
  expect(judgeBooks([snapshot('books', '17h')], {}, 'daemon', blind).status).toBe('ok');
});

test('a target out of sight is unknown for every collection, with the cause they share', () => {
  const sketch = goodSketch();
  sketch.targets['nas']!.unseen = unseen();
  const { findings } = judgeSketch(sketch, [freshnessRule({ targets: ['nas'] })]);
  expect(findings).toHaveLength(2);
  for (const finding of findings) {
    expect(finding).toMatchObject({
      status: 'unknown',
      reason: 'cannot-look',
      cause: { subject: 'target/nas', summary: 'SSH timeout after 15 s' },
    });
  }
});

test('a target behind a host out of sight shares the cause of the host', () => {
  const sketch = goodSketch();
  sketch.targets['nas']!.unseen = unseen();
  sketch.hosts['nas'] = unseen();
  const { findings } = judgeSketch(sketch, [freshnessRule({ targets: ['nas'] })]);
  expect(findings.map(({ cause }) => cause?.subject)).toEqual(['host/nas', 'host/nas']);
});

test('a rule judges its sources, targets and globs, and nothing else', () => {
  const sketch = goodSketch();
  sketch.sources['other'] = structuredClone(sketch.sources['phx-ai01']!);
  const { findings } = judgeSketch(sketch, [freshnessRule({ targets: ['nas'], collections: ['bo*'] })]);
  expect(findings.map(({ subject, target: on }) => [subject, on])).toEqual([['phx-ai01/books', 'nas']]);
});

describe('parameters', () => {
  test.each([
    ['neither', {}, null, 'expected max_age or schedule'],
    ['both', { max_age: 1, schedule: '15 2 * * *' }, 'schedule', 'expected either max_age or schedule, not both'],
    ['grace without schedule', { max_age: 1, grace: 1 }, 'grace', 'expected grace only with schedule'],
  ])('%s is a mistake', (_, parsed, key, message) => {
    expect(freshness.parameters(parsed)).toEqual([{ key, message }]);
  });

  test('a schedule has a grace of one hour unless it says another', () => {
    expect(freshness.parameters({ schedule: '15 2 * * *' })).toEqual({
      schedule: '15 2 * * *',
      graceMs: ms('1h'),
      maxAgeMs: null,
      proof: 'manifest',
      proveWithinMs: ms('6h'),
    });
  });

  test.each([
    ['schedule', 'every night', false],
    ['schedule', '0 0 30 2 *', false],
    ['schedule', '15 2 * * *', true],
    ['max_age', '26', false],
    ['max_age', '0h', false],
    ['max_age', '26h', true],
    ['proof', 'trust', false],
    ['proof', 'first-seen', true],
  ])('the YAML key %s takes %j: %s', (key, text, isTaken) => {
    expect(freshness.shape[key]?.safeParse(text).success).toBe(isTaken);
  });
});
