import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openQdrant } from '../../../src/clients/qdrant.ts';
import { startLabQdrant } from '../../../src/lab/qdrant.ts';
import { listSnapshots, openRawQdrant } from '../../support/qdrant-rest.ts';
import { oddNames, openLabQdrant, temporaryDirectory } from '../../support/qdrant.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
const clock = (): number => Date.UTC(2026, 10, 22, 2, 15, 4, 700);

describe('the lab Qdrant', () => {
  it('goes on where it stood when it is started again on its directory', async () => {
    await using directory = await temporaryDirectory();
    const first = await startLabQdrant({ directory: directory.path, peerId: 42, clock });
    first.createCollection('arxiv', 5);
    first.setAlias('papers', 'arxiv');
    const { name } = first.snapshot('arxiv');
    await first.close();
    await using second = await startLabQdrant({ directory: directory.path, port: first.port, peerId: 43 });
    await using client = openQdrant({ url: second.url });
    expect(second.url).toBe(first.url);
    expect(await client.count('papers', signal)).toBe(5);
    await using raw = openRawQdrant(second.url);
    expect(await listSnapshots(raw, 'arxiv')).toMatchObject([{ name }]);
    expect(second.snapshot('arxiv').name).toContain('arxiv-42-');
  });

  it('names a snapshot after its clock in UTC and lists that time', async () => {
    await using lab = await openLabQdrant({ clock, peerId: 42 });
    lab.createCollection('arxiv', 5);
    const snapshot = lab.snapshot('arxiv');
    expect(snapshot.name).toBe('arxiv-42-2026-11-22-02-15-04.snapshot');
    await using raw = openRawQdrant(lab.url);
    expect(await listSnapshots(raw, 'arxiv')).toEqual([
      {
        name: snapshot.name,
        size: snapshot.sizeBytes,
        checksum: snapshot.sha256,
        creation_time: '2026-11-22T02:15:04',
      },
    ]);
  });

  it('leaves a snapshot that only its owner may read, beside its checksum', async () => {
    await using lab = await openLabQdrant({ clock });
    lab.createCollection('arxiv', 5);
    const { path, name, sha256, sizeBytes } = lab.snapshot('arxiv');
    expect(await readdir(dirname(path))).toEqual([name, `${name}.checksum`]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(path)).size).toBe(sizeBytes);
    expect(await readFile(`${path}.checksum`, 'utf8')).toBe(sha256);
    expect(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    ).toBe(sha256);
  });

  it('makes the same bytes of the same name, time and points, and others of others', async () => {
    const digests = [];
    for (const [points, atMs] of [
      [5, clock()],
      [5, clock()],
      [6, clock()],
      [5, clock() + 1_000],
    ] as const) {
      await using lab = await openLabQdrant({ clock: () => atMs });
      lab.createCollection('arxiv', points);
      digests.push(lab.snapshot('arxiv').sha256);
    }
    expect(digests[1]).toBe(digests[0]);
    expect(new Set(digests).size).toBe(3);
  });

  it('replaces a snapshot made in the same second', async () => {
    await using lab = await openLabQdrant({ clock });
    lab.createCollection('arxiv', 5);
    const first = lab.snapshot('arxiv');
    lab.setPoints('arxiv', 6);
    const second = lab.snapshot('arxiv');
    expect(second.path).toBe(first.path);
    expect(second.sha256).not.toBe(first.sha256);
  });

  it('writes snapshots that GNU tar unpacks, the sparse log and the segment within too', async () => {
    await using lab = await openLabQdrant({ clock });
    await using directory = await temporaryDirectory();
    lab.createCollection('arxiv', 5);
    const unpack = (path: string): Promise<unknown> => run('tar', ['-xf', path, '-C', directory.path]);
    await unpack(lab.snapshot('arxiv').path);
    const log = await readFile(join(directory.path, '0/wal/open-1'));
    expect(log.length).toBe(2 ** 20);
    expect(log.subarray(4_096, 2 ** 17).every((byte) => byte === 0)).toBe(true);
    expect(log.subarray(4 * 2 ** 17, 4 * 2 ** 17 + 4_096).some((byte) => byte !== 0)).toBe(true);
    expect(await readFile(join(directory.path, 'version.info'), 'utf8')).toBe('0.4.2');
    expect(JSON.parse(await readFile(join(directory.path, 'config.json'), 'utf8'))).toMatchObject({
      params: { shard_number: 1 },
    });
    const [segment = ''] = await readdir(join(directory.path, '0/segments'));
    await unpack(join(directory.path, '0/segments', segment));
    expect(await readdir(join(directory.path, 'snapshot/files'))).toContain('segment.json');
  });

  it.each(oddNames.filter((name) => name.length < 200))('keeps a snapshot of %j inside its directory', async (name) => {
    await using directory = await temporaryDirectory();
    await using lab = await startLabQdrant({ directory: directory.path });
    lab.createCollection(name, 1);
    const { path } = lab.snapshot(name);
    expect(basename(dirname(dirname(path)))).toBe('snapshots');
    await using raw = openRawQdrant(lab.url);
    expect(await listSnapshots(raw, name)).toHaveLength(1);
  });

  it('fails to make a snapshot whose file name is too long, as Qdrant does', async () => {
    await using lab = await openLabQdrant();
    lab.createCollection('l'.repeat(255), 1);
    await using raw = openRawQdrant(lab.url);
    const answer = await raw.send('POST', `/collections/${'l'.repeat(255)}/snapshots`);
    expect(answer.status).toBe(500);
    expect(answer.json()).toMatchObject({ status: { error: expect.stringContaining('ENAMETOOLONG') } });
  });

  it('lets a read-only key read everything, and make or delete nothing', async () => {
    await using lab = await openLabQdrant({ apiKey: 'all', readOnlyApiKey: 'read' });
    lab.createCollection('arxiv', 1);
    const { name } = lab.snapshot('arxiv');
    await using raw = openRawQdrant(lab.url, 'read');
    const refused = await raw.send('POST', '/collections/arxiv/snapshots');
    expect(refused.status).toBe(403);
    expect(refused.json()).toMatchObject({ status: { error: expect.stringMatching(/^Forbidden: /) } });
    expect((await raw.send('DELETE', `/collections/arxiv/snapshots/${name}`)).status).toBe(403);
    expect((await raw.send('DELETE', '/collections/arxiv')).status).toBe(403);
    expect((await raw.send('GET', `/collections/arxiv/snapshots/${name}`)).status).toBe(200);
  });

  it('keeps the snapshots of a deleted collection on disk, out of the sight of the API', async () => {
    await using lab = await openLabQdrant();
    lab.createCollection('arxiv', 1);
    lab.setAlias('papers', 'arxiv');
    const { path } = lab.snapshot('arxiv');
    lab.deleteCollection('arxiv');
    await using client = openQdrant({ url: lab.url });
    await using raw = openRawQdrant(lab.url);
    expect((await raw.send('GET', '/collections/arxiv/snapshots')).status).toBe(404);
    expect(await client.aliases(signal)).toEqual([]);
    expect((await stat(path)).isFile()).toBe(true);
  });

  it('refuses a mistake of its player', async () => {
    await using lab = await openLabQdrant();
    lab.createCollection('arxiv', 1);
    expect(() => lab.createCollection('arxiv', 1)).toThrow('already');
    expect(() => lab.deleteCollection('absent')).toThrow('no collection "absent"');
    expect(() => lab.setPoints('absent', 1)).toThrow('no collection "absent"');
    expect(() => lab.snapshot('absent')).toThrow('no collection "absent"');
  });

  it('is mended from every fault by null', async () => {
    await using lab = await openLabQdrant({ slowMs: 1 });
    lab.createCollection('arxiv', 1);
    for (const fault of lab.faultNames) {
      await lab.setFault(fault);
      await lab.setFault(null);
      await using client = openQdrant({ url: lab.url });
      expect(await client.count('arxiv', signal), fault).toBe(1);
    }
  });

  it('resumes a download only of the same bytes', async () => {
    await using lab = await openLabQdrant();
    lab.createCollection('arxiv', 1);
    const { name } = lab.snapshot('arxiv');
    await using raw = openRawQdrant(lab.url);
    const path = `/collections/arxiv/snapshots/${name}`;
    const { headers } = await raw.send('GET', path);
    const range = 'bytes=-1024';
    const resumed = await raw.send('GET', path, { headers: { range, 'if-match': String(headers['etag']) } });
    expect([resumed.status, resumed.bytes.length]).toEqual([206, 1_024]);
    expect((await raw.send('GET', path, { headers: { range, 'if-match': '"other"' } })).status).toBe(412);
  });
});
