/** Paths as parts of an address. */

import { pathToBytes } from '../support/paths.ts';

/** Percent-encodes a path byte by byte, so that every name has exactly one address; `/` stays. */
export function encodePath(path: string): string {
  let text = '';
  for (const byte of pathToBytes(path)) {
    const char = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~/-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
