/** Makes ed25519 keys for the lab's SSH host and keeps them on disk, so that a restarted host is the same host. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import type { ParsedKey } from 'ssh2';

/**
 * Reads a private key of an earlier start, or makes one.
 *
 * @returns the key as text, in OpenSSH's format.
 * @throws Error of the kernel when the directory cannot be read or written.
 */
export async function keyOnDisk(directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = makeKey();
  await writeFile(path, key, { mode: 0o600, flag: 'wx' });
  return key;
}

/** @throws Error when the text is no private key: somebody else wrote into the lab's directory. */
export function parsePrivateKey(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

/** Type and base64 of a private key's public half, as in a public key file. */
export function publicLine(privateKey: string): string {
  const key = parsePrivateKey(privateKey);
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

/** ssh2 1.17 strips leading zero bytes of the public half, so that one key in 256 is malformed: too short. */
function makeKey(): string {
  for (;;) {
    const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519');
    if (Buffer.from(publicKey.split(' ')[1] ?? '', 'base64').length === ed25519Bytes) return privateKey;
  }
}

/** The type's name (11) and the key (32), each after a length of 4 bytes (RFC 8709 §4). */
const ed25519Bytes = 51;
