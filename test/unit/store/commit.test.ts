import { expect, test } from 'vitest';
import type { HistoryEvent } from '../../../src/store/passes.ts';
import { limits } from '../../../src/support/limits.ts';
import {
  openTestStore,
  sampleGroup,
  sampleMessage,
  samplePass,
  sampleStanding,
  someTimeMs,
  temporaryDirectory,
} from '../../support/store.ts';

const event = (summary: string): HistoryEvent => ({
  atMs: someTimeMs,
  kind: 'fired',
  why: 'failing',
  alertId: 'aaaaaaaaaaaaaaaa',
  summary,
});

test('a pass commits nothing when any part of it cannot be stored', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  store.commitPass(samplePass('one', { standings: [sampleStanding('phx-ai01/arxiv')] }));
  const broken = { ...sampleMessage(2), receiver: null as unknown as string };
  expect(() =>
    store.commitPass(
      samplePass('two', {
        standings: [sampleStanding('phx-ai01/canon')],
        removed: [{ ruleId: 'phx-ai01/freshness', subject: 'phx-ai01/arxiv', target: 'nas' }],
        groups: [sampleGroup()],
        events: [event('canon fired')],
        messages: [sampleMessage(1), broken],
      }),
    ),
  ).toThrow();
  expect(store.standings.all().map(({ subject }) => subject)).toEqual(['phx-ai01/arxiv']);
  expect(store.standings.groups()).toEqual([]);
  expect(store.passes.events(10)).toEqual([]);
  expect(store.passes.lastCommitted()?.passId).toBe('one');
  expect(store.outbox.count()).toBe(0);
});

test('a pass is there whole after a restart', () => {
  using directory = temporaryDirectory();
  const standings = [sampleStanding('phx-ai01/arxiv'), sampleStanding('phx-ai01/canon', { target: null, alert: null })];
  const pass = samplePass('one', {
    verdict: 'critical',
    standings,
    groups: [sampleGroup()],
    events: [event('arxiv fired'), event('canon fired')],
    messages: [sampleMessage(1)],
  });
  {
    using store = openTestStore(directory.path);
    expect(store.passes.lastCommitted()).toBeUndefined();
    store.commitPass(pass);
  }
  using store = openTestStore(directory.path);
  expect(store.standings.all()).toEqual(standings);
  expect(store.standings.groups()).toEqual([sampleGroup()]);
  expect(store.passes.events(10).map(({ summary }) => summary)).toEqual(['canon fired', 'arxiv fired']);
  expect(store.passes.events(1)).toEqual([event('canon fired')]);
  const { passId, startedAtMs, committedAtMs, verdict } = pass;
  expect(store.passes.lastCommitted()).toEqual({ passId, startedAtMs, committedAtMs, verdict });
  expect(store.outbox.pending('phone')).toEqual([sampleMessage(1)]);
});

test('the same pass again changes nothing, and a message of another pass under the same id is kept once', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  const pass = samplePass('one', { messages: [sampleMessage(1)], events: [event('fired')] });
  store.commitPass(pass);
  store.commitPass(pass);
  store.commitPass(samplePass('two', { messages: [sampleMessage(1), sampleMessage(2)] }));
  store.outbox.recordAccepted(sampleMessage(1).id, { atMs: someTimeMs, acceptedId: 'x' });
  store.commitPass(samplePass('three', { messages: [sampleMessage(1)] }));
  expect(store.outbox.pending('phone')).toEqual([sampleMessage(2)]);
  expect(store.passes.events(10)).toHaveLength(1);
});

test('standings and groups are replaced and removed by their keys', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  const [nas, local] = [sampleStanding('s/c'), sampleStanding('s/c', { target: null })];
  store.commitPass(samplePass('one', { standings: [nas, local], groups: [sampleGroup('a'), sampleGroup('b')] }));
  const changed = { ...local, status: 'ok' as const, alert: null };
  store.commitPass(
    samplePass('two', {
      standings: [changed],
      removed: [nas],
      groups: [{ ...sampleGroup('b'), told: 2 }],
      removedGroups: ['a'],
    }),
  );
  expect(store.standings.all()).toEqual([changed]);
  expect(store.standings.groups()).toEqual([{ ...sampleGroup('b'), told: 2 }]);
});

test('the last pass is the one committed last, also after the clock was set back', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  store.commitPass(samplePass('late', { startedAtMs: someTimeMs, committedAtMs: someTimeMs + 1 }));
  store.commitPass(
    samplePass('early', { startedAtMs: someTimeMs - 86_400_000, committedAtMs: someTimeMs - 86_399_999 }),
  );
  expect(store.passes.lastCommitted()).toMatchObject({ passId: 'early', committedAtMs: someTimeMs - 86_399_999 });
});

test('history and passes are bounded, the oldest go first', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  const events = Array.from({ length: limits.events }, (_, n) => event(`${n}`));
  store.commitPass(samplePass('one', { events }));
  store.commitPass(samplePass('two', { events: [event('newest'), event('newest of all')] }));
  const kept = store.passes.events(limits.events * 2);
  expect([kept.length, kept.at(0)?.summary, kept.at(-1)?.summary]).toEqual([limits.events, 'newest of all', '2']);
});

test('one text out of hand is cut and does not keep a pass from being committed', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  const standing = sampleStanding('phx-ai01/arxiv');
  const summary = 'x'.repeat(10_000_000);
  store.commitPass(
    samplePass('one', {
      standings: [{ ...standing, alert: { ...standing.alert!, summary } }],
      events: [event(summary)],
    }),
  );
  const stored = store.standings.all()[0]?.alert?.summary;
  expect([stored?.length, stored?.at(-1)]).toEqual([limits.storedTextLength, '…']);
  expect(store.passes.events(1)[0]?.summary).toHaveLength(limits.storedTextLength);
});
