/**
 * What Qdrant's REST answers look like, as zod schemas that turn them into our words. Unknown keys are ignored, and
 * absent ones taken where Qdrant leaves them out (v1.19.0, `lib/api/src/rest/models.rs`): it omits, and writes no null.
 */

import { z } from 'zod';

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

/** `GET /collections/{c}`: `green`, `yellow`, `grey`, `red`, or a later word. */
export const info = enveloped(z.object({ status: z.string() }));

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
