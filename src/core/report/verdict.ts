/** The verdict over all findings, and how a program exits with it: as a monitoring plugin does. Pure. */

import type { Finding, Verdict } from '../model/finding.ts';

/** Exit codes of `check`, as monitoring plugins define them. */
export const exitCodes: Readonly<Record<Verdict, number>> = { ok: 0, warning: 1, critical: 2, unknown: 3 };

/**
 * @returns a failing critical → `critical`; else any unknown (or unread) → `unknown`; else a failing warning → `warning`;
 *   else `ok`. Muted findings and `info` count for nothing, and no findings at all are `unknown`: nothing was judged.
 */
export function verdict(findings: readonly Finding[]): Verdict {
  if (findings.length === 0) return 'unknown';
  const counting = findings.filter(({ mutedBy, severity }) => mutedBy === null && severity !== 'info');
  if (counting.some(({ status, severity }) => status === 'failing' && severity === 'critical')) return 'critical';
  if (counting.some(({ status }) => status === 'unknown' || status === 'unread')) return 'unknown';
  if (counting.some(({ status }) => status === 'failing')) return 'warning';
  return 'ok';
}
