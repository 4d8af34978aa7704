/** A watchdog process beside a lab's world, as the tests of the daemon use it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { labCollections, type LabWorld, type PhoneMessage, startLabWorld } from '../../src/lab/world.ts';
import { type DeadairProcess, startDeadair } from './process.ts';

/** Far above what anything takes on a busy machine; a condition that holds is noticed within 50 ms. */
export const patience = { timeout: 50_000, interval: 50 } as const;

/** A world in a new directory, gone after the running test. It has a backup of a minute ago unless told otherwise. */
export async function labWorld({ isBackedUp = true } = {}): Promise<LabWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'deadair-run-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  const world = await startLabWorld({ directory, checkEvery: '1s' });
  onTestFinished(() => world.close());
  if (isBackedUp) world.backup(Object.keys(labCollections), Date.now() - 60_000);
  return world;
}

/** Starts the watchdog of a world; killed after the running test. */
export function startWatchdog(world: LabWorld, env: Readonly<Record<string, string>> = {}): DeadairProcess {
  const watchdog = startDeadair(['run', '--config', world.configFile], { env: { DEADAIR_LOG: 'debug', ...env } });
  onTestFinished(() => watchdog[Symbol.asyncDispose]());
  return watchdog;
}

/** The watchdog's log, one object a line. */
export function logOf(watchdog: DeadairProcess): readonly Readonly<Record<string, unknown>>[] {
  return watchdog
    .stderr()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Waits for a pass that began after now and was committed. */
export async function passed(watchdog: DeadairProcess, verdict?: string): Promise<void> {
  // The pass under way may have looked already.
  const before = passes(watchdog).length + 1;
  await vi.waitFor(() => {
    const after = passes(watchdog).slice(before);
    if (!after.some((pass) => verdict === undefined || pass['verdict'] === verdict)) {
      throw new Error(`no pass${verdict === undefined ? '' : ` ${verdict}`} in:\n${watchdog.stderr()}`);
    }
  }, patience);
}

function passes(watchdog: DeadairProcess): readonly Readonly<Record<string, unknown>>[] {
  return logOf(watchdog).filter(({ event }) => event === 'pass.done');
}

/** Waits until the phone shows a message whose title matches, after the first `from` ones. */
export async function heard(world: LabWorld, title: RegExp, from = 0): Promise<PhoneMessage> {
  return vi.waitFor(() => {
    const found = world
      .phone()
      .slice(from)
      .find((message) => title.test(message.title));
    if (found === undefined) throw new Error(`not heard: ${title} in:\n${titles(world).join('\n')}`);
    return found;
  }, patience);
}

/** All titles the phone has shown. */
export function titles(world: LabWorld): readonly string[] {
  return world.phone().map(({ title }) => title);
}
