/** What the watchdog knows against itself: the matter of the rule `self`. Made of numbers; it measures nothing. */

import type { SelfTrouble, SelfWorld } from '../core/model/world.ts';
import { formatDuration } from '../support/units.ts';

/** A wall clock may be this far off the even flow of time before we speak of a step. */
export const clockStepMs = 30_000;

/** What was measured since the last pass. */
export interface Health {
  readonly nowMs: number;
  readonly checkEveryMs: number;
  /** How far our time is ahead of a wall clock that stepped back, ms. */
  readonly aheadMs: number;
  /** Step of the wall clock since the last pass, ms; forward steps count once. */
  readonly stepMs: number;
  /** Commit of the newest pass before this process started; null when there was none. */
  readonly lastCommittedAtMs: number | null;
  /** How long the last pass of this process took; null before the first. */
  readonly lastPassMs: number | null;
  /** How many passes in a row, up to the last one, took longer than `check_every`. */
  readonly latePasses: number;
  readonly oldestUnsent: {
    readonly createdAtMs: number;
    readonly receiver: string;
    readonly lastError: string | null;
  } | null;
  /** Mistakes of the configuration that the last reload refused; empty when it is the one in force. */
  readonly reloadMistakes: readonly string[];
  /** Why reading failed, by target. */
  readonly reading: ReadonlyMap<string, string>;
  /** Why the last commit failed; null when it did not. */
  readonly storeFailure: string | null;
  /** True while a loss of the state database is not yet told. */
  readonly wasStoreLost: boolean;
}

/** Names each trouble; an empty list is a sound watchdog. */
export function selfWorld(health: Health): SelfWorld {
  return {
    observedAtMs: health.nowMs,
    troubles: [clock(health), pass(health), outbox(health), reload(health), reader(health), store(health)].filter(
      (trouble) => trouble !== null,
    ),
  };
}

function clock({ nowMs, aheadMs, stepMs, lastCommittedAtMs }: Health): SelfTrouble | null {
  const todo = 'check time synchronisation on this host; when the clock is right again, restart deadair';
  const behindMs = lastCommittedAtMs === null ? 0 : lastCommittedAtMs - nowMs;
  const backMs = Math.max(aheadMs, behindMs);
  if (backMs > clockStepMs) {
    const far = formatDuration(backMs);
    const summary = `the clock of this host was set back by ${far}; deadlines go on as if it had not`;
    return { name: 'clock', headline: `clock set back by ${far}`, summary, todo };
  }
  if (stepMs > clockStepMs) {
    const far = formatDuration(stepMs);
    const summary = `the clock of this host jumped ahead by ${far}, or the host slept`;
    return { name: 'clock', headline: `clock jumped by ${far}`, summary, todo };
  }
  return null;
}

/** One slow pass is a disk that wakes or a host that restarts; several in a row are a watchdog that looks too seldom. */
const latePassesAtMost = 2;

function pass({ lastPassMs, latePasses, checkEveryMs }: Health): SelfTrouble | null {
  if (lastPassMs === null || latePasses <= latePassesAtMost) return null;
  const took = formatDuration(lastPassMs);
  const every = formatDuration(checkEveryMs);
  const summary = `the last ${latePasses} passes took longer than check_every (${every}), the newest ${took}`;
  return {
    name: 'pass',
    headline: `a pass took ${took}`,
    summary,
    todo: 'look for what is slow, or raise check_every',
  };
}

function outbox({ nowMs, checkEveryMs, oldestUnsent }: Health): SelfTrouble | null {
  if (oldestUnsent === null || nowMs - oldestUnsent.createdAtMs <= 2 * checkEveryMs) return null;
  const waited = formatDuration(nowMs - oldestUnsent.createdAtMs);
  const because = oldestUnsent.lastError === null ? '' : `: ${oldestUnsent.lastError}`;
  const summary = `a message for ${oldestUnsent.receiver} is not accepted since ${waited}${because}`;
  return {
    name: 'outbox',
    headline: `unsent for ${waited}`,
    summary,
    todo: 'mend the receiver; nothing is lost meanwhile',
  };
}

function reload({ reloadMistakes }: Health): SelfTrouble | null {
  const [first] = reloadMistakes;
  if (first === undefined) return null;
  const more = reloadMistakes.length === 1 ? '' : ` (and ${reloadMistakes.length - 1} more)`;
  const summary = `the changed configuration was refused and the old one stays: ${first}${more}`;
  return {
    name: 'reload',
    headline: 'configuration refused',
    summary,
    todo: 'mend it; deadair validate lists all mistakes',
  };
}

function reader({ reading }: Health): SelfTrouble | null {
  if (reading.size === 0) return null;
  const names = [...reading.keys()].join(', ');
  const summary = [...reading].map(([target, why]) => `reading ${target} failed: ${why}`).join('; ');
  return { name: 'reader', headline: `cannot read ${names}`, summary, todo: null };
}

function store({ storeFailure, wasStoreLost }: Health): SelfTrouble | null {
  if (storeFailure !== null) {
    const summary = `the last pass could not be stored: ${storeFailure}`;
    return {
      name: 'store',
      headline: 'state not stored',
      summary,
      todo: 'make room on the disk of the state directory',
    };
  }
  if (!wasStoreLost) return null;
  return {
    name: 'store',
    headline: 'state was lost',
    summary:
      'the state database was gone and was started anew: what was known of collections, digests and alerts is lost',
    todo: 'find out who deleted it; collections that vanished before cannot be noticed any more',
  };
}
