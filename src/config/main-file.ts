/** Reads the main configuration file: its sections one by one, so that a mistake in one hides none in another. */

import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { subjectPrefixes } from '../core/model/finding.ts';
import { durationMs, oneOrMore, path } from '../support/schemas.ts';
import { readEscalation } from './escalation.ts';
import { readFields } from './fields.ts';
import { readHosts } from './hosts.ts';
import { readSection } from './names.ts';
import { inside, isMap, mistake, type Place } from './place.ts';
import { type ReceiverKindSchema, readReceivers } from './receivers.ts';
import { checkEveryMs, name, timezone } from './schemas.ts';
import type { Settings } from './settings.ts';
import { readSources } from './sources.ts';
import { readTargets } from './targets.ts';
import { quote } from './words.ts';

/** What the main file is read with. */
export interface MainSurroundings {
  /** The directory of the file, absolute. */
  readonly baseDirectory: string;
  readonly receiverKinds: readonly ReceiverKindSchema[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The main file, read. While there are mistakes, the settings lack what is wrong. */
export interface MainFile {
  readonly settings: Settings;
  readonly names: KnownNames;
  /** Paths or globs, as the file has them. */
  readonly rulePatterns: readonly string[];
}

/** Names that rule files may refer to, those of entries with mistakes included. */
export interface KnownNames {
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  readonly ladders: readonly string[];
}

const shape = {
  name: name.optional(),
  timezone: timezone.optional(),
  check_every: checkEveryMs.optional(),
  unknown_after: durationMs.optional(),
  state: path.optional(),
  rules: oneOrMore.optional(),
  hosts: z.unknown(),
  qdrant: z.unknown(),
  targets: z.unknown(),
  receivers: z.unknown(),
  escalation: z.unknown(),
};

/** @returns null when the file is no map, after noting it. */
export function readMainFile(root: Place, surroundings: MainSurroundings): MainFile | null {
  const { baseDirectory, receiverKinds, env } = surroundings;
  if (!isMap(root.value)) {
    mistake(root, `expected a map with ${Object.keys(shape).join(', ')}, got ${emptyOr(root.value)}`);
    return null;
  }
  const { values } = readFields(root, shape);
  const hosts = readSection(inside(root, 'hosts'), 'host', { isRequired: false });
  const sources = readSection(inside(root, 'qdrant'), 'source', { isRequired: true });
  for (const [taken, place] of sources) {
    if (!subjectPrefixes.has(taken)) continue;
    mistake(place, `expected a name other than ${[...subjectPrefixes].join(', ')}, got ${quote(taken)}`, 'key');
  }
  const targets = readSection(inside(root, 'targets'), 'target', { isRequired: true });
  const receivers = readSection(inside(root, 'receivers'), 'receiver', { isRequired: true });
  const ladders = readSection(inside(root, 'escalation'), 'ladder', { isRequired: false });
  const every = values.check_every ?? 300_000;
  const settings: Settings = {
    name: values.name ?? hostname(),
    timezone: values.timezone ?? 'UTC',
    checkEveryMs: every,
    unknownAfterMs: values.unknown_after ?? 3 * every,
    stateDirectory: stateDirectory(values.state, surroundings),
    hosts: readHosts(hosts, { baseDirectory, env }),
    sources: readSources(sources, baseDirectory),
    targets: readTargets(targets, { baseDirectory, hostNames: [...hosts.keys()] }),
    receivers: readReceivers(receivers, receiverKinds, baseDirectory),
    escalation: readEscalation(ladders, receivers),
  };
  const names = {
    sources: [...sources.keys()],
    targets: [...targets.keys()],
    ladders: [...new Set([...settings.escalation.keys(), ...ladders.keys()])],
  };
  return { settings, names, rulePatterns: values.rules ?? ['rules/*.yaml'] };
}

/** systemd gives `STATE_DIRECTORY`, a list with colons when a unit has several. */
function stateDirectory(written: string | undefined, { baseDirectory, env }: MainSurroundings): string {
  const [given] = (env['STATE_DIRECTORY'] ?? '').split(':');
  return resolve(baseDirectory, written ?? (given === undefined || given === '' ? '.deadair' : given));
}

function emptyOr(value: unknown): string {
  if (value === null) return 'an empty file';
  return Array.isArray(value) ? 'a list' : 'a single value';
}
