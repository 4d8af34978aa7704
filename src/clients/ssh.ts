/**
 * Makes a connection to a host over SSH, from a login and a known_hosts text. It speaks only to a host whose key is
 * pinned there; it never asks anybody, never tries a password, and never adds to known_hosts.
 */

import { connect, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import type { Client } from 'ssh2';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { formatDuration } from '../support/units.ts';
import { judgeHostKey, pinnedAlgorithms } from './known-hosts.ts';
import type { ExecOptions, ExecResult, Shell } from './shell.ts';
import { abortedError, runCommand } from './ssh-command.ts';
import {
  connectionLost,
  explainConnectError,
  explainHangUp,
  explainHostKey,
  type SshContext,
  type SshPhase,
} from './ssh-errors.ts';
import { openIdentity, type Identity, type SshAuth } from './ssh-identity.ts';

export type { SshAuth } from './ssh-identity.ts';

/** Whom to connect to, as whom, and what to trust. */
export interface SshOptions {
  readonly user: string;
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly auth: SshAuth;
  /** The text of a known_hosts file. */
  readonly knownHosts: string;
  /** What to call that file in messages. */
  readonly knownHostsName: string;
  /** From the first packet to being logged in; default `limits.connectMs`. */
  readonly connectDeadlineMs?: number;
  /** Gives up connecting; once connected it has no effect. */
  readonly signal: AbortSignal;
}

/**
 * Connects and logs in.
 *
 * @throws WatchdogError `net/unreachable`, `net/timeout`, `ssh/handshake-failed`, `aborted`: a retry may help.
 * Permanent are `ssh/host-key-*` (the host has got nothing but the handshake), `ssh/auth-failed`, and
 * `ssh/key-unusable` unless it is an agent that does not answer.
 */
export async function connectSsh(options: SshOptions): Promise<SshConnection> {
  const where = `${options.user}@${options.host}:${options.port}`;
  if (options.signal.aborted) throw abortedError(where);
  const identity = openIdentity(options.auth, options.user, where);
  const client = new ssh2.Client();
  // A socket of our own: ssh2 leaves Nagle's algorithm on, which costs a round trip a packet.
  const socket = connect({ host: options.host, port: options.port, noDelay: true });
  return new Promise<SshConnection>((resolve, reject) => {
    let phase: SshPhase = 'connect';
    let refusal: WatchdogError | undefined;
    const context = (): SshContext => ({ ...options, where, identity: identity.label, phase, refusal });
    const deadlineMs = options.connectDeadlineMs ?? limits.connectMs;
    const timer = setTimeout(() => fail(lateError(where, phase, deadlineMs)), deadlineMs);
    const onAbort = (): void => fail(abortedError(where));
    const settle = (): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
    };
    // Only the first error tells the cause; a host may cause thousands more, which the settled promise swallows.
    const fail = (error: WatchdogError): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    options.signal.addEventListener('abort', onAbort, { once: true });
    client.on('error', (error) => fail(explainConnectError(error, context())));
    client.once('connect', () => (phase = 'handshake'));
    client.once('handshake', () => (phase = 'log in'));
    client.once('close', () => fail(explainHangUp(where, phase)));
    client.once('ready', () => {
      settle();
      resolve(new SshConnection(client, socket, where));
    });
    // ssh2 takes all but a strict `false` for consent: this must never become async. It is asked again on every rekey.
    const verifyHostKey = (key: Buffer): boolean => {
      refusal = explainHostKey(
        judgeHostKey(options.knownHosts, { ...options, key }),
        key,
        where,
        options.knownHostsName,
      );
      return refusal === undefined;
    };
    startClient(client, socket, options, identity, verifyHostKey);
  });
}

/** A connection, logged in. It serves commands side by side, as many as the host's MaxSessions allows (OpenSSH: 10). */
export class SshConnection implements Shell, AsyncDisposable {
  readonly address: string;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #where: string;
  readonly #closed: Promise<void>;
  #lost: WatchdogError | undefined;

  /** For {@link connectSsh}, which has checked the host and logged in. */
  constructor(client: Client, socket: Socket, where: string) {
    this.address = `ssh://${where}`;
    this.#client = client;
    this.#socket = socket;
    this.#where = where;
    client.on('error', (error) => {
      this.#lost ??= connectionLost(where, error.message, error);
      socket.destroy();
    });
    this.#closed = new Promise((resolve) => {
      client.once('close', () => {
        this.#lost ??= connectionLost(where, 'the host closed it');
        resolve();
      });
    });
  }

  /** @throws WatchdogError those of {@link Shell}, and `ssh/command-failed` where the host refuses to run commands. */
  async exec(command: string, options: ExecOptions): Promise<ExecResult> {
    const link = { client: this.#client, where: this.#where, lost: () => this.#lost };
    return runCommand(link, command, options);
  }

  /** Ends the connection; commands still running end with `aborted`, here and on the host. May be called twice. */
  async close(): Promise<void> {
    this.#lost ??= abortedError(this.#where);
    this.#client.end();
    const timer = setTimeout(() => this.#socket.destroy(), limits.sshCloseMs);
    await this.#closed;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function startClient(
  client: Client,
  sock: Socket,
  options: SshOptions,
  identity: Identity,
  hostVerifier: (key: Buffer) => boolean,
): void {
  const pinned = pinnedAlgorithms(options.knownHosts, options.host, options.port);
  let isTried = false;
  client.connect({
    sock,
    username: options.user,
    hostVerifier,
    // The host shows one key; asked for a type that is pinned, it shows one that can be compared.
    ...(pinned.length > 0 && { algorithms: { serverHostKey: [...pinned] } }),
    // One method, once: ssh2 by itself begins with `none`, which costs a round trip and counts as a failed login.
    authHandler: (_methodsLeft, _partialSuccess, next) => {
      // ssh2 ends the attempt on `false`, which its types leave out.
      const method = isTried ? (false as never) : identity.method;
      isTried = true;
      next(method);
    },
    keepaliveInterval: limits.sshKeepaliveMs,
    keepaliveCountMax: limits.sshKeepaliveCount,
    // The deadline of connectSsh covers DNS and the connection too.
    readyTimeout: 0,
  });
}

function lateError(where: string, phase: SshPhase, deadlineMs: number): WatchdogError {
  const unanswered = { connect: 'did not answer', handshake: 'is silent', 'log in': 'did not decide on our login' };
  return new WatchdogError(
    'net/timeout',
    `${where}: the host ${unanswered[phase]} within ${formatDuration(deadlineMs)}`,
    {
      hint: 'check that the host is up and that it is sshd that listens on that port',
    },
  );
}
