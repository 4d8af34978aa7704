import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { step, type Step, type StepOptions } from '../../../../src/core/alerts/step.ts';
import type { Standing } from '../../../../src/core/model/alert.ts';
import { type Finding, severityRank } from '../../../../src/core/model/finding.ts';
import { findingKey } from '../../../../src/core/model/key.ts';
import { digest, ms, nowMs as startMs } from '../../../support/world.ts';

/** What one pass finds about one subject, with times relative to the clock of that pass. */
interface Look {
  readonly status: Finding['status'];
  readonly observedAgoMs: number;
  readonly validForMs: number;
  readonly severity: Finding['severity'];
  readonly forMs: number;
  readonly isMuted: boolean;
  readonly isCaused: boolean;
}

/** One pass: how the clock moved since the one before, whether we restarted, and what was found of each subject. */
interface Pass {
  readonly clockMs: number;
  readonly isRestart: boolean;
  readonly looks: readonly (Look | null)[];
}

const look: fc.Arbitrary<Look> = fc.record({
  status: fc.constantFrom('ok', 'ok', 'failing', 'unknown', 'unread'),
  // Mostly now, at times long ago or in the future: evidence may come late, and clocks err.
  observedAgoMs: fc.oneof(fc.constant(0), fc.integer({ min: -ms('1d'), max: ms('2d') })),
  validForMs: fc.oneof(fc.constant(ms('9h')), fc.integer({ min: -ms('1h'), max: ms('1d') })),
  severity: fc.constantFrom('critical', 'warning', 'info'),
  forMs: fc.constantFrom(0, 0, ms('10m'), ms('3h')),
  isMuted: fc.boolean(),
  isCaused: fc.boolean(),
});

const pass: fc.Arbitrary<Pass> = fc.record({
  // Mostly one pass later, at times a step of the clock or a suspended machine.
  clockMs: fc.oneof(fc.constant(ms('5m')), fc.constant(ms('5m')), fc.integer({ min: -ms('2d'), max: ms('2d') })),
  isRestart: fc.boolean(),
  looks: fc.array(fc.option(look, { freq: 12 }), { minLength: 2, maxLength: 2 }),
});

const history = fc.array(pass, { minLength: 1, maxLength: 30 });

function findingOf(
  { status, observedAgoMs, validForMs, isMuted, isCaused, ...rest }: Look,
  subject: string,
  atMs: number,
) {
  const mutedBy = { kind: 'exception', because: 'meant', by: 'a file', untilMs: atMs + 1 } as const;
  return {
    rule: 'freshness',
    id: 'phx-ai01/freshness',
    subject,
    target: 'nas',
    status,
    reason: status,
    headline: status,
    summary: status,
    observedAtMs: atMs - observedAgoMs,
    validUntilMs: atMs - observedAgoMs + validForMs,
    cause: isCaused ? { subject: 'target/nas', summary: 'SSH timeout' } : null,
    mutedBy: isMuted ? mutedBy : null,
    patienceMs: ms('9000d'),
    todo: null,
    ...rest,
  } satisfies Finding;
}

/** One pass as the properties see it. */
interface Moment {
  readonly nowMs: number;
  readonly before: ReadonlyMap<string, Standing>;
  readonly findings: ReadonlyMap<string, Finding>;
  readonly after: ReadonlyMap<string, Standing>;
  readonly step: Step;
  readonly options: StepOptions;
}

/** Plays a history, and hands every pass of it to a property. */
function always(property: (moment: Moment) => void): void {
  fc.assert(
    fc.property(history, (passes) => {
      let nowMs = startMs;
      let standings: readonly Standing[] = [];
      for (const { clockMs, isRestart, looks } of passes) {
        nowMs += clockMs;
        const before = isRestart ? (JSON.parse(JSON.stringify(standings)) as Standing[]) : standings;
        const findings = looks.flatMap((each, index) =>
          each === null ? [] : [findingOf(each, `phx-ai01/c${index}`, nowMs)],
        );
        const options: StepOptions = {
          nowMs,
          unknownAfterMs: ms('15m'),
          idOf: (parts) => digest(parts.join('|')).slice(0, 16),
        };
        const taken = step(before, findings, options);
        property({
          nowMs,
          before: byKey(before),
          findings: new Map(findings.map((each) => [findingKey(each), each])),
          after: byKey(taken.standings),
          step: taken,
          options,
        });
        standings = taken.standings;
      }
    }),
    { numRuns: 400 },
  );
}

function byKey(standings: readonly Standing[]): ReadonlyMap<string, Standing> {
  return new Map(standings.map((standing) => [findingKey(standing), standing]));
}

const isTrouble = (finding: Finding | undefined): finding is Finding =>
  finding?.status === 'failing' || finding?.status === 'unknown';

test('an alert ends as recovered only by an unexpired ok that was observed after all of its trouble (G2)', () => {
  // What the machine must remember, kept beside it: the newest trouble of each alert that is open.
  const troubles = new Map<string, number>();
  always(({ nowMs, before, findings, after, step: { events } }) => {
    for (const key of troubles.keys()) if (!before.has(key)) troubles.delete(key);
    for (const event of events.filter(({ kind }) => kind === 'ended')) {
      const key = findingKey(event.standing);
      if (event.kind !== 'ended' || event.ending !== 'recovered') continue;
      expect(event.finding?.status).toBe('ok');
      expect(findings.get(key)).toBe(event.finding);
      expect(event.finding?.observedAtMs).toBeGreaterThan(troubles.get(key) ?? Number.NaN);
      expect(event.finding?.validUntilMs).toBeGreaterThanOrEqual(nowMs);
    }
    for (const [key, { alert }] of after) {
      const finding = findings.get(key);
      if (alert === null) troubles.delete(key);
      else if (isTrouble(finding)) {
        troubles.set(key, Math.max(troubles.get(key) ?? Number.NEGATIVE_INFINITY, finding.observedAtMs));
      }
    }
  });
});

test('without such an ok an alert never ceases, and its clock is never set back', () => {
  always(({ nowMs, before, findings, after, step: { events } }) => {
    for (const [key, { alert }] of before) {
      const finding = findings.get(key);
      if (alert === null || finding === undefined) continue;
      const isEnded =
        finding.status === 'ok' && finding.observedAtMs > alert.troubleObservedAtMs && finding.validUntilMs >= nowMs;
      const later = after.get(key)?.alert ?? null;
      expect(later === null, 'ends by newer ok evidence and by nothing else').toBe(isEnded);
      if (later !== null) expect(later).toMatchObject({ id: alert.id, openedAtMs: alert.openedAtMs });
      const isTold = events.some((event) => event.kind === 'ended' && findingKey(event.standing) === key);
      expect(isTold, 'who was told of it hears of its end').toBe(isEnded && alert.state === 'firing');
    }
  });
});

test('trouble opens an alert in the pass that finds it', () => {
  always(({ nowMs, before, findings, after }) => {
    for (const [key, finding] of findings) {
      const isNew = (before.get(key)?.alert ?? null) === null;
      if (isNew && isTrouble(finding)) expect(after.get(key)?.alert?.openedAtMs).toBe(nowMs);
      if (isNew && !isTrouble(finding)) expect(after.get(key)?.alert).toBeNull();
    }
  });
});

test('a firing alert never becomes quieter, nor goes back to opened', () => {
  always(({ before, after }) => {
    for (const [key, { alert }] of before) {
      const later = after.get(key)?.alert ?? null;
      if (alert?.severity === null || alert === null || later === null) continue;
      expect(later.state).toBe('firing');
      expect(severityRank[later.severity ?? 'info']).toBeGreaterThanOrEqual(severityRank[alert.severity]);
    }
  });
});

test('what is muted never fires', () => {
  always(({ step: { events } }) => {
    for (const event of events) if (event.kind === 'fired') expect(event.finding.mutedBy).toBeNull();
  });
});

test('what is due fires in the first pass in which it is not muted', () => {
  always(({ nowMs, before, findings, after, step: { events } }) => {
    for (const [key, finding] of findings) {
      const alert = after.get(key)?.alert ?? null;
      if (alert === null || finding.mutedBy !== null) continue;
      const isFailingLongEnough = finding.status === 'failing' && nowMs >= alert.openedAtMs + finding.forMs;
      if (isFailingLongEnough) expect(alert.state).toBe('firing');
      const old = before.get(key)?.alert ?? null;
      const isMuteEnded = old?.state === 'firing' && old.mutedBy !== null && isTrouble(finding);
      const isFired = events.some((event) => event.kind === 'fired' && findingKey(event.standing) === key);
      if (isMuteEnded) expect(isFired, 'told again when its mute has ended').toBe(true);
    }
  });
});

test('an alert fires at most once a pass, and only with a reason to: new, louder, or its mute ended', () => {
  always(({ before, step: { events } }) => {
    for (const event of events) {
      if (event.kind !== 'fired') continue;
      const old = before.get(findingKey(event.standing))?.alert ?? null;
      const isLouder = severityRank[event.alert.severity ?? 'info'] > severityRank[old?.severity ?? 'info'];
      expect((old?.severity ?? null) === null || isLouder || old?.mutedBy !== null).toBe(true);
    }
    expect(new Set(events.map(({ standing }) => findingKey(standing))).size).toBe(events.length);
  });
});

test('an alert is withdrawn only when nobody asked, and only if it had fired', () => {
  always(({ before, findings, step: { events } }) => {
    const withdrawn = events.flatMap((event) =>
      event.kind === 'ended' && event.ending === 'withdrawn' ? [findingKey(event.standing)] : [],
    );
    const unasked = [...before].filter(([key, { alert }]) => alert?.state === 'firing' && !findings.has(key));
    expect(withdrawn.toSorted()).toEqual(unasked.map(([key]) => key).toSorted());
  });
});

test('unread changes nothing about an alert', () => {
  always(({ before, findings, after }) => {
    for (const [key, finding] of findings) {
      if (finding.status === 'unread') expect(after.get(key)?.alert).toEqual(before.get(key)?.alert ?? null);
    }
  });
});

test('the same pass taken twice says the same, and after it nothing is left to happen', () => {
  always(({ before, findings, step: taken, options }) => {
    expect(step([...before.values()], [...findings.values()], options)).toEqual(taken);
    expect(step(taken.standings, [...findings.values()], options).events).toEqual([]);
  });
});
