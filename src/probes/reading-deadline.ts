/** How long reading a file may take. */

import { limits } from '../support/limits.ts';

/** The longest that a timer of Node can wait; above it, it would fire at once. */
const longestMs = 2 ** 31 - 1;

/** Ms after which reading files of these sizes one after the other counts as hung; at most 24 days. */
export function readingDeadlineMs(...sizesBytes: readonly number[]): number {
  const bytes = sizesBytes.reduce((sum, size) => sum + size, 0);
  const ms = limits.hashBaseMs * sizesBytes.length + Math.ceil((bytes / limits.hashFloorBytesPerSecond) * 1_000);
  return Math.min(longestMs, ms);
}
