/** `check PATH`: a setup without a configuration, for one directory and perhaps one Qdrant. It remembers nothing. */

import { availableParallelism, hostname } from 'node:os';
import type { Rule } from '../core/model/rule.ts';
import { coverage } from '../core/findings/coverage.ts';
import { freshness } from '../core/findings/freshness.ts';
import { integrity } from '../core/findings/integrity.ts';
import { reachable } from '../core/findings/reachable.ts';
import type { World } from '../core/model/world.ts';
import { openQdrant } from '../clients/qdrant.ts';
import { openPlaceHere } from '../probes/place-here.ts';
import { createManifestCache } from '../probes/target.ts';
import { builtInRules } from './kinds.ts';
import type { Setup } from './setup.ts';

/** What the command line says. */
export interface BareOptions {
  /** The directory, as the operator wrote it; it names the target too. */
  readonly path: string;
  readonly maxAgeMs: number | null;
  readonly qdrant: { readonly url: string; readonly apiKey?: string } | null;
}

/** Collections without a Qdrant to name them: those whose snapshots lie there. */
const sourceOfCopies = 'copies';

/**
 * Makes the setup: `integrity` always, `freshness` with a `maxAgeMs`, `coverage` of one copy with a Qdrant, all critical.
 *
 * @throws WatchdogError `config/invalid` when the URL cannot be one of a Qdrant.
 */
export function openBareSetup({ path, maxAgeMs, qdrant }: BareOptions): Setup {
  const source = qdrant === null ? sourceOfCopies : new URL(qdrant.url).hostname;
  const client = qdrant === null ? null : openQdrant(qdrant);
  const rule = (kind: string, parameters: object): Rule => ({
    id: `${source}/${kind}`,
    kind,
    file: 'the command line',
    sources: [source],
    targets: [path],
    collections: null,
    severity: 'critical',
    timezone: 'UTC',
    forMs: 0,
    except: [],
    escalate: null,
    parameters,
  });
  const rules = [
    rule(integrity.kind, integrity.parameters({})),
    ...(maxAgeMs === null ? [] : [rule(freshness.kind, freshness.parameters({ max_age: maxAgeMs }))]),
    ...(client === null ? [] : [rule(coverage.kind, coverage.parameters({}))]),
    ...builtInRules.filter(({ kind }) => kind === reachable.kind),
  ];
  const address = openPlaceHere(path).address;
  return {
    rules,
    policy: { name: hostname(), timezone: 'UTC', ladders: new Map(), receivers: new Set() },
    checkEveryMs: 300_000,
    unknownAfterMs: 900_000,
    sources: new Map(client === null ? [] : [[source, client]]),
    hosts: new Map(),
    targets: [
      {
        name: path,
        host: null,
        machine: 'this host',
        address,
        layout: null,
        cores: availableParallelism(),
        idle: false,
        manifestCache: createManifestCache(),
        openPlace: async () => openPlaceHere(path),
      },
    ],
    receivers: new Map(),
    close: async () => client?.close(),
  };
}

/** Where no Qdrant says which collections there are, those count whose snapshots were found. */
export function withCollectionsFound(world: World): World {
  if (world.sources.length > 0) return world;
  const found = world.targets.flatMap(({ catalogue }) => [...(catalogue?.byCollection.keys() ?? [])]);
  const observedAtMs = Math.min(...world.targets.map(({ evidence }) => evidence.observedAtMs));
  const names = [...new Set(found)];
  return {
    ...world,
    sources: [
      {
        name: sourceOfCopies,
        evidence: {
          seen: true,
          address: sourceOfCopies,
          observedAtMs,
          value: { version: '', collections: [], aliases: [], scope: 'whole' },
        },
        remembered: names.map((name) => ({
          name,
          firstSeenAtMs: observedAtMs,
          lastSeenAtMs: observedAtMs,
          isBaseline: true,
          points: null,
        })),
      },
    ],
  };
}
