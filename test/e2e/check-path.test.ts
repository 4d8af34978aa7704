/** `deadair check PATH` as a process: one directory, no configuration, no state. */

import { appendFileSync, chmodSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { flipBit } from '../../src/lab/backup.ts';
import { type LabQdrant, startLabQdrant } from '../../src/lab/qdrant.ts';
import { type CheckView, viewOf } from '../support/check-view.ts';
import { type Copies, hourMs, makeCopies, sha256, snapshotName, temporaryDirectory } from '../support/copies.ts';
import { deadair, type Ended } from '../support/process.ts';

/** Two collections with a manifest: a good directory that each test breaks in its own way. */
function good(): Copies & { readonly arxiv: string; readonly code: string } {
  const copies = makeCopies();
  const [arxiv, code] = [copies.snapshot('arxiv'), copies.snapshot('code')];
  copies.sums();
  return { ...copies, arxiv, code };
}

async function checked(path: string, ...options: readonly string[]): Promise<Ended & { readonly view: CheckView }> {
  const ended = await deadair(['check', path, '--json', ...options]);
  return { ...ended, view: viewOf(ended) };
}

/** The sentences about everything that is not ok. */
function troubles(view: CheckView): string {
  return view.findings
    .filter(({ status }) => status !== 'ok')
    .map(({ rule, subject, status, summary }) => `${rule} ${subject} ${status}: ${summary}`)
    .join('\n');
}

describe('a directory without any snapshot', () => {
  test('fails when it is empty, since a disk that is not mounted looks like that', async () => {
    const { code, view } = await checked(temporaryDirectory());
    expect(code).toBe(2);
    expect(troubles(view)).toContain('holds no snapshot at all');
  });

  test('fails when it holds only what is still being copied in', async () => {
    const copies = makeCopies();
    copies.put(`.${snapshotName('arxiv', Date.now())}.a1B2c3`, 'half of it');
    const { code, view } = await checked(copies.path);
    expect(code).toBe(2);
    expect(troubles(view)).toContain('holds no snapshot at all');
  });

  test('is unknown when it is missing, and says so', async () => {
    const { code, view } = await checked(join(temporaryDirectory(), 'gone'));
    expect(code).toBe(3);
    expect(troubles(view)).toMatch(/gone: No such file or directory/i);
  });

  test('is unknown when it is a file', async () => {
    const copies = makeCopies();
    const { code, view } = await checked(copies.put('file', 'x'));
    expect(code).toBe(3);
    expect(troubles(view)).toMatch(/not a directory/i);
  });

  test('is unknown when it may not be entered', async (context) => {
    if (process.getuid?.() !== 0) context.skip('becoming another user needs root');
    const { path } = good();
    chmodSync(path, 0o700);
    const { code, view } = await checked(path, '--as', 'nobody');
    expect(code).toBe(3);
    expect(troubles(view)).toMatch(/permission denied/i);
  });
});

describe('snapshots with a manifest', () => {
  test('are good when every byte is what SHA256SUMS says', async () => {
    const { code, view } = await checked(good().path);
    expect({ code, verdict: view.verdict, troubles: troubles(view) }).toEqual({
      code: 0,
      verdict: 'ok',
      troubles: '',
    });
    expect(view.findings.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['copies/arxiv', 'copies/code']),
    );
  });

  test('are good when the manifest has CRLF line breaks', async () => {
    const copies = makeCopies();
    copies.snapshot('arxiv');
    copies.sums([], '\r\n');
    expect((await checked(copies.path)).code).toBe(0);
  });

  test('are good while rsync copies another one in', async () => {
    const copies = good();
    copies.put(`.${snapshotName('arxiv', Date.now())}.a1B2c3`, 'half of it');
    const { code, view } = await checked(copies.path);
    expect({ code, troubles: troubles(view) }).toEqual({ code: 0, troubles: '' });
  });

  const breakages: readonly {
    readonly what: string;
    readonly does: (copies: ReturnType<typeof good>) => void;
    readonly says: RegExp;
  }[] = [
    { what: 'one bit has flipped', does: ({ path, arxiv }) => flipBit(join(path, arxiv)), says: /SHA256SUMS says/ },
    {
      what: 'one is truncated',
      does: ({ path, arxiv }) => truncateSync(join(path, arxiv), 5),
      says: /SHA256SUMS says/,
    },
    { what: 'one has no bytes', does: ({ path, arxiv }) => truncateSync(join(path, arxiv)), says: /has no bytes/ },
    {
      what: 'one is on no list',
      does: (copies) => void copies.snapshot('notes'),
      says: /copies\/notes failing.*is not listed by SHA256SUMS/,
    },
    {
      what: 'a listed one is gone',
      does: ({ path, code }) => rmSync(join(path, code)),
      says: /is listed by SHA256SUMS and not there/,
    },
    {
      what: 'the manifest has a line that cannot be understood',
      does: (copies) => copies.sums(['what is this']),
      says: /SHA256SUMS line 3/,
    },
    {
      what: 'the manifest names a file outside of it',
      does: (copies) => copies.sums([`${sha256('')}  ../escaped.snapshot`]),
      says: /SHA256SUMS line 3/,
    },
    {
      what: 'the manifest has two digests for one file',
      does: (copies) => copies.sums([`${sha256('else')}  ${copies.arxiv}`]),
      says: /two different digests/,
    },
    {
      what: 'one is dated in the future',
      does: (copies) => {
        copies.snapshot('arxiv', { atMs: Date.now() + 48 * hourMs });
        copies.sums();
      },
      says: /in the future/,
    },
  ];
  test.each(breakages)('fail when $what', async ({ does, says }) => {
    const copies = good();
    does(copies);
    const { code, view } = await checked(copies.path);
    expect(troubles(view)).toMatch(says);
    expect({ code, verdict: view.verdict }).toEqual({ code: 2, verdict: 'critical' });
  });

  test('are unknown when one may not be read by the user who asks', async (context) => {
    if (process.getuid?.() !== 0) context.skip('becoming another user needs root');
    const { path, arxiv } = good();
    chmodSync(join(path, arxiv), 0o600);
    const { code, view, stderr } = await checked(path, '--as', 'nobody');
    expect(code).toBe(3);
    expect(troubles(view)).toMatch(/copies\/arxiv unknown.*cannot be read: .*permission denied/i);
    expect(stderr).not.toContain('running as root');
  });

  test('are unknown when their manifest may not be read, and never unlisted or fine', async (context) => {
    if (process.getuid?.() !== 0) context.skip('becoming another user needs root');
    const { path } = good();
    chmodSync(join(path, 'SHA256SUMS'), 0o600);
    const { code, view } = await checked(path, '--as', 'nobody');
    expect(code).not.toBe(0);
    expect(troubles(view)).toMatch(/SHA256SUMS.*permission denied/i);
  });
});

describe('snapshots without a manifest', () => {
  test('are unknown: their bytes can be read and compared with nothing', async () => {
    const copies = makeCopies();
    copies.snapshot('arxiv');
    const { code, view } = await checked(copies.path);
    expect(code).toBe(3);
    expect(troubles(view)).toMatch(/copies\/arxiv unknown.*has no digest in any manifest/);
  });

  test('are good when each has a sidecar, and fail by it when they are not', async () => {
    const copies = makeCopies();
    const name = copies.snapshot('arxiv', { bytes: 'whole' });
    copies.put(`${name}.sha256`, `${sha256('whole')}  ${name}\n`);
    expect((await checked(copies.path)).code).toBe(0);
    appendFileSync(join(copies.path, name), '!');
    expect((await checked(copies.path)).code).toBe(2);
  });

  test('fail when an interrupted copy left them dated 1970', async () => {
    const copies = makeCopies();
    const file = copies.put('arxiv/one.snapshot', 'half');
    utimesSync(file, 0, 0);
    const { code, view } = await checked(copies.path);
    expect(code).toBe(2);
    expect(troubles(view)).toContain('1970');
  });
});

describe('--max-age', () => {
  test('fails for a collection whose newest proven snapshot is older, with both numbers', async () => {
    const copies = makeCopies();
    copies.snapshot('arxiv', { atMs: Date.now() - 31 * hourMs });
    copies.snapshot('code');
    copies.sums();
    const { code, view } = await checked(copies.path, '--max-age', '26h');
    expect(code).toBe(2);
    expect(troubles(view)).toMatch(/^freshness copies\/arxiv failing: .*31h old, allowed 26h$/);
    expect((await checked(copies.path, '--max-age', '32h')).code).toBe(0);
  });

  test('is not satisfied by a fresh snapshot whose bytes are wrong', async () => {
    const copies = makeCopies();
    copies.snapshot('arxiv', { atMs: Date.now() - 31 * hourMs });
    const fresh = copies.snapshot('arxiv');
    copies.sums();
    flipBit(join(copies.path, fresh));
    const { code, view } = await checked(copies.path, '--max-age', '26h');
    expect(code).toBe(2);
    expect(troubles(view)).toMatch(/freshness copies\/arxiv failing: the newest snapshot does not match/);
  });

  test('is refused when it is no duration, or stands without a PATH', async () => {
    const { path } = good();
    for (const [args, says] of [
      [['check', path, '--max-age', 'soon'], '--max-age: expected a duration such as 26h, got soon'],
      [['check', '--max-age', '26h'], '--max-age goes with a PATH'],
      [['check', path, '--config', 'x.yaml'], 'either a PATH or --config'],
    ] as const) {
      const { code, stdout, stderr } = await deadair(args);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toContain(says);
    }
  });
});

describe('--qdrant', () => {
  async function live(collections: readonly string[], apiKey?: string): Promise<LabQdrant> {
    const qdrant = await startLabQdrant({
      directory: temporaryDirectory(),
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    onTestFinished(() => qdrant.close());
    for (const name of collections) qdrant.createCollection(name, 12);
    return qdrant;
  }

  test('is good when every live collection has a proven copy', async () => {
    const { url } = await live(['arxiv', 'code'], 'secret-key');
    const { path } = good();
    const { code, stdout } = await deadair(['check', path, '--json', '--qdrant', url], {
      env: { QDRANT_API_KEY: 'secret-key' },
    });
    expect(code).toBe(0);
    expect(stdout).not.toContain('secret-key');
  });

  test('fails for a collection that nobody copied, by name and with its points', async () => {
    const { url } = await live(['arxiv', 'code', 'claude_canon']);
    const { code, view } = await checked(good().path, '--qdrant', url);
    expect(code).toBe(2);
    expect(troubles(view)).toMatch(/^coverage \S+\/claude_canon failing: proven on 0 of 1 targets.*12 points/m);
  });

  test('fails when Qdrant lists nothing at all', async () => {
    const { url } = await live([]);
    const { code, view } = await checked(good().path, '--qdrant', url);
    expect(code).toBe(2);
    expect(troubles(view)).toContain('lists no collection');
  });

  test.each(['down', '401', 'html', 'half-json', 'not-qdrant'] as const)(
    'is unknown, not fine, when Qdrant is not to be asked (%s)',
    async (fault) => {
      const qdrant = await live(['arxiv', 'code']);
      await qdrant.setFault(fault);
      const { code, view } = await checked(good().path, '--qdrant', qdrant.url);
      expect({ code, verdict: view.verdict }).toEqual({ code: 3, verdict: 'unknown' });
      expect(troubles(view)).toMatch(/^coverage source\/\S+ unknown: cannot list the collections of /m);
    },
  );

  test('still fails for rotten bytes when Qdrant is down', async () => {
    const qdrant = await live(['arxiv']);
    await qdrant.setFault('down');
    const copies = good();
    flipBit(join(copies.path, copies.arxiv));
    const { code } = await checked(copies.path, '--qdrant', qdrant.url);
    expect(code).toBe(2);
  });
});

describe('what it prints and leaves behind', () => {
  test('a table that names what is wrong and what to do, without colour where nobody looks', async () => {
    const copies = good();
    flipBit(join(copies.path, copies.arxiv));
    for (const env of [{}, { NO_COLOR: '1' }]) {
      const { code, stdout } = await deadair(['check', copies.path], { env });
      expect(code).toBe(2);
      expect(stdout).toMatch(/^CRITICAL /);
      expect(stdout).toContain('copies/arxiv');
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain('delete nothing; check the disk and memory');
      expect(stdout).not.toContain('\u001b');
    }
  });

  test('the line of a monitoring plugin with perfdata, and a line for each trouble', async () => {
    const copies = good();
    flipBit(join(copies.path, copies.arxiv));
    const { code, stdout } = await deadair(['check', copies.path, '--format', 'nagios']);
    const [first, second] = stdout.split('\n');
    expect(code).toBe(2);
    expect(first).toMatch(
      /^DEADAIR CRITICAL - 1 of \d+ findings not ok \| 'ok'=\d+;;;0 'failing'=1;;;0 'unknown'=0;;;0$/,
    );
    expect(second).toContain('integrity copies/arxiv on ');
  });

  test('nothing on the disk, neither there nor where it was called', async () => {
    const { path, arxiv, code } = good();
    const home = temporaryDirectory();
    await deadair(['check', path, '--max-age', '26h'], { cwd: home, env: { HOME: home } });
    expect(readdirSync(home)).toEqual([]);
    expect(readdirSync(path).toSorted()).toEqual(['SHA256SUMS', arxiv, code].toSorted());
  });

  test('names as they are: any byte in a file name is read, judged, and printed without harm', async () => {
    const copies = makeCopies();
    const odd = ['$(touch x)', '-n', 'two words', 'line\nbreak', 'quote"\'', '\u001b[31mred', 'ünïcödé'];
    for (const name of odd) copies.put(`${name}/one.snapshot`, name);
    writeFileSync(
      join(copies.path, 'SHA256SUMS'),
      odd
        .map((name) => {
          const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
          return `${escaped === name ? '' : '\\'}${sha256(name)}  ./${escaped}/one.snapshot\n`;
        })
        .join(''),
    );
    const { code, view } = await checked(copies.path);
    expect({ code, troubles: troubles(view) }).toEqual({ code: 0, troubles: '' });
    expect(view.findings.filter(({ subject }) => subject.startsWith('copies/'))).toHaveLength(odd.length);
    const { stdout } = await deadair(['check', copies.path]);
    expect(stdout).not.toContain('\u001b');
    expect(readdirSync(copies.path)).not.toContain('x');
  });
});
