import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openQdrant } from '../../../src/clients/qdrant.ts';
import type { QdrantClient, QdrantOptions } from '../../../src/clients/qdrant.ts';
import { WatchdogError } from '../../../src/support/errors.ts';
import { limits } from '../../../src/support/limits.ts';
import { oddNames, openLabQdrant, serveAlways, serveAnswers } from '../../support/qdrant.ts';

const { signal } = new AbortController();

/** Asks once with a client of its own, and hands back what it threw. */
async function failureOf(
  options: QdrantOptions,
  ask: (client: QdrantClient) => Promise<unknown> = (client) => client.collections(signal),
): Promise<WatchdogError> {
  await using client = openQdrant(options);
  const thrown: unknown = await ask(client).then(
    (value) => new Error(`Answered ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (thrown instanceof WatchdogError) return thrown;
  throw thrown;
}

describe('openQdrant', () => {
  it.each([
    ['text that is no URL', 'phx-ai01:6333:'],
    ['another protocol', 'ftp://phx-ai01'],
    ['a path', 'https://proxy.lan/qdrant/'],
    ['a query', 'http://phx-ai01:6333/?a=b'],
    ['user and password', 'http://admin:hunter2@phx-ai01:6333'],
    ['text that is no URL and holds a password', 'http://admin:hunter2@phx ai01'],
  ])('refuses a url with %s, and does not repeat a password', (_, url) => {
    expect(() => openQdrant({ url })).toThrow(expect.objectContaining({ code: 'config/invalid', permanent: true }));
    expect(() => openQdrant({ url })).toThrow(/^(?!.*hunter2)/);
  });

  it.each(['', 'two\nlines', 'schlüssel'])(
    'refuses the key %j that no header can carry, and does not tell it',
    (apiKey) => {
      expect(() => openQdrant({ url: 'http://phx-ai01:6333', apiKey })).toThrow(
        expect.objectContaining({
          code: 'config/invalid',
          message: 'the api_key for http://phx-ai01:6333 is empty or has characters that no HTTP header may carry',
        }),
      );
    },
  );

  it('refuses a ca that is no certificate', () => {
    expect(() => openQdrant({ url: 'https://phx-ai01:6333', ca: 'lab-ca.pem' })).toThrow(
      expect.objectContaining({ code: 'config/invalid' }),
    );
  });

  it.each([
    ['http://PHX-ai01:6333/', 'qdrant:http://phx-ai01:6333'],
    ['https://phx-ai01:443', 'qdrant:https://phx-ai01'],
  ])('keys the evidence of %s by %s', async (url, address) => {
    await using client = openQdrant({ url });
    expect(client.address).toBe(address);
  });
});

describe('the requests of the client', () => {
  it.each(oddNames)('carry the collection name %j in one segment of the path', async (name) => {
    await using server = await serveAlways(200, '{"result":{"count":1},"status":"ok"}');
    await using client = openQdrant({ url: server.url });
    await client.count(name, signal);
    const [, root, segment, ...rest] = (server.asked[0] ?? '').split('/');
    expect([root, decodeURIComponent(segment ?? ''), ...rest]).toEqual(['collections', name, 'points', 'count']);
  });

  it('ask for an uncompressed answer, with the key in its own header, and for an exact count', async () => {
    let seen: unknown;
    await using server = await serveAnswers((request, response) => {
      request.setEncoding('utf8').once('data', (body: string) => {
        const { 'accept-encoding': encoding, 'api-key': key, authorization } = request.headers;
        seen = { method: request.method, encoding, key, authorization, body: JSON.parse(body) as unknown };
        response.end('{"result":{"count":5},"status":"ok"}');
      });
    });
    await using client = openQdrant({ url: server.url, apiKey: 'sesame' });
    expect(await client.count('arxiv', signal)).toBe(5);
    expect(seen).toEqual({
      method: 'POST',
      encoding: 'identity',
      key: 'sesame',
      authorization: undefined,
      body: { exact: true },
    });
  });

  it('do not follow a redirect, whose query stays untold', async () => {
    await using server = await serveAlways(302, '', { location: 'https://sso.lan/login?token=hunter2' });
    const error = await failureOf({ url: server.url, apiKey: 'sesame' });
    expect(error).toMatchObject({ code: 'http/not-understood', permanent: false });
    expect(error.message).toMatch(/GET \/collections on .*: 302, redirects to https:\/\/sso\.lan\/login$/);
    expect(server.asked).toHaveLength(1);
  });
});

describe('the failures of the client', () => {
  it.each([
    [400, '{"status":{"error":"Format error"},"time":0.1}', 'http/rejected', '400, Format error'],
    [401, 'Must provide an API key', 'http/unauthorized', '401, Must provide an API key'],
    [403, '{"status":{"error":"Forbidden: no"},"time":0}', 'http/forbidden', '403, Forbidden: no'],
    [404, '', 'http/not-found', '404, an empty body'],
    [404, 'Not found: x', 'http/not-found', '404, Not found: x'],
    [408, '{"status":{"error":"Timeout"}}', 'net/timeout', '408, Timeout'],
    [413, '', 'http/too-large', '413'],
    [422, '{"status":{"error":"Validation"}}', 'http/rejected', '422, Validation'],
    [500, '{"status":"broken"}', 'http/server-error', '500, {"status":"broken"}'],
    [503, '', 'http/server-error', '503'],
    [504, '<html>\r\n<h1>504</h1>', 'http/server-error', '504, <html> <h1>504</h1>'],
    [507, '{"status":{"error":"quota"}}', 'http/server-error', '507, quota'],
    [202, '{"status":"accepted"}', 'http/not-understood', '202, {"status":"accepted"}'],
  ])('say of %i with the body %j that it is %s', async (status, body, code, told) => {
    await using server = await serveAlways(status, body);
    const error = await failureOf({ url: server.url });
    expect(error.code).toBe(code);
    expect(error.message).toContain(`GET /collections on ${server.url}: ${told}`);
  });

  it('tell when to come back after a 429', async () => {
    await using server = await serveAlways(429, 'Too many', { 'retry-after': '17' });
    const error = await failureOf({ url: server.url });
    expect(error).toMatchObject({ code: 'http/rate-limited' });
    expect(error.message).toContain('429, Too many, retry after 17');
  });

  it.each([
    ['another shape', '{"result":{"collections":[{"title":"a"}]},"status":"ok"}', 'result.collections.0.name'],
    ['an empty name', '{"result":{"collections":[{"name":""}]},"status":"ok"}', 'result.collections.0.name'],
    ['half a character', '{"result":{"collections":[{"name":"\\ud800"}]},"status":"ok"}', 'half a character'],
    ['no result', '{"status":"ok","time":0.1}', 'result'],
    ['an error with status 200', '{"result":{"collections":[]},"status":{"error":"x"},"time":0.1}', 'status'],
    ['an array', '[]', 'the answer'],
    ['nothing', '', 'an empty body'],
  ])('do not understand %s', async (_, body, told) => {
    await using server = await serveAlways(200, body);
    const error = await failureOf({ url: server.url });
    expect(error.code).toBe('http/not-understood');
    expect(error.message).toContain(told);
  });

  it.each(['-1', '1.5', '"7"', 'null'])('do not take %s for a count', async (count) => {
    await using server = await serveAlways(200, `{"result":{"count":${count}},"status":"ok"}`);
    const error = await failureOf({ url: server.url }, (client) => client.count('arxiv', signal));
    expect(error.code).toBe('http/not-understood');
  });

  it('never repeat the key, even where the server does', async () => {
    await using server = await serveAlways(
      401,
      `${' '.repeat(50)}Unknown key sesame-4711 \u001b[31m${'x'.repeat(500)}`,
    );
    const error = await failureOf({ url: server.url, apiKey: 'sesame-4711' });
    expect(error.message).toContain('Unknown key *** [31mxxx');
    expect(JSON.stringify([error.message, error.hint])).not.toMatch(/sesame|\\u001b/);
    expect(error.message.length).toBeLessThan(250);
  });

  it.each([
    ['that says its length', { 'content-length': String(17 * 2 ** 20) }],
    ['that does not say its length', {}],
  ])('stop reading a body of 17 MiB %s', async (_, headers) => {
    let bytesSent = 0;
    await using server = await serveAnswers((_request, response) => {
      response.writeHead(200, headers);
      const piece = Buffer.alloc(2 ** 20, 'x');
      const push = (): void => {
        if (bytesSent >= 17 * 2 ** 20) return void response.end();
        bytesSent += piece.length;
        response.write(piece, push);
      };
      push();
    });
    const error = await failureOf({ url: server.url });
    expect(error.code).toBe('output/too-large');
    expect(error.message).toContain('larger than 16.0 MiB');
  });

  it('read a body just below the limit', async () => {
    const frame = '{"result":{"collections":[]},"status":"ok","more":""}';
    const body = frame.replace('""', `"${'x'.repeat(limits.httpBodyBytes - frame.length)}"`);
    await using server = await serveAlways(200, body);
    await using client = openQdrant({ url: server.url });
    expect(await client.collections(signal)).toEqual([]);
  });

  it('say when the host name does not resolve', async () => {
    const error = await failureOf({ url: 'http://nowhere.invalid:6333' });
    expect(error.code).toBe('net/unreachable');
    expect(error.message).toMatch(/the host name does not resolve \((?:ENOTFOUND|EAI_AGAIN)\)/);
  });

  it('say when the other side hangs up without a word', async () => {
    await using server = await serveAnswers((_, response) => response.destroy());
    expect(await failureOf({ url: server.url })).toMatchObject({ code: 'net/unreachable' });
  });

  it('say when the other side speaks no HTTP', async () => {
    const server = createServer((socket) => socket.resume().end('SSH-2.0-OpenSSH_9.2\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const error = await failureOf({ url: `http://127.0.0.1:${port}` });
    server.close();
    await once(server, 'close');
    expect(error).toMatchObject({ code: 'http/not-understood' });
  });

  it('say how much came when a body stalls past the deadline', async () => {
    await using server = await serveAnswers((_, response) => void response.writeHead(200).write('{"result":'));
    const error = await failureOf({ url: server.url, deadlinesMs: { http: 100 } });
    expect(error.code).toBe('net/timeout');
    expect(error.message).toContain('only 10 bytes of the answer within 100ms');
  });

  it('give a count its own deadline', async () => {
    await using lab = await openLabQdrant({ slowMs: 300 });
    lab.createCollection('arxiv', 1);
    await lab.setFault('slow');
    await using client = openQdrant({ url: lab.url, deadlinesMs: { http: 20, count: 10_000 } });
    await expect(client.collections(signal)).rejects.toMatchObject({ code: 'net/timeout' });
    expect(await client.count('arxiv', signal)).toBe(1);
  });

  it('are ours when we stop, before or while asking', async () => {
    await using lab = await openLabQdrant();
    await lab.setFault('hang');
    await using client = openQdrant({ url: lab.url, deadlinesMs: { http: 3_600_000 } });
    await expect(client.collections(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    const stop = new AbortController();
    const asking = client.collections(stop.signal);
    stop.abort();
    await expect(asking).rejects.toMatchObject({ code: 'aborted' });
  });

  it('are ours when the client is closed under a question', async () => {
    await using lab = await openLabQdrant();
    await lab.setFault('hang');
    const client = openQdrant({ url: lab.url });
    const asking = expect(client.collections(signal)).rejects.toMatchObject({ code: 'aborted' });
    await client.close();
    await asking;
    await expect(client.collections(signal)).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('the answers of the client', () => {
  it('list a collection once that the server lists twice', async () => {
    await using server = await serveAlways(200, '{"result":{"collections":[{"name":"a"},{"name":"a"}]},"status":"ok"}');
    await using client = openQdrant({ url: server.url });
    expect(await client.collections(signal)).toEqual(['a']);
  });
});

it('tells what Qdrant calls a collection, whatever its name', async () => {
  await using server = await serveAlways(200, '{"result":{"status":"red","later":1},"status":"ok","time":0.1}');
  await using client = openQdrant({ url: server.url });
  expect(await client.status('..', signal)).toBe('red');
});
