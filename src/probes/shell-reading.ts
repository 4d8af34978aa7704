/** Reads many small files on another host in few round trips. Made from one command's output; it keeps no more than asked for. */

import { randomBytes } from 'node:crypto';
import type { Shell } from '../clients/shell.ts';
import type { FileView } from '../core/model/evidence.ts';
import { WatchdogError, type ErrorCode, unseenFrom } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { pathToBytes } from '../support/paths.ts';
import { printablePath } from '../support/printable.ts';
import { explainRefusal } from './listing-trouble.ts';
import type { ReadResult } from './place.ts';
import { readingDeadlineMs } from './reading-deadline.ts';
import { readRecords, type RecordForm } from './records.ts';
import { isSameFile } from './same-file.ts';
import { cannotEnterStatus, readingScript } from './scripts.ts';
import { tooLarge, unseen } from './unseen.ts';

/** What reading over a shell needs. */
export interface ShellReading {
  readonly shell: Shell;
  readonly root: string;
  readonly form: RecordForm;
  readonly maxBytesEach: number;
  readonly signal: AbortSignal;
}

/**
 * Reads files whole, many in one command.
 *
 * @returns one entry a path, in the order asked.
 * @throws WatchdogError when the host is lost.
 */
export async function readOverShell(paths: readonly string[], reading: ShellReading): Promise<readonly ReadResult[]> {
  const results: ReadResult[] = [];
  for (const group of groupByNames(paths)) results.push(...(await readGroup(group, reading)));
  return results;
}

function groupByNames(paths: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const path of paths) {
    const nameBytes = pathToBytes(path).length + 3;
    bytes += nameBytes;
    if (bytes > limits.namesBytes) {
      groups.push([]);
      bytes = nameBytes;
    }
    groups.at(-1)?.push(path);
  }
  return groups;
}

/** The bytes of a group come in one stream, cut by the sizes: when they do not add up, each half is asked for again. */
async function readGroup(paths: readonly string[], reading: ShellReading): Promise<readonly ReadResult[]> {
  const output = await run(paths, reading);
  const results = output === 'too-large' ? undefined : cut(paths, output, reading.maxBytesEach);
  if (results !== undefined) return results;
  const [only] = paths;
  if (paths.length === 1 && only !== undefined) return [{ path: only, why: explain(only, output, reading) }];
  const middle = Math.ceil(paths.length / 2);
  return [...(await readGroup(paths.slice(0, middle), reading)), ...(await readGroup(paths.slice(middle), reading))];
}

/** One command's output, taken apart. */
interface Output {
  readonly before: ReadonlyMap<string, FileView>;
  readonly data: Buffer;
  /** Of the command that printed the bytes. */
  readonly status: number;
  readonly after: ReadonlyMap<string, FileView>;
  readonly stderr: string;
}

async function run(paths: readonly string[], reading: ShellReading): Promise<Output | 'too-large'> {
  const { shell, root, form, maxBytesEach, signal } = reading;
  const nonce = randomBytes(12).toString('hex');
  try {
    const { code, stdout, stderr } = await shell.exec(readingScript({ root, nonce }, paths, form, maxBytesEach), {
      deadlineMs: readingDeadlineMs(limits.manifestsBytes),
      maxStdoutBytes: Math.max(limits.manifestsBytes, maxBytesEach) + 2 ** 20,
      signal,
    });
    const where = `${shell.address}${printablePath(root)}`;
    const said = stderr.trim().split('\n').at(-1) ?? '';
    if (code === cannotEnterStatus) throw explainRefusal(`cannot enter ${where}`, /: ([^:]+)$/.exec(said)?.[1] ?? said);
    const output = takeApart(Buffer.from(stdout.buffer, stdout.byteOffset, stdout.length), form, nonce);
    if (output !== undefined && code === 0) return { ...output, stderr };
    const words = said === '' ? '' : `: ${printablePath(said).slice(0, 200)}`;
    throw new WatchdogError('ssh/command-failed', `reading in ${where} ended with status ${code ?? 'none'}${words}`);
  } catch (thrown) {
    if (thrown instanceof WatchdogError && thrown.code === 'output/too-large') return 'too-large';
    throw thrown;
  }
}

/** @returns undefined when a mark is missing: the output was cut. */
function takeApart(stdout: Buffer, form: RecordForm, nonce: string): Omit<Output, 'stderr'> | undefined {
  const stat = `\n${nonce} stat `;
  const data = `${nonce} data\n`;
  const done = `${nonce} done 0\n`;
  const first = stdout.indexOf(stat);
  const dataAt = first < 0 ? -1 : stdout.indexOf(data, first);
  const last = dataAt < 0 ? -1 : stdout.indexOf(stat, dataAt + data.length);
  const end = last < 0 ? -1 : stdout.indexOf(done, last);
  if (end < 0) return undefined;
  const recordsBetween = (from: number, to: number): ReadonlyMap<string, FileView> => {
    const records = stdout.subarray(stdout.indexOf('\n', from + 1) + 1, to);
    return new Map(readRecords(form, nonce, records).map((file) => [file.path, file]));
  };
  return {
    before: recordsBetween(first, dataAt),
    data: stdout.subarray(dataAt + data.length, last),
    status: Number(/^\d+/.exec(stdout.subarray(last + stat.length, last + stat.length + 5).toString('latin1'))?.[0]),
    after: recordsBetween(last, end),
  };
}

/** @returns undefined when the bytes are not those of the files as they were before and after. */
function cut(paths: readonly string[], output: Output, maxBytesEach: number): readonly ReadResult[] | undefined {
  const results: ReadResult[] = [];
  let at = 0;
  for (const path of paths) {
    const file = output.before.get(path);
    const after = output.after.get(path);
    if (file === undefined || after === undefined || !isSameFile(file, after)) return undefined;
    if (file.sizeBytes > maxBytesEach) {
      results.push({ path, why: tooLarge(file, maxBytesEach) });
      continue;
    }
    results.push({ path, file, bytes: output.data.subarray(at, at + file.sizeBytes) });
    at += file.sizeBytes;
  }
  return output.status === 0 && at === output.data.length ? results : undefined;
}

function explain(path: string, output: Output | 'too-large', reading: ShellReading): ReturnType<typeof unseen> {
  const name = printablePath(path);
  if (output === 'too-large') return unseen('output/too-large', `${name} grew while it was read`);
  const words = /: ([^:\n]+)\n*$/.exec(output.stderr)?.[1] ?? '';
  if (/Permission denied|Operation not permitted/.test(output.stderr)) {
    return unseenFrom(explainRefusal(`cannot read ${name}`, 'Permission denied'));
  }
  const after = output.after.get(path);
  const before = output.before.get(path);
  const because = (code: ErrorCode, what: string): ReturnType<typeof unseen> => unseen(code, `${name} ${what}`);
  if (after === undefined) return because('place/not-found', 'is not there');
  if (before === undefined || !isSameFile(before, after)) return because('place/changed', 'changed while it was read');
  if (before.sizeBytes > reading.maxBytesEach) return tooLarge(before, reading.maxBytesEach);
  return because('place/read-failed', `could not be read: status ${output.status}, ${printablePath(words)}`);
}
