/** `deadair check [PATH]`: one pass for a person who waits, its verdict on stdout, its exit code a monitoring plugin's. */

import { availableParallelism } from 'node:os';
import { checkView } from '../core/report/check-view.ts';
import { nagiosOutput } from '../core/report/nagios.ts';
import { exitCodes } from '../core/report/verdict.ts';
import type { Judgement } from '../core/model/finding.ts';
import { systemClock } from '../support/clock.ts';
import { WatchdogError } from '../support/errors.ts';
import { parseDuration } from '../support/units.ts';
import { openBareSetup, withCollectionsFound } from '../watchdog/bare.ts';
import { check, type CheckOptions } from '../watchdog/check.ts';
import { createPassingMemory, type Memory } from '../watchdog/memory.ts';
import type { Setup } from '../watchdog/setup.ts';
import { becomeUser } from './as-user.ts';
import { createProgressLine } from './progress.ts';
import { checkTable } from './table.ts';

/** What the command line says. */
export interface CheckArguments {
  readonly config?: string;
  readonly json?: boolean;
  readonly format: 'table' | 'json' | 'nagios';
  readonly maxAge?: string;
  readonly qdrant?: string;
  readonly as?: string;
}

/** Runs it. @returns 0 ok, 1 warning, 2 critical, 3 unknown or a broken configuration. */
export async function checkCommand(path: string | undefined, given: CheckArguments): Promise<number> {
  if (given.as !== undefined) becomeUser(given.as);
  else if (process.getuid?.() === 0) {
    process.stderr.write("deadair: running as root; the service's user may see less (--as USER judges as that one)\n");
  }
  const progress = createProgressLine(process.stderr, systemClock.monotonicMs);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const common = {
    nowMs: systemClock.nowMs,
    self: { troubles: [], observedAtMs: systemClock.nowMs() },
    signal: stop.signal,
    cores: availableParallelism(),
    onProgress: progress.show,
  };
  try {
    const { name, judgement } =
      path === undefined ? await checkConfigured(given, common) : await checkBare(path, given, common);
    progress.end();
    return print(name, judgement, given);
  } finally {
    progress.end();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

type Common = Pick<CheckOptions, 'nowMs' | 'self' | 'signal' | 'cores' | 'onProgress'>;
interface Judged {
  readonly name: string;
  readonly judgement: Judgement;
}

async function checkBare(path: string, given: CheckArguments, common: Common): Promise<Judged> {
  if (given.config !== undefined) {
    throw new WatchdogError('config/invalid', 'check takes either a PATH or --config, got both', { permanent: true });
  }
  const maxAgeMs = given.maxAge === undefined ? null : durationOrRefuse(given.maxAge);
  const apiKey = process.env['QDRANT_API_KEY'];
  const qdrant =
    given.qdrant === undefined ? null : { url: urlOrRefuse(given.qdrant), ...(apiKey === undefined ? {} : { apiKey }) };
  const setup = openBareSetup({ path, maxAgeMs, qdrant });
  const memory = createPassingMemory();
  return judged(setup, () => check({ ...common, setup, memory, complete: withCollectionsFound }));
}

async function checkConfigured(given: CheckArguments, common: Common): Promise<Judged> {
  for (const option of ['maxAge', 'qdrant'] as const) {
    if (given[option] === undefined) continue;
    const flag = option === 'maxAge' ? '--max-age' : '--qdrant';
    throw new WatchdogError('config/invalid', `${flag} goes with a PATH`, {
      hint: 'with a configuration its rules say so',
      permanent: true,
    });
  }
  const { loadOrRefuse } = await import('./configuration.ts');
  const { openStore } = await import('../store/open.ts');
  const { setup: full, settings } = await loadOrRefuse(given.config);
  // What is said of ourselves is the daemon's to say; a check has not looked at it.
  const setup = { ...full, rules: full.rules.filter(({ kind }) => kind !== 'self') };
  using store = openStore({ directory: settings.stateDirectory, nowMs: systemClock.nowMs, mode: 'check' });
  const memory: Memory = store;
  return await judged(setup, () => check({ ...common, setup, memory }));
}

async function judged(setup: Setup, run: () => Promise<Judgement>): Promise<Judged> {
  try {
    return { name: setup.policy.name, judgement: await run() };
  } finally {
    await setup.close();
  }
}

function print(name: string, judgement: Judgement, given: CheckArguments): number {
  const view = checkView(name, systemClock.nowMs(), judgement);
  const format = given.json === true ? 'json' : given.format;
  const { stdout } = process;
  if (format === 'json') stdout.write(`${JSON.stringify(view, null, 2)}\n`);
  else if (format === 'nagios') stdout.write(nagiosOutput(view));
  else {
    const isColored = stdout.isTTY && process.env['NO_COLOR'] === undefined;
    stdout.write(checkTable(view, { isColored, width: stdout.columns ?? 120 }));
  }
  return exitCodes[view.verdict];
}

function durationOrRefuse(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new WatchdogError('config/invalid', `--max-age: expected a duration such as 26h, got ${text}`, {
    permanent: true,
  });
}

function urlOrRefuse(text: string): string {
  if (URL.canParse(text)) return text;
  throw new WatchdogError('config/invalid', '--qdrant: expected a URL such as http://phx-ai01:6333, got none', {
    permanent: true,
  });
}
