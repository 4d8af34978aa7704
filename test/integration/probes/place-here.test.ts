import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Place } from '../../../src/probes/place.ts';
import { openPlaceHere } from '../../../src/probes/place-here.ts';
import { hashed, listed, makeTree, type Tree, verdicts } from '../../support/trees.ts';

let tree: Tree;
let place: Place;

beforeEach(async () => {
  tree = await makeTree();
  place = openPlaceHere(tree.root);
});
afterEach(async () => {
  await place.close();
  await tree.remove();
});

test('a file that is truncated while it is read has no digest', async () => {
  tree.write('large', '');
  truncateSync(tree.at('large'), 2 ** 30);
  const { files } = await listed(place);
  const outcomes = await hashed(place, files, { onProgress: () => truncateSync(tree.at('large'), 2 ** 20) });
  expect(verdicts(outcomes)).toEqual({ large: 'place/changed' });
});

test('listing 20,000 files leaves the main thread free for other work', async () => {
  for (let index = 0; index < 20_000; index += 1) tree.write(`dir${index % 20}/file${index}`, '');
  let turns = 0;
  let beat = setImmediate(function again() {
    turns += 1;
    beat = setImmediate(again);
  });
  try {
    expect((await listed(place)).files.length).toBe(20_000);
  } finally {
    clearImmediate(beat);
  }
  // A main thread that listed by itself would come round once or twice.
  expect(turns).toBeGreaterThan(20);
});

test('an idle reader lowers its own thread and no other', async () => {
  tree.write('huge', '');
  truncateSync(tree.at('huge'), 400 * 2 ** 30);
  const { files } = await listed(place);
  const controller = new AbortController();
  const ending = place.hash(files, { cores: 1, idle: true, signal: controller.signal, onOutcome: () => {} });
  await vi.waitFor(() => expect(nices().filter((nice) => nice === 19)).toEqual([19]), 10_000);
  expect(nices().filter((nice) => nice !== 19).length).toBeGreaterThan(1);
  controller.abort();
  await expect(ending).rejects.toMatchObject({ code: 'aborted' });
  await vi.waitFor(() => expect(nices()).not.toContain(19), 10_000);
});

test('listings and readings asked for at once are answered one after the other', async () => {
  tree.write('file', 'content');
  const { signal } = new AbortController();
  const [one, results, other] = await Promise.all([
    place.list(signal),
    place.read(['file'], { maxBytesEach: 100, signal }),
    place.list(signal),
  ]);
  expect([one.seen, other.seen]).toEqual([true, true]);
  expect(results).toMatchObject([{ path: 'file', bytes: Uint8Array.from(Buffer.from('content')) }]);
});

/** The nice value of every thread of this process. */
function nices(): readonly number[] {
  return readdirSync('/proc/self/task').map((id) => {
    const [, rest = ''] = /^\d+ \(.*\) (.*)$/s.exec(readFileSync(`/proc/self/task/${id}/stat`, 'utf8')) ?? [];
    return Number(rest.split(' ')[16]);
  });
}
