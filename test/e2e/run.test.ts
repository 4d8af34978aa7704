/** `deadair run` as a process beside the lab's world: what the phone hears when the world breaks, and when it is well again. */

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { labCollections } from '../../src/lab/world.ts';
import { readingsOf } from '../support/estate.ts';
import { heard, labWorld, logOf, passed, startWatchdog, titles } from '../support/run.ts';

const hourMs = 3_600_000;

describe('what the phone hears', () => {
  test('of a backup that stopped and a collection nobody copied; then of the repair', async () => {
    const world = await labWorld({ isBackedUp: false });
    const { claude_canon: _, ...onTheList } = labCollections;
    world.backup(Object.keys(onTheList), Date.now() - 31 * hourMs);
    const watchdog = startWatchdog(world);
    const stale = await heard(world, /^CRIT phx-ai01: 5 of 5 not fresh$/);
    expect(stale.priority).toBe(5);
    expect(stale.body).toMatch(/^arxiv\b.*31h old, allowed 26h/m);
    const uncovered = await heard(world, /^CRIT claude_canon: no proven backup anywhere$/);
    expect(uncovered.body).toContain('340,112 points');
    await passed(watchdog, 'critical');
    // Told once, however many passes go by.
    expect(titles(world).filter((title) => title.startsWith('CRIT'))).toHaveLength(2);

    world.backup(Object.keys(labCollections), Date.now() - 60_000);
    await heard(world, /^OK phx-ai01: freshness recovered$/);
    await heard(world, /^OK claude_canon: coverage recovered$/);
    await passed(watchdog, 'ok');
    expect((await watchdog.end()).code).toBe(0);
  });

  test('nothing of a good world, and no byte is read twice, not even after a restart', async () => {
    const world = await labWorld();
    const state = join(world.directory, 'state');
    const first = startWatchdog(world);
    await passed(first, 'ok');
    const readings = readingsOf(state);
    expect(readings.size).toBe(10);
    await passed(first, 'ok');
    expect((await first.end()).code).toBe(0);
    const second = startWatchdog(world);
    await passed(second, 'ok');
    await passed(second, 'ok');
    expect(readingsOf(state)).toEqual(readings);
    expect(logOf(first).filter(({ event }) => event === 'reader.read')).toHaveLength(10);
    expect(logOf(second).filter(({ event }) => event === 'reader.read')).toHaveLength(0);
    expect(titles(world)).toEqual([]);
  });

  test('of a bit that flips in one copy, and of its end', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    world.flipNewestOnNas('arxiv');
    const rotten = await heard(world, /^CRIT arxiv on nas: bytes changed$/);
    expect(rotten.body).toContain('SHA256SUMS says');
    world.flipNewestOnNas('arxiv');
    await heard(world, /^OK arxiv on nas: integrity recovered$/);
    await passed(watchdog, 'ok');
  });

  test('of a list that is empty, and of one that shrank; neither ends anything', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    await world.qdrant.setFault('empty-list');
    const empty = await heard(world, /^CRIT phx-ai01: lists no collection at all$/);
    expect(empty.body).toContain('5 were seen there before');
    expect(empty.body).toMatch(/^arxiv: vanished from Qdrant$/m);
    await passed(watchdog, 'critical');
    expect(titles(world).filter((title) => title.startsWith('OK'))).toEqual([]);
    await world.qdrant.setFault(null);
    await heard(world, /^OK phx-ai01: coverage recovered$/);
    const before = titles(world).length;
    await world.qdrant.setFault('shrunken-list');
    await heard(world, /^CRIT notes: vanished from Qdrant$/, before);
    await world.qdrant.setFault(null);
    await heard(world, /^OK notes: coverage recovered$/, before);
    await passed(watchdog, 'ok');
  });
});

describe('what cannot be looked at', () => {
  test('a Qdrant that is down is a warning, not an alarm, while the last proof holds; it ends by a new look', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    await world.qdrant.setFault('down');
    const warning = await heard(world, /^WARN phx-ai01: cannot look$/);
    expect(warning.body).toContain(String(world.qdrant.port));
    await passed(watchdog, 'unknown');
    expect(titles(world).filter((title) => /^(CRIT|OK)/.test(title))).toEqual([]);
    await world.qdrant.setFault(null);
    await heard(world, /^OK phx-ai01: reachable recovered$/);
    await passed(watchdog, 'ok');
    expect(titles(world).filter((title) => title.startsWith('CRIT'))).toEqual([]);
  });

  test('a NAS that is down is told once, with how much it hides, and ends by a new look', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    await world.nas.setFault('down');
    const warning = await heard(world, /^WARN nas/);
    expect(warning.body).toMatch(/Hides \d+ findings\./);
    await passed(watchdog, 'unknown');
    await passed(watchdog, 'unknown');
    expect(titles(world)).toHaveLength(1);
    await world.nas.setFault(null);
    await heard(world, /^OK nas: reachable recovered$/);
    await passed(watchdog, 'ok');
    expect(titles(world)).toHaveLength(2);
  });

  test('what was told before the NAS went is not taken back while nobody can look', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    world.flipNewestOnNas('arxiv');
    await heard(world, /^CRIT arxiv on nas: bytes changed$/);
    await world.nas.setFault('down');
    // Nobody sees it mended.
    world.flipNewestOnNas('arxiv');
    await heard(world, /^WARN nas/);
    await passed(watchdog);
    expect(titles(world).filter((title) => title.startsWith('OK'))).toEqual([]);
    await world.nas.setFault(null);
    await heard(world, /^OK arxiv on nas: integrity recovered$/);
  });
});
