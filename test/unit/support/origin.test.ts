import { describe, expect, it } from 'vitest';
import { origin } from '../../../src/support/origin.ts';

describe('the origin of a service', () => {
  const url = origin('http://localhost:6333', 'api_key');

  it.each([
    '',
    'phx:6333',
    'phx',
    '//phx',
    'ftp://phx',
    'http://',
    'http://phx/api',
    'http://phx?x',
    'http://phx#x',
    'http://a@phx',
    'http://a:b@phx',
    'http://phx:99999',
  ])('is not %j', (text) => {
    expect(url.safeParse(text).success).toBe(false);
  });

  it.each([
    ['http://phx-ai01:6333', 'http://phx-ai01:6333'],
    ['http://phx-ai01:6333/', 'http://phx-ai01:6333'],
    ['https://[2001:db8::1]:6333', 'https://[2001:db8::1]:6333'],
  ])('is %s', (text, parsed) => {
    expect(url.parse(text)).toBe(parsed);
  });

  it('with a login says where that belongs, and does not repeat it', () => {
    const message = 'expected a URL without user and password, which belong into api_key, got one with them';
    const { error } = url.safeParse('http://admin:hunter2@phx');
    expect(error?.issues.map((issue) => issue.message)).toStrictEqual([message]);
  });
});
