/** HTTP for the lab's Qdrant: a request off the wire, a reply onto it, whole or cut in half, with ranges and gzip. */

import { createReadStream, statSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import type { LabReply, LabRequest } from './qdrant-replies.ts';

/** A request's body is read to here: the points of a test fit many times over. */
const maxBodyBytes = 32 * 2 ** 20;

/** Paths that are answered without a key. */
const open = new Set(['', 'healthz', 'livez', 'readyz']);

/**
 * Reads a request.
 *
 * @returns the request, or the reply to one that cannot be read: 400 for a body or path that is malformed.
 */
export async function readRequest(
  incoming: IncomingMessage,
): Promise<{ readonly request: LabRequest } | { readonly refusal: LabReply }> {
  const [path = ''] = (incoming.url ?? '/').split('?', 1);
  let segments: readonly string[];
  try {
    // Not through URL, which would swallow a collection named `..`.
    segments = path === '/' ? [] : path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return { refusal: { kind: 'bare', status: 400 } };
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return { refusal: { kind: 'bare', status: 413 } };
    chunks.push(chunk);
  }
  const request = { method: incoming.method ?? 'GET', segments, needsKey: !open.has(segments.join('/')) };
  if (bytes === 0) return { request: { ...request, body: undefined } };
  try {
    return { request: { ...request, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown } };
  } catch (thrown) {
    const error = `Format error in JSON body: ${thrown instanceof Error ? thrown.message : 'invalid'}`;
    return { refusal: { kind: 'enveloped', status: 400, body: { status: { error } } } };
  }
}

/** The key of a request; `api-key` wins over a bearer token. */
export function keyOf(incoming: IncomingMessage): string | null {
  const key = incoming.headers['api-key'];
  if (typeof key === 'string') return key;
  return /^Bearer (.+)$/.exec(incoming.headers.authorization ?? '')?.[1] ?? null;
}

/** How a reply leaves. */
export interface SendOptions {
  /** How long answering took, s; Qdrant tells it in every envelope. */
  readonly tookS: number;
  /** True: the head promises all of the body, half of it follows, and the connection ends. */
  readonly isHalf: boolean;
}

/** Sends a reply. A client that hangs up ends it quietly. */
export async function sendReply(
  incoming: IncomingMessage,
  response: ServerResponse,
  reply: LabReply,
  options: SendOptions,
): Promise<void> {
  const wantsGzip = /\bgzip\b/.test(incoming.headers['accept-encoding'] ?? '');
  if (reply.kind === 'file') return sendFile(incoming, response, reply, wantsGzip);
  const { status, type, body } = dress(reply, options.tookS);
  const headers: OutgoingHttpHeaders = type === null ? {} : { 'content-type': type };
  if (options.isHalf) {
    response.writeHead(status, { ...headers, 'content-length': body.length });
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.end());
  } else if (wantsGzip && body.length > 0) {
    // Compressed on the fly, as actix does it, which is why no length is told.
    response.writeHead(status, { ...headers, 'content-encoding': 'gzip' });
    response.end(gzipSync(body));
  } else {
    response.writeHead(status, { ...headers, 'content-length': body.length });
    response.end(incoming.method === 'HEAD' ? undefined : body);
  }
}

interface Dressed {
  readonly status: number;
  readonly type: string | null;
  readonly body: Buffer;
}

function dress(reply: Exclude<LabReply, { kind: 'file' }>, tookS: number): Dressed {
  const { status } = reply;
  if (reply.kind === 'bare') return { status, type: null, body: Buffer.alloc(0) };
  if (reply.kind === 'text' || reply.kind === 'html') {
    const type = reply.kind === 'html' ? 'text/html' : 'text/plain; charset=utf-8';
    return { status, type, body: Buffer.from(reply.text) };
  }
  const json = reply.kind === 'json' ? reply.body : { ...reply.body, time: tookS };
  return { status, type: 'application/json', body: Buffer.from(JSON.stringify(json)) };
}

async function sendFile(
  incoming: IncomingMessage,
  response: ServerResponse,
  file: { readonly path: string; readonly name: string },
  wantsGzip: boolean,
): Promise<void> {
  const { size, mtimeMs, ino } = statSync(file.path);
  const etag = `"${ino.toString(16)}:${size.toString(16)}:${Math.floor(mtimeMs).toString(16)}"`;
  const headers: OutgoingHttpHeaders = {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${encodeURIComponent(file.name)}"`,
    'accept-ranges': 'bytes',
    etag,
    'last-modified': new Date(mtimeMs).toUTCString(),
  };
  const range = parseRange(incoming.headers.range, size);
  const condition = incoming.headers['if-match'];
  if (condition !== undefined && condition !== '*' && condition !== etag) {
    response.writeHead(412, headers).end();
  } else if (range === 'unsatisfiable') {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${size}` }).end();
  } else if (range === null && wantsGzip) {
    response.writeHead(200, { ...headers, 'content-encoding': 'gzip' });
    await quietly(pipeline(createReadStream(file.path), createGzip(), response));
  } else {
    const { start, end } = range ?? { start: 0, end: size - 1 };
    const part = range === null ? {} : { 'content-range': `bytes ${start}-${end}/${size}` };
    response.writeHead(range === null ? 200 : 206, { ...headers, ...part, 'content-length': end - start + 1 });
    await quietly(pipeline(createReadStream(file.path, { start, end }), response));
  }
}

/** One range of bytes, inclusive; null when none was asked for. */
function parseRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | null {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

/** A client that hangs up in the middle of a file is no trouble of the server. */
async function quietly(transfer: Promise<void>): Promise<void> {
  try {
    await transfer;
  } catch {
    // The pipeline has destroyed both ends already.
  }
}
