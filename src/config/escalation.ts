/** Reads `escalation`: ladders by name. Where it is silent, a severity rings every receiver. */

import { z } from 'zod';
import { expected, oneOrMore } from '../support/schemas.ts';
import { readFields } from './fields.ts';
import { checkReferences, type Section, unique } from './names.ts';
import { inside, mistake, type Place, warn } from './place.ts';
import { priority } from './schemas.ts';
import type { RungSettings } from './settings.ts';
import { describeValue } from './words.ts';

const shape = { notify: oneOrMore, priority: priority.optional() };
const list = z.array(z.unknown(), expected('a list of one rung such as {notify: phone}'));

/** Severities that ring; `info` does not. */
const ringing = ['critical', 'warning'] as const;

/**
 * Reads the ladders and completes them: `critical` and `warning` always have one.
 *
 * @param receivers the section the ladders refer to; one on no ladder is warned of.
 */
export function readEscalation(section: Section, receivers: Section): ReadonlyMap<string, readonly RungSettings[]> {
  const ladders = new Map<string, readonly RungSettings[]>();
  const all = [...receivers.keys()];
  for (const severity of ringing) {
    if (!section.has(severity)) ladders.set(severity, [{ notify: all, priority: null }]);
  }
  for (const [name, place] of section) {
    if (name === 'info') {
      mistake(place, 'expected critical, warning or another name, got "info", a severity that rings nobody', 'key');
    }
    const rung = readLadder(place, all);
    if (rung !== null) ladders.set(name, [rung]);
  }
  const told = new Set([...ladders.values()].flat().flatMap(({ notify }) => notify));
  for (const [name, place] of receivers) {
    const isComplete = place.notes.mistakes.length === 0;
    if (isComplete && !told.has(name)) warn(place, 'no ladder of the escalation tells this receiver anything', 'key');
  }
  return ladders;
}

function readLadder(place: Place, receivers: readonly string[]): RungSettings | null {
  const rungs = list.safeParse(place.value);
  const got = rungs.success ? rungs.data.length : 0;
  if (got !== 1) {
    const found = got > 1 ? `${got}; more are not in this version` : describeValue(place.value);
    mistake(got > 1 ? inside(place, 1) : place, `expected a list of one rung such as {notify: phone}, got ${found}`);
    if (got === 0) return null;
  }
  const first = inside(place, 0);
  const { isWhole, values } = readFields(first, shape);
  checkReferences(inside(first, 'notify'), receivers, 'receivers');
  return isWhole ? { notify: unique(values.notify), priority: values.priority ?? null } : null;
}
