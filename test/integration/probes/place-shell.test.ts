import { existsSync, readdirSync, readFileSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Shell } from '../../../src/clients/shell.ts';
import { connectSsh } from '../../../src/clients/ssh.ts';
import { openPlaceOverShell } from '../../../src/probes/place-shell.ts';
import { limits } from '../../../src/support/limits.ts';
import { localShell } from '../../support/local-shell.ts';
import { describeWithSshd, startSshd, type Sshd } from '../../support/sshd.ts';
import { hashed, listed, makeTree, sha256, type Tree, verdicts } from '../../support/trees.ts';

const signal = new AbortController().signal;
let tree: Tree;

beforeEach(async () => {
  tree = await makeTree();
});
afterEach(async () => {
  await tree.remove();
});

describe('output that is not what it should be', () => {
  test('a listing cut anywhere is not seen, and never shorter', async () => {
    for (let index = 0; index < 50; index += 1) tree.write(`file ${index}`);
    const whole = await sizeOfListing();
    for (const keepBytes of [0, 10, Math.floor(whole / 2), whole - 20, whole - 1]) {
      let left = keepBytes;
      const tamper = (chunk: Uint8Array): Uint8Array => {
        const kept = chunk.subarray(0, left);
        left -= kept.length;
        return kept;
      };
      const evidence = await openPlaceOverShell(localShell({ tamper }), tree.root).list(signal);
      expect(evidence).toMatchObject({ seen: false, why: { code: 'place/incomplete' } });
    }
  });

  test('a hashing cut in the middle is lost, and what was told before stays', async () => {
    tree.write('first', '1');
    tree.write('also', '22');
    tree.write('second', Buffer.alloc(2 ** 21));
    const shell = localShell();
    const { files } = await listed(openPlaceOverShell(shell, tree.root));
    const cutting = wrapShell(shell, (script) =>
      script.replace(/W="\d+ "; printf "[^"]+" \| xargs -0 sh -c "\$S" \d/, 'exit 9'),
    );
    const told: string[] = [];
    const ending = openPlaceOverShell(cutting, tree.root).hash(
      files.toSorted((a, b) => a.sizeBytes - b.sizeBytes),
      { cores: 1, idle: false, signal, onOutcome: ({ path }) => told.push(path) },
    );
    await expect(ending).rejects.toMatchObject({
      code: 'ssh/command-failed',
      message: expect.stringContaining('status 9'),
    });
    expect(told).toEqual(['first', 'also']);
  });

  test("a login's own noise before and on stderr changes nothing", async () => {
    tree.write('file');
    const noisy = wrapShell(localShell(), (script) => `echo "Welcome"; echo "find: noise" >&2; ${script}`);
    const place = openPlaceOverShell(noisy, tree.root);
    const { files, unreadable } = await listed(place);
    expect([files.length, unreadable]).toEqual([1, []]);
    expect(verdicts(await hashed(place, files))).toEqual({ file: sha256('file') });
    const [result] = await place.read(['file'], { maxBytesEach: 100, signal });
    expect(result).toMatchObject({ bytes: Buffer.from('file') });
  });

  test('a login that floods is refused', async () => {
    const flooding = wrapShell(localShell(), (script) => `head -c 5000000 /dev/zero; ${script}`);
    const evidence = await openPlaceOverShell(flooding, tree.root).list(signal);
    expect(evidence).toMatchObject({ seen: false, why: { code: 'output/too-large' } });
  });
});

test('reading may take as long as all manifests of one pass need on a slow disk', async () => {
  tree.write('SHA256SUMS');
  const deadlines: number[] = [];
  const shell = localShell();
  const watched: Shell = {
    address: shell.address,
    exec: (script, options) => {
      deadlines.push(options.deadlineMs);
      return shell.exec(script, options);
    },
  };
  const place = openPlaceOverShell(watched, tree.root);
  await listed(place);
  deadlines.length = 0;
  await place.read(['SHA256SUMS'], { maxBytesEach: limits.manifestBytes, signal });
  expect(deadlines).toEqual([limits.hashBaseMs + (limits.manifestsBytes / limits.hashFloorBytesPerSecond) * 1_000]);
});

describe('files that change while they are hashed', () => {
  test.each([
    ['grow', 'echo more >>"$DEADAIR_TEST_FILE"'],
    ['shrink', ': >"$DEADAIR_TEST_FILE"'],
    ['are replaced by the same bytes', 'cp -p "$DEADAIR_TEST_FILE" "$0.copy"; mv "$0.copy" "$DEADAIR_TEST_FILE"'],
  ])('and %s have no digest', async (_, change) => {
    tree.write('file', 'content');
    const path = await makePath(['sh', 'find', 'xargs', 'cut', 'cat', 'cp', 'mv', 'true', 'ls']);
    try {
      const hasher = `#!/bin/sh\n${findTool('sha256sum')}\n[ -e "$0.armed" ] && { ${change}; }\nexit 0\n`;
      writeFileSync(join(path, 'sha256sum'), hasher, { mode: 0o755 });
      vi.stubEnv('DEADAIR_TEST_FILE', `${tree.root}/file`);
      const place = openPlaceOverShell(localShell({ path }), tree.root);
      const { files } = await listed(place);
      expect(verdicts(await hashed(place, files))).toEqual({ file: sha256('content') });
      writeFileSync(join(path, 'sha256sum.armed'), '');
      expect(verdicts(await hashed(place, files))).toEqual({ file: 'place/changed' });
    } finally {
      await rm(path, { recursive: true });
    }
  });
});

describe('hosts with few tools', () => {
  test.each(['openssl', 'sha256sum', 'python3', 'busybox', 'shasum'])('%s alone hashes every file', async (name) => {
    const [own, usual] = [findTool(name), ['sh', 'find', 'xargs', 'cut', 'ls', 'true']];
    const path = await makePath(usual);
    try {
      // A link under the same name would do for all but interpreters, which look for their libraries beside themselves.
      writeFileSync(join(path, name), `#!/bin/sh\nexec ${own} "$@"\n`, { mode: 0o755 });
      tree.write('empty', '');
      tree.write("odd '\n name");
      tree.write('large', Buffer.alloc(3 * 2 ** 20, 'x'));
      const place = openPlaceOverShell(localShell({ path }), tree.root);
      const outcomes = await hashed(place, (await listed(place)).files, { idle: true });
      expect(verdicts(outcomes)).toEqual({
        empty: sha256(''),
        "odd '\n name": sha256("odd '\n name"),
        large: sha256(Buffer.alloc(3 * 2 ** 20, 'x')),
      });
      expect([...outcomes.values()].map((outcome) => outcome.kind === 'digest' && outcome.tool)).toEqual([
        name,
        name,
        name,
      ]);
    } finally {
      await rm(path, { recursive: true });
    }
  });

  test('a host without any hasher, or without find, says so', async () => {
    tree.write('file');
    const path = await makePath(['sh', 'find', 'ls']);
    const bare = await makePath(['sh', 'ls']);
    try {
      const place = openPlaceOverShell(localShell({ path }), tree.root);
      const { files } = await listed(place);
      await expect(hashed(place, files)).rejects.toMatchObject({ code: 'place/unsupported', permanent: true });
      const evidence = await openPlaceOverShell(localShell({ path: bare }), tree.root).list(signal);
      expect(evidence).toMatchObject({ seen: false, why: { code: 'place/unsupported' } });
    } finally {
      await rm(path, { recursive: true });
      await rm(bare, { recursive: true });
    }
  });
});

describe('commands', () => {
  test('listing is one round trip, whatever lies there', async () => {
    for (let index = 0; index < 300; index += 1) tree.write(`dir${index}/file`);
    const scripts: string[] = [];
    const place = openPlaceOverShell(localShell({ onExec: (script) => scripts.push(script) }), tree.root);
    expect((await listed(place)).files.length).toBe(300);
    expect(scripts.length).toBe(1);
  });

  test('reading 300 manifests takes three round trips, of which one asks for the tools', async () => {
    const paths = Array.from({ length: 300 }, (_, index) => `generation-${String(index).padStart(3, '0')}/SHA256SUMS`);
    for (const path of paths) tree.write(path);
    const scripts: string[] = [];
    const place = openPlaceOverShell(localShell({ onExec: (script) => scripts.push(script) }), tree.root);
    const results = await place.read(paths, { maxBytesEach: 1_000, signal });
    expect(results.every((result) => 'bytes' in result)).toBe(true);
    expect(scripts.length).toBe(3);
  });

  test('one that does not end in time costs the file that hung, and the rest is read', async () => {
    tree.write('a', 'a');
    tree.write('huge', '');
    truncateSync(tree.at('huge'), 400 * 2 ** 30);
    tree.write('z', Buffer.alloc(2 ** 21));
    const shell = localShell();
    const hasty: Shell = {
      address: shell.address,
      exec: (script, options) => shell.exec(script, { ...options, deadlineMs: Math.min(options.deadlineMs, 2_000) }),
    };
    const place = openPlaceOverShell(hasty, tree.root);
    const files = (await listed(place)).files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
    expect(verdicts(await hashed(place, files, { cores: 1 }))).toEqual({
      a: sha256('a'),
      huge: 'net/timeout',
      z: sha256(Buffer.alloc(2 ** 21)),
    });
    await expectUnread(`${tree.root}/huge`);
  });

  test('an idle one runs at the lowest priority, and dies with an abort', async () => {
    tree.write('huge', '');
    truncateSync(tree.at('huge'), 400 * 2 ** 30);
    const place = openPlaceOverShell(localShell(), tree.root);
    const { files } = await listed(place);
    const controller = new AbortController();
    const ending = place.hash(files, { cores: 1, idle: true, signal: controller.signal, onOutcome: () => {} });
    const reader = await vi.waitFor(() => {
      const [found] = readersOf(`${tree.root}/huge`).filter(({ name }) => name === 'openssl');
      expect(found).toBeDefined();
      return found;
    }, 10_000);
    expect(reader?.nice).toBe(19);
    controller.abort();
    await expect(ending).rejects.toMatchObject({ code: 'aborted' });
    await expectUnread(`${tree.root}/huge`);
  });
});

describeWithSshd('a place over sshd', () => {
  let sshd: Sshd;

  afterEach(async () => {
    await sshd.stop();
  });

  async function connect(config: readonly string[]): ReturnType<typeof connectSsh> {
    sshd = await startSshd({ config });
    return connectSsh({
      user: sshd.user,
      host: sshd.host,
      port: sshd.port,
      auth: { kind: 'key', privateKey: await readFile(sshd.clientKeyPath) },
      knownHosts: sshd.knownHostsLine,
      knownHostsName: 'known_hosts',
      signal,
    });
  }

  test('that allows few sessions at a time is hashed with as many, whatever was asked for', async () => {
    await using connection = await connect(['MaxSessions 2']);
    const paths = Array.from({ length: 8 }, (_, index) => `file${index}`);
    for (const path of paths) tree.write(path, Buffer.alloc(20 * 2 ** 20, path));
    const place = openPlaceOverShell(connection, tree.root);
    const outcomes = await hashed(place, (await listed(place)).files, { cores: 4 });
    expect(Object.keys(verdicts(outcomes)).toSorted()).toEqual(paths);
    expect([...outcomes.values()].every(({ kind }) => kind === 'digest')).toBe(true);
  });

  test('that is killed in the middle is lost, and no file gets an outcome for it', async () => {
    const connection = await connect([]);
    tree.write('huge', '');
    truncateSync(tree.at('huge'), 400 * 2 ** 30);
    const place = openPlaceOverShell(connection, tree.root);
    const { files } = await listed(place);
    const told: string[] = [];
    const ending = place.hash(files, { cores: 2, idle: false, signal, onOutcome: ({ path }) => told.push(path) });
    const watched = expect(ending).rejects.toMatchObject({ code: 'ssh/connection-lost' });
    await vi.waitFor(() => expect(readersOf(`${tree.root}/huge`).length).toBeGreaterThan(0), 10_000);
    await sshd.kill();
    await watched;
    expect(told).toEqual([]);
    expect(await place.list(signal)).toMatchObject({ seen: false, why: { code: 'ssh/connection-lost' } });
    await connection.close();
    await expectUnread(`${tree.root}/huge`);
  });
});

async function sizeOfListing(): Promise<number> {
  let bytes = 0;
  const tamper = (chunk: Uint8Array): Uint8Array => {
    bytes += chunk.length;
    return chunk;
  };
  await listed(openPlaceOverShell(localShell({ tamper }), tree.root));
  return bytes;
}

function wrapShell(shell: Shell, change: (script: string) => string): Shell {
  return { address: shell.address, exec: (script, options) => shell.exec(change(script), options) };
}

/** A directory that holds links to these tools only. */
async function makePath(tools: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'deadair-path-'));
  await chmod(directory, 0o755);
  for (const tool of tools) await symlink(findTool(tool), join(directory, tool));
  return directory;
}

function findTool(name: string): string {
  const found = ['/usr/bin', '/bin'].map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`${name} not found; these tests need Debian's openssl, python3, busybox, perl`);
  return found;
}

/** Processes whose stdin is this file. */
function readersOf(path: string): readonly { readonly name: string; readonly nice: number }[] {
  return readdirSync('/proc')
    .filter((id) => /^\d+$/.test(id))
    .flatMap((id) => {
      try {
        if (readlinkSync(`/proc/${id}/fd/0`) !== path) return [];
        const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? [];
        return [{ name, nice: Number(rest.split(' ')[16]) }];
      } catch {
        // It ended between the listing and the look.
        return [];
      }
    });
}

async function expectUnread(path: string): Promise<void> {
  await vi.waitFor(() => expect(readersOf(path)).toEqual([]), 5_000);
}
