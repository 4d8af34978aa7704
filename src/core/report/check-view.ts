/** What `check --json` prints: format `deadair.check/1`. Names stand in the contract with users; add, never rename. Pure. */

import type { Finding, Judgement, Verdict } from '../model/finding.ts';
import { verdict } from './verdict.ts';

/** The JSON object of `check --json`. Instants are RFC 3339, UTC. */
export interface CheckView {
  readonly format: 'deadair.check/1';
  readonly watchdog: string;
  readonly at: string;
  readonly verdict: Verdict;
  readonly findings: readonly CheckFinding[];
  readonly notPromised: Judgement['notPromised'];
}

/** One finding, as users and scripts see it. */
export interface CheckFinding {
  readonly rule: string;
  readonly id: string;
  readonly subject: string;
  readonly target: string | null;
  readonly severity: Finding['severity'];
  readonly status: Finding['status'];
  readonly reason: string;
  /** A few words, for a table. */
  readonly headline: string;
  readonly summary: string;
  readonly todo: string | null;
  readonly observedAt: string;
  readonly validUntil: string;
  readonly mutedBy: {
    readonly kind: string;
    readonly because: string;
    readonly by: string;
    readonly until: string;
  } | null;
}

/** Builds the view of one judgement. */
export function checkView(watchdog: string, atMs: number, { findings, notPromised }: Judgement): CheckView {
  return {
    format: 'deadair.check/1',
    watchdog,
    at: instant(atMs),
    verdict: verdict(findings),
    findings: findings.map((finding) => ({
      rule: finding.rule,
      id: finding.id,
      subject: finding.subject,
      target: finding.target,
      severity: finding.severity,
      status: finding.status,
      reason: finding.reason,
      headline: finding.headline,
      summary: finding.summary,
      todo: finding.todo,
      observedAt: instant(finding.observedAtMs),
      validUntil: instant(finding.validUntilMs),
      mutedBy: finding.mutedBy === null ? null : muteView(finding.mutedBy),
    })),
    notPromised,
  };
}

function muteView({ kind, because, by, untilMs }: NonNullable<Finding['mutedBy']>): CheckFinding['mutedBy'] {
  return { kind, because, by, until: instant(untilMs) };
}

/** The farthest instant a Date can hold; an ok without an end does not exist, so this only bounds arithmetic. */
const farthestMs = 8.64e15;

function instant(ms: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a Date made from a number reads no clock
  return new Date(Math.min(farthestMs, Math.max(-farthestMs, ms))).toISOString();
}
