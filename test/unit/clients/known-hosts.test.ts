import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fingerprint, judgeHostKey, pinnedAlgorithms } from '../../../src/clients/known-hosts.ts';

const keyA = wireKey('ssh-ed25519', 'A');
const keyB = wireKey('ssh-ed25519', 'B');
const rsaKey = wireKey('ssh-rsa', 'R');
const textA = publicText(keyA);
const textB = publicText(keyB);

describe('lines that nobody can read never match', () => {
  test.each([
    ['a comment', `#nas.lan ${textA}`],
    ['no key', 'nas.lan ssh-ed25519'],
    ['base64 that is none', `nas.lan ssh-ed25519 ${textA.slice(12)}~~~`],
    ['a key cut short', `nas.lan ${textA.slice(0, 40)}`],
    ['another type than its bytes say', `nas.lan ssh-rsa ${keyA.toString('base64')}`],
    ['SSH protocol 1', 'nas.lan 1024 35 1434'],
    ['an unknown marker', `@trusted nas.lan ${textA}`],
    ['a marker alone', '@revoked'],
    ['a hash with a salt of another length', `|1|${Buffer.alloc(8).toString('base64')}|x ${textA}`],
    ['a hash of another version', hashed('nas.lan', textA).replace('|1|', '|2|')],
  ])('%s', (_, line) => {
    expect(judge(`${line}\n`)).toEqual({ kind: 'unknown', line: `nas.lan ${textA}` });
  });

  test('a bad line does not hide the good one after it', () => {
    expect(judge(`nas.lan ssh-ed25519 %%%\n\n   \nnas.lan ${textA}`)).toEqual({ kind: 'known' });
  });
});

describe('refused', () => {
  test('an empty file tells the exact line to add', () => {
    expect(judge('')).toEqual({ kind: 'unknown', line: `nas.lan ${textA}` });
    expect(judge('', { port: 2222 })).toEqual({ kind: 'unknown', line: `[nas.lan]:2222 ${textA}` });
    expect(judge('', { host: 'fd00::1', port: 2222 })).toEqual({ kind: 'unknown', line: `[fd00::1]:2222 ${textA}` });
  });

  test('the line to add is then known', () => {
    for (const port of [22, 2222]) {
      const verdict = judge('', { port });
      expect(judge(verdict.kind === 'unknown' ? verdict.line : '', { port })).toEqual({ kind: 'known' });
    }
  });

  test('another key than the pinned one has changed, and the lines are named', () => {
    const text = `# ours\nnas.lan ${textB}\nother ${textA}\nnas.lan ${publicText(rsaKey)}\n`;
    expect(judge(text)).toEqual({ kind: 'changed', lineNumbers: [2, 4] });
  });

  test('a revoked key is refused though another line pins it', () => {
    const text = `nas.lan ${textA}\n@revoked * ${textA}\n`;
    expect(judge(text)).toEqual({ kind: 'revoked', lineNumber: 2 });
  });

  test('a key revoked for the bare host is refused on every port', () => {
    const text = `[nas.lan]:2222 ${textA}\n@revoked nas.lan ${textA}\n`;
    expect(judge(text, { port: 2222 })).toEqual({ kind: 'revoked', lineNumber: 2 });
  });

  test('the key of a CA is never a pin', () => {
    expect(judge(`@cert-authority *.lan ${textA}`)).toEqual({ kind: 'only-ca', line: `nas.lan ${textA}` });
  });

  test('a key whose type is no name cannot smuggle text into the line to add', () => {
    const key = wireKey('ssh-rsa\nevil * ', 'x');
    expect(judge('', { key })).toEqual({ kind: 'unknown', line: `nas.lan unknown ${key.toString('base64')}` });
  });
});

describe('which lines are about a host', () => {
  test.each([
    ['its name', 'nas.lan', 22, true],
    ['its name in capitals', 'NAS.LAN', 22, true],
    ['a list', 'a,nas.lan,b', 22, true],
    ['a glob', 'n?s.*', 22, true],
    ['a glob for all', '*', 22, true],
    ['a glob with stars in a row', '**.la**n', 22, true],
    ['a glob that is too long', 'nas.lan?', 22, false],
    ['a prefix', 'nas', 22, false],
    ['a dot is no wildcard', 'nasxlan', 22, false],
    ['a negation after a match', 'nas.*,!nas.lan', 22, false],
    ['a negation before a match', '!nas.lan,*', 22, false],
    ['a negation of another', '*,!nas2.lan', 22, true],
    ['a negation alone matches nothing', '!other', 22, false],
    ['its name and port', '[nas.lan]:2222', 2222, true],
    ['a glob for the port', '[nas.lan]:*', 2222, true],
    ['another port', '[nas.lan]:2223', 2222, false],
    ['the bare name, on another port', 'nas.lan', 2222, true],
    ['port 22 in brackets', '[nas.lan]:22', 22, false],
    ['its hash', hashed('nas.lan', '').trim(), 22, true],
    ['the hash of another', hashed('nas2.lan', '').trim(), 22, false],
    ['the hash of name and port', hashed('[nas.lan]:2222', '').trim(), 2222, true],
  ])('%s: %s on port %i', (_, hosts, port, matches) => {
    expect(judge(`${hosts} ${textA}`, { port }).kind).toBe(matches ? 'known' : 'unknown');
  });

  test('a long glob full of stars is judged at once', () => {
    const started = performance.now();
    expect(judge(`${'a*'.repeat(2_000)}b ${textA}`, { host: 'a'.repeat(255) }).kind).toBe('unknown');
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('the bare name with another key says nothing about another port', () => {
    expect(judge(`nas.lan ${textB}`, { port: 2222 }).kind).toBe('unknown');
  });

  test('any one of several keys will do, with tabs, comments and CRLF', () => {
    expect(judge(`nas.lan ${textB}\r\nnas.lan\t${textA}\tadmin@nas comment\r\n`)).toEqual({ kind: 'known' });
  });
});

describe('the algorithms to offer', () => {
  test('are those of the pinned types, best first, RSA never with SHA-1', () => {
    const text = `nas.lan ${publicText(rsaKey)}\nnas.lan ${textA}\n`;
    expect(pinnedAlgorithms(text, 'nas.lan', 22)).toEqual(['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256']);
  });

  test('are none where nothing is pinned, or only revoked, by a CA, or of a type that we cannot check', () => {
    const text = `@revoked * ${textA}\n@cert-authority * ${textA}\n* ${publicText(wireKey('ssh-dss', 'D'))}\n`;
    expect(pinnedAlgorithms(text, 'nas.lan', 22)).toEqual([]);
  });
});

test('a fingerprint is what ssh-keygen -l prints', () => {
  const base64 = 'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
  expect(fingerprint(Buffer.from(base64, 'base64'))).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
});

function judge(text: string, { host = 'nas.lan', port = 22, key = keyA } = {}): ReturnType<typeof judgeHostKey> {
  return judgeHostKey(text, { host, port, key });
}

/** A key in wire form; only its frame matters here. */
function wireKey(type: string, body: string): Buffer {
  const strings = [type, body.repeat(32)].map((text) => Buffer.from(text));
  return Buffer.concat(strings.flatMap((bytes) => [lengthOf(bytes), bytes]));
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}

function publicText(key: Buffer): string {
  return `${key.toString('latin1', 4, 4 + key.readUInt32BE(0))} ${key.toString('base64')}`;
}

function hashed(name: string, key: string): string {
  const salt = Buffer.alloc(20, 7);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')} ${key}`;
}
