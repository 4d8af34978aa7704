import { describe, expect, test } from 'vitest';
import { integrity, rereadEveryMs } from '../../../../src/core/findings/integrity.ts';
import type { Finding } from '../../../../src/core/model/finding.ts';
import { about, freshnessRule, integrityRule, judgeSketch, type Mode } from '../../../support/rules.ts';
import {
  collection,
  digest,
  type FileSketch,
  goodSketch,
  ms,
  nowMs,
  readAs,
  type Sketch,
  snapshot,
  target,
  type TargetSketch,
  unreadableSince,
  unreadSince,
  unseen,
} from '../../../support/world.ts';

interface Given {
  readonly files?: FileSketch[];
  readonly part?: Partial<TargetSketch>;
  readonly rule?: Parameters<typeof integrityRule>[0];
  readonly mode?: Mode;
}

function judgeNas({ files = [snapshot('books', '17h')], part = {}, rule = {}, mode = 'daemon' }: Given) {
  const sketch = goodSketch();
  sketch.targets['nas'] = target(files, part);
  return judgeSketch(sketch, [integrityRule({ targets: ['nas'], ...rule })], mode);
}

const books = (given: Given): Finding => about(judgeNas(given), 'phx-ai01/books', 'nas');
const whole = (given: Given): Finding => about(judgeNas(given), 'target/nas', 'nas');

/** One snapshot of books, with one thing changed. */
const one = (part: Partial<FileSketch>, madeAgo = '17h'): Given => ({ files: [snapshot('books', madeAgo, part)] });
const name = 'books/books-8035627091234567-2026-11-22-03-00-00.snapshot';
const sha256 = digest(name);

describe('a file', () => {
  test('that reads as its manifest says is intact, until its reading expires', () => {
    expect(books({})).toMatchObject({
      status: 'ok',
      reason: 'intact',
      summary: '1 of 1 files match (read by openssl)',
    });
    const soon = one({ reading: readAs(sha256, nowMs - ms('29d23h')) });
    expect(books(soon)).toMatchObject({ status: 'ok', validUntilMs: nowMs + ms('1h') });
  });

  test('that is intact names whoever read it, since the tool of another host is trusted', () => {
    const readBy = (...tools: readonly string[]): Given => ({
      files: tools.map((tool, index) => {
        const { path } = snapshot('books', `${17 + index}h`);
        const outcome = { kind: 'digest', sha256: digest(path), readAtMs: nowMs, tool } as const;
        return snapshot('books', `${17 + index}h`, { reading: { ...readAs(digest(path), nowMs), outcome } });
      }),
    });
    expect(books(readBy('here')).summary).toBe('1 of 1 files match (read by deadair)');
    expect(books(readBy('sha256sum', 'openssl')).summary).toBe('2 of 2 files match (read by openssl and sha256sum)');
  });

  test.each<[string, Given, Finding['status'], string, string]>([
    [
      'of other bytes',
      one({ reading: readAs(digest('other'), nowMs) }),
      'failing',
      'mismatch',
      `reads ${digest('other').slice(0, 4)}…, SHA256SUMS says ${sha256.slice(0, 4)}…`,
    ],
    [
      'of the wrong size',
      one({ witnesses: [{ manifest: 'manifest.json', sha256, sizeBytes: 10_240 }] }),
      'failing',
      'truncated',
      'has 4.0 KiB, its manifest says 10.0 KiB',
    ],
    ['of no bytes', one({ sizeBytes: 0 }), 'failing', 'truncated', 'has no bytes'],
    [
      'with two digests',
      one({
        witnesses: [
          { manifest: 'SHA256SUMS', sha256 },
          { manifest: 'x.sha256', sha256: digest('other') },
        ],
      }),
      'failing',
      'contradiction',
      'has two different digests in SHA256SUMS and x.sha256',
    ],
    ['that is gone', one({ isThere: false }), 'failing', 'missing', 'is listed by SHA256SUMS and not there'],
    [
      'whose reading expired',
      one({ reading: readAs(sha256, nowMs - ms('31d')) }),
      'failing',
      'expired',
      'was last read 31d ago, wanted every 30d',
    ],
    [
      'read in the future',
      one({ reading: readAs(sha256, nowMs + ms('400d')) }),
      'unknown',
      'future-reading',
      'was last read 400d in the future',
    ],
    [
      'that cannot be read',
      one({ reading: unreadableSince(nowMs, unseen('permission denied', 'place/denied')) }),
      'unknown',
      'unreadable',
      'cannot be read: permission denied',
    ],
    [
      'without digest',
      { ...one({ witnesses: [] }), part: { complete: [] } },
      'unknown',
      'no-digest',
      'has no digest in any manifest',
    ],
    ['that is unlisted', one({ witnesses: [] }), 'failing', 'unlisted', 'is not listed by SHA256SUMS'],
    [
      'dated in the future',
      one({ witnesses: [{ manifest: 'SHA256SUMS', sha256, madeAtMs: nowMs + ms('2d') }] }),
      'failing',
      'future',
      'is dated 48h in the future (by its manifest)',
    ],
    [
      'left unfinished by rsync',
      one({ mtimeMs: 0, witnesses: [] }),
      'failing',
      'epoch',
      'is dated 1970, as an interrupted rsync leaves it',
    ],
    ['never read', one({ reading: unreadSince(nowMs - ms('6h')) }), 'failing', 'never-read', 'was never read in 6h'],
    ['that waits', one({ reading: unreadSince(nowMs - ms('5h')) }), 'unread', 'unread', 'waits to be read since 5h'],
  ])('%s', (_, given, status, reason, words) => {
    expect(books(given)).toMatchObject({ status, reason, summary: `${name} ${words}; 0 other files intact` });
  });

  test('that was not read is unknown in check', () => {
    const given: Given = { ...one({ reading: null }), mode: 'check' };
    expect(books(given)).toMatchObject({ status: 'unknown', reason: 'not-read' });
  });

  test('that came while a backup is at work may still get its line in the manifest; in check nobody waits', () => {
    const young = one({ witnesses: [] }, '10m');
    expect(books(young)).toMatchObject({ status: 'unread', reason: 'arriving' });
    expect(books({ ...young, mode: 'check' })).toMatchObject({ status: 'failing', reason: 'unlisted' });
    expect(books({ ...young, part: { complete: [] } })).toMatchObject({ status: 'unread', reason: 'arriving' });
    expect(books(one({ witnesses: [] }, '16m'))).toMatchObject({ status: 'failing', reason: 'unlisted' });
  });

  test.each([
    ['differs', { reading: readAs(digest('other'), nowMs) }, 'mismatch'],
    ['is too short', { witnesses: [{ manifest: 'manifest.json', sha256, sizeBytes: 8_192 }] }, 'truncated'],
    ['is empty', { sizeBytes: 0 }, 'truncated'],
  ])('that %s is left alone while it changes, and in check it is not', (_, part, reason) => {
    const ctimeMs = nowMs - ms('14m');
    expect(books(one({ ...part, ctimeMs }))).toMatchObject({ status: 'unread', reason: 'arriving' });
    expect(books({ ...one({ ...part, ctimeMs }), mode: 'check' })).toMatchObject({ status: 'failing', reason });
    expect(books(one({ ...part, ctimeMs: nowMs - ms('15m') }))).toMatchObject({ status: 'failing', reason });
  });

  test('that a manifest proves is intact though its mtime is 1970, where its name tells the time', () => {
    expect(books(one({ mtimeMs: 0 }))).toMatchObject({ status: 'ok' });
  });

  test('without digest is intact for a rule that is content with first-seen', () => {
    const given: Given = {
      ...one({ witnesses: [] }),
      part: { complete: [] },
      rule: { parameters: { proof: 'first-seen' } },
    };
    expect(books(given)).toMatchObject({ status: 'ok', reason: 'intact' });
  });

  test('is printed so that its name can do nothing to a terminal', () => {
    const path = 'books/\u001b[31mred\n.snapshot';
    const given = one({
      path,
      reading: readAs(digest('other'), nowMs),
      witnesses: [{ manifest: 'SHA256SUMS', sha256 }],
    });
    expect(books(given).summary).toMatch(/^books\/\\x1b\[31mred\\x0a\.snapshot reads /);
  });
});

describe('a missing file of which a copy is in flight', () => {
  const gone = snapshot('books', '17h', { isThere: false });
  const flight = (ctimeAgo: string): FileSketch => ({
    ...snapshot('books', '17h', { witnesses: [], ctimeMs: nowMs - ms(ctimeAgo) }),
    path: gone.path.replace('books/', 'books/.').concat('.Xy12Ab'),
  });

  test('is waited for while the copy grows', () => {
    expect(books({ files: [gone, flight('1m')] })).toMatchObject({ status: 'unread', reason: 'arriving' });
  });

  test('is missing once the copy has stood still', () => {
    expect(books({ files: [gone, flight('2h')] })).toMatchObject({ status: 'failing', reason: 'missing' });
  });

  test('is missing in check', () => {
    expect(books({ files: [gone, flight('1m')], mode: 'check' })).toMatchObject({ reason: 'missing' });
  });
});

describe('the finding of a collection', () => {
  test('is its worst file, failing before unknown before unread, and counts the others', () => {
    const files = [
      snapshot('books', '89h'),
      snapshot('books', '65h', { reading: unreadSince(nowMs - ms('1h')) }),
      snapshot('books', '41h', { reading: unreadableSince(nowMs, unseen('denied', 'place/denied')) }),
      snapshot('books', '17h', { reading: readAs(digest('other'), nowMs) }),
      snapshot('books', '16h', { sizeBytes: 0 }),
    ];
    expect(books({ files })).toMatchObject({ status: 'failing', reason: 'mismatch' });
    expect(books({ files }).summary).toMatch(/ \(and 1 more\); 1 other file intact$/);
    expect(books({ files: files.slice(0, 3) })).toMatchObject({ status: 'unknown', reason: 'unreadable' });
    expect(books({ files: files.slice(0, 2) })).toMatchObject({ status: 'unread' });
    expect(books({ files: files.slice(0, 1) })).toMatchObject({ status: 'ok' });
  });

  test('is not made when there is no file: freshness and coverage say so', () => {
    expect(judgeNas({}).findings.map(({ subject }) => subject)).toEqual(['target/nas', 'phx-ai01/books']);
  });

  test('is never ok while a directory cannot be read, for its broken file may lie in there', () => {
    const unreadable = [{ path: 'old', why: unseen('permission denied', 'place/denied') }];
    expect(books({ part: { unreadable } })).toMatchObject({
      status: 'unknown',
      reason: 'incomplete',
      summary: 'old cannot be listed: permission denied; 1 other file intact',
    });
  });
});

describe('the finding of the target', () => {
  test('is ok when nothing is amiss', () => {
    expect(whole({})).toMatchObject({ status: 'ok', summary: 'nothing amiss' });
  });

  test('fails when there is no snapshot at all', () => {
    expect(whole({ files: [], part: { complete: [] } })).toMatchObject({ status: 'failing', reason: 'empty' });
  });

  test('is unknown, not empty, when the directory cannot be read', () => {
    const unreadable = [{ path: '.', why: unseen('permission denied', 'place/denied') }];
    expect(whole({ files: [], part: { unreadable } })).toMatchObject({ status: 'unknown', reason: 'incomplete' });
  });

  test('fails on a manifest that cannot be used, with its line', () => {
    const problems = [{ manifest: 'SHA256SUMS', line: 3, message: 'a path that climbs out' }];
    expect(whole({ part: { problems } })).toMatchObject({
      status: 'failing',
      reason: 'bad-manifest',
      summary: 'SHA256SUMS line 3: a path that climbs out; 0 other files intact',
    });
  });

  test('takes in files of no collection that is known', () => {
    const files = [snapshot('books', '17h'), snapshot('dropped', '17h', { sizeBytes: 0 })];
    expect(whole({ files })).toMatchObject({ status: 'failing', reason: 'truncated' });
    expect(books({ files })).toMatchObject({ status: 'ok' });
  });

  test('leaves out collections that the rule’s globs do not take in', () => {
    const files = [snapshot('books', '17h'), snapshot('arxiv', '17h', { sizeBytes: 0 })];
    const { findings } = judgeNas({ files, rule: { collections: ['books'] } });
    expect(findings.map(({ status }) => status)).toEqual(['ok', 'ok']);
  });
});

test('a target out of sight is unknown as a whole and for each collection', () => {
  const { findings } = judgeNas({ part: { unseen: unseen() } });
  expect(findings.map(({ subject, status, reason }) => [subject, status, reason])).toEqual([
    ['target/nas', 'unknown', 'cannot-look'],
    ['phx-ai01/arxiv', 'unknown', 'cannot-look'],
    ['phx-ai01/books', 'unknown', 'cannot-look'],
  ]);
});

test('a missing file of a collection that is excepted is muted with its collection', () => {
  const sketch: Sketch = goodSketch();
  sketch.sources['phx-ai01']!.collections['scratch_1'] = collection();
  sketch.targets['nas']!.files.push(snapshot('scratch_1', '17h', { isThere: false }));
  const except = [{ collections: ['scratch_*'], because: 'rebuilt nightly', untilMs: nowMs + ms('1d') }];
  const judged = judgeSketch(sketch, [integrityRule({ targets: ['nas'], except })]);
  expect(about(judged, 'phx-ai01/scratch_1', 'nas')).toMatchObject({
    status: 'failing',
    reason: 'missing',
    mutedBy: { because: 'rebuilt nightly' },
  });
  expect(judged.verdict).toBe('ok');
});

test('bytes are re-read every 30 days unless a rule wants it sooner', () => {
  expect(integrity.parameters({})).toMatchObject({ rereadEveryMs: ms('30d') });
  expect(rereadEveryMs([freshnessRule()])).toBe(ms('30d'));
  const rules = [ms('20d'), ms('7d')].map((each) => integrityRule({ parameters: { rereadEveryMs: each } }));
  expect(rereadEveryMs(rules)).toBe(ms('7d'));
});
