/** The reason for not reading a file that is above a limit. */

import type { FileView, Unseen } from '../core/model/evidence.ts';
import { printablePath } from '../support/paths.ts';
import { formatSize } from '../support/units.ts';
import { unseen } from './unseen.ts';

/** Says how large it is and what the limit was. */
export function tooLarge({ path, sizeBytes }: FileView, maxBytes: number): Unseen {
  const size = formatSize(sizeBytes);
  return unseen('output/too-large', `${printablePath(path)} is ${size}, above the limit of ${formatSize(maxBytes)}`);
}
