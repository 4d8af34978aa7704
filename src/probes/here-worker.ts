/** The worker thread of this host's places: takes one job at a time and answers. It is started by `here-desk.ts` only. */

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { hashFile, readFile } from './here-files.ts';
import type { HereJob, Reply } from './here-jobs.ts';
import { listTree } from './here-listing.ts';

if (parentPort === null) throw new Error('here-worker runs in a worker thread only');
const port = parentPort;
const reply: Reply = (answer) => port.postMessage(answer);

// On Linux a priority belongs to the thread that asks, and I/O follows it; elsewhere it would slow the whole process.
if ((workerData as { isIdle: boolean }).isIdle && process.platform === 'linux') {
  try {
    setPriority(0, 19);
  } catch {
    // A hardened service may forbid it, and then the bytes are read at the service's own priority.
  }
}

port.on('message', (job: HereJob) => {
  switch (job.kind) {
    case 'list':
      listTree(job.root, reply);
      return;
    case 'read':
      for (const path of job.paths) readFile(job.root, path, job.maxBytesEach, reply);
      break;
    case 'hash':
      hashFile(job.root, job.file, reply);
      break;
  }
  reply({ kind: 'done' });
});
