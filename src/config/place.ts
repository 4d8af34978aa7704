/** A value of a YAML file together with where it stands, so that whoever judges it can point at it. */

import { formatYamlPath, type YamlDocument, type YamlPath } from '../support/yaml.ts';
import type { Mistake } from './mistake.ts';
import { describeValue } from './words.ts';

/** A value and its place. */
export interface Place {
  /** What YAML says; undefined where the file says nothing. */
  readonly value: unknown;
  readonly path: YamlPath;
  readonly notes: Notes;
}

/** What was found in one file so far. The readers of a file share it and add to it. */
export interface Notes {
  /** The file as the operator named it. */
  readonly file: string;
  readonly document: YamlDocument;
  readonly mistakes: Mistake[];
  readonly warnings: Mistake[];
}

/** The whole of a file. */
export function rootOf(file: string, document: YamlDocument): Place {
  return { value: document.value, path: [], notes: { file, document, mistakes: [], warnings: [] } };
}

/** A value inside a map or list; its value is undefined where there is none. */
export function inside(place: Place, step: string | number): Place {
  const { value, notes } = place;
  const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
  const inner = isThere ? (value as Readonly<Record<string | number, unknown>>)[step] : undefined;
  return { value: inner, path: [...place.path, step], notes };
}

/**
 * Notes a mistake.
 *
 * @param spot whether to point at the key or at its value; what is missing is pointed at by what is around it.
 */
export function mistake(place: Place, message: string, spot: 'key' | 'value' = 'value'): void {
  place.notes.mistakes.push(note(place, message, spot));
}

/** Notes a warning: the configuration can be used, and somebody should know. */
export function warn(place: Place, message: string, spot: 'key' | 'value' = 'value'): void {
  place.notes.warnings.push(note(place, message, spot));
}

/** The map's entries with their places; null, after noting the mistake, when it is no map. */
export function entriesOf(place: Place, expectation: string): readonly (readonly [string, Place])[] | null {
  const { value } = place;
  if (!isMap(value)) {
    mistake(place, `expected ${expectation}, got ${describeValue(value)}`);
    return null;
  }
  return Object.keys(value).map((key) => [key, inside(place, key)] as const);
}

/** True for a map of YAML. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function note({ path, notes }: Place, message: string, spot: 'key' | 'value'): Mistake {
  return { file: notes.file, ...notes.document.position(path, spot), path: formatYamlPath(path), message };
}
