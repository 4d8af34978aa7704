/** `deadair lab`: the embedded world with a watchdog beside it, to look at, to break, or to play the incident and exit. */

import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { incidentFaults, type IncidentFaults, onTheList, playIncident, type StepReport } from '../lab/incident.ts';
import { labSabotages } from '../lab/sabotage.ts';
import { labCollections, type LabWorld, type PhoneMessage, removeLabDirectory, startLabWorld } from '../lab/world.ts';
import { systemClock } from '../support/clock.ts';
import { createLog } from '../support/log.ts';
import { formatDuration } from '../support/units.ts';
import type { Daemon } from '../watchdog/daemon.ts';
import { startConfigured } from './run.ts';

/** What the command line says. */
export interface LabArguments {
  readonly once?: boolean;
  readonly directory?: string;
}

/** How long a step of the play may take to be heard; it takes two or three seconds. */
const patienceMs = 30_000;

/** Runs it. @returns with `--once` 0 when every step was heard, else 1. */
export async function labCommand({ once, directory }: LabArguments): Promise<number> {
  const given = directory === undefined ? undefined : resolve(directory);
  if (given !== undefined) mkdirSync(given, { recursive: true });
  const place = given ?? mkdtempSync(join(tmpdir(), 'deadair-lab-'));
  try {
    return once === true ? await playOnce(place, (text) => process.stdout.write(`${text}\n`)) : await stay(place);
  } finally {
    if (given === undefined) removeLabDirectory(place);
  }
}

/**
 * Plays the incident in an empty directory.
 *
 * @param faults what is done to the world; other than the default only in the test that takes them away one by one.
 * @returns 0 when every step was heard, else 1.
 */
export async function playOnce(
  directory: string,
  print: (text: string) => void,
  options: { readonly faults?: IncidentFaults; readonly patienceMs?: number } = {},
): Promise<number> {
  const startedMs = systemClock.monotonicMs();
  await using world = await startLabWorld({ directory, checkEvery: '1s', collections: onTheList });
  let daemon: Daemon | null = null;
  print(title('The incident of 2026-05-25, as the phone would have shown it'));
  try {
    const isHeard = await playIncident({
      world,
      faults: options.faults ?? incidentFaults,
      startWatchdog: async () => {
        daemon = await startConfigured(world.configFile, createLog('error'));
      },
      patienceMs: options.patienceMs ?? patienceMs,
      sleep: (ms) => sleep(ms),
      nowMs: systemClock.nowMs,
      onStep: (report) => print(stepText(report)),
    });
    const took = formatDuration(systemClock.monotonicMs() - startedMs);
    print(isHeard ? title(`Every step was heard, in ${took}.`) : title(`Not every step was heard, after ${took}.`));
    return isHeard ? 0 : 1;
  } finally {
    await (daemon as Daemon | null)?.stop();
  }
}

/** Keeps the world and its watchdog running, shows the phone, and takes names of sabotage from the terminal. */
async function stay(directory: string): Promise<number> {
  await using world = await startLabWorld({ directory, checkEvery: '2s' });
  if (world.phone().length === 0) world.backup(Object.keys(labCollections), systemClock.nowMs() - 60_000);
  const daemon = await startConfigured(world.configFile, createLog('warn'));
  const { stdout } = process;
  stdout.write(`${whereToLook(world)}\n`);
  const stop = new AbortController();
  const onStop = (): void => stop.abort();
  process.on('SIGINT', onStop).on('SIGTERM', onStop);
  const showing = showPhone(world, stop.signal);
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => void obey(line.trim(), world, onStop).then((answer) => stdout.write(`${answer}\n`)));
  // Without a terminal the lab stays until it is told to stop by a signal.
  lines.on('close', () => (process.stdin.isTTY ? onStop() : undefined));
  await Promise.race([showing, daemon.ended]);
  lines.close();
  await daemon.stop();
  process.off('SIGINT', onStop).off('SIGTERM', onStop);
  return 0;
}

async function obey(line: string, world: LabWorld, stop: () => void): Promise<string> {
  if (line === '' || line === 'help') return whereToLook(world);
  if (line === 'quit') {
    stop();
    return 'stopping';
  }
  const sabotage = labSabotages.find(({ name }) => name === line);
  if (sabotage === undefined) return `no sabotage "${line}"; "help" lists them`;
  try {
    await sabotage.play(world, systemClock.nowMs());
    return `${sabotage.name}: ${sabotage.what}`;
  } catch (error) {
    return `${sabotage.name} could not be played: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function showPhone(world: LabWorld, signal: AbortSignal): Promise<void> {
  let shown = 0;
  while (!signal.aborted) {
    const messages = world.phone();
    for (const message of messages.slice(shown)) process.stdout.write(`${phoneText(message)}\n`);
    shown = messages.length;
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
}

function whereToLook(world: LabWorld): string {
  return [
    title('The lab runs; the watchdog looks every 2 seconds'),
    `  Qdrant         ${world.qdrant.url}`,
    `  ntfy           ${world.ntfy.url}/backups`,
    `  targets        ${Object.values(world.targets).join('  ')}`,
    `  configuration  ${world.configFile}`,
    `  look yourself  npm run -s deadair -- check --config ${world.configFile}`,
    '',
    'Type a name to break or mend something, "help" for this list, "quit" to end:',
    ...labSabotages.map(({ name, what }) => `  ${name.padEnd(20)} ${what}`),
  ].join('\n');
}

function stepText({ step, heard, unheard }: StepReport): string {
  const lines = [`${mark(unheard.length === 0)} ${styled('bold', step.title)}`, ...heard.map(phoneText)];
  return [...lines, ...unheard.map((what) => `  not heard: ${what}`)].join('\n');
}

function phoneText({ title: head, body, priority }: PhoneMessage): string {
  const color = head.startsWith('OK') ? 'green' : head.startsWith('WARN') ? 'yellow' : 'red';
  const lines = body.split('\n').map((line) => `  │ ${line}`);
  return [`  ┌ ${styled(color, head)}  (priority ${priority})`, ...lines, '  └'].join('\n');
}

function title(text: string): string {
  return `\n${styled('bold', text)}\n`;
}

function mark(isGood: boolean): string {
  return isGood ? styled('green', '✓') : styled('red', '✗');
}

/** Colour only where a person looks: `styleText` itself asks the stream, and NO_COLOR. */
function styled(style: 'bold' | 'green' | 'yellow' | 'red', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
