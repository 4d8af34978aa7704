/** Makes a usable login from a private key or an agent, or says why there is none. It reads no files, shows no key. */

import ssh2 from 'ssh2';
import type { AnyAuthMethod, ParsedKey } from 'ssh2';
import { WatchdogError } from '../support/errors.ts';
import { fingerprint } from './known-hosts.ts';

/** How we prove who we are. */
export type SshAuth =
  /** OpenSSH's own format, or PEM of RSA and ECDSA keys. */
  | { readonly kind: 'key'; readonly privateKey: string | Buffer; readonly passphrase?: string }
  /** The path of the agent's socket, such as `$SSH_AUTH_SOCK`. */
  | { readonly kind: 'agent'; readonly socket: string };

/** A login that can be tried. */
export interface Identity {
  readonly method: AnyAuthMethod;
  /** For messages: `our key SHA256:… (ssh-ed25519)` or `the agent at /run/…`. */
  readonly label: string;
}

/**
 * Decrypts and checks the key; an agent is asked only when the host wants proof. An encrypted key blocks for 0.3 s or
 * so, as its format demands.
 *
 * @param where `user@host:port`, for messages.
 * @throws WatchdogError `ssh/key-unusable`, permanent.
 */
export function openIdentity(auth: SshAuth, username: string, where: string): Identity {
  if (auth.kind === 'agent') {
    if (auth.socket === '') {
      throw unusable(where, 'there is no agent', 'start ssh-agent and hand its socket over in SSH_AUTH_SOCK');
    }
    return { method: { type: 'agent', username, agent: auth.socket }, label: `the agent at ${auth.socket}` };
  }
  const key = parseKey(auth, where);
  const label = `our key ${fingerprint(key.getPublicSSH())} (${key.type})`;
  return { method: { type: 'publickey', username, key }, label };
}

function parseKey(auth: Extract<SshAuth, { kind: 'key' }>, where: string): ParsedKey {
  const parsed = parse(auth);
  if (parsed instanceof Error) throw explain(parsed, auth, where);
  if (!parsed.isPrivateKey()) {
    throw unusable(where, 'it is a public key', 'give the file without .pub');
  }
  return parsed;
}

/** ssh2 returns most failures, throws some, and returns a list for some formats, unlike what its types say. */
function parse(auth: Extract<SshAuth, { kind: 'key' }>): ParsedKey | Error {
  try {
    const parsed: unknown = ssh2.utils.parseKey(auth.privateKey, auth.passphrase);
    const [first]: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    return first as ParsedKey | Error;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function explain(error: Error, auth: Extract<SshAuth, { kind: 'key' }>, where: string): WatchdogError {
  const text = auth.privateKey.toString();
  if (/no passphrase given/.test(error.message)) {
    return unusable(
      where,
      'it is encrypted and no passphrase is given',
      'give its passphrase, or take it off: ssh-keygen -p -f KEY',
    );
  }
  if (/integrity check failed/.test(error.message)) {
    return unusable(where, 'the passphrase does not fit', 'check the passphrase: ssh-keygen -y -f KEY');
  }
  if (/initialization vector|Unsupported cipher/.test(error.message)) {
    return unusable(
      where,
      'it is encrypted with a cipher that we cannot read',
      'rewrite it: ssh-keygen -p -Z aes256-ctr -f KEY',
    );
  }
  if (/^\s*-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/.test(text)) {
    const hint =
      'rewrite it in the format of OpenSSH: ssh-keygen -p -f KEY; an ed25519 one make anew: ssh-keygen -t ed25519';
    return unusable(where, 'it is in PKCS#8 format', hint);
  }
  return unusable(where, `it cannot be read (${error.message})`, 'make one: ssh-keygen -t ed25519 -f KEY');
}

function unusable(where: string, why: string, hint: string): WatchdogError {
  return new WatchdogError('ssh/key-unusable', `${where}: the private key cannot be used: ${why}`, {
    hint,
    permanent: true,
  });
}
