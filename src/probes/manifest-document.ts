/** Reads `manifest.json` of a backup run (`deadair.manifest/1`). Made from its text; other programs' files are left alone. */

import { z } from 'zod';
import type { Witness } from '../core/model/evidence.ts';

/** What a document says about files, by the name it gives them. */
export interface DocumentReading {
  readonly entries: readonly { readonly name: string; readonly witness: Omit<Witness, 'manifest'> }[];
  /** True when it claims to list everything around it. */
  readonly isComplete: boolean;
  readonly problems: readonly string[];
}

const ours = 'deadair.manifest/';

/** @returns null when it is another program's document. */
export function readManifestDocument(text: string): DocumentReading | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return problem('is no JSON: empty, cut off or damaged');
  }
  const format = z.object({ format: z.string().startsWith(ours) }).safeParse(value);
  if (!format.success) return null;
  if (format.data.format !== `${ours}1`)
    return problem(`has the format ${format.data.format}, which is not known here`);
  const head = headSchema.safeParse(value);
  if (!head.success) return problem(firstIssue(head.error));
  if (!head.data.complete) return problem('says of itself that it is not complete');
  return readCollections(head.data);
}

const timestamp = z.iso.datetime({ offset: true });
const digest = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/)
  .transform((hex) => hex.toLowerCase());

const headSchema = z.object({ complete: z.boolean(), startedAt: timestamp, collections: z.array(z.unknown()) });

const collectionSchema = z.object({
  name: z.string().min(1),
  points: z.object({ before: z.int().min(0), after: z.int().min(0) }).nullish(),
  file: z.string().min(1),
  sizeBytes: z.int().min(0),
  sha256: digest,
  qdrantSha256: digest.nullish(),
});

function readCollections({ startedAt, collections }: z.infer<typeof headSchema>): DocumentReading {
  const entries: DocumentReading['entries'][number][] = [];
  const problems: string[] = [];
  for (const [index, value] of collections.entries()) {
    const parsed = collectionSchema.safeParse(value);
    if (!parsed.success) {
      problems.push(`collections[${index}].${firstIssue(parsed.error)}`);
      continue;
    }
    const { name: collection, points, file, sizeBytes, sha256, qdrantSha256 } = parsed.data;
    // The run's beginning: nothing in the snapshot is older than that, while its end may be hours after the data was taken.
    const common = { collection, sizeBytes, madeAtMs: Date.parse(startedAt), ...(points ? { points } : {}) };
    entries.push({ name: file, witness: { sha256, ...common } });
    // Qdrant and the backup disagreeing about the same bytes is a contradiction, and both are heard.
    if (typeof qdrantSha256 === 'string' && qdrantSha256 !== sha256) {
      entries.push({ name: file, witness: { sha256: qdrantSha256, ...common } });
    }
  }
  return { entries, isComplete: problems.length === 0, problems };
}

function problem(message: string): DocumentReading {
  return { entries: [], isComplete: false, problems: [message] };
}

function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  return issue === undefined ? 'has another shape' : `${issue.path.join('.')}: ${issue.message}`;
}
