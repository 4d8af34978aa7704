/** Reasons why something could not be looked at, where no error was thrown. Made from a code and what is known of the file. */

import type { FileView, Unseen } from '../core/model/evidence.ts';
import type { ErrorCode } from '../support/errors.ts';
import { printablePath } from '../support/printable.ts';
import { formatSize } from '../support/units.ts';

/** Puts an {@link Unseen} together from a code of the catalogue. */
export function unseen(code: ErrorCode, message: string, hint?: string): Unseen {
  return hint === undefined ? { code, message } : { code, message, hint };
}

/** Why a file above a limit is not read: how large it is, and what the limit was. */
export function tooLarge({ path, sizeBytes }: FileView, maxBytes: number): Unseen {
  const size = formatSize(sizeBytes);
  return unseen('output/too-large', `${printablePath(path)} is ${size}, above the limit of ${formatSize(maxBytes)}`);
}
