import { describe, expect, test } from 'vitest';
import { verdict } from '../../../../src/core/report/verdict.ts';
import { about, allRules, coverageRule, freshnessRule, integrityRule, judgeSketch } from '../../../support/rules.ts';
import {
  digest,
  goodSketch,
  ms,
  nowMs,
  readAs,
  type Sketch,
  unseen,
  snapshot,
  source,
  target,
} from '../../../support/world.ts';

/** A good world with one thing changed. */
function world(alter: (sketch: Sketch) => void): Sketch {
  const sketch = goodSketch();
  alter(sketch);
  return sketch;
}

describe('a rule that guards nothing', () => {
  test('because Qdrant has never listed anything is unknown, not ok', () => {
    const sketch = world(({ sources }) => {
      sources['phx-ai01'] = source([]);
    });
    const judged = judgeSketch(sketch, [freshnessRule()], 'check');
    expect(about(judged, 'source/phx-ai01', null)).toMatchObject({ status: 'unknown', reason: 'no-subject' });
  });

  test('because Qdrant was never seen says that, and not that a glob is wrong', () => {
    const sketch = world(({ sources }) => {
      sources['phx-ai01'] = source([], { unseen: unseen('connection refused') });
    });
    expect(about(judgeSketch(sketch, [freshnessRule()], 'check'), 'source/phx-ai01', null)).toMatchObject({
      status: 'unknown',
      summary: 'no collection of phx-ai01 is known, and it cannot be looked at: connection refused',
      todo: null,
    });
  });

  test.each([freshnessRule({ collections: ['bookz*'] }), coverageRule({ collections: ['bookz*'] })])(
    'because of a typing error in its glob is unknown, not ok',
    (rule) => {
      const judged = judgeSketch(goodSketch(), [rule], 'daemon');
      expect(about(judged, 'source/phx-ai01', null)).toMatchObject({ status: 'unknown', reason: 'no-subject' });
      expect(verdict(judged.findings)).toBe('unknown');
    },
  );
});

describe('whose copy it is', () => {
  test('cannot be told where two sources have a collection of one name and share a target', () => {
    const sketch = world(({ sources }) => {
      sources['phx-ai03'] = source(['books']);
    });
    const both = { sources: ['phx-ai01', 'phx-ai03'] };
    const judged = judgeSketch(sketch, [freshnessRule(both), coverageRule(both)], 'daemon');
    for (const name of ['phx-ai01', 'phx-ai03']) {
      expect(about(judged, `${name}/books`, 'nas')).toMatchObject({ status: 'unknown', reason: 'ambiguous' });
      expect(about(judged, `${name}/books`, null)).toMatchObject({ status: 'unknown' });
    }
  });

  test('is told by the target where each source has its own', () => {
    const sketch = world(({ sources, targets }) => {
      sources['phx-ai03'] = source(['books']);
      targets['tape'] = target([snapshot('books', '1h')], { machine: 'tape' });
    });
    const other = { id: 'phx-ai03/freshness', sources: ['phx-ai03'], targets: ['tape'] };
    const judged = judgeSketch(sketch, [freshnessRule(), freshnessRule(other)], 'daemon');
    expect(about(judged, 'phx-ai01/books', 'nas')).toMatchObject({ status: 'ok' });
    expect(about(judged, 'phx-ai03/books', 'tape')).toMatchObject({ status: 'ok' });
  });
});

test('one directory reached under two names is one copy', () => {
  const files = [snapshot('books', '1h'), snapshot('papers', '1h')];
  const twice = (machine: string): Sketch =>
    world((sketch) => {
      sketch.sources['phx-ai01'] = source(['books', 'papers']);
      sketch.targets = {
        'phx-ai02': target(files, { machine: 'nas.lan:22' }),
        nas: target(files, { machine, host: null }),
      };
    });
  const rule = coverageRule({ parameters: { copies: 2 } });
  expect(about(judgeSketch(twice('nas.lan:22'), [rule], 'daemon'), 'phx-ai01/books', null).status).toBe('failing');
  expect(about(judgeSketch(twice('other.lan:22'), [rule], 'daemon'), 'phx-ai01/books', null).status).toBe('ok');
});

describe('while a backup is at work', () => {
  const files = (part: Parameters<typeof snapshot>[2], ...more: ReturnType<typeof snapshot>[]) => [
    snapshot('books', '17h'),
    snapshot('books', '10m', part),
    ...more,
  ];

  test('a directory that is still called .partial holds no copies yet', () => {
    const inside = `20261122T195000Z.partial/books/${snapshot('books', '10m').path.split('/')[1]}`;
    const sketch = world(({ targets }) => {
      targets['nas'] = target(files({ path: inside, witnesses: [], reading: null }));
    });
    expect(about(judgeSketch(sketch, [integrityRule()], 'check'), 'phx-ai01/books', 'nas')).toMatchObject({
      status: 'ok',
      summary: '1 of 1 files match (read by openssl)',
    });
  });

  test('a manifest that is being written is waited for by the daemon, and told by check', () => {
    const manifest = snapshot('books', '1m', { path: 'new/SHA256SUMS', witnesses: [], reading: null });
    const sketch = world(({ targets }) => {
      targets['nas'] = target([snapshot('books', '17h'), manifest], {
        problems: [{ manifest: 'new/SHA256SUMS', line: null, message: 'lists nothing' }],
      });
    });
    const whole = (mode: 'daemon' | 'check') =>
      about(judgeSketch(sketch, [integrityRule()], mode), 'target/nas', 'nas');
    expect(whole('daemon')).toMatchObject({ status: 'unread', reason: 'arriving' });
    expect(whole('check')).toMatchObject({ status: 'failing', reason: 'bad-manifest' });
    manifest.ctimeMs = nowMs - ms('15m');
    expect(whole('daemon')).toMatchObject({ status: 'failing', reason: 'bad-manifest' });
  });

  test('files that a manifest lists before they are there are waited for while others arrive', () => {
    const manifest = snapshot('books', '20m', { path: 'SHA256SUMS', witnesses: [], reading: null });
    const sketch = world(({ targets }) => {
      targets['nas'] = target(
        files({ isThere: false }, manifest, snapshot('papers', '2m', { reading: readAs(digest('x'), nowMs) })),
      );
    });
    const books = (mode: 'daemon' | 'check') =>
      about(judgeSketch(sketch, [integrityRule()], mode), 'phx-ai01/books', 'nas');
    expect(books('daemon')).toMatchObject({ status: 'unread', reason: 'arriving' });
    expect(books('check')).toMatchObject({ status: 'failing', reason: 'missing' });
    manifest.ctimeMs = nowMs - ms('6h');
    expect(books('daemon')).toMatchObject({ status: 'failing', reason: 'missing' });
  });
});

test('a good world of two sources on targets of their own is ok', () => {
  expect(verdict(judgeSketch(goodSketch(), allRules(), 'check').findings)).toBe('ok');
});
