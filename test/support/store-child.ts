/**
 * A daemon reduced to store and outbox, to be killed: commits a pass with one message again and again and posts the
 * messages to a URL. It kills itself at a marked point, or waits for somebody else to do it; `drain` empties the queue
 * and ends.
 *
 * Arguments: state directory, URL, name of this run, mark.
 */

import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Message } from '../../src/core/model/alert.ts';
import { startOutbox } from '../../src/delivery/outbox.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { systemClock } from '../../src/support/clock.ts';
import { WatchdogError } from '../../src/support/errors.ts';
import { sampleGroup, sampleMessage, samplePass, sampleStanding } from './store.ts';

/** Where a run kills itself: around the commit, and around what leads from there to the record of an acceptance. */
export type Mark = 'before-commit' | 'after-commit' | 'before-send' | 'after-send' | 'after-record' | 'none' | 'drain';

const [directory = '', url = '', run = '', mark = 'none'] = process.argv.slice(2);
const store = openOrLeave();
let visits = 0;

/** Ends with status 11 when another run holds the directory. */
function openOrLeave(): Store {
  try {
    return openStore({ directory, nowMs: () => systemClock.nowMs(), mode: 'daemon' });
  } catch (error) {
    if (error instanceof WatchdogError && error.code === 'store/locked') process.exit(11);
    throw error;
  }
}

/** Dies at the third visit of the marked point, as by a power cut: without a chance to say anything. */
function visit(here: Mark): void {
  if (here !== mark) return;
  visits += 1;
  if (visits === 3) process.kill(process.pid, 'SIGKILL');
}

const outbox = startOutbox({
  queue: {
    ...store.outbox,
    recordAccepted: (id, acceptance) => {
      visit('after-send');
      store.outbox.recordAccepted(id, acceptance);
      visit('after-record');
    },
  },
  receivers: new Map([['phone', { send }]]),
  clock: systemClock,
  log: { info: () => {}, warn: () => {} },
  retry: { minMs: 5, maxMs: 20 },
});

async function send(message: Message, signal: AbortSignal): Promise<{ acceptedId: string }> {
  visit('before-send');
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(message), signal });
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  return { acceptedId: await answer.text() };
}

if (mark === 'drain') {
  await outbox.drain(20_000);
  const left = store.outbox.count();
  store.close();
  process.exit(left === 0 ? 0 : 1);
}

for (let n = 1; ; n += 1) {
  const groupId = `${run}x${n}`;
  const message = sampleMessage(1, { groupId });
  visit('before-commit');
  store.commitPass(
    samplePass(`${run}/${n}`, {
      standings: [sampleStanding(`phx-ai01/${groupId}`)],
      groups: [sampleGroup(groupId)],
      messages: [message],
    }),
  );
  // To the parent at once and past all buffers: what it has heard of must never be lost.
  writeSync(1, `${message.id}\n`);
  visit('after-commit');
  outbox.wake();
  await setTimeout(3);
}
