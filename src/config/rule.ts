/** Reads one rule of a rule file: the keys of all rules, the keys of its kind, and what they refer to. */

import { z } from 'zod';
import type { Severity } from '../core/model/finding.ts';
import { builtInKinds, type Rule } from '../core/model/rule.ts';
import { durationMs, expected, oneOrMore } from '../support/schemas.ts';
import { readExceptions } from './exceptions.ts';
import { completeMessage, readFields, type Shape } from './fields.ts';
import { laterHint, laterRules } from './later.ts';
import { checkReferences, unique } from './names.ts';
import { inside, isMap, mistake, type Place, warn } from './place.ts';
import { name } from './schemas.ts';
import { describeUnknownName, describeValue, quote } from './words.ts';

/** What the loader must know of a kind of rule. `RuleKind` of the judges is one. */
export interface RuleKindSchema {
  /** The word after `rule:`. */
  readonly kind: string;
  readonly defaultSeverity: Severity;
  /** The keys of this kind beside the common ones. */
  readonly shape: Shape;
  /** Valid values of the shape → parameters, or what is wrong with them together; `key` null is about the rule. */
  readonly parameters: (
    parsed: Readonly<Record<string, unknown>>,
  ) => object | readonly { readonly key: string | null; readonly message: string }[];
}

/** What a rule is read with. */
export interface RuleSurroundings {
  readonly kinds: readonly RuleKindSchema[];
  /** What the file protects. */
  readonly sources: readonly string[];
  /** What rules of this file are called unless they say `id`, without the kind. */
  readonly idPrefix: string;
  /** Targets of the file. */
  readonly targets: readonly string[];
  readonly ladders: readonly string[];
  readonly timezone: string;
  readonly nowMs: number;
}

const severity = z.enum(['critical', 'warning', 'info'], expected('critical, warning or info'));
const idExpectation = 'an id of up to 200 letters, digits, . _ - + * /, other than reachable and self';

/** The keys that any rule may carry. */
export const commonShape = {
  rule: z.string(expected('a kind of rule')),
  id: z
    .string(expected(idExpectation))
    .regex(/^[\w.+*/-]{1,200}$/, expected(idExpectation))
    .refine((id) => !builtInKinds.has(id), expected(idExpectation))
    .optional(),
  severity: severity.optional(),
  for: durationMs.optional(),
  collections: oneOrMore.optional(),
  targets: oneOrMore.optional(),
  escalate: name.optional(),
  except: z.unknown(),
} satisfies Shape;

/** A rule read: null after a mistake. The id is told all the same, so that a second one of it is noticed. */
export interface RuleReading {
  readonly rule: Rule | null;
  readonly id: string | null;
  /** Where the id stands; where it is a default, the rule. */
  readonly idPlace: Place;
  readonly hasOwnId: boolean;
}

/** Reads a rule. */
export function readRule(place: Place, surroundings: RuleSurroundings): RuleReading {
  const { kinds, sources, targets, ladders, idPrefix, timezone, nowMs } = surroundings;
  const kind = pickKind(place, kinds);
  if (kind === null) return { rule: null, id: null, idPlace: place, hasOwnId: false };
  const before = place.notes.mistakes.length;
  const { values } = readFields(place, { ...commonShape, ...kind.shape });
  const common = commonOf(values);
  checkReferences(inside(place, 'targets'), targets, "the file's targets");
  checkReferences(inside(place, 'escalate'), ladders, 'ladders of the escalation');
  const except = readExceptions(inside(place, 'except'), { nowMs, timezone });
  const parameters = place.notes.mistakes.length === before ? readParameters(place, kind, values) : null;
  const effective = common.severity ?? kind.defaultSeverity;
  if (effective === 'info') warn(inside(place, 'severity'), 'a rule of severity info rings nobody in this version');
  const hasOwnId = common.id !== undefined;
  const id = common.id ?? `${idPrefix}/${kind.kind}`;
  const idPlace = hasOwnId ? inside(place, 'id') : inside(place, 'rule');
  if (parameters === null) return { rule: null, id, idPlace, hasOwnId };
  const rule: Rule = {
    id,
    kind: kind.kind,
    file: place.notes.file,
    sources,
    targets: unique(common.targets ?? targets),
    collections: common.collections ?? null,
    severity: effective,
    timezone,
    forMs: common.for ?? 0,
    except,
    escalate: common.escalate ?? null,
    parameters,
  };
  return { rule, id, idPlace, hasOwnId };
}

type CommonValues = { readonly [Key in keyof typeof commonShape]?: z.output<(typeof commonShape)[Key]> | undefined };

/** The common keys keep their types beside those of a kind that is only known at run time. */
function commonOf(values: Readonly<Record<string, unknown>>): CommonValues {
  return values as CommonValues;
}

function pickKind(place: Place, kinds: readonly RuleKindSchema[]): RuleKindSchema | null {
  const words = kinds.map(({ kind }) => kind);
  if (!isMap(place.value)) {
    mistake(place, `expected a map with rule: one of ${words.join(', ')}, got ${describeValue(place.value)}`);
    return null;
  }
  const at = inside(place, 'rule');
  const word = at.value;
  const kind = kinds.find((each) => each.kind === word);
  if (kind !== undefined) return kind;
  if (typeof word !== 'string') mistake(at, `expected one of ${words.join(', ')}, got ${describeValue(word)}`);
  else if (builtInKinds.has(word)) {
    mistake(at, `expected one of ${words.join(', ')}, got ${quote(word)}, which is always there and nobody writes`);
  } else if (laterRules.has(word)) {
    mistake(at, `expected one of ${words.join(', ')}, got ${quote(word)}${laterHint}`);
  } else mistake(at, describeUnknownName(word, words));
  return null;
}

function readParameters(place: Place, kind: RuleKindSchema, values: Readonly<Record<string, unknown>>): object | null {
  const parsed = Object.fromEntries(Object.keys(kind.shape).map((key) => [key, values[key]]));
  const parameters = kind.parameters(parsed);
  if (!Array.isArray(parameters)) return parameters;
  for (const { key, message } of parameters as readonly { key: string | null; message: string }[]) {
    const at = key === null ? place : inside(place, key);
    const got = key === null ? 'a rule without' : describeValue(at.value);
    mistake(at, completeMessage(message, got), 'key');
  }
  return null;
}
