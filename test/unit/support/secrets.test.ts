import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WatchdogError } from '../../../src/support/errors.ts';
import { limits } from '../../../src/support/limits.ts';
import { resolveSecret, Secret, secret, type SecretRef } from '../../../src/support/secrets.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'deadair-secrets-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

const look = (reference: SecretRef, env: Record<string, string> = {}): Promise<Secret> =>
  resolveSecret(reference, { env, baseDirectory: directory, label: 'receivers.phone.token' });

async function failure(reference: SecretRef, env?: Record<string, string>): Promise<WatchdogError> {
  const error: unknown = await look(reference, env).catch((thrown: unknown) => thrown);
  if (error instanceof WatchdogError) return error;
  throw new Error('expected a WatchdogError');
}

describe('the schema', () => {
  it.each([
    [undefined, 'nothing'],
    [null, 'nothing'],
    ['', 'an empty text'],
    [12_345, 'something else'],
    [['hunter2'], 'something else'],
    [{}, 'an empty map'],
    [{ credential: 'a', file: 'b' }, 'several keys'],
    [{ hunter2: 'hunter2' }, 'another key'],
    [{ credential: 'hunter2/x' }, 'another text'],
    [{ credential: '..' }, 'another text'],
    [{ file: '~/hunter2' }, 'another text'],
    [{ file: '' }, 'another text'],
    [{ file: 7 }, 'something else'],
    [{ env: 'hunter 2' }, 'another text'],
    [{ env: null }, 'nothing'],
  ])('refuses %j and says only what sort of thing it got: %s', (value, got) => {
    const { error } = secret.safeParse(value);
    expect(error?.issues).toHaveLength(1);
    expect(error?.issues[0]).toMatchObject({ message: expect.stringMatching(/^expected /), params: { got } });
    expect(JSON.stringify(error?.issues)).not.toContain('hunter2"');
  });

  it('reads the three references and the text', () => {
    expect(secret.parse({ credential: 'nas-key' })).toStrictEqual({ kind: 'credential', name: 'nas-key' });
    expect(secret.parse({ file: 'keys/nas' })).toStrictEqual({ kind: 'file', path: 'keys/nas' });
    expect(secret.parse({ env: 'NTFY_TOKEN' })).toStrictEqual({ kind: 'env', name: 'NTFY_TOKEN' });
    const text = secret.parse('hunter2');
    expect(text.kind === 'text' && text.secret.reveal()).toBe('hunter2');
  });
});

describe('a secret that cannot be read', () => {
  it('names the file that is not there', async () => {
    const error = await failure({ kind: 'file', path: 'absent' });
    expect(error).toMatchObject({ code: 'secret/missing', permanent: true });
    expect(error.message).toBe(`receivers.phone.token: ${directory}/absent does not exist`);
    expect(error.hint).toContain('create it');
  });

  it('names the variable that is not set', async () => {
    expect((await failure({ kind: 'env', name: 'NTFY_TOKEN' })).message).toBe(
      'receivers.phone.token: the variable NTFY_TOKEN of the environment is not set',
    );
  });

  it('says how credentials come about when there are none', async () => {
    const error = await failure({ kind: 'credential', name: 'nas-key' });
    expect(error.message).toContain('CREDENTIALS_DIRECTORY is not set');
    expect(error.hint).toContain('LoadCredential=nas-key:');
  });

  it('names the credential that is not in the directory', async () => {
    const error = await failure({ kind: 'credential', name: 'nas-key' }, { CREDENTIALS_DIRECTORY: directory });
    expect(error.message).toContain(`${directory}/nas-key does not exist`);
  });

  it('refuses an empty file, a directory, a pipe, what is not text and what is too large', async () => {
    await writeFile(join(directory, 'empty'), '\n');
    await mkdir(join(directory, 'folder'));
    await writeFile(join(directory, 'binary'), Buffer.from([0x68, 0x75, 0xff, 0xfe]));
    await writeFile(join(directory, 'large'), 'hunter2'.repeat(limits.secretBytes));
    const messages = await Promise.all(
      ['empty', 'folder', 'binary', 'large'].map(async (path) => (await failure({ kind: 'file', path })).message),
    );
    expect(messages.map((message) => message.replace(`receivers.phone.token: ${directory}/`, ''))).toStrictEqual([
      'empty is empty',
      'folder is not a file',
      'binary is not text',
      `large is larger than ${limits.secretBytes} bytes`,
    ]);
    expect((await failure({ kind: 'file', path: '/dev/zero' })).message).toContain('/dev/zero is not a file');
  });
});

describe('a secret that can be read', () => {
  it('loses the line break after a single line', async () => {
    await writeFile(join(directory, 'token'), 'tk_abc \r\n', { mode: 0o600 });
    expect((await look({ kind: 'file', path: 'token' })).reveal()).toBe('tk_abc ');
    expect((await look({ kind: 'file', path: join(directory, 'token') })).reveal()).toBe('tk_abc ');
    expect((await look({ kind: 'env', name: 'TOKEN' }, { TOKEN: 'tk_abc\n' })).reveal()).toBe('tk_abc');
  });

  it('keeps a key of several lines as it is', async () => {
    const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n';
    await writeFile(join(directory, 'key'), key, { mode: 0o600 });
    expect((await look({ kind: 'file', path: 'key' })).reveal()).toBe(key);
  });

  it('warns of a file that others may read, and not of a credential', async () => {
    await writeFile(join(directory, 'open'), 'tk_abc\n');
    await chmod(join(directory, 'open'), 0o644);
    expect((await look({ kind: 'file', path: 'open' })).warning).toContain('may be read by other users');
    await chmod(join(directory, 'open'), 0o600);
    expect((await look({ kind: 'file', path: 'open' })).warning).toBeNull();
    await chmod(join(directory, 'open'), 0o444);
    const credential = await look({ kind: 'credential', name: 'open' }, { CREDENTIALS_DIRECTORY: directory });
    expect(credential.warning).toBeNull();
  });
});

it('shows a secret to nobody who does not ask', () => {
  const hidden = new Secret('hunter2');
  const shown = [
    String(hidden),
    JSON.stringify({ hidden }),
    inspect({ hidden }, { showHidden: true }),
    String(Object.values(hidden)),
  ];
  expect(shown.join()).not.toContain('hunter2');
  expect(JSON.stringify(hidden)).toBe('"[secret]"');
  expect(hidden.reveal()).toBe('hunter2');
});
