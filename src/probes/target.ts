/**
 * Looks at a target: its listing, and what its manifests say. Made from a place; manifests that did not change are not read
 * again, so that a pass in which nothing changed is one round trip. It judges nothing.
 */

import type { Evidence, FileView, ListingView, ManifestsView, TargetView, Witness } from '../core/model/evidence.ts';
import { unseenFrom } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { printablePath } from '../support/printable.ts';
import { manifestKind } from './manifest-names.ts';
import { type Manifest, readManifest } from './manifests.ts';
import type { Place, ReadResult } from './place.ts';
import { isSameFile } from './same-file.ts';
import { tooLarge, unseen } from './unseen.ts';

/** What probes remember of manifests between passes: only what the last look at a target still found there. */
export interface ManifestCache {
  /** By the address of the place. */
  readonly targets: Map<string, RememberedTarget>;
}

/** One target's manifests as they were last read. */
export interface RememberedTarget {
  readonly manifests: ReadonlyMap<string, RememberedManifest>;
  readonly view: ManifestsView;
  /** True when all that was listed could be read: only then does the view hold nothing but what the manifests say. */
  readonly isWhole: boolean;
}

/** A manifest and the file it was read from; another mtime, size or inode makes it another file. */
export interface RememberedManifest {
  readonly file: FileView;
  readonly manifest: Manifest;
}

/** Makes an empty memory; it lives as long as the watchdog. */
export function createManifestCache(): ManifestCache {
  return { targets: new Map() };
}

/** How to look. */
export interface ProbeTargetOptions {
  readonly signal: AbortSignal;
  /** Epoch ms. */
  readonly nowMs: () => number;
  readonly cache: ManifestCache;
}

/**
 * Looks once. What the world does is never thrown.
 *
 * A manifest that cannot be read is a problem of the target. One that changed or vanished between listing and reading is not:
 * then its directory was not seen whole, and the next look will tell.
 *
 * @returns evidence as old as the beginning of the listing.
 */
export async function probeTarget(place: Place, options: ProbeTargetOptions): Promise<Evidence<TargetView>> {
  const observedAtMs = options.nowMs();
  const evidence = await place.list(options.signal);
  if (!evidence.seen) return { ...evidence, observedAtMs };
  const stamp = { address: place.address, observedAtMs };
  const look = new ManifestLook(evidence.value, options.cache.targets.get(place.address));
  try {
    if (look.due.length > 0) {
      const paths = look.due.map(({ path }) => path);
      look.take(await place.read(paths, { maxBytesEach: limits.manifestBytes, signal: options.signal }));
    }
  } catch (thrown) {
    return { seen: false, ...stamp, why: unseenFrom(thrown) };
  }
  const { remembered, unreadable } = look.finish();
  options.cache.targets.set(place.address, remembered);
  const listing = unreadable.length === 0 ? evidence.value : withUnreadable(evidence.value, unreadable);
  return { seen: true, ...stamp, value: { listing, manifests: remembered.view } };
}

type Unreadable = ListingView['unreadable'][number];

/** One look at the manifests of a listing. */
class ManifestLook {
  /** What must be read, in the order of the listing. */
  readonly due: FileView[] = [];
  readonly #known = new Map<string, RememberedManifest>();
  readonly #before: RememberedTarget | undefined;
  readonly #problems: ManifestsView['problems'][number][] = [];
  readonly #unreadable: Unreadable[] = [];

  constructor(listing: ListingView, before: RememberedTarget | undefined) {
    this.#before = before;
    let bytes = 0;
    for (const file of listing.files) {
      if (manifestKind(file.path) === null) continue;
      const known = before?.manifests.get(file.path);
      if (known !== undefined && isSameFile(known.file, file)) {
        this.#known.set(file.path, known);
      } else if (file.sizeBytes > limits.manifestBytes) {
        this.#complain(file.path, tooLarge(file, limits.manifestBytes).message);
      } else if (bytes + file.sizeBytes > limits.manifestsBytes) {
        const what = `${printablePath(file.path)} waits for the next look: too many manifests are new`;
        this.#unreadable.push({ path: directoryOf(file.path), why: unseen('output/too-large', what) });
      } else {
        bytes += file.sizeBytes;
        this.due.push(file);
      }
    }
  }

  take(results: readonly ReadResult[]): void {
    for (const [index, result] of results.entries()) {
      const file = this.due[index];
      if (file === undefined || file.path !== result.path) throw new Error('the place answered for other files');
      if ('why' in result) this.#refuse(file, result.why);
      else if (isSameFile(file, result.file)) {
        this.#known.set(file.path, { file, manifest: readManifest(file, result.bytes) });
      } else {
        this.#refuse(file, unseen('place/changed', `${printablePath(file.path)} changed after it was listed`));
      }
    }
  }

  finish(): { readonly remembered: RememberedTarget; readonly unreadable: readonly Unreadable[] } {
    const isWhole = this.#problems.length === 0 && this.#unreadable.length === 0;
    return { remembered: { manifests: this.#known, view: this.#view(isWhole), isWhole }, unreadable: this.#unreadable };
  }

  /** The view of the look before, when nothing in it has changed: most passes find that. */
  #view(isWhole: boolean): ManifestsView {
    const before = this.#before;
    const isUnchanged = isWhole && this.due.length === 0 && before?.manifests.size === this.#known.size;
    if (before?.isWhole === true && isUnchanged) return before.view;
    const witnesses = new Map<string, readonly Witness[]>();
    const complete: ManifestsView['complete'][number][] = [];
    const problems = [...this.#problems];
    for (const [path, { manifest }] of this.#known) {
      for (const [about, said] of manifest.witnesses) witnesses.set(about, [...(witnesses.get(about) ?? []), ...said]);
      if (manifest.claims !== null) complete.push({ directory: manifest.claims, manifest: path });
      problems.push(...manifest.problems);
    }
    return { witnesses, complete, problems };
  }

  #refuse(file: FileView, why: Unreadable['why']): void {
    if (why.code === 'place/changed' || why.code === 'place/not-found') {
      this.#unreadable.push({ path: directoryOf(file.path), why });
    } else {
      this.#complain(file.path, why.hint === undefined ? why.message : `${why.message}; ${why.hint}`);
    }
  }

  #complain(manifest: string, message: string): void {
    this.#problems.push({ manifest, line: null, message });
  }
}

function withUnreadable(listing: ListingView, more: readonly Unreadable[]): ListingView {
  const all = [...listing.unreadable, ...more];
  return { files: listing.files, unreadable: [...new Map(all.map((each) => [each.path, each])).values()] };
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
