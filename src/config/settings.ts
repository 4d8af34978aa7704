/** The main file, understood: what the wiring opens. Paths are absolute, durations ms; secrets are still references. */

import type { SecretRef } from '../support/secrets.ts';

/** Everything of the main configuration file but its rules. Maps are keyed by the operator's names, in the file's order. */
export interface Settings {
  /** This watchdog's name, in every message. */
  readonly name: string;
  /** IANA zone of schedules and of the times in messages. */
  readonly timezone: string;
  readonly checkEveryMs: number;
  /** How long a finding may stay unknown before that is told. */
  readonly unknownAfterMs: number;
  /** Directory of the state database; it need not exist yet. */
  readonly stateDirectory: string;
  readonly hosts: ReadonlyMap<string, HostSettings>;
  readonly sources: ReadonlyMap<string, SourceSettings>;
  readonly targets: ReadonlyMap<string, TargetSettings>;
  readonly receivers: ReadonlyMap<string, ReceiverSettings>;
  /** Ladders by name. `critical` and `warning` always have one; in this version each has exactly one rung. */
  readonly escalation: ReadonlyMap<string, readonly RungSettings[]>;
}

/** A machine reached over SSH. */
export interface HostSettings {
  readonly user: string;
  /** Host name or address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The private key; null: the agent at `$SSH_AUTH_SOCK`. */
  readonly key: SecretRef | null;
  /** Of the private key; null when it has none. */
  readonly passphrase: SecretRef | null;
  /** Path of the known_hosts file with the host's key. */
  readonly knownHosts: string;
}

/** A live Qdrant. */
export interface SourceSettings {
  /** An origin, such as `http://phx-ai01:6333`. */
  readonly url: string;
  readonly apiKey: SecretRef | null;
  /** Path of a PEM file with the authority to trust; null: the system's. */
  readonly ca: string | null;
}

/** A directory of copies. */
export interface TargetSettings {
  readonly path: string;
  /** Name of a configured host; null: this host. */
  readonly host: string | null;
  readonly read: {
    /** Files read side by side, at least 1. */
    readonly cores: number;
    /** `idle`: the host's own work goes first. */
    readonly io: 'idle' | 'normal';
  };
  /** A path pattern with `{collection}`; null when names and manifests tell. */
  readonly layout: string | null;
}

/** Where messages go. */
export interface ReceiverSettings {
  readonly kind: string;
  /** Parsed by the kind's own shape; its `ca` is an absolute path. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** One step of an escalation. */
export interface RungSettings {
  /** Names of receivers, at least one. */
  readonly notify: readonly string[];
  /** ntfy's 1 to 5; null leaves it to the severity. */
  readonly priority: number | null;
}
