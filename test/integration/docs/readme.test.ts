/** Holds README.md to the code: its commands, tables, files and variables are those of the program. */

import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { formatMistake } from '../../../src/config/mistake.ts';
import { checkView } from '../../../src/core/report/check-view.ts';
import { exitCodes } from '../../../src/core/report/verdict.ts';
import { labSabotages } from '../../../src/lab/sabotage.ts';
import { receiverKinds, ruleKinds } from '../../../src/watchdog/kinds.ts';
import { temporaryDirectory } from '../../support/copies.ts';
import { checkout, codeBlocks, links, plain, section, tables, textOf } from './markdown.ts';
import { deadair } from '../../support/process.ts';
import { found } from '../../support/watch.ts';
import { ms, nowMs } from '../../support/world.ts';

const readme = textOf('README.md');
const rulesReadme = textOf('rules/README.md');
const documents = { 'README.md': readme, 'rules/README.md': rulesReadme, 'CHANGELOG.md': textOf('CHANGELOG.md') };

/** Loads a rule file beside the shipped main file. */
async function loadBesideMain(ruleFile: string): Promise<Awaited<ReturnType<typeof loadConfig>>> {
  const directory = temporaryDirectory();
  copyFileSync(`${checkout}rules/deadair.yaml`, join(directory, 'deadair.yaml'));
  writeFileSync(join(directory, 'qdrant.yaml'), ruleFile);
  const file = join(directory, 'deadair.yaml');
  return loadConfig({ file, ruleKinds, receiverKinds, env: {}, nowMs: Date.UTC(2026, 11, 1) });
}

/** All paths inside an object: `findings[].mutedBy.kind`. */
function pathsOf(value: unknown, prefix = ''): readonly string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((each) => pathsOf(each, `${prefix}[]`)))];
  if (value === null || typeof value !== 'object') return [prefix];
  return Object.entries(value).flatMap(([key, each]) => pathsOf(each, prefix === '' ? key : `${prefix}.${key}`));
}

/** All sources below a folder, in one text. */
function sourcesBelow(folder: string): string {
  return readdirSync(`${checkout}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith(join('integration', 'docs')))
    .map((name) => textOf(`${folder}/${name}`))
    .join('\n');
}

test.each(Object.entries(documents))('%s links to files that are there', (name, text) => {
  expect(links(text).filter((path) => !existsSync(join(checkout, dirname(name), path)))).toEqual([]);
});

describe('the commands of README.md', () => {
  const words = (tables(section(readme, 'Commands and exit codes'))[0] ?? []).map(
    ([command = '']) => plain(command).split(' ')[1] ?? '',
  );

  test('are those of the program', async () => {
    const { stdout } = await deadair(['--help']);
    const listed = stdout.split(/^Commands:$/m)[1] ?? '';
    const commands = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, word]) => word).filter((word) => word !== 'help');
    expect(commands).not.toEqual([]);
    expect(new Set(words)).toEqual(new Set(commands));
  });

  test('have every option that README.md and rules/README.md name', async () => {
    const helps = await Promise.all([...new Set(words)].map((word) => deadair([word, '--help'])));
    const known = new Set(helps.flatMap(({ stdout }) => stdout.match(/--[a-z-]+/g) ?? []));
    // A manifest that BSD tools write is named after their option.
    const named = `${readme}\n${rulesReadme}`.replaceAll('BSD `--tag`', '').match(/(?<=[\s`])--[a-z][a-z-]*/g) ?? [];
    expect(named).not.toEqual([]);
    expect(named.filter((option) => !known.has(option))).toEqual([]);
  });
});

test('the exit codes of README.md are those of check, each with its verdict', () => {
  const rows = tables(section(readme, 'Commands and exit codes'))[1] ?? [];
  expect(rows.map(([code = '', verdict = '']) => [plain(verdict), Number(code)])).toEqual(Object.entries(exitCodes));
});

test('the fields of check --json in README.md are all there are', () => {
  const mutedBy = { kind: 'exception', because: 'meant', by: 'rules/qdrant.yaml', untilMs: nowMs + ms('1d') } as const;
  const view = checkView('phx-ai02', nowMs, {
    findings: [found('failing', 'books', '0s', { mutedBy })],
    notPromised: [{ subject: 'phx-ai01/arxiv', rule: 'integrity' }],
  });
  const [rows = []] = tables(section(readme, 'What `check --json` prints'));
  expect(rows.map(([field = '']) => plain(field))).toEqual(pathsOf(view));
  expect(rows.every(([, meaning = '']) => meaning !== '')).toBe(true);
});

describe('the variables of README.md', () => {
  const named = [...`${readme}\n${rulesReadme}\n${textOf('rules/deadair.yaml')}`.matchAll(/\$?\b[A-Z]+(?:_[A-Z]+)+\b/g)]
    .map(([name]) => name.replace('$', ''))
    .filter((name) => !/^_|SHA|MIT/.test(name));

  test('are looked at by the program or its tests', () => {
    const code = `${sourcesBelow('src')}\n${sourcesBelow('test')}`;
    expect(named).toContain('DEADAIR_CONFIG');
    expect(named.filter((name) => !code.includes(name))).toEqual([]);
  });

  test('are all that the program looks at', () => {
    const read = [...sourcesBelow('src').matchAll(/\benv\['([A-Z_]+)'\]/g)].map(([, name]) => name ?? '');
    expect(read).toContain('DEADAIR_CONFIG');
    expect(read.filter((name) => !named.includes(name))).toEqual([]);
  });
});

test('the sabotages that README.md names are played by the lab', () => {
  const [, listed = ''] = /takes sabotage by name: ([^…]*)…/.exec(readme) ?? [];
  const names = [...listed.matchAll(/`([\w-]+)`/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(2);
  expect(labSabotages.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
});

describe('the rule file of README.md', () => {
  const [block = '', ...others] = codeBlocks(readme, 'yaml');

  test('loads beside the shipped main file without a mistake or a warning', async () => {
    expect(others).toEqual([]);
    const config = await loadBesideMain(block);
    expect(config.kind === 'mistakes' ? config.mistakes.map(formatMistake) : []).toEqual([]);
    expect(config.warnings.map(formatMistake)).toEqual([]);
    expect(config.kind === 'loaded' && config.rules.map(({ kind }) => kind)).toEqual([
      'freshness',
      'coverage',
      'integrity',
    ]);
  });

  test('with a slip of the pen is told as rules/README.md shows it', async () => {
    const [shown = ''] = codeBlocks(rulesReadme, '');
    const [, place = '', before = '', after = ''] = /^rules\/qdrant\.yaml(:.*: )(.*?)…(.*)\n$/.exec(shown) ?? [];
    const config = await loadBesideMain(block.replace('max_age:', 'max_agee:'));
    const [first = ''] = config.kind === 'mistakes' ? config.mistakes.map(formatMistake) : [];
    expect(first).toContain(`qdrant.yaml${place}${before}`);
    expect(first.endsWith(after)).toBe(true);
    expect(after).not.toBe('');
  });
});
