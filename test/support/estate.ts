/**
 * What a configured check looks at: the lab's Qdrant, a directory of this host, a NAS behind a real sshd, and the two
 * files of an operator. Its parts can be broken one by one.
 */

import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { runLabBackup } from '../../src/lab/backup.ts';
import { type LabNtfy, labNtfyUsers, startLabNtfy } from '../../src/lab/ntfy.ts';
import { type LabQdrant, startLabQdrant } from '../../src/lab/qdrant.ts';
import { hourMs, temporaryDirectory } from './copies.ts';
import type { Sshd } from './sshd.ts';

/** Collections and their points. */
export const estateCollections = { arxiv: 1_204, code: 88, notes: 930 } as const;

/** What of the configuration a test may want otherwise. */
export interface EstateSettings {
  readonly sshPort: number;
  /** Lines of known_hosts. */
  readonly knownHosts: string;
  readonly qdrantUrl: string;
  /** The rules, in YAML. */
  readonly rules: string;
}

/** One estate of the running test, gone after it. */
export interface Estate {
  readonly directory: string;
  readonly configFile: string;
  readonly rulesFile: string;
  readonly stateDirectory: string;
  readonly qdrant: LabQdrant;
  readonly ntfy: LabNtfy;
  readonly targets: { readonly here: string; readonly nas: string };
  /** Runs a backup of these collections, an hour ago unless told otherwise. */
  backup(options?: { readonly collections?: readonly string[]; readonly ageMs?: number }): void;
  /** Removes all copies. */
  wipe(): void;
  /** The path of the newest snapshot of a collection on a target. */
  newest(target: 'here' | 'nas', collection: string): string;
  /** Writes the configuration anew. */
  configure(settings?: Partial<EstateSettings>): void;
  /** When each file was last read, by its path, of all targets. */
  readings(): ReadonlyMap<string, number>;
}

const soundRules = `protect: phx-ai01
targets: [here, nas]
rules:
  - { rule: freshness, max_age: 26h }
  - { rule: coverage, copies: 2 }
  - { rule: integrity }
`;

/** Makes one, with a sound backup of an hour ago. */
export async function makeEstate(sshd: Sshd): Promise<Estate> {
  const directory = temporaryDirectory();
  const inside = (...names: string[]): string => join(directory, ...names);
  const targets = { here: inside('here'), nas: inside('nas') };
  for (const path of [...Object.values(targets), inside('source'), inside('etc')]) mkdirSync(path);
  let nowMs = Date.now();
  const qdrant = await startLabQdrant({
    directory: inside('source'),
    apiKey: 'full-key',
    readOnlyApiKey: 'read-key',
    clock: () => nowMs,
  });
  onTestFinished(() => qdrant.close());
  const ntfy = await startLabNtfy({ directory: inside('ntfy') });
  onTestFinished(() => ntfy.close());
  for (const [name, points] of Object.entries(estateCollections)) qdrant.createCollection(name, points);
  writeFileSync(inside('etc', 'api-key'), 'read-key', { mode: 0o600 });
  writeFileSync(inside('etc', 'ntfy-token'), labNtfyUsers.writer.token, { mode: 0o600 });
  copyFileSync(sshd.clientKeyPath, inside('etc', 'ssh-key'));
  chmodSync(inside('etc', 'ssh-key'), 0o600);

  const estate: Estate = {
    directory,
    configFile: inside('etc', 'deadair.yaml'),
    rulesFile: inside('etc', 'rules.yaml'),
    stateDirectory: inside('state'),
    qdrant,
    ntfy,
    targets,
    backup: ({ collections = Object.keys(estateCollections), ageMs = hourMs } = {}) => {
      nowMs = Date.now() - ageMs;
      runLabBackup({ qdrant, targets: Object.values(targets), collections, atMs: nowMs });
    },
    wipe: () => {
      for (const target of Object.values(targets)) {
        for (const name of readdirSync(target)) rmSync(join(target, name), { recursive: true });
      }
    },
    newest: (target, collection) => {
      const run = readdirSync(targets[target]).toSorted().at(-1) ?? '';
      const path = join(targets[target], run, collection);
      return join(path, readdirSync(path).toSorted().at(-1) ?? '');
    },
    configure: (settings = {}) => {
      writeFileSync(inside('etc', 'known_hosts'), `${settings.knownHosts ?? sshd.knownHostsLine}\n`);
      writeFileSync(estate.rulesFile, settings.rules ?? soundRules);
      writeFileSync(
        estate.configFile,
        `name: phx-ai02
timezone: America/Phoenix
state: ${JSON.stringify(estate.stateDirectory)}
rules: rules.yaml
hosts:
  nas: { ssh: "${sshd.user}@${sshd.host}:${settings.sshPort ?? sshd.port}", key: { file: ssh-key }, known_hosts: known_hosts }
qdrant:
  phx-ai01: { url: "${settings.qdrantUrl ?? qdrant.url}", api_key: { file: api-key } }
targets:
  here: { path: ${JSON.stringify(targets.here)} }
  nas: { host: nas, path: ${JSON.stringify(targets.nas)} }
receivers:
  phone: { ntfy: "${ntfy.url}", topic: backups, token: { file: ntfy-token } }
`,
      );
    },
    readings: () => readingsOf(estate.stateDirectory),
  };
  estate.backup();
  estate.configure();
  return estate;
}

/** When each file was last read, by place and path, as the ledger in a state directory has it. */
export function readingsOf(stateDirectory: string): ReadonlyMap<string, number> {
  using database = new DatabaseSync(join(stateDirectory, 'deadair.db'), { readOnly: true });
  const rows = database
    .prepare(
      `SELECT places.address AS place, CAST(path AS TEXT) AS path, max(read_at_ms) AS readAtMs
       FROM files JOIN places ON places.id = files.place_id WHERE read_at_ms IS NOT NULL GROUP BY place, path`,
    )
    .all();
  return new Map(rows.map(({ place, path, readAtMs }) => [`${String(place)} ${String(path)}`, Number(readAtMs)]));
}
