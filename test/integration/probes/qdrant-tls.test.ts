import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openQdrant } from '../../../src/clients/qdrant.ts';
import { openLabQdrant, temporaryDirectory } from '../../support/qdrant.ts';
import type { TemporaryDirectory } from '../../support/qdrant.ts';

const run = promisify(execFile);
const { signal } = new AbortController();

/** An authority, and a certificate that it signed for 127.0.0.1. PEM. */
interface Authority {
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

/** @param days how long the server's certificate is good; 0 ends it at once. */
async function makeAuthority(directory: string, name: string, subject = 'IP:127.0.0.1', days = 2): Promise<Authority> {
  const openssl = (line: string): Promise<unknown> => run('openssl', line.split(' '), { cwd: directory });
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
  await openssl(`req -x509 ${newKey} -days 2 -keyout ${name}.ca.key -out ${name}.ca.pem -subj /CN=${name}-authority`);
  await openssl(`req ${newKey} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
  await writeFile(join(directory, `${name}.ext`), `subjectAltName=${subject}\n`);
  const signed = `-CA ${name}.ca.pem -CAkey ${name}.ca.key -CAcreateserial -days ${days} -extfile ${name}.ext`;
  await openssl(`x509 -req -in ${name}.csr ${signed} -out ${name}.pem`);
  const [ca, key, cert] = await Promise.all(
    ['ca.pem', 'key', 'pem'].map((suffix) => readFile(join(directory, `${name}.${suffix}`), 'utf8')),
  );
  return { ca: ca!, key: key!, cert: cert! };
}

describe('a Qdrant behind TLS', () => {
  let directory: TemporaryDirectory;
  let ours: Authority;
  let other: Authority;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    ours = await makeAuthority(directory.path, 'ours');
    other = await makeAuthority(directory.path, 'other', 'DNS:elsewhere.lan');
  });
  afterAll(() => directory[Symbol.asyncDispose]());

  async function ask(tls: Authority, ca?: string, scheme = 'https:'): Promise<string> {
    await using lab = await openLabQdrant({ tls });
    const url = lab.url.replace('https:', scheme);
    await using client = openQdrant({ url, ...(ca === undefined ? {} : { ca }) });
    return await client.version(signal);
  }

  it('is trusted by the authority that signed its certificate', async () => {
    expect(await ask(ours, ours.ca)).toBe('1.19.0');
  });

  it('is trusted by the second authority of a bundle', async () => {
    expect(await ask(ours, `${other.ca}${ours.ca}`)).toBe('1.19.0');
  });

  it('is refused under another authority, and the message says what to do', async () => {
    await expect(ask(ours, other.ca)).rejects.toMatchObject({
      code: 'net/tls',
      permanent: false,
      message: expect.stringMatching(/^GET \/ on https:.*: the TLS connection was not accepted \([A-Z_]+\)$/),
      hint: expect.stringContaining('as ca:'),
    });
  });

  it('is refused without any authority of ours', async () => {
    await expect(ask(ours)).rejects.toMatchObject({ code: 'net/tls' });
  });

  it('is refused when its certificate is for another host', async () => {
    await expect(ask(other, other.ca)).rejects.toMatchObject({
      code: 'net/tls',
      message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    });
  });

  it('is refused when its certificate has expired', async () => {
    const expired = await makeAuthority(directory.path, 'expired', 'IP:127.0.0.1', 0);
    await expect(ask(expired, expired.ca)).rejects.toMatchObject({ code: 'net/tls' });
  });

  it('is not understood over plain http', async () => {
    await expect(ask(ours, undefined, 'http:')).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:http\/not-understood|net\/unreachable)$/),
      hint: expect.any(String),
    });
  });

  it('is refused where plain http answers on an https address', async () => {
    await using lab = await openLabQdrant();
    await using client = openQdrant({ url: lab.url.replace('http:', 'https:'), ca: ours.ca });
    await expect(client.version(signal)).rejects.toMatchObject({ code: 'net/tls' });
  });
});
