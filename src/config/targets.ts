/** Reads `targets`: directories of copies, on this host or on a configured one. */

import { posix, resolve } from 'node:path';
import { path } from '../support/schemas.ts';
import { readFields } from './fields.ts';
import { checkReferences, type Section } from './names.ts';
import { inside, mistake, type Place } from './place.ts';
import { layout, name, read } from './schemas.ts';
import type { TargetSettings } from './settings.ts';
import { describeValue } from './words.ts';

const shape = { path, host: name.optional(), read: read.optional(), layout: layout.optional() };

/** What targets refer to. */
export interface TargetSurroundings {
  readonly baseDirectory: string;
  readonly hostNames: readonly string[];
}

/** @returns the targets without mistakes. */
export function readTargets(section: Section, surroundings: TargetSurroundings): ReadonlyMap<string, TargetSettings> {
  const targets = new Map<string, TargetSettings>();
  for (const [targetName, place] of section) {
    const target = readTarget(place, surroundings);
    if (target !== null) targets.set(targetName, target);
  }
  return targets;
}

function readTarget(place: Place, { baseDirectory, hostNames }: TargetSurroundings): TargetSettings | null {
  const { isWhole, values } = readFields(place, shape);
  const { host, path: directory } = values;
  if (host !== undefined) {
    const hostPlace = inside(place, 'host');
    if (hostNames.length === 0) mistake(hostPlace, `expected a name under hosts, got ${describeValue(host)}`);
    else checkReferences(hostPlace, hostNames, 'hosts');
  }
  if (host !== undefined && directory !== undefined && !directory.startsWith('/')) {
    const message = `expected an absolute path, since it is on another host, got ${describeValue(directory)}`;
    mistake(inside(place, 'path'), message);
  }
  if (!isWhole) return null;
  return {
    // One spelling for one directory, because evidence and the ledger are keyed by it.
    path: host === undefined ? resolve(baseDirectory, values.path) : withoutLastSlash(posix.normalize(values.path)),
    host: host ?? null,
    read: { cores: values.read?.cores ?? 1, io: values.read?.io ?? 'idle' },
    layout: values.layout ?? null,
  };
}

function withoutLastSlash(directory: string): string {
  return directory.length > 1 && directory.endsWith('/') ? directory.slice(0, -1) : directory;
}
