/**
 * Judges a host key by the text of a known_hosts file, as `ssh -o StrictHostKeyChecking=yes` would. Pure: it reads no
 * file, asks nobody, and adds nothing.
 */

import { createHash, createHmac } from 'node:crypto';

/** A host and the key it shows. */
export interface ShownKey {
  /** As written in the configuration: a name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The public key in SSH's wire form (RFC 4253 §6.6). */
  readonly key: Buffer;
}

/** What known_hosts says about a key. Only `known` may be connected to. */
export type HostKeyVerdict =
  | { readonly kind: 'known' }
  /** No entry for this host; `line` is what to add, without line break, once somebody has compared the fingerprint. */
  | { readonly kind: 'unknown'; readonly line: string }
  /** The host has entries, and none is this key. `lineNumbers` (1-based) are theirs. */
  | { readonly kind: 'changed'; readonly lineNumbers: readonly number[] }
  | { readonly kind: 'revoked'; readonly lineNumber: number }
  /** Only `@cert-authority` entries: a CA's key says nothing about a plain host key. `line` would pin it. */
  | { readonly kind: 'only-ca'; readonly line: string };

/**
 * Looks a key up, with OpenSSH's rules: `@revoked` beats all; then an entry for `[host]:port`; on another port than 22
 * an entry for the bare host counts where it has the same key.
 *
 * Stricter than OpenSSH in one thing: a `@revoked` entry for the bare host counts on every port.
 */
export function judgeHostKey(text: string, { host, port, key }: ShownKey): HostKeyVerdict {
  const exact = entriesFor(text, hostWithPort(host, port));
  const bare = port === 22 ? [] : entriesFor(text, host);
  const all = [...exact, ...bare];
  const revoked = all.find((entry) => entry.marker === 'revoked' && entry.key.equals(key));
  if (revoked) return { kind: 'revoked', lineNumber: revoked.lineNumber };
  if (all.some((entry) => entry.marker === 'pin' && entry.key.equals(key))) return { kind: 'known' };
  const others = exact.filter((entry) => entry.marker === 'pin');
  if (others.length > 0) return { kind: 'changed', lineNumbers: others.map((entry) => entry.lineNumber) };
  const line = `${hostWithPort(host, port)} ${keyType(key) ?? 'unknown'} ${key.toString('base64')}`;
  return { kind: all.some((entry) => entry.marker === 'ca') ? 'only-ca' : 'unknown', line };
}

/**
 * The signature algorithms (names of RFC 8332 and RFC 8709) of the keys pinned for a host: offered alone, they make it
 * show a key that can be compared.
 *
 * @returns best first; empty when nothing is pinned.
 */
export function pinnedAlgorithms(text: string, host: string, port: number): readonly HostKeyAlgorithm[] {
  const entries = [...entriesFor(text, hostWithPort(host, port)), ...entriesFor(text, host)];
  const types = new Set(entries.filter((entry) => entry.marker === 'pin').map((entry) => entry.type));
  return algorithmsByType.filter(([type]) => types.has(type)).flatMap(([, algorithms]) => algorithms);
}

/** OpenSSH's way to show a key to a person: `SHA256:` and base64 without padding. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Host key algorithms that ssh2 can check. `ssh-rsa` signs with SHA-1, which OpenSSH has refused since 8.8. */
export type HostKeyAlgorithm =
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ecdsa-sha2-nistp521'
  | 'rsa-sha2-512'
  | 'rsa-sha2-256';

const algorithmsByType: readonly (readonly [string, readonly HostKeyAlgorithm[]])[] = [
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
];

/** One line of the file, understood. */
interface Entry {
  readonly lineNumber: number;
  readonly marker: 'pin' | 'ca' | 'revoked';
  readonly type: string;
  readonly key: Buffer;
}

function entriesFor(text: string, name: string): Entry[] {
  return text.split('\n').flatMap((line, index) => parseLine(line, index + 1, name.toLowerCase()));
}

/** @returns the entry when the line is sound and names the host, else nothing. */
function parseLine(line: string, lineNumber: number, name: string): Entry[] {
  const fields = line.split(/[ \t\r]+/).filter((field) => field !== '');
  const marker = fields[0]?.startsWith('@') ? markers.get(fields.shift() ?? '') : 'pin';
  const [hosts, type, base64] = fields;
  if (marker === undefined || hosts === undefined || type === undefined || base64 === undefined) return [];
  if (hosts.startsWith('#') || !matchesHosts(hosts, name)) return [];
  const key = decodeBase64(base64);
  return key !== undefined && keyType(key) === type ? [{ lineNumber, marker, type, key }] : [];
}

const markers: ReadonlyMap<string, Entry['marker']> = new Map([
  ['@cert-authority', 'ca'],
  ['@revoked', 'revoked'],
]);

/** OpenSSH names a host on another port than 22 `[host]:port`, IPv6 addresses included. */
function hostWithPort(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

/** A negated pattern that matches beats every other, wherever it stands in the list. */
function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  let matched = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    if (pattern.startsWith('!')) {
      if (matchesGlob(pattern.slice(1), name)) return false;
    } else if (matchesGlob(pattern, name)) {
      matched = true;
    }
  }
  return matched;
}

/** `|1|SALT|HASH`: HMAC-SHA1 of the name with a salt of 20 bytes, both in base64. */
function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt, hash] = hosts.split('|');
  const key = decodeBase64(salt ?? '');
  return version === '1' && key?.length === 20 && createHmac('sha1', key).update(name).digest('base64') === hash;
}

/** `*` is any run of characters and `?` is one; all else, brackets included, stands for itself. */
function matchesGlob(pattern: string, name: string): boolean {
  let [p, n, star, resume] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p;
      resume = n;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      resume += 1;
      p = star + 1;
      n = resume;
    } else {
      return false;
    }
  }
  return pattern.slice(p).replaceAll('*', '') === '';
}

function decodeBase64(text: string): Buffer | undefined {
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  return isBase64 ? Buffer.from(text, 'base64') : undefined;
}

/**
 * @returns the type that a key in wire form names; undefined unless all of it is whole SSH strings. The host chooses
 * these bytes and a person may paste them, so that a type with odd characters is none.
 */
function keyType(key: Buffer): string | undefined {
  let offset = 0;
  let first: string | undefined;
  while (offset + 4 <= key.length) {
    const end = offset + 4 + key.readUInt32BE(offset);
    if (end > key.length) return undefined;
    first ??= key.toString('latin1', offset + 4, end);
    offset = end;
  }
  return offset === key.length && /^[\w@.-]+$/.test(first ?? '') ? first : undefined;
}
