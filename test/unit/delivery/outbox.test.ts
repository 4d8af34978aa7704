import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Message } from '../../../src/core/model/alert.ts';
import {
  startOutbox,
  type MessageReceiver,
  type Outbox,
  type OutboxLine,
  type OutboxQueue,
  type OutboxRetry,
} from '../../../src/delivery/outbox.ts';
import type { Store } from '../../../src/store/open.ts';
import { systemClock } from '../../../src/support/clock.ts';
import { WatchdogError, type ErrorCode } from '../../../src/support/errors.ts';
import { openTestStore, sampleMessage, samplePass, someTimeMs, temporaryDirectory } from '../../support/store.ts';

/** Short enough for a test, long enough apart that a wait of the wrong kind shows. */
const quick: OutboxRetry = { minMs: 2, maxMs: 8, heldMs: 15, setAsideMs: 40, sendMs: 5_000 };
const never: OutboxRetry = { minMs: 60_000, maxMs: 60_000, heldMs: 60_000, setAsideMs: 60_000, sendMs: 60_000 };

let directory: ReturnType<typeof temporaryDirectory>;
let store: Store;
let outbox: Outbox | undefined;
let lines: (OutboxLine & { readonly level: string })[];

beforeEach(() => {
  directory = temporaryDirectory();
  store = openTestStore(directory.path);
  lines = [];
});

afterEach(async () => {
  await outbox?.close();
  outbox = undefined;
  store.close();
  directory[Symbol.dispose]();
});

let passes = 0;

function commit(...messages: readonly Message[]): void {
  passes += 1;
  store.commitPass(samplePass(`pass-${passes}`, { messages }));
}

function start(
  receivers: Record<string, MessageReceiver>,
  retry: OutboxRetry = quick,
  faults: Partial<OutboxQueue> = {},
): Outbox {
  const line = (level: string) => (written: OutboxLine) => {
    lines.push({ level, ...written });
  };
  outbox = startOutbox({
    queue: { ...store.outbox, ...faults },
    receivers: new Map(Object.entries(receivers)),
    clock: systemClock,
    log: { info: line('info'), warn: line('warn') },
    retry,
  });
  return outbox;
}

const events = (): readonly string[] => lines.map(({ event }) => event);

interface TestReceiver extends MessageReceiver {
  /** Ids in the order of tries. */
  readonly tried: string[];
  /** Ids in the order of acceptance. */
  readonly accepted: string[];
}

/** A receiver that accepts what `judge` does not throw at. */
function receiverThat(
  judge: (message: Message, tries: number, signal: AbortSignal) => unknown = () => {},
): TestReceiver {
  const tried: string[] = [];
  const accepted: string[] = [];
  return {
    tried,
    accepted,
    send: async (message, signal) => {
      tried.push(message.id);
      await judge(message, tried.filter((id) => id === message.id).length, signal);
      accepted.push(message.id);
      return { acceptedId: `accepted-${message.id}` };
    },
  };
}

const failWith = (code: ErrorCode, permanent = false): never => {
  throw new WatchdogError(code, `the receiver said ${code}`, { permanent });
};

const ids = (...numbers: readonly number[]): readonly string[] => numbers.map((n) => sampleMessage(n).id);

describe('a failure that passes', () => {
  test.each<ErrorCode>(['http/rate-limited', 'http/server-error', 'net/unreachable', 'net/timeout', 'net/tls'])(
    '%s holds the queue until the head is accepted, then goes on in order',
    async (code) => {
      const phone = receiverThat((message, tries) => {
        if (message.id === sampleMessage(1).id && tries <= 3) failWith(code);
      });
      commit(sampleMessage(1), sampleMessage(2), sampleMessage(3));
      start({ phone });
      await vi.waitFor(() => expect(store.outbox.count()).toBe(0));
      expect(phone.accepted).toEqual(ids(1, 2, 3));
      expect(phone.tried).toEqual(ids(1, 1, 1, 1, 2, 3));
      expect(lines).toEqual([
        expect.objectContaining({ level: 'warn', event: 'outbox.failing', receiver: 'phone', state: code }),
        { level: 'info', event: 'outbox.delivering', receiver: 'phone' },
      ]);
    },
  );

  test('is counted with its reason while it lasts, and told of again only when the reason changes', async () => {
    const phone = receiverThat((_message, tries) => failWith(tries <= 3 ? 'http/server-error' : 'net/unreachable'));
    commit(sampleMessage(1));
    start({ phone });
    await vi.waitFor(() => expect(phone.tried.length).toBeGreaterThan(6));
    expect(store.outbox.oldestPending()?.tries).toBeGreaterThan(5);
    expect(store.outbox.oldestPending()?.lastError).toEqual({
      code: 'net/unreachable',
      message: 'the receiver said net/unreachable',
    });
    expect(lines.map((line) => line['state'])).toEqual(['http/server-error', 'net/unreachable']);
  });

  test('may be a mistake in the receiver itself: it is retried like any other', async () => {
    const phone = receiverThat((_message, tries) => {
      if (tries === 1) throw new TypeError('x is not a function');
    });
    commit(sampleMessage(1));
    start({ phone });
    await vi.waitFor(() => expect(phone.accepted).toEqual(ids(1)));
  });

  test('is also no answer at all: the deadline ends the try even when the receiver ignores its signal', async () => {
    const phone = receiverThat((_message, tries) => (tries === 1 ? new Promise(() => {}) : undefined));
    commit(sampleMessage(1));
    start({ phone }, { ...quick, sendMs: 20 });
    await vi.waitFor(() => expect(store.outbox.count()).toBe(0));
    expect(phone.tried).toEqual(ids(1, 1));
    expect(lines[0]).toMatchObject({ state: 'net/timeout' });
  });

  test('of one receiver does not hold up another', async () => {
    const phone = receiverThat(() => failWith('net/unreachable'));
    const second = receiverThat();
    commit(sampleMessage(1), sampleMessage(1, { receiver: 'second' }));
    start({ phone, second });
    await vi.waitFor(() => expect(second.accepted).toHaveLength(1));
    expect(store.outbox.pending('phone')).toHaveLength(1);
  });
});

describe('a receiver that refuses us', () => {
  test.each<ErrorCode>(['http/unauthorized', 'http/forbidden'])(
    'with %s is asked again from time to time, with the same message first, until an operator has mended it',
    async (code) => {
      let isMended = false;
      const phone = receiverThat(() => {
        if (!isMended) failWith(code, true);
      });
      commit(sampleMessage(1), sampleMessage(2));
      start({ phone });
      await vi.waitFor(() => expect(phone.tried.length).toBeGreaterThan(2));
      expect(new Set(phone.tried)).toEqual(new Set(ids(1)));
      expect(store.outbox.setAside('phone')).toEqual([]);
      isMended = true;
      await vi.waitFor(() => expect(phone.accepted).toEqual(ids(1, 2)));
      await vi.waitFor(() => expect(events()).toEqual(['outbox.refused', 'outbox.delivering']));
    },
  );

  test('is not asked more often because new messages arrive', async () => {
    const phone = receiverThat(() => failWith('http/unauthorized', true));
    commit(sampleMessage(1));
    const running = start({ phone }, never);
    await vi.waitFor(() => expect(store.outbox.oldestPending()?.tries).toBe(1));
    commit(sampleMessage(2));
    running.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(phone.tried).toEqual(ids(1));
  });
});

describe('a message that will never be accepted', () => {
  test.each<ErrorCode>(['http/too-large', 'http/rejected', 'http/not-found'])(
    'for %s lets the others go on, is tried again later, and is told of once',
    async (code) => {
      let isMended = false;
      const phone = receiverThat((message) => {
        if (message.id === sampleMessage(1).id && !isMended) failWith(code, true);
      });
      // Of another group, or the acceptance of a later one would settle it.
      const others = [2, 3].map((n) => sampleMessage(n, { groupId: 'fedcba9876543210' }));
      commit(sampleMessage(1), ...others);
      start({ phone });
      await vi.waitFor(() => expect(phone.accepted).toEqual(others.map(({ id }) => id)));
      expect(store.outbox.count()).toBe(1);
      await vi.waitFor(() => expect(phone.tried.filter((id) => id === sampleMessage(1).id).length).toBeGreaterThan(2));
      expect(events()).toEqual(['outbox.set-aside']);
      isMended = true;
      await vi.waitFor(() => expect(store.outbox.count()).toBe(0));
    },
  );

  test('is tried at once after a restart', async () => {
    commit(sampleMessage(1));
    store.outbox.recordFailure(sampleMessage(1).id, {
      atMs: someTimeMs,
      code: 'http/rejected',
      message: 'no',
      isPermanent: true,
    });
    const phone = receiverThat();
    start({ phone }, never);
    await vi.waitFor(() => expect(phone.accepted).toEqual(ids(1)));
  });
});

describe('a message for a receiver that is no longer configured', () => {
  test('stays, is counted, and is told of once', async () => {
    const stranger = sampleMessage(1, { receiver: 'gone' });
    commit(stranger, sampleMessage(1));
    const phone = receiverThat();
    const running = start({ phone });
    await vi.waitFor(() => expect(phone.accepted).toHaveLength(1));
    running.wake();
    expect(store.outbox.pending('gone')).toEqual([stranger]);
    expect(store.outbox.oldestPending()).toMatchObject({ receiver: 'gone' });
    expect(lines).toEqual([{ level: 'warn', event: 'outbox.receiver-unknown', receiver: 'gone' }]);
  });
});

describe('a queue that cannot be used', () => {
  test('keeps an accepted message from being sent again, and the next one back, until it is recorded', async () => {
    const phone = receiverThat();
    commit(sampleMessage(1), sampleMessage(2));
    let refusals = 0;
    const recordAccepted: OutboxQueue['recordAccepted'] = (id, acceptance) => {
      refusals += 1;
      if (refusals <= 4) failWith('store/full');
      store.outbox.recordAccepted(id, acceptance);
    };
    start({ phone }, quick, { recordAccepted });
    await vi.waitFor(() => expect(store.outbox.count()).toBe(0));
    expect(phone.tried).toEqual(ids(1, 2));
    expect(events()).toEqual(['outbox.queue-failing', 'outbox.delivering']);
  });

  test('does not keep a message from being tried when only the failure cannot be recorded', async () => {
    const phone = receiverThat((_message, tries) => {
      if (tries <= 3) failWith('net/unreachable');
    });
    commit(sampleMessage(1));
    start({ phone }, quick, { recordFailure: () => failWith('store/full') });
    await vi.waitFor(() => expect(phone.accepted).toEqual(ids(1)));
  });

  test('is looked at again when it could not be read', async () => {
    const phone = receiverThat();
    commit(sampleMessage(1));
    let looks = 0;
    const pending: OutboxQueue['pending'] = (receiver, count) => {
      looks += 1;
      return looks === 1 ? failWith('store/unusable', true) : store.outbox.pending(receiver, count);
    };
    start({ phone }, quick, { pending });
    await vi.waitFor(() => expect(phone.accepted).toEqual(ids(1)));
    await vi.waitFor(() => expect(events()).toEqual(['outbox.queue-failing', 'outbox.delivering']));
  });
});

describe('waking and stopping', () => {
  test('a wake brings new messages on their way at once', async () => {
    const phone = receiverThat();
    const running = start({ phone }, never);
    await new Promise((resolve) => setImmediate(resolve));
    commit(sampleMessage(1));
    running.wake();
    await vi.waitFor(() => expect(phone.accepted).toEqual(ids(1)));
  });

  test('a drain delivers what is pending, cutting a backoff short, and stops', async () => {
    const phone = receiverThat((_message, tries) => {
      if (tries === 1) failWith('net/unreachable');
    });
    commit(sampleMessage(1));
    const running = start({ phone }, { ...never, minMs: 20_000 });
    await vi.waitFor(() => expect(store.outbox.oldestPending()?.tries).toBe(1));
    await running.drain(4_000);
    expect(store.outbox.count()).toBe(0);
    commit(sampleMessage(5));
    running.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(phone.accepted).toEqual(ids(1));
  });

  test('a drain lets the try under way end instead of repeating it', async () => {
    const answer = Promise.withResolvers<void>();
    const phone = receiverThat(() => answer.promise);
    commit(sampleMessage(1));
    const running = start({ phone }, never);
    await vi.waitFor(() => expect(phone.tried).toHaveLength(1));
    const drained = running.drain(4_000);
    answer.resolve();
    await drained;
    expect([phone.tried.length, store.outbox.count()]).toEqual([1, 0]);
  });

  test('a drain ends at its deadline, and what was not accepted stays', async () => {
    const phone = receiverThat(() => failWith('net/unreachable'));
    commit(sampleMessage(1), sampleMessage(2));
    await start({ phone }, never).drain(30);
    expect(store.outbox.count()).toBe(2);
  });

  test('a close gives the try under way up and counts no failure; the next start repeats it', async () => {
    let signalled: AbortSignal | undefined;
    const stuck = receiverThat((_message, _tries, signal) => {
      signalled = signal;
      return new Promise(() => {});
    });
    commit(sampleMessage(1));
    const first = start({ phone: stuck }, never);
    await vi.waitFor(() => expect(stuck.tried).toHaveLength(1));
    await first.close();
    await first.close();
    expect(signalled?.aborted).toBe(true);
    expect(store.outbox.oldestPending()?.tries).toBe(0);

    const phone = receiverThat();
    start({ phone });
    await vi.waitFor(() => expect(phone.accepted).toEqual(ids(1)));
  });
});
