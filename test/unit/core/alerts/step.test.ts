import { describe, expect, test } from 'vitest';
import { step, type Step, type StepOptions } from '../../../../src/core/alerts/step.ts';
import type { AlertEvent, Standing } from '../../../../src/core/model/alert.ts';
import type { Finding } from '../../../../src/core/model/finding.ts';
import { digest, ms, nowMs as startMs } from '../../../support/world.ts';

const mute = {
  kind: 'exception',
  because: 'rebuilt nightly',
  by: 'rules/qdrant.yaml',
  untilMs: startMs + ms('1d'),
} as const;

function finding(status: Finding['status'], atMs: number, part: Partial<Finding> = {}): Finding {
  return {
    rule: 'freshness',
    id: 'phx-ai01/freshness',
    subject: 'phx-ai01/books',
    target: 'nas',
    severity: 'critical',
    status,
    reason: status,
    headline: `${status} headline`,
    summary: `${status} summary`,
    observedAtMs: atMs,
    validUntilMs: status === 'ok' ? atMs + ms('9h') : atMs,
    cause: null,
    mutedBy: null,
    forMs: 0,
    patienceMs: ms('90d'),
    todo: null,
    ...part,
  };
}

const options = (nowMs: number): StepOptions => ({
  nowMs,
  unknownAfterMs: ms('15m'),
  idOf: (parts) => digest(parts.join('|')).slice(0, 16),
});

/** One pass after the other: each line is how long after the start, and what was found. */
function play(...passes: [after: string, status: Finding['status'] | null, part?: Partial<Finding>][]): {
  readonly told: string[];
  readonly last: Step;
} {
  const told: string[] = [];
  let last: Step = { standings: [], changed: [], removed: [], events: [] };
  for (const [after, status, part] of passes) {
    const atMs = startMs + ms(after);
    // A restart between any two passes changes nothing: standings go through the store as JSON.
    const before = JSON.parse(JSON.stringify(last.standings)) as Standing[];
    last = step(before, status === null ? [] : [finding(status, atMs, part)], options(atMs));
    told.push(...last.events.map((event) => `${after} ${describeEvent(event)}`));
  }
  return { told, last };
}

function describeEvent(event: AlertEvent): string {
  return event.kind === 'fired' ? `fired ${event.alert.severity} (${event.why})` : event.ending;
}

const warning = { severity: 'warning' as const };
const muted = { mutedBy: mute };
const hour = { forMs: ms('1h') };
const caused = { cause: { subject: 'target/nas', summary: 'SSH timeout' } };

describe('what is told when', () => {
  test.each<[string, Parameters<typeof play>, string[]]>([
    [
      'ok tells nothing',
      [
        ['0s', 'ok'],
        ['5m', 'ok'],
      ],
      [],
    ],
    [
      'failing tells at once',
      [
        ['0s', 'failing'],
        ['5m', 'failing'],
      ],
      ['0s fired critical (failing)'],
    ],
    [
      'failing waits for `for`',
      [
        ['0s', 'failing', hour],
        ['59m', 'failing', hour],
        ['60m', 'failing', hour],
      ],
      ['60m fired critical (failing)'],
    ],
    [
      'a short trouble within `for` is never told',
      [
        ['0s', 'failing', hour],
        ['5m', 'ok', hour],
        ['90m', 'ok', hour],
      ],
      [],
    ],
    [
      'unknown does not reset the clock of failing',
      [
        ['0s', 'failing', hour],
        ['30m', 'unknown', hour],
        ['60m', 'failing', hour],
      ],
      ['60m fired critical (failing)'],
    ],
    [
      'failing does not reset the clock of unknown',
      [
        ['0s', 'unknown', warning],
        ['5m', 'failing', { ...warning, forMs: ms('1d') }],
        ['15m', 'unknown', warning],
      ],
      ['15m fired warning (last-proof-expired)'],
    ],
    [
      'unread does not reset the clock either',
      [
        ['0s', 'failing', hour],
        ['30m', 'unread', hour],
        ['60m', 'failing', hour],
      ],
      ['60m fired critical (failing)'],
    ],
    [
      'unread opens nothing and ends nothing',
      [
        ['0s', 'unread'],
        ['7h', 'unread'],
        ['8h', 'failing'],
        ['9h', 'unread'],
      ],
      ['8h fired critical (failing)'],
    ],
    [
      'unknown is a warning after unknown_after, and its own severity when the last proof ends',
      [
        ['0s', 'ok'],
        ['1h', 'unknown'],
        ['74m', 'unknown'],
        ['75m', 'unknown'],
        ['8h', 'unknown'],
        ['9h', 'unknown'],
      ],
      ['75m fired warning (unknown-too-long)', '9h fired critical (last-proof-expired)'],
    ],
    [
      'what never was proven has its own severity after unknown_after',
      [
        ['0s', 'unknown'],
        ['14m', 'unknown'],
        ['15m', 'unknown'],
      ],
      ['15m fired critical (last-proof-expired)'],
    ],
    [
      'what a lost target hides is told when its own proof ends, not before',
      [
        ['0s', 'ok'],
        ['1h', 'unknown', caused],
        ['3h', 'unknown', caused],
        ['9h', 'unknown', caused],
      ],
      ['9h fired critical (last-proof-expired)'],
    ],
    [
      'the lost target itself is told after unknown_after',
      [
        ['0s', 'ok', { rule: 'reachable', ...warning }],
        ['1h', 'unknown', { rule: 'reachable', ...warning, ...caused }],
        ['75m', 'unknown', { rule: 'reachable', ...warning, ...caused }],
      ],
      ['75m fired warning (unknown-too-long)'],
    ],
    [
      'an unknown that turns out to be failing gets louder',
      [
        ['0s', 'ok'],
        ['1h', 'unknown'],
        ['75m', 'unknown'],
        ['80m', 'failing'],
      ],
      ['75m fired warning (unknown-too-long)', '80m fired critical (worsened)'],
    ],
    [
      'what fired never gets quieter, nor fires twice',
      [
        ['0s', 'failing'],
        ['5m', 'unknown'],
        ['3h', 'unknown', warning],
        ['4h', 'failing', warning],
        ['5h', 'failing'],
      ],
      ['0s fired critical (failing)'],
    ],
    [
      'recovers by a newer ok',
      [
        ['0s', 'failing'],
        ['5m', 'ok'],
      ],
      ['0s fired critical (failing)', '5m recovered'],
    ],
    [
      'is told anew when it fails anew',
      [
        ['0s', 'failing'],
        ['5m', 'ok'],
        ['10m', 'failing'],
      ],
      ['0s fired critical (failing)', '5m recovered', '10m fired critical (failing)'],
    ],
    [
      'ends as withdrawn when nobody asks',
      [
        ['0s', 'failing'],
        ['5m', null],
      ],
      ['0s fired critical (failing)', '5m withdrawn'],
    ],
    [
      'ends silently when nobody asks about what was never told',
      [
        ['0s', 'failing', hour],
        ['5m', null],
      ],
      [],
    ],
  ])('%s', (_, passes, told) => {
    expect(play(...passes).told).toEqual(told);
  });
});

test('unread becomes trouble when it has lasted too long, however often it begins anew', () => {
  const patient = { patienceMs: ms('6h') };
  const look = (after: string, status: Finding['status']): Finding => finding(status, startMs + ms(after), patient);
  let standings: readonly Standing[] = [];
  const reasons: string[] = [];
  const passes = [look('0s', 'ok'), look('1h', 'unread'), look('4h', 'unread'), look('7h', 'unread'), look('8h', 'ok')];
  for (const each of passes) {
    const taken = step(standings, [each], options(each.observedAtMs));
    standings = taken.standings;
    reasons.push(...taken.events.map((event) => (event.kind === 'fired' ? event.alert.reason : event.ending)));
  }
  expect(reasons).toEqual(['unread-too-long', 'recovered']);
});

describe('only newer, unexpired ok evidence ends an alert (G2)', () => {
  const at = (after: string): number => startMs + ms(after);

  test.each<[string, Partial<Finding>]>([
    ['is as old as the trouble', { observedAtMs: at('10m') }],
    ['is older than the trouble', { observedAtMs: at('9m') }],
    ['has expired', { validUntilMs: at('14m') }],
  ])('not an ok that %s', (_, part) => {
    const { told, last } = play(['10m', 'failing'], ['15m', 'ok', part]);
    expect(told).toEqual(['10m fired critical (failing)']);
    expect(last.standings).toMatchObject([{ status: 'ok', alert: { state: 'firing' } }]);
  });

  test('not an ok newer than the first trouble but older than the last', () => {
    const { told } = play(['5m', 'failing'], ['10m', 'unknown'], ['15m', 'ok', { observedAtMs: at('7m') }]);
    expect(told).toEqual(['5m fired critical (failing)']);
  });

  test('nor does it stop the clock of what was not told yet', () => {
    const old = { ...hour, observedAtMs: at('0s') };
    const { told } = play(['1m', 'failing', hour], ['30m', 'ok', old], ['61m', 'failing', hour]);
    expect(told).toEqual(['61m fired critical (failing)']);
  });

  test('trouble that was seen while the clock stood ahead is ended by no ok before that time', () => {
    const { told } = play(['3h', 'failing'], ['5m', 'ok'], ['181m', 'ok']);
    expect(told).toEqual(['3h fired critical (failing)', '181m recovered']);
  });
});

describe('a clock that steps back', () => {
  test('delays a deadline by at most the step, and un-tells nothing', () => {
    const { told } = play(
      ['2h', 'failing', hour],
      ['1h', 'failing', hour],
      ['179m', 'failing', hour],
      ['180m', 'failing', hour],
      ['1h', 'failing', hour],
      ['181m', 'failing', hour],
    );
    expect(told).toEqual(['180m fired critical (failing)']);
  });
});

describe('a muted finding', () => {
  test('is never told, and is told in the first pass after its mute', () => {
    const { told } = play(['0s', 'failing', muted], ['2d', 'failing', muted], ['49h', 'failing']);
    expect(told).toEqual(['49h fired critical (mute-ended)']);
  });

  test('is told again after its mute when it had fired before', () => {
    const { told } = play(['0s', 'failing'], ['5m', 'failing', muted], ['10m', 'failing'], ['15m', 'failing']);
    expect(told).toEqual(['0s fired critical (failing)', '10m fired critical (mute-ended)']);
  });

  test('is told again, no quieter, when it is unknown by then', () => {
    const { told } = play(['0s', 'failing'], ['5m', 'failing', muted], ['10m', 'unknown']);
    expect(told).toEqual(['0s fired critical (failing)', '10m fired critical (mute-ended)']);
  });

  test('does not get louder while it is muted', () => {
    const { told } = play(['0s', 'failing', warning], ['5m', 'failing', muted], ['10m', 'failing']);
    expect(told).toEqual(['0s fired warning (failing)', '10m fired critical (worsened)']);
  });

  test('that recovers in the meantime is never told', () => {
    expect(play(['0s', 'failing', muted], ['5m', 'ok', muted], ['2d', 'ok']).told).toEqual([]);
  });

  test('waits for `for` as any other', () => {
    const { told } = play(
      ['0s', 'failing', { ...hour, ...muted }],
      ['5m', 'failing', hour],
      ['59m', 'failing', hour],
      ['1h', 'failing', hour],
    );
    expect(told).toEqual(['1h fired critical (failing)']);
  });
});

describe('what is remembered', () => {
  test('an alert keeps its id and its beginning, and takes the words of the newest finding', () => {
    const first = play(['0s', 'failing', { summary: 'was 27h old' }]).last.standings[0]?.alert;
    const later = play(['0s', 'failing', { summary: 'was 27h old' }], ['1h', 'failing', { summary: 'is 28h old' }]);
    expect(first?.id).toMatch(/^[0-9a-f]{16}$/);
    expect(later.last.standings[0]?.alert).toMatchObject({
      id: first?.id,
      openedAtMs: startMs,
      troubleObservedAtMs: startMs + ms('1h'),
      summary: 'is 28h old',
    });
  });

  test('trouble of the same subject at another time is another alert', () => {
    const first = play(['0s', 'failing']).last.standings[0]?.alert?.id;
    const second = play(['0s', 'failing'], ['5m', 'ok'], ['10m', 'failing']).last.standings[0]?.alert?.id;
    expect(second).not.toBe(first);
  });

  test('rule, subject and target tell alerts apart', () => {
    const findings = [
      finding('failing', startMs),
      finding('failing', startMs, { target: null }),
      finding('failing', startMs, { subject: 'phx-ai01/arxiv' }),
      finding('failing', startMs, { id: 'phx-ai01/integrity' }),
    ];
    const { standings, events } = step([], findings, options(startMs));
    expect(new Set(standings.map(({ alert }) => alert?.id)).size).toBe(4);
    expect(events).toHaveLength(4);
    const next = step(standings, findings.toReversed(), options(startMs + 1));
    expect(next.events).toEqual([]);
  });

  test('only what differs is stored', () => {
    const { last } = play(['0s', 'failing']);
    expect(last.changed).toHaveLength(1);
    expect(step(last.standings, [finding('failing', startMs)], options(startMs)).changed).toEqual([]);
  });

  test('what nobody asks about any more is removed', () => {
    const { standings } = play(['0s', 'ok']).last;
    expect(step(standings, [], options(startMs))).toMatchObject({ standings: [], removed: [standings[0]], events: [] });
  });
});
