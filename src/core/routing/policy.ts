/** Who is told, and how loud: the operator's ladders. */

import type { Severity } from '../model/finding.ts';
import type { Rule } from '../model/rule.ts';

/** One step of an escalation. */
export interface Rung {
  /** Names of receivers. */
  readonly notify: readonly string[];
  /** ntfy's 1 to 5; null leaves it to the severity. */
  readonly priority: number | null;
}

/** The operator's word on telling. */
export interface Policy {
  /** This watchdog's name, in every message. */
  readonly name: string;
  /** IANA zone in which messages tell times. */
  readonly timezone: string;
  /** First rungs by ladder name: a severity's, or any a rule names with `escalate`. */
  readonly ladders: ReadonlyMap<string, Rung>;
  /** Names of all receivers there are; one that a reload took away is told nothing any more. */
  readonly receivers: ReadonlySet<string>;
}

/**
 * The rung an alert of this rule and severity is told on.
 *
 * @returns null for `info`, which rings nobody, and for a severity without a ladder.
 */
export function rungFor(policy: Policy, rule: Rule | undefined, severity: Severity): Rung | null {
  if (severity === 'info') return null;
  return policy.ladders.get(rule?.escalate ?? severity) ?? policy.ladders.get(severity) ?? null;
}
