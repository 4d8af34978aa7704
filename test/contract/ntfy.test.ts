/**
 * What deadair relies on in ntfy, the same cases against the lab's server (new and old) and against a real one.
 *
 * A real one is used when these are given; the lab's runs always. It must deny by default, and keep messages:
 *   DEADAIR_NTFY_URL          its origin, such as http://127.0.0.1:2586
 *   DEADAIR_NTFY_TOPIC        a topic for this suite alone; it is written to
 *   DEADAIR_NTFY_TOKEN_WRITE  token of a user who may only write to it
 *   DEADAIR_NTFY_TOKEN_READ   token of a user who may only read it
 * The suite makes some 60 requests: exempt its address (visitor-request-limit-exempt-hosts).
 */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openNtfy } from '../../src/clients/ntfy.ts';
import type { NtfyClient } from '../../src/clients/ntfy.ts';
import { openNtfyReceiver } from '../../src/delivery/ntfy.ts';
import { labNtfyUsers, startLabNtfy } from '../../src/lab/ntfy.ts';
import type { LabNtfyOptions } from '../../src/lab/ntfy.ts';
import { messageOf } from '../support/ntfy.ts';

interface Place {
  readonly url: string;
  readonly topic: string;
  readonly writeToken: string;
  readonly readToken: string;
  /** Lets so much time pass that the sender of scheduled messages has had its turn. */
  readonly pass: (spanMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

async function startLab(options: Partial<LabNtfyOptions>): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'deadair-ntfy-'));
  let aheadMs = 0;
  const server = await startLabNtfy({ clock: () => Date.now() + aheadMs, senderEveryMs: 0, ...options, directory });
  return {
    url: server.url,
    topic: 'backups',
    writeToken: labNtfyUsers.writer.token,
    readToken: labNtfyUsers.reader.token,
    async pass(spanMs) {
      aheadMs += spanMs;
      server.tick();
    },
    async close() {
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`DEADAIR_NTFY_URL is given, so ${name} is needed too`);
  return value;
}

function linesOf(text: string): readonly Record<string, unknown>[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

function findReal(): Promise<Place> {
  return Promise.resolve({
    url: setting('DEADAIR_NTFY_URL'),
    topic: setting('DEADAIR_NTFY_TOPIC'),
    writeToken: setting('DEADAIR_NTFY_TOKEN_WRITE'),
    readToken: setting('DEADAIR_NTFY_TOKEN_READ'),
    pass: (spanMs) => sleep(spanMs),
    close: () => Promise.resolve(),
  });
}

const servers: readonly (readonly [string, () => Promise<Place>])[] = [
  ["the lab's ntfy", () => startLab({})],
  ["the lab's ntfy without attachments", () => startLab({ hasAttachments: false })],
  ["the lab's ntfy 2.13", () => startLab({ version: '2.13' })],
  ...(process.env['DEADAIR_NTFY_URL'] === undefined ? [] : [['a real ntfy', findReal] as const]),
];

describe.each(servers)('%s', (_name, start) => {
  let place: Place;
  let writer: NtfyClient;
  let reader: NtfyClient;
  let hasSequences: boolean;

  beforeAll(async () => {
    place = await start();
    writer = openNtfy({ url: place.url, token: place.writeToken });
    reader = openNtfy({ url: place.url, token: place.readToken });
    hasSequences =
      (await ask('PUT', `/${place.topic}/contract-probe/clear`, { token: place.writeToken })).status === 200;
  });

  afterAll(async () => {
    await Promise.all([writer.close(), reader.close()]);
    await place.close();
  });

  interface Asking {
    readonly token?: string;
    readonly body?: string | Uint8Array;
    readonly headers?: Readonly<Record<string, string>>;
  }

  async function ask(method: string, path: string, { token, body, headers }: Asking = {}) {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${place.url}${path}`, {
      method,
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const isJson = text.startsWith('{') && !text.trim().includes('\n');
    const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : undefined;
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text,
      json,
      headers: response.headers,
    };
  }

  const write = (path: string, asking: Asking = {}) => ask('POST', path, { token: place.writeToken, ...asking });
  const read = (query: string) => ask('GET', `/${place.topic}/json?${query}`, { token: place.readToken });
  const nonce = (): string => randomBytes(8).toString('hex');

  describe('who may do what', () => {
    const unauthorized = {
      code: 40101,
      http: 401,
      error: 'unauthorized',
      link: 'https://ntfy.sh/docs/publish/#authentication',
    };
    const forbidden = { ...unauthorized, code: 40301, http: 403, error: 'forbidden' };

    test('nobody is refused with 403, not 401', async () => {
      const answer = await ask('POST', `/${place.topic}`, { body: 'x' });
      expect(answer).toMatchObject({ status: 403, type: 'application/json', json: forbidden });
      expect(answer.text).toBe(`${JSON.stringify(forbidden)}\n`);
      expect(await ask('GET', `/${place.topic}/json?poll=1`)).toMatchObject({ status: 403, json: forbidden });
    });

    test('a token that opens nothing is refused with 401, even where nobody is let in', async () => {
      const token = 'tk_00000000000000000000000000000';
      expect(await ask('POST', `/${place.topic}`, { token, body: 'x' })).toMatchObject({
        status: 401,
        json: unauthorized,
      });
      expect(await ask('GET', '/v1/health', { token })).toMatchObject({ status: 401, json: unauthorized });
      expect(await ask('GET', '/v1/account', { token })).toMatchObject({ status: 401, json: unauthorized });
    });

    test('`bearer` in lower case is read as something else and refused', async () => {
      const headers = { authorization: `bearer ${place.writeToken}` };
      expect(await ask('POST', `/${place.topic}`, { headers, body: 'x' })).toMatchObject({ status: 401 });
    });

    test('a scheme that ntfy does not speak makes us nobody', async () => {
      const headers = { authorization: `Token ${place.writeToken}` };
      expect(await ask('POST', `/${place.topic}`, { headers, body: 'x' })).toMatchObject({ status: 403 });
    });

    test('the token may be the password of nobody, or be in the query', async () => {
      const basic = `Basic ${Buffer.from(`:${place.writeToken}`).toString('base64')}`;
      const query = Buffer.from(basic).toString('base64url');
      const path = `/${place.topic}?priority=9`;
      expect(await ask('POST', path, { headers: { authorization: basic }, body: 'x' })).toMatchObject({ status: 400 });
      expect(await ask('POST', `${path}&auth=${query}`, { body: 'x' })).toMatchObject({ status: 400 });
    });

    test('who may write may not read, and the other way round', async () => {
      await expect(writer.poll(place.topic, 0)).rejects.toMatchObject({ code: 'http/forbidden', permanent: true });
      await expect(writer.canRead(place.topic)).rejects.toMatchObject({ code: 'http/forbidden' });
      await expect(reader.canRead(place.topic)).resolves.toBeUndefined();
      await expect(reader.publish({ topic: place.topic, body: 'x' })).rejects.toMatchObject({ code: 'http/forbidden' });
    });

    test('an impossible priority tells whether we may write, without writing', async () => {
      const path = `/${place.topic}?priority=9`;
      expect(await write(path, { body: 'x' })).toMatchObject({ status: 400, json: { code: 40007 } });
      expect(await ask('POST', path, { token: place.readToken, body: 'x' })).toMatchObject({ status: 403 });
    });

    test('health is open to nobody, the account tells who we are', async () => {
      expect(await ask('GET', '/v1/health')).toMatchObject({ status: 200, text: '{"healthy":true}\n' });
      await expect(writer.health()).resolves.toBeUndefined();
      await expect(writer.checkToken()).resolves.toBeUndefined();
      expect(await ask('GET', '/v1/account', { token: place.writeToken })).toMatchObject({
        status: 200,
        json: { role: 'user', limits: { messages_expiry_duration: expect.any(Number) } },
      });
      expect(await ask('GET', '/v1/account')).toMatchObject({
        status: 200,
        json: { username: '*', role: 'anonymous' },
      });
    });
  });

  describe('publishing', () => {
    test('everything arrives as it was, and is read back by time', async () => {
      const title = `🚨 向量 & «нет» =?x ${nonce()}`;
      const body = 'erste Zeile\n"zweite" 👩‍🚒';
      const tags = ['rotating_light', 'freshness'];
      const sent = await writer.publish({ topic: place.topic, title, body, priority: 5, tags });
      expect(sent).toMatchObject({ event: 'message', topic: place.topic });
      expect(sent.id).toMatch(/^[A-Za-z0-9]{12}$/);
      const kept = linesOf((await read(`poll=1&since=${sent.atMs / 1_000}`)).text).find(({ id }) => id === sent.id);
      expect(kept).toMatchObject({ title, message: body, priority: 5, tags });
      expect(kept).not.toHaveProperty('sequence_id');
      const { messages, isTruncated } = await reader.poll(place.topic, sent.atMs);
      expect(messages).toContainEqual(sent);
      expect(isTruncated).toBe(false);
    });

    test('a title in a header may be an RFC 2047 word, and a header wins over the query', async () => {
      const title = 'Grüße 🚨';
      const headers = { title: `=?UTF-8?B?${Buffer.from(title).toString('base64')}?=`, 'x-priority': 'high' };
      const answer = await write(`/${place.topic}?title=other&priority=1`, { headers, body: 'x' });
      expect(answer).toMatchObject({ status: 200, json: { title, priority: 4 } });
    });

    test('the Priority header of RFC 9218, which proxies add, is not taken for ours', async () => {
      const answer = await write(`/${place.topic}?priority=2`, { headers: { priority: 'u=1, i' }, body: 'x' });
      expect(answer).toMatchObject({ status: 200, json: { priority: 2 } });
    });

    test('white space at both ends goes, and nothing becomes a word', async () => {
      expect(await write(`/${place.topic}`, { body: ' \n pad \n' })).toMatchObject({ json: { message: 'pad' } });
      expect(await write(`/${place.topic}`, { body: '' })).toMatchObject({ json: { message: 'triggered' } });
      expect(await write(`/${place.topic}?m=a%5Cnb`)).toMatchObject({ json: { message: 'a\nb' } });
    });

    test('4,095 bytes are a message; 4,096 or what is not UTF-8 are none', async () => {
      const long = await write(`/${place.topic}`, { body: 'a'.repeat(4_095) });
      expect(long.json).toMatchObject({ message: 'a'.repeat(4_095) });
      expect(long.json).not.toHaveProperty('attachment');
      for (const body of ['a'.repeat(4_096), new Uint8Array([0xff, 0xfe])]) {
        const answer = await write(`/${place.topic}`, { body });
        if (answer.status === 200) {
          expect(answer.json).toMatchObject({
            message: 'You received a file: attachment.txt',
            attachment: { name: 'attachment.txt', size: Buffer.byteLength(body) },
          });
        } else {
          expect(answer).toMatchObject({ status: 400, json: { code: 40014 } });
        }
      }
    });

    test('a text of our limit goes through us whole, while its JSON form would be refused', async () => {
      const body = '"'.repeat(3_999) + '.';
      const title = '"'.repeat(250);
      const { id, atMs } = await writer.publish({ topic: place.topic, title, body });
      const kept = linesOf((await read(`poll=1&since=${atMs / 1_000}`)).text);
      expect(kept.find((line) => line['id'] === id)).toMatchObject({ title, message: body });
      const json = JSON.stringify({ topic: place.topic, title, message: body });
      expect(await write('/', { body: json })).toMatchObject({ status: 413, json: { code: 41303 } });
    });

    test('the JSON form ignores unknown keys, splits tags at commas and refuses wrong types', async () => {
      const form = { topic: place.topic, message: 'm', title: 'é🚨', tags: ['a,b', 'c'], priority: 4, nonsense: 1 };
      const answer = await write('/', { body: JSON.stringify(form) });
      expect(answer.json).toMatchObject({ message: 'm', title: 'é🚨', tags: ['a', 'b', 'c'], priority: 4 });
      const code = async (body: string) => (await write('/', { body })).json?.['code'];
      expect(await code(JSON.stringify({ ...form, priority: '4' }))).toBe(40024);
      expect(await code('{"topic":')).toBe(40024);
      expect(await code('{"topic":"no topic"}')).toBe(40009);
      expect(await code('null')).toBe(40009);
      const nulls = { topic: place.topic, title: null, message: null, tags: null, priority: null };
      expect(await write('/', { body: JSON.stringify(nulls) })).toMatchObject({ json: { message: 'triggered' } });
    });

    test('RFC 2047 words are decoded in headers and in JSON, but not in the query', async () => {
      const word = '=?UTF-8?Q?Gr=C3=BC=C3=9Fe_1?=';
      const titles = [
        await write(`/${place.topic}`, { headers: { title: word }, body: 'x' }),
        await write(`/${place.topic}`, { headers: { title: '=?ISO-8859-1?Q?Gr=FC=DFe_1?=' }, body: 'x' }),
        await write('/', { body: JSON.stringify({ topic: place.topic, title: word }) }),
        await write(`/${place.topic}?title=${encodeURIComponent(word)}`, { body: 'x' }),
      ].map(({ json }) => json?.['title']);
      expect(titles).toEqual(['Grüße 1', 'Grüße 1', 'Grüße 1', word]);
    });

    test('paths and names of its own are refused', async () => {
      const notFound = { status: 404, json: { code: 40401, http: 404, error: 'page not found' } };
      expect(await ask('GET', '/no/such/page/at-all')).toMatchObject(notFound);
      expect(await ask('GET', '/v1/info')).toMatchObject(notFound);
      expect(await write('/no.topic', { body: 'x' })).toMatchObject(notFound);
      expect(await write(`/${'a'.repeat(65)}`, { body: 'x' })).toMatchObject(notFound);
      expect(await write('/docs', { body: 'x' })).toMatchObject({ status: 400, json: { code: 40010 } });
    });

    test('a GET on a topic is a page for people: 200, and nothing of JSON', async () => {
      expect(await ask('GET', `/${place.topic}`)).toMatchObject({ status: 200, json: undefined });
    });
  });

  describe('scheduled messages', () => {
    test.for([
      ['in=5s', 40005],
      ['in=4d', 40006],
      ['in=soonish', 40004],
      ['in=1h&cache=no', 40002],
      ['at=1', 40004],
      ['in=-1h', 40005],
      ['in=2+Days', 40004],
    ] as const)('%s is refused with %s', async ([query, code]) => {
      expect(await write(`/${place.topic}?${query}`, { body: 'x' })).toMatchObject({ status: 400, json: { code } });
    });

    test.for(['30m', '1h30m', '2 hours', '90s'])('a delay of %s is taken', async (delay) => {
      const answer = await write(`/${place.topic}?delay=${encodeURIComponent(delay)}`, { body: 'x' });
      expect(answer).toMatchObject({ status: 200 });
      expect(Number(answer.json?.['time'])).toBeGreaterThan(Date.now() / 1_000 + 60);
    });

    test('it is in a poll only when asked for, with its time in the future', async () => {
      const body = nonce();
      const dueSeconds = Math.floor(Date.now() / 1_000) + 3_600;
      expect(await write(`/${place.topic}?at=${dueSeconds}`, { body })).toMatchObject({ json: { time: dueSeconds } });
      const find = async (query: string) =>
        linesOf((await read(`poll=1&since=all${query}`)).text).filter(({ message }) => message === body);
      expect(await find('')).toEqual([]);
      expect(await find('&sched=1')).toEqual([expect.objectContaining({ time: dueSeconds, topic: place.topic })]);
    });

    test('a late one is found by time, and missed by an id that was given out before it was due', async () => {
      const body = nonce();
      await write(`/${place.topic}?in=10s`, { body });
      const between = await writer.publish({ topic: place.topic, body: nonce() });
      await place.pass(21_000);
      const bodiesOf = async (since: string | number) =>
        linesOf((await read(`poll=1&since=${since}`)).text).map(({ message }) => message);
      expect(await bodiesOf(between.id)).not.toContain(body);
      expect(await bodiesOf(between.atMs / 1_000)).toContain(body);
    });
  });

  describe('reading', () => {
    test('since a time, since an id, the latest, none, nonsense', async () => {
      const sent = [];
      for (const body of [nonce(), nonce(), nonce()]) sent.push(await writer.publish({ topic: place.topic, body }));
      const ids = sent.map(({ id }) => id);
      const idsOf = async (query: string) => linesOf((await read(query)).text).map(({ id }) => id);
      expect((await idsOf(`poll=1&since=${sent[0]!.atMs / 1_000}`)).slice(-3)).toEqual(ids);
      expect(await idsOf('poll=1&since=10s')).toEqual(expect.arrayContaining(ids));
      expect(await idsOf(`poll=1&since=${ids[0]}`)).toEqual(ids.slice(1));
      expect(await idsOf('poll=1&since=none')).toEqual([]);
      expect(await idsOf('poll=1&since=AAAAAAAAAAAA')).toEqual(await idsOf('poll=1'));
      expect(await idsOf('poll=1&since=latest')).toHaveLength(1);
      expect(await read('poll=1&since=bogus')).toMatchObject({ status: 400, json: { code: 40008 } });
      expect((await read('poll=1')).type).toBe('application/x-ndjson; charset=utf-8');
    });

    test('filters look at priority, tags and title', async () => {
      const title = nonce();
      const { id } = await writer.publish({ topic: place.topic, title, body: 'x', priority: 4, tags: ['a', 'b'] });
      const plain = await writer.publish({ topic: place.topic, title, body: 'x' });
      const idsOf = async (query: string) =>
        linesOf((await read(`poll=1&title=${title}&${query}`)).text)
          .filter(({ event }) => event === 'message')
          .map((line) => line['id']);
      expect(await idsOf('')).toEqual([id, plain.id]);
      expect(await idsOf('priority=4,5')).toEqual([id]);
      expect(await idsOf('priority=3')).toEqual([plain.id]);
      expect(await idsOf('tags=a,b')).toEqual([id]);
      expect(await idsOf('tags=a,z')).toEqual([]);
    });

    test('a stream opens with a sign and brings what is published next', async () => {
      const stop = new AbortController();
      onTestFinished(() => stop.abort());
      const response = await fetch(`${place.url}/${place.topic}/json`, {
        headers: { authorization: `Bearer ${place.readToken}` },
        signal: stop.signal,
      });
      const lines: Record<string, unknown>[] = [];
      const reading = (async () => {
        let text = '';
        for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
          text += chunk;
          lines.splice(0, lines.length, ...linesOf(text.slice(0, text.lastIndexOf('\n') + 1)));
          if (lines.length === 2) return;
        }
      })();
      await expect.poll(() => lines.length).toBe(1);
      const sent = await writer.publish({ topic: place.topic, body: nonce() });
      await reading;
      expect(lines[0]).toMatchObject({ event: 'open', topic: place.topic });
      expect(lines[0]).not.toHaveProperty('message');
      expect(lines[1]).toMatchObject({ event: 'message', id: sent.id });
    });
  });

  describe('sequences', () => {
    test('an older server knows no path of a sequence, and ignores the parameter in silence', async () => {
      const sequence = nonce();
      const byPath = await write(`/${place.topic}/${sequence}`, { body: 'x' });
      const { id, atMs } = await writer.publish({ topic: place.topic, body: 'x', sequenceId: sequence });
      const kept = linesOf((await read(`poll=1&since=${atMs / 1_000}`)).text);
      const byQuery = kept.find((line) => line['id'] === id);
      if (hasSequences) {
        expect(byPath).toMatchObject({ status: 200, json: { sequence_id: sequence } });
        expect(byQuery).toMatchObject({ sequence_id: sequence });
      } else {
        expect(byPath).toMatchObject({ status: 404, json: { code: 40401 } });
        expect(byQuery).not.toHaveProperty('sequence_id');
      }
    });

    test('clearing and deleting leave events behind the message, or are unknown', async () => {
      const sequence = nonce();
      await writer.publish({ topic: place.topic, body: 'x', sequenceId: sequence });
      if (!hasSequences) {
        await expect(writer.clear(place.topic, sequence)).rejects.toMatchObject({ code: 'http/not-found' });
        expect(await ask('DELETE', `/${place.topic}/${sequence}`, { token: place.writeToken })).toMatchObject({
          status: 404,
        });
        return;
      }
      await writer.clear(place.topic, sequence);
      const deleted = await ask('DELETE', `/${place.topic}/${sequence}`, { token: place.writeToken });
      expect(deleted).toMatchObject({ status: 200, json: { event: 'message_delete', sequence_id: sequence } });
      const lines = linesOf((await read('poll=1&since=60s')).text);
      expect(lines.filter((line) => line['sequence_id'] === sequence).map(({ event }) => event)).toEqual([
        'message',
        'message_clear',
        'message_delete',
      ]);
    });

    test('a scheduled message gives way to the next of its sequence, and to a deletion', async ({ skip }) => {
      if (!hasSequences) skip('this server is older than 2.16');
      const sequence = nonce();
      const scheduled = async () => {
        const lines = linesOf((await read('poll=1&since=all&sched=1')).text);
        return lines
          .filter((line) => line['sequence_id'] === sequence && line['event'] === 'message')
          .map(({ message }) => message);
      };
      await write(`/${place.topic}/${sequence}?in=1h`, { body: 'first' });
      await write(`/${place.topic}/${sequence}?in=2h`, { body: 'second' });
      expect(await scheduled()).toEqual(['second']);
      await ask('DELETE', `/${place.topic}/${sequence}`, { token: place.writeToken });
      expect(await scheduled()).toEqual([]);
    });
  });

  test('a receiver sends, reads back, clears what it can, and looks', async () => {
    const { url, topic, writeToken: token, readToken } = place;
    const receiver = openNtfyReceiver({ name: 'phone', url, topic, token, readToken });
    onTestFinished(() => receiver.close());
    const { signal } = new AbortController();
    const groupId = nonce();
    const first = await receiver.send(messageOf({ groupId, sequenceId: `${groupId}-1` }), signal);
    const second = await receiver.send(
      messageOf({ groupId, sequenceId: `${groupId}-2`, clears: `${groupId}-1` }),
      signal,
    );
    expect(first.acceptedId).not.toBe(second.acceptedId);
    expect(await receiver.look(signal)).toMatchObject({ seen: true });
    const lines = linesOf((await read('poll=1&since=60s')).text);
    const ours = lines.filter(({ tags }) => Array.isArray(tags) && tags.includes(groupId));
    expect(ours.map(({ id }) => id)).toEqual([first.acceptedId, second.acceptedId]);
    const cleared = lines.filter(({ event }) => event === 'message_clear').map((line) => line['sequence_id']);
    expect(cleared.includes(`${groupId}-1`)).toBe(hasSequences);
  });
});

test('a server under an authority of our own is trusted with its certificate, and not without', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'deadair-ntfy-tls-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '1'];
  await promisify(execFile)('openssl', ['req', '-x509', ...newKey, ...subject, '-keyout', key, '-out', cert]);
  const ca = await readFile(cert, 'utf8');
  const server = createServer({ key: await readFile(key), cert: ca }, (_request, response) => {
    response.end('{"healthy":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [trusting, strict] = [openNtfy({ url, ca }), openNtfy({ url })];
  onTestFinished(() => Promise.all([trusting.close(), strict.close()]).then(() => undefined));
  await expect(trusting.health()).resolves.toBeUndefined();
  await expect(strict.health()).rejects.toMatchObject({ code: 'net/tls', hint: expect.stringContaining('as ca:') });
});

test("the lab's ntfy keeps scheduled messages over a restart, and drops a line that a kill cut off", async () => {
  const directory = await mkdtemp(join(tmpdir(), 'deadair-ntfy-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  let nowMs = Date.now();
  const start = () => startLabNtfy({ directory, clock: () => nowMs, senderEveryMs: 0 });
  const before = await start();
  const headers = { authorization: `Bearer ${labNtfyUsers.writer.token}` };
  await fetch(`${before.url}/backups/switch?in=60s`, { method: 'POST', headers, body: 'silent' });
  await before.close();
  await appendFile(join(directory, 'ntfy.jsonl'), '{"kind":"message","mess');
  nowMs += 60_000;
  await using after = await start();
  expect(after.messages('backups')).toEqual([]);
  after.tick();
  expect(after.messages('backups')).toMatchObject([{ message: 'silent', sequence_id: 'switch' }]);
  await using again = await start();
  expect(again.messages('backups')).toHaveLength(1);
});
