/**
 * Debian's OpenSSH server on a free loopback port, as an ordinary process with its own configuration and keys, for the
 * user who runs the tests. It reads nothing of /etc/ssh and leaves nothing behind.
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, test } from 'vitest';

const run = promisify(execFile);

/** How this server differs from the plain one. */
export interface SshdOptions {
  /** Kind of its only host key; default `ed25519`. */
  readonly hostKey?: 'ed25519' | 'rsa' | 'ecdsa';
  /** More lines of sshd_config(5), such as `MaxSessions 1`. They come first, and the first value of a key counts. */
  readonly config?: readonly string[];
}

/** A running sshd and all that a client needs to log in to it. */
export interface Sshd extends AsyncDisposable {
  /** Always `127.0.0.1`. */
  readonly host: string;
  readonly port: number;
  /** The user who runs the tests: sshd without root can serve nobody else. */
  readonly user: string;
  /** Type and base64 as in a public key file, without comment. */
  readonly hostPublicKey: string;
  /** `[127.0.0.1]:PORT TYPE BASE64`. */
  readonly knownHostsLine: string;
  /** Private keys that may log in; each has its `.pub` beside it. */
  readonly clientKeyPath: string;
  readonly rsaKeyPath: string;
  /** An ed25519 key encrypted with {@link Sshd.passphrase}. */
  readonly encryptedKeyPath: string;
  readonly passphrase: string;
  /** A private directory, removed by {@link Sshd.stop}. */
  readonly directory: string;
  /** Kills the listener and every connection's process, not the commands they run; default SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Kills every connection's process and leaves the listener; default SIGKILL. */
  dropConnections(signal?: NodeJS.Signals): void;
  /** Ends the server, its connections and the commands that are left, removes the directory. May be called twice. */
  stop(): Promise<void>;
  /** What sshd logged so far. */
  log(): string;
}

/**
 * Starts one server and waits until it listens.
 *
 * @throws Error with sshd's log where it does not start; say `describeWithSshd` where sshd may be missing.
 */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const missing = missingForSshd();
  if (missing !== undefined) throw new Error(missing);
  // A privileged sshd refuses to start without this directory; systemd makes it where sshd runs as a service.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const directory = await mkdtemp(join(tmpdir(), 'deadair-sshd-'));
  try {
    const keys = await makeKeys(directory, options.hostKey ?? 'ed25519');
    const server = await listen(directory, options.config ?? []);
    return new RunningSshd(directory, keys, server);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Like vitest's `describe`; see {@link requireSshd}. */
export function describeWithSshd(name: string, define: () => void): void {
  if (requireSshd(name)) describe(name, define);
}

/**
 * Whether OpenSSH is here. Where it is not, registers a skipped test that says so; with `DEADAIR_REQUIRE_REAL=1` a
 * failing one, so that CI cannot pass by leaving the real thing out.
 *
 * @param name the tests that depend on the answer, for the message.
 */
export function requireSshd(name: string): boolean {
  const missing = missingForSshd();
  if (missing === undefined) return true;
  if (process.env['DEADAIR_REQUIRE_REAL'] === '1') {
    test(`${name}: needs a real sshd`, () => {
      throw new Error(`${missing} DEADAIR_REQUIRE_REAL=1 makes that a failure.`);
    });
  } else {
    process.stderr.write(`left out: ${name}: ${missing}\n`);
    test.skip(`${name}: left out: ${missing}`, () => {});
  }
  return false;
}

interface Keys {
  readonly hostPublicKey: string;
  readonly clientKeyPath: string;
  readonly rsaKeyPath: string;
  readonly encryptedKeyPath: string;
  readonly passphrase: string;
}

interface Listener {
  readonly port: number;
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  readonly log: () => string;
}

class RunningSshd implements Sshd {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly user = userInfo().username;
  readonly hostPublicKey: string;
  readonly knownHostsLine: string;
  readonly clientKeyPath: string;
  readonly rsaKeyPath: string;
  readonly encryptedKeyPath: string;
  readonly passphrase: string;
  readonly directory: string;
  readonly #listener: Listener;

  constructor(directory: string, keys: Keys, listener: Listener) {
    this.directory = directory;
    this.port = listener.port;
    this.hostPublicKey = keys.hostPublicKey;
    this.knownHostsLine = `[${this.host}]:${listener.port} ${keys.hostPublicKey}`;
    this.clientKeyPath = keys.clientKeyPath;
    this.rsaKeyPath = keys.rsaKeyPath;
    this.encryptedKeyPath = keys.encryptedKeyPath;
    this.passphrase = keys.passphrase;
    this.#listener = listener;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.dropConnections(signal);
    this.#listener.child.kill(signal);
    await this.#listener.exited;
  }

  dropConnections(signal: NodeJS.Signals = 'SIGKILL'): void {
    for (const found of descendantsOf(this.#listener.child)) {
      if (found.name.startsWith('sshd')) killQuietly(found.pid, signal);
    }
  }

  async stop(): Promise<void> {
    for (const { pid } of descendantsOf(this.#listener.child)) killQuietly(pid, 'SIGKILL');
    this.#listener.child.kill('SIGKILL');
    await this.#listener.exited;
    await rm(this.directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  log(): string {
    return this.#listener.log();
  }
}

/** @returns undefined when all is here, else a sentence that says what is missing and how to get it. */
function missingForSshd(): string | undefined {
  const tools = ['sshd', 'ssh', 'ssh-keygen', 'ssh-agent', 'ssh-add'];
  const missing = tools.filter((tool) => findTool(tool) === undefined);
  if (missing.length === 0) return undefined;
  return `${missing.join(', ')} not found; install the packages openssh-server and openssh-client.`;
}

/** sshd insists on being called by its absolute path, and lies where an ordinary user's PATH does not look. */
function findTool(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/usr/bin'];
  return directories.map((directory) => join(directory, name)).find((path) => path.startsWith('/') && existsSync(path));
}

async function makeKeys(directory: string, hostKey: string): Promise<Keys> {
  const passphrase = 'correct horse battery staple';
  const path = (name: string): string => join(directory, name);
  const make = (name: string, type: string, secret: string): Promise<unknown> =>
    // Two rounds of bcrypt instead of 24: this passphrase guards nothing, and every login would cost 0.4 s.
    run('ssh-keygen', ['-q', '-t', type, '-a', '2', '-N', secret, '-C', name, '-f', path(name)]);
  await Promise.all([
    make('host_key', hostKey, ''),
    make('id_ed25519', 'ed25519', ''),
    make('id_rsa', 'rsa', ''),
    make('id_encrypted', 'ed25519', passphrase),
  ]);
  const clients = ['id_ed25519', 'id_rsa', 'id_encrypted'];
  const publicKeys = await Promise.all(clients.map((name) => readFile(path(`${name}.pub`), 'utf8')));
  await writeFile(path('authorized_keys'), publicKeys.join(''), { mode: 0o600 });
  const hostPublicKey = (await readFile(path('host_key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  return {
    hostPublicKey,
    clientKeyPath: path('id_ed25519'),
    rsaKeyPath: path('id_rsa'),
    encryptedKeyPath: path('id_encrypted'),
    passphrase,
  };
}

/** Between finding a free port and sshd's bind another process may take it, hence a few attempts. */
async function listen(directory: string, config: readonly string[]): Promise<Listener> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const listener = await tryToListen(directory, config, port);
    if (listener !== undefined) return listener;
    if (attempt === 5) throw new Error('sshd found no free port in 5 attempts');
  }
}

async function tryToListen(directory: string, config: readonly string[], port: number): Promise<Listener | undefined> {
  const configPath = join(directory, 'sshd_config');
  await writeFile(configPath, [...config, ...plainConfig(directory, port), ''].join('\n'));
  const child = spawn(findTool('sshd') ?? 'sshd', ['-D', '-e', '-f', configPath], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const listening = new Promise<void>((resolve) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('Server listening on')) resolve();
    });
  });
  const deadline = AbortSignal.timeout(10_000);
  const late = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true }));
  await Promise.race([listening, exited, late]);
  if (log.includes('Server listening on') && child.exitCode === null) return { port, child, exited, log: () => log };
  child.kill('SIGKILL');
  await exited;
  if (log.includes('Address already in use')) return undefined;
  throw new Error(`sshd did not start: ${log}`);
}

function plainConfig(directory: string, port: number): string[] {
  return [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${join(directory, 'host_key')}`,
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    'PidFile none',
    // The directory lies below /tmp, which StrictModes calls bad ownership.
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'Subsystem sftp internal-sftp',
  ];
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/** Every connection of sshd leads a session of its own, so that only the parent's id in /proc tells whose it is. */
function descendantsOf(child: ChildProcess): { readonly pid: number; readonly name: string }[] {
  if (child.pid === undefined) return [];
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readProcess);
  const family = new Set([child.pid]);
  for (let grew = true; grew;) {
    const next = processes.filter(({ pid, parent }) => family.has(parent) && !family.has(pid));
    for (const { pid } of next) family.add(pid);
    grew = next.length > 0;
  }
  return processes.filter(({ pid }) => family.has(pid) && pid !== child.pid);
}

function readProcess(id: string): { readonly pid: number; readonly parent: number; readonly name: string }[] {
  try {
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? [];
    return name === undefined ? [] : [{ pid: Number(id), parent: Number(parent), name }];
  } catch {
    // It ended between the listing and the look.
    return [];
  }
}

function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}
