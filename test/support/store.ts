/** What tests of the store and the outbox are made of: a private directory, and samples of what is stored. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Group, Message, Standing } from '../../src/core/model/alert.ts';
import type { FileView } from '../../src/core/model/evidence.ts';
import type { PassCommit } from '../../src/store/commit.ts';
import { openStore, type Store, type StoreOptions } from '../../src/store/open.ts';

/** A moment in 2026, epoch ms. */
export const someTimeMs = 1_795_000_000_000;

/** A new private directory, removed at the end of the `using` block. */
export function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'deadair-store-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A daemon's store in a directory, at {@link someTimeMs} unless told otherwise. */
export function openTestStore(directory: string, options: Partial<StoreOptions> = {}): Store {
  return openStore({ directory, nowMs: () => someTimeMs, mode: 'daemon', ...options });
}

/** The n-th message of a group to a receiver; it clears the one before. */
export function sampleMessage(n: number, parts: Partial<Message> = {}): Message {
  const receiver = parts.receiver ?? 'phone';
  const groupId = parts.groupId ?? '0123456789abcdef';
  const sequenceId = `${groupId}-${n}`;
  return {
    id: `${sequenceId}@${receiver}`,
    receiver,
    groupId,
    sequenceId,
    clears: n === 1 ? null : `${groupId}-${n - 1}`,
    kind: 'alert',
    severity: 'critical',
    priority: null,
    title: `CRIT arxiv: number ${n}`,
    body: 'No backup anywhere.',
    createdAtMs: someTimeMs + n,
    ...parts,
  };
}

/** A standing with an open alert. */
export function sampleStanding(subject: string, parts: Partial<Standing> = {}): Standing {
  return {
    ruleId: 'phx-ai01/freshness',
    rule: 'freshness',
    subject,
    target: 'nas',
    status: 'failing',
    observedAtMs: someTimeMs,
    unreadSinceMs: null,
    okUntilMs: null,
    alert: {
      id: 'aaaaaaaaaaaaaaaa',
      openedAtMs: someTimeMs,
      state: 'firing',
      severity: 'critical',
      troubleObservedAtMs: someTimeMs,
      headline: '31h old, allowed 26h',
      summary: 'newest proven snapshot is 31h old, allowed 26h',
      reason: 'stale',
      todo: null,
      cause: null,
      mutedBy: null,
      groupId: '0123456789abcdef',
    },
    ...parts,
  };
}

/** A group that was told once. */
export function sampleGroup(id = '0123456789abcdef'): Group {
  return {
    id,
    ruleId: 'phx-ai01/freshness',
    rule: 'freshness',
    severity: 'critical',
    cause: 'source/phx-ai01',
    openedAtMs: someTimeMs,
    told: 1,
    receivers: ['phone'],
  };
}

/** A pass that decided nothing, unless told otherwise. */
export function samplePass(passId: string, parts: Partial<PassCommit> = {}): PassCommit {
  return {
    passId,
    startedAtMs: someTimeMs,
    committedAtMs: someTimeMs + 1_000,
    verdict: 'ok',
    standings: [],
    removed: [],
    groups: [],
    removedGroups: [],
    messages: [],
    events: [],
    ...parts,
  };
}

/** A listed file of 1 KiB. */
export function sampleFile(path: string, parts: Partial<FileView> = {}): FileView {
  return { path, sizeBytes: 1_024, mtimeNs: '1795000000123456789', ctimeNs: '1795000001', inode: '42', ...parts };
}
