import { describe, expect, test } from 'vitest';
import { coverage } from '../../../../src/core/findings/coverage.ts';
import type { Finding } from '../../../../src/core/model/finding.ts';
import { about, coverageRule, freshnessRule, judgeSketch, type Mode } from '../../../support/rules.ts';
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
  unreadableSince,
  unreadSince,
  unseen,
} from '../../../support/world.ts';

type Alter = (sketch: Sketch) => void;

function judgeWith(alter: Alter, rule: Parameters<typeof coverageRule>[0] = {}, mode: Mode = 'daemon') {
  const sketch = goodSketch();
  alter(sketch);
  return judgeSketch(sketch, [coverageRule(rule)], mode);
}

const books = (alter: Alter, rule: Parameters<typeof coverageRule>[0] = {}, mode: Mode = 'daemon'): Finding =>
  about(judgeWith(alter, rule, mode), 'phx-ai01/books');
const list = (alter: Alter): Finding => about(judgeWith(alter), 'source/phx-ai01');

/** Replaces what is there of books on a target. */
const have =
  (name: string, ...files: FileSketch[]): Alter =>
  (sketch) => {
    const { files: all } = sketch.targets[name]!;
    sketch.targets[name]!.files = [...all.filter(({ path }) => !path.startsWith('books/')), ...files];
  };
const both =
  (...alterations: Alter[]): Alter =>
  (sketch) => {
    for (const alter of alterations) alter(sketch);
  };
const hide =
  (name: string): Alter =>
  (sketch) => {
    sketch.targets[name]!.unseen = unseen();
  };

const unread = (waited: string): FileSketch => snapshot('books', '1h', { reading: unreadSince(nowMs - ms(waited)) });
const broken = snapshot('books', '1h', { reading: readAs(digest('other'), nowMs) });
const bare = snapshot('books', '1h', { witnesses: [] });
const unreadable = snapshot('books', '1h', { reading: unreadableSince(nowMs, unseen('denied', 'place/denied')) });

test('proven on enough machines is ok', () => {
  expect(books(() => undefined)).toMatchObject({
    status: 'ok',
    reason: 'covered',
    summary: 'proven on 2 of 2 targets, wanted 2',
    validUntilMs: nowMs + ms('24h'),
  });
});

test('an ok rests on the oldest look at any of its targets', () => {
  const finding = books((sketch) => {
    sketch.targets['nas']!.observedAtMs = nowMs - ms('1h');
  });
  expect(finding).toMatchObject({ status: 'ok', observedAtMs: nowMs - ms('1h'), validUntilMs: nowMs + ms('23h') });
});

test('two targets on one machine are one copy', () => {
  const finding = books((sketch) => {
    sketch.targets['nas']!.machine = 'this host';
  });
  expect(finding).toMatchObject({ status: 'failing', reason: 'too-few', headline: 'proven on 1, wanted 2' });
});

test('more copies than there are machines can never be', () => {
  expect(books(() => undefined, { parameters: { copies: 3 } })).toMatchObject({ status: 'failing', reason: 'too-few' });
});

test('nowhere at all says so, with what each target has and what is at stake', () => {
  expect(books(both(have('nas'), have('phx-ai02', broken)))).toMatchObject({
    status: 'failing',
    reason: 'uncovered',
    headline: 'no proven backup anywhere',
    summary:
      'proven on 0 of 2 targets, wanted 2. phx-ai02: only broken snapshots; nas: no snapshot. Live with 120 points',
  });
});

test('an old proven snapshot is a copy: how old it may be is the matter of freshness', () => {
  expect(books(have('nas', snapshot('books', '90d')))).toMatchObject({ status: 'ok' });
});

describe('what cannot be told may be a copy, and what is seen to be none may not', () => {
  test.each([
    ['out of sight', hide('nas'), 'unknown', 'cannot-tell'],
    ['unreadable', have('nas', unreadable), 'unknown', 'cannot-tell'],
    ['without digest', have('nas', bare), 'unknown', 'cannot-tell'],
    ['broken', have('nas', broken), 'failing', 'too-few'],
    ['absent', have('nas'), 'failing', 'too-few'],
    ['one out of sight, the other absent', both(hide('nas'), have('phx-ai02')), 'failing', 'uncovered'],
    ['both out of sight', both(hide('nas'), hide('phx-ai02')), 'unknown', 'cannot-tell'],
    ['waiting for the reader', have('nas', unread('5h')), 'unread', 'unread'],
    ['waiting too long', have('nas', unread('6h')), 'failing', 'too-few'],
    [
      'waiting too long, with a younger one that waits too',
      have('nas', unread('1h'), { ...unread('7h'), path: 'books/older.snapshot' }),
      'failing',
      'too-few',
    ],
    ['waiting, the other out of sight', both(have('phx-ai02', unread('1h')), hide('nas')), 'unknown', 'cannot-tell'],
  ])('%s', (_, alter, status, reason) => {
    expect(books(alter)).toMatchObject({ status, reason });
  });

  test('one copy is enough for a rule that wants one, whatever the other target shows', () => {
    for (const alter of [hide('nas'), have('nas'), have('nas', broken), have('nas', unread('9h'))]) {
      expect(books(alter, { parameters: { copies: 1 } }).status).toBe('ok');
    }
  });

  test('in check what was not read is unknown', () => {
    expect(books(have('nas', unread('1h')), {}, 'check')).toMatchObject({ status: 'unknown', reason: 'cannot-tell' });
  });

  test('absence from a listing that is not whole may be a copy', () => {
    const alter = both(have('nas'), (sketch) => {
      sketch.targets['nas']!.unreadable = [{ path: 'books', why: unseen('denied', 'place/denied') }];
    });
    expect(books(alter)).toMatchObject({ status: 'unknown', reason: 'cannot-tell' });
  });

  test('a target out of sight is the cause', () => {
    expect(books(hide('nas')).cause).toEqual({ subject: 'target/nas', summary: 'SSH timeout after 15 s' });
  });

  test('a first reading counts for a rule that is content with it', () => {
    expect(books(have('nas', bare), { parameters: { proof: 'first-seen' } }).status).toBe('ok');
  });
});

describe('a collection that Qdrant no longer lists', () => {
  const vanished: Alter = (sketch) => {
    sketch.sources['phx-ai01']!.collections['books'] = collection({ isLive: false, lastSeenAtMs: nowMs - ms('3h') });
  };

  test('has vanished, however well it is covered', () => {
    expect(books(vanished)).toMatchObject({
      status: 'failing',
      reason: 'vanished',
      summary: 'phx-ai01 listed it with 120 points until 3h ago and no longer does',
    });
  });

  test('is still judged as covered while the source itself is out of sight', () => {
    const finding = books((sketch) => {
      vanished(sketch);
      sketch.sources['phx-ai01']!.unseen = unseen();
    });
    expect(finding).toMatchObject({ status: 'ok', reason: 'covered' });
  });
});

describe('the list of collections', () => {
  test('is ok while it is whole', () => {
    expect(list(() => undefined)).toMatchObject({ status: 'ok', reason: 'listed', headline: '2 collections' });
  });

  test('fails when it is empty, and says how many were seen before', () => {
    const finding = list((sketch) => {
      for (const each of Object.values(sketch.sources['phx-ai01']!.collections)) each.isLive = false;
    });
    expect(finding).toMatchObject({
      status: 'failing',
      reason: 'empty-list',
      summary: 'phx-ai01 answers but lists no collection; 2 were seen there before',
    });
  });

  test.each([
    ['filtered', 'filtered-list'],
    ['cluster', 'cluster'],
  ] as const)('is unknown when its scope is %s', (scope, reason) => {
    const finding = list((sketch) => {
      sketch.sources['phx-ai01']!.scope = scope;
    });
    expect(finding).toMatchObject({ status: 'unknown', reason });
  });

  test('is unknown when the source is out of sight, with the source as cause', () => {
    const finding = list((sketch) => {
      sketch.sources['phx-ai01']!.unseen = unseen('connection refused', 'net/unreachable');
    });
    expect(finding).toMatchObject({
      status: 'unknown',
      reason: 'cannot-look',
      cause: { subject: 'source/phx-ai01', summary: 'connection refused' },
    });
  });
});

describe('a new collection', () => {
  const isNew =
    (ago: string, isBaseline = false): Alter =>
    (sketch) => {
      const firstSeenAtMs = nowMs - ms(ago);
      sketch.sources['phx-ai01']!.collections['canon'] = collection({ isBaseline, firstSeenAtMs });
    };
  const canon = (alter: Alter, rules = [coverageRule()]): Finding => {
    const sketch = goodSketch();
    alter(sketch);
    return about(judgeSketch(sketch, rules), 'phx-ai01/canon');
  };

  test('is given new_within', () => {
    const rules = [coverageRule({ parameters: { newWithinMs: ms('2h') } })];
    expect(canon(isNew('1h'), rules)).toMatchObject({ status: 'ok', reason: 'new', validUntilMs: nowMs + ms('1h') });
    expect(canon(isNew('2h1m'), rules)).toMatchObject({ status: 'failing', reason: 'uncovered' });
  });

  test('is otherwise given until the freshness rule of its file wants a copy', () => {
    const nightly = freshnessRule({ collections: ['x'], parameters: { schedule: '15 2 * * *', graceMs: ms('3h') } });
    const { findings } = judgeSketch(
      (() => {
        const sketch = goodSketch();
        isNew('1h')(sketch);
        return sketch;
      })(),
      [coverageRule(), nightly],
    );
    expect(about({ findings }, 'phx-ai01/canon').validUntilMs).toBe(Date.parse('2026-11-23T05:15:00Z'));
  });

  test('is given a day when no freshness rule stands in its file', () => {
    expect(canon(isNew('1h')).validUntilMs).toBe(nowMs + ms('23h'));
    expect(canon(isNew('25h')).status).toBe('failing');
  });

  test('has no claim to grace when it was there at the first sight of its source', () => {
    expect(canon(isNew('1h', true))).toMatchObject({ status: 'failing', reason: 'uncovered' });
  });
});

describe('parameters', () => {
  test('one copy, by a manifest, unless the rule says otherwise', () => {
    expect(coverage.parameters({})).toEqual({
      copies: 1,
      newWithinMs: null,
      proof: 'manifest',
      proveWithinMs: ms('6h'),
    });
  });

  test.each([0, -1, 1.5, '2', Number.NaN])('%j copies are refused', (copies) => {
    expect(coverage.shape['copies']?.safeParse(copies).success).toBe(false);
  });
});

test('a collection that Qdrant cannot count is told as such beside its copies', () => {
  const alter: Alter = (sketch) => {
    sketch.sources['phx-ai01']!.collections['books'] = collection({ points: null });
  };
  expect(books(alter)).toMatchObject({
    status: 'ok',
    summary: 'proven on 2 of 2 targets, wanted 2; its points cannot be counted: SSH timeout after 15 s',
  });
});
