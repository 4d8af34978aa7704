/** The wiring: settings and rules → open clients and everything a pass asks for. Connects to nothing by itself. */

import { readFile } from 'node:fs/promises';
import type { Rule } from '../core/model/rule.ts';
import type { Policy } from '../core/routing/policy.ts';
import { openQdrant, type QdrantClient } from '../clients/qdrant.ts';
import type { SshAuth } from '../clients/ssh.ts';
import type { HostSettings, ReceiverSettings, Settings, SourceSettings, TargetSettings } from '../config/settings.ts';
import { openNtfyReceiver } from '../delivery/ntfy.ts';
import type { Message } from '../core/model/alert.ts';
import type { ReceiverWorld } from '../core/model/world.ts';
import { createManifestCache, type ManifestCache } from '../probes/target.ts';
import { openPlaceHere } from '../probes/place-here.ts';
import { openPlaceOverShell } from '../probes/place-shell.ts';
import type { Place } from '../probes/place.ts';
import { WatchdogError } from '../support/errors.ts';
import { resolveSecret, type SecretRef } from '../support/secrets.ts';
import type { HostSession, HostSetup } from './hosts.ts';
import { builtInRules } from './kinds.ts';

/** A receiver, open. */
export interface Receiver {
  send(message: Message, signal: AbortSignal): Promise<{ readonly acceptedId: string }>;
  look(signal: AbortSignal): Promise<ReceiverWorld['evidence']>;
  close(): Promise<void>;
}

/** A target, and how to get there. */
export interface TargetSetup {
  readonly name: string;
  readonly host: string | null;
  /** `this host`, or the SSH host and port: two targets on one machine are one copy. */
  readonly machine: string;
  /** What its evidence is keyed by when it could not even be opened. */
  readonly address: string;
  readonly layout: string | null;
  readonly cores: number;
  readonly idle: boolean;
  readonly manifestCache: ManifestCache;
  /** @throws WatchdogError when its host cannot be reached. */
  openPlace(session: HostSession): Promise<Place>;
}

/** All of a configuration, ready to use. */
export interface Setup {
  /** The operator's rules and the built-in ones. */
  readonly rules: readonly Rule[];
  readonly policy: Policy;
  readonly checkEveryMs: number;
  readonly unknownAfterMs: number;
  readonly sources: ReadonlyMap<string, QdrantClient>;
  readonly hosts: ReadonlyMap<string, HostSetup>;
  readonly targets: readonly TargetSetup[];
  readonly receivers: ReadonlyMap<string, Receiver>;
  close(): Promise<void>;
}

/** Where secrets and relative paths are looked for. */
export interface SetupOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory of the main configuration file. */
  readonly baseDirectory: string;
  /** Told of secrets that others may read. */
  readonly warn: (sentence: string) => void;
}

/**
 * Opens a setup.
 *
 * @throws WatchdogError `secret/missing` naming where a secret was looked for; `config/invalid` for a CA file that cannot be read.
 */
export async function openSetup(settings: Settings, rules: readonly Rule[], options: SetupOptions): Promise<Setup> {
  const hosts = await mapValues(settings.hosts, (host, name) => openHost(name, host, options));
  const sources = await mapValues(settings.sources, (source, name) => openSource(name, source, options));
  const receivers = await mapValues(settings.receivers, (receiver, name) => openReceiver(name, receiver, options));
  const targets = [...settings.targets].map(([name, target]) => openTarget(name, target, hosts));
  const ladders = new Map(
    [...settings.escalation].flatMap(([name, [rung]]) => (rung === undefined ? [] : [[name, rung]])),
  );
  return {
    rules: [...rules, ...builtInRules],
    policy: { name: settings.name, timezone: settings.timezone, ladders, receivers: new Set(receivers.keys()) },
    checkEveryMs: settings.checkEveryMs,
    unknownAfterMs: settings.unknownAfterMs,
    sources,
    hosts,
    targets,
    receivers,
    close: async () => {
      await Promise.all([...sources.values(), ...receivers.values()].map((each) => each.close()));
    },
  };
}

async function mapValues<In, Out>(
  map: ReadonlyMap<string, In>,
  open: (value: In, name: string) => Promise<Out>,
): Promise<ReadonlyMap<string, Out>> {
  const entries = [...map].map(async ([name, value]) => [name, await open(value, name)] as const);
  return new Map(await Promise.all(entries));
}

async function openHost(name: string, host: HostSettings, options: SetupOptions): Promise<HostSetup> {
  const { user, port } = host;
  return {
    name,
    address: `ssh://${user}@${host.host}:${port}`,
    user,
    host: host.host,
    port,
    auth: await openAuth(name, host, options),
    knownHosts: host.knownHosts,
  };
}

async function openAuth(name: string, host: HostSettings, options: SetupOptions): Promise<SshAuth> {
  if (host.key === null) return { kind: 'agent', socket: options.env['SSH_AUTH_SOCK'] ?? '' };
  const privateKey = await reveal(host.key, `hosts.${name}.key`, options);
  if (host.passphrase === null) return { kind: 'key', privateKey };
  return { kind: 'key', privateKey, passphrase: await reveal(host.passphrase, `hosts.${name}.passphrase`, options) };
}

async function openSource(name: string, source: SourceSettings, options: SetupOptions): Promise<QdrantClient> {
  return openQdrant({
    url: source.url,
    ...(source.apiKey === null ? {} : { apiKey: await reveal(source.apiKey, `qdrant.${name}.api_key`, options) }),
    ...(source.ca === null ? {} : { ca: await readCa(source.ca) }),
  });
}

function openTarget(name: string, target: TargetSettings, hosts: ReadonlyMap<string, HostSetup>): TargetSetup {
  const host = target.host === null ? undefined : hosts.get(target.host);
  const common = {
    name,
    host: target.host,
    layout: target.layout,
    cores: target.read.cores,
    idle: target.read.io === 'idle',
    manifestCache: createManifestCache(),
  };
  if (host === undefined) {
    const stuck = { end: null };
    const openPlace = async (): Promise<Place> => openPlaceHere(target.path, { stuck });
    return { ...common, machine: 'this host', address: openPlaceHere(target.path).address, openPlace };
  }
  return {
    ...common,
    machine: `${host.host}:${host.port}`,
    address: `${host.address}${target.path}`,
    openPlace: async (session) => openPlaceOverShell(await session.connection(host.name), target.path),
  };
}

async function openReceiver(name: string, receiver: ReceiverSettings, options: SetupOptions): Promise<Receiver> {
  const { parameters } = receiver;
  const {
    ntfy,
    topic,
    token,
    read_token: readToken,
    ca,
  } = parameters as {
    readonly ntfy: string;
    readonly topic: string;
    readonly token?: SecretRef;
    readonly read_token?: SecretRef;
    readonly ca?: string;
  };
  return openNtfyReceiver({
    name,
    url: ntfy,
    topic,
    token: token === undefined ? undefined : await reveal(token, `receivers.${name}.token`, options),
    readToken: readToken === undefined ? undefined : await reveal(readToken, `receivers.${name}.read_token`, options),
    ca: ca === undefined ? undefined : await readCa(ca),
  });
}

async function reveal(ref: SecretRef, label: string, options: SetupOptions): Promise<string> {
  const secret = await resolveSecret(ref, { ...options, label });
  if (secret.warning !== null) options.warn(secret.warning);
  return secret.reveal();
}

async function readCa(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new WatchdogError('config/invalid', `cannot read the certificate authority ${path}`, {
      hint: 'give the path of a PEM file that this user may read',
      permanent: true,
      cause: error,
    });
  });
}
