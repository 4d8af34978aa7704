import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FileView, ReadingOutcome } from '../../../src/core/model/evidence.ts';
import type { Place } from '../../../src/probes/place.ts';
import { WatchdogError } from '../../../src/support/errors.ts';
import { createLog } from '../../../src/support/log.ts';
import { createPassingMemory } from '../../../src/watchdog/memory.ts';
import { type ReadingWork, startReader } from '../../../src/watchdog/reader.ts';

const gibibyte = 2 ** 30;
const digest: ReadingOutcome = { kind: 'digest', sha256: 'a'.repeat(64), readAtMs: 1, tool: 'here' };

function file(path: string, sizeBytes = 3 * gibibyte): FileView {
  return { path, sizeBytes, mtimeNs: '1', ctimeNs: '1', inode: '1' };
}

/** A target whose hashing ends when the test says so. */
function target() {
  const batches: {
    paths: string[];
    finish: () => void;
    fail: (error: Error) => void;
    fumble: () => void;
    signal: AbortSignal;
  }[] = [];
  let opened = 0;
  let closed = 0;
  const place: Place = {
    address: 'file:///copies',
    list: () => Promise.reject(new Error('not asked')),
    read: () => Promise.reject(new Error('not asked')),
    close: async () => void (closed += 1),
    hash: (files, { signal, onOutcome }) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new WatchdogError('aborted', 'stopped')), { once: true });
        batches.push({
          paths: files.map(({ path }) => path),
          signal,
          fail: reject,
          finish: () => {
            for (const each of files) onOutcome(each, digest);
            resolve();
          },
          fumble: () => {
            const why = { code: 'net/timeout', message: 'too slow' };
            for (const each of files) onOutcome(each, { kind: 'unreadable', readAtMs: 1, why });
            resolve();
          },
        });
      }),
  };
  const work = (...files: FileView[]): ReadingWork => ({
    target: 'nas',
    files,
    cores: 1,
    idle: true,
    open: async () => {
      opened += 1;
      return { place, close: () => place.close() };
    },
  });
  return { place, batches, work, opened: () => opened, closed: () => closed };
}

interface Started {
  readonly offer: (work: ReadingWork) => void;
  readonly troubles: () => ReadonlyMap<string, string>;
  readonly close: () => Promise<void>;
  readonly onRead: ReturnType<typeof vi.fn>;
  readonly onBroken: ReturnType<typeof vi.fn>;
  readonly memory: ReturnType<typeof createPassingMemory>;
}

function reader(): Started {
  const memory = createPassingMemory();
  const [onRead, onBroken] = [vi.fn(), vi.fn()];
  const started = startReader({ memory, nowMs: () => 5, log: createLog('silent'), onRead, onBroken });
  onTestFinished(() => started.close());
  return {
    offer: (work) => started.offer(work),
    troubles: () => started.troubles(),
    close: () => started.close(),
    onRead,
    onBroken,
    memory,
  };
}

async function batch(of: ReturnType<typeof target>, count: number): Promise<(typeof of.batches)[number]> {
  await vi.waitFor(() => expect(of.batches).toHaveLength(count));
  return of.batches[count - 1]!;
}

describe('the reader', () => {
  test('reads in the order it was offered, batch by batch, remembers each digest, and tells once at the end', async () => {
    const [nas, { offer, onRead, memory }] = [target(), reader()];
    const files = [file('newest'), file('older'), file('oldest')];
    offer(nas.work(...files));
    for (const [index, path] of ['newest', 'older', 'oldest'].entries()) {
      const { paths, finish } = await batch(nas, index + 1);
      expect(paths).toEqual([path]);
      expect(onRead).not.toHaveBeenCalled();
      finish();
    }
    await vi.waitFor(() => expect(onRead).toHaveBeenCalledOnce());
    const { reading } = memory.ledger.load('file:///copies');
    for (const each of files) expect(reading(each)?.outcome).toMatchObject({ kind: 'digest', readAtMs: 5 });
    expect([nas.opened(), nas.closed()]).toEqual([1, 1]);
  });

  test('puts small files together, so that a batch is worth its round trip', async () => {
    const [nas, { offer }] = [target(), reader()];
    offer(nas.work(file('a', 10), file('b', 10), file('c', 10)));
    expect((await batch(nas, 1)).paths).toEqual(['a', 'b', 'c']);
  });

  test('takes what is newest of a later offer before the rest of an earlier one', async () => {
    const [nas, { offer }] = [target(), reader()];
    offer(nas.work(file('backlog-1'), file('backlog-2')));
    const first = await batch(nas, 1);
    offer(nas.work(file('tonight'), file('backlog-1'), file('backlog-2')));
    first.finish();
    expect((await batch(nas, 2)).paths).toEqual(['tonight']);
  });

  test('does not read again what was being read while it was offered again', async () => {
    const [nas, { offer, onRead }] = [target(), reader()];
    offer(nas.work(file('one'), file('two')));
    const first = await batch(nas, 1);
    // A pass goes by: neither has a digest yet, so both are due.
    offer(nas.work(file('one'), file('two')));
    first.finish();
    const second = await batch(nas, 2);
    expect(second.paths).toEqual(['two']);
    offer(nas.work(file('two')));
    second.finish();
    await vi.waitFor(() => expect(onRead).toHaveBeenCalledOnce());
    expect(nas.batches).toHaveLength(2);
  });

  test('reads a file that changed while it was read, as the other file that it now is', async () => {
    const [nas, { offer }] = [target(), reader()];
    offer(nas.work(file('one')));
    const first = await batch(nas, 1);
    offer(nas.work({ ...file('one'), ctimeNs: '2' }));
    first.finish();
    expect((await batch(nas, 2)).paths).toEqual(['one']);
  });

  test('stops at what is no longer due', async () => {
    const [nas, { offer, onRead }] = [target(), reader()];
    offer(nas.work(file('one'), file('expired by retention')));
    const first = await batch(nas, 1);
    offer(nas.work());
    first.finish();
    await vi.waitFor(() => expect(onRead).toHaveBeenCalledOnce());
    expect(nas.batches).toHaveLength(1);
  });

  test('lets a file rest that it could not read to its end, and takes nothing for its digest', async () => {
    const [nas, { offer, memory, onRead }] = [target(), reader()];
    memory.ledger.recordOutcome('file:///copies', file('stuck'), digest, 1);
    offer(nas.work(file('stuck')));
    (await batch(nas, 1)).fumble();
    await vi.waitFor(() => expect(onRead).toHaveBeenCalledOnce());
    expect(memory.ledger.load('file:///copies').reading(file('stuck'))?.outcome).toEqual(digest);
    offer(nas.work(file('stuck'), file('tonight')));
    expect((await batch(nas, 2)).paths).toEqual(['tonight']);
  });

  test('tells why a target cannot be read, and no longer once it can', async () => {
    const [nas, { offer, troubles }] = [target(), reader()];
    offer(nas.work(file('one')));
    (await batch(nas, 1)).fail(new WatchdogError('ssh/connection-lost', 'the host closed it'));
    await vi.waitFor(() => expect(troubles().get('nas')).toBe('the host closed it'));
    expect([nas.opened(), nas.closed()]).toEqual([1, 1]);
    offer(nas.work(file('one')));
    (await batch(nas, 2)).finish();
    await vi.waitFor(() => expect(troubles().size).toBe(0));
  });

  test('forgets a failure when the target was seen and nothing is due there any more', async () => {
    const [nas, { offer, troubles }] = [target(), reader()];
    offer(nas.work(file('one')));
    (await batch(nas, 1)).fail(new WatchdogError('ssh/connection-lost', 'the host closed it'));
    await vi.waitFor(() => expect(troubles().size).toBe(1));
    offer(nas.work());
    expect(troubles().size).toBe(0);
  });

  test('tells why a target cannot even be opened', async () => {
    const [nas, { offer, troubles }] = [target(), reader()];
    const open = (): ReturnType<ReadingWork['open']> => Promise.reject(new WatchdogError('net/timeout', 'no answer'));
    offer({ ...nas.work(file('one')), open });
    await vi.waitFor(() => expect(troubles().get('nas')).toBe('no answer'));
  });

  test('hands on what should be impossible, instead of calling it a trouble of the target', async () => {
    const [nas, { offer, troubles, onBroken }] = [target(), reader()];
    offer(nas.work(file('one')));
    const mistake = new TypeError('of ours');
    (await batch(nas, 1)).fail(mistake);
    await vi.waitFor(() => expect(onBroken).toHaveBeenCalledExactlyOnceWith(mistake));
    expect(troubles().size).toBe(0);
    expect(nas.closed()).toBe(1);
  });

  test('reads targets side by side: a slow one holds up no other', async () => {
    const [nas, other, { offer }] = [target(), target(), reader()];
    offer(nas.work(file('slow')));
    offer({ ...other.work(file('quick')), target: 'other' });
    await batch(nas, 1);
    (await batch(other, 1)).finish();
    expect(nas.batches).toHaveLength(1);
  });

  test('stops when it is closed, gives everything back, and takes no more', async () => {
    const [nas, { offer, close, onRead, troubles }] = [target(), reader()];
    offer(nas.work(file('one')));
    const { signal } = await batch(nas, 1);
    await close();
    expect(signal.aborted).toBe(true);
    expect(nas.closed()).toBe(1);
    offer(nas.work(file('two')));
    expect(nas.batches).toHaveLength(1);
    expect(onRead).not.toHaveBeenCalled();
    expect(troubles().size).toBe(0);
  });
});
