/** Runs two ways of doing the same work in turns and prints medians side by side. One run, one machine: only ratios count. */

/** One row: what deadair does beside what a user would otherwise run. */
export interface Contest {
  readonly name: string;
  readonly ours: () => Promise<void>;
  readonly theirs: () => Promise<void>;
  /** What `theirs` is. */
  readonly against: string;
  /** Bytes of work, to print a rate; absent where bytes are not the measure. */
  readonly bytes?: number;
  /** The design's target for `ours ÷ theirs` in time: at most this. */
  readonly atMost: number;
}

const rounds = 5;

/**
 * Runs each contest: once to warm up, then in interleaved pairs, so that both sides see the same noise.
 *
 * @returns false when a target was missed.
 */
export async function runContests(contests: readonly Contest[]): Promise<boolean> {
  let isGood = true;
  print(['what', 'deadair', 'against', 'theirs', 'ratio', 'target']);
  for (const contest of contests) {
    const [ours, theirs]: [number[], number[]] = [[], []];
    await contest.ours();
    await contest.theirs();
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await timed(contest.ours));
      theirs.push(await timed(contest.theirs));
    }
    // The median of the pairs' own ratios: noise that lasts longer than a pair cancels out.
    const ratio = median(ours.map((ms, round) => ms / (theirs[round] ?? Number.NaN)));
    const isMet = ratio <= contest.atMost;
    isGood &&= isMet;
    const show = (ms: number): string => describe(ms, contest.bytes);
    const target = `${isMet ? 'met' : 'MISSED'}: at most ${contest.atMost.toFixed(2)}`;
    print([contest.name, show(median(ours)), contest.against, show(median(theirs)), ratio.toFixed(2), target]);
  }
  return isGood;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function describe(ms: number, bytes: number | undefined): string {
  return `${ms.toFixed(0)} ms${bytes === undefined ? '' : ` ${(bytes / 1e6 / ms).toFixed(2)} GB/s`}`;
}

const widths = [34, 20, 44, 20, 7, 24];

function print(cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('')}\n`);
}
