import { expect, test } from 'vitest';
import { explainThrown, quote } from '../../../src/clients/http-failures.ts';

const exchange = { what: 'GET /collections on http://phx:6333', service: 'Qdrant' };
const calm = { receivedBytes: null, isAborted: false, deadlineMs: null };
const withCode = (error: Error, code: string): Error => Object.assign(error, { code });

test.each([
  new TypeError('x is not a function'),
  withCode(new TypeError('invalid header'), 'ERR_INVALID_CHAR'),
  withCode(new Error('invalid method'), 'UND_ERR_INVALID_ARG'),
  new Error('impossible'),
])('a mistake of ours is no failure of the world: %s', (mistake) => {
  expect(() => explainThrown(exchange, mistake, calm)).toThrow(mistake);
});

test.each([
  [withCode(new AggregateError([], ''), 'ECONNREFUSED'), calm, 'net/unreachable'],
  [withCode(new Error('reset'), 'ECONNRESET'), calm, 'net/unreachable'],
  [withCode(new Error('reset'), 'ECONNRESET'), { ...calm, receivedBytes: 0 }, 'http/not-understood'],
  [withCode(new Error('slow'), 'UND_ERR_CONNECT_TIMEOUT'), calm, 'net/timeout'],
  [withCode(new Error('old'), 'CERT_HAS_EXPIRED'), calm, 'net/tls'],
  [new Error('any'), { ...calm, deadlineMs: 30_000 }, 'net/timeout'],
  [new Error('any'), { ...calm, isAborted: true, deadlineMs: 30_000 }, 'aborted'],
])('%s in the circumstances %j is %s, and a retry may help', (thrown, circumstances, code) => {
  expect(explainThrown(exchange, thrown, circumstances)).toMatchObject({ code, permanent: false, cause: thrown });
});

test('a foreign text is quoted on one printable line, cut, and without the credential', () => {
  expect(quote(' a\r\n\u001b[2Jtk_secret ', 'tk_secret')).toBe('a [2J***');
  expect(quote('🚨'.repeat(200))).toBe(`${'🚨'.repeat(120)}…`);
  expect(quote(' \n')).toBe('an empty body');
});
