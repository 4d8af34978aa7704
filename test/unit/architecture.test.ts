import { describe, expect, test } from 'vitest';
import { layerOf, layers, wrongImports, wrongWays } from '../support/house-rules.ts';
import { codeOf, importsOf, readSources, type SourceFile } from '../support/sources.ts';

const sources = readSources('src');

/** A file that begins as it should. */
function file(text: string, path = 'src/probes/x.ts'): SourceFile {
  return { path, text: `/** What it is. */\n\n${text}\n` };
}

test('this runs on Node 24 or newer, as the package says', () => {
  expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(24);
});

describe('the sources of this project', () => {
  test('are there', () => {
    expect(sources.map(({ path }) => path)).toContain('src/core/findings/judge.ts');
  });

  test('import only what the import table allows', () => {
    expect(sources.flatMap((each) => wrongImports(each))).toEqual([]);
  });

  test('keep the rules of the house', () => {
    expect(sources.flatMap((each) => wrongWays(each))).toEqual([]);
  });
});

describe('the import table', () => {
  test('has no row that another hides, and names only rows', () => {
    for (const { folder, may } of layers) {
      expect(layerOf(`${folder}/x.ts`)?.folder).toBe(folder);
      for (const each of may.filter((name) => !name.startsWith('../'))) {
        const isKnown = layers.some((layer) => layer.folder === each || layer.folder.startsWith(`${each}/`));
        expect(isKnown || layerOf(each) !== undefined, each).toBe(true);
      }
    }
  });

  test('lets nothing import the backup, the commands or the entry', () => {
    for (const { folder, may } of layers) {
      expect(may).not.toContain('backup');
      expect(may).not.toContain('main.ts');
      if (folder !== 'main.ts') expect(may).not.toContain('cli');
    }
  });

  test.each([
    ['a folder that is in no row', 'src/gadgets/x.ts', ''],
    ['a file beside main.ts', 'src/other.ts', ''],
    ['support that imports the core', 'src/support/x.ts', "import { judge } from '../core/findings/judge.ts';"],
    ['the model importing support', 'src/core/model/x.ts', "import type { Clock } from '../../support/clock.ts';"],
    ['a type of another layer', 'src/core/findings/x.ts', "import type { Policy } from '../routing/policy.ts';"],
    [
      'a core that reads the clock of support',
      'src/core/alerts/x.ts',
      "import { systemClock } from '../../support/clock.ts';",
    ],
    ['a core that uses Node', 'src/core/findings/x.ts', "import { readFileSync } from 'node:fs';"],
    ['a core that uses a package', 'src/core/routing/x.ts', "import { z } from 'zod';"],
    ['routing that runs findings', 'src/core/routing/x.ts', "import { judge } from '../findings/judge.ts';"],
    [
      'routing that runs one of several',
      'src/core/report/x.ts',
      "import { type Rule, judge } from '../findings/judge.ts';",
    ],
    ['a probe that imports another folder', 'src/probes/x.ts', "import { openStore } from '../store/open.ts';"],
    ['a probe that exports from another folder', 'src/probes/x.ts', "export { openStore } from '../store/open.ts';"],
    ['an export of everything', 'src/probes/x.ts', "export * from '../store/open.ts';"],
    ['an export of everything under a name', 'src/probes/x.ts', "export * as store from '../store/open.ts';"],
    ['a dynamic import', 'src/probes/x.ts', "const { openStore } = await import('../store/open.ts');"],
    ['a computed import', 'src/probes/x.ts', 'const it = await import(name);'],
    ['an import for its effect', 'src/probes/x.ts', "import '../store/open.ts';"],
    [
      'a default import beside types',
      'src/core/routing/x.ts',
      "import judge, { type Rule } from '../findings/judge.ts';",
    ],
    ['a worker of another folder', 'src/probes/x.ts', "new Worker(new URL('../store/worker.ts', import.meta.url));"],
    ['a require', 'src/probes/x.ts', "const store = require('../store/open.ts');"],
    ['the lab inside the watchdog', 'src/watchdog/x.ts', "import { startLab } from '../lab/world.ts';"],
    ['a second user of SQLite', 'src/watchdog/x.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['a package that no row names', 'src/probes/x.ts', "import lodash from 'lodash';"],
    ['a part of a package', 'src/clients/x.ts', "import { Agent } from 'undici/lib/agent.js';"],
    ['a way out of the sources', 'src/probes/x.ts', "import { world } from '../../test/support/world.ts';"],
    [
      'an import over several lines',
      'src/probes/x.ts',
      "import {\n  openStore,\n  type Store,\n} from '../store/open.ts';",
    ],
    ['an import after another on the same line', 'src/probes/x.ts', "import './place.ts'; import '../store/open.ts';"],
  ])('refuses %s', (_, path, text) => {
    expect(wrongImports({ path, text })).toHaveLength(1);
  });

  test.each([
    ['its own folder', 'src/probes/x.ts', "import { place } from './place.ts';"],
    ['a type of the model', 'src/core/alerts/x.ts', "import type { Alert } from '../model/alert.ts';"],
    ['a pure file of support', 'src/core/findings/x.ts', "import { formatSize } from '../../support/units.ts';"],
    ['SQLite in the store', 'src/store/x.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['the lab for its command', 'src/cli/lab.ts', "import { startLab } from '../lab/world.ts';"],
    [
      'what only a comment says',
      'src/probes/x.ts',
      "// import '../store/open.ts';\n/* export * from '../cli/x.ts'; */",
    ],
    ['what only a text says', 'src/probes/x.ts', "const text = `\nimport '../store/open.ts';\n`;"],
  ])('allows %s', (_, path, text) => {
    expect(wrongImports({ path, text })).toEqual([]);
  });
});

describe('the rules of the house', () => {
  test.each([
    ['a file of more than 400 lines', file('\n'.repeat(400).concat('const a = 1;'))],
    ['a file that does not say what it is', { path: 'src/probes/x.ts', text: 'const a = 1;\n' }],
    ['the end of the process', file('process.exit(1);')],
    ['the end of the process inside a template', file('const a = `${process.exit(1)}`;')],
    ['a line on the console', file("console.log('here');")],
    ['something left to do', file('// TODO: later')],
    ['something not implemented', file("throw new Error('not implemented');")],
    ['an export that nobody explains', file('export const a = 1;')],
    ['an explanation that does not stand before its export', file('/** One. */\n\nexport const a = 1;')],
    ['a line comment for an explanation', file('// One.\nexport function a(): void {}')],
    ['an interface that nobody explains', file('/** One. */\nexport interface A {}\nexport interface B {}')],
    ['an async function that nobody explains', file('export async function a(): Promise<void> {}')],
    ['a core that reads the clock', file('const a = Date.now();', 'src/core/x.ts')],
    ['a core that reads the clock another way', file('const a = new Date();', 'src/core/x.ts')],
    ['a core that lets croner read the clock', file('const a = cron.nextRun();', 'src/core/x.ts')],
    ['a core that waits', file('setTimeout(a, 1);', 'src/core/x.ts')],
    ['a core that throws dice', file('const a = Math.random();', 'src/core/x.ts')],
    ['a core that measures', file('const a = performance.timeOrigin;', 'src/core/x.ts')],
    ['a core that knows its process', file('const a = process.env;', 'src/core/x.ts')],
    ['a core that reads the clock in a template', file('const a = `at ${`${Date.now()}`}`;', 'src/core/x.ts')],
    [
      'a clock behind a regular expression with quotes',
      file('const a = /["\'`/]/; const b = Date.now();', 'src/core/x.ts'),
    ],
  ])('refuse %s', (_, given) => {
    expect(wrongWays(given)).toHaveLength(1);
  });

  test.each([
    ['a file of 400 lines', file('\n'.repeat(397).concat('const a = 1;'))],
    ['the end of the process in main.ts', file('process.exit(1);', 'src/main.ts')],
    ['an exit code', file('process.exitCode = 1;')],
    ['a word that only begins so', file('const todo = null;')],
    ['an export that is explained', file('/** One. */\nexport const a = 1;')],
    [
      'a header that explains the first export',
      { path: 'src/probes/x.ts', text: '/** One. */\nexport const a = 1;\n' },
    ],
    ['a remark to the linter between', file('/** One. */\n// oxlint-disable-next-line a -- b\nexport const a = 1;')],
    ['an export of what is explained elsewhere', file("export { a } from './a.ts';")],
    ['a date made from a number', file('const a = new Date(atMs);', 'src/core/x.ts')],
    ['a clock that only a comment or text names', file("// Date.now()\nconst a = 'Date.now()';", 'src/core/x.ts')],
    ['a clock outside the core', file('const a = Date.now();')],
  ])('allow %s', (_, given) => {
    expect(wrongWays(given)).toEqual([]);
  });
});

describe('the scanner', () => {
  test.each([
    ["const a = 'it\\'s'; b", "const a = '     '; b"],
    ['const a = "\\\\"; b', 'const a = "  "; b'],
    ['a // b\nc', 'a     \nc'],
    ['a /* b\nc */ d', 'a     \n     d'],
    ['`a ${b} c ${`d ${e}`} f`', '`  ${b}   ${`  ${e}`}  `'],
    ['`${{ a: 1 }.a} b` + c', '`${{ a: 1 }.a}  ` + c'],
    ['a / b / c', 'a / b / c'],
    ['x = /a[/"]b\\//g; c', 'x = /        /g; c'],
    ["'a' // 'b'", "' '       "],
    ["'a // b'; c", "'      '; c"],
  ])('tells code from what is none: %j', (text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  test('keeps the length and the lines of every source', () => {
    for (const { path, text } of sources) {
      const code = codeOf(text);
      expect(code.length, path).toBe(text.length);
      expect(code.split('\n').length, path).toBe(text.split('\n').length);
    }
  });

  test('finds as many import statements as there are lines that begin so', () => {
    for (const { path, text } of sources) {
      const begun = [...codeOf(text).matchAll(/^import\b(?!\s*\.)/gm)].length;
      expect(importsOf(text).length, path).toBeGreaterThanOrEqual(begun);
    }
  });
});
