/**
 * Cuts files to be hashed into steps, and reads what came of each step. Made from files and one command's output; it runs
 * nothing.
 */

import type { FileView, Unseen } from '../core/model/evidence.ts';
import { unseenFrom } from '../support/errors.ts';
import { pathToBytes } from '../support/paths.ts';
import { printablePath } from '../support/printable.ts';
import { formatDuration } from '../support/units.ts';
import { explainRefusal } from './listing-trouble.ts';
import { readRecords, type RecordForm } from './records.ts';
import { readingDeadlineMs } from './reading-deadline.ts';
import { isSameFile } from './same-file.ts';
import type { Step } from './scripts.ts';
import { unseen } from './unseen.ts';

/** What reading one file came to: a digest, why there is none, or `again` when it must be read in a step of its own. */
export type StepOutcome =
  | { readonly kind: 'digest'; readonly file: FileView; readonly sha256: string }
  | { readonly kind: 'unreadable'; readonly file: FileView; readonly why: Unseen }
  | { readonly kind: 'again'; readonly file: FileView };

/** Starting a process costs some ms, which is what hashing this much costs; above it a file gets its own. */
const smallBytes = 2 ** 20;
const filesPerStep = 64;

/** Makes steps of files in the order given. Small ones with plain names go together where the hasher takes names. */
export function makeSteps(files: readonly FileView[], takesNames: boolean): Step[] {
  const steps: FileView[][] = [];
  let open: FileView[] | undefined;
  for (const file of files) {
    const isSmall = takesNames && file.sizeBytes <= smallBytes && plainName.test(file.path);
    if (!isSmall) {
      steps.push([file]);
      continue;
    }
    if (open === undefined || open.length >= filesPerStep) steps.push((open = []));
    open.push(file);
  }
  return steps.map(makeStep);
}

/** One step of these files, however large. */
export function makeStep(files: readonly FileView[]): Step {
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return { files, timeoutSeconds: Math.ceil(readingDeadlineMs(sizeBytes) / 1_000) };
}

/** How long the names of a step are in a command, bytes. */
export function namesBytes({ files }: Step): number {
  return files.reduce((sum, { path }) => sum + pathToBytes(path).length + 3, 0);
}

/** No tool has ever printed such a name in any other way than as it is. */
const plainName = /^[A-Za-z0-9_.,:=+@%~/ -]+$/;

/**
 * Reads the output of one step of `hashingScript`, from the end of the step before to its own `done`.
 *
 * @param output as printed; a file whose bytes were not told, or which is not the same afterwards, gets no digest.
 */
export function readStep(step: Step, output: Buffer, form: RecordForm, nonce: string): readonly StepOutcome[] {
  const mark = `\n${nonce} stat `;
  const statAt = output.indexOf(mark);
  const recordsAt = output.indexOf('\n', statAt + 1) + 1;
  const said = output.subarray(0, Math.max(0, statAt)).toString('latin1');
  const status = Number(output.subarray(statAt + mark.length, recordsAt - 1).toString('latin1'));
  const after = new Map(readRecords(form, nonce, output.subarray(recordsAt)).map((file) => [file.path, file]));
  const only = step.files.length === 1 ? step.files[0] : undefined;
  const digests = only === undefined ? digestsByName(said) : onlyDigest(only, said, status);
  return step.files.map((file) => {
    const sha256 = digests.get(file.path);
    const now = after.get(file.path);
    if (sha256 !== undefined && now !== undefined && isSameFile(file, now)) return { kind: 'digest', file, sha256 };
    // In company the words of one file cannot be told from another's.
    if (only === undefined) return { kind: 'again', file };
    return { kind: 'unreadable', file, why: explain(step, file, now, said, status) };
  });
}

function onlyDigest(file: FileView, said: string, status: number): ReadonlyMap<string, string> {
  const [digest, ...more] = [...said.matchAll(/^([0-9a-f]{64})(?: [ *]\S+)?$/gm)].map(([, hex = '']) => hex);
  return new Map(digest === undefined || more.length > 0 || status !== 0 ? [] : [[file.path, digest]]);
}

function digestsByName(said: string): ReadonlyMap<string, string> {
  const lines = said.matchAll(/^([0-9a-f]{64}) [ *]\.\/(.+)$/gm);
  return new Map([...lines].map(([, digest = '', name = '']) => [name, digest]));
}

/** Statuses by which `timeout` says that it ended the command. */
const timeoutStatuses: readonly number[] = [124, 137];

function explain(step: Step, file: FileView, now: FileView | undefined, said: string, status: number): Unseen {
  const name = printablePath(file.path);
  const words = printablePath(said.trim().split('\n')[0] ?? '').slice(0, 200);
  if (/Permission denied|Operation not permitted/.test(said)) {
    return unseenFrom(explainRefusal(`cannot read ${name}`, 'Permission denied'));
  }
  if (now === undefined)
    return unseen('place/not-found', `${name} vanished after it was listed, or is no regular file any more`);
  if (!isSameFile(file, now)) return unseen('place/changed', `${name} changed after it was listed`);
  if (timeoutStatuses.includes(status)) return tooSlow(step, file);
  return unseen('place/read-failed', `reading ${name} failed with status ${status}: ${words}`, diskHint);
}

/** Why a file that did not end in time has no digest. */
export function tooSlow(step: Step, file: FileView): Unseen {
  const span = formatDuration(step.timeoutSeconds * 1_000);
  return unseen('net/timeout', `reading ${printablePath(file.path)} did not end within ${span}`, diskHint);
}

const diskHint = 'look at the disk and the kernel log of that host';
