import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprint, judgeHostKey } from '../../../src/clients/known-hosts.ts';
import { describeWithSshd, startSshd, type Sshd } from '../../support/sshd.ts';

const run = promisify(execFile);

describeWithSshd('known_hosts, judged by us and by OpenSSH', () => {
  let sshd: Sshd;
  let other: string;

  beforeAll(async () => {
    sshd = await startSshd();
    other = (await readFile(`${sshd.clientKeyPath}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
  });
  afterAll(() => sshd.stop());

  // `HOST` is the key of the host, `OTHER` another one of the same type, `PORT` its port.
  const onPort = [
    '',
    '[127.0.0.1]:PORT HOST',
    '[127.0.0.1]:PORT OTHER',
    '[127.0.0.1]:PORT OTHER\n[127.0.0.1]:PORT HOST',
    '[127.0.0.1]:* HOST',
    '*:PORT HOST',
    '127.0.0.1 HOST',
    '127.0.0.1 OTHER',
    '127.0.0.* HOST',
    '[127.0.0.1]:22 HOST',
    '* HOST\n@revoked [127.0.0.1]:PORT HOST',
    '@revoked * HOST',
    '@revoked * OTHER\n* HOST',
    '@cert-authority * HOST',
    '@cert-authority * HOST\n* OTHER',
    'HASHED',
    'HASHED-OTHER',
  ];
  const onName = [
    'nas.lan HOST',
    'NAS.lan HOST',
    '  nas.lan\tHOST\tcomment',
    'nas.lan HOST\r',
    'n?s.l* HOST',
    'nas HOST',
    'a,nas.lan,b HOST',
    '*,!nas.lan HOST',
    '!nas.lan,* HOST',
    '!other,nas.* HOST',
    '!other HOST',
    '#nas.lan HOST',
    'nas.lan ssh-ed25519 AAAA%\nnas.lan HOST',
    'nas.lan ssh-ed25519',
    'nas.lan ssh-rsa OTHER',
    '@revoked nas.lan HOST\nnas.lan HOST',
    '@unknown nas.lan HOST',
    'nas.lan OTHER',
    'nas2.lan OTHER\nnas.lan HOST',
  ];

  test.each(onPort)('on another port than 22: %j', async (template) => {
    const text = await fill(template, `[127.0.0.1]:${sshd.port}`);
    const ours = judgeHostKey(text, { host: '127.0.0.1', port: sshd.port, key: hostKey() }).kind;
    expect(ours === 'only-ca' ? 'unknown' : ours).toBe(await verdictOfOpenSsh(text, []));
  });

  test.each(onName)('by name on port 22: %j', async (template) => {
    const text = await fill(template, 'nas.lan');
    const ours = judgeHostKey(text, { host: 'nas.lan', port: 22, key: hostKey() }).kind;
    expect(ours === 'only-ca' ? 'unknown' : ours).toBe(await verdictOfOpenSsh(text, ['-o', 'HostKeyAlias=nas.lan']));
  });

  test('the fingerprint is what ssh-keygen prints', async () => {
    const { stdout } = await run('ssh-keygen', ['-l', '-f', join(sshd.directory, 'host_key.pub')]);
    expect(stdout).toContain(` ${fingerprint(hostKey())} `);
  });

  function hostKey(): Buffer {
    return Buffer.from(sshd.hostPublicKey.split(' ')[1] ?? '', 'base64');
  }

  async function fill(template: string, name: string): Promise<string> {
    if (template.startsWith('HASHED')) {
      const path = join(sshd.directory, 'hashed');
      await writeFile(path, `${name} ${template === 'HASHED' ? sshd.hostPublicKey : other}\n`);
      await run('ssh-keygen', ['-q', '-H', '-f', path]);
      return readFile(path, 'utf8');
    }
    const keys = template.replaceAll('HOST', sshd.hostPublicKey).replaceAll('OTHER', other);
    return `${keys.replaceAll('PORT', String(sshd.port))}\n`;
  }

  async function verdictOfOpenSsh(text: string, more: readonly string[]): Promise<string> {
    const path = join(sshd.directory, 'known_hosts');
    await writeFile(path, text);
    const options = [`UserKnownHostsFile=${path}`, 'GlobalKnownHostsFile=none', 'StrictHostKeyChecking=yes'];
    const settings = [...options, 'BatchMode=yes', 'IdentitiesOnly=yes', 'UpdateHostKeys=no'];
    const argv = ['-F', 'none', ...settings.flatMap((option) => ['-o', option]), ...more, '-i', sshd.clientKeyPath];
    try {
      await run('ssh', [...argv, '-p', String(sshd.port), `${sshd.user}@127.0.0.1`, 'true']);
      return 'known';
    } catch (error) {
      const { stderr } = error as { stderr: string };
      if (stderr.includes('REVOKED HOST KEY')) return 'revoked';
      if (stderr.includes('HOST IDENTIFICATION HAS CHANGED')) return 'changed';
      if (/No \S+ host key is known/.test(stderr)) return 'unknown';
      throw error;
    }
  }
});
