/** `deadair run`: the daemon, until SIGTERM or SIGINT; SIGHUP reloads. */

import { stat } from 'node:fs/promises';
import { formatMistake } from '../config/mistake.ts';
import { systemClock } from '../support/clock.ts';
import { describeError, WatchdogError } from '../support/errors.ts';
import { createLog, type Log } from '../support/log.ts';
import { type Daemon, type DaemonOptions, startDaemon } from '../watchdog/daemon.ts';
import { openSetup } from '../watchdog/setup.ts';
import { configFile, load, loadOrRefuse, surroundings } from './configuration.ts';

/** Runs it. @returns 0 after a signal that asked it to end. */
export async function runCommand(given: { readonly config?: string }): Promise<number> {
  const log = createLog(process.env['DEADAIR_LOG'] ?? 'info');
  const starting: { daemon: Daemon | null; isStopWanted: boolean; isReloadWanted: boolean } = {
    daemon: null,
    isStopWanted: false,
    isReloadWanted: false,
  };
  const onStop = (): void => {
    starting.isStopWanted = true;
    void starting.daemon?.stop();
  };
  const onReload = (): void => {
    starting.isReloadWanted = true;
    starting.daemon?.reload();
  };
  // Before anything is awaited: a signal that comes while we start would otherwise kill us.
  process.on('SIGTERM', onStop).on('SIGINT', onStop).on('SIGHUP', onReload);
  try {
    const daemon = await startConfigured(given.config, log);
    starting.daemon = daemon;
    if (starting.isReloadWanted) daemon.reload();
    if (starting.isStopWanted) await daemon.stop();
    await daemon.ended;
    return 0;
  } finally {
    process.off('SIGTERM', onStop).off('SIGINT', onStop).off('SIGHUP', onReload);
  }
}

/**
 * Starts the daemon of a configuration file; the lab starts its watchdog the same way.
 *
 * @throws WatchdogError when the configuration is refused, or what {@link startDaemon} throws.
 */
export async function startConfigured(
  given: string | undefined,
  log: Log,
  onPass?: DaemonOptions['onPass'],
): Promise<Daemon> {
  const file = configFile(given);
  const { setup, settings, files } = await loadOrRefuse(file);
  let watched = files;
  let stamp = await stampOf(watched);
  return startDaemon({
    setup,
    stateDirectory: settings.stateDirectory,
    clock: systemClock,
    log,
    ...(onPass === undefined ? {} : { onPass }),
    isChanged: async () => (await stampOf(watched)) !== stamp,
    load: async () => {
      // Taken before the files are read: an edit made meanwhile is a change for the next pass.
      const before = await stampOf(watched);
      const loaded = await load(file);
      const isSame = JSON.stringify(watched) === JSON.stringify(loaded.files);
      watched = loaded.files;
      stamp = isSame ? before : await stampOf(watched);
      if (loaded.kind === 'mistakes') return { mistakes: loaded.mistakes.map(formatMistake) };
      try {
        return { setup: await openSetup(loaded.settings, loaded.rules, surroundings(file)) };
      } catch (error) {
        if (!(error instanceof WatchdogError)) throw error;
        return { mistakes: [describeError(error)] };
      }
    },
  });
}

/** Size and mtime of each file; one that is gone has neither, which is a change too. */
async function stampOf(files: readonly string[]): Promise<string> {
  const stats = await Promise.all(files.map((file) => stat(file).catch(() => null)));
  return JSON.stringify(stats.map((each) => (each === null ? null : [each.size, each.mtimeMs, each.ino])));
}
