import { expect, test } from 'vitest';
import { checkView } from '../../../../src/core/report/check-view.ts';
import { found } from '../../../support/watch.ts';
import { ms, nowMs } from '../../../support/world.ts';

const mutedBy = { kind: 'exception', because: 'meant', by: 'rules/qdrant.yaml', untilMs: nowMs + ms('1d') } as const;

const findings = [
  found('failing', 'books', '0s', { mutedBy, target: 'nas' }),
  found('ok', 'arxiv', '0s', { validUntilMs: Number.POSITIVE_INFINITY, target: null }),
];
const notPromised = [{ subject: 'phx-ai01/arxiv', rule: 'integrity' }];
const view = checkView('phx-ai02', nowMs, { findings, notPromised });

test('keeps its contract with scripts', () => {
  expect(view).toMatchObject({
    format: 'deadair.check/1',
    watchdog: 'phx-ai02',
    at: '2026-11-22T20:00:00.000Z',
    verdict: 'ok',
    notPromised,
  });
  expect(view.findings[0]).toEqual({
    rule: 'freshness',
    id: 'phx-ai01/freshness',
    subject: 'phx-ai01/books',
    target: 'nas',
    severity: 'critical',
    status: 'failing',
    reason: 'stale',
    headline: '31h old, allowed 26h',
    summary: 'newest proven snapshot is 31h old, allowed 26h',
    todo: "look at the backup's timer and its last log, then run it",
    observedAt: '2026-11-22T20:00:00.000Z',
    validUntil: '2026-11-22T20:00:00.000Z',
    mutedBy: { kind: 'exception', because: 'meant', by: 'rules/qdrant.yaml', until: '2026-11-23T20:00:00.000Z' },
  });
});

test('is JSON, whatever the instants', () => {
  expect(JSON.parse(JSON.stringify(view))).toEqual(view);
  expect(view.findings[1]).toMatchObject({ target: null, mutedBy: null, validUntil: '+275760-09-13T00:00:00.000Z' });
});
