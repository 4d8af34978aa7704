/**
 * An SSH host for the lab and for tests, on ssh2's own server: runs commands with the real `/bin/sh` as whoever runs
 * the lab, for the one key that it makes itself, on loopback only. It serves no terminal, no SFTP and no forwarding.
 */

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import type { AuthContext, ClientInfo, Connection, Server as SshServer, ServerChannel } from 'ssh2';
import { keyOnDisk, parsePrivateKey, publicLine } from './ssh-keys.ts';
import { ShellProcesses } from './ssh-shell.ts';

/** What the host can be made to do wrong. */
export const sshFaultNames = [
  /** Nobody listens, and every connection is cut. */
  'down',
  /** Takes connections and says nothing. */
  'silent',
  /** Shows a host key that is in no known_hosts. */
  'other-host-key',
  /** Refuses every login. */
  'auth-refused',
  /** Cuts the connection 50 ms into a command. */
  'die-mid-command',
  /** Runs commands, and closes their channel without an exit status. */
  'no-exit-status',
  /** Answers every command with output that never ends. */
  'flood',
] as const;

/** One of {@link sshFaultNames}. */
export type SshFault = (typeof sshFaultNames)[number];

/** Where the lab's host keeps its keys and listens. */
export interface LabSshHostOptions {
  /** An existing directory; the keys in it are kept from start to start. */
  readonly directory: string;
  /** Default: a free one, another at every start. */
  readonly port?: number;
}

/** A running host. */
export interface LabSshHost extends AsyncDisposable {
  /** Always `127.0.0.1`. */
  readonly host: string;
  readonly port: number;
  /** Any user name may log in; all commands run as the user of this process. */
  readonly user: string;
  /** Type and base64. */
  readonly hostPublicKey: string;
  /** `[127.0.0.1]:PORT TYPE BASE64`. */
  readonly knownHostsLine: string;
  /** The private key that may log in, in OpenSSH's format. */
  readonly clientKey: string;
  readonly faultNames: readonly SshFault[];
  /** Breaks the host one way from now on, or mends it with null. Resolves once it is so. */
  setFault(fault: SshFault | null): Promise<void>;
  /** Stops listening, cuts every connection and kills what still runs. */
  close(): Promise<void>;
}

/**
 * Starts the host.
 *
 * @throws Error of the kernel when the port is taken or the directory cannot be written.
 */
export async function startLabSshHost(options: LabSshHostOptions): Promise<LabSshHost> {
  const [hostKey, otherHostKey, clientKey] = await Promise.all([
    keyOnDisk(options.directory, 'ssh_host_key'),
    keyOnDisk(options.directory, 'ssh_other_host_key'),
    keyOnDisk(options.directory, 'ssh_client_key'),
  ]);
  const host = new RunningLabSshHost(hostKey, otherHostKey, clientKey);
  await host.listen(options.port ?? 0);
  return host;
}

class RunningLabSshHost implements LabSshHost {
  readonly host = '127.0.0.1';
  readonly user = 'deadair';
  readonly hostPublicKey: string;
  readonly clientKey: string;
  readonly faultNames = sshFaultNames;
  readonly #clientPublicKey: Buffer;
  readonly #processes = new ShellProcesses();
  readonly #sockets = new Set<Socket>();
  readonly #ssh: SshServer;
  readonly #otherSsh: SshServer;
  readonly #listener: Server;
  #port = 0;
  #fault: SshFault | null = null;

  constructor(hostKey: string, otherHostKey: string, clientKey: string) {
    this.hostPublicKey = publicLine(hostKey);
    this.clientKey = clientKey;
    this.#clientPublicKey = parsePrivateKey(clientKey).getPublicSSH();
    // Neither listens: our own listener hands them sockets, or keeps a socket to be silent on.
    const serve = (connection: Connection, client: ClientInfo): void => this.#serve(connection, client.port);
    this.#ssh = new ssh2.Server({ hostKeys: [hostKey] }, serve);
    this.#otherSsh = new ssh2.Server({ hostKeys: [otherHostKey] }, serve);
    this.#listener = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  get port(): number {
    return this.#port;
  }

  get knownHostsLine(): string {
    return `[${this.host}]:${this.#port} ${this.hostPublicKey}`;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', reject);
      this.#listener.listen(port, this.host, () => {
        this.#listener.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#listener.address() as AddressInfo).port;
  }

  async setFault(fault: SshFault | null): Promise<void> {
    this.#fault = fault;
    if (fault === 'down') await this.#stopListening();
    else if (!this.#listener.listening) await this.listen(this.#port);
  }

  async close(): Promise<void> {
    await this.#stopListening();
    await this.#processes.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #stopListening(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#listener.listening) return;
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A client may go at any moment; its going is handled by 'close'.
    socket.on('error', () => {});
    if (this.#fault === 'silent') socket.resume();
    else (this.#fault === 'other-host-key' ? this.#otherSsh : this.#ssh).injectSocket(socket);
  }

  #serve(connection: Connection, clientPort: number): void {
    connection.on('error', () => {});
    connection.on('authentication', (context) => {
      if (this.#fault !== 'auth-refused' && this.#isOurClient(context)) context.accept();
      else context.reject(['publickey']);
    });
    connection.on('session', (acceptSession) => {
      acceptSession().on('exec', (acceptExec, _reject, { command }) => this.#run(acceptExec(), command, clientPort));
    });
  }

  /** A login first asks whether the key would do, without a signature; ssh2 answers that and does not let in by it. */
  #isOurClient(context: AuthContext): boolean {
    if (context.method !== 'publickey' || !context.key.data.equals(this.#clientPublicKey)) return false;
    if (context.signature === undefined || context.blob === undefined) return true;
    return parsePrivateKey(this.clientKey).verify(context.blob, context.signature, context.hashAlgo);
  }

  #run(channel: ServerChannel, command: string, clientPort: number): void {
    if (this.#fault === 'flood') {
      this.#processes.flood(channel);
      return;
    }
    if (this.#fault === 'die-mid-command') {
      const timer = setTimeout(() => this.#cut(clientPort), 50);
      channel.once('close', () => clearTimeout(timer));
    }
    this.#processes.run(channel, command, { tellsExitStatus: this.#fault !== 'no-exit-status' });
  }

  #cut(clientPort: number): void {
    for (const socket of this.#sockets) if (socket.remotePort === clientPort) socket.destroy();
  }
}
