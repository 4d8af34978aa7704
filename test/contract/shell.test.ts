import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { octal } from '../../src/clients/mortal.ts';
import type { ExecOptions } from '../../src/clients/shell.ts';
import { connectSsh, type SshConnection } from '../../src/clients/ssh.ts';
import { startLabSshHost } from '../../src/lab/ssh-host.ts';
import { liveGroup } from '../support/process-group.ts';
import { describeWithSshd, startSshd } from '../support/sshd.ts';

interface Host {
  connect(): Promise<SshConnection>;
  stop(): Promise<void>;
}

describeWithSshd("the shell of OpenSSH's sshd", () => shellContract(startRealHost));
describe("the shell of the lab's SSH host", () => shellContract(startLabHost));

/** What every {@link SshConnection} promises, whatever serves it. */
function shellContract(start: () => Promise<Host>): void {
  let host: Host;
  let connection: SshConnection;

  beforeAll(async () => {
    host = await start();
    connection = await host.connect();
  });
  afterAll(async () => {
    await connection.close();
    await host.stop();
  });

  test('a script that no shell could be trusted with is refused before it is sent', async () => {
    await expect(connection.exec("echo 'x'", bounds())).rejects.toThrow(/a script for wrapMortal/);
  });

  test('an exit status other than 0 is a result, with both outputs apart', async () => {
    const result = await connection.exec('echo out; echo err >&2; exit 3', bounds());
    expect({ ...result, stdout: textOf(result.stdout) }).toEqual({
      code: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('a shell that a signal ended has no exit status, and says which signal', async () => {
    expect(await connection.exec('kill -KILL $$', bounds())).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  test('a command that does not exist is 127', async () => {
    expect((await connection.exec('no-such-command-anywhere', bounds())).code).toBe(127);
  });

  test('every byte of stdout arrives as it is', async () => {
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256));
    const { stdout } = await connection.exec(`printf "${octal(bytes)}"`, bounds());
    expect(bytes.equals(stdout)).toBe(true);
  });

  test('output of exactly the limit is a result, one byte more is output/too-large', async () => {
    const exact = await connection.exec('head -c 100000 /dev/zero', bounds({ maxStdoutBytes: 100_000 }));
    expect(exact.stdout.length).toBe(100_000);
    const more = connection.exec('head -c 100001 /dev/zero', bounds({ maxStdoutBytes: 100_000 }));
    await expect(more).rejects.toMatchObject({ code: 'output/too-large' });
  });

  test('of stderr the first 64 KiB are kept, and the rest holds nothing up', async () => {
    const result = await connection.exec('head -c 5000000 /dev/zero | tr "\\000" e >&2; echo done', bounds());
    expect(textOf(result.stdout)).toBe('done\n');
    expect(result.stderr).toBe('e'.repeat(64 * 1024));
  });

  test('stdout can be taken piece by piece instead of whole', async () => {
    let sizeBytes = 0;
    const onStdout = (chunk: Uint8Array): void => void (sizeBytes += chunk.length);
    const result = await connection.exec('head -c 3000000 /dev/zero', bounds({ onStdout }));
    expect({ sizeBytes, left: result.stdout.length }).toEqual({ sizeBytes: 3_000_000, left: 0 });
  });

  test('what the taker of stdout throws ends the command', async () => {
    const ending = connection.exec('yes', bounds({ onStdout: throwAtOnce }));
    await expect(ending).rejects.toThrow('not what was expected');
  });

  test('commands run side by side', async () => {
    const results = await Promise.all([1, 2, 3, 4, 5].map((n) => connection.exec(`echo ${n}; exit ${n}`, bounds())));
    expect(results.map(({ code, stdout }) => [code, textOf(stdout)])).toEqual(
      [1, 2, 3, 4, 5].map((n) => [n, `${n}\n`]),
    );
  });

  test('nothing is left on the host after a command ended', async () => {
    const { stdout } = await connection.exec('echo $$', bounds());
    await vi.waitFor(() => expect(liveGroup(Number(textOf(stdout)))).toEqual([]));
  });

  test('an abort ends it here at once, and on the host within 2 s', async () => {
    const controller = new AbortController();
    const work = startWork(connection, { signal: controller.signal });
    const groupId = await work.groupId;
    controller.abort();
    await expect(work.ending).rejects.toMatchObject({ code: 'aborted' });
    await expectDead(groupId);
  });

  test('an abort that came before runs nothing', async () => {
    const signal = AbortSignal.abort();
    await expect(connection.exec('true', bounds({ signal }))).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a deadline ends it here at once, and on the host within 2 s', async () => {
    const work = startWork(connection, { deadlineMs: 500 });
    await expect(work.ending).rejects.toMatchObject({ code: 'net/timeout', permanent: false });
    await expectDead(await work.groupId);
  });

  test('the connection is as good as new after all that', async () => {
    expect((await connection.exec('true', bounds())).code).toBe(0);
  });

  test('close ends what runs, here and on the host within 2 s, and nothing runs after it', async () => {
    const closing = await host.connect();
    const work = startWork(closing);
    const groupId = await work.groupId;
    await Promise.all([closing.close(), expect(work.ending).rejects.toMatchObject({ code: 'aborted' })]);
    await expectDead(groupId);
    await expect(closing.exec('true', bounds())).rejects.toMatchObject({ code: 'aborted' });
    await closing.close();
  });
}

async function startRealHost(): Promise<Host> {
  const sshd = await startSshd();
  const privateKey = await readFile(sshd.clientKeyPath);
  return {
    connect: () => connectTo({ ...sshdAddress(sshd), privateKey }),
    stop: () => sshd.stop(),
  };
}

async function startLabHost(): Promise<Host> {
  const directory = await mkdtemp(join(tmpdir(), 'deadair-shell-'));
  const lab = await startLabSshHost({ directory });
  return {
    connect: () => connectTo({ ...sshdAddress(lab), privateKey: lab.clientKey }),
    stop: async () => {
      await lab.close();
      await rm(directory, { recursive: true });
    },
  };
}

interface Address {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  readonly knownHosts: string;
}

function sshdAddress(host: { user: string; host: string; port: number; knownHostsLine: string }): Address {
  return { user: host.user, host: host.host, port: host.port, knownHosts: host.knownHostsLine };
}

function connectTo({ privateKey, ...address }: Address & { privateKey: string | Buffer }): Promise<SshConnection> {
  const auth = { kind: 'key', privateKey } as const;
  return connectSsh({ ...address, auth, knownHostsName: 'known_hosts', signal: new AbortController().signal });
}

function bounds(more: Partial<ExecOptions> = {}): ExecOptions {
  return { deadlineMs: 20_000, maxStdoutBytes: 2 ** 24, signal: new AbortController().signal, ...more };
}

/** Work that would last for 1,000 s, in more than one process; its group is known once it has started. */
function startWork(
  connection: SshConnection,
  more: Partial<ExecOptions> = {},
): { readonly groupId: Promise<number>; readonly ending: Promise<unknown> } {
  const { promise: groupId, resolve } = Promise.withResolvers<number>();
  const onStdout = (chunk: Uint8Array): void => resolve(Number(textOf(chunk)));
  const ending = connection.exec('echo $$; sleep 1000 | sleep 1000', bounds({ onStdout, ...more }));
  // The caller looks at it only after the group is known.
  ending.catch(() => {});
  return { groupId, ending };
}

async function expectDead(groupId: number): Promise<void> {
  expect(groupId).toBeGreaterThan(1);
  await vi.waitFor(() => expect(liveGroup(groupId)).toEqual([]), { timeout: 2_000, interval: 20 });
}

function throwAtOnce(): void {
  throw new Error('not what was expected');
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
