import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openQdrant } from '../../src/clients/qdrant.ts';
import type { QdrantClient } from '../../src/clients/qdrant.ts';
import { probeSource } from '../../src/probes/qdrant.ts';
import { listSnapshots, openRawQdrant } from '../support/qdrant-rest.ts';
import type { ListedSnapshot, RawQdrant } from '../support/qdrant-rest.ts';
import { openLabQdrant, temporaryDirectory } from '../support/qdrant.ts';

/** A Qdrant under test. */
interface Subject extends AsyncDisposable {
  readonly url: string;
  readonly apiKey: string | undefined;
}

const run = promisify(execFile);
const { signal } = new AbortController();
const realUrl = process.env['DEADAIR_QDRANT_URL'];
const realKey = process.env['DEADAIR_QDRANT_API_KEY'];

function pathOf(collection: string): string {
  return `/collections/${encodeURIComponent(collection)}`;
}

async function openLab(): Promise<Subject> {
  const lab = await openLabQdrant({ apiKey: 'contract-key' });
  return { ...lab, apiKey: 'contract-key' };
}

async function openReal(): Promise<Subject> {
  return { url: realUrl ?? '', apiKey: realKey, [Symbol.asyncDispose]: async () => {} };
}

describe.each([
  ['the lab', true, openLab],
  ['a real Qdrant (DEADAIR_QDRANT_URL)', realUrl !== undefined, openReal],
])('Qdrant as spoken by %s', (_, isThere, open) => {
  // On a real one nothing but collections of this prefix is made, and those are deleted again.
  const prefix = `deadair-contract-${randomUUID().slice(0, 8)}`;
  const alias = `${prefix}-alias`;
  const odd = ['with space', 'percent%2Fslash', "quote'", 'hash#', 'ünïcödé-集合'].map((name) => `${prefix} ${name}`);
  const made = new Set<string>();
  let subject: Subject;
  let raw: RawQdrant;
  let client: QdrantClient;
  let isClosed = true;

  async function create(collection: string, ids: readonly number[]): Promise<void> {
    made.add(collection);
    const vectors = { size: 4, distance: 'Dot' };
    const created = await raw.send('PUT', pathOf(collection), { body: { vectors } });
    expect(created.json()).toMatchObject({ result: true, status: 'ok' });
    const points = ids.map((id) => ({ id, vector: [0.1, 0.2, 0.3, 0.4] }));
    const upserted = await raw.send('PUT', `${pathOf(collection)}/points?wait=true`, { body: { points } });
    expect(upserted.status).toBe(200);
  }

  beforeAll(async () => {
    if (!isThere) return;
    subject = await open();
    raw = openRawQdrant(subject.url, subject.apiKey);
    client = openQdrant({ url: subject.url, ...(subject.apiKey === undefined ? {} : { apiKey: subject.apiKey }) });
    isClosed = false;
    await create(prefix, [1, 2, 3, 2, 1]);
    const action = { create_alias: { collection_name: prefix, alias_name: alias } };
    await raw.send('POST', '/collections/aliases', { body: { actions: [action] } });
  });

  afterAll(async () => {
    if (isClosed) return;
    for (const collection of made) {
      for (const { name } of await listSnapshots(raw, collection)) {
        await raw.send('DELETE', `${pathOf(collection)}/snapshots/${encodeURIComponent(name)}`);
      }
      await raw.send('DELETE', pathOf(collection));
    }
    await client.close();
    await raw[Symbol.asyncDispose]();
    await subject[Symbol.asyncDispose]();
  });

  const itThere = it.skipIf(!isThere);

  itThere('says who it is without an envelope and without a key', async () => {
    const answer = await raw.send('GET', '/', { withKey: false });
    expect(answer.json()).toMatchObject({ title: expect.stringMatching(/qdrant/i), version: expect.any(String) });
    expect(answer.json()).not.toHaveProperty('result');
    expect(await client.version(signal)).toMatch(/^\d+\.\d+\.\d+/);
  });

  itThere('refuses a missing and a wrong key in plain text, where it has one', async () => {
    if (subject.apiKey === undefined) return;
    const missing = await raw.send('GET', '/collections', { withKey: false });
    expect([missing.status, missing.headers['content-type']]).toEqual([401, expect.stringContaining('text/plain')]);
    const wrong = await raw.send('GET', '/collections', { withKey: false, headers: { 'api-key': 'wrong' } });
    expect([401, 403]).toContain(wrong.status);
    expect(wrong.headers['content-type']).toContain('text/plain');
    const bearer = { authorization: `Bearer ${subject.apiKey}` };
    expect((await raw.send('GET', '/collections', { withKey: false, headers: bearer })).status).toBe(200);
  });

  itThere('answers health checks to anybody, in text', async () => {
    const answer = await raw.send('GET', '/healthz', { withKey: false });
    expect([answer.status, answer.bytes.toString()]).toEqual([200, 'healthz check passed']);
  });

  itThere('wraps results in an envelope with a time in seconds', async () => {
    const answer = await raw.send('GET', '/collections');
    expect(answer.json()).toMatchObject({ status: 'ok', time: expect.any(Number), result: expect.anything() });
  });

  itThere('lists collections, but no aliases among them', async () => {
    const names = await client.collections(signal);
    expect(names).toContain(prefix);
    expect(names).not.toContain(alias);
    expect(await client.aliases(signal)).toContainEqual({ alias, collection: prefix });
  });

  itThere('counts a point once however often it was written', async () => {
    expect(await client.count(prefix, signal)).toBe(3);
  });

  itThere('describes a collection, under its alias too', async () => {
    for (const name of [prefix, alias]) {
      const answer = await raw.send('GET', pathOf(name));
      const result = { status: expect.any(String), config: { params: { shard_number: 1 } } };
      expect(answer.json()).toMatchObject({ result });
    }
    expect(await client.count(alias, signal)).toBe(3);
  });

  itThere('tells whether it is a cluster, and where the shards of a collection are', async () => {
    expect(['disabled', 'enabled']).toContain((await client.cluster(signal)).kind);
    const answer = await raw.send('GET', `${pathOf(prefix)}/cluster`);
    expect(answer.json()).toMatchObject({
      result: {
        peer_id: expect.any(Number),
        shard_count: 1,
        local_shards: [{ shard_id: 0, state: 'Active', points_count: expect.any(Number) }],
        remote_shards: [],
        shard_transfers: [],
      },
    });
  });

  itThere('says 404 in JSON for a collection that is not there', async () => {
    const answer = await raw.send('GET', pathOf(`${prefix}-absent`));
    expect(answer.status).toBe(404);
    expect(answer.json()).toEqual({
      status: { error: `Not found: Collection \`${prefix}-absent\` doesn't exist!` },
      time: expect.any(Number),
    });
    await expect(client.count(`${prefix}-absent`, signal)).rejects.toMatchObject({ code: 'http/not-found' });
  });

  itThere('says 404 in text for a download of a snapshot that is not there', async () => {
    const answer = await raw.send('GET', `${pathOf(prefix)}/snapshots/absent.snapshot`);
    expect([answer.status, answer.headers['content-type']]).toEqual([404, expect.stringContaining('text/plain')]);
  });

  itThere('says a bare 404 for an unknown route and for HEAD', async () => {
    const unknown = await raw.send('GET', '/no/such/route');
    expect([unknown.status, unknown.bytes.length]).toEqual([404, 0]);
    expect((await raw.send('HEAD', '/collections')).status).toBe(404);
  });

  itThere('says 400 for a body that is no JSON, and 422 for a forbidden name', async () => {
    expect((await raw.send('POST', `${pathOf(prefix)}/points/count`, { body: '{"exact":' })).status).toBe(400);
    const vectors = { size: 4, distance: 'Dot' };
    expect((await raw.send('PUT', pathOf(`${prefix}:colon`), { body: { vectors } })).status).toBe(422);
  });

  itThere('compresses an answer when asked, and only then', async () => {
    const packed = await raw.send('GET', '/collections', { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip' });
    expect(packed.headers).not.toHaveProperty('content-length');
    expect(JSON.parse(gunzipSync(packed.bytes).toString())).toMatchObject({ status: 'ok' });
    const plain = await raw.send('GET', '/collections', { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers).not.toHaveProperty('content-encoding');
  });

  itThere('makes, lists, hands out and deletes a snapshot', async () => {
    const answer = (await raw.send('POST', `${pathOf(prefix)}/snapshots`)).json() as { result: { name: string } };
    const { name } = answer.result;
    expect(name).toMatch(new RegExp(`^${prefix}-\\d+-\\d{4}(?:-\\d\\d){5}\\.snapshot$`));
    const listed = await listSnapshots(raw, prefix);
    const creationTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?$/);
    const checksum = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(listed).toEqual([expect.objectContaining({ name, checksum, creation_time: creationTime })]);
    await expectDownload(`${pathOf(prefix)}/snapshots/${name}`, listed[0]!);
    const deleted = await raw.send('DELETE', `${pathOf(prefix)}/snapshots/${name}`);
    expect(deleted.json()).toMatchObject({ result: true });
    expect((await raw.send('DELETE', `${pathOf(prefix)}/snapshots/${name}`)).status).toBe(404);
    expect(await listSnapshots(raw, prefix)).toEqual([]);
  });

  async function expectDownload(path: string, listed: ListedSnapshot): Promise<void> {
    const whole = await raw.send('GET', path);
    expect(whole.headers).toMatchObject({
      'content-length': String(listed.size),
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      etag: expect.any(String),
    });
    expect(createHash('sha256').update(whole.bytes).digest('hex')).toBe(listed.checksum);
    const part = await raw.send('GET', path, { headers: { range: 'bytes=257-263' } });
    expect([part.status, part.bytes.toString('latin1')]).toEqual([206, 'ustar  ']);
    expect(part.headers['content-range']).toBe(`bytes 257-263/${listed.size}`);
    const beyond = await raw.send('GET', path, { headers: { range: `bytes=${listed.size}-` } });
    expect(beyond.status).toBe(416);
    expect(whole.bytes.subarray(-1_024).every((byte) => byte === 0)).toBe(true);
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'it.snapshot'), whole.bytes);
    const { stdout } = await run('tar', ['-tf', 'it.snapshot'], { cwd: directory.path });
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['version.info', 'config.json', '0/replica_state.json']));
    expect(stdout).toMatch(/^0\/segments\/[0-9a-f-]{36}\.tar$/m);
  }

  itThere.each(odd)('takes the collection name %j', async (name) => {
    await create(name, [1, 2]);
    const evidence = await probeSource(client, { signal, nowMs: Date.now });
    expect(evidence.seen && evidence.value.collections).toContainEqual({ name, points: { seen: true, count: 2 } });
    const answer = await raw.send('POST', `${pathOf(name)}/snapshots`);
    expect(answer.json()).toMatchObject({ status: 'ok', result: { name: expect.stringContaining(name) } });
  });

  itThere('forgets a collection that was deleted', async () => {
    const name = `${prefix}-deleted`;
    await create(name, [1]);
    await raw.send('DELETE', pathOf(name));
    expect(await client.collections(signal)).not.toContain(name);
    await expect(client.count(name, signal)).rejects.toMatchObject({ code: 'http/not-found' });
  });
});
