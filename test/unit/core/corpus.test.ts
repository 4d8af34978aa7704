import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/core/model/finding.ts';
import { judgeSketch, type Mode } from '../../support/rules.ts';
import {
  collection,
  digest,
  fileOf,
  goodSketch,
  ms,
  nowMs,
  readAs,
  type Sketch,
  snapshot,
  unreadableSince,
  unreadSince,
  unseen,
} from '../../support/world.ts';

/** What a mutation must bring about: `status rule/reason subject@target`. */
type Expected = `${Finding['status']} ${string}/${string} ${string}@${string}`;

interface Mutation {
  readonly name: string;
  readonly spoil: (sketch: Sketch) => void;
  readonly expected: readonly Expected[];
  /** What `check` says instead, where it may not let anybody wait for the reader. */
  readonly inCheck?: readonly Expected[];
}

const booksPath = (sketch: Sketch): string => fileOf(sketch, 'nas', 'books').path;
const nas = (sketch: Sketch): Sketch['targets'][string] => sketch.targets['nas']!;
const ai01 = (sketch: Sketch): Sketch['sources'][string] => sketch.sources['phx-ai01']!;
const onlyGeneration = (sketch: Sketch, madeAgo: string): void => {
  nas(sketch).files = ['books', 'arxiv'].map((name) => snapshot(name, madeAgo));
};

/** Each turns one thing of the good world bad. None may leave the verdict `ok`: a false all-clear is our worst bug. */
const mutations: readonly Mutation[] = [
  {
    name: 'the newest file is gone although the manifest lists it',
    spoil: (sketch) => {
      fileOf(sketch, 'nas', 'books').isThere = false;
    },
    expected: ['failing freshness/stale phx-ai01/books@nas', 'failing integrity/missing phx-ai01/books@nas'],
  },
  {
    name: 'all copies of one collection are gone from one target, and from its manifest',
    spoil: (sketch) => {
      nas(sketch).files = nas(sketch).files.filter(({ path }) => !path.startsWith('books/'));
    },
    expected: ['failing freshness/none phx-ai01/books@nas', 'failing coverage/too-few phx-ai01/books@-'],
  },
  {
    name: 'nobody made a backup since the day before yesterday',
    spoil: (sketch) => onlyGeneration(sketch, '41h'),
    expected: ['failing freshness/stale phx-ai01/books@nas', 'failing freshness/stale phx-ai01/arxiv@nas'],
  },
  {
    name: 'one bit flipped',
    spoil: (sketch) => {
      fileOf(sketch, 'nas', 'books').reading = readAs(digest('other bytes'), nowMs - ms('1h'));
    },
    expected: ['failing integrity/mismatch phx-ai01/books@nas', 'failing freshness/newest-broken phx-ai01/books@nas'],
  },
  {
    name: 'the bytes of a file without digest changed since they were first read, and the rules take first-seen',
    spoil: (sketch) => {
      const file = fileOf(sketch, 'nas', 'books');
      file.witnesses = [];
      file.reading = { ...readAs(digest('later'), nowMs - ms('1h')), firstSha256: digest('first') };
    },
    expected: ['failing integrity/mismatch phx-ai01/books@nas', 'failing freshness/newest-broken phx-ai01/books@nas'],
  },
  {
    name: 'two files of one collection changed places',
    spoil: (sketch) => {
      const [newer, older] = [fileOf(sketch, 'nas', 'books'), fileOf(sketch, 'nas', 'books', '41h')];
      [newer.reading, older.reading] = [older.reading, newer.reading];
    },
    expected: ['failing integrity/mismatch phx-ai01/books@nas', 'failing freshness/newest-broken phx-ai01/books@nas'],
  },
  {
    name: 'a copy was cut short, and its manifest knows the size',
    spoil: (sketch) => {
      const file = fileOf(sketch, 'nas', 'books');
      file.witnesses = [{ manifest: 'manifest.json', sha256: digest('whole'), sizeBytes: file.sizeBytes + 1 }];
    },
    expected: ['failing integrity/truncated phx-ai01/books@nas', 'failing freshness/newest-broken phx-ai01/books@nas'],
  },
  {
    name: 'a copy has no bytes at all',
    spoil: (sketch) => {
      fileOf(sketch, 'nas', 'books').sizeBytes = 0;
    },
    expected: ['failing integrity/truncated phx-ai01/books@nas', 'failing freshness/newest-broken phx-ai01/books@nas'],
  },
  {
    name: 'an interrupted rsync left a copy with a time of 1970, unlisted',
    spoil: (sketch) => {
      nas(sketch).files.push(snapshot('books', '1h', { mtimeMs: 0, witnesses: [] }));
    },
    expected: ['failing integrity/epoch phx-ai01/books@nas'],
  },
  {
    name: 'a copy whose only time is 1970',
    spoil: (sketch) => {
      const path = 'books/latest.snapshot';
      const file = { mtimeMs: 0, ctimeMs: null, path, witnesses: [{ manifest: 'SHA256SUMS', sha256: digest(path) }] };
      nas(sketch).files = [
        snapshot('arxiv', '17h'),
        snapshot('books', '17h', { ...file, reading: readAs(digest(path), nowMs - ms('1h')) }),
      ];
    },
    expected: ['failing integrity/epoch phx-ai01/books@nas', 'failing freshness/stale phx-ai01/books@nas'],
  },
  {
    name: 'the only copy that would be fresh is dated in the future',
    spoil: (sketch) => {
      onlyGeneration(sketch, '41h');
      const file = snapshot('books', '1h');
      nas(sketch).files.push({ ...file, witnesses: [{ ...file.witnesses[0]!, madeAtMs: nowMs + ms('2d') }] });
    },
    expected: ['failing integrity/future phx-ai01/books@nas', 'failing freshness/stale phx-ai01/books@nas'],
  },
  {
    name: 'two manifests contradict each other about one file',
    spoil: (sketch) => {
      const file = fileOf(sketch, 'nas', 'books');
      file.witnesses = [...file.witnesses, { manifest: 'books/x.sha256', sha256: digest('another') }];
    },
    expected: [
      'failing integrity/contradiction phx-ai01/books@nas',
      'failing freshness/newest-broken phx-ai01/books@nas',
    ],
  },
  {
    name: 'a manifest that claims to be whole does not list the newest file',
    spoil: (sketch) => {
      fileOf(sketch, 'nas', 'books').witnesses = [];
    },
    expected: ['failing integrity/unlisted phx-ai01/books@nas', 'unknown freshness/no-digest phx-ai01/books@nas'],
  },
  {
    name: 'no manifest anywhere on the target',
    spoil: (sketch) => {
      nas(sketch).complete = [];
      for (const file of nas(sketch).files) file.witnesses = [];
    },
    expected: [
      'unknown integrity/no-digest phx-ai01/books@nas',
      'unknown freshness/no-digest phx-ai01/books@nas',
      'unknown coverage/cannot-tell phx-ai01/books@-',
    ],
  },
  {
    name: 'a manifest lists a file that belongs to no collection and is not there',
    spoil: (sketch) => {
      nas(sketch).files.push(snapshot('books', '1h', { path: 'aliases.json', isThere: false }));
    },
    expected: ['failing integrity/missing target/nas@nas'],
  },
  {
    name: 'a manifest has a line that nobody understands',
    spoil: (sketch) => {
      nas(sketch).problems = [{ manifest: 'SHA256SUMS', line: 3, message: 'not a digest and a name' }];
    },
    expected: ['failing integrity/bad-manifest target/nas@nas'],
  },
  {
    name: 'a directory of the target cannot be read, and nothing else is amiss',
    spoil: (sketch) => {
      nas(sketch).unreadable = [{ path: 'old', why: unseen('permission denied', 'place/denied') }];
    },
    expected: [
      'unknown integrity/incomplete target/nas@nas',
      // What of books lies in there is not known, so nobody may say that all of it is intact.
      'unknown integrity/incomplete phx-ai01/books@nas',
    ],
  },
  {
    name: 'a directory of the target cannot be read, and the copies lie in it',
    spoil: (sketch) => {
      nas(sketch).unreadable = [{ path: 'books', why: unseen('permission denied', 'place/denied') }];
      for (const file of nas(sketch).files) file.isThere = !file.path.startsWith('books/');
    },
    expected: [
      'unknown integrity/cannot-look phx-ai01/books@nas',
      'unknown freshness/incomplete phx-ai01/books@nas',
      'unknown coverage/cannot-tell phx-ai01/books@-',
    ],
  },
  {
    name: 'a target cannot be looked at',
    spoil: (sketch) => {
      nas(sketch).unseen = unseen();
    },
    expected: [
      'unknown reachable/cannot-look target/nas@-',
      'unknown freshness/cannot-look phx-ai01/books@nas',
      'unknown integrity/cannot-look phx-ai01/books@nas',
      'unknown integrity/cannot-look target/nas@nas',
      'unknown coverage/cannot-tell phx-ai01/books@-',
    ],
  },
  {
    name: 'a host cannot be reached, nor the target behind it',
    spoil: (sketch) => {
      nas(sketch).unseen = unseen();
      sketch.hosts['nas'] = unseen();
    },
    expected: [
      'unknown reachable/cannot-look host/nas@-',
      'unknown reachable/cannot-look target/nas@-',
      'unknown freshness/cannot-look phx-ai01/arxiv@nas',
    ],
  },
  {
    name: 'the source cannot be looked at',
    spoil: (sketch) => {
      ai01(sketch).unseen = unseen();
    },
    expected: [
      'unknown reachable/cannot-look source/phx-ai01@-',
      'unknown coverage/cannot-look source/phx-ai01@-',
      // What is remembered is still judged.
      'ok freshness/fresh phx-ai01/books@nas',
    ],
  },
  {
    name: 'a receiver cannot be reached',
    spoil: (sketch) => {
      sketch.receivers['phone'] = unseen();
    },
    expected: ['unknown reachable/cannot-look receiver/phone@-'],
  },
  {
    name: 'the source lists no collection at all',
    spoil: (sketch) => {
      for (const each of Object.values(ai01(sketch).collections)) each.isLive = false;
    },
    expected: [
      'failing coverage/empty-list source/phx-ai01@-',
      'failing coverage/vanished phx-ai01/books@-',
      'failing coverage/vanished phx-ai01/arxiv@-',
    ],
  },
  {
    name: 'the source lists no collection and none was ever seen',
    spoil: (sketch) => {
      ai01(sketch).collections = {};
    },
    expected: ['failing coverage/empty-list source/phx-ai01@-'],
  },
  {
    name: 'the list of the source has shrunk by one',
    spoil: (sketch) => {
      ai01(sketch).collections['books']!.isLive = false;
    },
    expected: ['failing coverage/vanished phx-ai01/books@-', 'ok coverage/listed source/phx-ai01@-'],
  },
  {
    name: 'the key may see only part of the list',
    spoil: (sketch) => {
      ai01(sketch).scope = 'filtered';
    },
    expected: ['unknown coverage/filtered-list source/phx-ai01@-'],
  },
  {
    name: 'the source is one peer of a cluster',
    spoil: (sketch) => {
      ai01(sketch).scope = 'cluster';
    },
    expected: ['unknown coverage/cluster source/phx-ai01@-'],
  },
  {
    name: 'a collection is live that is on no list of the backup',
    spoil: (sketch) => {
      ai01(sketch).collections['claude_canon'] = collection({ points: 340_112 });
    },
    expected: [
      'failing coverage/uncovered phx-ai01/claude_canon@-',
      'failing freshness/none phx-ai01/claude_canon@phx-ai02',
      'failing freshness/none phx-ai01/claude_canon@nas',
    ],
  },
  {
    name: 'a reading has expired',
    spoil: (sketch) => {
      fileOf(sketch, 'nas', 'books', '65h').reading!.outcome = {
        kind: 'digest',
        sha256: fileOf(sketch, 'nas', 'books', '65h').witnesses[0]!.sha256!,
        readAtMs: nowMs - ms('31d'),
        tool: 'openssl',
      };
    },
    expected: ['failing integrity/expired phx-ai01/books@nas'],
  },
  {
    name: 'a reading is dated in the future, because the clock was stepped back',
    spoil: (sketch) => {
      const file = fileOf(sketch, 'nas', 'books');
      file.reading = readAs(file.witnesses[0]!.sha256!, nowMs + ms('400d'));
    },
    expected: ['unknown integrity/future-reading phx-ai01/books@nas'],
  },
  {
    name: 'the newest copy cannot be read',
    spoil: (sketch) => {
      fileOf(sketch, 'nas', 'books').reading = unreadableSince(nowMs - ms('1h'), unseen('denied', 'place/denied'));
    },
    expected: ['unknown integrity/unreadable phx-ai01/books@nas', 'unknown freshness/unreadable phx-ai01/books@nas'],
  },
  {
    name: 'the newest copy waits for the reader, and the one before is too old',
    spoil: (sketch) => {
      fileOf(sketch, 'nas', 'books').reading = unreadSince(nowMs - ms('1h'));
    },
    expected: ['unread integrity/unread phx-ai01/books@nas', 'unread freshness/unread phx-ai01/books@nas'],
    inCheck: ['unknown integrity/not-read phx-ai01/books@nas', 'unknown freshness/not-read phx-ai01/books@nas'],
  },
  {
    name: 'the newest copy has waited too long for the reader',
    spoil: (sketch) => {
      fileOf(sketch, 'nas', 'books').reading = unreadSince(nowMs - ms('7h'));
    },
    expected: [
      'failing integrity/never-read phx-ai01/books@nas',
      'failing freshness/unread-too-long phx-ai01/books@nas',
    ],
    inCheck: ['unknown integrity/not-read phx-ai01/books@nas', 'unknown freshness/not-read phx-ai01/books@nas'],
  },
  {
    name: 'the reader stands still while new copies keep arriving, each of which is young',
    spoil: (sketch) => {
      nas(sketch).files = [
        snapshot('books', '1h', { reading: unreadSince(nowMs - ms('30m')) }),
        snapshot('books', '30h', { reading: unreadSince(nowMs - ms('29h')) }),
        snapshot('books', '54h'),
        snapshot('arxiv', '17h'),
      ];
    },
    expected: [
      'failing freshness/unread-too-long phx-ai01/books@nas',
      'failing integrity/never-read phx-ai01/books@nas',
    ],
    inCheck: ['unknown freshness/not-read phx-ai01/books@nas', 'unknown integrity/not-read phx-ai01/books@nas'],
  },
  {
    name: 'the newest copy is still in flight, and nothing else is fresh',
    spoil: (sketch) => {
      onlyGeneration(sketch, '41h');
      const file = snapshot('books', '1h');
      nas(sketch).files.push({ ...file, path: file.path.replace('books/', 'books/.').concat('.Xy12Ab') });
      for (const each of nas(sketch).files.slice(-1)) each.witnesses = [];
    },
    expected: ['failing freshness/stale phx-ai01/books@nas'],
  },
  {
    name: 'a copy in flight was left behind yesterday, and its manifest lists the file it was to be',
    spoil: (sketch) => {
      const file = fileOf(sketch, 'nas', 'books');
      file.isThere = false;
      const inFlight = file.path.replace('books/', 'books/.').concat('.Xy12Ab');
      nas(sketch).files.push({ ...snapshot('books', '17h'), path: inFlight, witnesses: [] });
    },
    expected: ['failing integrity/missing phx-ai01/books@nas', 'failing freshness/stale phx-ai01/books@nas'],
  },
  {
    name: 'the target is empty',
    spoil: (sketch) => {
      nas(sketch).files = [];
      nas(sketch).complete = [];
    },
    expected: [
      'failing integrity/empty target/nas@nas',
      'failing freshness/none phx-ai01/books@nas',
      'failing coverage/too-few phx-ai01/books@-',
    ],
  },
  {
    name: 'both copies are on one machine',
    spoil: (sketch) => {
      nas(sketch).machine = 'this host';
    },
    expected: ['failing coverage/too-few phx-ai01/books@-'],
  },
  {
    name: 'a snapshot of one shard stands where a snapshot of the collection should',
    spoil: (sketch) => {
      nas(sketch).layout = '{collection}/*.snapshot';
      for (const file of nas(sketch).files) {
        file.path = file.path.replace(/books-\d+-/, 'books-shard-0-');
      }
    },
    expected: ['failing freshness/none phx-ai01/books@nas', 'failing coverage/too-few phx-ai01/books@-'],
  },
  {
    name: 'what was seen of the target is two days old',
    spoil: (sketch) => {
      nas(sketch).observedAtMs = nowMs - ms('2d');
    },
    expected: ['unknown freshness/expired-evidence phx-ai01/books@nas'],
  },
  {
    name: 'what was seen of the target is dated in the future',
    spoil: (sketch) => {
      nas(sketch).observedAtMs = nowMs + ms('2d');
    },
    expected: ['unknown freshness/future-evidence phx-ai01/books@nas'],
  },
  {
    name: 'what was seen of the source is two days old',
    spoil: (sketch) => {
      ai01(sketch).observedAtMs = nowMs - ms('2d');
    },
    expected: ['unknown coverage/expired-evidence source/phx-ai01@-'],
  },
  {
    name: 'the watchdog itself is in trouble',
    spoil: (sketch) => {
      sketch.troubles = [{ name: 'store', headline: 'disk full', summary: 'the state disk is full', todo: null }];
    },
    expected: ['failing self/store deadair/store@-'],
  },
];

describe.each(['daemon', 'check'] as const)('in %s', (mode: Mode) => {
  test('the good world is ok in every finding', () => {
    const { findings, verdict } = judgeSketch(goodSketch(), undefined, mode);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(findings.length).toBeGreaterThan(15);
    expect(verdict).toBe('ok');
  });

  test.each(mutations)('never ok: $name', ({ spoil, expected, inCheck }) => {
    const sketch = goodSketch();
    spoil(sketch);
    const { findings, verdict } = judgeSketch(sketch, undefined, mode);
    const said = findings.map(
      ({ status, rule, reason, subject, target }) => `${status} ${rule}/${reason} ${subject}@${target ?? '-'}`,
    );
    expect(said).toEqual(expect.arrayContaining([...(mode === 'check' ? (inCheck ?? expected) : expected)]));
    expect(verdict).not.toBe('ok');
    for (const finding of findings.filter(({ status }) => status !== 'ok')) {
      expect(finding.summary, 'every trouble has a sentence').toMatch(/\S+ \S+/);
      expect(finding.headline).not.toBe('');
    }
  });
});

test('a mutation of a path is one of a file that was there', () => {
  expect(booksPath(goodSketch())).toMatch(/^books\/books-\d+-2026-11-22-03-00-00\.snapshot$/);
});
