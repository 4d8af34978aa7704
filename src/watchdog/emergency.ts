/** The last resort: tells every receiver directly, past store and outbox, that we can no longer do our work. */

import type { Message } from '../core/model/alert.ts';
import { limits } from '../support/limits.ts';
import { idOf } from './pass.ts';
import type { Setup } from './setup.ts';

/**
 * Sends one critical message to all receivers side by side, once, and waits no longer than a request may take. It is not
 * promised to arrive: nothing is stored. Never throws.
 *
 * @returns whether any receiver has accepted it.
 */
export async function cryOut(setup: Setup, what: string, nowMs: number): Promise<boolean> {
  const groupId = idOf(['emergency', String(nowMs)]);
  const signal = AbortSignal.timeout(limits.httpMs);
  const settled = await Promise.allSettled(
    [...setup.receivers].map(async ([receiver, open]) => {
      const message: Message = {
        id: `${groupId}-1@${receiver}`,
        receiver,
        groupId,
        sequenceId: `${groupId}-1`,
        clears: null,
        kind: 'alert',
        severity: 'critical',
        priority: null,
        title: `CRIT deadair on ${setup.policy.name} cannot do its work`,
        body: `${what}\nNobody may be told of your backups until this is mended.\nDo: systemctl status deadair; journalctl -u deadair`,
        createdAtMs: nowMs,
      };
      await open.send(message, signal);
    }),
  );
  return settled.some(({ status }) => status === 'fulfilled');
}
