/** Reads what `check --json` printed, and holds it to the fields that users were promised. */

import { z } from 'zod';
import type { Ended } from './process.ts';

const instant = z.iso.datetime();

const finding = z.object({
  rule: z.string(),
  id: z.string(),
  subject: z.string(),
  target: z.string().nullable(),
  severity: z.enum(['critical', 'warning', 'info']),
  status: z.enum(['ok', 'failing', 'unknown']),
  summary: z.string().min(1),
  reason: z.string(),
  todo: z.string().nullable(),
  observedAt: instant,
  validUntil: instant,
  mutedBy: z.object({ kind: z.string(), because: z.string(), by: z.string(), until: instant }).nullable(),
});

const view = z.strictObject({
  format: z.literal('deadair.check/1'),
  watchdog: z.string().min(1),
  at: instant,
  verdict: z.enum(['ok', 'warning', 'critical', 'unknown']),
  findings: z.array(finding),
  notPromised: z.array(z.strictObject({ subject: z.string(), rule: z.string() })),
});

/** What was printed. `unread` is not among the statuses: `check` never says it. */
export type CheckView = z.infer<typeof view>;

/**
 * Parses stdout.
 *
 * @throws Error with all that the process said when that is no `deadair.check/1`.
 */
export function viewOf({ stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>): CheckView {
  try {
    return view.parse(JSON.parse(stdout));
  } catch (error) {
    throw new Error(`no deadair.check/1:\n${stdout}\n${stderr}`, { cause: error });
  }
}
