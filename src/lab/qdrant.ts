/**
 * A Qdrant for the lab and the tests: the REST API over node:http as Qdrant 1.19 speaks it, with its state on disk and
 * sabotage by name. It stores no vectors: a collection is a name and a number of points.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { answerUnder, deliveryUnder, qdrantFaults } from './qdrant-faults.ts';
import type { QdrantFault } from './qdrant-faults.ts';
import type { LabReply } from './qdrant-replies.ts';
import { answerFrom } from './qdrant-routes.ts';
import { LabStorage } from './qdrant-storage.ts';
import type { LabSnapshot } from './qdrant-storage.ts';
import { keyOf, readRequest, sendReply } from './qdrant-wire.ts';

/** Where it lives and whom it lets in. */
export interface LabQdrantOptions {
  /** Everything it remembers; started again on the same directory, it goes on. */
  readonly directory: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Without any key, everybody may do everything. */
  readonly apiKey?: string;
  readonly readOnlyApiKey?: string;
  /** Epoch ms, for the names of snapshots; default the machine's. */
  readonly clock?: () => number;
  /** In the names of snapshots; the first one stays with the directory. */
  readonly peerId?: number;
  /** How late answers come under the fault `slow`, ms; default 2,000. */
  readonly slowMs?: number;
  /** PEM of key and certificate: it then speaks https. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A running lab Qdrant. Methods about collections act at once and throw Error for a collection that is not there. */
export interface LabQdrant extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or https. It stays the same through every fault. */
  readonly url: string;
  readonly port: number;
  readonly faultNames: readonly QdrantFault[];
  createCollection(name: string, points: number): void;
  deleteCollection(name: string): void;
  setPoints(name: string, points: number): void;
  /** Points an alias to a collection, or takes it away when that is null. */
  setAlias(alias: string, collection: string | null): void;
  /** Makes a snapshot on disk, named after the clock's second. */
  snapshot(name: string): LabSnapshot;
  /** Breaks it in this way from the next request on, or mends it with null. Resolves when it holds. */
  setFault(fault: QdrantFault | null): Promise<void>;
  /** Ends all connections at once and waits until the port is free. */
  close(): Promise<void>;
}

/**
 * Starts one on the loopback.
 *
 * @throws the error of `listen`, such as EADDRINUSE.
 */
export async function startLabQdrant(options: LabQdrantOptions): Promise<LabQdrant> {
  const clock = options.clock ?? (() => Date.now());
  const storage = new LabStorage(options.directory, { clock, peerId: options.peerId ?? defaultPeerId });
  const pending = new Set<NodeJS.Timeout>();
  let fault: QdrantFault | null = null;

  const respond = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedMs = performance.now();
    const current = fault;
    const delivery = deliveryUnder(current);
    if (delivery === 'never') return;
    const reply = await answer(incoming, storage, options, current);
    const send = (): void => {
      const tookS = (performance.now() - startedMs) / 1_000;
      void sendReply(incoming, response, reply, { tookS, isHalf: delivery === 'half' });
    };
    if (delivery !== 'late') return send();
    const timer = setTimeout(() => {
      pending.delete(timer);
      send();
    }, options.slowMs ?? defaultSlowMs);
    pending.add(timer);
  };
  const server = createLabServer(options.tls, (incoming, response) => {
    // A client that hangs up while its body is read leaves nobody to answer.
    respond(incoming, response).catch(() => response.destroy());
  });
  const stopListening = async (): Promise<void> => {
    for (const timer of pending) clearTimeout(timer);
    pending.clear();
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;

  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    faultNames: Object.keys(qdrantFaults) as readonly QdrantFault[],
    createCollection(name, points) {
      if (!storage.create(name, points)) throw new Error(`The lab's Qdrant has ${JSON.stringify(name)} already`);
    },
    deleteCollection(name) {
      if (!storage.delete(name)) throw new Error(`The lab's Qdrant has no collection ${JSON.stringify(name)}`);
    },
    setPoints: (name, points) => storage.setPoints(name, points),
    setAlias: (alias, collection) => storage.setAlias(alias, collection),
    snapshot: (name) => storage.takeSnapshot(name),
    async setFault(next) {
      fault = next;
      if (next === 'down') await stopListening();
      else if (!server.listening) await listen(server, port);
    },
    close: stopListening,
    [Symbol.asyncDispose]: stopListening,
  };
}

/** As wide as Qdrant's own, and small enough to be a number in JSON everywhere. */
const defaultPeerId = 5_107_399_302_912_640;

const defaultSlowMs = 2_000;

function createLabServer(tls: LabQdrantOptions['tls'], listener: RequestListener): Server {
  return tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
}

async function listen(server: Server, port: number): Promise<void> {
  const listening = once(server, 'listening');
  server.listen(port, '127.0.0.1');
  await listening;
}

async function answer(
  incoming: IncomingMessage,
  storage: LabStorage,
  options: LabQdrantOptions,
  fault: QdrantFault | null,
): Promise<LabReply> {
  const read = await readRequest(incoming);
  if ('refusal' in read) return read.refusal;
  const access = judgeKey(keyOf(incoming), options);
  const sabotaged = answerUnder(fault, read.request, storage);
  if (sabotaged !== null) return sabotaged;
  if (read.request.needsKey && access === 'missing') {
    return { kind: 'text', status: 401, text: 'Must provide an API key or an Authorization bearer token' };
  }
  if (read.request.needsKey && access === 'wrong') return { kind: 'text', status: 401, text: 'Invalid API key or JWT' };
  return answerFrom(storage, read.request, access === 'read');
}

function judgeKey(key: string | null, options: LabQdrantOptions): 'all' | 'read' | 'missing' | 'wrong' {
  if (options.apiKey === undefined && options.readOnlyApiKey === undefined) return 'all';
  if (key === null) return 'missing';
  if (key === options.apiKey) return 'all';
  return key === options.readOnlyApiKey ? 'read' : 'wrong';
}
