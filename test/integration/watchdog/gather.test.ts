/** One look at a lab's world through a real configuration: how many connections it takes, and that nothing stays open. */

import { createServer, type Server, type Socket, connect } from 'node:net';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { load } from '../../../src/cli/configuration.ts';
import type { LabWorld } from '../../../src/lab/world.ts';
import { WatchdogError } from '../../../src/support/errors.ts';
import { gather, type Look } from '../../../src/watchdog/gather.ts';
import { createPassingMemory, type Memory } from '../../../src/watchdog/memory.ts';
import { openSetup, type Setup } from '../../../src/watchdog/setup.ts';
import { labWorld } from '../../support/run.ts';

/** A door before the NAS that counts who comes in and who is still there. */
interface Door {
  readonly port: number;
  readonly entered: () => number;
  readonly inside: () => number;
}

async function door(behindPort: number): Promise<Door> {
  const inside = new Set<Socket>();
  let entered = 0;
  const server: Server = createServer((socket) => {
    entered += 1;
    inside.add(socket);
    const behind = connect(behindPort, '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    for (const end of [socket, behind]) end.on('error', () => undefined);
    socket.on('close', () => {
      inside.delete(socket);
      behind.destroy();
    });
    behind.on('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of inside) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, entered: () => entered, inside: () => inside.size };
}

/** Opens the world's configuration, with three targets on the NAS behind a door. */
async function opened(world: LabWorld): Promise<{ readonly setup: Setup; readonly nas: Door }> {
  const nas = await door(world.nas.port);
  const text = readFileSync(world.configFile, 'utf8');
  const more = ['nas-b', 'nas-c'].map((name) => {
    mkdirSync(join(world.directory, name));
    return `  ${name}: { host: nas, path: ${join(world.directory, name)} }\n`;
  });
  writeFileSync(
    world.configFile,
    text.replace(`:${world.nas.port},`, `:${nas.port},`).replace('targets:\n', `targets:\n${more.join('')}`),
  );
  writeFileSync(
    join(dirname(world.configFile), 'known_hosts'),
    world.nas.knownHostsLine.replace(`:${world.nas.port} `, `:${nas.port} `),
  );
  const loaded = await load(world.configFile);
  if (loaded.kind === 'mistakes') throw new Error(JSON.stringify(loaded.mistakes));
  const baseDirectory = dirname(world.configFile);
  const setup = await openSetup(loaded.settings, loaded.rules, { env: {}, baseDirectory, warn: () => undefined });
  onTestFinished(() => setup.close());
  return { setup, nas };
}

function look(
  setup: Setup,
  memory: Memory = createPassingMemory(),
  signal = new AbortController().signal,
): Promise<Look> {
  return gather(setup, memory, { signal, nowMs: Date.now, self: { troubles: [], observedAtMs: Date.now() } });
}

const full = (): never => {
  throw new WatchdogError('store/full', 'the disk is full');
};

describe('a look at the world', () => {
  test('takes one connection to a host, however many targets lie there, and closes it with the look', async () => {
    const { setup, nas } = await opened(await labWorld());
    {
      await using seen = await look(setup);
      expect(seen.world.targets.map(({ evidence }) => evidence.seen)).toEqual([true, true, true, true]);
      expect(seen.world.hosts.map(({ evidence }) => evidence.seen)).toEqual([true]);
      expect({ entered: nas.entered(), inside: nas.inside() }).toEqual({ entered: 1, inside: 1 });
    }
    await vi.waitFor(() => expect(nas.inside()).toBe(0));
    expect(nas.entered()).toBe(1);
  });

  test('says of each thing that it cannot be seen when all of it is down, and throws nothing', async () => {
    const world = await labWorld();
    const { setup } = await opened(world);
    await world.nas.setFault('down');
    await world.qdrant.setFault('down');
    world.ntfy.setFault('down');
    await using seen = await look(setup);
    const { sources, hosts, targets, receivers } = seen.world;
    expect([...sources, ...hosts, ...receivers].map(({ evidence }) => evidence.seen)).toEqual([false, false, false]);
    expect(targets.map(({ name, evidence }) => [name, evidence.seen])).toEqual(
      expect.arrayContaining([
        ['phx-ai02', true],
        ['nas', false],
        ['nas-b', false],
        ['nas-c', false],
      ]),
    );
  });

  test.each(['auth-refused', 'no-exit-status', 'flood', 'other-host-key'] as const)(
    'sees nothing on a host that goes wrong (%s), and leaves no connection',
    async (fault) => {
      const world = await labWorld();
      const { setup, nas } = await opened(world);
      await world.nas.setFault(fault);
      {
        await using seen = await look(setup);
        const onNas = seen.world.targets.filter(({ host }) => host === 'nas');
        expect(onNas.map(({ evidence }) => evidence.seen)).toEqual([false, false, false]);
      }
      await vi.waitFor(() => expect(nas.inside()).toBe(0));
    },
  );

  test('leaves no connection either when it cannot be remembered', async () => {
    const { setup, nas } = await opened(await labWorld());
    const memory = createPassingMemory();
    const forgetful = { ...memory, inventory: { ...memory.inventory, recordSight: full } };
    await expect(look(setup, forgetful)).rejects.toMatchObject({ code: 'store/full' });
    expect(nas.entered()).toBe(1);
    await vi.waitFor(() => expect(nas.inside()).toBe(0));
  });

  test('ends soon when it is given up while everybody keeps silent', async () => {
    const world = await labWorld();
    const { setup, nas } = await opened(world);
    await world.nas.setFault('silent');
    await world.qdrant.setFault('hang');
    world.ntfy.setFault('hang');
    const stop = new AbortController();
    const looking = look(setup, createPassingMemory(), stop.signal);
    await vi.waitFor(() => expect(nas.inside()).toBe(1));
    const startedMs = performance.now();
    stop.abort();
    await using seen = await looking;
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(seen.world.sources[0]?.evidence).toMatchObject({ seen: false, why: { code: 'aborted' } });
  });
});
