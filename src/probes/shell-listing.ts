/** Lists a directory on another host in one round trip. Made from one command's output as it comes; it holds no output back. */

import { randomBytes } from 'node:crypto';
import type { ExecResult, Shell } from '../clients/shell.ts';
import type { FileView, ListingView } from '../core/model/evidence.ts';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { printablePath } from '../support/printable.ts';
import { explainRefusal, readTrouble } from './listing-trouble.ts';
import { createRecordReader, type RecordForm, type RecordReader } from './records.ts';
import { listingScript } from './scripts.ts';

/** A listing, and the form in which that host can tell of files. */
export interface ShellListing {
  readonly listing: ListingView;
  readonly form: RecordForm;
}

/**
 * Lists all regular files below `root`.
 *
 * @param root absolute; may itself be a symlink.
 * @throws WatchdogError when nothing of it could be seen, or the output was cut; a part that could not be seen is
 * `unreadable`.
 */
export async function listOverShell(shell: Shell, root: string, signal: AbortSignal): Promise<ShellListing> {
  const nonce = randomBytes(12).toString('hex');
  const output = new ListingOutput(nonce);
  const result = await shell.exec(listingScript({ root, nonce }), {
    deadlineMs: limits.listMs,
    maxStdoutBytes: limits.listBytes,
    signal,
    onStdout: (chunk) => output.push(chunk),
  });
  return finish(`${shell.address}${printablePath(root)}`, output, result);
}

function finish(where: string, output: ListingOutput, { code, signal, stderr }: ExecResult): ShellListing {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (output.form === 'root') {
    const words = /: ([^:]+)$/.exec(said)?.[1] ?? said;
    throw explainRefusal(`cannot enter ${where}`, words);
  }
  if (output.form === 'none') {
    throw new WatchdogError('place/unsupported', `${where}: the host has neither find -printf nor stat`, {
      hint: 'install findutils or coreutils there',
      permanent: true,
    });
  }
  const status = output.endStatus();
  if (status === undefined || code !== 0 || output.form === 'untold') {
    const how = signal === null ? `status ${code ?? 'unknown'}` : `signal ${signal}`;
    const words = said === '' ? '' : `: ${printablePath(said).slice(0, 200)}`;
    const message = `the listing of ${where} was cut off (${how}, ${output.files.length} files so far)${words}`;
    throw new WatchdogError('place/incomplete', message);
  }
  const unreadable = readTrouble(stderr, status);
  const rootItself = unreadable.find(({ path, why }) => path === '' && why.code === 'place/denied');
  if (rootItself !== undefined && output.files.length === 0) {
    throw explainRefusal(`cannot list ${where}`, 'Permission denied');
  }
  return { form: output.form, listing: { files: output.files, unreadable } };
}

/** What a login prints before our command starts; more than this is no login but a flood. */
const noiseBytes = 1 << 20;

/** The head line, then records, then the end mark. */
class ListingOutput {
  readonly files: FileView[] = [];
  /** `root`: it could not be entered. `none`: that host cannot list. `untold`: the head line has not come. */
  form: RecordForm | 'root' | 'none' | 'untold' = 'untold';
  readonly #nonce: string;
  #head: Buffer = Buffer.alloc(0);
  #records: RecordReader | undefined;

  constructor(nonce: string) {
    this.#nonce = nonce;
  }

  push(chunk: Uint8Array): void {
    const records = this.#records === undefined ? this.#startRecords(chunk) : this.#records.push(chunk);
    for (const file of records) this.files.push(file);
    if (this.files.length > limits.files) {
      throw new WatchdogError('output/too-large', `more than ${limits.files} files`, {
        hint: 'point the target at a directory that holds backups only',
      });
    }
  }

  /** Status of `find`, undefined when the end mark never came. */
  endStatus(): number | undefined {
    const rest = this.#records?.rest().trimStart() ?? '';
    const match = new RegExp(`^${this.#nonce} end (\\d+)\\n`).exec(rest);
    return match === null ? undefined : Number(match[1]);
  }

  #startRecords(chunk: Uint8Array): readonly FileView[] {
    this.#head = Buffer.concat([this.#head, chunk]);
    const mark = `\n${this.#nonce} `;
    const start = this.#head.indexOf(mark);
    const end = start < 0 ? -1 : this.#head.indexOf('\n', start + 1);
    if (end < 0) {
      if (this.#head.length > noiseBytes) {
        const message = `the login prints more than ${noiseBytes} bytes before the listing`;
        throw new WatchdogError('output/too-large', message);
      }
      return [];
    }
    const form = this.#head.subarray(start + mark.length, end).toString('latin1');
    const isRecords = form === 'gnu' || form === 'stat' || form === 'bsd';
    this.form = isRecords || form === 'root' ? form : 'none';
    this.#records = createRecordReader(isRecords ? form : 'gnu', this.#nonce);
    // A nonce record starts with a line break: the one that ends the head.
    return this.#records.push(this.#head.subarray(form === 'gnu' ? end + 1 : end));
  }
}
