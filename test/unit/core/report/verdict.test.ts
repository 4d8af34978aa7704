import { describe, expect, test } from 'vitest';
import type { Finding, Verdict } from '../../../../src/core/model/finding.ts';
import { exitCodes, verdict } from '../../../../src/core/report/verdict.ts';
import { found } from '../../../support/watch.ts';
import { ms, nowMs } from '../../../support/world.ts';

const mutedBy = { kind: 'exception', because: 'meant', by: 'rules/qdrant.yaml', untilMs: nowMs + ms('1d') } as const;

type Brief = [status: Finding['status'], severity: Finding['severity'], isMuted?: 'muted'];

const findingsOf = (briefs: Brief[]): Finding[] =>
  briefs.map(([status, severity, isMuted]) =>
    found(status, 'books', '0s', { severity, mutedBy: isMuted === undefined ? null : mutedBy }),
  );

describe('the verdict', () => {
  test.each<[string, Brief[], Verdict]>([
    ['nothing judged', [], 'unknown'],
    [
      'all ok',
      [
        ['ok', 'critical'],
        ['ok', 'warning'],
      ],
      'ok',
    ],
    [
      'a failing warning',
      [
        ['ok', 'critical'],
        ['failing', 'warning'],
      ],
      'warning',
    ],
    ['an unknown', [['unknown', 'warning']], 'unknown'],
    ['something unread', [['unread', 'critical']], 'unknown'],
    [
      'an unknown beside a failing warning',
      [
        ['failing', 'warning'],
        ['unknown', 'warning'],
      ],
      'unknown',
    ],
    [
      'a failing critical beside an unknown',
      [
        ['unknown', 'critical'],
        ['failing', 'critical'],
      ],
      'critical',
    ],
    [
      'a muted failing critical',
      [
        ['ok', 'critical'],
        ['failing', 'critical', 'muted'],
      ],
      'ok',
    ],
    [
      'a failing info',
      [
        ['ok', 'critical'],
        ['failing', 'info'],
      ],
      'ok',
    ],
  ])('of %s', (_, briefs, expected) => {
    expect(verdict(findingsOf(briefs))).toBe(expected);
  });

  test('exits as a monitoring plugin does', () => {
    expect(exitCodes).toEqual({ ok: 0, warning: 1, critical: 2, unknown: 3 });
  });
});
