/** Loads the main configuration file and its rule files, with the schemas it is handed. Read this first. */

import { dirname, resolve } from 'node:path';
import type { Rule } from '../core/model/rule.ts';
import { findRuleFiles, type FoundFile } from './find-rule-files.ts';
import { type MainFile, readMainFile } from './main-file.ts';
import { type Mistake, sortMistakes } from './mistake.ts';
import { inside, mistake, type Notes, rootOf, warn } from './place.ts';
import { readConfigFile } from './read-file.ts';
import type { ReceiverKindSchema } from './receivers.ts';
import type { RuleKindSchema, RuleReading } from './rule.ts';
import { readRuleFile } from './rule-file.ts';
import type { Settings } from './settings.ts';

/** What to load, and with what. */
export interface LoadOptions {
  /** The main file as the operator gave it; messages name it so. */
  readonly file: string;
  readonly ruleKinds: readonly RuleKindSchema[];
  readonly receiverKinds: readonly ReceiverKindSchema[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Epoch ms; tells which exceptions have ended. */
  readonly nowMs: number;
}

/** A configuration that can be used, or everything that is wrong with it. Both lists are sorted by file and line. */
export type LoadedConfig =
  | {
      readonly kind: 'loaded';
      readonly settings: Settings;
      readonly rules: readonly Rule[];
      /** Absolute paths of the files that were read, and of the directories that rule files were looked for in. */
      readonly files: readonly string[];
      readonly warnings: readonly Mistake[];
    }
  | {
      readonly kind: 'mistakes';
      readonly mistakes: readonly Mistake[];
      /** As far as they could be found. */
      readonly files: readonly string[];
      readonly warnings: readonly Mistake[];
    };

/** Loads a configuration. Never throws for what stands in files, or that they are not there. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { file, receiverKinds, env } = options;
  const { document, mistakes } = await readConfigFile(file, file);
  if (document === null) {
    return { kind: 'mistakes', mistakes: sortMistakes(mistakes), files: [resolve(file)], warnings: [] };
  }
  const root = rootOf(file, document);
  const main = readMainFile(root, { baseDirectory: resolve(dirname(file)), receiverKinds, env });
  const found = main === null ? [] : await findRuleFiles(inside(root, 'rules'), main.rulePatterns);
  const loaded = main === null ? noRules : await loadRules(found, main, options);
  if (main !== null && loaded.mistakes.length === 0) warnOfUnprotected(main, loaded, root.notes);
  const all = sortMistakes([...mistakes, ...root.notes.mistakes, ...loaded.mistakes]);
  const warnings = sortMistakes([...root.notes.warnings, ...loaded.warnings]);
  const paths = [file, ...found.map(({ path }) => path)].map((path) => resolve(path));
  const files = [...new Set([...paths, ...paths.slice(1).map((path) => dirname(path))])];
  if (main === null || all.length > 0) return { kind: 'mistakes', mistakes: all, files, warnings };
  return { kind: 'loaded', settings: main.settings, rules: loaded.rules, files, warnings };
}

interface LoadedRules {
  readonly rules: readonly Rule[];
  /** Names of sources that some rule protects. */
  readonly sources: ReadonlySet<string>;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Mistake[];
}

const noRules: LoadedRules = { rules: [], sources: new Set(), mistakes: [], warnings: [] };

async function loadRules(files: readonly FoundFile[], main: MainFile, options: LoadOptions): Promise<LoadedRules> {
  const { names, settings } = main;
  const notes: Notes[] = [];
  const readings: RuleReading[] = [];
  const sources = new Set<string>();
  const mistakes: Mistake[] = [];
  for (const { path, file } of files) {
    const { document, mistakes: ofFile } = await readConfigFile(path, file);
    mistakes.push(...ofFile);
    if (document === null) continue;
    const root = rootOf(file, document);
    const { nowMs, ruleKinds: kinds } = options;
    const ruleFile = readRuleFile(root, { kinds, names, timezone: settings.timezone, nowMs });
    notes.push(root.notes);
    readings.push(...ruleFile.rules);
    for (const source of ruleFile.sources) sources.add(source);
  }
  noteRepeatedIds(readings);
  return {
    rules: readings.flatMap(({ rule }) => (rule === null ? [] : [rule])),
    sources,
    mistakes: [...mistakes, ...notes.flatMap((each) => each.mistakes)],
    warnings: notes.flatMap((each) => each.warnings),
  };
}

/** Ids are unique across files. A default repeated inside one file was noted with that file. */
function noteRepeatedIds(readings: readonly RuleReading[]): void {
  const first = new Map<string, RuleReading>();
  for (const reading of readings) {
    const { id, idPlace, hasOwnId } = reading;
    if (id === null) continue;
    const other = first.get(id);
    first.set(id, other ?? reading);
    if (other === undefined) continue;
    const { notes, path } = other.idPlace;
    const isTold = !hasOwnId && !other.hasOwnId && notes.file === idPlace.notes.file;
    const { line } = notes.document.position(path, 'value');
    if (!isTold) mistake(idPlace, `expected an id of its own, got "${id}", which ${notes.file}:${line} has`);
  }
}

function warnOfUnprotected({ names }: MainFile, { sources }: LoadedRules, notes: Notes): void {
  const section = inside({ value: notes.document.value, path: [], notes }, 'qdrant');
  for (const name of names.sources) {
    if (!sources.has(name)) warn(inside(section, name), 'no rule protects this source', 'key');
  }
}
