import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { findingKey } from '../../../../src/core/model/key.ts';

test('a finding and its standing have one key', () => {
  const about = { subject: 'phx-ai01/books', target: 'nas' };
  expect(findingKey({ ...about, id: 'phx-ai01/freshness' })).toBe(
    findingKey({ ...about, ruleId: 'phx-ai01/freshness' }),
  );
});

test('two that differ in rule, subject or target never share a key, whatever their characters', () => {
  const part = fc.string({ unit: fc.constantFrom('a', '/', '"', ',', '\\', '[', '\n') });
  const about = fc.record({ id: part, subject: part, target: fc.option(part) });
  fc.assert(
    fc.property(about, about, (one, other) => {
      const isSame = one.id === other.id && one.subject === other.subject && one.target === other.target;
      expect(findingKey(one) === findingKey(other)).toBe(isSame);
    }),
  );
});
