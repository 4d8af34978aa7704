/** Reads from the stderr of `find` and `stat` which directories could not be seen whole. It guesses nothing from silence. */

import type { ListingView } from '../core/model/evidence.ts';
import { WatchdogError, type ErrorCode, unseenFrom } from '../support/errors.ts';
import { bytesToPath } from '../support/paths.ts';
import { printablePath } from '../support/printable.ts';
import { unseen } from './unseen.ts';

type Unreadable = ListingView['unreadable'][number];

/**
 * Directories whose listing is not whole, each once.
 *
 * @param stderr what the tools said in the C locale; a login's own noise may stand between.
 * @param status of `find`: other than 0 when part of the tree could not be seen.
 * @returns paths relative to the root, `''` for the root itself. Never empty when the status is not 0.
 */
export function readTrouble(stderr: string, status: number): readonly Unreadable[] {
  const found = new Map<string, Unreadable>();
  for (const line of stderr.split('\n')) {
    const trouble = readLine(line);
    if (trouble !== null && !found.has(trouble.path)) found.set(trouble.path, trouble);
  }
  if (found.size === 0 && status !== 0) {
    const said = printablePath(stderr.trim().split('\n').at(-1) ?? '').slice(0, 200);
    found.set('', { path: '', why: unseen('place/incomplete', `find ended with status ${status}: ${said}`) });
  }
  return [...found.values()];
}

/**
 * Why a directory or file could not be opened, by the system's own words for it.
 *
 * @param what begins the sentence.
 */
export function explainRefusal(what: string, words: string): WatchdogError {
  const code = refusals.find(([pattern]) => pattern.test(words))?.[1] ?? 'place/read-failed';
  const hint = 'let the user of deadair read it: setfacl -R -m u:USER:rX PATH';
  return new WatchdogError(code, `${what}: ${words}`, code === 'place/denied' ? { hint } : {});
}

const refusals: readonly (readonly [RegExp, ErrorCode])[] = [
  [/Permission denied|Operation not permitted|EACCES|EPERM/, 'place/denied'],
  [/No such file or directory|ENOENT/, 'place/not-found'],
  [/Not a directory|ENOTDIR/, 'place/not-a-directory'],
];

/** `find: './a/b': Permission denied`, `stat: can't stat './a': No such …`; GNU quotes the name, BusyBox and BSD do not. */
const troubleLine =
  /^(?:\S*\/)?(?:find|stat): (?:cannot (?:statx?|open directory|access) |can't stat )?(?<name>.+): (?<words>[^:]+)$/;

function readLine(line: string): Unreadable | null {
  const { name, words } = troubleLine.exec(line)?.groups ?? {};
  if (name === undefined || words === undefined) return null;
  const path = relativePath(/^'.*'$/s.test(name) ? unquote(name.slice(1, -1)) : name);
  const why = unseenFrom(explainRefusal(`cannot list ${printablePath(path === '' ? '.' : path)}`, words));
  if (why.code === 'place/denied') return { path, why };
  // A file that vanished while we looked may have a new name that we did not see: its directory is what is not whole.
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  return { path: parent, why: why.code === 'place/not-found' ? why : { ...why, code: 'place/incomplete' } };
}

function relativePath(name: string): string {
  return name === '.' ? '' : name.replace(/^\.\//, '');
}

/** GNU's quoting in the C locale: `\n`, `\'`, and every byte beyond ASCII as three octal digits. */
function unquote(quoted: string): string {
  const bytes = Buffer.from(
    quoted.replace(/\\([0-7]{3}|.)/g, (_, escape: string) => {
      if (escape.length === 3) return String.fromCharCode(Number.parseInt(escape, 8));
      return escapes[escape] ?? escape;
    }),
    'latin1',
  );
  return bytesToPath(bytes);
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
