/** One connection a host and pass: opened when first asked for, shared by all targets on it, closed with the pass. */

import { readFile } from 'node:fs/promises';
import type { SshAuth, SshConnection } from '../clients/ssh.ts';
import { WatchdogError } from '../support/errors.ts';

/** How to reach a host, secrets resolved. */
export interface HostSetup {
  readonly name: string;
  /** `ssh://user@host:port`. */
  readonly address: string;
  readonly user: string;
  readonly host: string;
  readonly port: number;
  readonly auth: SshAuth;
  /** Path of the known_hosts file; read anew at each connection, so that a mended file needs no restart. */
  readonly knownHosts: string;
}

/** The connections of one pass, or of one reading. */
export interface HostSession {
  /**
   * The connection to a host; every caller gets the same one, or the same failure.
   *
   * @throws WatchdogError as {@link connectSsh}; `place/not-found` when the known_hosts file is missing.
   */
  connection(name: string): Promise<SshConnection>;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Opens a session; it connects nowhere yet. */
export function openHostSession(hosts: ReadonlyMap<string, HostSetup>, signal: AbortSignal): HostSession {
  const connections = new Map<string, Promise<SshConnection>>();
  return {
    connection: (name) => {
      const host = hosts.get(name);
      if (host === undefined) throw new Error(`no host ${name}`);
      const opened = connections.get(name) ?? connect(host, signal);
      connections.set(name, opened);
      return opened;
    },
    close: async () => {
      const settled = await Promise.allSettled(connections.values());
      await Promise.all(settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value.close()] : [])));
    },
  };
}

async function connect(host: HostSetup, signal: AbortSignal): Promise<SshConnection> {
  const { user, port, auth, knownHosts: knownHostsName } = host;
  const knownHosts = await readFile(knownHostsName, 'utf8').catch((error: unknown) => {
    throw new WatchdogError(
      'place/not-found',
      `cannot read the known_hosts file ${knownHostsName} of host ${host.name}`,
      {
        hint: `create it with the host's key: ssh-keyscan -p ${port} ${host.host}, compared with the host itself`,
        cause: error,
        permanent: true,
      },
    );
  });
  // Loading it takes longer than starting Node, so only who has a host pays for it.
  const { connectSsh } = await import('../clients/ssh.ts');
  return connectSsh({ user, host: host.host, port, auth, knownHosts, knownHostsName, signal });
}
