import { describe, expect, test } from 'vitest';
import { nsToMs } from '../../../../src/core/findings/snapshots.ts';
import type { Catalogue } from '../../../../src/core/model/catalogue.ts';
import {
  arrange,
  digest,
  type FileSketch,
  goodSketch,
  ms,
  nowMs,
  snapshot,
  target,
  type TargetSketch,
  unseen,
} from '../../../support/world.ts';

function catalogued(files: FileSketch[], part: Partial<TargetSketch> = {}): Catalogue {
  const world = arrange({ ...goodSketch(), targets: { nas: target(files, part) } });
  return world.targets[0]!.catalogue!;
}

/** A file of this path that no manifest names. */
function file(path: string, part: Partial<FileSketch> = {}): FileSketch {
  return snapshot('books', '17h', { path, witnesses: [], ...part });
}

function only(files: FileSketch[], part: Partial<TargetSketch> = {}): Catalogue['snapshots'][number] {
  const { snapshots } = catalogued(files, part);
  expect(snapshots).toHaveLength(1);
  return snapshots[0]!;
}

const ownName = 'books-8035627091234567-2026-11-22-02-15-04.snapshot';

describe('what is a snapshot', () => {
  test.each([
    ['a snapshot of one shard', 'books/books-shard-0-2026-11-22-02-15-04.snapshot'],
    ['a snapshot of the whole storage', 'full-snapshot-2026-11-22-02-15-04.snapshot'],
    ['a note', 'books/README.txt'],
    ['a download that is not complete', `books/${ownName}.part`],
    ['a copy in flight by rsync', `books/.${ownName}.Xy12Ab`],
    ['a copy that rsync delays', `books/.~tmp~/${ownName}`],
    ['a copy that rsync left in its partial directory', `books/.rsync-partial/${ownName}`],
    ['a copy that rsync delays at the root', `.~tmp~/${ownName}`],
  ])('%s is none', (_, path) => {
    expect(catalogued([file(path)]).snapshots).toEqual([]);
  });

  test.each(['books/books-shard-0-2026-11-22-02-15-04.snapshot', 'books/full-snapshot-2026-11-22-02-15-04.snapshot'])(
    'the layout makes no snapshot of a collection out of %s',
    (path) => {
      expect(catalogued([file(path)], { layout: '{collection}/*.snapshot' }).snapshots).toEqual([]);
    },
  );

  test('what a manifest gives a collection is one, whatever its name', () => {
    const witnesses = [{ manifest: 'manifest.json', sha256: digest('x'), collection: 'books' }];
    expect(only([file('b.bin', { witnesses })])).toMatchObject({ collection: 'books', witnesses });
  });

  test('what the layout gives a collection is one, whatever its name', () => {
    expect(only([file('2026/books.tar')], { layout: '*/{collection}.tar' })).toMatchObject({ collection: 'books' });
  });

  test('a file that only a manifest names is no snapshot, but its bytes count', () => {
    const witnesses = [{ manifest: 'SHA256SUMS', sha256: digest('x') }];
    const { snapshots, others } = catalogued([file('aliases.json', { witnesses })]);
    expect(snapshots).toEqual([]);
    expect(others).toMatchObject([{ file: { path: 'aliases.json' } }]);
  });

  test('a file that a manifest names is not in flight, whatever its name', () => {
    const witnesses = [{ manifest: 'SHA256SUMS', sha256: digest('x') }];
    expect(catalogued([file('.cache.Ab12Cd', { witnesses })]).others).toHaveLength(1);
  });
});

describe('the collection of a snapshot', () => {
  const witnesses = [{ manifest: 'manifest.json', sha256: digest('x'), collection: 'by-manifest' }];
  const layout = '{collection}/*/*.snapshot';

  test.each([
    ['the manifest', file(`by-layout/by-directory/${ownName}`, { witnesses }), 'by-manifest'],
    ["Qdrant's own name", file(`by-layout/by-directory/${ownName}`), 'books'],
    ['the layout', file('by-layout/by-directory/latest.snapshot'), 'by-layout'],
    ['the directory', file('by-directory/latest.snapshot'), 'by-directory'],
  ])('comes first from %s', (_, given, expected) => {
    expect(only([given], { layout })).toMatchObject({ collection: expected });
  });

  test('is the target’s own directory where nothing else tells it', () => {
    expect(only([file('latest.snapshot')])).toMatchObject({ collection: 'nas' });
  });

  test.each([
    'a-1-b',
    'books-2026-11-22-02-15-04',
    'новости',
    'two\nlines',
    'quo"te $(date)',
    'bytes \udcff\udc80',
    'books-shard-0',
    '.hidden',
    '%2F',
  ])('may have any characters: %j', (name) => {
    expect(only([file(`20261122T021504Z/${name}-8035627091234567-2026-11-22-02-15-04.snapshot`)])).toMatchObject({
      collection: name,
    });
  });
});

describe('the time of a snapshot', () => {
  const manifestMs = Date.parse('2026-11-22T02:16:00Z');
  const madeAt = (madeAtMs: number): FileSketch['witnesses'] => [
    { manifest: 'manifest.json', sha256: digest('x'), madeAtMs },
  ];
  const [mtimeMs, ctimeMs] = [nowMs - ms('10h'), nowMs - ms('9h')];

  test.each([
    ['name', file(ownName, { witnesses: madeAt(manifestMs), mtimeMs, ctimeMs }), Date.parse('2026-11-22T02:15:04Z')],
    ['manifest', file(ownName, { witnesses: madeAt(manifestMs - ms('1h')) }), manifestMs - ms('1h')],
    ['manifest', file('books/latest.snapshot', { witnesses: madeAt(manifestMs), mtimeMs, ctimeMs }), manifestMs],
    ['mtime', file('books/latest.snapshot', { mtimeMs, ctimeMs }), mtimeMs],
    ['arrival', file('books/latest.snapshot', { mtimeMs: ctimeMs + 1, ctimeMs }), ctimeMs],
    ['mtime', file('books/latest.snapshot', { mtimeMs, ctimeMs: null }), mtimeMs],
  ])('is the earliest that bounds it: %s', (madeAtFrom, given, madeAtMs) => {
    expect(only([given])).toMatchObject({ madeAtFrom, madeAtMs });
  });

  test.each(['2026-02-31-02-15-04', '2026-13-01-02-15-04', '2026-11-22-25-15-04', '0000-00-00-00-00-00'])(
    'a date that does not exist is not taken from a name: %s',
    (stamp) => {
      const given = file(`books/books-8035627091234567-${stamp}.snapshot`, { mtimeMs: ctimeMs + 1, ctimeMs });
      expect(only([given])).toMatchObject({ collection: 'books', madeAtFrom: 'arrival', madeAtMs: ctimeMs });
    },
  );

  test('ns are told in ms, before the epoch too', () => {
    expect(nsToMs('1795377600123456789')).toBe(1_795_377_600_123);
    expect(nsToMs('-1500000')).toBe(-2);
  });
});

describe('what manifests say beside', () => {
  test('a file is governed by the manifest of the nearest directory that claims to list all', () => {
    const complete = [
      { directory: '', manifest: 'SHA256SUMS' },
      { directory: 'books', manifest: 'books/SHA256SUMS' },
      { directory: 'book', manifest: 'book/SHA256SUMS' },
    ];
    const governedBy = (path: string, claims = complete): string | null =>
      only([file(path)], { complete: claims }).governedBy;
    expect(governedBy(`books/${ownName}`)).toBe('books/SHA256SUMS');
    expect(governedBy(`arxiv/${ownName}`)).toBe('SHA256SUMS');
    expect(governedBy(`arxiv/${ownName}`, complete.slice(1))).toBeNull();
  });

  test('what a manifest lists and the listing does not have is missing, under the collection its name tells', () => {
    const gone = snapshot('books', '17h', { isThere: false });
    const { missing } = catalogued([gone]);
    expect(missing).toMatchObject([{ path: gone.path, collection: 'books', isArriving: false }]);
  });

  describe('a missing file is arriving', () => {
    const gone = snapshot('books', '17h', { isThere: false });
    const name = gone.path.slice('books/'.length);
    const isArriving = (path: string, part: Partial<FileSketch> = {}): boolean | undefined =>
      catalogued([gone, file(path, { ctimeMs: nowMs - ms('1m'), ...part })]).missing[0]?.isArriving;

    test('while a copy in flight has its name', () => {
      expect(isArriving(`books/.${name}.Xy12Ab`)).toBe(true);
      expect(isArriving(`books/.~tmp~/${name}`)).toBe(true);
    });

    test('not when the copy in flight is of another file, or lies elsewhere', () => {
      expect(isArriving('books/.other.snapshot.Xy12Ab')).toBe(false);
      expect(isArriving(`arxiv/.${name}.Xy12Ab`)).toBe(false);
    });

    test('not when the copy in flight stopped growing long ago, or is dated in the future', () => {
      expect(isArriving(`books/.${name}.Xy12Ab`, { ctimeMs: nowMs - ms('61m') })).toBe(false);
      expect(isArriving(`books/.${name}.Xy12Ab`, { ctimeMs: nowMs + ms('61m') })).toBe(false);
      expect(isArriving(`books/.${name}.Xy12Ab`, { ctimeMs: null, mtimeMs: nowMs - ms('1m') })).toBe(true);
    });
  });

  test('a directory that cannot be read makes the catalogue incomplete', () => {
    const why = unseen('permission denied', 'place/denied');
    expect(catalogued([], { unreadable: [{ path: 'old', why }] }).incomplete).toBe('permission denied');
    expect(catalogued([]).incomplete).toBeNull();
  });
});

test('a target out of sight has no catalogue, which is not an empty one', () => {
  expect(catalogued([], { unseen: unseen() })).toBeNull();
});
