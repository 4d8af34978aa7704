/**
 * G3 on real processes: however often the daemon is killed, what was committed arrives, and each kill repeats at most
 * one message, under the same sequence id.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import type { Message } from '../../../src/core/model/alert.ts';
import { startKillable } from '../../support/killable.ts';
import type { Mark } from '../../support/store-child.ts';
import { temporaryDirectory } from '../../support/store.ts';

/** A receiver on a loopback port that accepts everything and remembers it in order. */
async function startReceiver(): Promise<AsyncDisposable & { readonly url: string; readonly accepted: Message[] }> {
  const accepted: Message[] = [];
  const server = createServer((request, response) => {
    void take(request, response);
  });
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    accepted.push(JSON.parse(await text(request)) as Message);
    response.end(`accepted-${accepted.length}`);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    accepted,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Every message the database ever took, in order, and how many standings and groups it holds. */
function committedIn(directory: string): { ids: readonly unknown[]; standings: unknown; groups: unknown } {
  using database = new DatabaseSync(join(directory, 'deadair.db'), { readOnly: true });
  const count = (table: string): unknown => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'];
  return {
    ids: database
      .prepare('SELECT id FROM outbox ORDER BY position')
      .all()
      .map((row) => row['id']),
    standings: count('standings'),
    groups: count('groups'),
  };
}

async function drain(directory: string, url: string): Promise<void> {
  await using last = startKillable('store-child.ts', [directory, url, 'last', 'drain']);
  expect(await last.ended).toBe(0);
}

/** What G3 promises. */
function expectAtLeastOnce(
  accepted: readonly Message[],
  directory: string,
  heardOf: readonly string[],
  crashes: number,
): void {
  const { ids, standings, groups } = committedIn(directory);
  const firstArrivals = [...new Set(accepted.map(({ id }) => id))];
  expect(firstArrivals).toEqual(ids);
  expect(ids).toEqual(expect.arrayContaining([...heardOf]));
  expect([standings, groups]).toEqual([ids.length, ids.length]);
  expect(accepted.length - firstArrivals.length).toBeLessThanOrEqual(crashes);
  const sequenceIds = new Set(accepted.map(({ id, sequenceId }) => `${id} ${sequenceId}`));
  expect(sequenceIds.size).toBe(firstArrivals.length);
}

describe('a daemon killed with SIGKILL', () => {
  const marks: readonly Mark[] = ['before-commit', 'after-commit', 'before-send', 'after-send', 'after-record'];

  test('at each point between decision and record, loses nothing and repeats at most one message a kill', async () => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver();
    const heardOf: string[] = [];
    for (const mark of marks) {
      await using child = startKillable('store-child.ts', [directory.path, receiver.url, mark, mark]);
      expect([mark, await child.ended]).toEqual([mark, 'SIGKILL']);
      expect(child.lines.length).toBeGreaterThan(0);
      heardOf.push(...child.lines);
    }
    await drain(directory.path, receiver.url);
    expectAtLeastOnce(receiver.accepted, directory.path, heardOf, marks.length);
  });

  test('between a send and its record repeats exactly that message', async () => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver();
    await using child = startKillable('store-child.ts', [directory.path, receiver.url, 'one', 'after-send']);
    expect(await child.ended).toBe('SIGKILL');
    const repeated = receiver.accepted.at(-1);
    const before = receiver.accepted.length;
    await drain(directory.path, receiver.url);
    expect(receiver.accepted[before]).toEqual(repeated);
    expectAtLeastOnce(receiver.accepted, directory.path, child.lines, 1);
  });

  test('at random moments, again and again, loses nothing and repeats at most one message a kill', async () => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver();
    const heardOf: string[] = [];
    const crashes = 12;
    for (let crash = 0; crash < crashes; crash += 1) {
      await using child = startKillable('store-child.ts', [directory.path, receiver.url, `run${crash}`, 'none']);
      const passes = 1 + Math.floor(Math.random() * 20);
      await vi.waitFor(() => expect(child.lines.length).toBeGreaterThanOrEqual(passes), {
        timeout: 20_000,
        interval: 1,
      });
      await child.kill();
      heardOf.push(...child.lines);
    }
    await drain(directory.path, receiver.url);
    expectAtLeastOnce(receiver.accepted, directory.path, heardOf, crashes);
  });
});
