import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { flipBit } from '../../../src/lab/backup.ts';
import { labSabotages } from '../../../src/lab/sabotage.ts';
import { labCollections } from '../../../src/lab/world.ts';
import { makeCopies, sha256 } from '../../support/copies.ts';
import { labWorld } from '../../support/run.ts';

async function listed(url: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/collections`, { headers: { 'api-key': 'lab-full-key' } });
  const { result } = (await response.json()) as { result: { collections: { name: string }[] } };
  return result.collections.map(({ name }) => name);
}

describe('the sabotages of the lab', () => {
  test('have names of their own, without a blank, and say what they do', () => {
    const names = labSabotages.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, what } of labSabotages) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(what).not.toBe('');
    }
  });

  test('can each be played on a fresh world, and undone by mend', async () => {
    const world = await labWorld();
    const mend = labSabotages.find(({ name }) => name === 'mend')!;
    for (const { name, play } of labSabotages) {
      await play(world, Date.now());
      await mend.play(world, Date.now());
      // The first request may meet a connection that the fault has cut.
      await vi.waitFor(async () => {
        const collections = await listed(world.qdrant.url);
        expect(collections, name).toEqual(expect.arrayContaining(Object.keys(labCollections)));
        expect((await fetch(`${world.ntfy.url}/v1/health`)).status, name).toBe(200);
      });
    }
  });

  test('make copies that are as old as they say: stale replaces all there was', async () => {
    const world = await labWorld();
    const nowMs = Date.now();
    await labSabotages.find(({ name }) => name === 'stale')!.play(world, nowMs);
    for (const target of Object.values(world.targets)) {
      const runs = readdirSync(target);
      expect(runs).toEqual([new Date(nowMs - 31 * 3_600_000).toISOString().replace(/[-:]|\.\d+/g, '')]);
      expect(readdirSync(join(target, runs[0]!)).toSorted()).toEqual(
        ['SHA256SUMS', ...Object.keys(labCollections)].toSorted(),
      );
    }
  });
});

test('the backup of the lab lists what it copied, with digests that are right', async () => {
  const world = await labWorld();
  const run = join(world.targets.nas, readdirSync(world.targets.nas)[0]!);
  const lines = readFileSync(join(run, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(5);
  for (const line of lines) {
    const [digest, path] = line.split('  ');
    expect(sha256(readFileSync(join(run, path!), 'latin1'), 'latin1')).toBe(digest);
  }
});

test('a bit that is flipped twice is as it was, and flipped once it differs by that bit alone', () => {
  const file = makeCopies().put('file', 'some bytes');
  flipBit(file);
  const flipped = readFileSync(file);
  const differing = [...flipped].filter((byte, index) => byte !== 'some bytes'.charCodeAt(index));
  expect(flipped).toHaveLength(10);
  expect(differing).toHaveLength(1);
  flipBit(file);
  expect(readFileSync(file, 'utf8')).toBe('some bytes');
});
