/** Starts the lab's ntfy in a directory of its own; both are gone after the test. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startLabNtfy } from '../../src/lab/ntfy.ts';
import type { LabNtfy, LabNtfyOptions } from '../../src/lab/ntfy.ts';
import type { Message } from '../../src/core/model/alert.ts';

/** Starts one for the running test, its sender at rest until told. */
export async function startNtfy(options: Partial<LabNtfyOptions> = {}): Promise<LabNtfy> {
  const directory = options.directory ?? (await temporaryDirectory());
  const server = await startLabNtfy({ senderEveryMs: 0, slowMs: 150, ...options, directory });
  onTestFinished(() => server.close());
  return server;
}

/** A directory that is removed after the running test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'deadair-ntfy-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A message to the receiver `phone`, with what the test cares about. */
export function messageOf(fields: Partial<Message> = {}): Message {
  return {
    id: '00aa11bb22cc33dd-1@phone',
    receiver: 'phone',
    groupId: '00aa11bb22cc33dd',
    sequenceId: '00aa11bb22cc33dd-1',
    clears: null,
    kind: 'alert',
    severity: 'critical',
    priority: null,
    title: 'CRIT claude_canon: no backup anywhere',
    body: 'Live on phx-ai01, 340,112 points. phx-ai02: never. nas: never.',
    createdAtMs: 1_795_453_582_000,
    ...fields,
  };
}
