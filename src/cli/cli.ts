/** The command line: which commands there are, and how each ends. One file a command beside this one. */

import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { describeError, WatchdogError } from '../support/errors.ts';
import type { CheckArguments } from './check.ts';
import type { LabArguments } from './lab.ts';

/** A broken configuration or command line exits as `unknown` does: nothing was judged. */
const exitUnknown = 3;

/**
 * Runs one command line.
 *
 * @param argv words after the program's name.
 * @returns the exit code. Expected failures are told on stderr in one line with what to do; anything else is thrown.
 */
export async function runCli(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('deadair')
    .description('An independent freshness watchdog and alert router for Qdrant backups.')
    .version(version())
    .exitOverride()
    .showHelpAfterError('(deadair --help lists the commands)');
  const config = (): Option =>
    new Option(
      '--config <file>',
      'configuration file (default: $DEADAIR_CONFIG, /etc/deadair/deadair.yaml, ./deadair.yaml)',
    );
  // Each command is loaded when it is asked for: `check` of a directory needs neither YAML nor SSH nor HTTP.
  const does =
    <Arguments extends unknown[]>(run: (...given: Arguments) => Promise<number>) =>
    async (...given: Arguments): Promise<void> => {
      code = await run(...given);
    };

  program
    .command('run')
    .description('the daemon')
    .addOption(config())
    .action(does(async (given: { config?: string }) => (await import('./run.ts')).runCommand(given)));
  program
    .command('check')
    .description('one pass now, verdict on stdout; with a PATH without any configuration')
    .argument('[path]', 'a directory of snapshots on this host')
    .addOption(config())
    .option('--json', 'print deadair.check/1')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json', 'nagios']).default('table'))
    .option('--max-age <duration>', 'with PATH: freshness, such as 26h')
    .option('--qdrant <url>', 'with PATH: coverage of the collections of this Qdrant; its key in $QDRANT_API_KEY')
    .option('--as <user>', 'as root: judge with what this user may see')
    .action(
      does(async (path: string | undefined, given: CheckArguments) =>
        (await import('./check.ts')).checkCommand(path, given),
      ),
    );
  program
    .command('validate')
    .description('configuration and rules, all mistakes at once')
    .addOption(config())
    .action(does(async (given: { config?: string }) => (await import('./validate.ts')).validateCommand(given)));
  program
    .command('lab')
    .description('an embedded world with a watchdog beside it')
    .option('--once', 'play the incident of 2026-05-25 and exit; 0 only if every step was seen')
    .option('--directory <path>', 'where the world lives (default: a new temporary directory)')
    .action(does(async (given: LabArguments) => (await import('./lab.ts')).labCommand(given)));

  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed its own sentence; help and version asked for are no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUnknown;
    if (!(error instanceof WatchdogError)) throw error;
    process.stderr.write(`deadair: ${describeError(error)}\n`);
    return exitUnknown;
  }
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
