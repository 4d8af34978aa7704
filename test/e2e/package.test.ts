/** What is shipped: built, packed, and run from an installed copy that has the declared packages and nothing else. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCopies } from '../support/copies.ts';
import { type CheckView, viewOf } from '../support/check-view.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly bin: { readonly deadair: string };
  readonly dependencies: Readonly<Record<string, string>>;
};

let place = '';
/** The package as it lies below `node_modules` of whoever installs it. */
let installed = '';

/** Builds beside the checkout, since others may be using its `dist`. */
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'deadair-package-'));
  const stage = join(place, 'stage');
  mkdirSync(stage);
  for (const file of ['package.json', 'README.md', 'LICENSE']) copyFileSync(join(checkout, file), join(stage, file));
  cpSync(join(checkout, 'rules'), join(stage, 'rules'), { recursive: true });
  // Stands for all that a checkout has beside what is shipped.
  writeFileSync(join(stage, 'notes.txt'), 'nobody needs this');
  const tsc = join(checkout, 'node_modules', '.bin', 'tsc');
  execFileSync(tsc, ['-p', join(checkout, 'tsconfig.build.json'), '--outDir', join(stage, 'dist')], { stdio: 'pipe' });
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', place], { cwd: stage, stdio: 'pipe' });
  const modules = join(place, 'node_modules');
  installed = join(modules, 'deadair');
  mkdirSync(installed, { recursive: true });
  const archive = join(place, `deadair-${manifest.version}.tgz`);
  execFileSync('tar', ['-xzf', archive, '-C', installed, '--strip-components=1']);
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(modules, name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(checkout, 'node_modules', name), link);
  }
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(installed, manifest.bin.deadair), ...args], {
    cwd: place,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

test('the package tells its version, and begins as a command does', async () => {
  expect(await run('--version')).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  expect(readFileSync(join(installed, manifest.bin.deadair), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

test('the package has its rules and its licence, and nothing else of the checkout', () => {
  const isThere = (name: string): boolean => existsSync(join(installed, name));
  expect(
    ['rules/deadair.yaml', 'rules/qdrant.yaml', 'rules/README.md', 'README.md', 'LICENSE'].filter(isThere),
  ).toHaveLength(5);
  expect(['notes.txt', 'src', 'dist/main.ts'].filter(isThere)).toEqual([]);
});

test('the package reads bytes in its worker threads, and tells good from bad', async () => {
  const copies = makeCopies();
  const [arxiv] = [copies.snapshot('arxiv'), copies.snapshot('code')];
  copies.sums();
  const checked = async (): Promise<{ readonly code: number | null; readonly view: CheckView }> => {
    const ended = await run('check', copies.path, '--max-age', '26h', '--json');
    return { code: ended.code, view: viewOf(ended) };
  };
  expect(await checked()).toMatchObject({ code: 0, view: { verdict: 'ok' } });
  writeFileSync(join(copies.path, arxiv), 'other bytes');
  const { code, view } = await checked();
  expect(code).toBe(2);
  expect(view.findings.filter(({ reason }) => reason === 'mismatch').map(({ subject }) => subject)).toEqual([
    'copies/arxiv',
  ]);
});

test('the package validates the rules that it brings', async () => {
  const { code, stdout, stderr } = await run('validate', '--config', join(installed, 'rules', 'deadair.yaml'));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('deadair.yaml: good');
});

test('the package plays the incident over SSH, HTTP and SQLite', async () => {
  const { code, stdout } = await run('lab', '--once');
  expect(stdout).toContain('Every step was heard');
  expect(code).toBe(0);
});
