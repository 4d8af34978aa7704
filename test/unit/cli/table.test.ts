import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { checkTable } from '../../../src/cli/table.ts';
import type { CheckFinding, CheckView } from '../../../src/core/report/check-view.ts';

const plain = { isColored: false, width: 120 } as const;

function found(part: Partial<CheckFinding> = {}): CheckFinding {
  return {
    rule: 'freshness',
    id: 'phx-ai01/freshness',
    subject: 'phx-ai01/arxiv',
    target: 'nas',
    severity: 'critical',
    status: 'ok',
    reason: 'fresh',
    headline: '1h old',
    summary: 'newest proven snapshot is 1h old, allowed 26h',
    todo: null,
    observedAt: '2026-11-22T20:00:00.000Z',
    validUntil: '2026-11-23T21:00:00.000Z',
    mutedBy: null,
    ...part,
  };
}

function view(findings: readonly CheckFinding[], part: Partial<CheckView> = {}): CheckView {
  return {
    format: 'deadair.check/1',
    watchdog: 'phx-ai02',
    at: '2026-11-22T20:00:00.000Z',
    verdict: 'critical',
    findings,
    notPromised: [],
    ...part,
  };
}

const stale = found({
  status: 'failing',
  headline: '31h old, allowed 26h',
  summary: 'newest proven snapshot is 31h old, allowed 26h',
  todo: "look at the backup's timer",
});

describe('the table of a check', () => {
  test('begins with the verdict and counts, and ends with one line feed', () => {
    const text = checkTable(view([stale, found({ subject: 'phx-ai01/code' })]), plain);
    expect(text).toMatch(/^CRITICAL {2}1 failing, 1 ok {2}\(phx-ai02, 2026-11-22T20:00:00Z\)\n/);
    expect(text).toMatch(/[^\n]\n$/);
  });

  test('tells what is wrong, why, and what to do', () => {
    const text = checkTable(view([stale]), plain);
    expect(text).toContain('freshness phx-ai01/arxiv on nas');
    expect(text).toContain('newest proven snapshot is 31h old, allowed 26h');
    expect(text).toContain("→ look at the backup's timer");
  });

  test('tells the loudest first: critical, then unknown, then warning', () => {
    const text = checkTable(
      view([
        found({ status: 'failing', severity: 'warning', summary: 'a warning' }),
        found({ status: 'unknown', subject: 'host/nas', summary: 'not known' }),
        { ...stale, summary: 'an alarm' },
      ]),
      plain,
    );
    const order = ['an alarm', 'not known', 'a warning'].map((words) => text.indexOf(words));
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test('shows what is muted with its reason and its end, and does not count it as failing', () => {
    const mutedBy = {
      kind: 'exception',
      because: 'rebuilt nightly',
      by: 'rules/qdrant.yaml',
      until: '2027-01-31T00:00:00.000Z',
    };
    const text = checkTable(view([{ ...stale, mutedBy }], { verdict: 'ok' }), plain);
    expect(text).toMatch(/^OK {2}1 muted/);
    expect(text).toContain('[muted until 2027-01-31: rebuilt nightly]');
  });

  test('names what no rule guards, and counts the rest', () => {
    const notPromised = Array.from({ length: 7 }, (_, n) => ({ subject: `phx-ai01/c${n}`, rule: 'coverage' }));
    const text = checkTable(view([found()], { notPromised }), plain);
    expect(text).toContain('coverage: phx-ai01/c0, phx-ai01/c1, phx-ai01/c2, phx-ai01/c3, phx-ai01/c4 and 2 more');
  });

  test('says the same words in colour as without', () => {
    const findings = [stale, found({ subject: 'phx-ai01/code' })];
    const colored = checkTable(view(findings), { ...plain, isColored: true });
    expect(colored).toContain('\u001b[');
    // A coloured cell is filled up to its width; nobody sees that at the end of a line.
    const bare = stripVTControlCharacters(colored).replaceAll(/ +$/gm, '');
    expect(bare).toBe(checkTable(view(findings), plain));
  });

  test('lets no name or word from outside paint the terminal or forge a line', () => {
    const evil = 'x\u001b[2J\nOK  all is well';
    const text = checkTable(
      view([{ ...stale, subject: `phx-ai01/${evil}`, target: evil, summary: evil, headline: evil, todo: evil }], {
        notPromised: [{ subject: evil, rule: 'coverage' }],
      }),
      plain,
    );
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/^OK {2}all/m);
  });

  test('keeps its sentences within a narrow terminal, where words allow it', () => {
    const text = checkTable(view([{ ...stale, summary: 'word '.repeat(60).trim() }]), { ...plain, width: 60 });
    const sentences = text.split('\n').filter((line) => line.includes('word word'));
    expect(sentences.length).toBeGreaterThan(3);
    for (const line of sentences) expect(line.length).toBeLessThanOrEqual(60);
  });
});
