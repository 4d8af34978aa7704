/** What the benches of places run on: sshd on a loopback port, and directories in the page cache. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectSsh, type SshConnection } from '../../src/clients/ssh.ts';
import { startSshd } from '../support/sshd.ts';

/** A place to bench on. */
export interface BenchGround extends AsyncDisposable {
  /** 64 files of 64 MiB: long enough that starting a process is noise. */
  readonly large: { readonly root: string; readonly bytes: number };
  /** 100,000 files in 100 directories, as generations of snapshots lie. */
  readonly many: { readonly root: string; readonly count: number };
  connect(): Promise<SshConnection>;
  /** Runs a command by OpenSSH's own client over a connection of its own. */
  ssh(command: string): Promise<void>;
  /** Runs a command here by `sh -c`. */
  sh(command: string): Promise<void>;
}

const run = promisify(execFile);
const outputBytes = 64 * 2 ** 20;

/** Makes the directories, which takes some seconds, and starts sshd. */
export async function openBenchGround(): Promise<BenchGround> {
  const directory = await mkdtemp(join(tmpdir(), 'deadair-bench-'));
  const sshd = await startSshd();
  const knownHosts = join(directory, 'known_hosts');
  await writeFile(knownHosts, `${sshd.knownHostsLine}\n`);
  const sshOptions = ['-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'BatchMode=yes', '-i', sshd.clientKeyPath];
  const login = [...sshOptions, '-p', `${sshd.port}`, `${sshd.user}@${sshd.host}`];
  return {
    large: await makeLarge(join(directory, 'large')),
    many: await makeMany(join(directory, 'many')),
    connect: async () =>
      connectSsh({
        user: sshd.user,
        host: sshd.host,
        port: sshd.port,
        auth: { kind: 'key', privateKey: await readFile(sshd.clientKeyPath) },
        knownHosts: sshd.knownHostsLine,
        knownHostsName: knownHosts,
        signal: new AbortController().signal,
      }),
    ssh: async (command) =>
      void (await run('ssh', [...login, command], { maxBuffer: outputBytes, encoding: 'buffer' })),
    sh: async (command) => void (await run('sh', ['-c', command], { maxBuffer: outputBytes, encoding: 'buffer' })),
    [Symbol.asyncDispose]: async () => {
      await sshd.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function makeLarge(root: string): Promise<BenchGround['large']> {
  await mkdir(root);
  const content = Buffer.alloc(64 * 2 ** 20);
  for (let index = 0; index < 64; index += 1) {
    content.fill(`snapshot ${index} `);
    await writeFile(join(root, `collection-${index}.snapshot`), content);
  }
  return { root, bytes: 64 * content.length };
}

async function makeMany(root: string): Promise<BenchGround['many']> {
  for (let generation = 0; generation < 100; generation += 1) {
    const directory = join(root, `20261122T0215${String(generation).padStart(2, '0')}Z`);
    await mkdir(directory, { recursive: true });
    const names = Array.from({ length: 1_000 }, (_, index) => `collection_${index}-17-2026-11-22-02-15-04.snapshot`);
    await Promise.all(names.map((name) => writeFile(join(directory, name), '')));
  }
  return { root, count: 100_000 };
}
