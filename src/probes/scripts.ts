/**
 * The POSIX shell scripts that list, read and hash on another host. Made from names and a nonce; each fits the rules of
 * `wrapMortal`: one line, no single quote, no doubled backslash. None of them writes a file.
 */

import { octal } from '../clients/mortal.ts';
import type { FileView } from '../core/model/evidence.ts';
import { pathToBytes } from '../support/paths.ts';
import type { RecordForm } from './records.ts';
import { chooseForm, type HostTools } from './shell-tools.ts';

/** Exit status of a script that could not enter the root; no tool that we call ends with it. */
export const cannotEnterStatus = 77;

/** What a script needs to know of its place. */
export interface ScriptPlace {
  /** Absolute. */
  readonly root: string;
  /** Fresh hexadecimal for each command, so that no file can contain it. */
  readonly nonce: string;
}

/** Everything below the working directory that is listed. */
const allFiles = 'find . -xdev -type f';

/** These words of a script. A directory or symlink in a file's place is left out. */
const theseFiles = (names: string): string => `find ${names} -maxdepth 0 -type f`;

/** How each form of record is printed for the files that a `find` selects. */
function recordsCommand(form: RecordForm, nonce: string, select: string): string {
  switch (form) {
    case 'gnu':
      return `${select} -printf "${gnuFormat}"`;
    case 'stat':
      return `${select} -exec stat -c "${statFormat(nonce)}" {} +`;
    case 'bsd':
      return `${select} -exec stat -f "${bsdFormat(nonce)}" {} +`;
  }
}

const gnuFormat = String.raw`%s\0%T@\0%C@\0%i\0%p\0`;
const statFormat = (nonce: string): string => `${nonce}|%s|%Y|%Z|%i|%n`;
const bsdFormat = (nonce: string): string => `${nonce}|%z|%Fm|%Fc|%i|%N`;

/**
 * Lists the root in one command. Prints `NONCE FORM`, the records, `NONCE end STATUS`. Where the root cannot be entered the
 * form is `root` and stderr has the reason, since no shell's `cd` tells it the same way.
 */
export function listingScript({ root, nonce }: ScriptPlace): string {
  const forms = ['gnu', 'stat', 'bsd'] as const;
  const choices = forms.map((form) => `${form}) ${recordsCommand(form, nonce, allFiles)};;`).join(' ');
  return [
    setRoot(root),
    `if cd "$d" 2>/dev/null; then ${chooseForm}; printf "\\n${nonce} %s\\n" $k`,
    `case $k in ${choices} esac; printf "${nonce} end %d\\n" $?`,
    `else printf "\\n${nonce} root\\n"; ls -d "$d/." >/dev/null; printf "${nonce} end 0\\n"; fi`,
  ].join('; ');
}

/** One or more files that are hashed, or read, by one process. */
export interface Step {
  readonly files: readonly FileView[];
  /** How long this step may take, s. */
  readonly timeoutSeconds: number;
}

/**
 * Hashes steps one after the other. `NONCE begin` comes first. Each step prints what the hasher said, `NONCE stat STATUS`, records of the files as they are
 * afterwards, `NONCE done NUMBER`. A step of one file hands it over as stdin, so that its name meets no tool; only plain
 * names form larger steps.
 */
export function hashingScript(
  place: ScriptPlace,
  steps: readonly Step[],
  tools: HostTools,
  options: { readonly isIdle: boolean },
): string {
  const { root, nonce } = place;
  const timeout = tools.timeoutPrefix === null ? '' : `${tools.timeoutPrefix} $T `;
  const hash = `${timeout}${options.isIdle ? `${tools.idlePrefix} ` : ''}${tools.hasher.command}`;
  const after = (names: string, index: string): string =>
    [
      `printf "\\n${nonce} stat %d\\n" $?`,
      `${recordsCommand(tools.form, nonce, theseFiles(names))} 2>/dev/null`,
      `printf "${nonce} done %d\\n" ${index}`,
    ].join('; ');
  const next = 'T=${W%% *}; W=${W#* }';
  const one = `{ [ -f "$f" ] && ${hash} <"$f"; } 2>&1; ${after('"$f"', '$i')}`;
  const ones = nest(`i=$0; for f do ${next}; ${one}; i=$((i+1)); done`);
  const many = nest(`${keepFiles}; ${next}; { ${hash} "$@"; } 2>&1; ${after('"$@"', '$0')}`);
  const begin = `printf "\\n${nonce} begin\\n"`;
  return [setRoot(root), enter, 'export W', `S=${ones}`, `M=${many}`, begin, ...runSteps(steps)].join('; ');
}

/** Steps of one file that follow each other share a shell, since starting one costs as much as hashing 5 MiB. */
function runSteps(steps: readonly Step[]): readonly string[] {
  const runs: { readonly first: number; readonly steps: Step[] }[] = [];
  for (const [index, step] of steps.entries()) {
    const run = runs.at(-1);
    const isShared = step.files.length === 1 && run?.steps[0]?.files.length === 1;
    if (isShared) run.steps.push(step);
    else runs.push({ first: index, steps: [step] });
  }
  return runs.map((run) => {
    const script = run.steps[0]?.files.length === 1 ? '$S' : '$M';
    const timeouts = run.steps.map(({ timeoutSeconds }) => `${timeoutSeconds} `).join('');
    const paths = run.steps.flatMap(({ files }) => files.map(({ path }) => path));
    return `W="${timeouts}"; ${pipeNames(paths)} sh -c "${script}" ${run.first}`;
  });
}

/**
 * Reads small files whole. Prints `NONCE stat STATUS`, records, `NONCE data`, the bytes of all files up to `maxBytesEach`, one
 * after the other in the order of their records, then status and records once more, `NONCE done 0`.
 */
export function readingScript(
  { root, nonce }: ScriptPlace,
  paths: readonly string[],
  form: RecordForm,
  maxBytesEach: number,
): string {
  const records = recordsCommand(form, nonce, theseFiles('"$@"'));
  const script = nest(
    [
      `printf "\\n${nonce} stat 0\\n"; ${records} 2>/dev/null; printf "${nonce} data\\n"`,
      `find "$@" -maxdepth 0 -type f -size -${maxBytesEach + 1}c -exec cat {} +`,
      `printf "\\n${nonce} stat %d\\n" $?; ${records} 2>/dev/null; printf "${nonce} done 0\\n"`,
    ].join('; '),
  );
  return [setRoot(root), enter, `${pipeNames(paths)} sh -c ${script} 0`].join('; ');
}

/** Sets `$d`; the dot keeps a trailing newline from being cut off by the shell. */
function setRoot(root: string): string {
  return `LC_ALL=C; export LC_ALL; d=$(printf "${octal(pathToBytes(root))}."); d=\${d%.}`;
}

const enter = `cd "$d" 2>/dev/null || { ls -d "$d/." >/dev/null; exit ${cannotEnterStatus}; }`;

/** Drops from `"$@"` what is no file any more: a pipe in its place would be waited for. */
const keepFiles = 'for f do shift; if [ -f "$f" ]; then set -- "$@" "$f"; fi; done';

/** Names as arguments of what follows; `./` first, so that none looks like an option. */
function pipeNames(paths: readonly string[]): string {
  const names = paths.map((path) => octal(Buffer.concat([Buffer.from('./'), pathToBytes(path), Buffer.from([0])])));
  return `printf "${names.join('')}" | xargs -0`;
}

/** A script as one double-quoted word of another. */
function nest(script: string): string {
  if (/\\["$`\\]/.test(script)) throw new Error(`cannot be nested: ${script}`);
  return `"${script.replace(/["$`]/g, '\\$&')}"`;
}
