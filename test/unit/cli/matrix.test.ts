import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { matrix } from '../../../src/cli/matrix.ts';
import { painter } from '../../../src/cli/paint.ts';
import type { CheckFinding } from '../../../src/core/report/check-view.ts';

const plain = painter(false);

function found(part: Partial<CheckFinding> = {}): CheckFinding {
  return {
    rule: 'freshness',
    id: 'phx-ai01/freshness',
    subject: 'phx-ai01/arxiv',
    target: 'nas',
    severity: 'critical',
    status: 'ok',
    reason: 'fresh',
    headline: '7h old',
    summary: 'newest proven snapshot is 7h old, allowed 26h',
    todo: null,
    observedAt: '2026-11-22T20:00:00.000Z',
    validUntil: '2026-11-23T21:00:00.000Z',
    mutedBy: null,
    ...part,
  };
}

const stale = found({ status: 'failing', headline: '31h old, allowed 26h' });
const mutedBy = { kind: 'exception', because: 'meant', by: 'rules/qdrant.yaml', until: '2027-01-31T00:00:00.000Z' };

describe('the grid of collections', () => {
  test('has a row a collection in order of their names, and a column a rule and target', () => {
    const grid = matrix(
      [
        found({ subject: 'phx-ai01/notes' }),
        stale,
        found({ target: 'phx-ai02' }),
        found({ rule: 'coverage', target: null, headline: '2 copies' }),
      ],
      plain,
    );
    const columns = grid.map((line) => line.trim().split(/ {2,}/));
    expect(columns).toEqual([
      ['freshness', 'freshness', 'coverage'],
      ['nas', 'phx-ai02'],
      ['phx-ai01/arxiv', '✗ 31h old', '✓ 7h old', '✓ 2 copies'],
      ['phx-ai01/notes', '✓ 7h old'],
    ]);
    // Each cell stands below the head of its column.
    const [head = '', , row = ''] = grid;
    expect(row.indexOf('✗')).toBe(head.indexOf('freshness'));
    expect(row.indexOf('✓ 2')).toBe(head.indexOf('coverage'));
  });

  test('is empty when nothing is about a collection', () => {
    const others = ['source/phx-ai01', 'target/nas', 'host/nas', 'receiver/phone', 'deadair/clock'];
    expect(
      matrix(
        others.map((subject) => found({ subject })),
        plain,
      ),
    ).toEqual([]);
    expect(matrix([], plain)).toEqual([]);
  });

  test.each([
    ['✓', {}],
    ['✗', { status: 'failing' }],
    ['!', { status: 'failing', severity: 'warning' }],
    ['i', { status: 'failing', severity: 'info' }],
    ['?', { status: 'unknown' }],
    ['…', { status: 'unread' }],
    ['-', { status: 'failing', mutedBy }],
  ] as const)('marks a cell with %s, which needs no colour to be read', (sign, part) => {
    expect(matrix([found(part)], plain).at(-1)).toMatch(new RegExp(`arxiv +\\${sign} 7h old$`));
  });

  test('shows in colour the very same words in the very same columns', () => {
    const findings = [stale, found({ target: 'phx-ai02' }), found({ subject: 'phx-ai01/notes', mutedBy })];
    const colored = matrix(findings, painter(true));
    expect(colored.join('\n')).toContain('\u001b[');
    expect(colored.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(matrix(findings, plain));
  });

  test('cuts a long name and long words, so that no column moves', () => {
    const name = 'collection-'.repeat(20);
    const long = found({ subject: `phx-ai01/${name}`, headline: 'word '.repeat(20).trim(), target: 'nas' });
    const grid = matrix(
      [long, found({ target: 'a-target-with-a-very-long-name' }), found({ subject: 'phx-ai01/zoo' })],
      plain,
    );
    const [head = '', targets = '', arxiv = '', cut = '', zoo = ''] = grid;
    expect(cut).toMatch(/^ {2}phx-ai01\/collection-.*… +✓ word word.*…$/);
    expect(targets).toMatch(/a-target-with-a…$/);
    expect(zoo.indexOf('✓')).toBe(head.indexOf('freshness'));
    expect(cut.indexOf('✓')).toBe(head.indexOf('freshness'));
    expect(arxiv.indexOf('✓')).toBe(head.lastIndexOf('freshness'));
    expect(targets.indexOf('a-target')).toBe(head.lastIndexOf('freshness'));
  });

  test('keeps the end of a long path, which tells paths apart', () => {
    const path = `/volume1/${'deep/'.repeat(10)}qdrant`;
    expect(matrix([found({ target: path })], plain)[1]).toMatch(/^ +….*\/qdrant$/);
  });

  test('lets no name from outside paint the terminal or forge a line', () => {
    const evil = 'x\u001b[2J\nOK';
    const grid = matrix([found({ subject: `phx-ai01/${evil}`, target: evil, headline: evil })], plain);
    expect(grid).toHaveLength(3);
    // oxlint-disable-next-line no-control-regex -- it is these that must not come through
    expect(grid.join('')).not.toMatch(/[\u0000-\u001f\u007f]/);
  });
});
