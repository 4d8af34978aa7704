/** reachable: each source, host, target and receiver can be looked at. Nobody writes this rule, nobody removes it. */

import type { Evidence } from '../model/evidence.ts';
import type { Finding } from '../model/finding.ts';
import type { RuleKind } from './kind.ts';
import type { Rule } from '../model/rule.ts';
import type { Scene } from './scene.ts';
import { finding, sightValidMs } from './subjects.ts';

/** The built-in rule kind `reachable`. It is the only one that inhibits others. */
export const reachable: RuleKind = {
  kind: 'reachable',
  promise: 'each source, host, target and receiver can be looked at',
  defaultSeverity: 'warning',
  shape: {},
  parameters: () => ({}),
  judge: (rule, scene) => {
    const { world } = scene;
    const findings: Finding[] = [
      ...world.sources.map(({ name, evidence }) => judgeOne(rule, `source/${name}`, evidence, scene)),
      ...world.hosts.map(({ name, evidence }) => judgeOne(rule, `host/${name}`, evidence, scene)),
      ...world.receivers.map(({ name, evidence }) => judgeOne(rule, `receiver/${name}`, evidence, scene)),
    ];
    for (const target of world.targets) {
      const host = world.hosts.find(({ name }) => name === target.host);
      const isHostLost = host !== undefined && !host.evidence.seen;
      const one = judgeOne(rule, `target/${target.name}`, target.evidence, scene);
      // A target behind a lost host is told with its host, not beside it.
      findings.push(isHostLost ? { ...one, cause: { subject: `host/${host.name}`, summary: one.summary } } : one);
    }
    return findings;
  },
};

function judgeOne(rule: Rule, subject: string, evidence: Evidence<unknown>, scene: Scene): Finding {
  const name = subject.slice(subject.indexOf('/') + 1);
  const { observedAtMs } = evidence;
  if (evidence.seen) {
    return finding(rule, {
      subject,
      target: null,
      status: 'ok',
      reason: 'seen',
      headline: 'can be looked at',
      summary: `${name} can be looked at`,
      observedAtMs,
      validUntilMs: observedAtMs + sightValidMs,
    });
  }
  return finding(rule, {
    subject,
    target: null,
    status: 'unknown',
    reason: 'cannot-look',
    headline: 'cannot look',
    summary: evidence.why.message,
    observedAtMs,
    validUntilMs: scene.nowMs,
    cause: { subject, summary: evidence.why.message },
    todo: evidence.why.hint ?? null,
  });
}
