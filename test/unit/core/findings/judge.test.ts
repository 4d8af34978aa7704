import { describe, expect, test } from 'vitest';
import { judge } from '../../../../src/core/findings/judge.ts';
import type { RuleKind } from '../../../../src/core/findings/kind.ts';
import type { Standing } from '../../../../src/core/model/alert.ts';
import type { Finding } from '../../../../src/core/model/finding.ts';
import {
  about,
  allRules,
  common,
  coverageRule,
  freshnessRule,
  integrityRule,
  judgeSketch,
  kinds,
  optionsOf,
} from '../../../support/rules.ts';
import { found } from '../../../support/watch.ts';
import { arrange, collection, exception, goodSketch, ms, nowMs, type Sketch, unseen } from '../../../support/world.ts';

/** A standing with a firing alert. */
function firing(ruleId: string, subject: string, target: string | null): Standing {
  return {
    ruleId,
    rule: ruleId.slice(ruleId.indexOf('/') + 1),
    subject,
    target,
    status: 'failing',
    observedAtMs: nowMs - ms('1h'),
    unreadSinceMs: null,
    okUntilMs: null,
    alert: {
      id: '0123456789abcdef',
      openedAtMs: nowMs - ms('1h'),
      state: 'firing',
      severity: 'critical',
      troubleObservedAtMs: nowMs - ms('1h'),
      headline: 'bytes changed on nas',
      summary: 'the bytes changed',
      reason: 'mismatch',
      todo: null,
      cause: null,
      mutedBy: null,
      groupId: 'fedcba9876543210',
    },
  };
}

test('a rule of a kind nobody registered is a mistake of the program', () => {
  const rule = { ...common('weather'), parameters: {} };
  expect(() => judge([rule], kinds, arrange(goodSketch()), [], optionsOf(goodSketch(), 'daemon'))).toThrow('weather');
});

describe('an exception', () => {
  const stale = (): Sketch => {
    const sketch = goodSketch();
    sketch.nowMs += ms('20h');
    for (const each of Object.values(sketch.targets)) each.observedAtMs = sketch.nowMs;
    for (const each of Object.values(sketch.sources)) each.observedAtMs = sketch.nowMs;
    return sketch;
  };

  test('mutes what its globs take in and keeps the true status', () => {
    const except = [exception(['bo*'], '2d')];
    const { findings, verdict } = judgeSketch(stale(), [freshnessRule({ targets: ['nas'], except })]);
    expect(about({ findings }, 'phx-ai01/books', 'nas')).toMatchObject({
      status: 'failing',
      mutedBy: {
        kind: 'exception',
        because: 'rebuilt nightly from source',
        by: 'rules/qdrant.yaml',
        untilMs: nowMs + ms('2d'),
      },
    });
    expect(about({ findings }, 'phx-ai01/arxiv', 'nas')).toMatchObject({ status: 'failing', mutedBy: null });
    expect(verdict).toBe('critical');
  });

  test('leaves the verdict once it covers all that fails', () => {
    const rules = [freshnessRule({ except: [exception(['*'], '2d')] })];
    expect(judgeSketch(stale(), rules).verdict).toBe('ok');
  });

  test('is over at its end, to the millisecond', () => {
    const rules = (endsIn: string) => [freshnessRule({ except: [exception(['*'], endsIn)] })];
    const at = stale();
    expect(judgeSketch(at, rules('20h')).findings.filter(({ mutedBy }) => mutedBy !== null)).toEqual([]);
    at.nowMs -= 1;
    expect(judgeSketch(at, rules('20h')).findings.filter(({ mutedBy }) => mutedBy === null)).toEqual([]);
  });

  test('never mutes a target, a source, or the watchdog itself', () => {
    const except = [exception(['*'], '2d')];
    const sketch = goodSketch();
    sketch.targets['nas']!.files = [];
    sketch.sources['phx-ai01']!.scope = 'filtered';
    const { findings } = judgeSketch(sketch, [integrityRule({ except }), coverageRule({ except })]);
    expect(about({ findings }, 'target/nas', 'nas')).toMatchObject({ reason: 'empty', mutedBy: null });
    expect(about({ findings }, 'source/phx-ai01')).toMatchObject({ reason: 'filtered-list', mutedBy: null });
  });
});

describe('what no rule guards', () => {
  test('is not promised: every collection times every kind', () => {
    const { notPromised } = judgeSketch(goodSketch(), [freshnessRule(), coverageRule({ collections: ['books'] })]);
    expect(notPromised).toEqual([
      { subject: 'phx-ai01/books', rule: 'integrity' },
      { subject: 'phx-ai01/arxiv', rule: 'coverage' },
      { subject: 'phx-ai01/arxiv', rule: 'integrity' },
    ]);
  });

  test('is nothing when every kind guards every collection', () => {
    expect(judgeSketch(goodSketch(), allRules()).notPromised).toEqual([]);
  });

  test('takes in a collection of a source that no rule protects, and one that is excepted is guarded', () => {
    const sketch = goodSketch();
    sketch.sources['other'] = { ...sketch.sources['phx-ai01']!, collections: { canon: collection() } };
    const rules = [freshnessRule({ except: [exception(['*'], '1d')] }), coverageRule(), integrityRule()];
    expect(judgeSketch(sketch, rules).notPromised.map(({ subject }) => subject)).toEqual([
      'other/canon',
      'other/canon',
      'other/canon',
    ]);
  });
});

test('live collections are protected or excepted, none is left out (G6)', () => {
  const sketch = goodSketch();
  for (const name of ['a', 'b/c', 'd\ne', '*', 'target']) sketch.sources['phx-ai01']!.collections[name] = collection();
  const { findings } = judgeSketch(sketch, [coverageRule({ except: [exception(['a'], '1d')] })]);
  const judged = findings.map(({ subject }) => subject).filter((subject) => subject.startsWith('phx-ai01/'));
  expect(judged.toSorted()).toEqual(
    Object.keys(sketch.sources['phx-ai01']!.collections)
      .map((name) => `phx-ai01/${name}`)
      .toSorted(),
  );
});

describe('an alert whose subject no judge names', () => {
  const forgotten = firing('phx-ai01/freshness', 'phx-ai01/dropped', 'nas');
  const judged = (alter: (sketch: Sketch) => void, standings: Standing[], rules = [freshnessRule()]): Finding[] => {
    const sketch = goodSketch();
    alter(sketch);
    return judgeSketch(sketch, rules, 'daemon', standings).findings.filter(
      ({ subject }) => subject === 'phx-ai01/dropped',
    );
  };

  test('may end when everything it could be seen in was seen whole', () => {
    expect(judged(() => undefined, [forgotten])).toEqual([]);
  });

  test('stays unknown while its source is out of sight', () => {
    const hidden = judged(
      (sketch) => {
        sketch.sources['phx-ai01']!.unseen = unseen('connection refused');
      },
      [forgotten],
    );
    expect(hidden).toMatchObject([
      {
        id: 'phx-ai01/freshness',
        target: 'nas',
        status: 'unknown',
        reason: 'cannot-look',
        summary: 'cannot look at phx-ai01: connection refused; before: the bytes changed',
        mutedBy: null,
      },
    ]);
  });

  test('stays unknown while its target is out of sight, or only part of it in sight', () => {
    const hidden = judged(
      (sketch) => {
        sketch.targets['nas']!.unseen = unseen();
      },
      [forgotten],
    );
    const partly = judged(
      (sketch) => {
        sketch.targets['nas']!.unreadable = [{ path: 'old', why: unseen('permission denied', 'place/denied') }];
      },
      [forgotten],
    );
    expect([...hidden, ...partly].map(({ status }) => status)).toEqual(['unknown', 'unknown']);
  });

  test('may end when only another target is out of sight', () => {
    const alter = (sketch: Sketch): void => {
      sketch.targets['phx-ai02']!.unseen = unseen();
    };
    expect(judged(alter, [forgotten])).toEqual([]);
  });

  test('may end when its rule is gone', () => {
    const alter = (sketch: Sketch): void => {
      sketch.sources['phx-ai01']!.unseen = unseen();
    };
    expect(judged(alter, [forgotten], [])).toEqual([]);
  });

  test('stays muted by the exception that covers it', () => {
    const alter = (sketch: Sketch): void => {
      sketch.sources['phx-ai01']!.unseen = unseen();
    };
    const rules = [freshnessRule({ except: [exception(['dropped'], '1d')] })];
    expect(judged(alter, [forgotten], rules)).toMatchObject([{ status: 'unknown', mutedBy: { kind: 'exception' } }]);
  });

  test('is judged once when a judge does name it', () => {
    const sketch = goodSketch();
    sketch.sources['phx-ai01']!.unseen = unseen();
    const standing = firing('phx-ai01/freshness', 'phx-ai01/books', 'nas');
    expect(about(judgeSketch(sketch, [freshnessRule()], 'daemon', [standing]), 'phx-ai01/books', 'nas').status).toBe(
      'ok',
    );
  });
});

describe('evidence that expires', () => {
  test('holds for a day, or for three passes where they are rarer', () => {
    const sketch = goodSketch();
    for (const each of Object.values(sketch.targets)) each.observedAtMs = nowMs - ms('25h');
    const rules = [freshnessRule()];
    const judged = (checkEvery: string): Finding =>
      about(
        judge(rules, kinds, arrange(sketch), [], { ...optionsOf(sketch, 'daemon'), checkEveryMs: ms(checkEvery) }),
        'phx-ai01/books',
        'nas',
      );
    expect(judged('5m')).toMatchObject({
      status: 'unknown',
      reason: 'expired-evidence',
      summary: 'was last looked at 25h ago; then: newest proven snapshot is 17h old, allowed 26h',
      observedAtMs: nowMs - ms('25h'),
    });
    expect(judged('12h').status).toBe('ok');
  });

  test('does not hold longer than its rule said, whatever the kind of rule', () => {
    const rule = { ...common('weather'), parameters: {} };
    const weather = (validUntilMs: number): RuleKind => ({
      kind: 'weather',
      promise: 'the sun shines',
      defaultSeverity: 'warning',
      shape: {},
      parameters: () => ({}),
      judge: () => [found('ok', 'books', '0s', { validUntilMs })],
    });
    const judged = (validUntilMs: number): Finding | undefined =>
      judge(
        [rule],
        new Map([['weather', weather(validUntilMs)]]),
        arrange(goodSketch()),
        [],
        optionsOf(goodSketch(), 'daemon'),
      ).findings[0];
    expect(judged(nowMs)).toMatchObject({ status: 'ok' });
    expect(judged(nowMs - 1)).toMatchObject({ status: 'unknown', reason: 'expired-evidence' });
  });

  test('dated in the future is trouble seen now, so that a look to come can end it', () => {
    const sketch = goodSketch();
    sketch.targets['nas']!.observedAtMs = nowMs + ms('2d');
    expect(about(judgeSketch(sketch, [freshnessRule()]), 'phx-ai01/books', 'nas')).toMatchObject({
      status: 'unknown',
      reason: 'future-evidence',
      observedAtMs: nowMs,
    });
  });
});
