/**
 * Looks at a live Qdrant and tells what is there: version, collections with exact counts, aliases, and whether the list can
 * be whole. Made from a client. It judges nothing: an empty list is seen as an empty list.
 */

import type { AliasView, CollectionView, Evidence, SourceView } from '../core/model/evidence.ts';
import { unseenFrom, WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { printablePath } from '../support/printable.ts';

/** What the probe asks. Each method throws WatchdogError, and has its own deadline. */
export interface QdrantSource {
  /** What the evidence is keyed by. */
  readonly address: string;
  version(signal: AbortSignal): Promise<string>;
  /** Names, each once. */
  collections(signal: AbortSignal): Promise<readonly string[]>;
  /** Such as `green` or `red`. */
  status(collection: string, signal: AbortSignal): Promise<string>;
  /** Exact. `http/not-found` when the collection does not exist. */
  count(collection: string, signal: AbortSignal): Promise<number>;
  aliases(signal: AbortSignal): Promise<readonly AliasView[]>;
  /** `http/forbidden` when the key sees only some collections. */
  cluster(
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'disabled' } | { readonly kind: 'enabled'; readonly peers: readonly unknown[] }>;
}

/** How to look. */
export interface ProbeOptions {
  readonly signal: AbortSignal;
  /** Epoch ms. */
  readonly nowMs: () => number;
  /** Time for all counts together, ms; default `limits.countsMs`. */
  readonly countsMs?: number;
}

type Points = CollectionView['points'];

/**
 * Looks once. Failures of the world are `seen: false`, or a collection without a count, and are never thrown.
 *
 * @returns evidence as old as its first question, collections ordered by name.
 */
export async function probeSource(client: QdrantSource, options: ProbeOptions): Promise<Evidence<SourceView>> {
  const stamp = { address: client.address, observedAtMs: options.nowMs() };
  try {
    return { seen: true, ...stamp, value: await look(client, options) };
  } catch (thrown) {
    return { seen: false, ...stamp, why: unseenFrom(thrown) };
  }
}

async function look(client: QdrantSource, options: ProbeOptions): Promise<SourceView> {
  const { signal } = options;
  const version = await client.version(signal);
  const asked = [client.collections(signal), lookAtScope(client, signal), client.aliases(signal)] as const;
  // All are waited for, so that none fails unheard; then the first failure in this order is the one told.
  await Promise.allSettled(asked);
  const [names, scope, aliases] = await Promise.all(asked);
  const counts = await countAll(client, names, options);
  const gone = await findGone(client, counts, signal);
  if (signal.aborted) throw new WatchdogError('aborted', `Looking at ${client.address} was stopped by us`);
  const collections = [...counts]
    .filter(([name]) => !gone.has(name))
    .map(([name, points]): CollectionView => ({ name, points }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return { version, collections, aliases, scope };
}

async function lookAtScope(client: QdrantSource, signal: AbortSignal): Promise<SourceView['scope']> {
  try {
    const cluster = await client.cluster(signal);
    return cluster.kind === 'disabled' || cluster.peers.length === 1 ? 'whole' : 'cluster';
  } catch (thrown) {
    if (thrown instanceof WatchdogError && thrown.code === 'http/forbidden') return 'filtered';
    // Without /cluster we cannot tell that the list is whole, so nothing is.
    throw thrown;
  }
}

async function countAll(
  client: QdrantSource,
  names: readonly string[],
  options: ProbeOptions,
): Promise<ReadonlyMap<string, Points>> {
  const counts = new Map<string, Points>();
  const countsMs = options.countsMs ?? limits.countsMs;
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
  }, countsMs);
  // The workers share one iterator: each takes the next name that nobody has taken.
  const queue = names.values();
  const work = async (): Promise<void> => {
    for (const name of queue) {
      counts.set(name, isOver ? overtime(client, name, countsMs) : await countOne(client, name, options.signal));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(limits.qdrantParallel, names.length) }, work));
  } finally {
    clearTimeout(timer);
  }
  return counts;
}

async function countOne(client: QdrantSource, name: string, signal: AbortSignal): Promise<Points> {
  try {
    return { seen: true, count: await client.count(name, signal) };
  } catch (thrown) {
    const why = unseenFrom(thrown);
    if (why.code === 'http/not-found') return { seen: false, why };
    return { seen: false, why: { ...why, message: `${why.message}${await stateOf(client, name, signal)}` } };
  }
}

/** What Qdrant itself says of a collection that cannot be counted, as the end of a sentence; nothing when it says nothing. */
async function stateOf(client: QdrantSource, name: string, signal: AbortSignal): Promise<string> {
  try {
    return `; Qdrant calls the collection ${printablePath(await client.status(name, signal))}`;
  } catch (thrown) {
    // A shard that was not loaded answers 500 here as well, and that is told already.
    unseenFrom(thrown);
    return '';
  }
}

function overtime(client: QdrantSource, name: string, countsMs: number): Points {
  const message = `${name} on ${client.address} was not counted: the other counts took all of ${countsMs / 1_000}s`;
  return { seen: false, why: { code: 'net/timeout', message, hint: 'Look at the load of that Qdrant' } };
}

/**
 * Collections deleted while we looked: not there to be counted, and not on a second list either. One that is on the
 * second list, or a second list that fails, keeps its place, so that no trouble of Qdrant shrinks the view (G6).
 */
async function findGone(
  client: QdrantSource,
  counts: ReadonlyMap<string, Points>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const missing = [...counts]
    .filter(([, points]) => !points.seen && points.why.code === 'http/not-found')
    .map(([name]) => name);
  if (missing.length === 0) return new Set();
  try {
    const present = new Set(await client.collections(signal));
    return new Set(missing.filter((name) => !present.has(name)));
  } catch (thrown) {
    unseenFrom(thrown);
    return new Set();
  }
}
