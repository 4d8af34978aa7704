/** The catalogue of a target: which of its files are snapshots, of what, and made when. Made from a listing and the manifests. */

import type { FileView, Witness } from '../model/evidence.ts';
import type { TargetWorld } from '../model/world.ts';
import { layoutMatcher } from './globs.ts';

/** A stamp this far ahead of our clock is skew; beyond it is a time in the future, which makes nothing fresh. */
export const futureSkewMs = 5 * 60_000;

/** One backup file on a target. */
export interface Snapshot {
  readonly file: FileView;
  /** Null when neither manifest, name, layout nor directory tells. */
  readonly collection: string | null;
  readonly madeAtMs: number;
  /** Where the time comes from, most trusted first. */
  readonly madeAtFrom: 'manifest' | 'name' | 'arrival' | 'mtime';
  readonly witnesses: readonly Witness[];
  /** A manifest that claims to list everything where this file lies; null when there is none. */
  readonly governedBy: string | null;
}

/** Everything a rule may ask of a target that could be seen. */
export interface Catalogue {
  readonly snapshots: readonly Snapshot[];
  readonly byCollection: ReadonlyMap<string, readonly Snapshot[]>;
  /** What manifests list and the listing does not have; `arriving` when a copy in flight has its name. */
  readonly missing: readonly { readonly path: string; readonly witness: Witness; readonly isArriving: boolean }[];
  /** Files that are no snapshots but that a manifest lists: their bytes are checked as well. */
  readonly others: readonly Snapshot[];
  /** Why the absence of a file proves nothing; null when the listing is whole. */
  readonly incomplete: string | null;
}

/** Qdrant's own name for a snapshot of one collection: `{collection}-{peer}-{YYYY-MM-DD-HH-MM-SS}.snapshot`, UTC. */
const qdrantName = /^(?<collection>.+)-(?<peer>\d+)-(?<stamp>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)\.snapshot$/s;
/** A snapshot of one shard, or of the whole storage, is not a snapshot of a collection. */
const otherQdrantName = /^(?:.+-shard-\d{1,5}|full-snapshot)-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.snapshot$/s;
/** rsync's name for a file in flight: a dot, the name, a dot, six characters. */
const inFlightName = /^\.(?<name>.+)\.[A-Za-z0-9]{6}$/s;

/**
 * Catalogues a target that was seen.
 *
 * @param target one whose evidence is `seen`; anything else is a mistake of the caller.
 */
export function catalogue(target: TargetWorld): Catalogue {
  if (!target.evidence.seen) throw new Error(`catalogue: ${target.name} was not seen`);
  const { listing, manifests } = target.evidence.value;
  const governing = manifests.complete.toSorted((a, b) => b.directory.length - a.directory.length);
  const collectionByLayout = layoutMatcher(target.layout);
  const listed = new Set<string>();
  const inFlight = new Set<string>();
  const snapshots: Snapshot[] = [];
  const others: Snapshot[] = [];
  for (const file of listing.files) {
    listed.add(file.path);
    const slash = file.path.lastIndexOf('/');
    const name = file.path.slice(slash + 1);
    const flight = name.startsWith('.') ? inFlightName.exec(name) : null;
    if (flight !== null) {
      inFlight.add(file.path.slice(0, slash + 1) + (flight.groups?.['name'] ?? ''));
      continue;
    }
    const witnesses = manifests.witnesses.get(file.path) ?? [];
    const isSnapshot = isSnapshotName(name) || witnesses.some(({ collection }) => collection !== undefined);
    const byLayout = isSnapshot ? null : collectionByLayout(file.path);
    if (!isSnapshot && byLayout === null && witnesses.length === 0) continue;
    const directory = slash < 0 ? '' : file.path.slice(0, slash);
    const entry: Snapshot = {
      file,
      ...describe(file, name, directory, witnesses, collectionByLayout),
      witnesses,
      governedBy: governing.find((claim) => lies(file.path, claim.directory))?.manifest ?? null,
    };
    if (isSnapshot || byLayout !== null) snapshots.push(entry);
    else others.push(entry);
  }
  const missing = [...manifests.witnesses]
    .filter(([path]) => !listed.has(path))
    .map(([path, witnesses]) => ({ path, witness: witnesses[0] as Witness, isArriving: inFlight.has(path) }));
  const blind = listing.unreadable[0];
  return {
    snapshots,
    others,
    missing,
    byCollection: Map.groupBy(
      snapshots.filter((snapshot) => snapshot.collection !== null),
      (snapshot) => snapshot.collection as string,
    ),
    incomplete: blind === undefined ? null : blind.why.message,
  };
}

function isSnapshotName(name: string): boolean {
  return name.endsWith('.snapshot') && !otherQdrantName.test(name);
}

function lies(path: string, directory: string): boolean {
  return directory === '' || path.startsWith(`${directory}/`);
}

function describe(
  file: FileView,
  name: string,
  directory: string,
  witnesses: readonly Witness[],
  collectionByLayout: (path: string) => string | null,
): Pick<Snapshot, 'collection' | 'madeAtMs' | 'madeAtFrom'> {
  const own = qdrantName.exec(name)?.groups;
  const fromManifest = witnesses.find(({ collection }) => collection !== undefined);
  const parent = directory.slice(directory.lastIndexOf('/') + 1);
  const collection =
    fromManifest?.collection ?? own?.['collection'] ?? collectionByLayout(file.path) ?? (parent === '' ? null : parent);
  const manifestMs = witnesses.find(({ madeAtMs }) => madeAtMs !== undefined)?.madeAtMs;
  if (manifestMs !== undefined) return { collection, madeAtMs: manifestMs, madeAtFrom: 'manifest' };
  const stampMs = own === undefined ? Number.NaN : stampToMs(own['stamp'] ?? '');
  if (!Number.isNaN(stampMs)) return { collection, madeAtMs: stampMs, madeAtFrom: 'name' };
  if (file.ctimeNs !== null) return { collection, madeAtMs: nsToMs(file.ctimeNs), madeAtFrom: 'arrival' };
  return { collection, madeAtMs: nsToMs(file.mtimeNs), madeAtFrom: 'mtime' };
}

/** `2026-11-22-02-15-04`, UTC, to epoch ms; NaN for a date that does not exist. */
function stampToMs(stamp: string): number {
  const [year, month, day, hour, minute, second] = stamp.split('-');
  // oxlint-disable-next-line no-restricted-globals -- parsing a text reads no clock
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Decimal ns to ms; exact enough, since ages are told in minutes. */
export function nsToMs(ns: string): number {
  return Math.floor(Number(ns) / 1e6);
}
