import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { manifestKind } from '../../../src/probes/manifest-names.ts';
import { type Manifest, readManifest } from '../../../src/probes/manifests.ts';
import { pathToBytes } from '../../../src/support/paths.ts';

const one = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const two = '81c27ef31f4b1c1a0c4a7b2e0a5b9c6d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b';

function read(path: string, text: string | Uint8Array): Manifest {
  return readManifest({ path }, typeof text === 'string' ? pathToBytes(text) : text);
}

/** What a manifest says, as `path=first digits of the digest`. */
function said(manifest: Manifest): readonly string[] {
  return [...manifest.witnesses].flatMap(([path, all]) => all.map(({ sha256 }) => `${path}=${sha256?.slice(0, 2)}`));
}

function troubles(manifest: Manifest): readonly string[] {
  return manifest.problems.map(({ line, message }) => `${line ?? '-'}: ${message}`);
}

describe('which files are manifests', () => {
  test.each([
    ['SHA256SUMS', 'list'],
    ['run/SHA256SUMS', 'list'],
    ['SHA256SUMS.txt', 'list'],
    ['sha256sums.txt', 'list'],
    ['a/b/20261122.sha256sums', 'list'],
    ['CHECKSUMS.sha256', 'list'],
    ['c/x.snapshot.sha256', 'sidecar'],
    ['c/x.snapshot.checksum', 'sidecar'],
    ['run/manifest.json', 'document'],
    ['run.partial/manifest.json', null],
    ['.~tmp~/SHA256SUMS', null],
    ['.SHA256SUMS.a1B2c3', null],
    ['.sha256', null],
    ['x.snapshot', null],
    ['SHA256SUMS.asc', null],
    ['MANIFEST.JSON', null],
  ])('%s: %s', (path, kind) => {
    expect(manifestKind(path)).toBe(kind);
  });
});

describe('bad lines', () => {
  test.each([
    ['no digest at all', 'hello', 'is no digest line'],
    ['a digest without a name', one, 'is no digest line'],
    ['a digest and spaces', `${one}  `, 'is no digest line'],
    ['a short digest', `${one.slice(1)}  name`, 'is a digest of 63 digits; only SHA-256 counts'],
    ['a digit too many', `${one}0  name`, 'is a digest of 65 digits; only SHA-256 counts'],
    ['a letter that is no digit', `${one.slice(1)}g  name`, 'is no digest line'],
    ['MD5', `${one.slice(0, 32)}  name`, 'is MD5; only SHA-256 counts'],
    ['SHA-1', `${one.slice(0, 40)}  name`, 'is SHA-1; only SHA-256 counts'],
    ['SHA-512', `${one}${one}  name`, 'is SHA-512; only SHA-256 counts'],
    ['tagged MD5', `MD5 (name) = ${one.slice(0, 32)}`, 'is MD5; only SHA-256 counts'],
    ['tagged BLAKE2b of 256 bits', `BLAKE2b-256 (name) = ${one}`, 'only SHA-256 counts'],
    ['tagged SHA-512/256', `SHA512/256 (name) = ${one}`, 'only SHA-256 counts'],
    ['tagged base64', 'SHA256 (name) = 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', 'guards nothing'],
    ['an escape of nobody', `\\${one}  a\\tb`, 'has an escape that sha256sum never writes'],
    ['an escape cut off', `\\${one}  a\\`, 'has an escape that sha256sum never writes'],
    ['a NUL byte', `${one}  a\0b`, 'holds a NUL byte: damaged'],
    ['a line without end', `${one}  ${'a'.repeat(20_000)}`, 'is too long for a digest line'],
    [
      'an absolute path',
      `${one}  /etc/passwd`,
      'names /etc/passwd, which lies outside its own directory; never looked at',
    ],
    ['a path that climbs out', `${one}  ../other/x`, 'names ../other/x, which lies outside'],
    ['a path that climbs out later', `${one}  a/../../x`, 'lies outside'],
    ['a path that is no file', `${one}  ./.`, 'names ./., which is no file'],
  ])('%s is a problem with its line number, and the next line counts', (_, line, message) => {
    const manifest = read('run/SHA256SUMS', `# made by hand\n${line}\n${two}  good\n`);
    expect(troubles(manifest)).toEqual([expect.stringMatching(/^2: /)]);
    expect(troubles(manifest)[0]).toContain(message);
    expect(said(manifest)).toEqual(['run/good=81']);
  });

  test('many of them are told a hundred times, and not for ever', () => {
    const manifest = read('SHA256SUMS', 'bad\n'.repeat(10_000));
    expect(manifest.problems.length).toBe(101);
    expect(troubles(manifest).at(-1)).toBe('101: and more from here on');
  });

  test.each(['', '\n\n', '# nothing today\n'])(
    'a list without an entry (%j) is a problem and claims nothing',
    (text) => {
      const manifest = read('run/SHA256SUMS', text);
      expect(troubles(manifest)).toEqual(['-: lists nothing']);
      expect(manifest.claims).toBeNull();
    },
  );

  test('whatever the bytes are, nothing is thrown and no name leads out of the directory', () => {
    const path = fc.constantFrom('run/SHA256SUMS', 'run/x.sha256', 'run/manifest.json', 'run/x.checksum');
    const piece = fc.constantFrom(
      one,
      '  ',
      ' *',
      '\n',
      '\r',
      '\\',
      '../',
      '/',
      './',
      'SHA256 (',
      ') = ',
      '{"format":"deadair.manifest/1"',
      'x',
      '\0',
      'ÿ',
    );
    fc.assert(
      fc.property(path, fc.array(piece), fc.uint8Array(), (where, pieces, noise) => {
        const manifest = readManifest({ path: where }, Buffer.concat([Buffer.from(pieces.join('')), noise]));
        for (const about of manifest.witnesses.keys()) expect(about).toMatch(/^run\/(?!.*(?:^|\/)\.\.(?:\/|$))/s);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('lists of digests', () => {
  test.each([
    ['text mode', `${one}  a b.snapshot`, 'a b.snapshot'],
    ['binary mode', `${one} *a.snapshot`, 'a.snapshot'],
    ['upper case', `${one.toUpperCase()}  a`, 'a'],
    ['CRLF', `${one}  a\r`, 'a'],
    ['escapes', `\\${one}  a\\nb\\\\c\\rd`, 'a\nb\\c\rd'],
    ['an escaped backslash before n', `\\${one}  a\\\\n`, 'a\\n'],
    ['a backslash in an unescaped line', `${one}  a\\nb`, 'a\\nb'],
    ['BSD', `SHA256 (a (1).snapshot) = ${one}`, 'a (1).snapshot'],
    ['BSD with escapes', `\\SHA256 (a\\nb) = ${one}`, 'a\nb'],
    ['openssl', `SHA256(a)= ${one}`, 'a'],
    ['openssl 3', `SHA2-256(a)= ${one}`, 'a'],
    ['one space', `${one} a`, 'a'],
    ['a dot before', `${one}  ./sub//./a`, 'sub/a'],
    ['space before the digest', `  ${one}  a`, 'a'],
    ['a name that is not UTF-8', `${one}  a\udcff`, 'a\udcff'],
  ])('%s', (_, line, name) => {
    for (const text of [line, `${line}\n`, `\n# why\n${line}\n`]) {
      const manifest = read('run/SHA256SUMS', text);
      expect(troubles(manifest)).toEqual([]);
      expect(said(manifest)).toEqual([`run/${name}=e3`]);
      expect(manifest.claims).toBe('run');
    }
  });

  test('what GNU sha256sum writes is read back, whatever the names', () => {
    const directory = mkdtempSync(join(tmpdir(), 'deadair-sums-'));
    try {
      const names = [
        'plain',
        'line\nbreak',
        'back\\slash',
        'return\rhere',
        ' space ',
        '*star',
        '\\n',
        'ü',
        "'",
        '#',
        '(',
      ];
      for (const name of names) writeFileSync(join(directory, name), name);
      for (const flags of [[], ['--binary'], ['--tag']]) {
        const text = execFileSync('sha256sum', [...flags, '--', ...names], { cwd: directory });
        const manifest = read('SHA256SUMS', text);
        expect(troubles(manifest)).toEqual([]);
        expect([...manifest.witnesses.keys()]).toEqual(names);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('two digests for one file are both kept, the same one twice is one', () => {
    const manifest = read('SHA256SUMS', `${one}  a\n${two}  ./a\n${one} *a\n`);
    expect(said(manifest)).toEqual(['a=e3', 'a=81']);
    expect(troubles(manifest)).toEqual([]);
  });

  test('a list that holds its own name says nothing of itself: sha256sum * >SHA256SUMS writes that', () => {
    const manifest = read('run/SHA256SUMS', `${one}  SHA256SUMS\n${two}  a\n`);
    expect(said(manifest)).toEqual(['run/a=81']);
  });

  test('a byte order mark is no part of the first line', () => {
    expect(said(read('SHA256SUMS', `\ufeff${one}  a\n`))).toEqual(['a=e3']);
  });

  test('the list of the root claims the root', () => {
    expect(read('SHA256SUMS', `${one}  a\n`).claims).toBe('');
  });
});

describe('sidecars', () => {
  test.each([
    ['bare', 'c/x.snapshot.sha256', one],
    ['bare with a line feed', 'c/x.snapshot.sha256', `${one}\r\n`],
    ["Qdrant's own", 'c/x.snapshot.checksum', one.toUpperCase()],
    ['in the format of sha256sum', 'c/x.snapshot.sha256', `${one}  x.snapshot\n`],
    ['in the format of BSD', 'c/x.snapshot.sha256', `SHA256 (x.snapshot) = ${one}\n`],
  ])('%s: is about the one file, and claims nothing about others', (_, path, text) => {
    const manifest = read(path, text);
    expect(said(manifest)).toEqual(['c/x.snapshot=e3']);
    expect(manifest.claims).toBeNull();
    expect(troubles(manifest)).toEqual([]);
  });

  test('a bare digest in the root is about a file in the root', () => {
    expect(said(read('x.sha256', one))).toEqual(['x=e3']);
  });

  test.each([
    [one.slice(0, 40), '1: is SHA-1; only SHA-256 counts'],
    [one.slice(0, 32), '1: is MD5; only SHA-256 counts'],
    [one + one, '1: is SHA-512; only SHA-256 counts'],
    [`${one.slice(0, 40)}  x.snapshot\n`, '1: is SHA-1; only SHA-256 counts'],
    [one.slice(0, 50), '1: is a digest of 50 digits; only SHA-256 counts'],
    ['', '-: lists nothing'],
    [
      `${one}  /var/lib/qdrant/snapshots/x.snapshot\n`,
      '1: names /var/lib/qdrant/snapshots/x.snapshot, which lies outside its own directory; never looked at',
    ],
  ])('%j guards nothing and says so', (text, problem) => {
    const manifest = read('c/x.snapshot.sha256', text);
    expect(said(manifest)).toEqual([]);
    expect(troubles(manifest)).toEqual([problem]);
  });
});

describe('manifest.json', () => {
  const whole = {
    format: 'deadair.manifest/1',
    run: '20261122T021504Z',
    startedAt: '2026-11-22T02:15:04Z',
    finishedAt: '2026-11-22T02:21:09.5Z',
    complete: true,
    source: { url: 'http://phx-ai01:6333', version: '1.19.0', peers: 1 },
    aliases: [],
    collections: [
      {
        name: 'claude_canon',
        points: { before: 340_100, after: 340_112 },
        shards: 1,
        file: 'claude_canon/x.snapshot',
        sizeBytes: 12_345,
        sha256: one.toUpperCase(),
        qdrantSha256: one,
      },
    ],
  };
  const [collection] = whole.collections;
  const document = (change: object): Manifest => read('run/manifest.json', JSON.stringify({ ...whole, ...change }));

  test('ours tells digest, size, collection, points and the beginning of the run, and claims its directory', () => {
    const manifest = document({ unknown: 'ignored' });
    expect(troubles(manifest)).toEqual([]);
    expect(manifest.claims).toBe('run');
    expect(Object.fromEntries(manifest.witnesses)).toEqual({
      'run/claude_canon/x.snapshot': [
        {
          manifest: 'run/manifest.json',
          sha256: one,
          sizeBytes: 12_345,
          collection: 'claude_canon',
          madeAtMs: Date.UTC(2026, 10, 22, 2, 15, 4),
          points: { before: 340_100, after: 340_112 },
        },
      ],
    });
  });

  test('where Qdrant and the backup told different digests, both are heard', () => {
    const manifest = document({ collections: [{ ...collection, qdrantSha256: two }] });
    expect(said(manifest)).toEqual(['run/claude_canon/x.snapshot=e3', 'run/claude_canon/x.snapshot=81']);
  });

  test.each([{ qdrantSha256: null }, { points: null }])('%j is allowed: not everything can be known', (change) => {
    expect(troubles(document({ collections: [{ ...collection, ...change }] }))).toEqual([]);
  });

  test.each([
    ['not complete', { complete: false }, '-: says of itself that it is not complete'],
    ['of a later format', { format: 'deadair.manifest/2' }, 'deadair.manifest/2, which is not known here'],
    ['without a time', { startedAt: undefined }, 'startedAt'],
    ['with a time that is none', { startedAt: 'yesterday' }, 'startedAt'],
    ['without collections', { collections: undefined }, 'collections'],
    ['with MD5', { collections: [{ ...collection, sha256: one.slice(0, 32) }] }, 'collections[0].sha256'],
    ['with a negative size', { collections: [{ ...collection, sizeBytes: -1 }] }, 'collections[0].sizeBytes'],
    ['with an absolute file', { collections: [{ ...collection, file: '/etc/passwd' }] }, 'lies outside'],
    ['with a file that climbs out', { collections: [{ ...collection, file: '../x' }] }, 'lies outside'],
  ])('ours %s is a problem and claims nothing', (_, change, message) => {
    const manifest = document(change);
    expect(troubles(manifest).join('\n')).toContain(message);
    expect(said(manifest)).toEqual([]);
    expect(manifest.claims).toBeNull();
  });

  test('a bad entry leaves the good ones their witness', () => {
    const manifest = document({
      collections: [
        { ...collection, sha256: 'x' },
        { ...collection, file: 'b' },
      ],
    });
    expect(said(manifest)).toEqual(['run/b=e3']);
    expect(manifest.claims).toBeNull();
  });

  test('cut off anywhere, it is a problem', () => {
    const text = JSON.stringify(whole);
    for (let length = 0; length < text.length; length += 7) {
      expect(troubles(read('run/manifest.json', text.slice(0, length)))).toEqual([
        '-: is no JSON: empty, cut off or damaged',
      ]);
    }
  });

  test.each(['{}', '[]', 'null', '{"format":"zip"}', '{"files":{"a":"b"}}'])(
    "another program's (%s) says nothing",
    (text) => {
      expect(read('run/manifest.json', text)).toMatchObject({ witnesses: new Map(), claims: null, problems: [] });
    },
  );
});
