/** The state machine: standings and the findings of one pass → new standings and what happened, each with a named reason. Pure. */

import { formatDuration } from '../../support/units.ts';
import type { Alert, AlertEvent, Standing } from '../model/alert.ts';
import { type Finding, type Severity, severityRank } from '../model/finding.ts';
import { findingKey } from '../model/key.ts';

/** What the machine must be told beside the findings. */
export interface StepOptions {
  readonly nowMs: number;
  /** How long unknown may last before it is told as a warning, ms. */
  readonly unknownAfterMs: number;
  /** 16 hex digits of a digest over the parts. */
  readonly idOf: (parts: readonly string[]) => string;
}

/** What one pass changed. */
export interface Step {
  /** All standings after the pass. */
  readonly standings: readonly Standing[];
  /** Those that differ from before, to be stored. */
  readonly changed: readonly Standing[];
  /** Standings that nobody asks about any more. */
  readonly removed: readonly Standing[];
  readonly events: readonly AlertEvent[];
}

/**
 * Takes one step.
 *
 * One clock runs while a finding is not ok: failing and unknown share it, `for` and `unknown_after` are measured by it.
 * Only an ok that was observed after the trouble, and has not expired, ends an alert as recovered (G2).
 */
export function step(before: readonly Standing[], findings: readonly Finding[], options: StepOptions): Step {
  const remembered = new Map(before.map((standing) => [findingKey(standing), standing]));
  const standings: Standing[] = [];
  const changed: Standing[] = [];
  const events: AlertEvent[] = [];
  for (const finding of findings) {
    const key = findingKey(finding);
    const old = remembered.get(key);
    remembered.delete(key);
    const { standing, event } = stepOne(old, finding, options);
    standings.push(standing);
    if (old === undefined || !isSame(old, standing)) changed.push(standing);
    if (event !== null) events.push(event);
  }
  for (const standing of remembered.values()) {
    if (standing.alert?.state === 'firing') {
      events.push({ kind: 'ended', ending: 'withdrawn', standing, alert: standing.alert, finding: null });
    }
  }
  return { standings, changed, removed: [...remembered.values()], events };
}

function stepOne(
  old: Standing | undefined,
  finding: Finding,
  options: StepOptions,
): { readonly standing: Standing; readonly event: AlertEvent | null } {
  const standing: Standing = {
    ruleId: finding.id,
    rule: finding.rule,
    subject: finding.subject,
    target: finding.target,
    status: finding.status,
    observedAtMs: finding.observedAtMs,
    okUntilMs: finding.status === 'ok' ? finding.validUntilMs : (old?.okUntilMs ?? null),
    unreadSinceMs: unreadSince(old, finding, options),
    alert: old?.alert ?? null,
  };
  switch (finding.status) {
    case 'unread':
      return isUnreadTooLong(standing, finding, options)
        ? stepTrouble({ ...standing, status: 'failing' }, neverProven(standing, finding, options), options)
        : { standing, event: null };
    case 'ok':
      return stepOk(standing, finding, options);
    case 'failing':
    case 'unknown':
      return stepTrouble(standing, finding, options);
  }
}

function unreadSince(old: Standing | undefined, { status }: Finding, { nowMs }: StepOptions): number | null {
  if (status === 'ok') return null;
  return old?.unreadSinceMs ?? (status === 'unread' ? nowMs : null);
}

/** Each new copy starts to wait anew; all of them together may not keep a subject waiting for ever. */
function isUnreadTooLong({ unreadSinceMs }: Standing, { patienceMs }: Finding, { nowMs }: StepOptions): boolean {
  return unreadSinceMs !== null && nowMs >= unreadSinceMs + patienceMs;
}

function neverProven({ unreadSinceMs }: Standing, finding: Finding, { nowMs }: StepOptions): Finding {
  const waited = formatDuration(nowMs - (unreadSinceMs ?? nowMs));
  return {
    ...finding,
    status: 'failing',
    reason: 'unread-too-long',
    headline: `not proven for ${waited}`,
    summary: `nothing could be proven for ${waited}: ${finding.summary}`,
    todo: 'look at what keeps changing on the target, and at the reader in the log of deadair',
  };
}

function stepOk(
  standing: Standing,
  finding: Finding,
  { nowMs }: StepOptions,
): { readonly standing: Standing; readonly event: AlertEvent | null } {
  const { alert } = standing;
  if (alert === null) return { standing, event: null };
  const isNewerEvidence = finding.observedAtMs > alert.troubleObservedAtMs && finding.validUntilMs >= nowMs;
  if (!isNewerEvidence) return { standing, event: null };
  const calm = { ...standing, alert: null };
  if (alert.state === 'opened') return { standing: calm, event: null };
  return { standing: calm, event: { kind: 'ended', ending: 'recovered', standing: calm, alert, finding } };
}

function stepTrouble(
  standing: Standing,
  finding: Finding,
  options: StepOptions,
): { readonly standing: Standing; readonly event: AlertEvent | null } {
  const alert = updated(standing, finding, options);
  const due = dueSeverity(standing, alert, finding, options);
  const isLouder =
    due !== null && (alert.severity === null || severityRank[due.severity] > severityRank[alert.severity]);
  const wasMuted = (standing.alert?.mutedBy ?? null) !== null;
  // What fired before it was muted is told again when the mute ends, even if it is no louder (G4).
  const isToldAgain = wasMuted && alert.severity !== null;
  if (finding.mutedBy !== null || !(isLouder || isToldAgain)) return { standing: { ...standing, alert }, event: null };
  const fired: Alert = { ...alert, state: 'firing', severity: isLouder ? due.severity : alert.severity };
  const isWorse = isLouder && alert.state === 'firing' && due.why === 'failing';
  const why = isWorse ? 'worsened' : wasMuted || due === null ? 'mute-ended' : due.why;
  const after = { ...standing, alert: fired };
  return { standing: after, event: { kind: 'fired', why, standing: after, alert: fired, finding } };
}

/** The alert with this pass's words, opened when there was none. Its clock is never set back. */
function updated(standing: Standing, finding: Finding, { nowMs, idOf }: StepOptions): Alert {
  const { headline, summary, reason, todo, cause, mutedBy, observedAtMs } = finding;
  const words = { headline, summary, reason, todo, cause, mutedBy };
  if (standing.alert !== null) {
    const troubleObservedAtMs = Math.max(standing.alert.troubleObservedAtMs, observedAtMs);
    return { ...standing.alert, ...words, troubleObservedAtMs };
  }
  return {
    id: idOf([finding.id, finding.subject, finding.target ?? '', String(nowMs)]),
    openedAtMs: nowMs,
    state: 'opened',
    severity: null,
    troubleObservedAtMs: observedAtMs,
    groupId: null,
    ...words,
  };
}

type Due = { readonly severity: Severity; readonly why: 'failing' | 'unknown-too-long' | 'last-proof-expired' };

/**
 * How loud the alert is due to be now; null while it must stay silent. Deadlines are absolute: a clock that stepped
 * back cannot make the past happen again, and what has fired stays fired (G5).
 */
function dueSeverity(
  standing: Standing,
  alert: Alert,
  finding: Finding,
  { nowMs, unknownAfterMs }: StepOptions,
): Due | null {
  if (nowMs < alert.openedAtMs + finding.forMs) return null;
  if (finding.status === 'failing') return { severity: finding.severity, why: 'failing' };
  const toldAtMs = alert.openedAtMs + unknownAfterMs;
  // What never was proven has no deadline left to wait for.
  const proofEndsAtMs = standing.okUntilMs ?? toldAtMs;
  if (nowMs >= proofEndsAtMs) return { severity: finding.severity, why: 'last-proof-expired' };
  if (nowMs < toldAtMs) return null;
  // The lost host, target or source is told once, by `reachable`; what it hides is told when its own proof ends.
  if (finding.cause !== null && finding.rule !== 'reachable') return null;
  const severity = severityRank[finding.severity] > severityRank.warning ? 'warning' : finding.severity;
  return { severity, why: 'unknown-too-long' };
}

function isSame(a: Standing, b: Standing): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
