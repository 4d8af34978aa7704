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
  /** What manifests list and the listing does not have. */
  readonly missing: readonly MissingFile[];
  /** Files that are no snapshots but that a manifest lists: their bytes are checked as well. */
  readonly others: readonly Snapshot[];
  /** Why the absence of a file proves nothing; null when the listing is whole. */
  readonly incomplete: string | null;
}

/** A file that a manifest lists and the listing does not have. */
export interface MissingFile {
  readonly path: string;
  readonly witness: Witness;
  /** Like {@link Snapshot.collection}. */
  readonly collection: string | null;
  /** True when a copy in flight has its name and still grows. */
  readonly isArriving: boolean;
}

/** Qdrant's own name for a snapshot of one collection: `{collection}-{peer}-{YYYY-MM-DD-HH-MM-SS}.snapshot`, UTC. */
const qdrantName = /^(.+)-\d+-(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)\.snapshot$/s;
/** A snapshot of one shard, or of the whole storage, is not a snapshot of a collection. */
const otherQdrantName = /^(?:.+-shard-\d{1,5}|full-snapshot)-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.snapshot$/s;
/** rsync's name for a file in flight: a dot, the name, a dot, six characters. */
const inFlightName = /^\.(.+)\.[A-Za-z0-9]{6}$/s;
/** Where rsync keeps files in flight with `--delay-updates` and, by custom, with `--partial-dir`: under their final name. */
const inFlightDirectory = /^((?:.*\/)?)\.(?:~tmp~|rsync-partial)\/([^/]+)$/s;
/** A copy in flight that has not grown for so long was left behind by a copy that was interrupted. */
const arrivingMs = 3_600_000;

/**
 * Catalogues a target that was seen.
 *
 * @param target one whose evidence is `seen`; anything else is a mistake of the caller.
 */
export function catalogue(target: TargetWorld): Catalogue {
  if (!target.evidence.seen) throw new Error(`catalogue: ${target.name} was not seen`);
  const { observedAtMs, value } = target.evidence;
  const { listing, manifests } = value;
  const governing = manifests.complete.toSorted((a, b) => b.directory.length - a.directory.length);
  const collectionByLayout = layoutMatcher(target.layout);
  const listed = new Set<string>();
  const inFlight = new Set<string>();
  const snapshots: Snapshot[] = [];
  const others: Snapshot[] = [];
  for (const file of listing.files) {
    listed.add(file.path);
    const name = nameOf(file.path);
    const witnesses = manifests.witnesses.get(file.path) ?? [];
    const arrival = witnesses.length > 0 ? null : arrivalOf(file.path, name);
    if (arrival !== null) {
      // Clocks of two hosts differ, so a growth that is a little ahead of us counts as well.
      const isGrowing = Math.abs(observedAtMs - nsToMs(file.ctimeNs ?? file.mtimeNs)) < arrivingMs;
      if (isGrowing) inFlight.add(arrival);
      continue;
    }
    const isSnapshot = isSnapshotName(name) || witnesses.some(({ collection }) => collection !== undefined);
    const byLayout = isSnapshot || otherQdrantName.test(name) ? null : collectionByLayout(file.path);
    if (!isSnapshot && byLayout === null && witnesses.length === 0) continue;
    const own = ownName(name);
    const entry: Snapshot = {
      file,
      collection: collectionOf(file.path, own, witnesses, collectionByLayout),
      ...timeOf(file, own, witnesses),
      witnesses,
      governedBy: governing.find((claim) => lies(file.path, claim.directory))?.manifest ?? null,
    };
    if (isSnapshot || byLayout !== null) snapshots.push(entry);
    else others.push(entry);
  }
  const missing = [...manifests.witnesses]
    .filter(([path]) => !listed.has(path))
    .map(([path, witnesses]) => ({
      path,
      witness: witnesses[0] as Witness,
      collection: collectionOf(path, ownName(nameOf(path)), witnesses, collectionByLayout),
      isArriving: inFlight.has(path),
    }));
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

/** The path that a file in flight is to have; null for a file that has arrived. */
function arrivalOf(path: string, name: string): string | null {
  if (!path.includes('.~tmp~/') && !path.includes('.rsync-partial/') && !name.startsWith('.')) return null;
  const inDirectory = inFlightDirectory.exec(path);
  if (inDirectory !== null) return `${inDirectory[1]}${inDirectory[2]}`;
  const byName = inFlightName.exec(name);
  return byName === null ? null : `${path.slice(0, path.length - name.length)}${byName[1]}`;
}

function isSnapshotName(name: string): boolean {
  return name.endsWith('.snapshot') && !otherQdrantName.test(name);
}

function lies(path: string, directory: string): boolean {
  return directory === '' || path.startsWith(`${directory}/`);
}

/** What Qdrant's own file name tells; null for any other name. */
function ownName(name: string): { readonly collection: string; readonly madeAtMs: number | null } | null {
  const own = qdrantName.exec(name);
  return own === null ? null : { collection: own[1] ?? '', madeAtMs: stampToMs(own[2] ?? '') };
}

/** The most trusted first: a manifest, Qdrant's name, the operator's layout, the directory. */
function collectionOf(
  path: string,
  own: ReturnType<typeof ownName>,
  witnesses: readonly Witness[],
  collectionByLayout: (path: string) => string | null,
): string | null {
  const fromManifest = witnesses.find(({ collection }) => collection !== undefined)?.collection;
  if (fromManifest !== undefined) return fromManifest;
  if (own !== null) return own.collection;
  const slash = path.lastIndexOf('/');
  return collectionByLayout(path) ?? (slash < 1 ? null : nameOf(path.slice(0, slash)));
}

/** The most trusted first: a manifest, Qdrant's name, arrival, and mtime, which a copy may bring from anywhere. */
function timeOf(
  file: FileView,
  own: ReturnType<typeof ownName>,
  witnesses: readonly Witness[],
): Pick<Snapshot, 'madeAtMs' | 'madeAtFrom'> {
  const manifestMs = witnesses.find(({ madeAtMs }) => madeAtMs !== undefined)?.madeAtMs;
  if (manifestMs !== undefined) return { madeAtMs: manifestMs, madeAtFrom: 'manifest' };
  const stampMs = own?.madeAtMs ?? null;
  if (stampMs !== null) return { madeAtMs: stampMs, madeAtFrom: 'name' };
  if (file.ctimeNs !== null) return { madeAtMs: nsToMs(file.ctimeNs), madeAtFrom: 'arrival' };
  return { madeAtMs: nsToMs(file.mtimeNs), madeAtFrom: 'mtime' };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `2026-11-22-02-15-04`, UTC, to epoch ms; null for a date that does not exist, such as 31 February. */
function stampToMs(stamp: string): number | null {
  const text = `${stamp.slice(0, 10)}T${stamp.slice(11).replaceAll('-', ':')}`;
  // oxlint-disable-next-line no-restricted-globals -- parsing a text reads no clock
  const ms = Date.parse(`${text}Z`);
  // oxlint-disable-next-line no-restricted-globals -- a Date made from a number reads no clock
  return Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(text) ? null : ms;
}

/** Decimal ns to ms; exact enough, since ages are told in minutes. */
export function nsToMs(ns: string): number {
  return Math.floor(Number(ns) / 1e6);
}
