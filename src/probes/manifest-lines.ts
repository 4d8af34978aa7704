/** Reads one line of a digest list: GNU sha256sum with its escapes and binary marks, BSD `--tag`, openssl's own form. */

/** What a line says. `skip`: blank or a comment. */
export type ManifestLine =
  | { readonly kind: 'digest'; readonly sha256: string; readonly name: string }
  | { readonly kind: 'problem'; readonly message: string }
  | { readonly kind: 'skip' };

/**
 * Reads a line the way `sha256sum --check` does (coreutils `src/cksum.c`), except that other digests than SHA-256 are named.
 *
 * @param line without its line feed; a carriage return at its end is dropped.
 */
export function readManifestLine(line: string): ManifestLine {
  const text = line.replace(/\r$/, '').replace(/^[ \t]+/, '');
  if (text === '' || text.startsWith('#')) return { kind: 'skip' };
  const isEscaped = text.startsWith('\\');
  const body = isEscaped ? text.slice(1) : text;
  const { algorithm, hex, bare, name = bare } = (tagged.exec(body) ?? plain.exec(body))?.groups ?? {};
  if (hex === undefined || name === undefined) {
    const isOther = /^(?:[A-Z0-9/-]+) ?\(.+\) ?= ?\S+$/.test(body);
    return problem(isOther ? 'is not a SHA-256 digest and guards nothing' : 'is no digest line');
  }
  const isSha256 = algorithm === undefined || /^SHA(?:2-)?256$/.test(algorithm);
  if (hex.length !== 64 || !isSha256) return problem(`${otherDigest(algorithm, hex)}; only SHA-256 counts`);
  const plainName = isEscaped ? unescapeName(name) : name;
  if (plainName === null) return problem('has an escape that sha256sum never writes');
  return { kind: 'digest', sha256: hex.toLowerCase(), name: plainName };
}

/** Says what a digest is that is not SHA-256, for a message. */
export function otherDigest(algorithm: string | undefined, hex: string): string {
  const byLength = { 32: 'MD5', 40: 'SHA-1', 56: 'SHA-224', 96: 'SHA-384', 128: 'SHA-512' }[hex.length];
  const called = algorithm === undefined || algorithm.endsWith('256') ? byLength : algorithm;
  return called === undefined ? `is a digest of ${hex.length} digits` : `is ${called}`;
}

/** Two spaces, or a space and the binary mark; one space alone is how BSD's `sha256 -r` writes. */
const plain = /^(?<hex>[0-9a-fA-F]{32,128}) (?:[ *](?<name>.+)|(?<bare>[^ *].*))$/s;
const tagged = /^(?<algorithm>[A-Za-z0-9/-]+) ?\((?<name>.+)\) ?= (?<hex>[0-9a-fA-F]{32,128})$/s;

function problem(message: string): ManifestLine {
  return { kind: 'problem', message };
}

/** @returns null for an escape other than `\\`, `\n`, `\r`. */
function unescapeName(name: string): string | null {
  if (/\\(?![\\nr])/.test(name.replaceAll('\\\\', ''))) return null;
  return name.replace(/\\([\\nr])/g, (_, escape) => (escape === 'n' ? '\n' : escape === 'r' ? '\r' : '\\'));
}
