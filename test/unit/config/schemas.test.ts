import { describe, expect, it } from 'vitest';
import { checkEveryMs, layout, name, sshAddress, timezone } from '../../../src/config/schemas.ts';

const isRefused = (schema: { safeParse: (value: unknown) => { success: boolean } }, value: unknown): boolean =>
  !schema.safeParse(value).success;

describe('an SSH address', () => {
  it.each([
    '',
    'nas',
    '@nas',
    'a@',
    'a@nas:',
    'a@nas:0',
    'a@nas:65536',
    'a@nas:x',
    '-a@nas',
    'a@-oProxyCommand=x',
    'a b@nas',
    'ssh://a@nas',
    'a@fe80::1',
    'a@[nas]',
    'a@nas/x',
    'a@nas\n',
  ])('is not %j', (text) => {
    expect(isRefused(sshAddress, text)).toBe(true);
  });

  it.each([
    ['deadair@nas.lan', { user: 'deadair', host: 'nas.lan', port: 22 }],
    ['deadair@192.0.2.7:2222', { user: 'deadair', host: '192.0.2.7', port: 2222 }],
    ['deadair@[2001:db8::1]', { user: 'deadair', host: '2001:db8::1', port: 22 }],
    ['deadair@[fe80::1%eth0]:2222', { user: 'deadair', host: 'fe80::1%eth0', port: 2222 }],
  ])('is %s', (text, address) => {
    expect(sshAddress.parse(text)).toStrictEqual(address);
  });
});

it.each(['', '-a', '.a', 'a/b', 'a b', 'ä', 'a'.repeat(64), 'a\n', 7])('a name is not %j', (text) => {
  expect(isRefused(name, text)).toBe(true);
});

it.each(['a', 'phx-ai01', 'nas.lan_2', '7', 'a'.repeat(63), 'constructor'])('a name is %s', (text) => {
  expect(name.parse(text)).toBe(text);
});

it.each(['', '+02:00', 'UTC+2', 'Mars/Base', 'America', '5m'])('a time zone is not %j', (text) => {
  expect(isRefused(timezone, text)).toBe(true);
});

it.each(['UTC', 'America/Phoenix', 'Europe/Berlin'])('a time zone is %s', (text) => {
  expect(timezone.parse(text)).toBe(text);
});

it('a layout has {collection} once and stays below its target', () => {
  expect(
    ['', '*.snapshot', '/{collection}', '../{collection}', '{collection}/{collection}'].every((value) =>
      isRefused(layout, value),
    ),
  ).toBe(true);
  expect(layout.parse('{collection}/*.snapshot')).toBe('{collection}/*.snapshot');
});

it('checks come no more often than each second and no less often than each day, which timers can bear', () => {
  expect(['999ms', '25h', '30d', '5', 5].every((value) => isRefused(checkEveryMs, value))).toBe(true);
  expect(checkEveryMs.parse('24h')).toBe(86_400_000);
});
