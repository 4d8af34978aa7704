/** Finds the rule files that `rules` of the main file names: paths and globs, relative to it. */

import { glob, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { limits } from '../support/limits.ts';
import { inside, mistake, type Place } from './place.ts';
import { quote } from './words.ts';

/** A rule file that was found. */
export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** As the operator names it: beside the main file as given. */
  readonly file: string;
}

/**
 * Finds rule files. A pattern that matches nothing is a mistake: its rules would be missing without a word.
 *
 * @param place the key `rules` of the main file; its value may be absent, then the patterns are the default.
 * @returns each file once, sorted by name; the main file is none of them.
 */
export async function findRuleFiles(place: Place, patterns: readonly string[]): Promise<readonly FoundFile[]> {
  const { file: mainFile } = place.notes;
  const directory = dirname(mainFile);
  const found = new Map<string, FoundFile>();
  for (const [index, pattern] of patterns.entries()) {
    const matches = await matchesOf(pattern, resolve(directory));
    const files = matches
      .map((match) => ({ path: resolve(directory, match), file: isAbsolute(match) ? match : join(directory, match) }))
      .filter(({ path }) => path !== resolve(mainFile));
    const at = Array.isArray(place.value) ? inside(place, index) : place;
    if (files.length === 0) mistake(at, `expected at least one rule file, got none for ${quote(pattern)}`);
    if (files.length > limits.ruleFiles) mistake(at, `expected at most ${limits.ruleFiles} rule files, got more`);
    for (const each of files.slice(0, limits.ruleFiles)) found.set(each.path, each);
  }
  return [...found.values()].toSorted((one, other) => (one.file < other.file ? -1 : 1));
}

/** A file of exactly that name goes before the glob, since `[` may stand in a name. */
async function matchesOf(pattern: string, directory: string): Promise<readonly string[]> {
  if (pattern.includes('\0')) return [];
  const isThere = await stat(resolve(directory, pattern)).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (isThere) return [pattern];
  const matches: string[] = [];
  for await (const match of glob(pattern, { cwd: directory })) {
    if (match !== '') matches.push(match);
    if (matches.length > limits.ruleFiles) break;
  }
  return matches;
}
