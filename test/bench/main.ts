/** `npm run bench -- [SECTION…]`: ratios against what a user would otherwise run. Exit code 1 when a target was missed. */

import { benchJudge } from './judge.ts';
import { benchHashing, benchListing } from './places.ts';

/** Each prints its table and says whether every target of it was met. */
const sections: Readonly<Record<string, () => Promise<boolean>>> = {
  hashing: benchHashing,
  listing: benchListing,
  judging: async () => {
    const [small, large] = benchJudge((line) => process.stdout.write(`${line}\n`));
    if (small === undefined || large === undefined) return false;
    return large.judgeMs <= 1_000 && large.tellMs <= 1_000 && large.judgeMs <= 12 * small.judgeMs;
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in sections));
if (unknown.length > 0) {
  process.stderr.write(`no section ${unknown.join(', ')}; there are ${Object.keys(sections).join(', ')}\n`);
  process.exitCode = 2;
} else {
  for (const [name, bench] of Object.entries(sections)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stdout.write(`\n${name}\n`);
    if (!(await bench())) process.exitCode = 1;
  }
}
