/** The routes of the lab's Qdrant: what each answers from storage, as Qdrant 1.19 does. It holds nothing itself. */

import { z } from 'zod';
import { collectionConfig } from './qdrant-archive.ts';
import { failed, ok } from './qdrant-replies.ts';
import type { LabReply, LabRequest } from './qdrant-replies.ts';
import type { LabStorage } from './qdrant-storage.ts';

/** The version that the lab says it is. */
export const labVersion = '1.19.0';

interface Route {
  readonly method: string;
  /** Segments; one that begins with a colon takes any. */
  readonly path: readonly string[];
  /** True when a read-only key may not. */
  readonly writes?: true;
  /** @param names what the colons took, in order. */
  readonly answer: (storage: LabStorage, names: readonly string[], body: unknown) => LabReply;
}

/**
 * Answers one request whose key was found good.
 *
 * @param isReadOnly true when the key may only read: it gets a 403 for the rest.
 */
export function answerFrom(storage: LabStorage, request: LabRequest, isReadOnly: boolean): LabReply {
  const route = routes.find(({ method, path }) => method === request.method && matches(path, request.segments));
  if (route === undefined) return { kind: 'bare', status: 404 };
  if (route.writes === true && isReadOnly) return failed(403, 'Forbidden: Global manage access is required');
  const names = request.segments.filter((_, index) => route.path[index]?.startsWith(':') === true);
  return route.answer(storage, names, request.body);
}

function matches(path: readonly string[], segments: readonly string[]): boolean {
  return (
    path.length === segments.length && path.every((part, index) => part.startsWith(':') || part === segments[index])
  );
}

/** Answers for the collection that the first name stands for, directly or as an alias. */
function ofCollection(answer: (storage: LabStorage, name: string, body: unknown, file: string) => LabReply) {
  return (storage: LabStorage, [asked = '', file = '']: readonly string[], body: unknown): LabReply => {
    const name = storage.resolve(asked);
    if (name === null) return failed(404, `Not found: Collection \`${asked}\` doesn't exist!`);
    return answer(storage, name, body, file);
  };
}

function text(message: string): Route['answer'] {
  return () => ({ kind: 'text', status: 200, text: message });
}

const collection = ['collections', ':collection'] as const;

const routes: readonly Route[] = [
  {
    method: 'GET',
    path: [],
    answer: () => ({
      kind: 'json',
      status: 200,
      body: { title: 'qdrant - vector search engine', version: labVersion, commit: '0'.repeat(40) },
    }),
  },
  { method: 'GET', path: ['healthz'], answer: text('healthz check passed') },
  { method: 'GET', path: ['livez'], answer: text('healthz check passed') },
  { method: 'GET', path: ['readyz'], answer: text('all shards are ready') },
  {
    method: 'GET',
    path: ['collections'],
    answer: (storage) => ok({ collections: unordered(storage.names()).map((name) => ({ name })) }),
  },
  { method: 'GET', path: ['aliases'], answer: (storage) => ok({ aliases: unordered(storage.aliases()) }) },
  { method: 'GET', path: ['cluster'], answer: () => ok({ status: 'disabled' }) },
  { method: 'POST', path: ['collections', 'aliases'], writes: true, answer: changeAliases },
  { method: 'GET', path: collection, answer: ofCollection((storage, name) => ok(describe(storage.points(name)))) },
  { method: 'PUT', path: collection, writes: true, answer: createCollection },
  { method: 'DELETE', path: collection, writes: true, answer: (storage, [name = '']) => ok(storage.delete(name)) },
  { method: 'GET', path: [...collection, 'cluster'], answer: ofCollection(describeShards) },
  { method: 'PUT', path: [...collection, 'points'], writes: true, answer: ofCollection(upsert) },
  {
    method: 'POST',
    path: [...collection, 'points', 'count'],
    answer: ofCollection((storage, name) => ok({ count: storage.points(name) })),
  },
  {
    method: 'GET',
    path: [...collection, 'snapshots'],
    answer: ofCollection((storage, name) => ok(unordered(storage.snapshots(name)))),
  },
  { method: 'POST', path: [...collection, 'snapshots'], writes: true, answer: ofCollection(takeSnapshot) },
  { method: 'GET', path: [...collection, 'snapshots', ':file'], answer: download },
  {
    method: 'DELETE',
    path: [...collection, 'snapshots', ':file'],
    writes: true,
    answer: ofCollection((storage, name, _, file) =>
      storage.deleteSnapshot(name, file) ? ok(true) : failed(404, `Not found: Snapshot ${file} not found`),
    ),
  },
];

/** Qdrant lists in no order; here in one that is neither by name nor by time, so that nobody comes to rely on either. */
function unordered<T>(items: readonly T[]): readonly T[] {
  const middle = Math.ceil(items.length / 2);
  return [...items.slice(middle).toReversed(), ...items.slice(0, middle)];
}

function describe(points: number): unknown {
  return {
    status: 'green',
    optimizer_status: 'ok',
    indexed_vectors_count: 0,
    points_count: points,
    segments_count: 2,
    config: collectionConfig,
    payload_schema: {},
    update_queue: { length: 0 },
  };
}

function describeShards(storage: LabStorage, name: string): LabReply {
  const shard = { shard_id: 0, points_count: storage.points(name), state: 'Active' };
  return ok({
    peer_id: storage.peerId,
    shard_count: 1,
    local_shards: [shard],
    remote_shards: [],
    shard_transfers: [],
  });
}

function createCollection(storage: LabStorage, [name = '']: readonly string[]): LabReply {
  const problem = nameProblem(name);
  if (problem !== null) return failed(422, `Validation error in path: [name: ${problem}]`);
  if (storage.create(name, 0)) return ok(true);
  return failed(409, `Wrong input: Collection \`${name}\` already exists!`);
}

/** The rules of `common/validation.rs` since 1.5. */
function nameProblem(name: string): string | null {
  if (name.length === 0 || Array.from(name).length > 255) return 'must be between 1 and 255 characters';
  const forbidden = Array.from(name).find((character) => '<>:"/\\|?*\0\u001f'.includes(character));
  return forbidden === undefined ? null : `collection name cannot contain ${JSON.stringify(forbidden)} char`;
}

const pointsBody = z.object({ points: z.array(z.object({ id: z.union([z.number().int(), z.string()]) })) });

function upsert(storage: LabStorage, name: string, body: unknown): LabReply {
  const parsed = pointsBody.safeParse(body);
  if (!parsed.success) return failed(400, 'Format error in JSON body: points were expected');
  storage.upsert(
    name,
    parsed.data.points.map(({ id }) => id),
  );
  return ok({ operation_id: 0, status: 'completed' });
}

const aliasesBody = z.object({
  actions: z.array(
    z.union([
      z.object({ create_alias: z.object({ collection_name: z.string(), alias_name: z.string() }) }),
      z.object({ delete_alias: z.object({ alias_name: z.string() }) }),
    ]),
  ),
});

function changeAliases(storage: LabStorage, _names: readonly string[], body: unknown): LabReply {
  const parsed = aliasesBody.safeParse(body);
  if (!parsed.success) return failed(400, 'Format error in JSON body: actions were expected');
  for (const action of parsed.data.actions) {
    if ('delete_alias' in action) {
      storage.setAlias(action.delete_alias.alias_name, null);
    } else {
      const { alias_name: alias, collection_name: target } = action.create_alias;
      if (!storage.names().includes(target)) return failed(404, `Not found: Collection \`${target}\` doesn't exist!`);
      storage.setAlias(alias, target);
    }
  }
  return ok(true);
}

function takeSnapshot(storage: LabStorage, name: string): LabReply {
  try {
    const { name: file } = storage.takeSnapshot(name);
    return ok(storage.snapshots(name).find((snapshot) => snapshot.name === file));
  } catch (thrown) {
    return failed(500, `Service internal error: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

/** Unlike everything else, the download says its errors in text. */
function download(storage: LabStorage, [asked = '', file = '']: readonly string[]): LabReply {
  const name = storage.resolve(asked);
  if (name === null) {
    return { kind: 'text', status: 404, text: `Not found: Collection \`${asked}\` doesn't exist!` };
  }
  const path = storage.snapshotPath(name, file);
  if (path === null) return { kind: 'text', status: 404, text: `Not found: Snapshot ${file} not found` };
  return { kind: 'file', path, name: file };
}
