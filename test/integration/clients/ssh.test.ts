import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import type { ServerChannel } from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ExecOptions } from '../../../src/clients/shell.ts';
import { connectSsh, type SshConnection, type SshOptions } from '../../../src/clients/ssh.ts';
import { startLabSshHost, type LabSshHost } from '../../../src/lab/ssh-host.ts';
import { describeError, type WatchdogError } from '../../../src/support/errors.ts';
import { liveGroup } from '../../support/process-group.ts';
import { describeWithSshd, startSshd, type Sshd } from '../../support/sshd.ts';

const run = promisify(execFile);
const open: { [Symbol.asyncDispose](): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of open.splice(0).toReversed()) await thing[Symbol.asyncDispose]();
});

describeWithSshd('a host that is not the one we know', () => {
  let sshd: Sshd;
  beforeAll(async () => void (sshd = await startSshd()));
  afterAll(() => sshd.stop());

  test('without an entry it is refused, and the message holds the line to add', async () => {
    const error = await failure(connect(sshd, { knownHosts: '# nobody yet\n' }));
    expect(error).toMatchObject({ code: 'ssh/host-key-unknown', permanent: true });
    expect(describeError(error)).toContain(`${sshd.user}@127.0.0.1:${sshd.port}: the host shows the key SHA256:`);
    expect(describeError(error)).toContain(`add to /etc/deadair/known_hosts: ${sshd.knownHostsLine}`);
  });

  test('with another key of the same type than the pinned one it is refused', async () => {
    const other = (await readFile(`${sshd.clientKeyPath}.pub`, 'utf8')).trim();
    const error = await failure(connect(sshd, { knownHosts: `[127.0.0.1]:${sshd.port} ${other}` }));
    expect(error).toMatchObject({ code: 'ssh/host-key-changed', permanent: true });
    expect(error.message).toContain('/etc/deadair/known_hosts line 1');
  });

  test('without a key of the pinned type it is refused', async () => {
    const rsa = (await readFile(`${sshd.rsaKeyPath}.pub`, 'utf8')).trim();
    const error = await failure(connect(sshd, { knownHosts: `[127.0.0.1]:${sshd.port} ${rsa}` }));
    expect(error).toMatchObject({ code: 'ssh/host-key-changed', permanent: true });
  });

  test('with a revoked key it is refused', async () => {
    const error = await failure(
      connect(sshd, { knownHosts: `* ${sshd.hostPublicKey}\n@revoked * ${sshd.hostPublicKey}` }),
    );
    expect(error).toMatchObject({ code: 'ssh/host-key-revoked', permanent: true });
  });

  test('with only a CA pinned it is refused', async () => {
    const error = await failure(connect(sshd, { knownHosts: `@cert-authority * ${sshd.hostPublicKey}` }));
    expect(error).toMatchObject({ code: 'ssh/host-key-unknown', permanent: true });
    expect(error.message).toContain('only a CA');
  });

  test('none of them got as far as a login', () => {
    expect(sshd.log()).not.toMatch(/Accepted|Failed publickey/);
  });
});

describe('a port that is not sshd', () => {
  test('that refuses is net/unreachable', async () => {
    const { port, server } = await serve(() => {});
    await new Promise((resolve) => server.close(resolve));
    expect(await failure(connectTo(port))).toMatchObject({ code: 'net/unreachable', permanent: false });
  });

  test('that accepts and stays silent is net/timeout at the deadline', async () => {
    const { port } = await serve((socket) => socket.resume());
    const started = performance.now();
    const error = await failure(connectTo(port, { connectDeadlineMs: 300 }));
    expect(error).toMatchObject({ code: 'net/timeout', permanent: false });
    expect(error.message).toContain('is silent within 300ms');
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  test('that drips a banner for ever is net/timeout at the deadline', async () => {
    const { port } = await serve((socket) => {
      const timer = setInterval(() => socket.write('not yet\r\n'), 20);
      socket.once('close', () => clearInterval(timer));
    });
    const error = await failure(connectTo(port, { connectDeadlineMs: 400 }));
    expect(error).toMatchObject({ code: 'net/timeout' });
  });

  test('that floods a line without end is given up at its first error, within bounds', async () => {
    const { port } = await serve((socket) => {
      const pour = (): void => {
        while (socket.writable && socket.write(Buffer.alloc(65_536, 'x')));
      };
      socket.on('drain', pour);
      pour();
    });
    const before = process.memoryUsage().rss;
    expect(await failure(connectTo(port))).toMatchObject({ code: 'ssh/handshake-failed' });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  test('that hangs up says that sshd drops addresses after failed logins', async () => {
    const { port } = await serve((socket) => socket.end());
    const error = await failure(connectTo(port));
    expect(error).toMatchObject({ code: 'ssh/handshake-failed', permanent: false });
    expect(error.hint).toContain('PerSourcePenalties');
  });

  test('that speaks HTTP is ssh/handshake-failed', async () => {
    const server = createHttpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({ [Symbol.asyncDispose]: async () => void server.close() });
    expect(await failure(connectTo((server.address() as AddressInfo).port))).toMatchObject({
      code: 'ssh/handshake-failed',
    });
  });

  test('an abort while it is silent is aborted, and leaves no socket', async () => {
    const { port, sockets } = await serve((socket) => socket.resume());
    const controller = new AbortController();
    const attempt = failure(connectTo(port, { signal: controller.signal }));
    await vi.waitFor(() => expect(sockets.size).toBe(1));
    controller.abort();
    expect(await attempt).toMatchObject({ code: 'aborted' });
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  });
});

describeWithSshd('logging in', () => {
  let sshd: Sshd;
  let strangerPath: string;
  beforeAll(async () => {
    sshd = await startSshd();
    strangerPath = join(sshd.directory, 'stranger');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', strangerPath]);
  });
  afterAll(() => sshd.stop());

  test('a key that the host does not know is ssh/auth-failed, once, and says what to do', async () => {
    const error = await failure(connect(sshd, { auth: await keyOf(strangerPath) }));
    expect(error).toMatchObject({ code: 'ssh/auth-failed', permanent: true });
    expect(error.message).toMatch(/the host refused our key SHA256:\S+ \(ssh-ed25519\)$/);
    expect(error.hint).toMatch(/authorized_keys.*PerSourcePenalties/);
  });

  test.each([
    ['no passphrase', undefined, /ssh-keygen -p/],
    ['a wrong passphrase', 'wrong', /check the passphrase/],
  ])('an encrypted key with %s is ssh/key-unusable', async (_, passphrase, hint) => {
    const privateKey = await readFile(sshd.encryptedKeyPath);
    const auth = { kind: 'key', privateKey, ...(passphrase !== undefined && { passphrase }) } as const;
    const error = await failure(connect(sshd, { auth }));
    expect(error).toMatchObject({ code: 'ssh/key-unusable', permanent: true });
    expect(error.hint).toMatch(hint);
    expect(describeError(error)).not.toContain('wrong');
  });

  test('a key in a cipher or format that ssh2 cannot read says how to rewrite it', async () => {
    const path = join(sshd.directory, 'chacha');
    const cipher = ['-Z', 'chacha20-poly1305@openssh.com', '-a', '2', '-N', 'secret'];
    await run('ssh-keygen', ['-q', '-t', 'ed25519', ...cipher, '-f', path]);
    const chacha = await failure(connect(sshd, { auth: { ...(await keyOf(path)), passphrase: 'secret' } }));
    expect(chacha).toMatchObject({ code: 'ssh/key-unusable', permanent: true });
    expect(chacha.hint).toContain('ssh-keygen -p -Z aes256-ctr');
    const { privateKey } = generateKeyPairSync('ed25519');
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const error = await failure(connect(sshd, { auth: { kind: 'key', privateKey: pkcs8 } }));
    expect(error).toMatchObject({ code: 'ssh/key-unusable', permanent: true });
    expect(describeError(error)).toMatch(/PKCS#8.*ssh-keygen/);
    expect(describeError(error)).not.toContain(String(pkcs8).split('\n')[1]);
  });

  test.each([
    ['a public key', (): Promise<string> => readFile(`${sshd.clientKeyPath}.pub`, 'utf8'), /without \.pub/],
    ['no key at all', async (): Promise<string> => 'hello', /ssh-keygen -t ed25519/],
    ['an empty file', async (): Promise<string> => '', /ssh-keygen -t ed25519/],
  ])('%s is ssh/key-unusable', async (_, privateKey, hint) => {
    const error = await failure(connect(sshd, { auth: { kind: 'key', privateKey: await privateKey() } }));
    expect(error).toMatchObject({ code: 'ssh/key-unusable', permanent: true });
    expect(error.hint).toMatch(hint);
  });

  test('no agent, a dead agent and an empty agent are told apart', async () => {
    const none = await failure(connect(sshd, { auth: { kind: 'agent', socket: '' } }));
    expect(none).toMatchObject({ code: 'ssh/key-unusable', permanent: true });
    const socket = join(sshd.directory, 'dead-agent');
    const dead = await failure(connect(sshd, { auth: { kind: 'agent', socket } }));
    expect(dead).toMatchObject({ code: 'ssh/key-unusable', permanent: false });
    expect(dead.message).toContain(`the agent at ${socket} does not answer`);
    const agent = await startAgent(sshd.directory);
    const empty = await failure(connect(sshd, { auth: { kind: 'agent', socket: agent } }));
    expect(empty).toMatchObject({ code: 'ssh/auth-failed' });
  });

  test('an agent whose keys are refused until sshd has had enough is ssh/auth-failed', async () => {
    await using strict = await startSshd({ config: ['MaxAuthTries 1'] });
    const agent = await startAgent(strict.directory, strangerPath);
    const error = await failure(connect(strict, { auth: { kind: 'agent', socket: agent } }));
    expect(error).toMatchObject({ code: 'ssh/auth-failed', permanent: true });
  });

  test.each([
    ['an ed25519 key', (): Promise<SshOptions['auth']> => keyOf(sshd.clientKeyPath)],
    ['an RSA key', (): Promise<SshOptions['auth']> => keyOf(sshd.rsaKeyPath)],
    [
      'an encrypted key',
      async (): Promise<SshOptions['auth']> => ({
        ...(await keyOf(sshd.encryptedKeyPath)),
        passphrase: sshd.passphrase,
      }),
    ],
    [
      'an agent that has others too',
      async (): Promise<SshOptions['auth']> => ({
        kind: 'agent',
        socket: await startAgent(sshd.directory, strangerPath, sshd.rsaKeyPath),
      }),
    ],
  ])('%s gets in', async (_, auth) => {
    const connection = await connect(sshd, { auth: await auth() });
    expect(connection.address).toBe(`ssh://${sshd.user}@127.0.0.1:${sshd.port}`);
    expect((await connection.exec('true', bounds())).code).toBe(0);
  });

  test.each(['rsa', 'ecdsa'] as const)('a host with an %s key is known by it', async (hostKey) => {
    await using other = await startSshd({ hostKey });
    await using connection = await connect(other);
    expect((await connection.exec('true', bounds())).code).toBe(0);
  });
});

describeWithSshd('a connection that ends before its command', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'sshd ended by %s is ssh/connection-lost, never a result, and the work dies',
    async (signal) => {
      await using sshd = await startSshd();
      const connection = await connect(sshd);
      const work = startWork(connection);
      const groupId = await work.groupId;
      sshd.dropConnections(signal);
      expect(await failure(work.ending)).toMatchObject({ code: 'ssh/connection-lost', permanent: false });
      expect(await failure(connection.exec('true', bounds()))).toMatchObject({ code: 'ssh/connection-lost' });
      await expectDead(groupId);
      await connection.close();
    },
  );

  test('a process of ours that is killed takes its work on the host with it', async () => {
    await using sshd = await startSshd();
    const child = spawnClient(sshd);
    const [chunk] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    const groupId = Number(chunk.toString());
    expect(liveGroup(groupId)).not.toEqual([]);
    child.kill('SIGKILL');
    await expectDead(groupId);
  });
});

describeWithSshd('output without end', () => {
  let sshd: Sshd;
  let connection: SshConnection;
  beforeAll(async () => void (sshd = await startSshd({ config: ['RekeyLimit 16M', 'MaxSessions 1'] })));
  afterAll(() => sshd.stop());

  test('200 MB are stopped at the limit, in bounded memory, and end on the host', async () => {
    connection = await connect(sshd);
    const before = process.memoryUsage().rss;
    let groupId = 0;
    const onStdout = (chunk: Uint8Array): void => void (groupId ||= Number.parseInt(Buffer.from(chunk).toString(), 10));
    const flood = connection.exec('echo $$; head -c 200000000 /dev/zero; sleep 1000', bounds({ onStdout }));
    expect(await failure(flood)).toMatchObject({ code: 'output/too-large', permanent: true });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
    await expectDead(groupId);
  });

  test('200 MB within the limit pass through bounded memory, with new keys every 16 MiB', async () => {
    connection = await connect(sshd);
    const before = process.memoryUsage().rss;
    let sizeBytes = 0;
    let peakBytes = 0;
    const onStdout = (chunk: Uint8Array): void => {
      sizeBytes += chunk.length;
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss() - before);
    };
    const options = bounds({ onStdout, maxStdoutBytes: 200_000_000, deadlineMs: 50_000 });
    expect((await connection.exec('head -c 200000000 /dev/zero', options)).code).toBe(0);
    expect(sizeBytes).toBe(200_000_000);
    expect(peakBytes).toBeLessThan(96 * 2 ** 20);
  });

  test('more commands than MaxSessions are ssh/command-failed, and the others go on', async () => {
    connection = await connect(sshd);
    const work = startWork(connection);
    await work.groupId;
    const second = await failure(connection.exec('true', bounds()));
    expect(second).toMatchObject({ code: 'ssh/command-failed', permanent: false });
    expect(second.hint).toContain('MaxSessions');
  });
});

describeWithSshd('a host that allows one command at a time', () => {
  test('runs one after the other, although sshd gives a session back late', async () => {
    await using sshd = await startSshd({ config: ['MaxSessions 1'] });
    await using connection = await connect(sshd);
    for (let index = 0; index < 20; index += 1) {
      const { stdout } = await connection.exec(`echo ${index}`, bounds());
      expect(Buffer.from(stdout).toString()).toBe(`${index}\n`);
    }
  });

  test('waits for no longer than the deadline of the command, and not once it is stopped', async () => {
    await using sshd = await startSshd({ config: ['MaxSessions 1'] });
    await using connection = await connect(sshd);
    await startWork(connection).groupId;
    const controller = new AbortController();
    const stopped = failure(connection.exec('true', bounds({ signal: controller.signal })));
    setTimeout(() => controller.abort(), 30);
    expect(await stopped).toMatchObject({ code: 'aborted' });
    expect(await failure(connection.exec('true', bounds({ deadlineMs: 30 })))).toMatchObject({ code: 'net/timeout' });
  });
});

describe('a host that misbehaves in the middle of a command', () => {
  test('an exit status whose connection dies before the output has ended is no success', async () => {
    const connection = await connectToServer((accept, destroy) => {
      const channel = accept();
      channel.write('half of it');
      channel.exit(0);
      setTimeout(destroy, 50);
    });
    expect(await failure(connection.exec('true', bounds()))).toMatchObject({ code: 'ssh/connection-lost' });
  });

  test('a request that is never answered ends at the deadline', async () => {
    const connection = await connectToServer(() => {});
    const error = await failure(connection.exec('true', bounds({ deadlineMs: 200 })));
    expect(error).toMatchObject({ code: 'net/timeout', permanent: false });
  });

  test('a refused request is ssh/command-failed', async () => {
    const connection = await connectToServer((_accept, _destroy, reject) => reject());
    expect(await failure(connection.exec('true', bounds()))).toMatchObject({ code: 'ssh/command-failed' });
  });
});

describe("the faults of the lab's host", () => {
  let directory: string;
  let lab: LabSshHost;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'deadair-lab-'));
    lab = await startLabSshHost({ directory });
  });
  afterEach(() => lab.setFault(null));
  afterAll(async () => {
    await lab.close();
    await rm(directory, { recursive: true });
  });

  test('there is none at first, nor after mending', async () => {
    for (const fault of [null, 'down', null] as const) await lab.setFault(fault);
    expect((await (await connectLab()).exec('true', bounds())).code).toBe(0);
  });

  test.each([
    ['down', 'net/unreachable'],
    ['silent', 'net/timeout'],
    ['other-host-key', 'ssh/host-key-changed'],
    ['auth-refused', 'ssh/auth-failed'],
  ] as const)('%s: connecting fails with %s', async (fault, code) => {
    await lab.setFault(fault);
    expect(await failure(connectLab({ connectDeadlineMs: 500 }))).toMatchObject({ code });
  });

  test.each([
    ['die-mid-command', 'ssh/connection-lost', 'sleep 1000'],
    ['no-exit-status', 'ssh/connection-lost', 'echo done'],
    ['flood', 'output/too-large', 'true'],
  ] as const)('%s: a command fails with %s', async (fault, code, script) => {
    const connection = await connectLab();
    await lab.setFault(fault);
    expect(await failure(connection.exec(script, bounds()))).toMatchObject({ code });
  });

  test('down: a command that runs fails with ssh/connection-lost', async () => {
    const work = startWork(await connectLab());
    const groupId = await work.groupId;
    await lab.setFault('down');
    expect(await failure(work.ending)).toMatchObject({ code: 'ssh/connection-lost' });
    await expectDead(groupId);
  });

  test('another key than that of the lab does not get in', async () => {
    const auth = { kind: 'key', privateKey: await anyKey() } as const;
    expect(await failure(connectLab({ auth }))).toMatchObject({ code: 'ssh/auth-failed' });
  });

  test('a restart on the same directory and port keeps the host key and the login', async () => {
    const { port, knownHostsLine, clientKey } = lab;
    await lab.close();
    lab = await startLabSshHost({ directory, port });
    expect({ line: lab.knownHostsLine, key: lab.clientKey }).toEqual({ line: knownHostsLine, key: clientKey });
    expect((await (await connectLab()).exec('true', bounds())).code).toBe(0);
  });

  test('closing it kills what still runs', async () => {
    const work = startWork(await connectLab());
    const groupId = await work.groupId;
    await lab.close();
    await vi.waitFor(() => expect(liveGroup(groupId)).toEqual([]), { timeout: 500, interval: 10 });
    lab = await startLabSshHost({ directory });
  });

  function connectLab(more: Partial<SshOptions> = {}): Promise<SshConnection> {
    return connectTo(lab.port, {
      auth: { kind: 'key', privateKey: lab.clientKey },
      knownHosts: lab.knownHostsLine,
      ...more,
    });
  }
});

async function connect(sshd: Sshd, more: Partial<SshOptions> = {}): Promise<SshConnection> {
  const auth = await keyOf(sshd.clientKeyPath);
  return connectTo(sshd.port, { user: sshd.user, auth, knownHosts: sshd.knownHostsLine, ...more });
}

/** Connects as nobody in particular; what gets open is closed after the test. */
async function connectTo(port: number, more: Partial<SshOptions> = {}): Promise<SshConnection> {
  const connection = await connectSsh({
    user: 'deadair',
    host: '127.0.0.1',
    port,
    auth: { kind: 'key', privateKey: await anyKey() },
    knownHosts: '',
    knownHostsName: '/etc/deadair/known_hosts',
    signal: new AbortController().signal,
    ...more,
  });
  open.push(connection);
  return connection;
}

/** Connects to a server that lets everybody in and handles the request of a command as the test says. */
async function connectToServer(
  onExec: (accept: () => ServerChannel, destroy: () => void, reject: () => void) => void,
): Promise<SshConnection> {
  const hostKey = await anyKey();
  const ssh = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    connection.on('error', () => {});
    connection.on('authentication', (context) => context.accept());
    connection.on('session', (acceptSession) => {
      acceptSession().on('exec', (accept, reject) => onExec(accept, destroyAll, reject));
    });
  });
  const { port, sockets } = await serve((socket) => ssh.injectSocket(socket));
  const destroyAll = (): void => sockets.forEach((socket) => socket.destroy());
  const key = ssh2.utils.parseKey(hostKey);
  if (key instanceof Error) throw key;
  return connectTo(port, { knownHosts: `[127.0.0.1]:${port} ${key.type} ${key.getPublicSSH().toString('base64')}` });
}

async function keyOf(path: string): Promise<Extract<SshOptions['auth'], { kind: 'key' }>> {
  return { kind: 'key', privateKey: await readFile(path) };
}

async function anyKey(): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

async function failure(promise: Promise<unknown>): Promise<WatchdogError> {
  return promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error as WatchdogError,
  );
}

function bounds(more: Partial<ExecOptions> = {}): ExecOptions {
  return { deadlineMs: 20_000, maxStdoutBytes: 2 ** 20, signal: new AbortController().signal, ...more };
}

function startWork(connection: SshConnection): {
  readonly groupId: Promise<number>;
  readonly ending: Promise<unknown>;
} {
  const { promise: groupId, resolve } = Promise.withResolvers<number>();
  const onStdout = (chunk: Uint8Array): void => resolve(Number(Buffer.from(chunk).toString()));
  const ending = connection.exec('echo $$; sleep 1000 | sleep 1000', bounds({ onStdout }));
  // The caller looks at it only after the group is known.
  ending.catch(() => {});
  return { groupId, ending };
}

async function expectDead(groupId: number): Promise<void> {
  expect(groupId).toBeGreaterThan(1);
  await vi.waitFor(() => expect(liveGroup(groupId)).toEqual([]), { timeout: 2_000, interval: 20 });
}

async function serve(
  onSocket: (socket: Socket) => void,
): Promise<{ readonly port: number; readonly server: Server; readonly sockets: ReadonlySet<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, server, sockets };
}

/** @returns the socket of a new agent that holds these keys; it ends after the test. */
async function startAgent(directory: string, ...keyPaths: string[]): Promise<string> {
  const socket = join(directory, `agent-${Math.random().toString(36).slice(2)}`);
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  open.push({
    [Symbol.asyncDispose]: async () => {
      agent.kill();
      await once(agent, 'exit');
    },
  });
  // It prints where it listens once it does.
  await once(agent.stdout, 'data');
  if (keyPaths.length > 0)
    await run('ssh-add', ['-q', ...keyPaths], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return socket;
}

/** Another process of ours that holds work open on the host and prints the work's group. */
function spawnClient(sshd: Sshd): ChildProcess {
  const source = new URL('../../../src/clients/ssh.ts', import.meta.url).href;
  const options = {
    user: sshd.user,
    host: sshd.host,
    port: sshd.port,
    knownHosts: sshd.knownHostsLine,
    knownHostsName: 'known_hosts',
  };
  const program = `
    import { readFileSync } from 'node:fs';
    import { connectSsh } from ${JSON.stringify(source)};
    const { signal } = new AbortController();
    const auth = { kind: 'key', privateKey: readFileSync(${JSON.stringify(sshd.clientKeyPath)}) };
    const connection = await connectSsh({ ...${JSON.stringify(options)}, auth, signal });
    const onStdout = (chunk) => process.stdout.write(chunk);
    await connection.exec('echo $$; sleep 1000', { deadlineMs: 60_000, maxStdoutBytes: 1000, signal, onStdout });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  open.push({ [Symbol.asyncDispose]: async () => void child.kill('SIGKILL') });
  return child;
}
