/**
 * A small ntfy over node:http for the lab and the tests: what a real one answers, with sabotage by name and its state
 * on disk.
 */

import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { refusals } from './ntfy-errors.ts';
import { randomName } from './ntfy-publish.ts';
import { createNtfyService, replyOf } from './ntfy-service.ts';
import type { NtfyService } from './ntfy-service.ts';
import { openNtfyStore } from './ntfy-store.ts';
import type { NtfyReply } from './ntfy-topics.ts';
import { labNtfyUsers } from './ntfy-users.ts';
import type { LabNtfyUser } from './ntfy-users.ts';
import type { WireMessage } from './ntfy-wire.ts';

export { labNtfyUsers } from './ntfy-users.ts';
export type { LabNtfyUser } from './ntfy-users.ts';
export type { WireMessage } from './ntfy-wire.ts';

/** Every sabotage by name, and what it looks like from outside. */
export const labNtfyFaults = {
  down: 'every connection is destroyed',
  hang: 'accepts and never answers',
  slow: 'answers late',
  '401': 'refuses every token',
  '403': 'refuses everybody',
  '429': 'too many requests, without saying how long',
  '500': 'fails by itself',
  html: "a proxy's 502 page",
  captive: "a captive portal's page, with 200",
  half: 'ends in the middle of the answer',
  'drop-after-200': 'accepts messages and loses them',
} as const;

/** A key of {@link labNtfyFaults}. */
export type LabNtfyFault = keyof typeof labNtfyFaults;

/** How to start one. */
export interface LabNtfyOptions {
  /** Where its state lies; made when absent. A second start on it finds every message. */
  readonly directory: string;
  /** Default: any free one. Always on 127.0.0.1. */
  readonly port?: number;
  /** Epoch ms; default the machine's. */
  readonly clock?: () => number;
  readonly users?: readonly LabNtfyUser[];
  /** `2.13`: before sequences. Default a version that has them. */
  readonly version?: '2.13' | '2.28';
  /** False: like a server without attachments, which refuses long bodies. */
  readonly hasAttachments?: boolean;
  /** How late `slow` answers; default 2,000. */
  readonly slowMs?: number;
  /** How often the sender looks for due messages; default 10,000 as on a real server, 0 for only when told. */
  readonly senderEveryMs?: number;
  /** Between two signs of life in a stream; default 45,000. */
  readonly keepaliveMs?: number;
}

/** A running one. */
export interface LabNtfy extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly users: readonly LabNtfyUser[];
  /** All that was delivered to a topic, clearings and deletions too, oldest first. */
  messages(topic: string): readonly WireMessage[];
  /** Requests that have arrived, `POST /backups` and so on, oldest first. */
  requests(): readonly string[];
  /** Sabotages from now on; null ends it. */
  setFault(fault: LabNtfyFault | null): void;
  /** One round of the sender of scheduled messages. */
  tick(): void;
  close(): Promise<void>;
}

/**
 * Starts one and waits until it listens. It leaves out: rate limits but for the fault, passwords, files named by the
 * publisher, buttons, admin calls, and the WebSocket, SSE and raw streams.
 */
export async function startLabNtfy(options: LabNtfyOptions): Promise<LabNtfy> {
  mkdirSync(options.directory, { recursive: true });
  const clock = options.clock ?? Date.now;
  const users = options.users ?? Object.values(labNtfyUsers);
  const store = openNtfyStore(options.directory);
  let url = '';
  const service = createNtfyService({
    store,
    users,
    nowSeconds: () => Math.floor(clock() / 1_000),
    hasSequences: options.version !== '2.13',
    hasAttachments: options.hasAttachments ?? true,
    url: () => url,
  });
  let fault: LabNtfyFault | null = null;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const settings = {
      service,
      fault,
      slowMs: options.slowMs ?? 2_000,
      keepaliveMs: options.keepaliveMs ?? 45_000,
      clock,
    };
    // A client that has gone away is no matter for the server.
    answer(request, response, settings).catch(() => request.socket.destroy());
  });
  const port = await listen(server, options.port ?? 0);
  url = `http://127.0.0.1:${port}`;
  const everyMs = options.senderEveryMs ?? 10_000;
  const timer = everyMs === 0 ? undefined : setInterval(() => service.tick(), everyMs).unref();
  const close = async (): Promise<void> => {
    clearInterval(timer);
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    url,
    port,
    users,
    messages: (topic) => store.select(topic, { kind: 'all' }, { nowSeconds: 0, withScheduled: false }),
    requests: () => requests,
    setFault(name) {
      fault = name;
      if (name === 'down') server.closeAllConnections();
    },
    tick: () => service.tick(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Settings {
  readonly service: NtfyService;
  readonly fault: LabNtfyFault | null;
  readonly slowMs: number;
  readonly keepaliveMs: number;
  readonly clock: () => number;
}

async function answer(request: IncomingMessage, response: ServerResponse, settings: Settings): Promise<void> {
  const { fault } = settings;
  if (fault === 'down') return void request.socket.destroy();
  const body = await readBody(request);
  if (fault === 'hang') return;
  if (fault === 'slow') await sleep(settings.slowMs, undefined, { ref: false });
  const reply = sabotaged(fault) ?? ordinary(request, body, settings);
  if (reply.kind === 'stream') return stream(response, reply, settings);
  response.writeHead(reply.status, {
    ...(reply.type === '' ? {} : { 'content-type': reply.type }),
    'access-control-allow-origin': '*',
    'content-length': Buffer.byteLength(reply.body),
  });
  if (fault !== 'half') return void response.end(reply.body);
  response.write(reply.body.slice(0, reply.body.length / 2), () => request.socket.destroy());
}

function sabotaged(fault: LabNtfyFault | null): NtfyReply | undefined {
  switch (fault) {
    case '401':
      return replyOf(refusals.unauthorized);
    case '403':
      return replyOf(refusals.forbidden);
    case '429':
      return replyOf(refusals.tooManyRequests);
    case '500':
      return replyOf(refusals.internal);
    case 'html':
      return page(502, '502 Bad Gateway');
    case 'captive':
      return page(200, 'Welcome to our WiFi');
    case 'down':
    case 'hang':
    case 'slow':
    case 'half':
    case 'drop-after-200':
    case null:
      return undefined;
  }
}

function page(status: number, title: string): NtfyReply {
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body><h1>${title}</h1></body>\r\n</html>\r\n`;
  return { kind: 'whole', status, type: 'text/html', body };
}

function ordinary(request: IncomingMessage, body: Uint8Array, { service, fault }: Settings): NtfyReply {
  const target = new URL(request.url ?? '/', 'http://ntfy');
  try {
    if (body.byteLength > attachmentLimitBytes) throw refusals.attachmentTooLarge;
    return service.handle({
      method: request.method ?? '',
      path: decodePath(target.pathname),
      query: target.searchParams,
      headers: request.headers,
      body,
      isLossy: fault === 'drop-after-200',
    });
  } catch (thrown) {
    return replyOf(thrown);
  }
}

/** As a route sees it. What cannot be decoded has no route. */
function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    throw refusals.notFound;
  }
}

/** The default `attachment-file-size-limit`. */
const attachmentLimitBytes = 15 * 2 ** 20;

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.byteLength;
    // One chunk past the limit is kept, so that the size tells; the rest is read and dropped.
    if (sizeBytes - chunk.byteLength <= attachmentLimitBytes) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function stream(
  response: ServerResponse,
  reply: Extract<NtfyReply, { kind: 'stream' }>,
  { keepaliveMs, clock }: Settings,
): void {
  const write = (message: WireMessage): void => void response.write(`${JSON.stringify(message)}\n`);
  const sign = (event: 'open' | 'keepalive'): void =>
    write({ id: randomName(12), time: Math.floor(clock() / 1_000), event, topic: reply.topics });
  response.writeHead(200, {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'access-control-allow-origin': '*',
  });
  sign('open');
  for (const message of reply.missed) write(message);
  const stop = reply.listen(write);
  const timer = setInterval(() => sign('keepalive'), keepaliveMs).unref();
  response.on('close', () => {
    clearInterval(timer);
    stop();
  });
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
