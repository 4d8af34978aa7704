/**
 * Hashes files on another host with that host's own tool, several commands side by side. Made from a shell and files; the
 * bytes never leave that host.
 */

import { randomBytes } from 'node:crypto';
import type { Shell } from '../clients/shell.ts';
import type { FileView, ReadingOutcome } from '../core/model/evidence.ts';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { printablePath } from '../support/printable.ts';
import { explainRefusal } from './listing-trouble.ts';
import type { HashOptions } from './place.ts';
import { readingDeadlineMs } from './reading-deadline.ts';
import { cannotEnterStatus, hashingScript, type Step } from './scripts.ts';
import { makeStep, makeSteps, namesBytes, readStep, type StepOutcome, tooSlow } from './shell-steps.ts';
import type { HostTools } from './shell-tools.ts';

/**
 * The least that a lane takes at once, some 8 s of work: starting a command takes up to 0.3 s where the login shell reads a
 * long profile, and what lanes may wait for each other at the end is no more than this.
 */
const leastBytes = 8 * 2 ** 30;
/** How much of its fair share of a long queue a lane takes at once; the rest waits for whichever lane is free first. */
const shareTaken = 0.75;

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
 * A lane that the host refuses (sshd allows so many sessions) gives its files back, and the others go on.
 *
 * @throws WatchdogError when a lane was lost in any other way, or when the host refuses them all.
 */
export async function hashOverShell(files: readonly FileView[], hashing: ShellHashing): Promise<void> {
  const steps = makeSteps(files, hashing.tools.hasher.takesNames);
  let lanes = Math.min(hashing.cores, limits.shellLanes, steps.length);
  const queue = new StepQueue(steps, lanes);
  while (queue.length > 0) {
    const waiting = queue.length;
    const ends = await Promise.allSettled(Array.from({ length: lanes }, () => runLane(queue, lanes, hashing)));
    const lost = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    const grave = lost.find((reason) => !isRefusal(reason));
    if (grave !== undefined) throw grave;
    // What refused lanes gave back after the last good one had ended is worth another round, unless none got anywhere.
    if (queue.length >= waiting) throw lost[0];
    lanes = 1;
  }
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof WatchdogError && thrown.code === 'ssh/command-failed';
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
  readonly #leastBytes: number;

  constructor(steps: Step[], lanes: number) {
    this.#steps = steps;
    this.#bytes = steps.reduce((sum, step) => sum + sizeOf(step), 0);
    this.#leastBytes = Math.min(leastBytes, this.#bytes / lanes);
  }

  get length(): number {
    return this.#steps.length;
  }

  /** Takes the head: the less is left, the smaller the portion, so that all lanes end together. */
  take(lanes: number): readonly Step[] {
    const fairBytes = Math.max(this.#leastBytes, (shareTaken * this.#bytes) / lanes);
    let [count, bytes, names] = [0, 0, 0];
    for (const step of this.#steps) {
      names += namesBytes(step);
      if (count > 0 && (bytes >= fairBytes || names > limits.namesBytes)) break;
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
