import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { probeSource } from '../../../src/probes/qdrant.ts';
import type { QdrantSource } from '../../../src/probes/qdrant.ts';
import { WatchdogError } from '../../../src/support/errors.ts';
import { limits } from '../../../src/support/limits.ts';

const address = 'qdrant:http://phx-ai01:6333';
const signal = new AbortController().signal;
const nowMs = (): number => 1_000;

/** A source that answers everything well, but for what a test overrides. */
function source(overrides: Partial<QdrantSource> = {}): QdrantSource {
  return {
    address,
    version: async () => '1.19.0',
    collections: async () => ['b', 'a'],
    status: async () => 'green',
    count: async () => 7,
    aliases: async () => [{ alias: 'now', collection: 'a' }],
    cluster: async () => ({ kind: 'disabled' }),
    ...overrides,
  };
}

function fail(code: 'http/forbidden' | 'http/not-found' | 'http/server-error' | 'net/timeout'): () => Promise<never> {
  return () => Promise.reject(new WatchdogError(code, `told to fail with ${code}`, { hint: 'mend it' }));
}

describe('probeSource', () => {
  it('tells of a collection that cannot be counted what Qdrant calls it, where it says so', async () => {
    const reasons = async (status: QdrantSource['status']): Promise<readonly string[]> => {
      const client = source({ count: fail('http/server-error'), status });
      const evidence = await probeSource(client, { signal, nowMs });
      const collections = evidence.seen ? evidence.value.collections : [];
      return collections.map(({ points }) => (points.seen ? 'counted' : points.why.message));
    };
    const told = 'told to fail with http/server-error';
    expect(await reasons(async () => 'red')).toEqual(Array(2).fill(`${told}; Qdrant calls the collection red`));
    expect(await reasons(fail('http/server-error'))).toEqual([told, told]);
  });

  it.each(['version', 'collections', 'aliases', 'cluster'] as const)('sees nothing when %s fails', async (call) => {
    const evidence = await probeSource(source({ [call]: fail('http/server-error') }), { signal, nowMs });
    expect(evidence).toEqual({
      seen: false,
      address,
      observedAtMs: 1_000,
      why: { code: 'http/server-error', message: 'told to fail with http/server-error', hint: 'mend it' },
    });
  });

  it('tells the failure of the list before those of cluster and aliases', async () => {
    const broken = source({
      collections: fail('net/timeout'),
      cluster: fail('http/server-error'),
      aliases: fail('http/server-error'),
    });
    expect(await probeSource(broken, { signal, nowMs })).toMatchObject({ seen: false, why: { code: 'net/timeout' } });
  });

  it('keeps a collection whose count fails, with the reason', async () => {
    const count = async (name: string): Promise<number> => (name === 'a' ? fail('net/timeout')() : 7);
    const evidence = await probeSource(source({ count }), { signal, nowMs });
    expect(evidence).toMatchObject({
      seen: true,
      value: {
        collections: [
          { name: 'a', points: { seen: false, why: { code: 'net/timeout' } } },
          { name: 'b', points: { seen: true, count: 7 } },
        ],
      },
    });
  });

  it('drops a collection deleted between list and count once a second list lacks it', async () => {
    const lists = [['a', 'b'], ['b']];
    const gone = source({
      collections: async () => lists.shift() ?? [],
      count: async (name) => (name === 'a' ? fail('http/not-found')() : 7),
    });
    const evidence = await probeSource(gone, { signal, nowMs });
    expect(evidence).toMatchObject({ seen: true, value: { collections: [{ name: 'b' }] } });
  });

  it.each([
    ['still has it', async (): Promise<readonly string[]> => ['a', 'b']],
    ['fails', fail('net/timeout')],
  ])('keeps a collection that cannot be found when the second list %s', async (_, second) => {
    let lists = 0;
    const odd = source({
      collections: async () => ((lists += 1) === 1 ? ['a', 'b'] : second()),
      count: async (name) => (name === 'a' ? fail('http/not-found')() : 7),
    });
    const evidence = await probeSource(odd, { signal, nowMs });
    expect(lists).toBe(2);
    expect(evidence).toMatchObject({
      seen: true,
      value: { collections: [{ name: 'a', points: { seen: false } }, { name: 'b' }] },
    });
  });

  it('does not drop what vanished from the second list but could be counted', async () => {
    const lists = [['a', 'b', 'c'], []];
    const evidence = await probeSource(
      source({
        collections: async () => lists.shift() ?? [],
        count: async (name) => (name === 'a' ? fail('http/not-found')() : 7),
      }),
      { signal, nowMs },
    );
    expect(evidence).toMatchObject({ seen: true, value: { collections: [{ name: 'b' }, { name: 'c' }] } });
  });

  it('sees an empty list as an empty list', async () => {
    const evidence = await probeSource(source({ collections: async () => [] }), { signal, nowMs });
    expect(evidence).toMatchObject({ seen: true, value: { collections: [] } });
  });

  it.each([
    ['disabled', async () => ({ kind: 'disabled' }) as const, 'whole'],
    ['enabled with one peer', async () => ({ kind: 'enabled', peers: ['1'] }) as const, 'whole'],
    ['enabled with several peers', async () => ({ kind: 'enabled', peers: ['1', '2', '3'] }) as const, 'cluster'],
    ['enabled with no peer at all', async () => ({ kind: 'enabled', peers: [] }) as const, 'cluster'],
    ['forbidden', fail('http/forbidden'), 'filtered'],
  ])('takes a cluster that is %s', async (_, cluster, scope) => {
    expect(await probeSource(source({ cluster }), { signal, nowMs })).toMatchObject({ seen: true, value: { scope } });
  });

  it('counts at most so many side by side, and all of them', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `c${String(index).padStart(2, '0')}`);
    let running = 0;
    let most = 0;
    const count = async (): Promise<number> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return 1;
    };
    const evidence = await probeSource(source({ collections: async () => names, count }), { signal, nowMs });
    expect(most).toBe(limits.qdrantParallel);
    expect(evidence.seen && evidence.value.collections.map(({ name }) => name)).toEqual(names);
  });

  it('leaves the rest uncounted, and says so, when the counts take too long together', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `c${index}`);
    const slow = source({ collections: async () => names, count: () => setTimeout(20, 1) });
    const evidence = await probeSource(slow, { signal, nowMs, countsMs: 10 });
    if (!evidence.seen) throw new Error(evidence.why.message);
    const uncounted = evidence.value.collections.filter(({ points }) => !points.seen);
    expect(evidence.value.collections).toHaveLength(30);
    expect(uncounted).toHaveLength(30 - limits.qdrantParallel);
    expect(uncounted[0]?.points).toMatchObject({ why: { code: 'net/timeout' } });
  });

  it('is stopped, not half seen, when we shut down between the counts', async () => {
    const shutdown = new AbortController();
    const count = async (): Promise<number> => {
      shutdown.abort();
      throw new WatchdogError('aborted', 'stopped by us');
    };
    const evidence = await probeSource(source({ count }), { signal: shutdown.signal, nowMs });
    expect(evidence).toMatchObject({ seen: false, why: { code: 'aborted' } });
  });

  it('is as old as its first question', async () => {
    let clock = 1_000;
    const evidence = await probeSource(source({ version: async () => ((clock = 9_000), '1.19.0') }), {
      signal,
      nowMs: () => clock,
    });
    expect(evidence.observedAtMs).toBe(1_000);
  });

  it('throws a mistake of the program instead of calling it evidence', async () => {
    const broken = source({ count: () => Promise.reject(new TypeError('not a function')) });
    await expect(probeSource(broken, { signal, nowMs })).rejects.toThrow(TypeError);
  });
});
