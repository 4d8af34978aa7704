/** A watch over several passes without any store: step and route, one after the other, with what each pass leaves to the next. */

import { step } from '../../src/core/alerts/step.ts';
import type { Group, Message, Standing } from '../../src/core/model/alert.ts';
import type { Finding } from '../../src/core/model/finding.ts';
import { findingKey } from '../../src/core/model/key.ts';
import type { Rule } from '../../src/core/model/rule.ts';
import type { Policy } from '../../src/core/routing/policy.ts';
import { route } from '../../src/core/routing/route.ts';
import { allRules } from './rules.ts';
import { digest, ms, nowMs as startMs } from './world.ts';

/** Tells everything to one phone. */
export const phonePolicy: Policy = {
  name: 'phx-ai02',
  timezone: 'America/Phoenix',
  ladders: new Map([
    ['critical', { notify: ['phone'], priority: null }],
    ['warning', { notify: ['phone'], priority: null }],
  ]),
  receivers: new Set(['phone', 'desk', 'pager']),
};

/** Passes in a row. */
export interface Watch {
  /**
   * Takes one pass.
   *
   * @param after how long after the start, such as `5m`.
   * @returns the messages it sends.
   */
  pass(after: string, findings: readonly Finding[]): readonly Message[];
  /** Goes on under another policy, as after a reload. */
  obey(next: Policy): void;
  groups(): readonly Group[];
  standings(): readonly Standing[];
}

/** Starts a watch. */
export function watch({
  policy: first = phonePolicy,
  rules = allRules(),
}: { policy?: Policy; rules?: readonly Rule[] } = {}): Watch {
  let policy = first;
  let standings: readonly Standing[] = [];
  let groups = new Map<string, Group>();
  const idOf = (parts: readonly string[]): string => digest(parts.join('|')).slice(0, 16);
  return {
    pass: (after, findings) => {
      const nowMs = startMs + ms(after);
      const stepped = step(standings, findings, { nowMs, unknownAfterMs: ms('15m'), idOf });
      const routed = route({
        events: stepped.events,
        standings: stepped.standings,
        groups: [...groups.values()],
        findings,
        rules,
        policy,
        nowMs,
        idOf,
      });
      const placed = new Map(routed.placed.map((standing) => [findingKey(standing), standing]));
      standings = stepped.standings.map((standing) => placed.get(findingKey(standing)) ?? standing);
      groups = new Map([...groups, ...routed.groups.map((group) => [group.id, group] as const)]);
      for (const id of routed.removedGroups) groups.delete(id);
      return routed.messages;
    },
    obey: (next) => {
      policy = next;
    },
    groups: () => [...groups.values()],
    standings: () => standings,
  };
}

/** A finding about a collection on the NAS, as a critical freshness rule makes it. */
export function found(status: Finding['status'], name: string, after: string, part: Partial<Finding> = {}): Finding {
  const observedAtMs = startMs + ms(after);
  const isOk = status === 'ok';
  return {
    rule: 'freshness',
    id: 'phx-ai01/freshness',
    subject: `phx-ai01/${name}`,
    target: 'nas',
    severity: 'critical',
    status,
    reason: isOk ? 'fresh' : 'stale',
    headline: isOk ? '1h old' : '31h old, allowed 26h',
    summary: isOk ? 'newest proven snapshot is 1h old, allowed 26h' : 'newest proven snapshot is 31h old, allowed 26h',
    observedAtMs,
    validUntilMs: isOk ? observedAtMs + ms('25h') : observedAtMs,
    cause: null,
    mutedBy: null,
    patienceMs: 0,
    forMs: 0,
    todo: isOk ? null : "look at the backup's timer and its last log, then run it",
    ...part,
  };
}
