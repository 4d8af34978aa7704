/** `deadair validate` and the command line itself, as a process. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/copies.ts';
import { deadair } from '../support/process.ts';

const goodMain = `rules: rules/*.yaml
qdrant:
  phx-ai01: { url: http://127.0.0.1:6333 }
targets:
  phx-ai02: { path: /srv/backups }
receivers:
  phone: { ntfy: https://ntfy.example.net, topic: backups }
`;
const goodRules = `protect: phx-ai01
rules:
  - { rule: freshness, max_age: 26h }
  - { rule: coverage }
  - { rule: integrity }
`;

function configuration(main: string, rules: string): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'rules'));
  writeFileSync(join(directory, 'deadair.yaml'), main);
  writeFileSync(join(directory, 'rules', 'qdrant.yaml'), rules);
  return directory;
}

describe('deadair validate', () => {
  test('says what a good configuration holds, exits 0, opens nothing and leaves nothing', async () => {
    const directory = configuration(goodMain, goodRules);
    const { code, stdout } = await deadair(['validate', '--config', 'deadair.yaml'], { cwd: directory });
    expect(code).toBe(0);
    expect(stdout).toBe('deadair.yaml: good (1 qdrant, 1 targets, 1 receivers, 3 rules)\n');
    expect(readdirSync(directory).toSorted()).toEqual(['deadair.yaml', 'rules']);
  });

  test('finds the configuration by $DEADAIR_CONFIG and in the working directory', async () => {
    const directory = configuration(goodMain, goodRules);
    expect((await deadair(['validate'], { cwd: directory })).code).toBe(0);
    const env = { DEADAIR_CONFIG: join(directory, 'deadair.yaml') };
    expect((await deadair(['validate'], { cwd: temporaryDirectory(), env })).code).toBe(0);
  });

  test('tells every mistake of all files at once, each at its place, and exits 3', async () => {
    const directory = configuration(
      `${goodMain.replace('topic: backups', 'topik: backups')}check_every: often\nunknown_key: 1\n`,
      `${goodRules.replace('26h', '26')}  - { rule: coverage, copies: 0, id: second }\n`,
    );
    const { code, stdout } = await deadair(['validate', '--config', 'deadair.yaml'], { cwd: directory });
    expect(code).toBe(3);
    const lines = stdout.trimEnd().split('\n');
    for (const line of lines)
      expect(line).toMatch(/^(deadair|rules\/qdrant)\.yaml:\d+:\d+ (\S+: )?expected .+, got .+|^.+:\d+:\d+ \S+: .+/);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^deadair\.yaml:7:\d+ receivers\.phone\S*: expected/),
        expect.stringMatching(/^deadair\.yaml:8:\d+ check_every: expected/),
        expect.stringMatching(/^deadair\.yaml:9:1 unknown_key: /),
        expect.stringMatching(/^rules\/qdrant\.yaml:3:\d+ rules\[0\]\.max_age: expected/),
        expect.stringMatching(/^rules\/qdrant\.yaml:6:\d+ rules\[3\]\.copies: expected/),
      ]),
    );
  });

  test.each([
    ['that is not there', null, /deadair\.yaml/],
    ['that is empty', '', /deadair\.yaml:1:1 /],
    ['that is no YAML', 'name: [unclosed', /deadair\.yaml:\d+:\d+ /],
    [
      'whose rules match no file',
      goodMain.replace('rules/*.yaml', 'none/*.yaml'),
      /deadair\.yaml:1:\d+ rules: expected/,
    ],
  ] as const)('exits 3 for a file %s', async (_, main, says) => {
    const directory = configuration(main ?? '', goodRules);
    const file = main === null ? 'nowhere/deadair.yaml' : 'deadair.yaml';
    const { code, stdout, stderr } = await deadair(['validate', '--config', file], { cwd: directory });
    expect(code).toBe(3);
    expect(stdout + stderr).toMatch(says);
    expect(stdout + stderr).not.toMatch(/^\s+at /m);
  });

  test('exits 3 where there is no configuration at all, and names the places it looked at', async () => {
    const { code, stderr } = await deadair(['validate'], { cwd: temporaryDirectory() });
    expect(code).toBe(3);
    expect(stderr).toMatch(/no configuration: looked for \/etc\/deadair\/deadair\.yaml and \.\/deadair\.yaml/);
  });

  test('finds the shipped files good', async () => {
    const file = new URL('../../rules/deadair.yaml', import.meta.url).pathname;
    expect((await deadair(['validate', '--config', file])).code).toBe(0);
  });
});

describe('the command line', () => {
  test('tells its version and its commands, and exits 0', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      readonly version: string;
    };
    expect(await deadair(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
    const { code, stdout } = await deadair(['--help']);
    expect(code).toBe(0);
    for (const command of ['run', 'check', 'validate', 'lab'])
      expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
  });

  test.each([[['bark']], [['check', '--shiny']], [['check', '--format', 'xml']], [['run', 'extra', 'words']]])(
    'refuses %j with 3, since nothing was judged',
    async (args) => {
      const { code, stdout, stderr } = await deadair(args);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toMatch(/error: /);
      expect(stderr).not.toMatch(/^\s+at /m);
    },
  );
});
