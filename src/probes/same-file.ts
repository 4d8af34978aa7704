/** Tells whether two looks at a path saw the same file. */

import type { FileView } from '../core/model/evidence.ts';

/** True when every field that both looks know is equal; a transport that cannot tell a field leaves it null. */
export function isSameFile(one: FileView, other: FileView): boolean {
  return (
    one.path === other.path &&
    one.sizeBytes === other.sizeBytes &&
    one.mtimeNs === other.mtimeNs &&
    isSameOrUntold(one.ctimeNs, other.ctimeNs) &&
    isSameOrUntold(one.inode, other.inode)
  );
}

function isSameOrUntold(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}
