/** Looks into /proc for the processes of a group, to prove that work has ended. Linux only, like its users. */

import { readdirSync, readFileSync } from 'node:fs';

/** @returns the ids of a group's live processes; zombies are dead. */
export function liveGroup(groupId: number): string[] {
  return readdirSync('/proc').filter((id) => {
    if (!/^\d+$/.test(id)) return false;
    try {
      const [, state, group] = /\) (\S) \d+ (\d+)/.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? [];
      return Number(group) === groupId && state !== 'Z';
    } catch {
      // It ended between the listing and the look.
      return false;
    }
  });
}
