/**
 * The lab's world: a Qdrant with five collections, a NAS behind SSH, a directory of this host, a phone behind ntfy, and the
 * two files an operator would write. All on loopback and below one directory; started again on it, it goes on.
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flipBit, runLabBackup } from './backup.ts';
import { type LabNtfy, labNtfyUsers, startLabNtfy } from './ntfy.ts';
import { type LabQdrant, startLabQdrant } from './qdrant.ts';
import { type LabSshHost, startLabSshHost } from './ssh-host.ts';

/** The lab's collections and their points. `claude_canon` is the one that the backup of the incident forgot. */
export const labCollections: Readonly<Record<string, number>> = {
  arxiv: 1_204_551,
  code: 88_120,
  lectures: 14_005,
  notes: 9_310,
  claude_canon: 340_112,
};

/** How the world is made. */
export interface LabWorldOptions {
  /** An existing, empty directory, or one a lab has used before. */
  readonly directory: string;
  /** How often the watchdog looks, as its configuration says it. */
  readonly checkEvery: string;
  /** Collections to begin with; default all of {@link labCollections}. */
  readonly collections?: readonly string[];
}

/** What the phone has shown. */
export interface PhoneMessage {
  readonly title: string;
  readonly body: string;
  readonly priority: number;
}

/** A running world. */
export interface LabWorld extends AsyncDisposable {
  readonly directory: string;
  /** The main configuration file of a watchdog that guards this world. */
  readonly configFile: string;
  readonly qdrant: LabQdrant;
  readonly nas: LabSshHost;
  readonly ntfy: LabNtfy;
  /** Directories of the targets by name. */
  readonly targets: Readonly<Record<'phx-ai02' | 'nas', string>>;
  /** Runs the backup for some collections, as if at that time. */
  backup(collections: readonly string[], atMs: number): void;
  /** Flips a bit in the newest snapshot of a collection on the NAS; the second time it is as it was. */
  flipNewestOnNas(collection: string): void;
  /** All messages the phone has shown, oldest first. */
  phone(): readonly PhoneMessage[];
  close(): Promise<void>;
}

/** Starts it, and makes the collections unless they are there. */
export async function startLabWorld(options: LabWorldOptions): Promise<LabWorld> {
  const { directory, checkEvery, collections = Object.keys(labCollections) } = options;
  const inside = (...names: string[]): string => join(directory, ...names);
  const targets = { 'phx-ai02': inside('phx-ai02', 'qdrant'), nas: inside('nas', 'qdrant') };
  for (const path of [
    ...Object.values(targets),
    inside('source'),
    inside('sshd'),
    inside('ntfy'),
    inside('etc', 'rules'),
  ]) {
    mkdirSync(path, { recursive: true });
  }
  let backupAtMs: number | null = null;
  const clock = (): number => backupAtMs ?? Date.now();
  const qdrant = await startLabQdrant({
    directory: inside('source'),
    readOnlyApiKey: readOnlyKey,
    apiKey: 'lab-full-key',
    clock,
  });
  const nas = await startLabSshHost({ directory: inside('sshd') });
  const ntfy = await startLabNtfy({ directory: inside('ntfy') });
  const existing = new Set(readdirSync(inside('source')).length === 0 ? [] : await listed(qdrant.url));
  for (const name of collections) {
    if (!existing.has(name)) qdrant.createCollection(name, labCollections[name] ?? 1);
  }
  writeConfiguration(inside('etc'), { qdrant, nas, ntfy, targets, checkEvery, state: inside('state') });

  const close = async (): Promise<void> => {
    await Promise.all([qdrant.close(), nas.close(), ntfy.close()]);
  };
  return {
    directory,
    configFile: inside('etc', 'deadair.yaml'),
    qdrant,
    nas,
    ntfy,
    targets,
    backup: (list, atMs) => {
      backupAtMs = atMs;
      runLabBackup({ qdrant, targets: Object.values(targets), collections: list, atMs });
      backupAtMs = null;
    },
    flipNewestOnNas: (collection) => flipBit(newestSnapshot(targets.nas, collection)),
    phone: () =>
      ntfy
        .messages('backups')
        .filter(({ event }) => event === 'message')
        .map(({ title, message, priority }) => ({ title: title ?? '', body: message ?? '', priority: priority ?? 3 })),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Removes a lab's directory with all that is in it. */
export function removeLabDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** Reading suffices for a watchdog; it guards nothing here. */
const readOnlyKey = 'lab-read-only-key';

async function listed(url: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/collections`, {
    headers: { 'api-key': readOnlyKey },
    signal: AbortSignal.timeout(5_000),
  });
  const answer = (await response.json()) as { result: { collections: { name: string }[] } };
  return answer.result.collections.map(({ name }) => name);
}

function newestSnapshot(target: string, collection: string): string {
  const run = readdirSync(target).toSorted().at(-1) ?? '';
  const directory = join(target, run, collection);
  return join(directory, readdirSync(directory).toSorted().at(-1) ?? '');
}

interface Parts {
  readonly qdrant: LabQdrant;
  readonly nas: LabSshHost;
  readonly ntfy: LabNtfy;
  readonly targets: LabWorld['targets'];
  readonly checkEvery: string;
  readonly state: string;
}

/** The files an operator would write, secrets beside them and readable by their owner only. */
function writeConfiguration(directory: string, { qdrant, nas, ntfy, targets, checkEvery, state }: Parts): void {
  const secret = (name: string, text: string): void => writeFileSync(join(directory, name), text, { mode: 0o600 });
  secret('qdrant-api-key', readOnlyKey);
  secret('nas-key', nas.clientKey);
  secret('ntfy-token', labNtfyUsers.writer.token);
  writeFileSync(join(directory, 'known_hosts'), `${nas.knownHostsLine}\n`);
  writeFileSync(
    join(directory, 'deadair.yaml'),
    `name: phx-ai02
timezone: America/Phoenix
check_every: ${checkEvery}
state: ${JSON.stringify(state)}
rules: rules/*.yaml

hosts:
  nas: { ssh: ${nas.user}@${nas.host}:${nas.port}, key: { file: nas-key }, known_hosts: known_hosts }

qdrant:
  phx-ai01: { url: ${qdrant.url}, api_key: { file: qdrant-api-key } }

targets:
  phx-ai02: { path: ${JSON.stringify(targets['phx-ai02'])} }
  nas: { host: nas, path: ${JSON.stringify(targets.nas)} }

receivers:
  phone: { ntfy: ${ntfy.url}, topic: backups, token: { file: ntfy-token } }
`,
  );
  writeFileSync(
    join(directory, 'rules', 'qdrant.yaml'),
    `protect: phx-ai01
targets: [phx-ai02, nas]
rules:
  - rule: freshness
    max_age: 26h
    severity: critical
  - rule: coverage
    copies: 2
    severity: critical
  - rule: integrity
    severity: critical
`,
  );
}
