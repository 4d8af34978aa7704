/** The verdict as a person reads it at a glance: a headline, what is wrong with what to do, then what is well. */

import { styleText } from 'node:util';
import type { CheckFinding, CheckView } from '../core/report/check-view.ts';
import { printablePath } from '../support/printable.ts';

/** How to draw. */
export interface TableOptions {
  /** False when it is not a terminal, or NO_COLOR is set. */
  readonly isColored: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

type Style = Parameters<typeof styleText>[0];
interface Mark {
  readonly word: string;
  readonly style: Style;
  /** Louder first. */
  readonly rank: number;
}

/** Draws a check; ends with a line feed. */
export function checkTable(view: CheckView, { isColored, width }: TableOptions): string {
  const paint = (style: Style, text: string): string =>
    isColored ? styleText(style, text, { validateStream: false }) : text;
  const rows = view.findings
    .map((finding) => ({ finding, mark: markOf(finding) }))
    .toSorted((a, b) => a.mark.rank - b.mark.rank);
  const shown = rows.filter(({ finding }) => isShown(finding));
  const widths = {
    rule: widest(shown.map(({ finding }) => finding.rule)),
    subject: Math.min(40, widest(shown.map(({ finding }) => printablePath(finding.subject)))),
    target: Math.min(20, widest(shown.map(({ finding }) => finding.target ?? '-'))),
  };
  const indent = 2 + 6 + widths.rule + 1 + widths.subject + 1 + widths.target + 2;
  const lines = shown.flatMap(({ finding, mark }) => {
    const cells = [
      paint(mark.style, mark.word.padEnd(6)),
      finding.rule.padEnd(widths.rule + 1),
      printablePath(finding.subject).padEnd(widths.subject + 1),
      (finding.target ?? '-').padEnd(widths.target + 2),
    ];
    const sentence =
      finding.mutedBy === null
        ? finding.summary
        : `${finding.summary} [muted: ${finding.mutedBy.because}, until ${finding.mutedBy.until.slice(0, 10)}]`;
    const text = wrap(printablePath(sentence), Math.max(30, width - indent));
    const todo =
      finding.todo === null
        ? []
        : wrap(`→ ${finding.todo}`, Math.max(30, width - indent)).map((line) => paint('dim', line));
    const [first = '', ...rest] = [...text, ...todo];
    return [`  ${cells.join('')}${first}`, ...rest.map((line) => ' '.repeat(indent) + line)];
  });
  return `${[headline(view, paint), '', ...lines, ...gaps(view, paint)].join('\n')}\n`;
}

/** What is always there and well is left to the headline. */
function isShown({ status, rule }: CheckFinding): boolean {
  return status !== 'ok' || !['reachable', 'self'].includes(rule);
}

function markOf({ status, severity, mutedBy }: CheckFinding): Mark {
  if (mutedBy !== null) return { word: 'muted', style: 'dim', rank: 5 };
  switch (status) {
    case 'failing':
      if (severity === 'critical') return { word: 'CRIT', style: ['bold', 'red'], rank: 0 };
      return severity === 'warning'
        ? { word: 'WARN', style: 'yellow', rank: 2 }
        : { word: 'info', style: 'cyan', rank: 4 };
    case 'unknown':
      return { word: 'UNKN', style: 'magenta', rank: 1 };
    case 'unread':
      return { word: 'unread', style: 'cyan', rank: 3 };
    case 'ok':
      return { word: 'ok', style: 'green', rank: 6 };
  }
}

function headline(view: CheckView, paint: (style: Style, text: string) => string): string {
  const style: Style = { ok: 'green', warning: 'yellow', critical: 'red', unknown: 'magenta' }[view.verdict] as Style;
  const counts = (['failing', 'unknown', 'unread', 'ok'] as const)
    .map((status) => ({
      status,
      count: view.findings.filter((each) => each.status === status && each.mutedBy === null).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`);
  const muted = view.findings.filter(({ mutedBy }) => mutedBy !== null).length;
  if (muted > 0) counts.push(`${muted} muted`);
  return `${paint(['bold', style] as Style, view.verdict.toUpperCase())}  ${counts.join(', ')}  (${view.watchdog}, ${view.at})`;
}

function gaps({ notPromised }: CheckView, paint: (style: Style, text: string) => string): readonly string[] {
  const byRule = Map.groupBy(notPromised, ({ rule }) => rule);
  const lines = [...byRule].map(([rule, entries]) => {
    const names = entries.slice(0, 5).map(({ subject }) => printablePath(subject));
    const rest = entries.length - names.length;
    return `  ${rule}: ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  });
  return lines.length === 0 ? [] : ['', paint('dim', 'Not promised (no rule guards it):'), ...lines];
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
