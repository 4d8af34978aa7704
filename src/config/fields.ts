/** Reads a YAML map by the schemas of its keys. A bad key hides no other: each is checked by itself. */

import { z } from 'zod';
import { Secret } from '../support/secrets.ts';
import { laterHint, laterKeys } from './later.ts';
import { inside, isMap, mistake, type Place, warn } from './place.ts';
import { describeUnknownName, describeValue, quote } from './words.ts';

/** The keys of a map and what each may be. */
export type Shape = Readonly<Record<string, z.ZodType>>;

/** The values of a map: all of them valid, or those that are. */
export type Fields<Keys extends Shape> =
  | { readonly isWhole: true; readonly values: { readonly [Key in keyof Keys]: z.output<Keys[Key]> } }
  | { readonly isWhole: false; readonly values: { readonly [Key in keyof Keys]?: z.output<Keys[Key]> | undefined } };

/**
 * Reads a map and notes every mistake in it: no map, unknown keys, missing and bad values. Secrets written out are
 * noted as warnings.
 */
export function readFields<Keys extends Shape>(place: Place, shape: Keys): Fields<Keys> {
  const known = Object.keys(shape);
  const values: Record<string, unknown> = {};
  if (!isMap(place.value)) {
    mistake(place, `expected a map with ${known.join(', ')}, got ${describeValue(place.value)}`);
    return { isWhole: false, values: values as Fields<Keys>['values'] } as Fields<Keys>;
  }
  const before = place.notes.mistakes.length;
  for (const key of Object.keys(place.value)) {
    if (!Object.hasOwn(shape, key)) mistake(inside(place, key), describeUnknownKey(key, known), 'key');
  }
  for (const [key, schema] of Object.entries(shape)) {
    const field = inside(place, key);
    const parsed = schema.safeParse(field.value);
    if (parsed.success) {
      if (parsed.data !== undefined) values[key] = parsed.data;
      warnOfWrittenSecrets(field, parsed.data);
    } else {
      for (const issue of parsed.error.issues) noteIssue(field, issue, schema);
    }
  }
  const isWhole = place.notes.mistakes.length === before;
  return { isWhole, values: values as Fields<Keys>['values'] } as Fields<Keys>;
}

function describeUnknownKey(key: string, known: readonly string[]): string {
  if (laterKeys.has(key)) return `expected one of ${known.join(', ')}, got ${quote(key)}${laterHint}`;
  return describeUnknownName(key, known);
}

function noteIssue(field: Place, issue: z.core.$ZodIssue, schema: z.ZodType): void {
  let at = field;
  for (const step of issue.path) at = inside(at, typeof step === 'symbol' ? String(step) : step);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    for (const key of issue.keys) {
      const message = known === null ? `expected no such key, got ${quote(key)}` : describeUnknownKey(key, known);
      mistake(inside(at, key), message, 'key');
    }
    return;
  }
  const got = issue.code === 'custom' ? (issue.params?.['got'] as unknown) : undefined;
  mistake(at, completeMessage(issue.message, typeof got === 'string' ? got : describeValue(at.value)));
}

/** Appends what was found to `expected …`; a message that already says so stays. Also used for rules' own messages. */
export function completeMessage(message: string, got: string): string {
  // Without a message of the schema's own, zod says "Too small: expected number to be >=1" and the like.
  const expectation = /expected [\s\S]*?(?=, received |$)/.exec(message)?.[0] ?? `expected another value: ${message}`;
  return /\bgot /.test(expectation) ? expectation : `${expectation}, got ${got}`;
}

/** The keys of a map inside a schema; null where a union or a transformation hides them. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] | null {
  let current = unwrap(schema);
  for (const step of path) {
    if (current instanceof z.ZodArray) current = unwrap(current.element);
    else if (current instanceof z.ZodObject) current = unwrap((current.shape as z.core.$ZodShape)[String(step)]);
    else return null;
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : null;
}

function unwrap(schema: unknown): unknown {
  let current = schema;
  while (current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodPipe) {
    current = current instanceof z.ZodPipe ? current.in : current.unwrap();
  }
  return current;
}

function warnOfWrittenSecrets(place: Place, value: unknown): void {
  if (!isMap(value)) return;
  if (value['kind'] === 'text' && value['secret'] instanceof Secret) {
    warn(place, 'the secret itself stands here; put it into a file of its own: {credential: NAME} or {file: PATH}');
    return;
  }
  for (const key of Object.keys(value)) warnOfWrittenSecrets(inside(place, key), value[key]);
}
