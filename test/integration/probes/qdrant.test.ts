import { describe, expect, it } from 'vitest';
import { openQdrant } from '../../../src/clients/qdrant.ts';
import type { QdrantOptions } from '../../../src/clients/qdrant.ts';
import type { Evidence, SourceView } from '../../../src/core/model/evidence.ts';
import type { LabQdrant } from '../../../src/lab/qdrant.ts';
import type { QdrantFault } from '../../../src/lab/qdrant-faults.ts';
import { probeSource } from '../../../src/probes/qdrant.ts';
import { oddNames, openLabQdrant, serveAlways } from '../../support/qdrant.ts';

const { signal } = new AbortController();

async function look(url: string, options: Partial<QdrantOptions> = {}): Promise<Evidence<SourceView>> {
  await using client = openQdrant({ url, ...options });
  return await probeSource(client, { signal, nowMs: Date.now });
}

async function openLabWithTwo(options: Parameters<typeof openLabQdrant>[0] = {}): Promise<LabQdrant> {
  const lab = await openLabQdrant(options);
  lab.createCollection('arxiv', 120);
  lab.createCollection('claude_canon', 340_112);
  return lab;
}

async function lookUnder(fault: QdrantFault, options: Partial<QdrantOptions> = {}): Promise<Evidence<SourceView>> {
  await using lab = await openLabWithTwo();
  await lab.setFault(fault);
  return await look(lab.url, options);
}

describe('probing a Qdrant that is well', () => {
  it('sees version, exact counts, aliases and that the list is whole', async () => {
    await using lab = await openLabWithTwo();
    lab.setAlias('canon', 'claude_canon');
    const evidence = await look(lab.url);
    expect(evidence).toEqual({
      seen: true,
      address: `qdrant:${lab.url}`,
      observedAtMs: expect.any(Number),
      value: {
        version: '1.19.0',
        scope: 'whole',
        aliases: [{ alias: 'canon', collection: 'claude_canon' }],
        collections: [
          { name: 'arxiv', points: { seen: true, count: 120 } },
          { name: 'claude_canon', points: { seen: true, count: 340_112 } },
        ],
      },
    });
  });

  it('needs no more than a read-only key', async () => {
    await using lab = await openLabWithTwo({ apiKey: 'all', readOnlyApiKey: 'read' });
    expect(await look(lab.url, { apiKey: 'read' })).toMatchObject({ seen: true });
  });

  it.each(oddNames)('counts the collection named %j', async (name) => {
    await using lab = await openLabQdrant();
    lab.createCollection(name, 3);
    lab.createCollection('points', 99);
    const evidence = await look(lab.url);
    expect(evidence.seen && evidence.value.collections).toContainEqual({ name, points: { seen: true, count: 3 } });
  });

  it('sees the list of a Qdrant that was started again', async () => {
    await using lab = await openLabWithTwo();
    await using client = openQdrant({ url: lab.url });
    expect(await probeSource(client, { signal, nowMs: Date.now })).toMatchObject({ seen: true });
    await lab.setFault('down');
    expect(await probeSource(client, { signal, nowMs: Date.now })).toMatchObject({ seen: false });
    await lab.setFault(null);
    expect(await probeSource(client, { signal, nowMs: Date.now })).toMatchObject({ seen: true });
  });
});

describe('probing a Qdrant that is not well', () => {
  it('cannot see a Qdrant that is down', async () => {
    const evidence = await lookUnder('down');
    expect(evidence).toMatchObject({ seen: false, why: { code: 'net/unreachable' } });
    expect(!evidence.seen && evidence.why.message).toMatch(/^GET \/ on http:\/\/127\.0\.0\.1:\d+: cannot be reached/);
  });

  it('cannot see a Qdrant that answers after the deadline', async () => {
    const evidence = await lookUnder('slow', { deadlinesMs: { http: 100 } });
    expect(evidence).toMatchObject({ seen: false, why: { code: 'net/timeout' } });
    expect(!evidence.seen && evidence.why.message).toContain('no answer within 100ms');
  });

  it('waits for a Qdrant that is slow within the deadline', async () => {
    await using lab = await openLabWithTwo({ slowMs: 50 });
    await lab.setFault('slow');
    expect(await look(lab.url)).toMatchObject({ seen: true, value: { collections: [{}, {}] } });
  });

  it('cannot see a Qdrant that takes the connection and stays silent', async () => {
    const evidence = await lookUnder('hang', { deadlinesMs: { http: 100 } });
    expect(evidence).toMatchObject({ seen: false, why: { code: 'net/timeout' } });
  });

  it('cannot see a Qdrant that refuses the key with 401, and does not tell the key', async () => {
    const evidence = await lookUnder('401', { apiKey: 'sesame-4711' });
    expect(evidence).toMatchObject({
      seen: false,
      why: { code: 'http/unauthorized', hint: 'Check the api_key of this source' },
    });
    expect(!evidence.seen && evidence.why.message).toContain('GET /collections on');
    expect(!evidence.seen && evidence.why.message).toContain('401, Invalid API key or JWT');
    expect(JSON.stringify(evidence)).not.toContain('sesame');
  });

  it('asks for a key when a Qdrant wants one and none is configured', async () => {
    await using lab = await openLabWithTwo({ apiKey: 'all' });
    const evidence = await look(lab.url);
    expect(evidence).toMatchObject({ seen: false, why: { code: 'http/unauthorized' } });
    expect(!evidence.seen && evidence.why.hint).toContain('read-only');
  });

  it('cannot see a Qdrant that refuses the key with 403', async () => {
    const evidence = await lookUnder('403', { apiKey: 'expired' });
    expect(evidence).toMatchObject({ seen: false, why: { code: 'http/forbidden' } });
  });

  it('cannot see a Qdrant that fails by itself, and quotes its own sentence', async () => {
    const evidence = await lookUnder('500');
    expect(evidence).toMatchObject({ seen: false, why: { code: 'http/server-error' } });
    expect(!evidence.seen && evidence.why.message).toContain('500, Service internal error: the lab was told to fail');
  });

  it('cannot see a Qdrant behind a proxy that answers 502 in HTML', async () => {
    const evidence = await lookUnder('html');
    expect(evidence).toMatchObject({ seen: false, why: { code: 'http/server-error' } });
    expect(!evidence.seen && evidence.why.message).toContain('502, <html> <head><title>502 Bad Gateway</title>');
  });

  it('does not understand HTML that a proxy calls 200', async () => {
    await using proxy = await serveAlways(200, '<!doctype html><title>Sign in</title>', {
      'content-type': 'text/html',
    });
    const evidence = await look(proxy.url);
    expect(evidence).toMatchObject({ seen: false, why: { code: 'http/not-understood' } });
    expect(!evidence.seen && evidence.why.message).toContain('HTML instead of JSON: <!doctype html>');
  });

  it('does not understand half a JSON body whose connection ended', async () => {
    const evidence = await lookUnder('half-json');
    expect(evidence).toMatchObject({ seen: false, why: { code: 'http/not-understood' } });
    expect(!evidence.seen && evidence.why.message).toMatch(/broke off after \d+ bytes/);
  });

  it('does not understand half a JSON body that claims to be all', async () => {
    await using server = await serveAlways(200, '{"title":"qdrant - vector sea');
    const evidence = await look(server.url);
    expect(evidence).toMatchObject({ seen: false, why: { code: 'http/not-understood' } });
    expect(!evidence.seen && evidence.why.message).toContain('not the JSON of one whole answer');
  });

  it('sees an empty list as empty, and leaves the judgement to others', async () => {
    expect(await lookUnder('empty-list')).toMatchObject({ seen: true, value: { collections: [], scope: 'whole' } });
  });

  it('sees the list that it gets when one collection is filtered out', async () => {
    expect(await lookUnder('shrunken-list')).toMatchObject({ seen: true, value: { collections: [{ name: 'arxiv' }] } });
  });

  it('sees both collections when one of them cannot be counted', async () => {
    expect(await lookUnder('count-fails')).toMatchObject({
      seen: true,
      value: {
        collections: [
          { name: 'arxiv', points: { seen: false, why: { code: 'http/server-error' } } },
          { name: 'claude_canon', points: { seen: true } },
        ],
      },
    });
  });

  it('knows one peer of three from a whole Qdrant', async () => {
    expect(await lookUnder('cluster')).toMatchObject({ seen: true, value: { scope: 'cluster' } });
  });

  it('suspects a filtered list when /cluster is forbidden', async () => {
    expect(await lookUnder('cluster-forbidden')).toMatchObject({ seen: true, value: { scope: 'filtered' } });
  });

  it('tells another JSON service from a Qdrant', async () => {
    const evidence = await lookUnder('not-qdrant');
    expect(evidence).toMatchObject({ seen: false, why: { code: 'http/not-understood' } });
    expect(!evidence.seen && evidence.why.message).toContain('is not a Qdrant');
  });
});
