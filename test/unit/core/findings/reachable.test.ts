import { expect, test } from 'vitest';
import { about, builtInRules, judgeSketch } from '../../../support/rules.ts';
import { goodSketch, ms, nowMs, unseen } from '../../../support/world.ts';

const rules = builtInRules().filter(({ kind }) => kind === 'reachable');

test('every source, host, target and receiver is a subject, seen by whoever looked at it', () => {
  const { findings } = judgeSketch(goodSketch(), rules);
  expect(findings.map(({ subject, status }) => [subject, status])).toEqual([
    ['source/phx-ai01', 'ok'],
    ['host/nas', 'ok'],
    ['receiver/phone', 'ok'],
    ['target/phx-ai02', 'ok'],
    ['target/nas', 'ok'],
  ]);
  expect(findings[0]).toMatchObject({ severity: 'warning', validUntilMs: nowMs + ms('24h') });
});

test('what cannot be looked at is unknown, with the reason, what to do, and itself as the cause', () => {
  const sketch = goodSketch();
  sketch.receivers['phone'] = unseen('401 from https://ntfy.lan', 'http/unauthorized');
  expect(about(judgeSketch(sketch, rules), 'receiver/phone')).toMatchObject({
    status: 'unknown',
    reason: 'cannot-look',
    summary: '401 from https://ntfy.lan',
    todo: 'look at the network',
    cause: { subject: 'receiver/phone', summary: '401 from https://ntfy.lan' },
  });
});

test('a target behind a lost host shares the cause of the host', () => {
  const sketch = goodSketch();
  sketch.hosts['nas'] = unseen();
  sketch.targets['nas']!.unseen = unseen();
  const { findings } = judgeSketch(sketch, rules);
  expect(about({ findings }, 'host/nas').cause?.subject).toBe('host/nas');
  expect(about({ findings }, 'target/nas').cause?.subject).toBe('host/nas');
});

test('a target that is lost while its host answers is its own cause', () => {
  const sketch = goodSketch();
  sketch.targets['nas']!.unseen = unseen('no such directory', 'place/not-found');
  expect(about(judgeSketch(sketch, rules), 'target/nas').cause?.subject).toBe('target/nas');
});
