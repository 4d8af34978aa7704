import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openNtfy } from '../../../src/clients/ntfy.ts';
import type { NtfyClient, NtfyOptions } from '../../../src/clients/ntfy.ts';
import { labNtfyUsers } from '../../../src/lab/ntfy.ts';
import type { LabNtfyFault } from '../../../src/lab/ntfy.ts';
import { WatchdogError } from '../../../src/support/errors.ts';
import { startNtfy } from '../../support/ntfy.ts';

const { writer, reader } = labNtfyUsers;

function open(options: NtfyOptions): NtfyClient {
  const client = openNtfy(options);
  onTestFinished(() => client.close());
  return client;
}

/** A server that answers everything the same way. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function failureOf(promise: Promise<unknown>): Promise<WatchdogError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WatchdogError);
  return error as WatchdogError;
}

const publication = { topic: 'backups', title: 'T', body: 'B' };

test.for<[LabNtfyFault, string, boolean]>([
  ['401', 'http/unauthorized', true],
  ['403', 'http/forbidden', true],
  ['429', 'http/rate-limited', false],
  ['500', 'http/server-error', false],
  ['html', 'http/not-understood', false],
  ['captive', 'http/not-understood', false],
  ['half', 'http/not-understood', false],
  ['down', 'net/unreachable', false],
  ['hang', 'net/timeout', false],
])('a server that is sabotaged by %s throws %s (permanent: %s)', async ([fault, code, permanent]) => {
  const server = await startNtfy();
  server.setFault(fault);
  const client = open({ url: server.url, token: writer.token, deadlineMs: 300 });
  const error = await failureOf(client.publish(publication));
  expect(error).toMatchObject({ code, permanent });
  expect(error.hint).toBeTruthy();
  expect(error.message).toContain(`POST /backups on ${server.url}: `);
  expect(`${error.message}${error.hint}`).not.toContain(writer.token);
});

test.for([
  ['a url with a path', { url: 'https://ntfy.lan/sub' }],
  ['a ca that is no certificate', { url: 'https://ntfy.lan', ca: 'lab-ca.pem' }],
  ['a token that no header can carry', { url: 'https://ntfy.lan', token: 'tk_two\nlines' }],
] as const)('%s can never work, and is not repeated', ([, options]) => {
  expect(() => openNtfy(options)).toThrow(
    expect.objectContaining({
      code: 'config/invalid',
      permanent: true,
      message: expect.not.stringContaining('tk_two'),
    }),
  );
});

test('a port where nobody listens is unreachable', async () => {
  const client = open({ url: 'http://127.0.0.1:1', token: writer.token });
  const error = await failureOf(client.publish(publication));
  expect(error).toMatchObject({ code: 'net/unreachable', permanent: false });
  expect(error.message).toContain('ECONNREFUSED');
});

test('a port that accepts and stays silent ends at the deadline', async () => {
  const silent = createTcpServer((socket) => onTestFinished(() => void socket.destroy()));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const error = await failureOf(open({ url: `http://127.0.0.1:${port}`, deadlineMs: 100 }).health());
  expect(error).toMatchObject({ code: 'net/timeout', permanent: false });
});

test('an answer that begins and never ends stops at the deadline', async () => {
  const url = await serve((_request, response) => void response.writeHead(200).write('{"id":'));
  const error = await failureOf(open({ url, deadlineMs: 200 }).publish(publication));
  expect(error.code).toBe('net/timeout');
});

test('an answer that is endless stops at the limit', async () => {
  const block = Buffer.alloc(2 ** 20, 'a');
  const url = await serve((_request, response) => {
    response.on('error', () => undefined);
    const more = (): void => {
      while (!response.destroyed && response.write(block));
    };
    response.on('drain', more);
    more();
  });
  const error = await failureOf(open({ url }).publish(publication));
  expect(error.code).toBe('output/too-large');
});

test('being stopped by ourselves is told apart from the deadline', async () => {
  const server = await startNtfy();
  server.setFault('hang');
  const stop = new AbortController();
  const sending = failureOf(open({ url: server.url }).publish(publication, stop.signal));
  stop.abort();
  expect(await sending).toMatchObject({ code: 'aborted', permanent: false });
});

test('a redirect is not followed', async () => {
  const server = await startNtfy();
  const url = await serve((_request, response) => {
    response.writeHead(307, { location: `${server.url}/backups` }).end();
  });
  const error = await failureOf(open({ url, token: writer.token }).publish(publication));
  expect(error).toMatchObject({ code: 'http/not-understood', permanent: false });
  expect(error.hint).toContain('Redirects');
  expect(server.requests()).toEqual([]);
});

test.for([
  ['{}', 'an object that is no message'],
  ['{"id":"abc","event":"message","topic":"other","time":1,"message":"B"}', 'a message on another topic'],
  ['{"id":"abc","event":"open","topic":"backups","time":1}', 'another event'],
  ['[]', 'a list'],
  ['', 'an empty body'],
])('200 with %s (%s) is no acceptance', async ([body]) => {
  const url = await serve((_request, response) => void response.end(body));
  expect((await failureOf(open({ url }).publish(publication))).code).toBe('http/not-understood');
});

test.for([
  [42908, 'midnight'],
  [42909, 'logins'],
] as const)('429 with code %s is passing, and the hint says what it is', async ([code, word]) => {
  const url = await serve((_request, response) => {
    response.writeHead(429).end(JSON.stringify({ code, http: 429, error: 'limit reached' }));
  });
  const error = await failureOf(open({ url }).publish(publication));
  expect(error).toMatchObject({ code: 'http/rate-limited', permanent: false });
  expect(error.hint).toContain(word);
});

test.for([
  [404, 40401, 'http/not-found', true],
  [413, 41301, 'http/too-large', true],
  [400, 40007, 'http/rejected', true],
  [507, 50701, 'http/server-error', false],
] as const)('%s with code %s is %s', async ([status, code, expected, permanent]) => {
  const url = await serve((_request, response) => {
    response.writeHead(status).end(JSON.stringify({ code, http: status, error: 'no' }));
  });
  expect(await failureOf(open({ url }).publish(publication))).toMatchObject({ code: expected, permanent });
});

test("a 403 page that is not ntfy's is not permanent", async () => {
  const url = await serve((_request, response) => void response.writeHead(403).end('<h1>Blocked</h1>'));
  const error = await failureOf(open({ url }).publish(publication));
  expect(error).toMatchObject({ code: 'http/not-understood', permanent: false });
});

test('a certificate of an unknown authority is a TLS error', async () => {
  const url = await serve((_request, response) => void response.end());
  const error = await failureOf(open({ url: url.replace('http:', 'https:') }).health());
  expect(error.code).toBe('net/tls');
});

test('emoji, letters of any script, line breaks and separators arrive as they were', async () => {
  const server = await startNtfy();
  const title = '🚨 коллекция 向量 & =?x #50% + "q"';
  const body = 'erste Zeile\nzweite „Zeile“ 👩‍🚒\n{"json": true}';
  const tags = ['rotating_light', 'freshness'];
  const sent = await open({ url: server.url, token: writer.token }).publish({
    topic: 'backups',
    title,
    body,
    priority: 5,
    tags,
    sequenceId: 'group-1',
  });
  expect(server.messages('backups')).toMatchObject([
    { id: sent.id, event: 'message', title, message: body, priority: 5, tags, sequence_id: 'group-1' },
  ]);
  const poll = await open({ url: server.url, token: reader.token }).poll('backups', sent.atMs);
  expect(poll).toEqual({ messages: [sent], isTruncated: false });
});

test('a poll leaves out what came before, and events it does not know', async () => {
  const lines = [
    { id: 'a', event: 'message', topic: 'backups', time: 100, message: 'B' },
    { id: 'b', event: 'message_from_the_future', topic: 'backups', time: 101 },
    { id: 'c', event: 'message_clear', topic: 'backups', time: 102, sequence_id: 's-1' },
  ];
  let asked = '';
  const url = await serve((request, response) => {
    asked = request.url ?? '';
    response.writeHead(200, { 'x-messages-truncated': '1' });
    response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });
  const poll = await open({ url }).poll('backups', 99_999);
  expect(asked).toBe('/backups/json?poll=1&since=99');
  expect(poll.isTruncated).toBe(true);
  expect(poll.messages.map(({ id, event }) => [id, event])).toEqual([
    ['a', 'message'],
    ['c', 'message_clear'],
  ]);
});

test('a poll whose last line is cut off is not taken for whole', async () => {
  const url = await serve((_request, response) => void response.end('{"id":"a","event":"mess'));
  expect((await failureOf(open({ url }).poll('backups', 0))).code).toBe('http/not-understood');
});

test('a sequence can be cleared; an older server says that it cannot', async () => {
  const server = await startNtfy();
  const old = await startNtfy({ version: '2.13' });
  const cleared = await open({ url: server.url, token: writer.token }).clear('backups', 'group-1');
  expect(cleared).toMatchObject({ event: 'message_clear', topic: 'backups' });
  expect(server.messages('backups')).toMatchObject([{ event: 'message_clear', sequence_id: 'group-1' }]);
  const error = await failureOf(open({ url: old.url, token: writer.token }).clear('backups', 'group-1'));
  expect(error).toMatchObject({ code: 'http/not-found', permanent: true });
  expect(error.hint).toContain('2.16');
});

test('a token that the server knows is told from one that it does not know', async () => {
  const server = await startNtfy();
  const check = (token: string) => open({ url: server.url, token }).checkToken();
  await expect(check(writer.token)).resolves.toBeUndefined();
  expect(await failureOf(check('tk_wrong'))).toMatchObject({ code: 'http/unauthorized', permanent: true });
});

test('health is asked without a token, so that a bad one does not make the server look ill', async () => {
  const server = await startNtfy();
  await expect(open({ url: server.url, token: 'tk_wrong' }).health()).resolves.toBeUndefined();
  server.setFault('captive');
  expect((await failureOf(open({ url: server.url }).health())).code).toBe('http/not-understood');
});

test('no connection is left open for long after a call', async () => {
  const connections = new Set<unknown>();
  const server = createServer((_request, response) => void response.end('{"healthy":true}'));
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const client = open({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  await client.health();
  await expect.poll(() => connections.size, { timeout: 4_000 }).toBe(0);
});
