import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectSsh } from '../../src/clients/ssh.ts';
import type { Place } from '../../src/probes/place.ts';
import { openPlaceHere } from '../../src/probes/place-here.ts';
import { openPlaceOverShell } from '../../src/probes/place-shell.ts';
import { makeBusyboxPath, requireBusybox } from '../support/busybox.ts';
import { localShell } from '../support/local-shell.ts';
import { describeWithSshd, startSshd } from '../support/sshd.ts';
import { hashed, listed, makeTree, oddNames, sha256, type Tree, verdicts } from '../support/trees.ts';

/** One way to reach a directory. */
interface Ground {
  open(root: string): Place;
  /** Runs what is given as a user to whom permission bits apply; null where this ground only knows one user. */
  readonly asNobody: ((root: string, work: (place: Place) => Promise<void>) => Promise<void>) | null;
  /** Names that evidence may give to the hasher. */
  readonly tools: RegExp;
  /** Times are told in whole seconds. */
  readonly isCoarse: boolean;
  close(): Promise<void>;
}

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

describe('a place on this host', () => placeContract(startHere));
describe('a place over a local shell', () => placeContract(startLocal));
if (requireBusybox('a place over a shell with BusyBox only')) {
  describe('a place over a shell with BusyBox only', () => placeContract(startBusybox));
}
describeWithSshd("a place over OpenSSH's sshd", () => placeContract(startOverSshd));

function placeContract(start: () => Promise<Ground>): void {
  let ground: Ground;
  let tree: Tree;
  let place: Place;

  beforeAll(async () => {
    ground = await start();
  });
  afterAll(async () => {
    await ground.close();
  });
  beforeEach(async () => {
    tree = await makeTree();
    place = ground.open(tree.root);
  });
  afterEach(async () => {
    await place.close();
    await tree.remove();
  });

  async function refusal(root: string): Promise<string> {
    const other = ground.open(root);
    const evidence = await other.list(new AbortController().signal);
    await other.close();
    return evidence.seen ? 'seen' : evidence.why.code;
  }

  async function restricted(work: (place: Place) => Promise<void>, skip: (note: string) => void): Promise<void> {
    if (ground.asNobody === null) skip('this sshd serves root only; the other places show it');
    else await ground.asNobody(tree.root, work);
  }

  test('a root that is absent, or no directory, is not seen, and never empty', async () => {
    tree.write('file');
    symlinkSync('nowhere', `${tree.root}/dangling`);
    expect(await refusal(`${tree.root}/absent`)).toBe('place/not-found');
    expect(await refusal(`${tree.root}/absent/below`)).toBe('place/not-found');
    expect(await refusal(`${tree.root}/dangling`)).toBe('place/not-found');
    expect(await refusal(`${tree.root}/file`)).toBe('place/not-a-directory');
    expect(await refusal(`${tree.root}/file/below`)).toBe('place/not-a-directory');
  });

  test('a root that may not be entered, or not be listed, is denied', async ({ skip }) => {
    tree.write('inner/file');
    for (const mode of [0o000, 0o444, 0o111]) {
      chmodSync(tree.root, mode);
      await restricted(async (limited) => {
        const evidence = await limited.list(new AbortController().signal);
        expect(evidence).toMatchObject({ seen: false, why: { code: 'place/denied' } });
      }, skip);
    }
    chmodSync(tree.root, 0o755);
  });

  test('a directory that may not be listed is named, and the rest is seen', async ({ skip }) => {
    tree.write('open/file');
    tree.write("shut'\n\udcff/file");
    chmodSync(tree.at("shut'\n\udcff"), 0o000);
    await restricted(async (limited) => {
      const { files, unreadable } = await listed(limited);
      expect(files.map(({ path }) => path)).toEqual(['open/file']);
      expect(unreadable.length).toBeGreaterThan(0);
      expect(unreadable.map(({ why }) => why.code)).toContainEqual(
        expect.stringMatching(/^place\/(denied|incomplete)$/),
      );
    }, skip);
    chmodSync(tree.at("shut'\n\udcff"), 0o755);
  });

  test('an empty root is seen and empty', async () => {
    expect(await listed(place)).toEqual({ files: [], unreadable: [] });
  });

  test('the evidence bears the address of the place and the time of the look', async () => {
    const beforeMs = Date.now();
    const { address, observedAtMs } = await place.list(new AbortController().signal);
    expect(address).toBe(place.address);
    expect(address).toMatch(/^[a-z]+:.*\/deadair-tree-\w+$/);
    expect(observedAtMs).toBeGreaterThanOrEqual(beforeMs);
  });

  test('every name arrives as it is, in the root and below, and is hashed and read by it', async () => {
    const paths = [...oddNames, ...oddNames.map((name) => `-dir\n'/\udcff $(touch x)/${name}`)];
    for (const path of paths) tree.write(path);
    const { files, unreadable } = await listed(place);
    expect(unreadable).toEqual([]);
    expect(files.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
    const digests = Object.fromEntries(paths.map((path) => [path, sha256(path)]));
    expect(verdicts(await hashed(place, files))).toEqual(digests);
    const results = await place.read(paths, reading(10_000));
    expect(results.map((result) => ('bytes' in result ? Buffer.from(result.bytes).toString() : result.why))).toEqual(
      paths.map((path) => Buffer.from(path).toString()),
    );
    // Nothing that looks like a command was run, here or below.
    expect((await listed(place)).files.length).toBe(paths.length);
  });

  test('a root whose own name is odd is found', async () => {
    for (const name of ['-n', 'ends with newline\n', '$(touch x)', 'back\\slash', '\'"`', '%s', 'not utf-8 \udcff']) {
      tree.write(`${name}/file`);
      const inner = ground.open(`${tree.root}/${name}`);
      const { files } = await listed(inner);
      expect(files.map(({ path }) => path)).toEqual(['file']);
      expect(verdicts(await hashed(inner, files))).toEqual({ file: sha256(`${name}/file`) });
      await inner.close();
    }
  });

  test('size, times and inode are those of the file, before 1970 and far ahead too', async () => {
    for (const [name, seconds] of [
      ['now', 1_795_379_160.25],
      ['epoch', 0],
      ['old', -315_619_199.75],
      ['future', 4_102_444_800.5],
    ] as const) {
      tree.write(name, name);
      utimesSync(tree.at(name), seconds, seconds);
    }
    for (const file of (await listed(place)).files) {
      const stats = lstatSync(tree.at(file.path), { bigint: true });
      const told = (ns: bigint): string =>
        (ground.isCoarse ? ns - (((ns % 10n ** 9n) + 10n ** 9n) % 10n ** 9n) : ns).toString();
      expect(file).toEqual({
        path: file.path,
        sizeBytes: Number(stats.size),
        mtimeNs: told(stats.mtimeNs),
        ctimeNs: told(stats.ctimeNs),
        inode: stats.ino.toString(),
      });
    }
  });

  test('a symlink is followed at the root and nowhere below', async () => {
    tree.write('real/file');
    symlinkSync('real', `${tree.root}/link`);
    symlinkSync('file', `${tree.root}/real/alias`);
    symlinkSync('/etc', `${tree.root}/real/away`);
    const linked = ground.open(`${tree.root}/link`);
    const { files } = await listed(linked);
    expect(files.map(({ path }) => path)).toEqual(['file']);
    expect(verdicts(await hashed(linked, files))).toEqual({ file: sha256('real/file') });
    await linked.close();
  });

  test('pipes and directories are no files', async () => {
    execFileSync('mkfifo', [`${tree.root}/pipe`]);
    mkdirSync(`${tree.root}/directory.snapshot`);
    tree.write('file');
    expect((await listed(place)).files.map(({ path }) => path)).toEqual(['file']);
  });

  test('5,000 small files are listed, and each gets its own digest', async () => {
    const paths = Array.from({ length: 5_000 }, (_, index) => `dir${index % 7}/file ${index}`);
    for (const path of paths) tree.write(path);
    const { files } = await listed(place);
    expect(files.length).toBe(5_000);
    const outcomes = await hashed(place, files);
    expect(verdicts(outcomes)).toEqual(Object.fromEntries(paths.map((path) => [path, sha256(path)])));
  });

  test('digests name the tool, and progress adds up to every byte', async () => {
    tree.write('none', '');
    tree.write('large', Buffer.alloc(3_000_001, 'x'));
    tree.write('small', 'x');
    let bytes = 0;
    const { files } = await listed(place);
    const outcomes = await hashed(place, files, { idle: true, onProgress: (more) => (bytes += more) });
    expect(verdicts(outcomes)).toEqual({
      none: sha256(''),
      large: sha256(Buffer.alloc(3_000_001, 'x')),
      small: sha256('x'),
    });
    for (const outcome of outcomes.values()) {
      expect(outcome).toMatchObject({ kind: 'digest', tool: expect.stringMatching(ground.tools) });
      expect(outcome.readAtMs).toBeGreaterThan(Date.now() - 60_000);
    }
    expect(bytes).toBe(3_000_002);
  });

  test('one flipped bit changes the digest', async () => {
    const bytes = Buffer.alloc(2_000_000, 'snapshot');
    tree.write('sound', bytes);
    bytes[1_234_567] = (bytes[1_234_567] ?? 0) ^ 0x10;
    tree.write('rotten', bytes);
    const found = verdicts(await hashed(place, (await listed(place)).files));
    expect(found['rotten']).toBe(sha256(bytes));
    expect(found['rotten']).not.toBe(found['sound']);
  });

  test('a file that vanished, changed, or became something else after the listing has no digest', async () => {
    const paths = ['gone', 'grown', 'cut', 'replaced', 'linked', 'piped', 'directory', 'kept'];
    for (const path of paths) tree.write(path, path.padEnd(20));
    tree.write('large', Buffer.alloc(2_000_000));
    const { files } = await listed(place);
    for (const path of ['gone', 'replaced', 'linked', 'piped', 'directory']) rmSync(tree.at(path));
    appendFileSync(tree.at('grown'), 'more');
    truncateSync(tree.at('cut'), 3);
    truncateSync(tree.at('large'), 1_999_999);
    tree.write('replaced', 'another file, by name');
    symlinkSync('kept', `${tree.root}/linked`);
    execFileSync('mkfifo', [`${tree.root}/piped`]);
    mkdirSync(tree.at('directory'));
    const found = verdicts(await hashed(place, files));
    expect(found).toMatchObject({
      gone: 'place/not-found',
      grown: 'place/changed',
      cut: 'place/changed',
      large: 'place/changed',
      replaced: 'place/changed',
      kept: sha256('kept'.padEnd(20)),
    });
    for (const path of ['linked', 'piped', 'directory']) {
      expect(found[path]).toMatch(/^(?:place\/(?:changed|not-found)|net\/timeout)$/);
    }
  });

  test('a file that may not be read is told as denied, and the others are hashed', async ({ skip }) => {
    for (const path of ['shut', "shut'\n", 'open', 'dir/inner']) tree.write(path);
    const { files } = await listed(place);
    chmodSync(tree.at('shut'), 0o000);
    chmodSync(tree.at("shut'\n"), 0o000);
    await restricted(async (limited) => {
      const again = await listed(limited);
      expect(again.files.length).toBe(files.length);
      expect(verdicts(await hashed(limited, again.files))).toEqual({
        shut: 'place/denied',
        "shut'\n": 'place/denied',
        open: sha256('open'),
        'dir/inner': sha256('dir/inner'),
      });
      const results = await limited.read(['shut', 'open'], reading(100));
      expect(results.map((result) => ('why' in result ? result.why.code : 'read'))).toEqual(['place/denied', 'read']);
    }, skip);
  });

  test('small files are read byte for byte in the order asked, whatever is in them', async () => {
    const everyByte = Buffer.from(Array.from({ length: 4_096 }, (_, index) => index % 256));
    tree.write('binary', everyByte);
    tree.write('empty', '');
    tree.write('sub/text', 'no line feed at the end');
    const results = await place.read(['sub/text', 'empty', 'binary'], reading(4_096));
    expect(results.map((result) => ('bytes' in result ? Buffer.from(result.bytes) : result.why))).toEqual([
      Buffer.from('no line feed at the end'),
      Buffer.alloc(0),
      everyByte,
    ]);
    const { files } = await listed(place);
    for (const result of results) {
      expect('file' in result && result.file).toEqual(files.find(({ path }) => path === result.path));
    }
  });

  test('what cannot be read says why, and the others are read', async () => {
    tree.write('exact', 'x'.repeat(100));
    tree.write('large', 'x'.repeat(101));
    mkdirSync(tree.at('directory'));
    const results = await place.read(['exact', 'large', 'absent', 'directory', 'absent/below'], reading(100));
    expect(results.map((result) => ('why' in result ? result.why.code : result.bytes.length))).toEqual([
      100,
      'output/too-large',
      'place/not-found',
      expect.stringMatching(/^place\/(?:not-found|changed)$/),
      'place/not-found',
    ]);
    expect(await place.read([], reading(100))).toEqual([]);
  });

  test('an abort that came before lists, reads and hashes nothing', async () => {
    tree.write('file');
    const { files } = await listed(place);
    const signal = AbortSignal.abort();
    expect(await place.list(signal)).toMatchObject({ seen: false, why: { code: 'aborted' } });
    await expect(place.read(['file'], { maxBytesEach: 100, signal })).rejects.toMatchObject({ code: 'aborted' });
    await expect(hashed(place, files, { signal })).rejects.toMatchObject({ code: 'aborted' });
  });

  test('an abort, or a close, in the middle ends the hashing at once and keeps what was told', async () => {
    for (const stop of ['abort', 'close'] as const) {
      tree.write('first', 'first');
      tree.write('huge', '');
      truncateSync(tree.at('huge'), 400 * 2 ** 30);
      const own = ground.open(tree.root);
      const files = (await listed(own)).files.toSorted((a, b) => a.sizeBytes - b.sizeBytes);
      const controller = new AbortController();
      const told: string[] = [];
      const ending = own.hash(files, {
        cores: 1,
        idle: false,
        signal: controller.signal,
        onOutcome: ({ path }) => {
          told.push(path);
          if (stop === 'abort') controller.abort();
          else void own.close();
        },
      });
      await expect(ending).rejects.toMatchObject({ code: 'aborted' });
      expect(told).toEqual(['first']);
      await own.close();
    }
  });
}

function reading(maxBytesEach: number): { readonly maxBytesEach: number; readonly signal: AbortSignal } {
  return { maxBytesEach, signal: new AbortController().signal };
}

async function startHere(): Promise<Ground> {
  return {
    open: (root) => openPlaceHere(root),
    asNobody: async (root, work) => {
      const place = openPlaceHere(root);
      if (isRoot) process.seteuid?.(nobody);
      try {
        await work(place);
      } finally {
        if (isRoot) process.seteuid?.(0);
        await place.close();
      }
    },
    tools: /^here$/,
    isCoarse: false,
    close: async () => {},
  };
}

async function startLocal(): Promise<Ground> {
  return { ...overLocalShell({}), tools: /^openssl$/, isCoarse: false, close: async () => {} };
}

async function startBusybox(): Promise<Ground> {
  const busybox = await makeBusyboxPath();
  const tools = /^sha256sum$/;
  return { ...overLocalShell({ path: busybox.path }), tools, isCoarse: true, close: () => busybox.remove() };
}

function overLocalShell(options: { readonly path?: string }): Pick<Ground, 'open' | 'asNobody'> {
  return {
    open: (root) => openPlaceOverShell(localShell(options), root),
    asNobody: async (root, work) => {
      const place = openPlaceOverShell(localShell({ ...options, ...(isRoot ? { uid: nobody } : {}) }), root);
      await work(place);
      await place.close();
    },
  };
}

async function startOverSshd(): Promise<Ground> {
  const sshd = await startSshd();
  const connection = await connectSsh({
    user: sshd.user,
    host: sshd.host,
    port: sshd.port,
    auth: { kind: 'key', privateKey: await readFile(sshd.clientKeyPath) },
    knownHosts: sshd.knownHostsLine,
    knownHostsName: 'known_hosts',
    signal: new AbortController().signal,
  });
  return {
    open: (root) => openPlaceOverShell(connection, root),
    // This sshd serves the user who runs the tests; as root that one sees through permission bits.
    asNobody: isRoot
      ? null
      : async (root, work) => {
          const place = openPlaceOverShell(connection, root);
          await work(place);
          await place.close();
        },
    tools: /^(?:openssl|sha256sum)$/,
    isCoarse: false,
    close: async () => {
      await connection.close();
      await sshd.stop();
    },
  };
}
