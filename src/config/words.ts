/** How values and expectations are put into words: one style for all messages of the loader. */

import { printablePath } from '../support/printable.ts';

/** Says what was found: `"26"`, `26`, `nothing`, `a list`. Passwords inside URLs are left out. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return 'a map';
}

/** Quotes what an operator wrote, printable and no longer than a line can bear. */
export function quote(text: string): string {
  const hidden = text.replace(/\/\/[^/?#]*:[^/?#]*@/g, '//…:…@');
  const points = Array.from(hidden);
  return `"${printablePath(points.length > 80 ? `${points.slice(0, 80).join('')}…` : hidden)}"`;
}

/** `expected one of a, b, got "c" (did you mean b?)`. */
export function describeUnknownName(name: string, known: readonly string[], what = ''): string {
  const expectation = known.length === 1 ? (known[0] ?? '') : `one of ${known.join(', ')}`;
  return `expected ${expectation}${what === '' ? '' : ` (${what})`}, got ${quote(name)}${suggestion(name, known)}`;
}

/** ` (did you mean max_age?)`, or nothing when no name is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const allowed = Math.max(1, Math.floor(name.length / 3));
  const near = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter((each) => each.distance <= allowed && each.distance < each.candidate.length)
    .toSorted((one, other) => one.distance - other.distance)[0];
  return near === undefined ? '' : ` (did you mean ${near.candidate}?)`;
}

/** How many letters must be changed, added, left out or swapped with their neighbour; Infinity for what is no name. */
function distance(one: string, other: string): number {
  if (one.length > 64 || other.length > 64) return Number.POSITIVE_INFINITY;
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      next.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (next[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    beforeLast = last;
    last = next;
  }
  return last[other.length] ?? 0;
}
