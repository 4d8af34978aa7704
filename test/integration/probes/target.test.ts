import { appendFileSync, chmodSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TargetView } from '../../../src/core/model/evidence.ts';
import type { Place } from '../../../src/probes/place.ts';
import { openPlaceOverShell } from '../../../src/probes/place-shell.ts';
import { createManifestCache, type ManifestCache, probeTarget } from '../../../src/probes/target.ts';
import { WatchdogError } from '../../../src/support/errors.ts';
import { localShell } from '../../support/local-shell.ts';
import { makeTree, sha256, type Tree } from '../../support/trees.ts';

let tree: Tree;
let cache: ManifestCache;
let commands: number;
let place: Place;

beforeEach(async () => {
  tree = await makeTree();
  cache = createManifestCache();
  commands = 0;
  place = openPlaceOverShell(localShell({ onExec: () => (commands += 1) }), tree.root);
});
afterEach(async () => {
  await place.close();
  await tree.remove();
});

async function probe(through: Place = place): Promise<TargetView> {
  const evidence = await probeTarget(through, { signal: new AbortController().signal, nowMs: () => 4_711, cache });
  if (!evidence.seen) throw new Error(`${evidence.why.code}: ${evidence.why.message}`);
  expect(evidence).toMatchObject({ address: place.address, observedAtMs: 4_711 });
  return evidence.value;
}

/** Where a place does something between its listing and its reading. */
function meanwhile(act: () => void): Place {
  return {
    address: place.address,
    list: (signal) => place.list(signal),
    read: (paths, options) => {
      act();
      return place.read(paths, options);
    },
    hash: (files, options) => place.hash(files, options),
    close: () => place.close(),
  };
}

test('a target that cannot be listed is not seen, and what was known of it stays known', async () => {
  tree.write('SHA256SUMS', `${sha256('a')}  a\n`);
  await probe();
  renameSync(tree.root, `${tree.root}.away`);
  const evidence = await probeTarget(place, { signal: new AbortController().signal, nowMs: () => 5, cache });
  expect(evidence).toMatchObject({ seen: false, observedAtMs: 5, why: { code: 'place/not-found' } });
  renameSync(`${tree.root}.away`, tree.root);
  commands = 0;
  expect((await probe()).manifests.witnesses.size).toBe(1);
  expect(commands).toBe(1);
});

test('a connection lost between listing and reading is not seen, and no problem of any manifest', async () => {
  tree.write('SHA256SUMS', `${sha256('a')}  a\n`);
  const failing = meanwhile(() => {
    throw new WatchdogError('ssh/connection-lost', 'gone');
  });
  const evidence = await probeTarget(failing, { signal: new AbortController().signal, nowMs: () => 5, cache });
  expect(evidence).toMatchObject({ seen: false, why: { code: 'ssh/connection-lost' } });
});

test('manifests of every kind witness side by side', async () => {
  tree.write('SHA256SUMS', `${sha256('a')}  run/a.snapshot\n`);
  tree.write('run/SHA256SUMS', `${sha256('b')}  a.snapshot\n`);
  tree.write('run/a.snapshot', 'a');
  tree.write('run/a.snapshot.checksum', sha256('a'));
  tree.write('manifest.json', '{"another":"program"}');
  const { listing, manifests } = await probe();
  expect(listing.files.length).toBe(5);
  const said = manifests.witnesses.get('run/a.snapshot') ?? [];
  expect(Object.fromEntries(said.map(({ manifest, sha256: digest }) => [manifest, digest]))).toEqual({
    SHA256SUMS: sha256('a'),
    'run/SHA256SUMS': sha256('b'),
    'run/a.snapshot.checksum': sha256('a'),
  });
  expect(Object.fromEntries(manifests.complete.map(({ directory, manifest }) => [directory, manifest]))).toEqual({
    '': 'SHA256SUMS',
    run: 'run/SHA256SUMS',
  });
  expect(manifests.problems).toEqual([]);
});

test('while nothing changed one round trip is all, and the view is the same', async () => {
  for (let index = 0; index < 50; index += 1) tree.write(`run${index}/SHA256SUMS`, `${sha256('a')}  a\n`);
  const before = await probe();
  commands = 0;
  const after = await probe();
  expect(commands).toBe(1);
  expect(after.manifests).toBe(before.manifests);
});

test('a manifest that changed is read again, one that went is forgotten', async () => {
  tree.write('one/SHA256SUMS', `${sha256('a')}  a\n`);
  tree.write('two/SHA256SUMS', `${sha256('b')}  b\n`);
  expect([...(await probe()).manifests.witnesses.keys()].toSorted()).toEqual(['one/a', 'two/b']);
  appendFileSync(tree.at('one/SHA256SUMS'), `${sha256('c')}  c\n`);
  rmSync(tree.at('two/SHA256SUMS'));
  expect([...(await probe()).manifests.witnesses.keys()].toSorted()).toEqual(['one/a', 'one/c']);
  rmSync(tree.at('one/SHA256SUMS'));
  expect((await probe()).manifests).toEqual({ witnesses: new Map(), complete: [], problems: [] });
});

test('a manifest that changes or vanishes between listing and reading leaves its directory in doubt for one look', async () => {
  tree.write('run/SHA256SUMS', `${sha256('a')}  a\n`);
  tree.write('sound/SHA256SUMS', `${sha256('b')}  b\n`);
  const appended = await probe(meanwhile(() => appendFileSync(tree.at('run/SHA256SUMS'), `${sha256('c')}  c\n`)));
  expect(appended.listing.unreadable).toMatchObject([{ path: 'run', why: { code: 'place/changed' } }]);
  expect([...appended.manifests.witnesses.keys()]).toEqual(['sound/b']);
  expect(appended.manifests.problems).toEqual([]);
  const gone = await probe(meanwhile(() => rmSync(tree.at('run/SHA256SUMS'))));
  expect(gone.listing.unreadable).toMatchObject([{ path: 'run', why: { code: 'place/not-found' } }]);
  const after = await probe();
  expect(after.listing.unreadable).toEqual([]);
  expect([...after.manifests.witnesses.keys()]).toEqual(['sound/b']);
});

test('a manifest that is too large, or that may not be read, is a problem until it is mended', async () => {
  tree.write('sound/SHA256SUMS', `${sha256('b')}  b\n`);
  tree.write('large/SHA256SUMS', '');
  truncateSync(tree.at('large/SHA256SUMS'), 33 * 2 ** 20);
  tree.write('shut/SHA256SUMS', `${sha256('a')}  a\n`);
  chmodSync(tree.at('shut/SHA256SUMS'), 0o000);
  const isRoot = process.getuid?.() === 0;
  const limited = openPlaceOverShell(localShell(isRoot ? { uid: 65_534 } : {}), tree.root);
  const { manifests } = await probe(limited);
  expect([...manifests.witnesses.keys()]).toEqual(['sound/b']);
  expect(manifests.problems).toMatchObject([
    { manifest: 'large/SHA256SUMS', line: null, message: expect.stringContaining('above the limit') },
    { manifest: 'shut/SHA256SUMS', line: null, message: expect.stringContaining('Permission denied') },
  ]);
  rmSync(tree.at('large/SHA256SUMS'));
  rmSync(tree.at('shut/SHA256SUMS'));
  expect((await probe(limited)).manifests.problems).toEqual([]);
});

test('200 MB of manifests are read over two looks, and until then their directories are in doubt', async () => {
  const line = `${sha256('x')}  x\n`.padEnd(100, '\n');
  for (let index = 0; index < 7; index += 1) {
    tree.write(`run${index}/SHA256SUMS`, line);
    truncateSync(tree.at(`run${index}/SHA256SUMS`), 30 * 2 ** 20);
  }
  const first = await probe();
  expect(first.manifests.witnesses.size).toBe(4);
  expect(first.listing.unreadable.length).toBe(3);
  const second = await probe();
  expect(second.manifests.witnesses.size).toBe(7);
  expect(second.listing.unreadable).toEqual([]);
});
