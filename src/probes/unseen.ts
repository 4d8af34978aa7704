/** Turns what stopped us from looking into a part of the evidence. Made from a thrown error; it hides no mistake of ours. */

import type { FileView, Unseen } from '../core/model/evidence.ts';
import { WatchdogError, type ErrorCode } from '../support/errors.ts';
import { printablePath } from '../support/printable.ts';
import { formatSize } from '../support/units.ts';

/**
 * What an expected failure says, for `seen: false`.
 *
 * @throws whatever is no {@link WatchdogError}: a mistake in the program is no evidence about the world.
 */
export function unseenFrom(thrown: unknown): Unseen {
  if (!(thrown instanceof WatchdogError)) throw thrown;
  return unseen(thrown.code, thrown.message, thrown.hint);
}

/** Puts an {@link Unseen} together from a code of the catalogue. */
export function unseen(code: ErrorCode, message: string, hint?: string): Unseen {
  return hint === undefined ? { code, message } : { code, message, hint };
}

/** Why a file above a limit is not read: how large it is, and what the limit was. */
export function tooLarge({ path, sizeBytes }: FileView, maxBytes: number): Unseen {
  const size = formatSize(sizeBytes);
  return unseen('output/too-large', `${printablePath(path)} is ${size}, above the limit of ${formatSize(maxBytes)}`);
}
