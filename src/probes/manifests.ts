/** Reads a manifest: what it says about which files, and what of it cannot be used. Pure: made from a name and bytes. */

import type { FileView, ManifestProblem, Witness } from '../core/model/evidence.ts';
import { limits } from '../support/limits.ts';
import { bytesToPath } from '../support/paths.ts';
import { printablePath } from '../support/printable.ts';
import { readManifestDocument } from './manifest-document.ts';
import { otherDigest, readManifestLine } from './manifest-lines.ts';
import { manifestKind, sidecarSubject } from './manifest-names.ts';

/** One manifest, read. */
export interface Manifest {
  /** What it says, keyed by paths relative to the target's root. */
  readonly witnesses: ReadonlyMap<string, readonly Witness[]>;
  /** The directory that it claims to list whole, `''` for the root; null when it makes no such claim. */
  readonly claims: string | null;
  readonly problems: readonly ManifestProblem[];
}

/**
 * Reads one manifest. A file that is no manifest by its name, or another program's `manifest.json`, says nothing.
 *
 * @param file where it lies below the target's root.
 */
export function readManifest({ path }: Pick<FileView, 'path'>, bytes: Uint8Array): Manifest {
  const pages = new Pages(path);
  switch (manifestKind(path)) {
    case null:
      break;
    case 'document':
      readDocument(pages, bytes);
      break;
    case 'sidecar':
      if (!readBareDigest(pages, bytes)) readLines(pages, bytes);
      break;
    case 'list':
      readLines(pages, bytes);
      if (pages.witnesses.size > 0) pages.claims = directoryOf(path);
      break;
  }
  return pages;
}

/** Collects what is read; never more problems than a person can use. */
class Pages implements Manifest {
  readonly witnesses = new Map<string, Witness[]>();
  readonly problems: ManifestProblem[] = [];
  readonly path: string;
  claims: string | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** Takes what is said of a file, unless its name leads out of the manifest's directory. */
  add(name: string, witness: Omit<Witness, 'manifest'>, line: number | null): void {
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (name.startsWith('/') || parts.includes('..')) {
      this.complain(line, `names ${shorten(name)}, which lies outside its own directory; never looked at`);
      return;
    }
    if (parts.length === 0) {
      this.complain(line, `names ${shorten(name)}, which is no file`);
      return;
    }
    const directory = directoryOf(this.path);
    const path = [...(directory === '' ? [] : [directory]), ...parts].join('/');
    // `sha256sum * >SHA256SUMS` lists itself while still empty; no file can hold its own digest.
    if (path === this.path) return;
    const said = this.witnesses.get(path) ?? [];
    if (said.some(({ sha256 }) => sha256 === witness.sha256)) return;
    this.witnesses.set(path, [...said, { manifest: this.path, ...witness }]);
  }

  complain(line: number | null, message: string): void {
    if (this.problems.length > limits.manifestProblems) return;
    const isLast = this.problems.length === limits.manifestProblems;
    this.problems.push({ manifest: this.path, line, message: isLast ? 'and more from here on' : message });
  }
}

function readDocument(pages: Pages, bytes: Uint8Array): void {
  const document = readManifestDocument(Buffer.from(bytes).toString('utf8'));
  if (document === null) return;
  for (const message of document.problems) pages.complain(null, message);
  for (const { name, witness } of document.entries) pages.add(name, witness, null);
  if (document.isComplete && pages.problems.length === 0) pages.claims = directoryOf(pages.path);
}

/** Qdrant's `.checksum` and many a `.sha256` hold nothing but the digest. @returns false when it is of another form. */
function readBareDigest(pages: Pages, bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, 200)).toString('latin1').trim();
  if (bytes.length > 200 || !/^[0-9a-fA-F]+$/.test(text)) return false;
  if (text.length === 64) {
    const name = sidecarSubject(pages.path).slice(pages.path.lastIndexOf('/') + 1);
    pages.add(name, { sha256: text.toLowerCase() }, 1);
  } else {
    pages.complain(1, `${otherDigest(undefined, text)}; only SHA-256 counts`);
  }
  return true;
}

function readLines(pages: Pages, bytes: Uint8Array): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let number = 0;
  for (let from = skipByteOrderMark(view); from < view.length;) {
    const feed = view.indexOf(0x0a, from);
    const end = feed < 0 ? view.length : feed;
    number += 1;
    readLine(pages, view.subarray(from, end), number);
    from = end + 1;
  }
  if (pages.witnesses.size === 0 && pages.problems.length === 0) pages.complain(null, 'lists nothing');
}

function readLine(pages: Pages, bytes: Buffer, number: number): void {
  if (bytes.length > limits.manifestLineBytes || bytes.includes(0)) {
    pages.complain(number, bytes.includes(0) ? 'holds a NUL byte: damaged' : 'is too long for a digest line');
    return;
  }
  const line = readManifestLine(bytesToPath(bytes));
  if (line.kind === 'problem') pages.complain(number, line.message);
  if (line.kind === 'digest') pages.add(line.name, { sha256: line.sha256 }, number);
}

function skipByteOrderMark(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function shorten(name: string): string {
  const printable = printablePath(name);
  return printable.length > 120 ? `${printable.slice(0, 120)}…` : printable;
}
