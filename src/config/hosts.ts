/** Reads `hosts`: machines reached over SSH. */

import { resolve } from 'node:path';
import { z } from 'zod';
import { expected, path } from '../support/schemas.ts';
import { secret } from '../support/secrets.ts';
import { readFields } from './fields.ts';
import type { Section } from './names.ts';
import { inside, isMap, mistake, type Place, warn } from './place.ts';
import { sshAddress } from './schemas.ts';
import type { HostSettings } from './settings.ts';

const shape = {
  ssh: sshAddress,
  key: secret.optional(),
  passphrase: secret.optional(),
  agent: z.boolean(expected('true or false')).optional(),
  known_hosts: path,
};

/** Where relative paths begin, and what the environment offers. */
export interface Surroundings {
  readonly baseDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @returns the hosts without mistakes. */
export function readHosts(section: Section, surroundings: Surroundings): ReadonlyMap<string, HostSettings> {
  const hosts = new Map<string, HostSettings>();
  for (const [name, place] of section) {
    const host = readHost(place, surroundings);
    if (host !== null) hosts.set(name, host);
  }
  return hosts;
}

function readHost(place: Place, { baseDirectory, env }: Surroundings): HostSettings | null {
  const { isWhole, values } = readFields(place, shape);
  const hasKey = inside(place, 'key').value !== undefined;
  const usesAgent = inside(place, 'agent').value === true;
  if (usesAgent && hasKey) {
    mistake(inside(place, 'agent'), 'expected either key or agent: true, got both', 'key');
  } else if (!usesAgent && !hasKey && isMap(place.value)) {
    mistake(place, 'expected key or agent: true, got neither', 'key');
  } else if (!hasKey && inside(place, 'passphrase').value !== undefined) {
    mistake(inside(place, 'passphrase'), 'expected passphrase only with key, got it without', 'key');
  }
  if (usesAgent && (env['SSH_AUTH_SOCK'] ?? '') === '') {
    warn(inside(place, 'agent'), 'SSH_AUTH_SOCK is not set here: an agent must run where deadair runs');
  }
  if (!isWhole) return null;
  const { ssh, key, passphrase, known_hosts: knownHosts } = values;
  return {
    ...ssh,
    key: key ?? null,
    passphrase: passphrase ?? null,
    knownHosts: resolve(baseDirectory, knownHosts),
  };
}
