import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { HereDesk, type StuckThread } from '../../../src/probes/here-desk.ts';

function listAt(stuck: StuckThread): Promise<void> {
  const desk = new HereDesk(false, stuck);
  onTestFinished(() => desk.end());
  return desk.run(
    { kind: 'list', root: `${tmpdir()}/deadair-is-not-there` },
    { deadlineMs: 10_000, signal: new AbortController().signal, onReply: () => undefined },
  );
}

test('no second thread is sent after one that hangs in the kernel', async () => {
  await expect(listAt({ end: Promise.withResolvers<void>().promise })).rejects.toMatchObject({
    code: 'net/timeout',
    message: expect.stringContaining('still hangs'),
  });
});

test('a thread that was given up and ends soon holds nobody up', async () => {
  const stuck: StuckThread = { end: null };
  stuck.end = (async () => {
    await sleep(50);
    stuck.end = null;
  })();
  await expect(listAt(stuck)).resolves.toBeUndefined();
});

test('a thread that is given up is waited for, and then forgotten', async () => {
  const stuck: StuckThread = { end: null };
  const desk = new HereDesk(false, stuck);
  const job = desk.run(
    { kind: 'list', root: tmpdir() },
    { deadlineMs: 0, signal: new AbortController().signal, onReply: () => undefined },
  );
  await expect(job).rejects.toMatchObject({ code: 'net/timeout' });
  expect(stuck.end).not.toBeNull();
  await stuck.end;
  await expect(listAt(stuck)).resolves.toBeUndefined();
});
