/** Reads `receivers`. The one key that names a kind, such as `ntfy`, picks the shape for the rest. */

import { resolve } from 'node:path';
import { readFields, type Shape } from './fields.ts';
import { laterHint, laterKeys } from './later.ts';
import type { Section } from './names.ts';
import { inside, isMap, mistake, type Place } from './place.ts';
import type { ReceiverSettings } from './settings.ts';
import { describeValue } from './words.ts';

/** What the loader must know of a kind of receiver. */
export interface ReceiverKindSchema {
  /** The YAML key that picks it. */
  readonly kind: string;
  /** All of its keys, the one of its kind included. A key `ca` is a path. */
  readonly shape: Shape;
}

/** @returns the receivers without mistakes. */
export function readReceivers(
  section: Section,
  kinds: readonly ReceiverKindSchema[],
  baseDirectory: string,
): ReadonlyMap<string, ReceiverSettings> {
  const receivers = new Map<string, ReceiverSettings>();
  for (const [name, place] of section) {
    const kind = pickKind(place, kinds);
    if (kind === null) continue;
    const { isWhole, values } = readFields(place, kind.shape);
    if (!isWhole) continue;
    const { ca } = values;
    const parameters = typeof ca === 'string' ? { ...values, ca: resolve(baseDirectory, ca) } : values;
    receivers.set(name, { kind: kind.kind, parameters });
  }
  return receivers;
}

function pickKind(place: Place, kinds: readonly ReceiverKindSchema[]): ReceiverKindSchema | null {
  const { value } = place;
  const words = kinds.map(({ kind }) => kind);
  const expectation = `${words.length === 1 ? '' : 'exactly one of '}${words.join(', ')}, which says what kind of receiver it is`;
  if (!isMap(value)) {
    mistake(place, `expected a map with ${expectation}, got ${describeValue(value)}`);
    return null;
  }
  const chosen = kinds.filter(({ kind }) => Object.hasOwn(value, kind));
  const [kind, second] = chosen;
  if (kind !== undefined && second === undefined) return kind;
  if (second !== undefined) {
    mistake(
      inside(place, second.kind),
      `expected ${expectation}, got ${chosen.map((each) => each.kind).join(' and ')}`,
      'key',
    );
    return null;
  }
  const later = Object.keys(value).find((key) => laterKeys.has(key));
  if (later !== undefined) mistake(inside(place, later), `expected ${expectation}, got "${later}"${laterHint}`, 'key');
  else mistake(place, `expected ${expectation}, got none`, 'key');
  return null;
}
