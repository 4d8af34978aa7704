import { describe, expect, test } from 'vitest';
import type { Message } from '../../../../src/core/model/alert.ts';
import type { Finding } from '../../../../src/core/model/finding.ts';
import type { Policy } from '../../../../src/core/routing/policy.ts';
import { freshnessRule } from '../../../support/rules.ts';
import { found, phonePolicy, watch } from '../../../support/watch.ts';
import { ms, nowMs } from '../../../support/world.ts';

const brief = ({ receiver, kind, severity, title }: Message): string => `${receiver} ${kind} ${severity}: ${title}`;
const mutedBy = { kind: 'exception', because: 'meant', by: 'rules/qdrant.yaml', untilMs: nowMs + ms('1d') } as const;
const unknownSeen = { status: 'unknown', headline: 'cannot be read', summary: 'it cannot be read' } as const;
const twoPhones: Policy = {
  ...phonePolicy,
  ladders: new Map([
    ['critical', { notify: ['phone', 'pager'], priority: 5 }],
    ['warning', { notify: ['desk'], priority: null }],
  ]),
};

describe('one message a group', () => {
  test('however many alerts it has, to each receiver', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `collection-with-a-long-name-${index}`);
    const messages = watch({ policy: twoPhones }).pass(
      '0s',
      names.map((name) => found('failing', name, '0s')),
    );
    expect(messages.map(({ receiver }) => receiver)).toEqual(['phone', 'pager']);
    expect(messages[0]).toMatchObject({ title: 'CRIT phx-ai01: 10000 of 10000 not fresh', priority: 5 });
    expect(Buffer.byteLength(messages[0]!.body)).toBeLessThan(4_000);
    expect(Buffer.byteLength(messages[0]!.title)).toBeLessThan(250);
  });

  test('and none while nothing changes', () => {
    const watched = watch();
    watched.pass('0s', [found('failing', 'books', '0s')]);
    expect(watched.pass('5m', [found('failing', 'books', '5m')])).toEqual([]);
    expect(watched.pass('10m', [found('unknown', 'books', '10m')])).toEqual([]);
  });

  test('another when an alert joins, which replaces the one before on the phone', () => {
    const watched = watch();
    const [first] = watched.pass('0s', [found('failing', 'books', '0s'), found('ok', 'arxiv', '0s')]);
    const [second] = watched.pass('5m', [found('failing', 'books', '5m'), found('failing', 'arxiv', '5m')]);
    expect(first).toMatchObject({ title: 'CRIT books on nas: 31h old, allowed 26h', clears: null });
    expect(second).toMatchObject({
      title: 'CRIT phx-ai01: 2 of 2 not fresh',
      groupId: first?.groupId,
      clears: first?.sequenceId,
    });
    expect(second?.sequenceId).not.toBe(first?.sequenceId);
  });

  test.each<[string, Partial<Finding>]>([
    ['severity', { severity: 'warning' }],
    ['rule', { id: 'phx-ai01/integrity', rule: 'integrity' }],
    ['cause', { cause: { subject: 'target/nas', summary: 'SSH timeout' } }],
    ['source', { subject: 'other/arxiv' }],
  ])('alerts of another %s are another group', (_, part) => {
    const watched = watch();
    expect(watched.pass('0s', [found('failing', 'books', '0s'), found('failing', 'arxiv', '0s', part)])).toHaveLength(
      2,
    );
    expect(new Set(watched.groups().map(({ id }) => id)).size).toBe(2);
  });

  test('targets, hosts, sources and receivers are groups of their own', () => {
    const subjects = ['target/nas', 'target/phx-ai02', 'host/nas', 'source/phx-ai01', 'receiver/phone'];
    const findings = subjects.map((subject) => found('failing', 'x', '0s', { subject, target: null }));
    expect(watch().pass('0s', findings)).toHaveLength(subjects.length);
  });
});

describe('sequence ids', () => {
  test('are what ntfy takes, never repeat, and count up from message to message', () => {
    const watched = watch();
    const messages = ['0s', '5m', '10m', '15m'].flatMap((after, index) =>
      watched.pass(
        after,
        ['a', 'b', 'c', 'd'].map((name, at) => found(at <= index ? 'failing' : 'ok', name, after)),
      ),
    );
    messages.push(
      ...watched.pass(
        '20m',
        ['a', 'b', 'c', 'd'].map((name) => found('ok', name, '20m')),
      ),
    );
    const [first] = messages;
    expect(messages.map(({ sequenceId }) => sequenceId)).toEqual(
      [1, 2, 3, 4, 5].map((count) => `${first?.groupId}-${count}`),
    );
    for (const { id, sequenceId, receiver } of messages) {
      expect(sequenceId).toMatch(/^[-_A-Za-z0-9]{1,64}$/);
      expect(id).toBe(`${sequenceId}@${receiver}`);
    }
    expect(messages.map(({ clears }) => clears)).toEqual([
      null,
      ...messages.slice(0, -1).map((each) => each.sequenceId),
    ]);
  });
});

describe('a recovery', () => {
  test('is told once all alerts of the group have recovered, and not before', () => {
    const watched = watch();
    watched.pass('0s', [found('failing', 'books', '0s'), found('failing', 'arxiv', '0s')]);
    expect(watched.pass('5m', [found('ok', 'books', '5m'), found('failing', 'arxiv', '5m')])).toEqual([]);
    expect(watched.pass('10m', [found('ok', 'books', '10m'), found('unknown', 'arxiv', '10m')])).toEqual([]);
    expect(watched.pass('15m', [found('ok', 'books', '15m'), found('ok', 'arxiv', '15m')]).map(brief)).toEqual([
      'phone recovered critical: OK arxiv on nas: freshness recovered',
    ]);
    expect(watched.groups()).toEqual([]);
  });

  test('goes to everyone who was told, also where the ladder has changed since', () => {
    const watched = watch({ policy: twoPhones });
    watched.pass('0s', [found('failing', 'books', '0s')]);
    const recovered = watched.pass('5m', [found('ok', 'books', '5m')]);
    expect(recovered.map(({ receiver, kind }) => [receiver, kind])).toEqual([
      ['phone', 'recovered'],
      ['pager', 'recovered'],
    ]);
  });

  test('says how many others are not well yet, rather than that all is', () => {
    const watched = watch();
    const [aged, unreadable] = [{}, { ...unknownSeen, severity: 'warning' as const }];
    watched.pass('0s', [
      found('failing', 'a', '0s', aged),
      found('failing', 'b', '0s', aged),
      found('unknown', 'c', '0s', unreadable),
    ]);
    watched.pass('15m', [
      found('failing', 'a', '15m'),
      found('failing', 'b', '15m'),
      found('unknown', 'c', '15m', unreadable),
    ]);
    const [message] = watched.pass('20m', [
      found('ok', 'a', '20m'),
      found('ok', 'b', '20m'),
      found('unknown', 'c', '20m', unreadable),
    ]);
    expect(message).toMatchObject({ kind: 'recovered', title: 'OK phx-ai01: 2 recovered, 1 still not fresh' });
    expect(message?.body).toContain('1 other finding still not fresh.');
  });
});

describe('an alert that nobody asks about any more', () => {
  test('ends as withdrawn, and the message never says OK', () => {
    const watched = watch();
    watched.pass('0s', [found('failing', 'books', '0s')]);
    const [message] = watched.pass('5m', []);
    expect(message).toMatchObject({ kind: 'withdrawn', title: 'ENDED books on nas: no longer watched' });
    expect(`${message?.title}\n${message?.body}`).not.toMatch(/\bOK\b|recovered/);
  });

  test('makes the end of its group a withdrawal, even if the others recovered', () => {
    const watched = watch();
    watched.pass('0s', [found('failing', 'books', '0s'), found('failing', 'arxiv', '0s')]);
    expect(watched.pass('5m', [found('ok', 'books', '5m')]).map(brief)).toEqual([
      'phone withdrawn critical: ENDED phx-ai01: no longer watched',
    ]);
  });

  test('is told while the rest of its group goes on', () => {
    const watched = watch();
    watched.pass('0s', [found('failing', 'books', '0s'), found('failing', 'arxiv', '0s')]);
    const [message] = watched.pass('5m', [found('failing', 'books', '5m')]);
    expect(message).toMatchObject({ kind: 'alert', title: 'CRIT books on nas: 31h old, allowed 26h' });
    expect(message?.body).toContain('No longer watched: arxiv on nas.');
  });
});

describe('an alert that gets louder', () => {
  const unknown = (after: string): Finding => found('unknown', 'books', after, unknownSeen);

  test('moves to a louder group, which clears the message of the one it leaves empty, and tells its receivers', () => {
    const watched = watch({ policy: twoPhones });
    watched.pass('0s', [found('ok', 'books', '0s')]);
    watched.pass('1h', [unknown('1h')]);
    const [warned] = watched.pass('75m', [unknown('75m')]);
    expect(brief(warned!)).toBe('desk alert warning: WARN books on nas: cannot be read');
    const louder = watched.pass('80m', [found('failing', 'books', '80m')]);
    expect(louder.map(brief)).toEqual([
      'desk alert critical: CRIT books on nas: 31h old, allowed 26h',
      'phone alert critical: CRIT books on nas: 31h old, allowed 26h',
      'pager alert critical: CRIT books on nas: 31h old, allowed 26h',
    ]);
    expect(louder.map(({ clears }) => clears)).toEqual([warned!.sequenceId, warned!.sequenceId, warned!.sequenceId]);
    expect(watched.groups()).toHaveLength(1);
    expect(
      watched.pass('85m', [found('ok', 'books', '85m')]).map(({ receiver, kind }) => `${receiver} ${kind}`),
    ).toEqual(['desk recovered', 'phone recovered', 'pager recovered']);
  });

  test('leaves the message alone of a group that still has others, and who was told there hears of it all the same', () => {
    const watched = watch({ policy: twoPhones });
    const other = (after: string): Finding => found('unknown', 'arxiv', after, unknownSeen);
    watched.pass('0s', [found('ok', 'books', '0s'), found('ok', 'arxiv', '0s')]);
    watched.pass('1h', [unknown('1h'), other('1h')]);
    expect(watched.pass('75m', [unknown('75m'), other('75m')])).toHaveLength(1);
    const louder = watched.pass('80m', [found('failing', 'books', '80m'), other('80m')]);
    expect(louder.map(({ receiver, clears }) => [receiver, clears])).toEqual([
      ['desk', null],
      ['phone', null],
      ['pager', null],
    ]);
    expect(watched.groups()).toHaveLength(2);
  });
});

describe('a mute', () => {
  test('keeps an alert that was told out of the words of its group, and in the group', () => {
    const watched = watch();
    watched.pass('0s', [found('failing', 'books', '0s'), found('ok', 'arxiv', '0s')]);
    const [message] = watched.pass('5m', [
      found('failing', 'books', '5m', { mutedBy }),
      found('failing', 'arxiv', '5m'),
    ]);
    expect(message?.title).toBe('CRIT arxiv on nas: 31h old, allowed 26h');
    expect(message?.body).not.toContain('books');
    expect(
      watched.pass('10m', [found('failing', 'books', '10m', { mutedBy }), found('ok', 'arxiv', '10m')]),
      'no OK while one of them is not well',
    ).toEqual([]);
  });

  test('tells its alert when it ends', () => {
    const watched = watch();
    expect(watched.pass('0s', [found('failing', 'books', '0s', { mutedBy })])).toEqual([]);
    expect(watched.pass('1d', [found('failing', 'books', '1d')])).toHaveLength(1);
  });
});

describe('who is told', () => {
  test('nobody of info, neither when it fires nor when it ends', () => {
    const watched = watch();
    expect(watched.pass('0s', [found('failing', 'books', '0s', { severity: 'info' })])).toEqual([]);
    expect(watched.pass('5m', [found('ok', 'books', '5m', { severity: 'info' })])).toEqual([]);
    expect(watched.groups()).toEqual([]);
  });

  test('nobody of info either when a ladder has that name, or the rule names one', () => {
    const ladders = new Map([...phonePolicy.ladders, ['info', { notify: ['phone'], priority: null }]]);
    for (const escalate of [null, 'critical', 'info']) {
      const watched = watch({ policy: { ...phonePolicy, ladders }, rules: [freshnessRule({ escalate })] });
      expect(watched.pass('0s', [found('failing', 'books', '0s', { severity: 'info' })])).toEqual([]);
    }
  });

  test('the ladder that the rule names; of one that does not exist, that of its severity', () => {
    const ladders = new Map([...phonePolicy.ladders, ['night', { notify: ['pager'], priority: 2 }]]);
    const told = (escalate: string): readonly Message[] =>
      watch({ policy: { ...phonePolicy, ladders }, rules: [freshnessRule({ escalate })] }).pass('0s', [
        found('failing', 'books', '0s'),
      ]);
    expect(told('night')).toMatchObject([{ receiver: 'pager', priority: 2 }]);
    expect(told('nowhere')).toMatchObject([{ receiver: 'phone', priority: null }]);
  });
});

describe('a reload that takes a receiver away', () => {
  const policyOf = (name: string): Policy => ({
    ...phonePolicy,
    ladders: new Map([['critical', { notify: [name], priority: null }]]),
    receivers: new Set([name]),
  });

  test('tells what still fires to those who are there now, and the end of it too', () => {
    const watched = watch({ policy: policyOf('phone') });
    watched.pass('0s', [found('failing', 'books', '0s')]);
    watched.obey(policyOf('mobile'));
    expect(watched.pass('5m', [found('failing', 'books', '5m')]).map(brief)).toEqual([
      'mobile alert critical: CRIT books on nas: 31h old, allowed 26h',
    ]);
    expect(watched.pass('10m', [found('failing', 'books', '10m')])).toEqual([]);
    expect(watched.pass('15m', [found('ok', 'books', '15m')]).map(({ receiver, kind }) => [receiver, kind])).toEqual([
      ['mobile', 'recovered'],
    ]);
  });
});
