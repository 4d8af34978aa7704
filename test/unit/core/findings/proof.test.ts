import { describe, expect, test } from 'vitest';
import {
  backlogBytesPerSecond,
  defaultProveWithinMs,
  isEnough,
  type Proof,
  prove,
  tellsOfBytes,
} from '../../../../src/core/findings/proof.ts';
import { type Mode, optionsOf } from '../../../support/rules.ts';
import {
  arrange,
  digest,
  type FileSketch,
  goodSketch,
  ms,
  nowMs,
  readAs,
  snapshot,
  target,
  type TargetSketch,
  unreadableSince,
  unreadSince,
  unseen,
} from '../../../support/world.ts';

function proofOf(file: Partial<FileSketch>, mode: Mode = 'daemon', part: Partial<TargetSketch> = {}): Proof {
  const sketch = { ...goodSketch(), targets: { nas: target([snapshot('books', '17h', file)], part) } };
  const [world] = arrange(sketch).targets;
  const [only] = world!.catalogue!.snapshots;
  return prove(only!, world!, optionsOf(sketch, mode));
}

const sha256 = digest('good');
const listed = (part: object = {}): FileSketch['witnesses'] => [{ manifest: 'SHA256SUMS', sha256, ...part }];

test('bytes that read as a manifest says are proven by it', () => {
  const proof = proofOf({ witnesses: listed(), reading: readAs(sha256, nowMs) });
  expect(proof).toEqual({ kind: 'proven', grade: 'manifest', readAtMs: nowMs, tool: 'openssl' });
});

test('bytes without a digest are proven by their first reading, and no better', () => {
  expect(proofOf({ witnesses: [], reading: readAs(sha256, nowMs) })).toMatchObject({
    kind: 'proven',
    grade: 'first-seen',
  });
  const sizeOnly = [{ manifest: 'manifest.json', sha256: null, sizeBytes: 4_096 }];
  expect(proofOf({ witnesses: sizeOnly, reading: readAs(sha256, nowMs) })).toMatchObject({ grade: 'first-seen' });
});

test('a rule that wants a manifest is not content with a first reading', () => {
  expect(isEnough('first-seen', 'manifest')).toBe(false);
  expect(isEnough('first-seen', 'first-seen')).toBe(true);
  expect(isEnough('manifest', 'manifest')).toBe(true);
  expect(isEnough('manifest', 'first-seen')).toBe(true);
});

test('bytes that read otherwise than the manifest says do not match', () => {
  expect(proofOf({ witnesses: listed(), reading: readAs(digest('bad'), nowMs) })).toEqual({
    kind: 'mismatch',
    read: digest('bad'),
    wanted: sha256,
    witness: 'SHA256SUMS',
    readAtMs: nowMs,
  });
});

test('bytes that changed since their first reading do not match', () => {
  const reading = { ...readAs(digest('later'), nowMs), firstSha256: digest('first') };
  expect(proofOf({ witnesses: [], reading })).toMatchObject({ kind: 'mismatch', witness: 'first reading' });
});

test('a manifest outweighs a first reading that was made before the manifest arrived', () => {
  const reading = { ...readAs(sha256, nowMs), firstSha256: digest('half of it') };
  expect(proofOf({ witnesses: listed(), reading })).toMatchObject({ kind: 'proven', grade: 'manifest' });
});

test('two digests for one file contradict each other, even when one of them is what was read', () => {
  const witnesses = [...listed(), { manifest: 'x.sha256', sha256: digest('else') }];
  const proof = proofOf({ witnesses, reading: readAs(sha256, nowMs) });
  expect(proof).toEqual({ kind: 'contradiction', manifests: ['SHA256SUMS', 'x.sha256'] });
});

test('two manifests that agree are no contradiction', () => {
  const witnesses = [...listed(), ...listed({ manifest: 'manifest.json' })];
  expect(proofOf({ witnesses, reading: readAs(sha256, nowMs) })).toMatchObject({ kind: 'proven' });
});

test('a size other than any manifest says is told without reading', () => {
  const proof = proofOf({ witnesses: listed({ sizeBytes: 4_097 }), reading: null });
  expect(proof).toEqual({ kind: 'truncated', sizeBytes: 4_096, wantedBytes: 4_097 });
  const two = [...listed({ sizeBytes: 4_096 }), ...listed({ manifest: 'old.json', sizeBytes: 4_095 })];
  expect(proofOf({ witnesses: two, reading: readAs(sha256, nowMs) })).toMatchObject({ kind: 'truncated' });
});

test('no bytes prove nothing, even where a manifest has the digest of nothing', () => {
  const witnesses = listed({ sizeBytes: 0 });
  expect(proofOf({ sizeBytes: 0, witnesses, reading: readAs(sha256, nowMs) })).toEqual({ kind: 'empty' });
});

test('a copy dated 1970 and without a digest was interrupted; with its digest it is proven', () => {
  const interrupted = { mtimeMs: 0, reading: readAs(sha256, nowMs) };
  expect(proofOf({ ...interrupted, witnesses: [] })).toEqual({ kind: 'interrupted' });
  expect(proofOf({ ...interrupted, witnesses: listed() })).toMatchObject({ kind: 'proven', grade: 'manifest' });
});

describe('unread bytes', () => {
  const sinceMs = nowMs - ms('1h');

  test('wait from when they were first seen', () => {
    expect(proofOf({ reading: unreadSince(sinceMs) })).toEqual({
      kind: 'unread',
      sinceMs,
      proveByMs: sinceMs + defaultProveWithinMs,
    });
  });

  test('that nobody has seen before wait from now', () => {
    expect(proofOf({ reading: null })).toMatchObject({ kind: 'unread', sinceMs: nowMs });
  });

  test('of the backlog get the time their reading needs besides', () => {
    const part = { backlogBytes: backlogBytesPerSecond * 3_600 };
    const proveByMs = sinceMs + defaultProveWithinMs;
    expect(proofOf({ reading: unreadSince(sinceMs, true) }, 'daemon', part)).toMatchObject({
      proveByMs: proveByMs + ms('1h'),
    });
    expect(proofOf({ reading: unreadSince(sinceMs, false) }, 'daemon', part)).toMatchObject({ proveByMs });
  });
});

describe('bytes that could not be read', () => {
  test.each(['place/denied', 'place/read-failed', 'place/unsupported'])('are unreadable: %s', (code) => {
    const reading = unreadableSince(nowMs - ms('1h'), unseen('no', code));
    expect(proofOf({ reading })).toMatchObject({ kind: 'unreadable', why: { code } });
    expect(proofOf({ reading }, 'check')).toMatchObject({ kind: 'unreadable', why: { code } });
  });
});

describe('an outcome', () => {
  test.each(['place/not-found', 'place/changed', 'aborted', 'ssh/connection-lost', 'net/timeout'])(
    'that says nothing about the bytes must not take the place of a digest: %s',
    (code) => {
      expect(tellsOfBytes({ kind: 'unreadable', readAtMs: nowMs, why: unseen('not now', code) })).toBe(false);
    },
  );

  test('that is a digest, or says that the bytes cannot be read, is remembered', () => {
    expect(tellsOfBytes({ kind: 'digest', readAtMs: nowMs, sha256: digest('x'), tool: 'here' })).toBe(true);
    expect(tellsOfBytes({ kind: 'unreadable', readAtMs: nowMs, why: unseen('EIO', 'place/read-failed') })).toBe(true);
  });
});
