/**
 * File names are bytes. Inside deadair a name is a string that keeps every byte: valid UTF-8 as itself, every other
 * byte 0x80–0xFF as the lone surrogate U+DC80–U+DCFF, which no valid name can contain.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes the bytes of a file name without loss; {@link pathToBytes} is its inverse. */
export function bytesToPath(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return decodeWithEscapes(bytes);
  }
}

/** Encodes a name that {@link bytesToPath} made back to exactly the same bytes. */
export function pathToBytes(path: string): Buffer {
  if (!/[\uDC80-\uDCFF]/.test(path)) return Buffer.from(path, 'utf8');
  const parts: Buffer[] = [];
  for (const char of path) {
    const code = char.charCodeAt(0);
    const isEscape = char.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    parts.push(isEscape ? Buffer.from([code - 0xdc00]) : Buffer.from(char, 'utf8'));
  }
  return Buffer.concat(parts);
}

function decodeWithEscapes(bytes: Uint8Array): string {
  let text = '';
  let index = 0;
  while (index < bytes.length) {
    const length = validSequenceLength(bytes, index);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + (bytes[index] ?? 0));
      index += 1;
    } else {
      text += utf8.decode(bytes.subarray(index, index + length));
      index += length;
    }
  }
  return text;
}

/** @returns how many bytes from `index` form one valid UTF-8 character, 0 when none does. */
function validSequenceLength(bytes: Uint8Array, index: number): number {
  for (let length = 1; length <= 4 && index + length <= bytes.length; length += 1) {
    try {
      utf8.decode(bytes.subarray(index, index + length));
      return length;
    } catch {
      // Not complete or not valid at this length; the loop tries the next.
    }
  }
  return 0;
}
