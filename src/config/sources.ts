/** Reads `qdrant`: the sources, live Qdrants whose collections must be protected. */

import { resolve } from 'node:path';
import { origin } from '../support/origin.ts';
import { path } from '../support/schemas.ts';
import { secret } from '../support/secrets.ts';
import { readFields } from './fields.ts';
import type { Section } from './names.ts';
import type { SourceSettings } from './settings.ts';

const shape = { url: origin('http://localhost:6333', 'api_key'), api_key: secret.optional(), ca: path.optional() };

/** @returns the sources without mistakes. */
export function readSources(section: Section, baseDirectory: string): ReadonlyMap<string, SourceSettings> {
  const sources = new Map<string, SourceSettings>();
  for (const [name, place] of section) {
    const { isWhole, values } = readFields(place, shape);
    if (!isWhole) continue;
    const { url, api_key: apiKey, ca } = values;
    sources.set(name, { url, apiKey: apiKey ?? null, ca: ca === undefined ? null : resolve(baseDirectory, ca) });
  }
  return sources;
}
