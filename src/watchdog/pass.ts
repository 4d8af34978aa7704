/** One pass: gather → judge → step → route → commit. Read this first; everything else serves it. */

import { createHash } from 'node:crypto';
import { step } from '../core/alerts/step.ts';
import type { Finding, Verdict } from '../core/model/finding.ts';
import type { SelfWorld, World } from '../core/model/world.ts';
import { judge } from '../core/findings/judge.ts';
import { verdict } from '../core/report/verdict.ts';
import { route } from '../core/routing/route.ts';
import type { Store } from '../store/open.ts';
import { gather } from './gather.ts';
import { kindsByName } from './kinds.ts';
import type { Setup } from './setup.ts';

/** What a pass needs. */
export interface PassOptions {
  readonly setup: Setup;
  readonly store: Store;
  readonly passId: string;
  readonly nowMs: () => number;
  readonly self: SelfWorld;
  /** Aborting gives the pass up before it has committed anything. */
  readonly signal: AbortSignal;
}

/** What a pass saw and decided, all of it committed. */
export interface PassReport {
  readonly world: World;
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
  /** Messages that went into the outbox. */
  readonly messages: number;
  readonly events: readonly { readonly kind: string; readonly why: string; readonly subject: string }[];
}

/**
 * Makes one pass.
 *
 * @throws WatchdogError `aborted` when it was given up, or what the store throws when it cannot commit; nothing has then changed.
 */
export async function pass({ setup, store, passId, nowMs, self, signal }: PassOptions): Promise<PassReport> {
  const startedAtMs = nowMs();
  await using look = await gather(setup, store, { signal, nowMs, self });
  signal.throwIfAborted();

  const atMs = nowMs();
  const { rules, policy, checkEveryMs, unknownAfterMs } = setup;
  const before = store.standings.all();
  const { findings } = judge(rules, kindsByName, look.world, before, {
    nowMs: atMs,
    checkEveryMs,
    isReaderBeside: true,
  });
  const stepped = step(before, findings, { nowMs: atMs, unknownAfterMs, idOf });
  const { events, standings } = stepped;
  const routed = route({
    events,
    standings,
    groups: store.standings.groups(),
    findings,
    rules,
    policy,
    nowMs: atMs,
    idOf,
  });
  const judged = verdict(findings);

  store.commitPass({
    passId,
    startedAtMs,
    committedAtMs: atMs,
    verdict: judged,
    standings: [...stepped.changed, ...routed.placed],
    removed: stepped.removed,
    groups: routed.groups,
    removedGroups: routed.removedGroups,
    messages: routed.messages,
    events: events.map((event) => ({
      atMs,
      kind: event.kind,
      why: event.kind === 'fired' ? event.why : event.ending,
      alertId: event.alert.id,
      summary: `${event.standing.subject}: ${event.alert.summary}`,
    })),
  });

  return {
    world: look.world,
    findings,
    verdict: judged,
    messages: routed.messages.length,
    events: events.map((event) => ({
      kind: event.kind,
      why: event.kind === 'fired' ? event.why : event.ending,
      subject: event.standing.subject,
    })),
  };
}

/** Alert and group ids: the first 16 hex digits of SHA-256 over the parts. */
export function idOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
