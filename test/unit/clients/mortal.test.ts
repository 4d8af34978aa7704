import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { octal, wrapMortal } from '../../../src/clients/mortal.ts';
import { liveGroup } from '../../support/process-group.ts';

const shells = ['/bin/sh', '/bin/bash', '/bin/dash', '/usr/bin/zsh', '/usr/bin/fish', '/bin/tcsh'];
const started = new Set<ChildProcess>();

afterEach(() => {
  for (const child of started) {
    try {
      process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
    } catch {
      // All of its group is gone, as it should be.
    }
  }
  started.clear();
});

describe('a script that breaks the rules is a mistake of ours', () => {
  test.each([
    ['a single quote', "echo 'x'"],
    ['an exclamation mark', '[ ! -e /x ]'],
    ['two backslashes', 'printf "\\\\"'],
    ['a line break', 'echo a\necho b'],
    ['a carriage return', 'echo a\r'],
    ['a NUL', 'echo \0'],
  ])('%s is refused', (_, script) => {
    expect(() => wrapMortal(script)).toThrow(/a script for wrapMortal contains/);
  });

  test('more than 100 KiB is refused, counted in bytes', () => {
    expect(() => wrapMortal('é'.repeat(51_201))).toThrow(/102402 bytes/);
  });
});

test('every byte becomes three octal digits', () => {
  expect(octal(Uint8Array.of(0, 7, 0x2f, 0x25, 0x5c, 0xff))).toBe('\\000\\007\\057\\045\\134\\377');
});

describe.each(shells.map((shell) => ({ shell })))('under $shell', ({ shell }) => {
  const missing = !existsSync(shell);
  if (missing) process.stderr.write(`left out: wrapMortal under ${shell}: not installed\n`);

  test.skipIf(missing)('the exit status, stdout and stderr are those of the script', async () => {
    const child = startScript(shell, 'echo out; echo err >&2; exit 7');
    expect(await ending(child)).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  test.skipIf(missing)('a script of 100 KiB arrives whole, and every byte of a name with it', async () => {
    const bytes = Buffer.from(Array.from({ length: 25_000 }, (_, index) => index % 256));
    const { stdout } = await ending(startScript(shell, `printf "${octal(bytes)}"`));
    expect(Buffer.from(stdout, 'latin1').equals(bytes)).toBe(true);
  });

  test.skipIf(missing)('it dies when stdin ends, with all it started', async () => {
    const child = startScript(shell, 'echo started; sleep 1000 | sleep 1000; sleep 1000');
    await firstOutput(child);
    await vi.waitFor(() => expect(groupOf(child).length).toBeGreaterThan(3));
    const asked = performance.now();
    child.stdin?.end();
    await vi.waitFor(() => expect(groupOf(child)).toEqual([]), { timeout: 4_000, interval: 20 });
    expect(performance.now() - asked).toBeLessThan(2_000);
  });

  test.skipIf(missing)('nothing is left after a normal end, though stdin stays open', async () => {
    const child = startScript(shell, 'true');
    expect((await ending(child)).code).toBe(0);
    await vi.waitFor(() => expect(groupOf(child)).toEqual([]), { timeout: 500, interval: 10 });
  });
});

test('work that ignores SIGTERM is killed', async () => {
  const child = startScript('/bin/sh', 'trap "" TERM; echo started; while :; do sleep 1000; done');
  await firstOutput(child);
  child.stdin?.end();
  await vi.waitFor(() => expect(groupOf(child)).toEqual([]), { timeout: 4_000, interval: 20 });
});

describe('where the host did not make the command the leader of a process group', () => {
  test('all of the work dies, and the one who started it lives on', async () => {
    const outer = startInside('echo $$; sleep 1000 | sleep 1000', process.env['PATH']);
    const groupId = Number(String(await firstOutput(outer)));
    expect(liveGroup(groupId).length).toBeGreaterThan(2);
    const ended = ending(outer);
    outer.stdin?.end();
    expect(await ended).toMatchObject({ code: 0, stdout: 'after\n' });
    await vi.waitFor(() => expect(liveGroup(groupId)).toEqual([]), { timeout: 2_000, interval: 20 });
  });

  test('without setsid(1) the process of the script itself dies', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'deadair-mortal-'));
    for (const tool of ['sh', 'sleep']) await symlink(`/bin/${tool}`, join(directory, tool));
    const outer = startInside('echo started; exec sleep 1000', directory);
    await firstOutput(outer);
    const ended = ending(outer);
    outer.stdin?.end();
    expect(await ended).toMatchObject({ code: 0, stdout: 'after\n' });
    await rm(directory, { recursive: true });
  });

  /** A shell that leads the group, with the work as its child. */
  function startInside(script: string, path: string | undefined): ChildProcess {
    const line = `(${wrapMortal(script)}) 2>/dev/null; echo after`;
    return track(spawn('/bin/sh', ['-c', line], { detached: true, env: { ...process.env, PATH: path } }));
  }
});

test('what a script reads from its stdin is nothing, and it cannot hold the watcher up', async () => {
  const child = startScript('/bin/sh', 'wc -c; ls /proc/self/fd | wc -l');
  child.stdin?.write('bytes that nobody should send\n');
  expect((await ending(child)).stdout.split(/\s+/)).toContain('0');
});

test('a script that a signal ended reports 128 + its number', async () => {
  expect((await ending(startScript('/bin/sh', 'exec sh -c "kill -9 \\$\\$"'))).code).toBe(137);
});

/** As sshd does it: the login shell with `-c`, leading a session of its own, stdin held open. */
function startScript(shell: string, script: string): ChildProcess {
  return track(spawn(shell, ['-c', wrapMortal(script)], { detached: true, stdio: 'pipe' }));
}

function track(child: ChildProcess): ChildProcess {
  started.add(child);
  child.stdin?.on('error', () => {});
  return child;
}

async function ending(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('latin1')));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

function firstOutput(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.stdout?.once('data', resolve));
}

function groupOf(child: ChildProcess): string[] {
  return liveGroup(child.pid ?? Number.NaN);
}
