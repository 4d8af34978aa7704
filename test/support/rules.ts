/** Rules as the loader hands them to the judges, and one pass of judging, for tests of the pure core. */

import type { Standing } from '../../src/core/model/alert.ts';
import type { Finding, Judgement, Verdict } from '../../src/core/model/finding.ts';
import type { JudgeOptions } from '../../src/core/model/world.ts';
import { coverage, type CoverageParameters } from '../../src/core/findings/coverage.ts';
import type { IntegrityParameters } from '../../src/core/findings/faults.ts';
import { freshness, type FreshnessParameters } from '../../src/core/findings/freshness.ts';
import { integrity } from '../../src/core/findings/integrity.ts';
import { judge } from '../../src/core/findings/judge.ts';
import type { RuleKind } from '../../src/core/findings/kind.ts';
import type { Rule, RuleCommon } from '../../src/core/model/rule.ts';
import { reachable } from '../../src/core/findings/reachable.ts';
import { self } from '../../src/core/findings/self.ts';
import { verdict } from '../../src/core/report/verdict.ts';
import { arrange, ms, type Sketch } from './world.ts';

/** All kinds, by name. */
export const kinds: ReadonlyMap<string, RuleKind> = new Map(
  ([freshness, coverage, integrity, reachable, self] as unknown as RuleKind[]).map((kind) => [kind.kind, kind]),
);

/** What every rule carries: both targets of the good world, critical, without exceptions. */
export function common(kind: string, part: Partial<RuleCommon> = {}): RuleCommon {
  return {
    id: `phx-ai01/${kind}`,
    kind,
    file: 'rules/qdrant.yaml',
    sources: ['phx-ai01'],
    targets: ['phx-ai02', 'nas'],
    collections: null,
    severity: 'critical',
    timezone: 'UTC',
    forMs: 0,
    except: [],
    escalate: null,
    ...part,
  };
}

type Part<Parameters> = Partial<RuleCommon> & { readonly parameters?: Partial<Parameters> };

/** A freshness rule: no older than 26 hours, unless told otherwise. */
export function freshnessRule({ parameters, ...part }: Part<FreshnessParameters> = {}): Rule<FreshnessParameters> {
  const maxAgeMs = parameters?.schedule === undefined ? ms('26h') : null;
  return {
    ...common('freshness', part),
    parameters: {
      schedule: null,
      graceMs: ms('3h'),
      maxAgeMs,
      proof: 'manifest',
      proveWithinMs: ms('6h'),
      ...parameters,
    },
  };
}

/** A coverage rule: two copies, unless told otherwise. */
export function coverageRule({ parameters, ...part }: Part<CoverageParameters> = {}): Rule<CoverageParameters> {
  return {
    ...common('coverage', part),
    parameters: { copies: 2, newWithinMs: null, proof: 'manifest', proveWithinMs: ms('6h'), ...parameters },
  };
}

/** An integrity rule: every byte read again within 30 days, unless told otherwise. */
export function integrityRule({ parameters, ...part }: Part<IntegrityParameters> = {}): Rule<IntegrityParameters> {
  return {
    ...common('integrity', part),
    parameters: { rereadEveryMs: ms('30d'), proof: 'manifest', proveWithinMs: ms('6h'), ...parameters },
  };
}

/** The two rules nobody writes. */
export function builtInRules(): readonly Rule[] {
  return ['reachable', 'self'].map((kind) => ({
    ...common(kind, { id: `deadair/${kind}`, file: '', sources: [], targets: [], severity: 'warning' }),
    parameters: {},
  }));
}

/** A rule of every kind. */
export function allRules(): readonly Rule[] {
  return [freshnessRule(), coverageRule(), integrityRule(), ...builtInRules()];
}

/** How a pass is judged: `daemon` has a reader beside it, `check` has read everything due. */
export type Mode = 'daemon' | 'check';

/** Options of one pass over this sketch. */
export function optionsOf(sketch: Pick<Sketch, 'nowMs'>, mode: Mode): JudgeOptions {
  return { nowMs: sketch.nowMs, checkEveryMs: ms('5m'), isReaderBeside: mode === 'daemon' };
}

/** Judges a sketch. */
export function judgeSketch(
  sketch: Sketch,
  rules: readonly Rule[] = allRules(),
  mode: Mode = 'daemon',
  standings: readonly Standing[] = [],
): Judgement & { readonly verdict: Verdict } {
  const judged = judge(rules, kinds, arrange(sketch), standings, optionsOf(sketch, mode));
  return { ...judged, verdict: verdict(judged.findings) };
}

/** The finding about a subject (and target) of a judgement with one rule. */
export function about(
  { findings }: Pick<Judgement, 'findings'>,
  subject: string,
  target: string | null = null,
): Finding {
  const found = findings.filter((each) => each.subject === subject && each.target === target);
  const [only] = found;
  if (found.length !== 1 || only === undefined) {
    const there = findings.map((each) => `${each.rule} ${each.subject} ${each.target ?? ''}`).join('\n');
    throw new Error(`${found.length} findings about ${subject} on ${target ?? 'no target'}; there are:\n${there}`);
  }
  return only;
}
