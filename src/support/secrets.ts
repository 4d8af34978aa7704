/** Secrets: where the configuration says they are, and their text once read. The text never shows itself in logs or messages. */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { z } from 'zod';
import { WatchdogError } from './errors.ts';
import { limits } from './limits.ts';

/** Where a secret is. */
export type SecretRef =
  /** A file of that name in `$CREDENTIALS_DIRECTORY`, where systemd puts credentials. */
  | { readonly kind: 'credential'; readonly name: string }
  /** A path, relative to the configuration file. */
  | { readonly kind: 'file'; readonly path: string }
  /** A variable of the environment. */
  | { readonly kind: 'env'; readonly name: string }
  /** In the configuration itself. The loader warns of it. */
  | { readonly kind: 'text'; readonly secret: Secret };

/** A text that shows itself only to who asks with {@link Secret.reveal}: printed, logged or in JSON it is `[secret]`. */
export class Secret {
  readonly #text: string;
  /** What is unsafe about where it lies, as a sentence; null when nothing is. */
  readonly warning: string | null;

  constructor(text: string, warning: string | null = null) {
    this.#text = text;
    this.warning = warning;
  }

  /** The secret itself. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/**
 * The schema of a secret in YAML: `{credential: NAME}`, `{file: PATH}`, `{env: NAME}` or the text. Its issues carry
 * `params.got`, so that nobody who reports them needs to print what was found.
 */
export const secret = z
  .unknown()
  .transform((value, context): SecretRef => {
    const outcome = toReference(value);
    if ('kind' in outcome) return outcome;
    const { expectation, got, key } = outcome;
    const path = key === undefined ? [] : [key];
    context.addIssue({ code: 'custom', message: `expected ${expectation}`, path, params: { got } });
    return z.NEVER;
  })
  .meta({ description: 'A secret: {credential: NAME}, {file: PATH} or {env: NAME}.' });

/** Where {@link resolveSecret} looks, and what the secret is for. */
export interface SecretSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory of the configuration file, absolute. */
  readonly baseDirectory: string;
  /** The key in the configuration, such as `receivers.phone.token`. */
  readonly label: string;
}

/**
 * Reads a secret. Line breaks at the end of a single line are no part of it; a text of several lines, such as a private key,
 * is kept as it is.
 *
 * @returns the secret, with a warning when other users may read its file.
 * @throws WatchdogError `secret/missing`, saying where it was looked for; a retry helps only once somebody has put it there.
 */
export async function resolveSecret(reference: SecretRef, surroundings: SecretSurroundings): Promise<Secret> {
  const { env, baseDirectory, label } = surroundings;
  switch (reference.kind) {
    case 'text':
      return reference.secret;
    case 'env': {
      const text = env[reference.name];
      const where = `the variable ${reference.name} of the environment`;
      if (text === undefined) throw missing(label, `${where} is not set`, `set it for the user who runs deadair`);
      return wholeSecret(text, { label, where, warning: null });
    }
    case 'file':
      return readSecretFile(resolve(baseDirectory, reference.path), { label, isShared: false });
    case 'credential': {
      const directory = env['CREDENTIALS_DIRECTORY'];
      if (directory === undefined || !isAbsolute(directory)) {
        throw missing(
          label,
          `the credential ${reference.name} was looked for, but CREDENTIALS_DIRECTORY is not set`,
          `run deadair by systemd with LoadCredential=${reference.name}:PATH, or set CREDENTIALS_DIRECTORY to where it lies`,
        );
      }
      return readSecretFile(join(directory, reference.name), { label, isShared: true });
    }
  }
}

/** What is wrong with a reference. `got` tells the sort of what was found, never its text. */
interface BadReference {
  readonly expectation: string;
  readonly got: string;
  readonly key?: string;
}

const forms = '{credential: NAME}, {file: PATH} or {env: NAME}';

function toReference(value: unknown): SecretRef | BadReference {
  if (typeof value === 'string') {
    if (value.trim() === '') return { expectation: forms, got: 'an empty text' };
    return { kind: 'text', secret: new Secret(value) };
  }
  if (value === null || value === undefined) return { expectation: forms, got: 'nothing' };
  if (typeof value !== 'object' || Array.isArray(value)) return { expectation: forms, got: 'something else' };
  const entries = Object.entries(value);
  const [key, name] = entries[0] ?? [];
  if (entries.length !== 1 || key === undefined) {
    return { expectation: `exactly one of ${forms}`, got: entries.length === 0 ? 'an empty map' : 'several keys' };
  }
  switch (key) {
    case 'credential':
      if (typeof name === 'string' && /^(?!\.{1,2}$)[\w.@:-]{1,255}$/.test(name)) return { kind: 'credential', name };
      return { expectation: 'the name of a credential, without slashes', got: sortOf(name), key };
    case 'file':
      if (typeof name === 'string' && /^[^~]/.test(name) && !name.includes('\0')) return { kind: 'file', path: name };
      return { expectation: 'a path, without ~', got: sortOf(name), key };
    case 'env':
      if (typeof name === 'string' && /^[A-Za-z_]\w*$/.test(name)) return { kind: 'env', name };
      return { expectation: 'the name of a variable of the environment', got: sortOf(name), key };
    default:
      // The key is not pointed at, since whoever writes a secret in braces has made it one.
      return { expectation: forms, got: 'another key' };
  }
}

function sortOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'string' ? 'another text' : 'something else';
}

async function readSecretFile(path: string, given: { label: string; isShared: boolean }): Promise<Secret> {
  const { label, isShared } = given;
  try {
    // O_NONBLOCK: opening a pipe nobody writes to would wait for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) throw missing(label, `${path} is not a file`, 'give the path of a file');
    const bytes = Buffer.alloc(limits.secretBytes + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    if (bytesRead > limits.secretBytes) {
      throw missing(label, `${path} is larger than ${limits.secretBytes} bytes`, 'give the path of the secret itself');
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, bytesRead));
    return wholeSecret(text, { label, where: path, warning: isShared ? null : exposure(path, stats) });
  } catch (error) {
    if (error instanceof WatchdogError) throw error;
    throw missing(label, ...describeFailure(path, error));
  }
}

function wholeSecret(text: string, given: { label: string; where: string; warning: string | null }): Secret {
  const trimmed = text.replace(/[\r\n]+$/, '');
  if (trimmed === '') throw missing(given.label, `${given.where} is empty`, 'put the secret there');
  return new Secret(/[\r\n]/.test(trimmed) ? text : trimmed, given.warning);
}

/** A group may read where the file belongs to another user: that is how a service reads what root keeps for it. */
function exposure(path: string, stats: { readonly mode: number; readonly uid: number }): string | null {
  const isOurs = stats.uid === process.geteuid?.();
  if ((stats.mode & (isOurs ? 0o044 : 0o004)) === 0) return null;
  return `${path} may be read by other users; chmod 600 ${path}`;
}

function describeFailure(path: string, error: unknown): [problem: string, hint: string] {
  if (error instanceof TypeError) return [`${path} is not text`, 'put the secret there as UTF-8 text'];
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return [`${path} does not exist`, 'create it, readable by the user who runs deadair alone'];
    case 'EACCES':
    case 'EPERM':
      return [`${path} may not be read by this user`, 'let the user who runs deadair read it'];
    default:
      return [`${path} cannot be read: ${code}`, 'look at the file'];
  }
}

function missing(label: string, problem: string, hint: string): WatchdogError {
  return new WatchdogError('secret/missing', `${label}: ${problem}`, { hint, permanent: true });
}
