/** What a look needs to remember: collections once seen, and digests once read. The store fits it; so does nothing but memory. */

import type { FileView, Reading, ReadingOutcome, RememberedCollection } from '../core/model/evidence.ts';

/** The part of the store that gathering and reading use. `check PATH` has one that lives as long as the process. */
export interface Memory {
  readonly inventory: {
    remembered(address: string): readonly RememberedCollection[];
    recordSight(
      address: string,
      collections: readonly { readonly name: string; readonly points: number | null }[],
      atMs: number,
    ): void;
  };
  readonly ledger: {
    isAddressKnown(address: string): boolean;
    load(address: string): { readonly reading: (file: FileView) => Reading | undefined };
    recordSeen(
      address: string,
      files: readonly FileView[],
      options: { readonly isBacklog: boolean; readonly atMs: number },
    ): void;
    recordOutcome(address: string, file: FileView, outcome: ReadingOutcome, atMs: number): void;
  };
}

/** A memory that nothing outlives: everything it is shown is a first sight. */
export function createPassingMemory(): Memory {
  const collections = new Map<string, RememberedCollection[]>();
  const readings = new Map<string, Reading>();
  return {
    inventory: {
      remembered: (address) => collections.get(address) ?? [],
      recordSight: (address, seen, atMs) => {
        const common = { firstSeenAtMs: atMs, lastSeenAtMs: atMs, isBaseline: true };
        collections.set(
          address,
          seen.map((collection) => ({ ...collection, ...common })),
        );
      },
    },
    ledger: {
      isAddressKnown: () => false,
      load: (address) => ({ reading: (file) => readings.get(key(address, file)) }),
      recordSeen: (address, files, { isBacklog, atMs }) => {
        for (const file of files) {
          const known = readings.get(key(address, file));
          if (known === undefined) {
            readings.set(key(address, file), { firstSeenAtMs: atMs, isBacklog, firstSha256: null, outcome: null });
          }
        }
      },
      recordOutcome: (address, file, outcome, atMs) => {
        const known = readings.get(key(address, file));
        const digest = outcome.kind === 'digest' ? outcome.sha256 : null;
        readings.set(key(address, file), {
          firstSeenAtMs: known?.firstSeenAtMs ?? atMs,
          isBacklog: known?.isBacklog ?? true,
          firstSha256: known?.firstSha256 ?? digest,
          outcome,
        });
      },
    },
  };
}

function key(address: string, { path, sizeBytes, mtimeNs, ctimeNs, inode }: FileView): string {
  return JSON.stringify([address, path, sizeBytes, mtimeNs, ctimeNs, inode]);
}
