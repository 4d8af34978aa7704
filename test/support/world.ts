/** Arranges a World from a readable sketch. A sketch is plain data, so that a test may spoil one thing of a good world. */

import { createHash } from 'node:crypto';
import { catalogue } from '../../src/core/findings/snapshots.ts';
import type {
  CollectionView,
  Evidence,
  FileView,
  ManifestProblem,
  Reading,
  ReadingOutcome,
  RememberedCollection,
  SourceView,
  Unseen,
  Witness,
} from '../../src/core/model/evidence.ts';
import type { Exception } from '../../src/core/model/rule.ts';
import type { SelfTrouble, World } from '../../src/core/model/world.ts';
import { parseDuration } from '../../src/support/units.ts';

/** The instant at which worlds are judged unless a test says otherwise: a Sunday afternoon in Phoenix. */
export const nowMs = Date.parse('2026-11-22T20:00:00Z');

/** `17h` → ms, as rule files write it. */
export function ms(duration: string): number {
  const parsed = parseDuration(duration);
  if (parsed === undefined) throw new Error(`no duration: ${duration}`);
  return parsed;
}

/** A digest that a text stands for: 64 hex digits. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A live or remembered collection. */
export interface CollectionSketch {
  /** False once Qdrant no longer lists it. */
  isLive: boolean;
  isBaseline: boolean;
  firstSeenAtMs: number;
  lastSeenAtMs: number;
  points: number | null;
}

/** A source. */
export interface SourceSketch {
  observedAtMs: number;
  unseen: Unseen | null;
  scope: SourceView['scope'];
  collections: Record<string, CollectionSketch>;
}

/** A file of a target, what manifests say of it, and what the ledger knows of it. */
export interface FileSketch {
  path: string;
  sizeBytes: number;
  mtimeMs: number;
  ctimeMs: number | null;
  witnesses: Witness[];
  /** False for a file that a manifest lists and that is not there. */
  isThere: boolean;
  /** Null when this pass saw the file for the first time. */
  reading: {
    firstSeenAtMs: number;
    isBacklog: boolean;
    firstSha256: string | null;
    outcome: ReadingOutcome | null;
  } | null;
}

/** A target. */
export interface TargetSketch {
  host: string | null;
  machine: string;
  observedAtMs: number;
  unseen: Unseen | null;
  files: FileSketch[];
  unreadable: { path: string; why: Unseen }[];
  /** Manifests that claim to list everything in their directory. */
  complete: { directory: string; manifest: string }[];
  problems: ManifestProblem[];
  backlogBytes: number;
  layout: string | null;
}

/** Everything one pass knows. */
export interface Sketch {
  nowMs: number;
  sources: Record<string, SourceSketch>;
  targets: Record<string, TargetSketch>;
  /** Null for what can be looked at. */
  hosts: Record<string, Unseen | null>;
  receivers: Record<string, Unseen | null>;
  troubles: SelfTrouble[];
}

/** Why something cannot be looked at. */
export function unseen(message = 'SSH timeout after 15 s', code = 'net/timeout'): Unseen {
  return { code, message, hint: 'look at the network' };
}

/** A collection that was live at the first sight of its source. */
export function collection(part: Partial<CollectionSketch> = {}): CollectionSketch {
  return {
    isLive: true,
    isBaseline: true,
    firstSeenAtMs: nowMs - ms('90d'),
    lastSeenAtMs: nowMs,
    points: 120,
    ...part,
  };
}

/** A source whose list is whole. */
export function source(collections: readonly string[], part: Partial<SourceSketch> = {}): SourceSketch {
  return {
    observedAtMs: nowMs,
    unseen: null,
    scope: 'whole',
    collections: Object.fromEntries(collections.map((name) => [name, collection()])),
    ...part,
  };
}

/** Qdrant's name for a snapshot of this age. */
export function snapshotName(name: string, madeAgo: string): string {
  const stamp = new Date(nowMs - ms(madeAgo)).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
  return `${name}-8035627091234567-${stamp}.snapshot`;
}

/**
 * A snapshot of Qdrant's name in the directory of its collection, listed by `SHA256SUMS`, read right after it arrived,
 * and sound.
 *
 * @param madeAgo its age, such as `17h`.
 */
export function snapshot(name: string, madeAgo: string, part: Partial<FileSketch> = {}): FileSketch {
  const path = `${name}/${snapshotName(name, madeAgo)}`;
  const sha256 = digest(path);
  const madeAtMs = nowMs - ms(madeAgo);
  return {
    path,
    sizeBytes: 4_096,
    mtimeMs: madeAtMs,
    ctimeMs: madeAtMs,
    isThere: true,
    witnesses: [{ manifest: 'SHA256SUMS', sha256 }],
    reading: readAs(sha256, madeAtMs + ms('10m')),
    ...part,
  };
}

/** The ledger's entry of a file whose newest reading gave this digest. */
export function readAs(sha256: string, readAtMs: number): NonNullable<FileSketch['reading']> {
  return {
    firstSeenAtMs: readAtMs - ms('5m'),
    isBacklog: false,
    firstSha256: sha256,
    outcome: { kind: 'digest', sha256, readAtMs, tool: 'openssl' },
  };
}

/** The ledger's entry of a file that waits for the reader. */
export function unreadSince(firstSeenAtMs: number, isBacklog = false): NonNullable<FileSketch['reading']> {
  return { firstSeenAtMs, isBacklog, firstSha256: null, outcome: null };
}

/** The ledger's entry of a file that could not be read. */
export function unreadableSince(firstSeenAtMs: number, why: Unseen): NonNullable<FileSketch['reading']> {
  return { ...unreadSince(firstSeenAtMs), outcome: { kind: 'unreadable', readAtMs: firstSeenAtMs, why } };
}

/** A target with these files and one `SHA256SUMS` at its root that claims to list everything. */
export function target(files: FileSketch[], part: Partial<TargetSketch> = {}): TargetSketch {
  return {
    host: null,
    machine: 'this host',
    observedAtMs: nowMs,
    unseen: null,
    files,
    unreadable: [],
    complete: [{ directory: '', manifest: 'SHA256SUMS' }],
    problems: [],
    backlogBytes: 0,
    layout: null,
    ...part,
  };
}

/** A world in which everything is well: two collections, three generations, on this host and on a NAS. */
export function goodSketch(): Sketch {
  const files = (): FileSketch[] =>
    ['books', 'arxiv'].flatMap((name) => ['17h', '41h', '65h'].map((age) => snapshot(name, age)));
  return {
    nowMs,
    sources: { 'phx-ai01': source(['books', 'arxiv']) },
    targets: { 'phx-ai02': target(files()), nas: target(files(), { host: 'nas', machine: 'nas.lan:22' }) },
    hosts: { nas: null },
    receivers: { phone: null },
    troubles: [],
  };
}

/** The only file of a target whose path starts like this and ends like a generation of this age. */
export function fileOf(sketch: Sketch, targetName: string, name: string, madeAgo = '17h'): FileSketch {
  const path = `${name}/${snapshotName(name, madeAgo)}`;
  const found = sketch.targets[targetName]?.files.find((file) => file.path === path);
  if (found === undefined) throw new Error(`no ${path} on ${targetName}`);
  return found;
}

/** Makes the World of a sketch. */
export function arrange(sketch: Sketch): World {
  return {
    sources: Object.entries(sketch.sources).map(([name, each]) => ({
      name,
      evidence: evidence(each.unseen, `http://${name}:6333`, each.observedAtMs, {
        version: '1.19.0',
        aliases: [],
        scope: each.scope,
        collections: Object.entries(each.collections)
          .filter(([, { isLive }]) => isLive)
          .map(([collectionName, { points }]) => collectionView(collectionName, points)),
      }),
      remembered: Object.entries(each.collections).map(([collectionName, given]) => remembered(collectionName, given)),
    })),
    targets: Object.entries(sketch.targets).map(([name, each]) => {
      const ledger = new Map(each.files.map((file) => [file.path, file.reading]));
      const seen = evidence(each.unseen, `${each.machine}:/srv/${name}`, each.observedAtMs, {
        listing: {
          files: each.files.filter(({ isThere }) => isThere).map((file) => fileView(file, each.machine)),
          unreadable: each.unreadable,
        },
        manifests: {
          witnesses: new Map(
            each.files.filter(({ witnesses }) => witnesses.length > 0).map((file) => [file.path, file.witnesses]),
          ),
          complete: each.complete,
          problems: each.problems,
        },
      });
      return {
        name,
        host: each.host,
        machine: each.machine,
        backlogBytes: each.backlogBytes,
        reading: (file): Reading | undefined => ledger.get(file.path) ?? undefined,
        evidence: seen,
        catalogue: catalogue(seen, each.layout),
      };
    }),
    hosts: Object.entries(sketch.hosts).map(([name, why]) => ({
      name,
      evidence: evidence(why, `${name}:22`, sketch.nowMs, {}),
    })),
    receivers: Object.entries(sketch.receivers).map(([name, why]) => ({
      name,
      evidence: evidence(why, `https://${name}`, sketch.nowMs, {}),
    })),
    self: { troubles: sketch.troubles, observedAtMs: sketch.nowMs },
  };
}

/** An exception for these globs that ends this long after {@link nowMs}. */
export function exception(globs: readonly string[], endsIn: string): Exception {
  return { collections: globs, because: 'rebuilt nightly from source', untilMs: nowMs + ms(endsIn) };
}

function evidence<T>(why: Unseen | null, address: string, observedAtMs: number, value: T): Evidence<T> {
  return why === null ? { seen: true, address, observedAtMs, value } : { seen: false, address, observedAtMs, why };
}

function collectionView(name: string, points: number | null): CollectionView {
  return { name, points: points === null ? { seen: false, why: unseen() } : { seen: true, count: points } };
}

function remembered(
  name: string,
  { firstSeenAtMs, lastSeenAtMs, isBaseline, points }: CollectionSketch,
): RememberedCollection {
  return { name, firstSeenAtMs, lastSeenAtMs, isBaseline, points };
}

/** @param storage tells files of one path on two machines apart, as inodes do. */
function fileView({ path, sizeBytes, mtimeMs, ctimeMs }: FileSketch, storage: string): FileView {
  return { path, sizeBytes, mtimeNs: ns(mtimeMs), ctimeNs: ctimeMs === null ? null : ns(ctimeMs), inode: storage };
}

/** Ms → decimal ns. */
function ns(atMs: number): string {
  return String(BigInt(Math.trunc(atMs)) * 1_000_000n);
}
