/** What is wrong with a configuration, each with its place, and how that is written for the operator. */

import { limits } from '../support/limits.ts';
import { printablePath } from '../support/printable.ts';

/** One mistake, or one warning. */
export interface Mistake {
  /** The file as the operator named it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** Dotted way to the value, such as `rules[2].max_age`; empty for the file as a whole. */
  readonly path: string;
  /** `expected …, got …`; a warning is any one sentence. */
  readonly message: string;
}

/** `FILE:LINE:COL path: expected …, got …`, in one line. */
export function formatMistake({ file, line, column, path, message }: Mistake): string {
  return `${printablePath(file)}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
}

/** Sorts by file, line and column; beyond `limits.mistakes` only their number is told. */
export function sortMistakes(mistakes: readonly Mistake[]): readonly Mistake[] {
  const sorted = mistakes.toSorted(
    (one, other) => compare(one.file, other.file) || one.line - other.line || one.column - other.column,
  );
  const last = sorted[limits.mistakes];
  if (last === undefined) return sorted;
  const message = `expected at most ${limits.mistakes} mistakes to tell, got ${sorted.length}; mend those above first`;
  return [...sorted.slice(0, limits.mistakes), { ...last, path: '', message }];
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
