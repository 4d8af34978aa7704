/** The daemon in this process, beside a lab's world: its passes, their order, and what it does when one cannot be stored. */

import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { load } from '../../../src/cli/configuration.ts';
import { startConfigured } from '../../../src/cli/run.ts';
import type { LabWorld } from '../../../src/lab/world.ts';
import { type Clock, systemClock } from '../../../src/support/clock.ts';
import { createLog } from '../../../src/support/log.ts';
import { type Daemon, startDaemon } from '../../../src/watchdog/daemon.ts';
import { openSetup, type Setup } from '../../../src/watchdog/setup.ts';
import type { PassReport } from '../../../src/watchdog/pass.ts';
import { heard, labWorld, patience, titles } from '../../support/run.ts';

interface Started {
  readonly daemon: Daemon;
  readonly reports: readonly PassReport[];
  /** Waits for a pass that began after now. */
  readonly next: () => Promise<PassReport>;
}

async function start(world: LabWorld): Promise<Started> {
  const reports: PassReport[] = [];
  const daemon = await startConfigured(world.configFile, createLog('silent'), (report) => void reports.push(report));
  onTestFinished(() => daemon.stop());
  const next = async (): Promise<PassReport> => {
    const from = reports.length + 1;
    await vi.waitFor(() => expect(reports.length).toBeGreaterThan(from), patience);
    return reports[from]!;
  };
  return { daemon, reports, next };
}

describe('the passes of a daemon', () => {
  test('never overlap: in a slow world the next one waits, and says that it was late', async () => {
    const world = await labWorld();
    const { next } = await start(world);
    await next();
    // Each answer takes 2 s, check_every is 1 s.
    await world.qdrant.setFault('slow');
    const before = world.ntfy.requests().length;
    const late = await heard(world, /pass took/);
    expect(late.body).toContain('longer than check_every');
    const looks = world.ntfy
      .requests()
      .slice(before)
      .filter((request) => request.endsWith('/v1/health'));
    // Each pass takes at least 4 s and three are late before it is said; passes that overlapped would have looked more often.
    expect(looks.length).toBeLessThanOrEqual(6);
    await world.qdrant.setFault(null);
    await heard(world, /^OK pass/);
  });

  test('come at once when a reload is asked for, and not twice', async () => {
    const world = await labWorld();
    const { daemon, reports, next } = await start(world);
    await next();
    const before = reports.length;
    daemon.reload();
    daemon.reload();
    await vi.waitFor(() => expect(reports.length).toBeGreaterThan(before), patience);
    expect(titles(world)).toEqual([]);
  });

  test('rest on what the reader has read: nothing is called ok or failing before', async () => {
    const world = await labWorld();
    const { reports, next } = await start(world);
    await vi.waitFor(() => expect(reports.length).toBeGreaterThan(0), patience);
    const first = reports[0]!.findings.filter(({ rule }) => rule === 'freshness');
    expect(new Set(first.map(({ status }) => status))).toEqual(new Set(['unread']));
    await vi.waitFor(async () => expect((await next()).verdict).toBe('ok'), patience);
    expect(titles(world)).toEqual([]);
  });

  test('go on after a stop that came in their middle, without having committed half of one', async () => {
    const world = await labWorld();
    const first = await start(world);
    await first.next();
    await world.qdrant.setFault('hang');
    await first.daemon.stop();
    await first.daemon.ended;
    await world.qdrant.setFault(null);
    const second = await start(world);
    await vi.waitFor(async () => expect((await second.next()).verdict).toBe('ok'), patience);
    expect(titles(world)).toEqual([]);
  });
});

/** Opens the configuration of a world, and starts a daemon on it with something replaced. */
async function startWith(
  world: LabWorld,
  options: { readonly clock?: Clock; readonly change?: (setup: Setup) => Setup },
): Promise<Daemon> {
  const loaded = await load(world.configFile);
  if (loaded.kind === 'mistakes') throw new Error(JSON.stringify(loaded.mistakes));
  const baseDirectory = dirname(world.configFile);
  const setup = await openSetup(loaded.settings, loaded.rules, { env: {}, baseDirectory, warn: () => undefined });
  const daemon = await startDaemon({
    setup: options.change?.(setup) ?? setup,
    stateDirectory: loaded.settings.stateDirectory,
    clock: options.clock ?? systemClock,
    log: createLog('silent'),
    load: () => Promise.reject(new Error('nobody asks for a reload')),
    isChanged: () => Promise.resolve(false),
  });
  onTestFinished(() => daemon.stop());
  return daemon;
}

/** Every target lists as it should, and breaks when it is to be hashed. */
function broken(setup: Setup): Setup {
  return {
    ...setup,
    targets: setup.targets.map((target) => ({
      ...target,
      openPlace: async (session) => {
        const place = await target.openPlace(session);
        return Object.assign(place, { hash: () => Promise.reject(new TypeError('a mistake of ours')) });
      },
    })),
  };
}

describe('a daemon with a mistake of ours in it', () => {
  test('ends, and says so to the phone first, when that is in the reader', async () => {
    const world = await labWorld();
    const daemon = await startWith(world, { change: broken });
    await expect(daemon.ended).rejects.toThrow('a mistake of ours');
    const cry = await heard(world, /cannot do its work/);
    expect(cry.body).toContain('deadair is ending: a mistake of ours');
  });
});

describe('a daemon whose clock is set back', () => {
  test('says so, takes nothing for ended by it, and goes on telling what begins and what ends', async () => {
    const world = await labWorld();
    // It starts two hours ahead of everything else on this machine, until its clock is set right.
    let aheadMs = 2 * 3_600_000;
    await startWith(world, { clock: { ...systemClock, nowMs: () => Date.now() + aheadMs } });
    world.flipNewestOnNas('code');
    await heard(world, /^CRIT code on nas: bytes changed$/);
    aheadMs = 0;
    const warning = await heard(world, /clock set back by 2h|clock set back by 120m/);
    expect(warning.body).toContain('deadlines go on as if it had not');
    expect(titles(world).filter((title) => title.startsWith('OK'))).toEqual([]);

    world.flipNewestOnNas('arxiv');
    await heard(world, /^CRIT phx-ai01: 2 of \d+ not intact$/);
    world.ntfy.setFault('500');
    const looks = world.ntfy.requests().length;
    // unknown_after is 3 s; every look is answered with an error.
    await vi.waitFor(() => expect(world.ntfy.requests().length).toBeGreaterThan(looks + 5), patience);
    world.ntfy.setFault(null);
    await heard(world, /^OK phone: reachable recovered$/);
    world.flipNewestOnNas('arxiv');
    world.flipNewestOnNas('code');
    await heard(world, /^OK .*integrity recovered$/);
  });
});

describe('a daemon whose state is taken away while it runs', () => {
  test('cries out past the store, once, and goes on looking', async () => {
    const world = await labWorld();
    const { next, daemon } = await start(world);
    await next();
    for (const end of ['', '-wal', '-shm']) rmSync(join(world.directory, 'state', `deadair.db${end}`), { force: true });
    const cry = await heard(world, /cannot do its work/);
    expect(cry.body).toContain('was removed or replaced');
    const looks = world.ntfy.requests().length;
    await vi.waitFor(() => expect(world.ntfy.requests().length).toBeGreaterThan(looks + 4), patience);
    expect(titles(world).filter((title) => title.includes('cannot do its work'))).toHaveLength(1);
    await daemon.stop();
  });

  test('cries again until somebody has heard it', async () => {
    const world = await labWorld();
    const { next, daemon } = await start(world);
    await next();
    world.ntfy.setFault('500');
    for (const end of ['', '-wal', '-shm']) rmSync(join(world.directory, 'state', `deadair.db${end}`), { force: true });
    const posts = (): number => world.ntfy.requests().filter((request) => !request.startsWith('GET ')).length;
    await vi.waitFor(() => expect(posts()).toBeGreaterThan(1), patience);
    world.ntfy.setFault(null);
    await heard(world, /cannot do its work/);
    await daemon.stop();
  });
});

describe('a host whose known_hosts file is mended', () => {
  test('is looked at again without a restart or a reload', async () => {
    const world = await labWorld();
    const file = join(dirname(world.configFile), 'known_hosts');
    const { next } = await start(world);
    await next();
    rmSync(file);
    const warning = await heard(world, /^WARN nas/);
    expect(warning.body).toContain('known_hosts');
    writeFileSync(file, `${world.nas.knownHostsLine}\n`);
    await heard(world, /^OK nas/);
  });
});
