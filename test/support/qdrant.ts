/** A lab Qdrant in a temporary directory, and a server that answers whatever a test wants, on the loopback. */

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLabQdrant } from '../../src/lab/qdrant.ts';
import type { LabQdrant, LabQdrantOptions } from '../../src/lab/qdrant.ts';

/** A temporary directory that is gone with its scope. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** Makes a directory of its own for one test. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'deadair-qdrant-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Starts a lab Qdrant on a directory that is gone with it. */
export async function openLabQdrant(options: Omit<LabQdrantOptions, 'directory'> = {}): Promise<LabQdrant> {
  const directory = await temporaryDirectory();
  const lab = await startLabQdrant({ ...options, directory: directory.path });
  const close = async (): Promise<void> => {
    await lab.close();
    await directory[Symbol.asyncDispose]();
  };
  return { ...lab, close, [Symbol.asyncDispose]: close };
}

/** A server of a test's own making. */
export interface AnswerServer extends AsyncDisposable {
  readonly url: string;
  /** Raw request targets as they came, such as `/collections/a%20b`. */
  readonly asked: readonly string[];
}

/** Serves `listener` on a free port. */
export async function serveAnswers(listener: RequestListener): Promise<AnswerServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Serves one and the same answer to everything. */
export function serveAlways(status: number, body: string, headers: Record<string, string> = {}): Promise<AnswerServer> {
  return serveAnswers((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
}

/** Names that are legal in Qdrant and break careless code. */
export const oddNames = [
  'with space',
  'percent%2Fslash',
  'hash#fragment',
  "single'quote",
  'line\nbreak',
  'dollar$(reboot)`;&',
  '-leading-dash',
  'ünïcödé-集合-🛰',
  'tmp',
  '.',
  '..',
  '__proto__',
  'l'.repeat(255),
] as const;
