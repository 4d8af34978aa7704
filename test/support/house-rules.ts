/** The rules of the house about its sources, as data and as functions from a file to what is wrong with it. */

import { codeOf, importsOf, leadsTo, type SourceFile } from './sources.ts';

/** What a folder of `src` may import. Its own folder is always allowed, and no package that it does not name. */
export interface Layer {
  /** Below `src`. */
  readonly folder: string;
  /** Folders or files below `src`. */
  readonly may: readonly string[];
  readonly packages?: readonly string[];
  /** Whether it may use what Node brings. */
  readonly node?: boolean;
}

/** Files of `support` that are pure, so that the pure core may use them: no clock, no I/O, no state. */
const pure = ['support/units.ts', 'support/schemas.ts', 'support/printable.ts'];

/** Who may import whom. An exception of this project: every part of the core may use the pure files of `support`. */
export const layers: readonly Layer[] = [
  { folder: 'support', may: [], packages: ['pino', 'yaml', 'zod'], node: true },
  { folder: 'core/model', may: [] },
  { folder: 'core/findings', may: ['core/model', ...pure], packages: ['croner', 'zod'] },
  { folder: 'core/alerts', may: ['core/model', ...pure] },
  { folder: 'core/routing', may: ['core/model', ...pure] },
  { folder: 'core/report', may: ['core/model', ...pure] },
  { folder: 'clients', may: ['support'], packages: ['p-retry', 'ssh2', 'undici', 'zod'], node: true },
  { folder: 'probes', may: ['core/model', 'clients', 'support'], packages: ['zod'], node: true },
  { folder: 'inbox', may: ['core/model', 'clients', 'support'], packages: ['zod'], node: true },
  { folder: 'delivery', may: ['core/model', 'clients', 'support'], packages: ['p-retry', 'zod'], node: true },
  { folder: 'heartbeats', may: ['core/model', 'clients', 'support'], node: true },
  { folder: 'store', may: ['core/model', 'clients', 'support'], packages: ['zod'], node: true },
  { folder: 'web', may: ['core/model', 'core/report', 'clients', 'support'], node: true },
  { folder: 'config', may: ['core/model', 'support'], packages: ['croner', 'zod'], node: true },
  {
    folder: 'watchdog',
    may: ['core', 'probes', 'inbox', 'delivery', 'heartbeats', 'store', 'web', 'config', 'clients', 'support'],
    packages: ['zod'],
    node: true,
  },
  {
    folder: 'cli',
    // It prints the version that the package has.
    may: ['watchdog', 'config', 'store', 'core', 'support', 'lab', '../package.json'],
    packages: ['commander', 'zod'],
    node: true,
  },
  { folder: 'lab', may: ['support'], packages: ['ssh2', 'zod'], node: true },
  { folder: 'backup', may: ['clients', 'support'], packages: ['commander', 'zod'], node: true },
  { folder: 'main.ts', may: ['cli'] },
];

/** What is wrong with the imports of a file; one sentence each. */
export function wrongImports({ path, text }: SourceFile): readonly string[] {
  const file = path.replace(/^src\//, '');
  const layer = layerOf(file);
  if (layer === undefined) return [`${path} is in no folder of the import table`];
  return importsOf(text).flatMap(({ specifier }) => {
    if (specifier === null) return [`${path} imports what only its run can tell`];
    const target = leadsTo(file, specifier);
    if (target === null) return isPackageAllowed(layer, specifier) ? [] : [`${path} may not use ${specifier}`];
    const allowed = [layer.folder, ...layer.may];
    return allowed.some((each) => isWithin(target, each)) ? [] : [`${path} may not import ${target}`];
  });
}

/** The row of the table that a file below `src` belongs to. */
export function layerOf(file: string): Layer | undefined {
  return layers.find(({ folder }) => isWithin(file, folder));
}

function isPackageAllowed(layer: Layer, specifier: string): boolean {
  // The state database is the store's alone.
  if (specifier === 'node:sqlite') return layer.folder === 'store';
  if (specifier.startsWith('node:')) return layer.node === true;
  return layer.packages?.includes(specifier) === true;
}

function isWithin(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}

/** Words that say a thing is not finished. */
const unfinished = /\b(?:TODO|FIXME|XXX|[Nn]ot (?:yet )?implemented)\b/;

/** What the pure core may not touch: clocks, timers, chance, the process. */
const impure = [
  /\bDate\.now\b/,
  /\b(?:new )?Date\(\s*\)/,
  // croner asks the clock where it is given no date.
  /\b(?:next|previous)Runs?\(\s*\)/,
  /\bperformance\b/,
  /\bset(?:Timeout|Interval|Immediate)\b/,
  /\bMath\.random\b/,
  /\bcrypto\b/,
  /\bprocess\b/,
  /\bfetch\b/,
];

/** What is wrong with a file beside its imports; one sentence each. */
export function wrongWays(file: SourceFile): readonly string[] {
  const { path, text } = file;
  const code = codeOf(text);
  const lines = text.trimEnd().split('\n').length;
  return [
    ...(lines > 400 ? [`${path} has ${lines} lines, at most 400`] : []),
    ...(text.startsWith('/**') || text.startsWith('#!') ? [] : [`${path} does not begin by saying what it is`]),
    ...(/\bprocess\s*\.\s*exit\s*\(/.test(code) && path !== 'src/main.ts' ? [`${path} ends the process`] : []),
    ...(/\bconsole\s*[.[]/.test(code) ? [`${path} writes to the console`] : []),
    ...(unfinished.test(text) ? [`${path} says that it is not finished: ${unfinished.exec(text)?.[0]}`] : []),
    ...(path.startsWith('src/core/')
      ? impure.flatMap((each) => each.exec(code) ?? []).map((found) => `${path} is not pure: ${found}`)
      : []),
    ...undocumented(file),
  ];
}

/** Everything exported says what it means: a docstring right before each exported declaration. */
function undocumented({ path, text }: SourceFile): readonly string[] {
  const code = codeOf(text);
  const declarations = code.matchAll(
    /^export\s+(?:default\s+)?(?:abstract\s+)?(?:async\s+)?(?:const|let|function\*?|class|interface|type|enum)\s+(\w+)/gm,
  );
  return [...declarations].flatMap((match) => {
    const before = text.slice(0, match.index).replace(/\n\/\/ ?oxlint-disable[^\n]*\n$/, '\n');
    const isDocumented = /\/\*\*(?:(?!\*\/)[^])*\*\/\n$/.test(before);
    return isDocumented ? [] : [`${path} exports ${match[1]} without saying what it is`];
  });
}
