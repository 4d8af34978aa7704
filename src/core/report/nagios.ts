/** The verdict as a monitoring plugin prints it: one line with perfdata, then a line a finding that is not ok. Pure. */

import { type CheckView } from './check-view.ts';

const words = { ok: 'OK', warning: 'WARNING', critical: 'CRITICAL', unknown: 'UNKNOWN' } as const;

/** Renders `check --format nagios`; a pipe inside a text would end it early and becomes a slash. */
export function nagiosOutput(view: CheckView): string {
  const trouble = view.findings.filter(({ status, mutedBy }) => status !== 'ok' && mutedBy === null);
  const count = (status: string): number => view.findings.filter((each) => each.status === status).length;
  const what =
    trouble.length === 0
      ? `${count('ok')} findings ok`
      : `${trouble.length} of ${view.findings.length} findings not ok`;
  const perfdata = (['ok', 'failing', 'unknown'] as const)
    .map((status) => `'${status}'=${count(status)};;;0`)
    .join(' ');
  const lines = trouble.map(({ rule, subject, target, summary }) =>
    `${rule} ${subject}${target === null ? '' : ` on ${target}`}: ${summary}`
      .replaceAll('|', '/')
      .replaceAll('\n', ' '),
  );
  return `${[`DEADAIR ${words[view.verdict]} - ${what} | ${perfdata}`, ...lines].join('\n')}\n`;
}
