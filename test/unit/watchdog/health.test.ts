import { describe, expect, test } from 'vitest';
import { self } from '../../../src/core/findings/self.ts';
import { clockStepMs, type Health, selfWorld } from '../../../src/watchdog/health.ts';
import { builtInRules } from '../../../src/watchdog/kinds.ts';

const nowMs = 1_795_000_000_000;

const sound: Health = {
  nowMs,
  checkEveryMs: 300_000,
  aheadMs: 0,
  stepMs: 0,
  lastCommittedAtMs: nowMs - 300_000,
  lastPassMs: 800,
  latePasses: 0,
  oldestUnsent: null,
  reloadMistakes: [],
  reading: new Map(),
  storeFailure: null,
  wasStoreLost: false,
};

describe('the health of the watchdog itself', () => {
  test('is without trouble when all is sound, at the first start as well', () => {
    expect(selfWorld(sound)).toEqual({ observedAtMs: nowMs, troubles: [] });
    expect(selfWorld({ ...sound, lastCommittedAtMs: null, lastPassMs: null }).troubles).toEqual([]);
  });

  const troubles: readonly {
    readonly what: string;
    readonly part: Partial<Health>;
    readonly name: string;
    readonly says: RegExp;
  }[] = [
    { what: 'a clock that stepped back', part: { aheadMs: 7_200_000 }, name: 'clock', says: /set back by 2h|120m/ },
    {
      what: 'a clock that is behind the last commit of an earlier process',
      part: { lastCommittedAtMs: nowMs + 7_200_000 },
      name: 'clock',
      says: /set back by/,
    },
    { what: 'a clock that jumped ahead', part: { stepMs: 7_200_000 }, name: 'clock', says: /jumped ahead/ },
    {
      what: 'passes that take longer than check_every',
      part: { lastPassMs: 300_001, latePasses: 3 },
      name: 'pass',
      says: /the last 3 passes took longer than check_every \(5m\)/,
    },
    {
      what: 'a message nobody accepts',
      part: { oldestUnsent: { createdAtMs: nowMs - 600_001, receiver: 'phone', lastError: 'refused (401)' } },
      name: 'outbox',
      says: /phone.*10m.*refused \(401\)/,
    },
    {
      what: 'a configuration that was refused',
      part: { reloadMistakes: ['deadair.yaml:1:1 x: expected y', 'and another'] },
      name: 'reload',
      says: /the old one stays: deadair\.yaml:1:1 x: expected y \(and 1 more\)/,
    },
    {
      what: 'a target that cannot be read',
      part: { reading: new Map([['nas', 'connection lost']]) },
      name: 'reader',
      says: /reading nas failed: connection lost/,
    },
    { what: 'a state that cannot be stored', part: { storeFailure: 'disk full' }, name: 'store', says: /disk full/ },
    { what: 'a state that was lost', part: { wasStoreLost: true }, name: 'store', says: /was gone/ },
  ];

  test.each(troubles)('names $what, and the rule about ourselves fails by it', ({ part, name, says }) => {
    const world = selfWorld({ ...sound, ...part });
    expect(world.troubles.map((trouble) => trouble.name)).toEqual([name]);
    expect(world.troubles[0]?.summary).toMatch(says);
    const rule = builtInRules.find(({ kind }) => kind === 'self')!;
    const findings = self.judge(rule, { world: { self: world }, nowMs } as never);
    expect(findings.filter(({ status }) => status === 'failing').map(({ subject }) => subject)).toEqual([
      `deadair/${name}`,
    ]);
  });

  test('names several troubles at once', () => {
    const { troubles: named } = selfWorld({ ...sound, aheadMs: 60_000, storeFailure: 'disk full' });
    expect(named.map(({ name }) => name)).toEqual(['clock', 'store']);
  });

  test.each([
    ['a clock that is a little off', { stepMs: clockStepMs, aheadMs: clockStepMs }],
    ['a clock that was corrected back from ahead of us', { stepMs: -clockStepMs }],
    ['one slow pass, and another', { lastPassMs: 900_000, latePasses: 2 }],
    [
      'a message that is still young',
      { oldestUnsent: { createdAtMs: nowMs - 600_000, receiver: 'phone', lastError: 'x' } },
    ],
  ] satisfies [string, Partial<Health>][])('has no trouble with %s', (_, part) => {
    expect(selfWorld({ ...sound, ...part }).troubles).toEqual([]);
  });
});
