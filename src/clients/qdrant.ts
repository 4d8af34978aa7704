/**
 * A Qdrant's REST API as far as deadair reads it: version, collections, their state and exact counts, aliases,
 * cluster. Made from a URL and a key. It writes nothing (G8): every call is a GET, but for the count, which Qdrant takes as a POST.
 */

import type { z } from 'zod';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { type HttpRequest, openHttp } from './http.ts';
import { readJson } from './http-json.ts';
import { explainStatus } from './qdrant-failures.ts';
import * as schemas from './qdrant-schemas.ts';
import type { ClusterState, CollectionAlias } from './qdrant-schemas.ts';

/** Which Qdrant, and how patient to be with it. */
export interface QdrantOptions {
  /** `http://phx-ai01:6333`, without path, user and password. */
  readonly url: string;
  /** A read-only key suffices, and is all that deadair should be given. */
  readonly apiKey?: string;
  /** PEM of one or more authorities; when given, only these are trusted. */
  readonly ca?: string;
  /** Overrides of the deadlines in `limits`, ms. */
  readonly deadlinesMs?: { readonly connect?: number; readonly http?: number; readonly count?: number };
}

/**
 * An open client. Every method has its own deadline and throws WatchdogError: `net/unreachable`, `net/timeout`, `net/tls`,
 * `http/*`, `output/too-large`, or `aborted`. A retry may help unless the error is `permanent`.
 */
export interface QdrantClient extends AsyncDisposable {
  /** `qdrant:http://phx-ai01:6333`: what evidence is keyed by. */
  readonly address: string;
  /**
   * Qdrant's version, such as `1.19.0`. `GET /` needs no key, so this says nothing about the key.
   *
   * @throws WatchdogError `http/not-understood` also when something else than a Qdrant answers.
   */
  version(signal: AbortSignal): Promise<string>;
  /** Names of all collections that the key may see, each once, in no order. A key of single collections filters silently. */
  collections(signal: AbortSignal): Promise<readonly string[]>;
  /** What Qdrant says of a collection's state: `green`, `yellow`, `grey`, `red`, or a later word. */
  status(collection: string, signal: AbortSignal): Promise<string>;
  /** The exact number of points over all shards. Costs Qdrant time and memory in proportion to it. */
  count(collection: string, signal: AbortSignal): Promise<number>;
  aliases(signal: AbortSignal): Promise<readonly CollectionAlias[]>;
  /** Needs a key with global rights: `http/forbidden` tells that the key sees only some collections. */
  cluster(signal: AbortSignal): Promise<ClusterState>;
  /** Ends all connections at once; questions under way end as `aborted`. */
  close(): Promise<void>;
}

/**
 * Opens a client; nothing is sent yet.
 *
 * @throws WatchdogError `config/invalid` for a URL, key or CA that can never work; a retry cannot help.
 */
export function openQdrant(options: QdrantOptions): QdrantClient {
  const { url, apiKey, ca, deadlinesMs } = options;
  const httpMs = deadlinesMs?.http ?? limits.httpMs;
  const countMs = deadlinesMs?.count ?? limits.countMs;
  const http = openHttp({
    service: 'Qdrant',
    url,
    exampleUrl: 'http://localhost:6333',
    credentialKey: 'api_key',
    credential: apiKey,
    ca,
    connectMs: deadlinesMs?.connect,
  });
  const { origin } = http;
  const headers = { accept: 'application/json', ...(apiKey === undefined ? {} : { 'api-key': apiKey }) };
  const ask = async <T>(request: Omit<HttpRequest, 'headers'>, schema: z.ZodType<T>): Promise<T> => {
    const type = request.body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await http.send({ ...request, headers: { ...headers, ...type } });
    if (answer.status !== 200) throw explainStatus(answer, apiKey !== undefined);
    return readJson(answer, schema);
  };
  const get = <T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> =>
    ask({ method: 'GET', path, signal, deadlineMs: httpMs }, schema);

  return {
    address: `qdrant:${origin}`,
    async version(signal) {
      const root = await get('/', schemas.root, signal);
      if (/qdrant/i.test(root.title) && root.version !== '') return root.version;
      throw new WatchdogError('http/not-understood', `GET / on ${origin}: answers, but is not a Qdrant`, {
        hint: 'Set url to the REST port of Qdrant, 6333 unless it was changed',
        permanent: true,
      });
    },
    async collections(signal) {
      const { result } = await get('/collections', schemas.collections, signal);
      return [...new Set(result.collections.map(({ name }) => name))];
    },
    status: async (collection, signal) => (await get(pathOf(collection), schemas.info, signal)).result.status,
    async count(collection, signal) {
      const path = `${pathOf(collection)}/points/count`;
      const body = '{"exact":true}';
      const { result } = await ask({ method: 'POST', path, body, signal, deadlineMs: countMs }, schemas.count);
      return result.count;
    },
    aliases: async (signal) => (await get('/aliases', schemas.aliases, signal)).result.aliases,
    cluster: async (signal) => (await get('/cluster', schemas.cluster, signal)).result,
    close: () => http.close(),
    [Symbol.asyncDispose]: () => http.close(),
  };
}

/** A name of dots alone stays as it is: the path is sent raw, and Qdrant does not normalise it. */
function pathOf(collection: string): string {
  return `/collections/${encodeURIComponent(collection)}`;
}
