/**
 * What Qdrant's REST answers look like, as zod schemas that turn them into our words. Unknown keys are ignored, and
 * absent ones taken where Qdrant leaves them out (v1.19.0, `lib/api/src/rest/models.rs`): it omits, and writes no null.
 */

import { z } from 'zod';

/** A collection's own description of itself. */
export interface CollectionInfo {
  /** `green`, `yellow`, `grey`, `red`, or a later word. */
  readonly status: string;
  /** Approximate, and null while Qdrant cannot tell. `count` is the exact one. */
  readonly approximatePoints: number | null;
  /** Number of shards in the configuration; null where the answer leaves it out. */
  readonly shards: number | null;
}

/** An alias and the collection it stands for. */
export interface CollectionAlias {
  readonly alias: string;
  readonly collection: string;
}

/** Whether this Qdrant is one peer of a cluster. */
export type ClusterState =
  | { readonly kind: 'disabled' }
  /** Ids of all peers, this one included. Strings: they are 64 bits wide, more than a number keeps. */
  | { readonly kind: 'enabled'; readonly peers: readonly string[] };

/** A snapshot as Qdrant lists it. */
export interface SnapshotDescription {
  readonly name: string;
  readonly sizeBytes: number;
  /** 64 lower-case hex digits; null where Qdrant has none: storage on S3, no sidecar, or an instant after creation. */
  readonly sha256: string | null;
  /** The file's birth time, reset by copying; null where the file system has none. The stamp in the name is better. */
  readonly createdAtMs: number | null;
}

/** A name can be looked up only when it is not empty and made of whole characters. */
const name = z
  .string()
  .min(1)
  .refine((text) => text.isWellFormed(), 'a name with half a character');

const amount = z.number().int().nonnegative();

function enveloped<T>(result: z.ZodType<T>): z.ZodType<{ readonly result: T }> {
  return z.object({ status: z.literal('ok'), result });
}

/** `GET /`, which alone has no envelope. What is no text reads as empty, so that another service is told from a broken one. */
export const root = z.object({ title: z.string().catch(''), version: z.string().catch('') });

/** `GET /collections`. */
export const collections = enveloped(z.object({ collections: z.array(z.object({ name })) }));

/** `GET /collections/{c}` → {@link CollectionInfo}. */
export const info = enveloped(
  z
    .object({
      status: z.string(),
      points_count: amount.nullish(),
      config: z.object({ params: z.object({ shard_number: amount.optional() }).optional() }).optional(),
    })
    .transform((found): CollectionInfo => ({
      status: found.status,
      approximatePoints: found.points_count ?? null,
      shards: found.config?.params?.shard_number ?? null,
    })),
);

/** `POST /collections/{c}/points/count`. */
export const count = enveloped(z.object({ count: amount }));

/** `GET /aliases` → {@link CollectionAlias}. */
export const aliases = enveloped(
  z.object({
    aliases: z.array(
      z
        .object({ alias_name: name, collection_name: name })
        .transform((found): CollectionAlias => ({ alias: found.alias_name, collection: found.collection_name })),
    ),
  }),
);

/** `GET /cluster` → {@link ClusterState}. */
export const cluster = enveloped(
  z.discriminatedUnion('status', [
    z.object({ status: z.literal('disabled') }).transform((): ClusterState => ({ kind: 'disabled' })),
    z
      .object({ status: z.literal('enabled'), peers: z.record(z.string(), z.unknown()) })
      .transform((found): ClusterState => ({ kind: 'enabled', peers: Object.keys(found.peers) })),
  ]),
);

/** `GET /collections/{c}/snapshots` → {@link SnapshotDescription}. */
export const snapshots = enveloped(
  z.array(
    z
      .object({
        name,
        size: amount,
        checksum: z
          .string()
          .regex(/^[0-9a-f]{64}$/, '64 hex digits')
          .nullish(),
        creation_time: z.string().nullish(),
      })
      .transform((found): SnapshotDescription => ({
        name: found.name,
        sizeBytes: found.size,
        sha256: found.checksum ?? null,
        createdAtMs: parseCreationTime(found.creation_time),
      })),
  ),
);

/** Qdrant writes UTC without a Z, which `Date` alone would read as local time. */
function parseCreationTime(text: string | null | undefined): number | null {
  if (text === null || text === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?$/.test(text)) return null;
  const atMs = Date.parse(`${text}Z`);
  return Number.isNaN(atMs) ? null : atMs;
}
