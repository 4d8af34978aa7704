/** Becoming another user: `check --as USER` sees what that user may see. Works only as root, and cannot be undone. */

import { execFileSync } from 'node:child_process';
import { WatchdogError } from '../support/errors.ts';

/**
 * Gives up being root for good.
 *
 * @throws WatchdogError `config/invalid` when we are not root or there is no such user.
 */
export function becomeUser(user: string): void {
  if (process.getuid?.() !== 0) {
    throw new WatchdogError('config/invalid', `--as ${user} needs root`, { hint: 'run it with sudo', permanent: true });
  }
  const gid = primaryGroup(user);
  // The type declarations of Node lack it; it is there wherever getuid is.
  (process as { initgroups?: (user: string, group: number) => void }).initgroups?.(user, gid);
  process.setgid?.(gid);
  process.setuid?.(user);
}

function primaryGroup(user: string): number {
  try {
    return Number(
      execFileSync('id', ['-g', '--', user], { encoding: 'utf8', timeout: 5_000, stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch (error) {
    throw new WatchdogError('config/invalid', `--as: there is no user ${user}`, { permanent: true, cause: error });
  }
}
