/** Times the pure core: judging, stepping and routing of large worlds. Runs on its own: `npx node test/bench/judge.ts`. */

import { pathToFileURL } from 'node:url';
import { step } from '../../src/core/alerts/step.ts';
import { judge } from '../../src/core/findings/judge.ts';
import { catalogue } from '../../src/core/findings/snapshots.ts';
import { route } from '../../src/core/routing/route.ts';
import type { FileView, Reading, Witness } from '../../src/core/model/evidence.ts';
import type { Finding } from '../../src/core/model/finding.ts';
import type { TargetWorld, World } from '../../src/core/model/world.ts';
import { allRules, kinds, optionsOf } from '../support/rules.ts';
import { phonePolicy } from '../support/watch.ts';
import { digest, ms, nowMs, snapshotName } from '../support/world.ts';

/** How large a world is. */
interface Size {
  readonly collections: number;
  readonly targets: number;
  readonly generations: number;
}

/** One line of the table. */
export interface JudgeTiming extends Size {
  /** The median of the runs. */
  readonly judgeMs: number;
  /** Judging a world in which no collection has a fresh copy. */
  readonly allFailingMs: number;
  /** Step and route when all of these fail at once, from the findings to the messages. */
  readonly tellMs: number;
  readonly messages: number;
}

/** Builds a world in which everything is proven, the newest generation `newestAgoMs` old. */
function worldOf({ collections, targets, generations }: Size, newestAgoMs: number): World {
  const names = Array.from({ length: collections }, (_, index) => `collection-${index}`);
  return {
    sources: [
      {
        name: 'phx-ai01',
        evidence: {
          seen: true,
          address: 'http://phx-ai01:6333',
          observedAtMs: nowMs,
          value: {
            version: '1.19.0',
            scope: 'whole',
            aliases: [],
            collections: names.map((name) => ({ name, points: { seen: true, count: 1_000 } })),
          },
        },
        remembered: names.map((name) => ({
          name,
          firstSeenAtMs: nowMs - ms('90d'),
          lastSeenAtMs: nowMs,
          isBaseline: true,
          points: 1_000,
        })),
      },
    ],
    targets: Array.from({ length: targets }, (_, index) =>
      targetOf(`target-${index}`, names, generations, newestAgoMs),
    ),
    hosts: [],
    receivers: [],
    self: { troubles: [], observedAtMs: nowMs },
  };
}

function targetOf(name: string, collections: readonly string[], generations: number, newestAgoMs: number): TargetWorld {
  const files: FileView[] = [];
  const witnesses = new Map<string, Witness[]>();
  const ledger = new Map<string, Reading>();
  const sha256 = digest('bytes');
  for (let generation = 0; generation < generations; generation += 1) {
    const madeAtMs = nowMs - newestAgoMs - generation * ms('1d');
    const stamped = snapshotName('', `${(nowMs - madeAtMs) / 1_000}s`);
    const timeNs = String(BigInt(madeAtMs) * 1_000_000n);
    const reading: Reading = {
      firstSeenAtMs: madeAtMs,
      isBacklog: false,
      firstSha256: sha256,
      outcome: { kind: 'digest', sha256, readAtMs: Math.max(madeAtMs, nowMs - ms('20d')), tool: 'openssl' },
    };
    for (const collection of collections) {
      const path = `${generation}/${collection}/${collection}${stamped}`;
      // Two files of one inode and one time would be one file, seen by two ways.
      files.push({ path, sizeBytes: 4_096, mtimeNs: timeNs, ctimeNs: timeNs, inode: name });
      witnesses.set(path, [{ manifest: `${generation}/SHA256SUMS`, sha256 }]);
      ledger.set(path, reading);
    }
  }
  const complete = Array.from({ length: generations }, (_, generation) => ({
    directory: String(generation),
    manifest: `${generation}/SHA256SUMS`,
  }));
  const evidence: TargetWorld['evidence'] = {
    seen: true,
    address: name,
    observedAtMs: nowMs,
    value: { listing: { files, unreadable: [] }, manifests: { witnesses, complete, problems: [] } },
  };
  return {
    name,
    host: null,
    machine: name,
    backlogBytes: 0,
    reading: (file) => ledger.get(file.path),
    evidence,
    catalogue: catalogue(evidence, null),
  };
}

/** Judges, steps and routes a world of one size, each as often as `runs`. */
function time(size: Size, runs: number): JudgeTiming {
  const targets = Array.from({ length: size.targets }, (_, index) => `target-${index}`);
  const rules = allRules().map((rule) =>
    rule.kind === 'reachable' || rule.kind === 'self' ? rule : { ...rule, targets },
  );
  const options = optionsOf({ nowMs }, 'daemon');
  const judged = (world: World): readonly Finding[] => judge(rules, kinds, world, [], options).findings;

  const good = worldOf(size, ms('17h'));
  const judgeMs = median(runs, () => {
    const bad = judged(good).find(({ status }) => status !== 'ok');
    if (bad !== undefined) throw new Error(`the good world is not ok: ${bad.summary}`);
  });
  const stale = worldOf({ ...size, generations: Math.min(size.generations, 3) }, ms('41h'));
  let findings: readonly Finding[] = [];
  const allFailingMs = median(runs, () => {
    findings = judged(stale);
  });
  let messages = 0;
  const tellMs = median(runs, () => {
    const idOf = (parts: readonly string[]): string => digest(parts.join('|')).slice(0, 16);
    const stepped = step([], findings, { nowMs, unknownAfterMs: ms('15m'), idOf });
    const { events, standings } = stepped;
    messages = route({ events, standings, groups: [], findings, rules, policy: phonePolicy, nowMs, idOf }).messages
      .length;
  });
  return { ...size, judgeMs, allFailingMs, tellMs, messages };
}

function median(runs: number, work: () => void): number {
  const times = Array.from({ length: runs }, () => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN;
}

/** Times a world and one ten times as large, and prints a table: at most 1 s, and at most 12 times the time. */
export function benchJudge(print: (line: string) => void): readonly JudgeTiming[] {
  const large: Size = { collections: 10_000, targets: 3, generations: 30 };
  // The first is not told: it warms the compiler, which a daemon does in its first pass.
  time({ ...large, collections: 1_000 }, 3);
  const timings = [time({ ...large, collections: 1_000 }, 7), time(large, 5)];
  print('collections  targets  generations  judge ms  all failing ms  tell ms  messages');
  for (const { collections, targets, generations, judgeMs, allFailingMs, tellMs, messages } of timings) {
    const cells = [collections, targets, generations, judgeMs, allFailingMs, tellMs, messages];
    const widths = [11, 9, 13, 10, 16, 9, 10];
    print(cells.map((cell, index) => String(Math.round(cell)).padStart(widths[index] ?? 0)).join(''));
  }
  const [small, big] = timings;
  if (small !== undefined && big !== undefined) {
    print(`10 times the collections take ${(big.judgeMs / small.judgeMs).toFixed(1)} times the time (at most 12)`);
  }
  return timings;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  benchJudge((line) => process.stdout.write(`${line}\n`));
}
