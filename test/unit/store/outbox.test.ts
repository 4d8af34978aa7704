import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/core/model/alert.ts';
import type { Store } from '../../../src/store/open.ts';
import { limits } from '../../../src/support/limits.ts';
import { openTestStore, sampleMessage, samplePass, someTimeMs, temporaryDirectory } from '../../support/store.ts';

let passes = 0;

function commit(store: Store, messages: readonly Message[], committedAtMs = someTimeMs): void {
  passes += 1;
  store.commitPass(samplePass(`pass-${passes}`, { messages, committedAtMs }));
}

function accept(store: Store, message: Message): void {
  store.outbox.recordAccepted(message.id, { atMs: someTimeMs, acceptedId: `ntfy-${message.id}` });
}

const tooLarge = { atMs: someTimeMs, code: 'http/too-large', message: 'too large', isPermanent: true };
const unreachable = { atMs: someTimeMs, code: 'net/unreachable', message: 'no route', isPermanent: false };

describe('the queue of a receiver', () => {
  test('is in the order of commits, apart from other receivers, over a restart', () => {
    using directory = temporaryDirectory();
    const messages = [3, 1, 2].map((n) => sampleMessage(n, { createdAtMs: someTimeMs - n }));
    {
      using store = openTestStore(directory.path);
      for (const message of messages) commit(store, [message, sampleMessage(9, { receiver: `other-${message.id}` })]);
    }
    using store = openTestStore(directory.path);
    expect(store.outbox.pending('phone')).toEqual(messages);
    expect(store.outbox.pending('phone', 1)).toEqual(messages.slice(0, 1));
    expect(store.outbox.pending('nobody')).toEqual([]);
    expect(store.outbox.receivers()).toHaveLength(4);
    expect(store.outbox.count()).toBe(6);
  });

  test('is handed out a bounded page at a time', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    commit(
      store,
      Array.from({ length: limits.outboxPage + 5 }, (_, n) => sampleMessage(n + 1)),
    );
    expect(store.outbox.pending('phone', 1_000_000)).toHaveLength(limits.outboxPage);
  });

  test('goes on after an acceptance, which is recorded once', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    commit(store, [sampleMessage(1), sampleMessage(2)]);
    accept(store, sampleMessage(1));
    accept(store, sampleMessage(1));
    store.outbox.recordFailure(sampleMessage(1).id, unreachable);
    store.outbox.recordAccepted('no such id', { atMs: someTimeMs, acceptedId: 'x' });
    expect(store.outbox.pending('phone')).toEqual([sampleMessage(2)]);
  });

  test('tells what waits longest, how often it was tried and why it failed', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    expect(store.outbox.oldestPending()).toBeUndefined();
    commit(store, [sampleMessage(1), sampleMessage(2)]);
    expect(store.outbox.oldestPending()).toEqual({
      createdAtMs: sampleMessage(1).createdAtMs,
      receiver: 'phone',
      tries: 0,
      lastError: null,
    });
    store.outbox.recordFailure(sampleMessage(1).id, unreachable);
    store.outbox.recordFailure(sampleMessage(1).id, { ...unreachable, message: 'x'.repeat(100_000) });
    const oldest = store.outbox.oldestPending();
    expect(oldest).toMatchObject({ tries: 2, lastError: { code: 'net/unreachable' } });
    expect(oldest?.lastError?.message).toHaveLength(1_000);
  });
});

describe('a message set aside', () => {
  test('lets the next go on, is still counted as waiting, and stays so over a restart and a transient failure', () => {
    using directory = temporaryDirectory();
    {
      using store = openTestStore(directory.path);
      commit(store, [sampleMessage(1), sampleMessage(2)]);
      store.outbox.recordFailure(sampleMessage(1).id, tooLarge);
      store.outbox.recordFailure(sampleMessage(1).id, unreachable);
    }
    using store = openTestStore(directory.path);
    expect(store.outbox.pending('phone')).toEqual([sampleMessage(2)]);
    expect(store.outbox.setAside('phone')).toEqual([sampleMessage(1)]);
    expect(store.outbox.oldestPending()).toMatchObject({ tries: 2 });
    expect(store.outbox.count()).toBe(2);
    accept(store, sampleMessage(1));
    expect(store.outbox.setAside('phone')).toEqual([]);
  });

  test('comes back in turns, those with the fewest tries first', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    commit(store, [sampleMessage(1), sampleMessage(2)]);
    store.outbox.recordFailure(sampleMessage(1).id, tooLarge);
    store.outbox.recordFailure(sampleMessage(1).id, tooLarge);
    store.outbox.recordFailure(sampleMessage(2).id, tooLarge);
    expect(store.outbox.setAside('phone')).toEqual([sampleMessage(2), sampleMessage(1)]);
  });

  test('is settled by a later one of its group for the same receiver, and by no other', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    const otherGroup = sampleMessage(1, { groupId: 'fedcba9876543210' });
    const otherReceiver = sampleMessage(1, { receiver: 'second' });
    const [alert, recovered] = [sampleMessage(1), sampleMessage(2, { kind: 'recovered' })];
    commit(store, [alert, otherGroup, otherReceiver, recovered]);
    for (const { id } of [alert, otherGroup, otherReceiver]) store.outbox.recordFailure(id, tooLarge);
    accept(store, recovered);
    expect(store.outbox.setAside('phone')).toEqual([otherGroup]);
    expect(store.outbox.setAside('second')).toEqual([otherReceiver]);
  });

  test('is not settled by an earlier one of its group', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    commit(store, [sampleMessage(1), sampleMessage(2)]);
    store.outbox.recordFailure(sampleMessage(2).id, tooLarge);
    accept(store, sampleMessage(1));
    expect(store.outbox.setAside('phone')).toEqual([sampleMessage(2)]);
  });
});

describe('what has been settled', () => {
  test('is kept for its time and then deleted; what is unsettled is never deleted', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    commit(store, [sampleMessage(1), sampleMessage(2)]);
    accept(store, sampleMessage(1));
    commit(store, [sampleMessage(1)], someTimeMs + limits.outboxKeptMs);
    expect(store.outbox.pending('phone')).toEqual([sampleMessage(2)]);
    commit(store, [sampleMessage(1)], someTimeMs + limits.outboxKeptMs + 1);
    expect(store.outbox.pending('phone')).toEqual([sampleMessage(2), sampleMessage(1)]);
  });
});

describe('a receiver that the configuration no longer has', () => {
  test('keeps nothing waiting: what was for it is given up, what is for others is not', () => {
    using directory = temporaryDirectory();
    using store = openTestStore(directory.path);
    commit(store, [sampleMessage(1), sampleMessage(2, { receiver: 'desk' }), sampleMessage(3)]);
    store.outbox.recordFailure(sampleMessage(3).id, tooLarge);
    expect(store.outbox.settleStrangers(new Set(['desk', 'phone']), someTimeMs)).toBe(0);
    expect(store.outbox.settleStrangers(new Set(['desk']), someTimeMs)).toBe(2);
    expect(store.outbox.receivers()).toEqual(['desk']);
    expect(store.outbox.oldestPending()).toMatchObject({ receiver: 'desk' });
  });
});
