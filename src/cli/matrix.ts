/** The findings of collections as a grid: a row a collection, a column a rule and target. Made to be seen at a glance. */

import { subjectPrefixes } from '../core/model/finding.ts';
import type { CheckFinding } from '../core/report/check-view.ts';
import { printablePath } from '../support/printable.ts';
import { markOf, type Paint } from './paint.ts';

/** Columns of text in one cell, the mark included. */
const cellWidth = 16;
/** @returns the lines of the grid; none when there is no finding about a collection. */
export function matrix(findings: readonly CheckFinding[], paint: Paint): readonly string[] {
  const cells = findings.filter(({ subject }) => !subjectPrefixes.has(subject.slice(0, subject.indexOf('/'))));
  const columns = [...new Set(cells.map(columnOf))];
  const bySubject = Map.groupBy(cells, ({ subject }) => subject);
  if (columns.length === 0) return [];
  const nameWidth =
    Math.min(40, Math.max(...[...bySubject.keys()].map((subject) => printablePath(subject).length))) + 2;
  const head = (part: (column: readonly [string, string]) => string): string =>
    ' '.repeat(nameWidth + 2) +
    columns.map((column) => cut(printablePath(part(JSON.parse(column)))).padEnd(cellWidth + 1)).join('');
  const rows = [...bySubject]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([subject, own]) => {
      const byColumn = new Map(own.map((finding) => [columnOf(finding), finding]));
      const name = cut(printablePath(subject), nameWidth - 2).padEnd(nameWidth);
      return `  ${name}${columns.map((column) => cell(byColumn.get(column), paint)).join('')}`.trimEnd();
    });
  const titles = [head(([rule]) => rule), head(([, target]) => target)];
  return [...titles.map((line) => paint('dim', line.trimEnd())), ...rows];
}

function columnOf({ rule, target }: CheckFinding): string {
  return JSON.stringify([rule, target ?? '']);
}

function cell(finding: CheckFinding | undefined, paint: Paint): string {
  if (finding === undefined) return ' '.repeat(cellWidth + 1);
  const { sign, style } = markOf(finding);
  // The column says the target; after the comma stands what was wanted, which the list below repeats.
  const [words = ''] = finding.headline.replace(` on ${finding.target ?? ''}`, '').split(',');
  return `${paint(style, cut(`${sign} ${printablePath(words)}`).padEnd(cellWidth))} `;
}

/** A long name keeps its end, which tells paths apart better than their beginning. */
function cut(text: string, width = cellWidth): string {
  if (text.length <= width) return text;
  return text.startsWith('/') ? `…${text.slice(text.length - width + 1)}` : `${text.slice(0, width - 1)}…`;
}
