/** Reads one rule file: what it protects, on which targets, by which rules. */

import { z } from 'zod';
import { expected, oneOrMore } from '../support/schemas.ts';
import { readFields } from './fields.ts';
import type { KnownNames } from './main-file.ts';
import { checkReferences, unique } from './names.ts';
import { inside, mistake, type Place } from './place.ts';
import { readRule, type RuleKindSchema, type RuleReading } from './rule.ts';

/** What a rule file is read with. */
export interface RuleFileSurroundings {
  readonly kinds: readonly RuleKindSchema[];
  readonly names: KnownNames;
  readonly timezone: string;
  readonly nowMs: number;
}

/** A rule file, read. */
export interface RuleFile {
  /** Names of the sources it protects. */
  readonly sources: readonly string[];
  readonly rules: readonly RuleReading[];
}

const shape = {
  protect: oneOrMore,
  targets: oneOrMore.optional(),
  rules: z.array(z.unknown(), expected('a list of rules')).min(1, expected('at least one rule')),
};

/** Reads a rule file, noting its mistakes. */
export function readRuleFile(root: Place, surroundings: RuleFileSurroundings): RuleFile {
  const { kinds, names, timezone, nowMs } = surroundings;
  if (root.value === null) {
    mistake(root, `expected a map with ${Object.keys(shape).join(', ')}, got an empty file`);
    return { sources: [], rules: [] };
  }
  const { values } = readFields(root, shape);
  const protects = unique(values.protect ?? []);
  const isAll = protects.includes('*');
  if (!isAll) checkReferences(inside(root, 'protect'), names.sources, 'names under qdrant');
  checkReferences(inside(root, 'targets'), names.targets, 'targets');
  const sources = isAll ? names.sources : protects.filter((name) => names.sources.includes(name));
  const context = {
    kinds,
    sources,
    idPrefix: isAll ? '*' : protects.join('+'),
    targets: unique(values.targets ?? names.targets),
    ladders: names.ladders,
    timezone,
    nowMs,
  };
  const list = inside(root, 'rules');
  const rules = (values.rules ?? []).map((_, index) => readRule(inside(list, index), context));
  noteSameDefaults(rules);
  return { sources, rules };
}

/** Two rules of one kind in one file would share their default id. */
function noteSameDefaults(rules: readonly RuleReading[]): void {
  const seen = new Set<string>();
  for (const { id, idPlace, hasOwnId } of rules) {
    if (id === null || hasOwnId) continue;
    if (seen.has(id)) {
      mistake(
        idPlace,
        `expected id: NAME, since another rule of this file has the default id, got none for a second ${id}`,
      );
    }
    seen.add(id);
  }
}
