/** Which files are manifests, by their name alone. */

/**
 * What a manifest is. `list`: digests of everything around it. `sidecar`: the digest of one file whose name it bears.
 * `document`: `manifest.json` of a backup run.
 */
export type ManifestKind = 'list' | 'sidecar' | 'document';

/** @returns null for a file that is no manifest, or that lies where a copy is still arriving. */
export function manifestKind(path: string): ManifestKind | null {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const kind = kinds.find(([pattern]) => pattern.test(name))?.[1] ?? null;
  return kind === null || arriving.test(path.slice(0, slash + 1)) ? null : kind;
}

/** The file that a sidecar is about, by its name. */
export function sidecarSubject(path: string): string {
  return path.replace(/\.(?:sha256|checksum)$/i, '');
}

const kinds: readonly (readonly [RegExp, ManifestKind])[] = [
  [/^(?:sha256sums(?:\.txt)?|checksums\.sha256|.+\.sha256sums)$/i, 'list'],
  [/^manifest\.json$/, 'document'],
  [/^.+\.(?:sha256|checksum)$/i, 'sidecar'],
];

/** A generation before its rename, and rsync's `--delay-updates`: what lies there has not arrived. */
const arriving = /(?:\.partial|\.~tmp~)\//;
