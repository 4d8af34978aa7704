/**
 * A Qdrant's REST API as far as deadair reads it: version, collections, exact counts, aliases, cluster. Made from
 * a URL and a key. It writes nothing (G8): every call is a GET, but for the count, which Qdrant takes as a POST.
 */

import { X509Certificate } from 'node:crypto';
import type { z } from 'zod';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { openJsonHttp } from './qdrant-http.ts';
import * as schemas from './qdrant-schemas.ts';
import type { ClusterState, CollectionAlias } from './qdrant-schemas.ts';

/** Which Qdrant, and how patient to be with it. */
export interface QdrantOptions {
  /** `http://phx-ai01:6333`, or with a path where a proxy adds one. Without user and password. */
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
  const { origin, prefix } = parseUrl(options.url);
  requireKey(origin, options.apiKey);
  requireCa(origin, options.ca);
  const connectMs = options.deadlinesMs?.connect ?? limits.connectMs;
  const httpMs = options.deadlinesMs?.http ?? limits.httpMs;
  const countMs = options.deadlinesMs?.count ?? limits.countMs;
  const http = openJsonHttp({ origin, prefix, apiKey: options.apiKey, ca: options.ca, connectMs });
  const get = <T>(path: string, answer: z.ZodType<T>, signal: AbortSignal): Promise<T> =>
    http.ask({ method: 'GET', path, answer, signal, deadlineMs: httpMs });

  return {
    address: `qdrant:${origin}${prefix}`,
    async version(signal) {
      const root = await get('/', schemas.root, signal);
      if (/qdrant/i.test(root.title) && root.version !== '') return root.version;
      throw new WatchdogError('http/not-understood', `GET / on ${origin}${prefix}: answers, but is not a Qdrant`, {
        hint: 'Set url to the REST port of Qdrant, 6333 unless it was changed',
        permanent: true,
      });
    },
    async collections(signal) {
      const { result } = await get('/collections', schemas.collections, signal);
      return [...new Set(result.collections.map(({ name }) => name))];
    },
    async count(collection, signal) {
      // A name of dots alone stays as it is: the path is sent raw, and Qdrant does not normalise it.
      const path = `/collections/${encodeURIComponent(collection)}/points/count`;
      const body = '{"exact":true}';
      const question = { method: 'POST', path, body, answer: schemas.count, signal, deadlineMs: countMs } as const;
      return (await http.ask(question)).result.count;
    },
    aliases: async (signal) => (await get('/aliases', schemas.aliases, signal)).result.aliases,
    cluster: async (signal) => (await get('/cluster', schemas.cluster, signal)).result,
    close: () => http.close(),
    [Symbol.asyncDispose]: () => http.close(),
  };
}

function parseUrl(text: string): { readonly origin: string; readonly prefix: string } {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    // The text is not repeated: what does not parse may still hold a password.
    throw invalid('a Qdrant url is not one', 'Write it as http://HOST:6333 or https://HOST:6333');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(`the Qdrant url for ${url.host} holds a user or password`, 'Take it out, and use api_key');
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid(`the Qdrant url for ${url.host} has a ? or # part`, 'Write it as http://HOST:6333');
  }
  return { origin: url.origin, prefix: url.pathname.replace(/\/+$/, '') };
}

function requireKey(origin: string, apiKey: string | undefined): void {
  if (apiKey === undefined || /^[\x21-\x7e]+$/.test(apiKey)) return;
  const hint = 'Look for a line break, a space or a quote of another alphabet in it';
  throw invalid(`the api_key for ${origin} is empty or has characters that no HTTP header may carry`, hint);
}

/** Node ignores a CA text that holds no certificate, and then trusts nobody, without saying why. */
function requireCa(origin: string, ca: string | undefined): void {
  if (ca === undefined) return;
  try {
    void new X509Certificate(ca);
  } catch (cause) {
    throw invalid(
      `the ca for ${origin} is not a PEM certificate`,
      'Name the file of the authority’s certificate',
      cause,
    );
  }
}

function invalid(message: string, hint: string, cause?: unknown): WatchdogError {
  return new WatchdogError('config/invalid', message, {
    hint,
    permanent: true,
    ...(cause === undefined ? {} : { cause }),
  });
}
