/** Sections whose keys are names the operator chose (hosts, targets, …), and references to such names. */

import { entriesOf, inside, isMap, mistake, type Place } from './place.ts';
import { describeUnknownName, quote } from './words.ts';

/** What a name may look like: it stands in subjects, ids and messages, where other characters have a meaning. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The expectation behind {@link namePattern}. */
export const nameExpectation = 'a name of up to 63 letters, digits, . _ -, beginning with a letter or digit';

/** A section: its entries by name. */
export type Section = ReadonlyMap<string, Place>;

/**
 * Reads a section. Names that are wrong are noted and stay in it, so that what refers to them is no second mistake.
 *
 * @param what one entry in words, such as `target`.
 */
export function readSection(place: Place, what: string, options: { readonly isRequired: boolean }): Section {
  if (place.value === undefined || place.value === null) {
    if (options.isRequired) mistake(place, `expected at least one ${what}, got nothing`);
    return new Map();
  }
  const entries = entriesOf(place, `a map of ${what}s by name`) ?? [];
  if (entries.length === 0 && options.isRequired && isMap(place.value)) {
    mistake(place, `expected at least one ${what}, got an empty map`);
  }
  for (const [name, entry] of entries) {
    if (!namePattern.test(name)) mistake(entry, `expected ${nameExpectation}, got ${quote(name)}`, 'key');
  }
  return new Map(entries);
}

/**
 * Checks names that refer to a section.
 *
 * @param place one name, or a list of them, as the file has it.
 * @param known the names there are; while there are none, that is the one mistake to tell.
 */
export function checkReferences(place: Place, known: readonly string[], what: string): void {
  if (known.length === 0) return;
  const places = Array.isArray(place.value) ? place.value.map((_, index) => inside(place, index)) : [place];
  for (const each of places) {
    if (typeof each.value !== 'string') continue;
    if (!known.includes(each.value)) mistake(each, describeUnknownName(each.value, known, what));
  }
}

/** Every name once, in the order given. */
export function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
