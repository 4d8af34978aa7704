/** File names as a person may safely see them. Pure: the core may import this file too. */

/** A name as a person may safely see it: control characters and undecodable bytes as `\xHH`, backslash doubled. */
export function printablePath(path: string): string {
  // oxlint-disable-next-line no-control-regex -- finding control characters is the point
  return path.replace(/[\u0000-\u001f\u007f-\u009f\\\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu, (char) => {
    if (char === '\\') return '\\\\';
    const code = char.charCodeAt(0);
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}
