/** Signals that come while the daemon still starts. */

import { expect, test, vi } from 'vitest';
import { runCommand } from '../../../src/cli/run.ts';
import { labWorld } from '../../support/run.ts';

const names = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
const listeners = (): readonly number[] => names.map((name) => process.listenerCount(name));

test('a daemon that is told to reload and to end before it has started does both, instead of being killed', async () => {
  vi.stubEnv('DEADAIR_LOG', 'silent');
  const world = await labWorld();
  const before = listeners();
  const running = runCommand({ config: world.configFile });
  // Nothing was awaited yet, and it listens already.
  expect(listeners()).toEqual(before.map((count) => count + 1));
  for (const name of ['SIGHUP', 'SIGINT'] as const) process.listeners(name).at(-1)?.(name);
  expect(await running).toBe(0);
  expect(listeners()).toEqual(before);
});
