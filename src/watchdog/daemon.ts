/** The daemon: passes that never overlap, with the reader and the outbox beside them, reload on request, a drained end. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { dueFiles, filesToProve, retryUnreadableMs } from '../core/findings/due.ts';
import { rereadEveryMs } from '../core/findings/integrity.ts';
import type { TargetWorld } from '../core/model/world.ts';
import { type Outbox, startOutbox } from '../delivery/outbox.ts';
import { openStore, type Store } from '../store/open.ts';
import type { Clock } from '../support/clock.ts';
import { describeError, WatchdogError } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { limits } from '../support/limits.ts';
import { formatDuration } from '../support/units.ts';
import { createSteadyClock, type SteadyClock } from './clock.ts';
import { openHostSession } from './hosts.ts';
import { cryOut } from './emergency.ts';
import { type Health, selfWorld } from './health.ts';
import { pass, type PassReport } from './pass.ts';
import { type Reader, startReader } from './reader.ts';
import type { Setup } from './setup.ts';

/** What the daemon is made from. */
export interface DaemonOptions {
  readonly setup: Setup;
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Reads the configuration anew: a new setup, or the mistakes that refuse it. Called by `reload`, and when a file changed. */
  readonly load: () => Promise<{ readonly setup: Setup } | { readonly mistakes: readonly string[] }>;
  /** Tells whether a configuration file differs from when it was last loaded. */
  readonly isChanged: () => Promise<boolean>;
  /** Called after each pass that was committed. */
  readonly onPass?: (report: PassReport) => void;
}

/** A running daemon. */
export interface Daemon {
  /** Asks for a reload before the next pass, which then comes at once. */
  reload(): void;
  /** Ends the pass under way without committing it, gives the outbox a last chance, closes everything. */
  stop(): Promise<void>;
  /** Settles when the daemon has ended; rejects when something impossible ended it. */
  readonly ended: Promise<void>;
}

/**
 * Starts the daemon.
 *
 * @throws WatchdogError `store/locked` when another one runs on the same state, or what the store throws.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const loop = await startLoop(options);
  const ended = loop.run();
  return {
    reload: () => loop.requestReload(),
    stop: async () => {
      loop.requestStop();
      await ended.catch(() => undefined);
    },
    ended,
  };
}

/** A watchdog that cannot even start is silent: it says so first, unless another one is at work here. */
async function startLoop(options: DaemonOptions): Promise<Loop> {
  try {
    return new Loop(options);
  } catch (error) {
    const isGuarded = error instanceof WatchdogError && error.code === 'store/locked';
    if (!isGuarded) await cryOut(options.setup, `deadair cannot start: ${describeError(error)}`, options.clock.nowMs());
    throw error;
  }
}

class Loop {
  readonly #options: DaemonOptions;
  readonly #clock: SteadyClock;
  readonly #store: Store;
  readonly #stop = new AbortController();
  readonly #lastCommittedAtMs: number | null;
  #setup: Setup;
  #outbox: Outbox;
  #reader: Reader;
  #wake: (() => void) | null = null;
  #isPassWanted = false;
  #isReloadWanted = false;
  #lastPassMs: number | null = null;
  #latePasses = 0;
  #nextPruneMs = 0;
  #reloadMistakes: readonly string[] = [];
  #storeFailure: string | null = null;
  /** What broke beside the passes and must end the daemon; null while nothing has. */
  #broken: { readonly error: unknown } | null = null;
  /** True once a receiver has heard of the store's failure, which lasts. */
  #isFailureHeard = false;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#setup = options.setup;
    this.#clock = createSteadyClock(options.clock);
    this.#store = openStore({ directory: options.stateDirectory, nowMs: this.#clock.nowMs, mode: 'daemon' });
    this.#lastCommittedAtMs = this.#store.passes.lastCommitted()?.committedAtMs ?? null;
    this.#outbox = this.#startOutbox();
    this.#reader = this.#startReader();
  }

  requestReload(): void {
    this.#isReloadWanted = true;
    this.#wake?.();
  }

  requestStop(): void {
    this.#stop.abort();
    this.#wake?.();
  }

  async run(): Promise<void> {
    const { log } = this.#options;
    log.info({ event: 'daemon.started', watchdog: this.#setup.policy.name, rules: this.#setup.rules.length });
    try {
      while (!this.#stop.signal.aborted) {
        const startedMs = this.#clock.monotonicMs();
        await this.#reloadWhenDue();
        await this.#pass();
        await this.#waitUntil(startedMs + this.#setup.checkEveryMs);
        if (this.#broken !== null) throw (this.#broken as { readonly error: unknown }).error;
      }
    } catch (error) {
      await cryOut(this.#setup, `deadair is ending: ${describeError(error)}`, this.#clock.nowMs());
      throw error;
    } finally {
      await this.#close();
      log.info({ event: 'daemon.stopped' });
    }
  }

  async #pass(): Promise<void> {
    const { log } = this.#options;
    const startedMs = this.#clock.monotonicMs();
    const passId = randomUUID();
    this.#isPassWanted = false;
    try {
      const report = await withinLimit((signal) =>
        pass({
          setup: this.#setup,
          store: this.#store,
          passId,
          nowMs: this.#clock.nowMs,
          self: selfWorld(this.#health()),
          signal: AbortSignal.any([signal, this.#stop.signal]),
        }),
      );
      this.#lastPassMs = this.#clock.monotonicMs() - startedMs;
      this.#latePasses = this.#lastPassMs > this.#setup.checkEveryMs ? this.#latePasses + 1 : 0;
      this.#storeFailure = null;
      this.#isFailureHeard = false;
      for (const event of report.events)
        log.info({ event: `alert.${event.kind}`, passId, why: event.why, subject: event.subject });
      log.debug({ event: 'pass.done', passId, verdict: report.verdict, durationMs: Math.round(this.#lastPassMs) });
      if (report.messages > 0) this.#outbox.wake();
      for (const target of report.world.targets) this.#offer(target);
      this.#tidyUp(report.world.targets);
      this.#options.onPass?.(report);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (!(error instanceof WatchdogError)) throw error;
      await this.#passFailed(error, passId);
    }
  }

  /** The state could not be stored, so no alert of this pass will be sent: say that much, past the outbox. */
  async #passFailed(error: WatchdogError, passId: string): Promise<void> {
    const text = describeError(error);
    this.#options.log.error({ event: 'pass.failed', passId, code: error.code }, text);
    this.#storeFailure = text;
    // A receiver may be down as well: each pass cries again until somebody has heard it.
    if (!this.#isFailureHeard)
      this.#isFailureHeard = await cryOut(this.#setup, `state cannot be stored: ${text}`, this.#clock.nowMs());
  }

  /** After a commit: messages for receivers that are gone, and now and then digests of files that are. */
  #tidyUp(targets: readonly TargetWorld[]): void {
    const nowMs = this.#clock.nowMs();
    const left = this.#store.outbox.settleStrangers(this.#setup.policy.receivers, nowMs);
    if (left > 0) this.#options.log.warn({ event: 'outbox.given-up', messages: left }, 'their receiver was removed');
    if (this.#clock.monotonicMs() < this.#nextPruneMs) return;
    this.#nextPruneMs = this.#clock.monotonicMs() + limits.pruneEveryMs;
    for (const { evidence, catalogue } of targets) {
      // Where part could not be listed, a file that is not there may be there.
      if (catalogue === null || catalogue.incomplete !== null) continue;
      this.#store.ledger.prune(evidence.address, filesToProve(catalogue), nowMs - limits.ledgerKeptMs);
    }
  }

  #offer(target: TargetWorld): void {
    const setup = this.#setup.targets.find(({ name }) => name === target.name);
    // What is due on a target that is out of sight nobody knows, so it offers nothing, not even that nothing is due.
    if (setup === undefined || !target.evidence.seen) return;
    const files = dueFiles(target, {
      nowMs: this.#clock.nowMs(),
      rereadEveryMs: rereadEveryMs(this.#setup.rules),
      retryUnreadableMs,
    });
    const { hosts } = this.#setup;
    this.#reader.offer({
      target: target.name,
      files,
      cores: setup.cores,
      idle: setup.idle,
      open: async (signal) => {
        const session = openHostSession(hosts, signal);
        try {
          const place = await setup.openPlace(session);
          return { place, close: () => place.close().then(() => session.close()) };
        } catch (error) {
          await session.close();
          throw error;
        }
      },
    });
  }

  async #reloadWhenDue(): Promise<void> {
    const { load, isChanged, log } = this.#options;
    const isWanted = this.#isReloadWanted || (await isChanged());
    this.#isReloadWanted = false;
    if (!isWanted) return;
    const loaded = await load();
    if ('mistakes' in loaded) {
      this.#reloadMistakes = loaded.mistakes;
      log.error({ event: 'reload.refused', mistakes: loaded.mistakes }, 'the old rules stay in force');
      return;
    }
    this.#reloadMistakes = [];
    const old = this.#setup;
    await this.#reader.close();
    await this.#outbox.close();
    this.#setup = loaded.setup;
    this.#outbox = this.#startOutbox();
    this.#reader = this.#startReader();
    await old.close();
    log.info({ event: 'reload.done', rules: this.#setup.rules.length });
  }

  #health(): Health {
    const oldest = this.#store.outbox.oldestPending();
    return {
      nowMs: this.#clock.nowMs(),
      checkEveryMs: this.#setup.checkEveryMs,
      aheadMs: this.#clock.aheadMs(),
      stepMs: this.#clock.takeStepMs(),
      lastCommittedAtMs: this.#lastCommittedAtMs,
      lastPassMs: this.#lastPassMs,
      latePasses: this.#latePasses,
      oldestUnsent: oldest === undefined ? null : { ...oldest, lastError: oldest.lastError?.message ?? null },
      reloadMistakes: this.#reloadMistakes,
      reading: this.#reader.troubles(),
      storeFailure: this.#storeFailure,
      wasStoreLost: this.#store.wasLost,
    };
  }

  #startOutbox(): Outbox {
    const { receivers } = this.#setup;
    return startOutbox({ queue: this.#store.outbox, receivers, clock: this.#clock, log: this.#options.log });
  }

  #startReader(): Reader {
    return startReader({
      memory: this.#store,
      nowMs: this.#clock.nowMs,
      log: this.#options.log,
      onRead: () => {
        this.#isPassWanted = true;
        this.#wake?.();
      },
      onBroken: (error) => {
        this.#broken = { error };
        this.#wake?.();
      },
    });
  }

  /** Waits for the next pass; a reload, a stop, or news from the reader end the wait, the last not before a short pause. */
  async #waitUntil(monotonicMs: number): Promise<void> {
    const soonestMs = this.#clock.monotonicMs() + Math.min(limits.passPauseMs, this.#setup.checkEveryMs);
    for (;;) {
      if (this.#stop.signal.aborted || this.#isReloadWanted || this.#broken !== null) return;
      const untilMs = this.#isPassWanted ? Math.min(monotonicMs, soonestMs) : monotonicMs;
      const leftMs = untilMs - this.#clock.monotonicMs();
      if (leftMs <= 0) return;
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await sleep(leftMs, undefined, { signal: woken.signal }).catch(() => undefined);
      this.#wake = null;
    }
  }

  async #close(): Promise<void> {
    await this.#reader.close();
    await this.#outbox.drain(limits.drainMs);
    await this.#outbox.close();
    await this.#setup.close();
    this.#store.close();
  }
}

/**
 * Runs a pass that may not hang: every wait in it has a deadline of its own, and this is for the one that does not hold.
 *
 * @throws Error when it took longer than `limits.passMs`, which is a mistake of the program or of the kernel.
 */
async function withinLimit<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limits.passMs);
  const hung = new Promise<never>((_, reject) => {
    const text = `a pass did not end within ${formatDuration(limits.passMs)}`;
    late.signal.addEventListener('abort', () => reject(new Error(text)), { once: true });
  });
  try {
    return await Promise.race([hung, run(late.signal)]);
  } finally {
    clearTimeout(timer);
  }
}
