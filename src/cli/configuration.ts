/** Finding and loading the configuration for a command, or refusing with all its mistakes. */

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { formatMistake, type Mistake } from '../config/mistake.ts';
import type { Settings } from '../config/settings.ts';
import { systemClock } from '../support/clock.ts';
import { WatchdogError } from '../support/errors.ts';
import { receiverKinds, ruleKinds } from '../watchdog/kinds.ts';
import { openSetup, type Setup, type SetupOptions } from '../watchdog/setup.ts';

/** What a command works with. */
export interface Configuration {
  readonly setup: Setup;
  readonly settings: Settings;
  /** All files that were read; a change of any asks for a reload. */
  readonly files: readonly string[];
}

/** Where the configuration is looked for when no `--config` says it, first to last. */
export function configFile(given: string | undefined): string {
  const named = given ?? process.env['DEADAIR_CONFIG'];
  if (named !== undefined && named !== '') return named;
  const candidates = ['/etc/deadair/deadair.yaml', './deadair.yaml'];
  const found = candidates.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new WatchdogError('config/not-found', `no configuration: looked for ${candidates.join(' and ')}`, {
    hint: 'give one with --config or $DEADAIR_CONFIG; rules/deadair.yaml is one to start from',
    permanent: true,
  });
}

/** Loads without opening anything. */
export async function load(file: string): Promise<LoadedConfig> {
  return loadConfig({ file, ruleKinds, receiverKinds, env: process.env, nowMs: systemClock.nowMs() });
}

/**
 * Loads and opens.
 *
 * @throws WatchdogError `config/invalid` with every mistake on a line of its own, or `secret/missing`.
 */
export async function loadOrRefuse(given: string | undefined): Promise<Configuration> {
  const file = configFile(given);
  const loaded = await load(file);
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${formatMistake(warning)}\n`);
  if (loaded.kind === 'mistakes') throw refusal(file, loaded.mistakes);
  const { settings, rules, files } = loaded;
  const setup = await openSetup(settings, rules, surroundings(file));
  return { setup, settings, files };
}

/** Where the secrets of a configuration file are looked for. */
export function surroundings(file: string): SetupOptions {
  return {
    env: process.env,
    baseDirectory: dirname(resolve(file)),
    warn: (sentence) => process.stderr.write(`warning: ${sentence}\n`),
  };
}

function refusal(file: string, mistakes: readonly Mistake[]): WatchdogError {
  process.stderr.write(mistakes.map((mistake) => `${formatMistake(mistake)}\n`).join(''));
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
  return new WatchdogError('config/invalid', `${file} has ${count}`, {
    hint: 'mend what is listed above',
    permanent: true,
  });
}
