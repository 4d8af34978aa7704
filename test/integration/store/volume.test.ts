/** As much as the store must bear: 100,000 files on a target, 100,000 messages that nobody takes. */

import { expect, test } from 'vitest';
import { limits } from '../../../src/support/limits.ts';
import {
  openTestStore,
  sampleFile,
  sampleGroup,
  sampleMessage,
  samplePass,
  someTimeMs,
  temporaryDirectory,
} from '../../support/store.ts';

const address = 'ssh://deadair@nas:22/volume1/backups';

test('100,000 files are recorded, read and found again after a restart', () => {
  using directory = temporaryDirectory();
  const files = Array.from({ length: 100_000 }, (_, n) =>
    sampleFile(`20261122T021504Z/collection-${n % 100}/collection-${n}.snapshot`, { inode: String(n) }),
  );
  {
    using store = openTestStore(directory.path);
    store.ledger.recordSeen(address, files, { isBacklog: true, atMs: someTimeMs });
    for (const file of files.slice(0, 10_000)) {
      const outcome = { kind: 'digest', sha256: 'a'.repeat(64), readAtMs: someTimeMs, tool: 'openssl' } as const;
      store.ledger.recordOutcome(address, file, outcome, someTimeMs);
    }
  }
  using store = openTestStore(directory.path);
  const { reading } = store.ledger.load(address);
  expect(files.filter((file) => reading(file)?.firstSha256 === 'a'.repeat(64))).toHaveLength(10_000);
  expect(files.filter((file) => reading(file)?.isBacklog)).toHaveLength(100_000);
  store.ledger.recordSeen(address, files, { isBacklog: false, atMs: someTimeMs + 1 });
  expect(reading(files[99_999]!)?.firstSeenAtMs).toBe(someTimeMs);
});

test('a full outbox takes every pass: a newer message replaces the unsent one of its group, and no other goes', () => {
  using directory = temporaryDirectory();
  using store = openTestStore(directory.path);
  const groups = Array.from({ length: limits.outboxMessages }, (_, n) => `group${n}`);
  store.commitPass(samplePass('one', { messages: groups.map((groupId) => sampleMessage(2, { groupId })) }));
  expect(store.outbox.count()).toBe(limits.outboxMessages);
  store.outbox.recordFailure(sampleMessage(2, { groupId: 'group2' }).id, {
    atMs: someTimeMs,
    code: 'net/timeout',
    message: 'no answer',
    isPermanent: false,
  });

  const head = sampleMessage(3, { groupId: 'group0', kind: 'recovered' });
  const replacing = sampleMessage(3, { groupId: 'group1', kind: 'recovered' });
  const tried = sampleMessage(3, { groupId: 'group2', kind: 'recovered' });
  const elsewhere = sampleMessage(3, { groupId: 'group1', receiver: 'second' });
  const unrelated = sampleMessage(1, { groupId: 'new' });
  const messages = [head, replacing, tried, elsewhere, unrelated];
  store.commitPass(samplePass('two', { messages, groups: [sampleGroup('new')] }));

  // All five are there; only the one whose forerunner nobody can have seen took that one's place.
  expect(store.outbox.count()).toBe(limits.outboxMessages + 4);
  expect(store.standings.groups()).toEqual([sampleGroup('new')]);
  const waiting = store.outbox.pending('phone', 3);
  expect(waiting.map(({ id }) => id)).toEqual(['group0-2@phone', 'group1-3@phone', 'group2-2@phone']);
  // The phone shows the message before the replaced one, if any: that is what has to be cleared now.
  expect(waiting[1]).toEqual({ ...replacing, clears: 'group1-1' });

  store.commitPass(samplePass('three', { messages }));
  expect(store.outbox.count()).toBe(limits.outboxMessages + 4);
});
