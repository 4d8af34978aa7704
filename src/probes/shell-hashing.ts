/**
 * Hashes files on another host with that host's own tool, several commands side by side. Made from a shell and files; the
 * bytes never leave that host.
 */

import { randomBytes } from 'node:crypto';
import type { Shell } from '../clients/shell.ts';
import type { FileView, ReadingOutcome } from '../core/model/evidence.ts';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { printablePath } from '../support/paths.ts';
import { explainRefusal } from './listing-trouble.ts';
import type { HashOptions } from './place.ts';
import { readingDeadlineMs } from './reading-deadline.ts';
import { cannotEnterStatus, hashingScript, type Step } from './scripts.ts';
import { makeStep, makeSteps, namesBytes, readStep, type StepOutcome, tooSlow } from './shell-steps.ts';
import type { HostTools } from './shell-tools.ts';

/** Below this a command is not worth its round trip; above the other bound one lane would keep the rest waiting. */
const batchBytes = { least: 64 * 2 ** 20, most: 16 * 2 ** 30 };

/** What hashing over a shell needs beside the files. */
export interface ShellHashing extends HashOptions {
  readonly shell: Shell;
  readonly root: string;
  readonly tools: HostTools;
  readonly nowMs: () => number;
}

/**
 * Hashes files side by side: each lane takes the next batch from the head of the queue as it gets free.
 *
 * @throws WatchdogError when all lanes were lost; one lost lane (sshd allows fewer sessions) gives its files back and the
 * others go on.
 */
export async function hashOverShell(files: readonly FileView[], hashing: ShellHashing): Promise<void> {
  const queue = new StepQueue(makeSteps(files, hashing.tools.hasher.takesNames));
  const count = Math.min(hashing.cores, limits.shellLanes, queue.length);
  const lanes = Array.from({ length: count }, () => runLane(queue, count, hashing));
  const ends = await Promise.allSettled(lanes);
  for (const end of ends) if (end.status === 'rejected' && !(end.reason instanceof WatchdogError)) throw end.reason;
  // A lane that ended well before another was lost may have left what that one gave back.
  if (queue.length > 0 && ends.some(({ status }) => status === 'fulfilled')) await runLane(queue, 1, hashing);
  const lost = ends.find((end) => end.status === 'rejected');
  if (queue.length > 0 && lost !== undefined) throw lost.reason;
}

async function runLane(queue: StepQueue, lanes: number, hashing: ShellHashing): Promise<void> {
  while (queue.length > 0) {
    const batch = queue.take(lanes);
    const run = new BatchRun(batch, hashing);
    try {
      await run.finish();
    } catch (thrown) {
      queue.giveBack(run.undone());
      throw thrown;
    }
    queue.giveBack(run.undone());
  }
}

/** Steps that wait, in the order in which they are wanted. */
class StepQueue {
  #steps: Step[];
  #bytes: number;

  constructor(steps: Step[]) {
    this.#steps = steps;
    this.#bytes = steps.reduce((sum, step) => sum + sizeOf(step), 0);
  }

  get length(): number {
    return this.#steps.length;
  }

  /** Takes the head: the less is left, the smaller the portion, so that all lanes end together. */
  take(lanes: number): readonly Step[] {
    const fairBytes = Math.min(batchBytes.most, Math.max(batchBytes.least, this.#bytes / (2 * lanes)));
    let [count, bytes, names] = [0, 0, 0];
    for (const step of this.#steps) {
      names += namesBytes(step);
      if (count > 0 && (bytes + sizeOf(step) > fairBytes || names > limits.namesBytes)) break;
      bytes += sizeOf(step);
      count += 1;
    }
    this.#bytes -= bytes;
    return this.#steps.splice(0, count);
  }

  giveBack(steps: readonly Step[]): void {
    this.#steps.unshift(...steps);
    this.#bytes += steps.reduce((sum, step) => sum + sizeOf(step), 0);
  }
}

function sizeOf({ files }: Step): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}

/** One command: its steps end one by one as their marks arrive. */
class BatchRun {
  readonly #nonce = randomBytes(12).toString('hex');
  readonly #steps: readonly Step[];
  readonly #hashing: ShellHashing;
  #pending: Buffer = Buffer.alloc(0);
  /** False while what arrives is still the login's own noise. */
  #hasBegun = false;
  #done = 0;
  readonly #again: Step[] = [];

  constructor(steps: readonly Step[], hashing: ShellHashing) {
    this.#steps = steps;
    this.#hashing = hashing;
  }

  /** Steps that have no outcome yet. */
  undone(): readonly Step[] {
    return [...this.#again, ...this.#steps.slice(this.#done)];
  }

  async finish(): Promise<void> {
    const { shell, root, tools, signal, idle } = this.#hashing;
    const script = hashingScript({ root, nonce: this.#nonce }, this.#steps, tools, { isIdle: idle });
    const files = this.#steps.reduce((sum, step) => sum + step.files.length, 0);
    try {
      const { code, stderr } = await shell.exec(script, {
        deadlineMs: readingDeadlineMs(0, ...this.#steps.map(sizeOf)),
        maxStdoutBytes: 2 ** 20 + files * limits.recordBytes,
        signal,
        onStdout: (chunk) => this.#take(chunk),
      });
      if (this.#done < this.#steps.length) throw this.#cutOff(code, stderr);
    } catch (thrown) {
      if (!(thrown instanceof WatchdogError) || thrown.code !== 'net/timeout') throw thrown;
      // What hung is the step that had begun; those behind it have not had their turn.
      this.#tellTooSlow();
    }
  }

  #take(chunk: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    if (!this.#hasBegun) {
      const mark = `\n${this.#nonce} begin\n`;
      const begin = this.#pending.indexOf(mark);
      if (begin < 0) return;
      this.#hasBegun = true;
      this.#pending = this.#pending.subarray(begin + mark.length);
    }
    for (let step = this.#steps[this.#done]; step !== undefined; step = this.#steps[this.#done]) {
      const mark = `${this.#nonce} done ${this.#done}\n`;
      const end = this.#pending.indexOf(mark);
      if (end < 0) return;
      const output = this.#pending.subarray(0, end);
      this.#pending = this.#pending.subarray(end + mark.length);
      const outcomes = readStep(step, output, this.#hashing.tools.form, this.#nonce);
      this.#done += 1;
      for (const outcome of outcomes) this.#tell(outcome);
    }
  }

  #tell(outcome: StepOutcome): void {
    if (outcome.kind === 'again') {
      this.#again.push(makeStep([outcome.file]));
      return;
    }
    const readAtMs = this.#hashing.nowMs();
    const { file } = outcome;
    const told: ReadingOutcome =
      outcome.kind === 'digest'
        ? { kind: 'digest', sha256: outcome.sha256, readAtMs, tool: this.#hashing.tools.hasher.name }
        : { kind: 'unreadable', readAtMs, why: outcome.why };
    this.#hashing.onProgress?.(file.sizeBytes);
    this.#hashing.onOutcome(file, told);
  }

  #tellTooSlow(): void {
    const step = this.#steps[this.#done];
    if (step === undefined) return;
    this.#done += 1;
    for (const file of step.files) this.#tell({ kind: 'unreadable', file, why: tooSlow(step, file) });
  }

  #cutOff(code: number | null, stderr: string): WatchdogError {
    const { shell, root } = this.#hashing;
    const where = `${shell.address}${printablePath(root)}`;
    const said = stderr.trim().split('\n').at(-1) ?? '';
    if (code === cannotEnterStatus)
      return explainRefusal(`cannot enter ${where}`, /: ([^:]+)$/.exec(said)?.[1] ?? said);
    const words = said === '' ? '' : `: ${printablePath(said).slice(0, 200)}`;
    return new WatchdogError('ssh/command-failed', `hashing in ${where} ended with status ${code ?? 'none'}${words}`);
  }
}
