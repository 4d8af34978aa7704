import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { ntfyReceiver, ntfyShape, openNtfyReceiver } from '../../../src/delivery/ntfy.ts';
import type { NtfyReceiver, NtfyReceiverOptions } from '../../../src/delivery/ntfy.ts';
import { labNtfyUsers } from '../../../src/lab/ntfy.ts';
import type { LabNtfy, LabNtfyFault } from '../../../src/lab/ntfy.ts';
import { WatchdogError } from '../../../src/support/errors.ts';
import { limits } from '../../../src/support/limits.ts';
import { messageOf, startNtfy, temporaryDirectory } from '../../support/ntfy.ts';

const { writer, reader } = labNtfyUsers;
const signal = new AbortController().signal;

function open(server: Pick<LabNtfy, 'url'>, options: Partial<NtfyReceiverOptions> = {}): NtfyReceiver {
  const receiver = openNtfyReceiver({
    name: 'phone',
    url: server.url,
    topic: 'backups',
    token: writer.token,
    deadlineMs: 2_000,
    ...options,
  });
  onTestFinished(() => receiver.close());
  return receiver;
}

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
])('a message that meets %s is not accepted: %s', async ([fault, code, permanent]) => {
  const server = await startNtfy();
  server.setFault(fault);
  const sending = open(server, { deadlineMs: 300 }).send(messageOf(), signal);
  await expect(sending).rejects.toMatchObject({ code, permanent });
  await expect(sending).rejects.toBeInstanceOf(WatchdogError);
});

test('G3: a retry after a lost answer carries the same sequence id, so that the phone shows one', async () => {
  const server = await startNtfy();
  const receiver = open(server);
  const message = messageOf();
  server.setFault('half');
  await expect(receiver.send(message, signal)).rejects.toMatchObject({ code: 'http/not-understood', permanent: false });
  server.setFault(null);
  await receiver.send(message, signal);
  expect(server.messages('backups').map(({ sequence_id }) => sequence_id)).toEqual([
    message.sequenceId,
    message.sequenceId,
  ]);
});

test('the accepted id is the one under which the server keeps the message', async () => {
  const server = await startNtfy();
  const { acceptedId } = await open(server).send(messageOf(), signal);
  expect(server.messages('backups')).toEqual([
    expect.objectContaining({
      id: acceptedId,
      title: 'CRIT claude_canon: no backup anywhere',
      message: 'Live on phx-ai01, 340,112 points. phx-ai02: never. nas: never.',
      priority: 5,
      tags: ['rotating_light', '00aa11bb22cc33dd'],
      sequence_id: '00aa11bb22cc33dd-1',
    }),
  ]);
});

test.for([
  ['alert', 'critical', 5, 'rotating_light'],
  ['alert', 'warning', 4, 'warning'],
  ['alert', 'info', 3, 'information_source'],
  ['recovered', 'critical', 3, 'white_check_mark'],
  ['recovered', 'warning', 2, 'white_check_mark'],
  ['recovered', 'info', 2, 'white_check_mark'],
  ['withdrawn', 'critical', 3, 'information_source'],
  ['withdrawn', 'warning', 3, 'information_source'],
] as const)('%s of severity %s goes out with priority %s and %s', async ([kind, severity, priority, tag]) => {
  const server = await startNtfy();
  await open(server).send(messageOf({ kind, severity }), signal);
  expect(server.messages('backups')[0]).toMatchObject({ priority, tags: [tag, '00aa11bb22cc33dd'] });
});

test('a priority of the message wins over its severity', async () => {
  const server = await startNtfy();
  await open(server).send(messageOf({ severity: 'warning', priority: 1 }), signal);
  expect(server.messages('backups')[0]).toMatchObject({ priority: 1 });
});

test('emoji and any script arrive in title and body', async () => {
  const server = await startNtfy();
  const texts = { title: '🚨 向量库: нет копии', body: 'до 03:20 🕒\nследующая строка' };
  await open(server).send(messageOf(texts), signal);
  expect(server.messages('backups')[0]).toMatchObject({ title: texts.title, message: texts.body });
});

test.for([
  ['plain letters', 'x'],
  ['emoji of four bytes', '🚨'],
  ['letters of two bytes', 'я'],
  ['quotes, which JSON would double', '"'],
])('an oversize body of %s is cut between characters and stays a message', async ([, character]) => {
  const server = await startNtfy();
  const body = character!.repeat(20_000);
  await open(server).send(messageOf({ title: character!.repeat(2_000), body }), signal);
  const [message] = server.messages('backups');
  expect(message?.attachment).toBeUndefined();
  for (const [text, maxBytes] of [
    [message?.message ?? '', limits.messageBytes],
    [message?.title ?? '', limits.titleBytes],
  ] as const) {
    const sizeBytes = Buffer.byteLength(text);
    expect(sizeBytes).toBeLessThanOrEqual(maxBytes);
    expect(sizeBytes).toBeGreaterThan(maxBytes - 4);
    expect(text).toMatch(new RegExp(`^(?:${character})+…$`, 'u'));
  }
});

test('a text of exactly the limit is left as it is', async () => {
  const server = await startNtfy();
  const body = 'y'.repeat(limits.messageBytes);
  await open(server).send(messageOf({ body }), signal);
  expect(server.messages('backups')[0]?.message).toBe(body);
});

test('the message it replaces is cleared, after it was accepted', async () => {
  const server = await startNtfy();
  await open(server).send(messageOf({ sequenceId: '00aa11bb22cc33dd-2', clears: '00aa11bb22cc33dd-1' }), signal);
  expect(server.messages('backups').map(({ event, sequence_id }) => [event, sequence_id])).toEqual([
    ['message', '00aa11bb22cc33dd-2'],
    ['message_clear', '00aa11bb22cc33dd-1'],
  ]);
});

test('a message that is not accepted clears nothing', async () => {
  const server = await startNtfy();
  const receiver = open(server);
  server.setFault('500');
  await expect(receiver.send(messageOf({ clears: 'older' }), signal)).rejects.toThrow();
  expect(server.requests()).toHaveLength(1);
});

test('a server that cannot clear has accepted all the same', async () => {
  const server = await startNtfy({ version: '2.13' });
  const { acceptedId } = await open(server).send(messageOf({ clears: '00aa11bb22cc33dd-0' }), signal);
  expect(server.messages('backups').map(({ id }) => id)).toEqual([acceptedId]);
  expect(server.requests().at(-1)).toBe('PUT /backups/00aa11bb22cc33dd-0/clear');
});

test('with a read token, a message that was accepted and lost is not accepted', async () => {
  const server = await startNtfy();
  server.setFault('drop-after-200');
  const sending = open(server, { readToken: reader.token }).send(messageOf(), signal);
  await expect(sending).rejects.toMatchObject({ code: 'delivery/lost', permanent: false });
  expect(server.requests().filter((request) => request.startsWith('GET'))).toHaveLength(limits.readBackTries);
});

test('with a read token, a message is read back once when it is there', async () => {
  const server = await startNtfy();
  await open(server, { readToken: reader.token }).send(messageOf(), signal);
  expect(server.requests().map((request) => request.replace(/[?].*/, ''))).toEqual([
    'POST /backups',
    'GET /backups/json',
  ]);
});

test('a read token that opens nothing does not undo an acceptance', async () => {
  const server = await startNtfy();
  const { acceptedId } = await open(server, { readToken: 'tk_wrong' }).send(messageOf(), signal);
  expect(server.messages('backups')[0]?.id).toBe(acceptedId);
});

test('a slow server is waited for', async () => {
  const server = await startNtfy();
  server.setFault('slow');
  await expect(open(server).send(messageOf(), signal)).resolves.toHaveProperty('acceptedId');
});

test('a look asks for server, token and read token, and publishes nothing', async () => {
  const server = await startNtfy();
  const receiver = open(server, { readToken: reader.token, clock: { nowMs: () => 4_711, monotonicMs: () => 0 } });
  expect(await receiver.look(signal)).toEqual({
    seen: true,
    address: `${server.url}/backups`,
    observedAtMs: 4_711,
    value: {},
  });
  expect(server.requests()).toEqual(['GET /v1/health', 'GET /v1/account', 'GET /backups/auth']);
  expect(server.messages('backups')).toEqual([]);
});

test('a look with a bad token says what to do', async () => {
  const server = await startNtfy();
  expect(await open(server, { token: 'tk_wrong' }).look(signal)).toMatchObject({
    seen: false,
    why: { code: 'http/unauthorized', hint: expect.stringContaining('token') },
  });
});

test('a message that is accepted counts as accepted, though the server is silent when asked for it', async () => {
  const server = await startNtfy();
  const silent = createServer((incoming, response) => {
    if (incoming.method === 'GET') return;
    void pipeTo(server.url, incoming, response);
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => {
    silent.close();
    silent.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const receiver = open({ url }, { readToken: reader.token, afterMs: 200, deadlineMs: 5_000 });
  const { acceptedId } = await receiver.send(messageOf(), signal);
  expect(server.messages('backups').map(({ id }) => id)).toEqual([acceptedId]);
});

test('a read token that opens nothing is trouble, since messages cannot be read back', async () => {
  const server = await startNtfy();
  expect(await open(server, { readToken: writer.token }).look(signal)).toMatchObject({
    seen: false,
    why: { code: 'http/forbidden', message: expect.stringContaining('/backups/auth') },
  });
});

test('without a token only the server is looked at', async () => {
  const server = await startNtfy();
  expect(await open(server, { token: undefined }).look(signal)).toMatchObject({ seen: true });
  expect(server.requests()).toEqual(['GET /v1/health']);
});

test.for<[LabNtfyFault, string]>([
  ['down', 'net/unreachable'],
  ['hang', 'net/timeout'],
  ['html', 'http/not-understood'],
  ['captive', 'http/not-understood'],
  ['500', 'http/server-error'],
])('a look at a server sabotaged by %s is unseen with %s', async ([fault, code]) => {
  const server = await startNtfy();
  server.setFault(fault);
  const evidence = await open(server, { deadlineMs: 300 }).look(signal);
  expect(evidence).toMatchObject({ seen: false, address: `${server.url}/backups`, why: { code } });
});

test('messages survive a kill of the server', async () => {
  const directory = await temporaryDirectory();
  const child = fork(new URL('../../support/ntfy-process.ts', import.meta.url), [directory], { silent: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [url] = (await once(child, 'message')) as [string];
  const { acceptedId } = await open({ url }).send(messageOf(), signal);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const again = await startNtfy({ directory });
  expect(again.messages('backups').map(({ id }) => id)).toEqual([acceptedId]);
});

test('the YAML keys say what they expect, each at its place', () => {
  const secret = z.object({ credential: z.string() }).transform(({ credential }) => credential);
  const schema = z.strictObject(ntfyShape(secret));
  expect(schema.parse({ ntfy: 'https://ntfy.lan', topic: 'backups', token: { credential: 'a' } })).toEqual({
    ntfy: 'https://ntfy.lan',
    topic: 'backups',
    token: 'a',
  });
  const wrong = schema.safeParse({
    ntfy: 'https://ntfy.lan/path',
    topic: 'a/b',
    read_token: 7,
    ca: '~/ca.pem',
    tpoic: 1,
  });
  expect(wrong.error?.issues.map(({ path }) => path.join('.')).toSorted()).toEqual([
    '',
    'ca',
    'ntfy',
    'read_token',
    'topic',
  ]);
  for (const url of ['ntfy.lan', 'ftp://ntfy.lan', 'https://user:secret@ntfy.lan', 'https://ntfy.lan/?a=b', 7]) {
    expect(schema.safeParse({ ntfy: url, topic: 'backups' }).error?.issues[0]?.message).toMatch(/^expected /);
  }
  expect(ntfyReceiver.kind).toBe('ntfy');
});

/** Hands a request on to another server, and its answer back. */
async function pipeTo(origin: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { authorization = '' } = incoming.headers;
  const body = await textOf(incoming);
  const answer = await fetch(`${origin}${incoming.url}`, { method: 'POST', headers: { authorization }, body });
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
}
