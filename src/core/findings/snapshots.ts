/** The catalogue of a target: which of its files are snapshots, of what, and made when. Made from a listing and the manifests. */

import type { Catalogue, Snapshot } from '../model/catalogue.ts';
import type { Evidence, FileView, TargetView, Witness } from '../model/evidence.ts';
import { layoutMatcher } from './globs.ts';

/** A stamp this far ahead of our clock is skew; beyond it is a time in the future, which makes nothing fresh. */
export const futureSkewMs = 5 * 60_000;

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
 * Catalogues a target.
 *
 * @param layout the operator's pattern; null when not given.
 * @returns null while the target is out of sight.
 */
export function catalogue(evidence: Evidence<TargetView>, layout: string | null): Catalogue | null {
  if (!evidence.seen) return null;
  const { observedAtMs, value } = evidence;
  const { listing, manifests } = value;
  const manifestOf = new Map(manifests.complete.map(({ directory, manifest }) => [directory, manifest]));
  const manifestPaths = new Set([...manifests.complete, ...manifests.problems].map(({ manifest }) => manifest));
  const collectionByLayout = layoutMatcher(layout);
  const rootName = rootNameOf(evidence.address);
  let witnessed = 0;
  const inFlight = new Set<string>();
  const manifestArrivals = new Map<string, number>();
  let newestArrivalMs: number | null = null;
  const snapshots: Snapshot[] = [];
  const others: Snapshot[] = [];
  for (const file of listing.files) {
    const name = nameOf(file.path);
    const arrivalMs = arrivalMsOf(file);
    newestArrivalMs = Math.max(newestArrivalMs ?? arrivalMs, arrivalMs);
    if (manifestPaths.has(file.path)) manifestArrivals.set(file.path, arrivalMs);
    const witnesses = manifests.witnesses.get(file.path) ?? [];
    if (witnesses.length > 0) witnessed += 1;
    const arrival = witnesses.length > 0 ? null : arrivalOf(file.path, name);
    if (arrival !== null) {
      // Clocks of two hosts differ, so a growth that is a little ahead of us counts as well.
      const isGrowing = Math.abs(observedAtMs - arrivalMs) < arrivingMs;
      if (isGrowing) inFlight.add(arrival);
      continue;
    }
    const isSnapshot = isSnapshotName(name) || witnesses.some(({ collection }) => collection !== undefined);
    const byLayout = isSnapshot || isOtherName(name) ? null : collectionByLayout(file.path);
    if (!isSnapshot && byLayout === null && witnesses.length === 0) continue;
    const own = ownName(name);
    const { madeAtMs, madeAtFrom } = timeOf(file, own, witnesses, observedAtMs);
    const collection = collectionOf(file.path, own, witnesses, collectionByLayout, rootName);
    const governedBy = governorOf(file.path, manifestOf);
    const entry: Snapshot = { file, collection, madeAtMs, madeAtFrom, witnesses, governedBy };
    if (isSnapshot || byLayout !== null) snapshots.push(entry);
    else others.push(entry);
  }
  const missing = absentees(manifests.witnesses, listing.files, witnessed).map(([path, witnesses]) => ({
    path,
    witness: witnesses[0] as Witness,
    collection: collectionOf(path, ownName(nameOf(path)), witnesses, collectionByLayout, rootName),
    listedAtMs: manifestArrivals.get(witnesses[0]?.manifest ?? '') ?? Number.NEGATIVE_INFINITY,
    isArriving: inFlight.has(path),
  }));
  const blind = listing.unreadable[0];
  return {
    snapshots,
    others,
    missing,
    byCollection: grouped(snapshots),
    manifestArrivals,
    newestArrivalMs,
    incomplete: blind === undefined ? null : blind.why.message,
  };
}

/** When a file arrived or last changed; where the transport tells no ctime, its mtime must do. */
export function arrivalMsOf({ ctimeNs, mtimeNs }: FileView): number {
  return nsToMs(ctimeNs ?? mtimeNs);
}

/** The path that a file in flight is to have; null for a file that has arrived. */
function arrivalOf(path: string, name: string): string | null {
  if (path.includes('.partial/')) return path.replaceAll('.partial/', '/');
  if (!path.includes('.~tmp~/') && !path.includes('.rsync-partial/') && !name.startsWith('.')) return null;
  const inDirectory = inFlightDirectory.exec(path);
  if (inDirectory !== null) return `${inDirectory[1]}${inDirectory[2]}`;
  const byName = inFlightName.exec(name);
  return byName === null ? null : `${path.slice(0, path.length - name.length)}${byName[1]}`;
}

function isSnapshotName(name: string): boolean {
  return name.endsWith('.snapshot') && !isOtherName(name);
}

function isOtherName(name: string): boolean {
  return (name.startsWith('full-') || name.includes('-shard-')) && otherQdrantName.test(name);
}

function grouped(snapshots: readonly Snapshot[]): ReadonlyMap<string, readonly Snapshot[]> {
  const byCollection = new Map<string, Snapshot[]>();
  for (const snapshot of snapshots) {
    if (snapshot.collection === null) continue;
    const alike = byCollection.get(snapshot.collection);
    if (alike === undefined) byCollection.set(snapshot.collection, [snapshot]);
    else alike.push(snapshot);
  }
  return byCollection;
}

/** The manifest of the nearest directory above a file that claims to list everything; null when there is none. */
function governorOf(path: string, manifestOf: ReadonlyMap<string, string>): string | null {
  if (manifestOf.size === 0) return null;
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const manifest = manifestOf.get(path.slice(0, slash));
    if (manifest !== undefined) return manifest;
  }
  return manifestOf.get('') ?? null;
}

/** Files that have witnesses and are not listed. With all of them found, as in most passes, nothing is compared. */
function absentees(
  witnesses: ReadonlyMap<string, readonly Witness[]>,
  files: readonly FileView[],
  found: number,
): readonly [string, readonly Witness[]][] {
  if (found === witnesses.size) return [];
  const listed = new Set(files.map(({ path }) => path));
  return [...witnesses].filter(([path]) => !listed.has(path));
}

/** The name of the target's own directory, from its address; null where that is the root of a file system. */
function rootNameOf(address: string): string | null {
  const name = nameOf(address.replace(/\/+$/, ''));
  try {
    return name === '' ? null : decodeURIComponent(name);
  } catch {
    return name;
  }
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
  rootName: string | null,
): string | null {
  const fromManifest = witnesses.find(({ collection }) => collection !== undefined)?.collection;
  if (fromManifest !== undefined) return fromManifest;
  if (own !== null) return own.collection;
  const slash = path.lastIndexOf('/');
  return collectionByLayout(path) ?? (slash < 1 ? rootName : nameOf(path.slice(0, slash)));
}

/**
 * When the data was taken, from what bounds it: a manifest and Qdrant's name, of which the earlier counts, since a file
 * that is only listed anew holds nothing new; else the earlier of arrival and mtime, since a chown or a second copy
 * moves arrival forward, and a copy may keep the mtime of its source. A date in the future counts whoever says it, so
 * that it is told.
 */
function timeOf(
  file: FileView,
  own: ReturnType<typeof ownName>,
  witnesses: readonly Witness[],
  observedAtMs: number,
): Pick<Snapshot, 'madeAtMs' | 'madeAtFrom'> {
  const manifestMs = witnesses.find(({ madeAtMs }) => madeAtMs !== undefined)?.madeAtMs ?? Number.POSITIVE_INFINITY;
  const stampMs = own?.madeAtMs ?? Number.POSITIVE_INFINITY;
  const isManifestAhead = Number.isFinite(manifestMs) && manifestMs > observedAtMs + futureSkewMs;
  if (stampMs < manifestMs && !isManifestAhead) return { madeAtMs: stampMs, madeAtFrom: 'name' };
  const isStampAhead = Number.isFinite(stampMs) && stampMs > observedAtMs + futureSkewMs;
  if (isStampAhead) return { madeAtMs: stampMs, madeAtFrom: 'name' };
  if (Number.isFinite(manifestMs)) return { madeAtMs: manifestMs, madeAtFrom: 'manifest' };
  const mtimeMs = nsToMs(file.mtimeNs);
  const arrivalMs = file.ctimeNs === null ? Number.POSITIVE_INFINITY : nsToMs(file.ctimeNs);
  // An mtime of 1970 is a mark of rsync, not a time.
  if (arrivalMs <= mtimeMs || (mtimeMs === 0 && Number.isFinite(arrivalMs))) {
    return { madeAtMs: arrivalMs, madeAtFrom: 'arrival' };
  }
  return { madeAtMs: mtimeMs, madeAtFrom: 'mtime' };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** `2026-11-22-02-15-04`, UTC, to epoch ms; null for a date that does not exist, such as 31 February. */
function stampToMs(stamp: string): number | null {
  const two = (at: number): number => stamp.charCodeAt(at) * 10 + stamp.charCodeAt(at + 1) - 528;
  const [year, month, day] = [two(0) * 100 + two(2), two(5), two(8)];
  const [hour, minute, second] = [two(11), two(14), two(17)];
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && isLeap ? 29 : (monthDays[month - 1] ?? 0);
  if (day < 1 || day > days || hour > 23 || minute > 59 || second > 59) return null;
  // oxlint-disable-next-line no-restricted-globals -- arithmetic on a date reads no clock
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Decimal ns to ms; exact enough, since ages are told in minutes. */
export function nsToMs(ns: string): number {
  return Math.floor(Number(ns) / 1e6);
}
