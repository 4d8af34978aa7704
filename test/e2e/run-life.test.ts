/** The life of `deadair run` as a process: started, reloaded, killed, crowded out, out of space; nothing is lost on the way. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { LabWorld } from '../../src/lab/world.ts';
import { deadair, type DeadairProcess } from '../support/process.ts';
import { heard, labWorld, logOf, passed, patience, startWatchdog, titles } from '../support/run.ts';

const rulesFile = (world: LabWorld): string => join(dirname(world.configFile), 'rules', 'qdrant.yaml');

/** Writes the rule file with something replaced; fails when there is nothing to replace. */
function edit(world: LabWorld, from: string, to: string): void {
  const text = readFileSync(rulesFile(world), 'utf8');
  expect(text).toContain(from);
  writeFileSync(rulesFile(world), text.replace(from, to));
}

/** Whether an alert about the subject is committed. */
function isFired(watchdog: DeadairProcess, about: string): boolean {
  return logOf(watchdog).some(({ event, subject }) => event === 'alert.fired' && subject === about);
}

/** Sequence ids of all messages on the phone, as ntfy has them. */
function sequences(world: LabWorld): readonly (string | undefined)[] {
  return world.ntfy
    .messages('backups')
    .filter(({ event }) => event === 'message')
    .map((message) => message.sequence_id);
}

describe('an end', () => {
  test('asked for by SIGTERM comes with 0, after the last message has been brought', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    world.ntfy.setFault('500');
    world.flipNewestOnNas('arxiv');
    await vi.waitFor(() => expect(isFired(watchdog, 'phx-ai01/arxiv')).toBe(true), patience);
    expect(titles(world)).toEqual([]);
    world.ntfy.setFault(null);
    const { code, stderr } = await watchdog.end();
    expect(code).toBe(0);
    // Every alert that was committed is on the phone, each told by itself.
    const fired = logOf(watchdog).filter(({ event }) => event === 'alert.fired');
    expect(titles(world)).toHaveLength(fired.length);
    expect(titles(world).every((title) => title.startsWith('CRIT arxiv'))).toBe(true);
    expect(stderr).toContain('daemon.stopped');
  });

  test('comes soon while the world is slow and the phone hangs', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    await world.qdrant.setFault('hang');
    await world.nas.setFault('silent');
    world.ntfy.setFault('hang');
    const before = world.ntfy.requests().length;
    await vi.waitFor(() => expect(world.ntfy.requests().length).toBeGreaterThan(before), patience);
    const startedMs = performance.now();
    expect((await watchdog.end()).code).toBe(0);
    // The drain alone may take 5 s, an answer that never comes 30.
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  test('asked for by SIGTERM at the very start comes with 0 as well', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await vi.waitFor(() => expect(watchdog.events()).toContain('daemon.started'), patience);
    expect((await watchdog.end()).code).toBe(0);
  });
});

describe('a reload', () => {
  test('by SIGHUP changes the rules, and what no rule asks about ends as withdrawn, never as well', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    world.flipNewestOnNas('arxiv');
    await heard(world, /^CRIT arxiv on nas: bytes changed$/);
    edit(world, '  - rule: integrity\n    severity: critical\n', '');
    watchdog.signal('SIGHUP');
    const ended = await heard(world, /^ENDED arxiv on nas: no longer watched$/);
    expect(ended.body).toContain('without anyone having seen it well');
    await passed(watchdog);
    expect(titles(world).filter((title) => title.startsWith('OK') && title.includes('integrity'))).toEqual([]);
  });

  test('by a changed file needs no signal', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    edit(world, 'max_age: 26h', 'max_age: 30s');
    const stale = await heard(world, /^CRIT phx-ai01: 5 of 5 not fresh$/);
    expect(stale.body).toContain('allowed 30s');
    edit(world, 'max_age: 30s', 'max_age: 26h');
    await heard(world, /^OK phx-ai01: freshness recovered$/);
  });

  test.each(['by SIGHUP', 'by itself'])(
    'of a broken file (%s) keeps the old rules, is told, and recovers once it is mended',
    async (how) => {
      const world = await labWorld();
      const watchdog = startWatchdog(world);
      await passed(watchdog, 'ok');
      edit(world, 'max_age: 26h', 'max_age: soon');
      if (how === 'by SIGHUP') watchdog.signal('SIGHUP');
      const refused = await heard(world, /configuration refused$/);
      expect(refused.body).toMatch(/rules\/qdrant\.yaml:\d+:\d+ rules\[0\]\.max_age: expected/);
      // The old rules still hold: a rotten copy is heard of.
      world.flipNewestOnNas('arxiv');
      await heard(world, /^CRIT arxiv on nas: bytes changed$/);
      edit(world, 'max_age: soon', 'max_age: 27h');
      if (how === 'by SIGHUP') watchdog.signal('SIGHUP');
      await heard(world, /^OK reload/);
      await passed(watchdog, 'critical');
      expect(titles(world).filter((title) => title.startsWith('OK'))).toHaveLength(1);
    },
  );

  test('of a file that is gone keeps the old rules and is told', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    rmSync(rulesFile(world));
    await heard(world, /configuration refused$/);
    expect(titles(world).filter((title) => title.startsWith('ENDED'))).toEqual([]);
  });

  test('of a secret that is gone keeps the old rules and is told, without the secret', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    rmSync(join(dirname(world.configFile), 'qdrant-api-key'));
    watchdog.signal('SIGHUP');
    const refused = await heard(world, /configuration refused$/);
    expect(refused.body).toContain('qdrant-api-key');
    expect(refused.body).not.toContain('lab-read-only-key');
  });

  test('takes in a rule file that was added to the directory', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    writeFileSync(
      join(dirname(rulesFile(world)), 'strict.yaml'),
      'protect: phx-ai01\nrules:\n  - { rule: freshness, id: strict, max_age: 30s }\n',
    );
    const strict = await heard(world, /^CRIT phx-ai01: 5 of 5 not fresh$/);
    expect(strict.body).toContain('rule strict');
  });
});

describe('a crash', () => {
  test('between commit and delivery loses nothing: after a restart the message comes once, under its own id', async () => {
    const world = await labWorld();
    const first = startWatchdog(world);
    await passed(first, 'ok');
    // A phone that hangs would hold up the look at it as well, so that is for the delivery alone.
    world.ntfy.setFault('500');
    world.flipNewestOnNas('arxiv');
    await vi.waitFor(() => expect(isFired(first, 'phx-ai01/arxiv')).toBe(true), patience);
    world.ntfy.setFault('hang');
    const before = world.ntfy.requests().length;
    await vi.waitFor(() => expect(world.ntfy.requests().slice(before).join()).toMatch(/P(OS|U)T \//), patience);
    expect((await first.end('SIGKILL')).code).toBe('SIGKILL');
    expect(titles(world)).toEqual([]);

    world.ntfy.setFault(null);
    const second = startWatchdog(world);
    await heard(world, /^CRIT arxiv on nas: bytes changed$/);
    await passed(second, 'critical');
    await passed(second, 'critical');
    expect(titles(world).filter((title) => title.includes('bytes changed'))).toHaveLength(1);
    expect(new Set(sequences(world)).size).toBe(sequences(world).length);
  });

  test('again and again neither repeats an alert nor forgets one', async () => {
    const world = await labWorld();
    for (let round = 0; round < 3; round += 1) {
      const watchdog = startWatchdog(world);
      await vi.waitFor(() => expect(watchdog.events()).toContain('pass.done'), patience);
      if (round === 0) {
        world.flipNewestOnNas('arxiv');
        await heard(world, /^CRIT arxiv on nas: bytes changed$/);
      }
      await watchdog.end('SIGKILL');
    }
    const last = startWatchdog(world);
    await passed(last, 'critical');
    expect(titles(world).filter((title) => title.includes('bytes changed'))).toHaveLength(1);
    world.flipNewestOnNas('arxiv');
    await heard(world, /^OK arxiv on nas: integrity recovered$/);
  });
});

describe('a phone out of reach', () => {
  test('loses no message: what happened meanwhile comes when it is back', async () => {
    const world = await labWorld();
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    world.ntfy.setFault('down');
    world.flipNewestOnNas('arxiv');
    await vi.waitFor(() => expect(isFired(watchdog, 'phx-ai01/arxiv')).toBe(true), patience);
    await passed(watchdog);
    world.ntfy.setFault(null);
    await heard(world, /^CRIT arxiv on nas: bytes changed$/);
    await passed(watchdog, 'critical');
    expect(new Set(sequences(world)).size).toBe(sequences(world).length);
  });
});

describe('the state directory', () => {
  test('belongs to one watchdog: a second one is refused with a sentence, and the first goes on', async () => {
    const world = await labWorld();
    const first = startWatchdog(world);
    await passed(first);
    const second = await deadair(['run', '--config', world.configFile]);
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(
      /deadair: another deadair runs with the state directory .*state — stop the other one/,
    );
    expect(second.stderr).not.toMatch(/^\s+at /m);
    // A check may look meanwhile.
    expect((await deadair(['check', '--config', world.configFile])).code).toBe(0);
    await passed(first, 'ok');
  });

  test('that was lost is announced, and nothing is called recovered by it', async () => {
    const world = await labWorld();
    const first = startWatchdog(world);
    await passed(first, 'ok');
    world.flipNewestOnNas('arxiv');
    await heard(world, /^CRIT arxiv on nas: bytes changed$/);
    await first.end();
    for (const end of ['', '-wal', '-shm']) rmSync(join(world.directory, 'state', `deadair.db${end}`), { force: true });
    const before = titles(world).length;
    const second = startWatchdog(world);
    const lost = await heard(world, /state was lost$/, before);
    expect(lost.body).toContain('was gone and was started anew');
    await heard(world, /^CRIT arxiv on nas: bytes changed$/, before);
    await passed(second, 'critical');
    expect(
      titles(world)
        .slice(before)
        .filter((title) => title.startsWith('OK')),
    ).toEqual([]);
  });

  test('of somebody else is refused and left as it is, and the phone hears that nobody watches', async () => {
    const world = await labWorld();
    const file = join(world.directory, 'state', 'deadair.db');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'this is my diary');
    const { code, stderr } = await deadair(['run', '--config', world.configFile]);
    expect(code).toBe(3);
    expect(stderr).toContain(file);
    expect(readFileSync(file, 'utf8')).toBe('this is my diary');
    expect(titles(world)).toEqual([expect.stringMatching(/^CRIT deadair .* cannot do its work$/)]);
  });

  test('that is full is told past the store, and the watchdog recovers when there is room', async (context) => {
    const world = await labWorld();
    const disk = join(world.directory, 'state');
    mkdirSync(disk, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'none', disk], { stdio: 'pipe' });
    } catch (error) {
      context.skip(`left out: mounting needs root: ${String(error)}`);
    }
    onTestFinished(() => void execFileSync('umount', ['--lazy', disk], { stdio: 'pipe' }));
    const watchdog = startWatchdog(world);
    await passed(watchdog, 'ok');
    const ballast = join(disk, 'ballast');
    const occupy = (): void => {
      const { bavail, bsize } = statfsSync(disk);
      if (bavail > 0) writeFileSync(ballast, Buffer.alloc(bavail * bsize), { flag: 'a' });
    };
    world.flipNewestOnNas('arxiv');
    const cry = await vi.waitFor(() => {
      // The log of SQLite still has room for a pass or two.
      occupy();
      const found = world.phone().find(({ title }) => title.includes('cannot do its work'));
      if (found === undefined) throw new Error(`no cry in:\n${watchdog.stderr()}`);
      return found;
    }, patience);
    expect(cry.priority).toBe(5);
    expect(cry.body).toContain('state cannot be stored');
    expect(cry.body).toMatch(/free some space/);
    rmSync(ballast);
    await passed(watchdog, 'critical');
    await heard(world, /^CRIT arxiv on nas: bytes changed$/);
    expect(titles(world).filter((title) => title.includes('cannot do its work'))).toHaveLength(1);
    expect((await watchdog.end()).code).toBe(0);
  });
});
