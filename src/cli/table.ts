/** The verdict as a person reads it: a headline, a grid of the collections, then what is wrong and what to do about it. */

import type { CheckFinding, CheckView } from '../core/report/check-view.ts';
import { printablePath } from '../support/printable.ts';
import { matrix } from './matrix.ts';
import { markOf, type Paint, painter, type Style } from './paint.ts';

/** How to draw. */
export interface TableOptions {
  /** False when it is not a terminal, or NO_COLOR is set. */
  readonly isColored: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Draws a check; ends with a line feed. */
export function checkTable(view: CheckView, { isColored, width }: TableOptions): string {
  const paint = painter(isColored);
  const trouble = view.findings
    .filter(({ status, mutedBy }) => status !== 'ok' || mutedBy !== null)
    .map((finding) => ({ finding, mark: markOf(finding) }))
    .toSorted((a, b) => a.mark.rank - b.mark.rank);
  const blocks = [
    [headline(view, paint)],
    matrix(view.findings, paint),
    trouble.flatMap(({ finding, mark }) => [
      `  ${paint(mark.style, mark.word.padEnd(6))} ${finding.rule} ${about(finding)}`,
      ...wrap(sentence(finding), width - indent).map((line) => ' '.repeat(indent) + line),
      ...(finding.todo === null ? [] : wrap(`→ ${printablePath(finding.todo)}`, width - indent)).map(
        (line) => ' '.repeat(indent) + paint('dim', line),
      ),
    ]),
    gaps(view, paint),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const indent = 9;

const verdictStyles: Readonly<Record<CheckView['verdict'], Style>> = {
  ok: ['bold', 'green'],
  warning: ['bold', 'yellow'],
  critical: ['bold', 'red'],
  unknown: ['bold', 'magenta'],
};

function headline(view: CheckView, paint: Paint): string {
  const open = view.findings.filter(({ mutedBy }) => mutedBy === null);
  const counts = (['failing', 'unknown', 'unread', 'ok'] as const)
    .map((status) => ({ status, count: open.filter((each) => each.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`);
  const muted = view.findings.length - open.length;
  if (muted > 0) counts.push(`${muted} muted`);
  const verdict = paint(verdictStyles[view.verdict], view.verdict.toUpperCase());
  return `${verdict}  ${counts.join(', ')}  (${view.watchdog}, ${view.at.slice(0, 19)}Z)`;
}

function about({ subject, target }: CheckFinding): string {
  const name = printablePath(subject);
  return target === null || subject === `target/${target}` ? name : `${name} on ${printablePath(target)}`;
}

function sentence({ summary, mutedBy }: CheckFinding): string {
  const text = printablePath(summary);
  if (mutedBy === null) return text;
  return `${text} [muted until ${mutedBy.until.slice(0, 10)}: ${printablePath(mutedBy.because)}]`;
}

function gaps({ notPromised }: CheckView, paint: Paint): readonly string[] {
  const lines = [...Map.groupBy(notPromised, ({ rule }) => rule)].map(([rule, entries]) => {
    const names = entries.map(({ subject }) => printablePath(subject)).toSorted();
    const rest = names.length - 5;
    return `  ${rule}: ${names.slice(0, 5).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  });
  return lines.length === 0 ? [] : [paint('dim', 'Not promised, since no rule guards it:'), ...lines];
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > Math.max(30, width)) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
