/** The lab's ntfy as a process of its own, so that a test can kill it. Sends its address to the parent. */

import { startLabNtfy } from '../../src/lab/ntfy.ts';

const server = await startLabNtfy({ directory: process.argv[2] ?? '' });
process.send?.(server.url);
