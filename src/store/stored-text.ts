/** Whole objects as JSON text, bounded: what the store keeps of standings, groups and messages. */

import { limits } from '../support/limits.ts';

/**
 * Writes an object as JSON. Texts inside above `limits.storedTextLength` are cut: a pass must not fail to commit, nor
 * the database swell, because one sentence grew out of hand.
 */
export function toStored(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? cut(part) : part));
}

/**
 * Reads the object that {@link toStored} wrote into the column `content` of a row. The caller names its type; a change
 * to that type needs a migration of what is stored.
 */
export function fromStored(row: Readonly<Record<string, unknown>>): unknown {
  return JSON.parse(String(row['content']));
}

/** Bounds one text, by default to `limits.storedTextLength`; an ellipsis says where it was cut. */
export function cut(text: string, length: number = limits.storedTextLength): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
