/** Refuses text that is no YAML of ours before it reaches the YAML parser, whose time grows with the cube of the nesting. */

import { Lexer } from 'yaml';
import { limits } from './limits.ts';

/** Where guarded text must not go on, as an offset in UTF-16 units. */
export interface GuardFinding {
  readonly offset: number;
  /** `expected …, got …`. */
  readonly message: string;
}

/** Bytes as guarded text: complete, or up to the first thing that may not stand there. */
export interface GuardedText {
  readonly text: string;
  readonly finding: GuardFinding | null;
}

/**
 * Decodes a YAML file and looks for what the parser must not see: bytes that are not UTF-8, control characters,
 * nesting in brackets deeper than `limits.yamlDepth`, keys written with `?`.
 *
 * @returns the text without a byte order mark, and the first such thing.
 */
export function guardYamlText(bytes: Uint8Array): GuardedText {
  const readable = longestReadable(bytes);
  if (readable !== null) {
    const code = (bytes[Buffer.byteLength(readable)] ?? 0).toString(16).padStart(2, '0');
    return { text: readable, finding: { offset: readable.length, message: `expected UTF-8, got the byte 0x${code}` } };
  }
  const text = new TextDecoder().decode(bytes);
  return { text, finding: findControlCharacter(text) ?? findWildStructure(text) };
}

/** @returns the text before the first byte that belongs to no complete UTF-8 character; null when all do. */
function longestReadable(bytes: Uint8Array): string | null {
  if (decode(bytes, false) !== null) return null;
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (decode(bytes.subarray(0, middle), true) === null) bad = middle;
    else good = middle;
  }
  return decode(bytes.subarray(0, good), true);
}

/** @param isPrefix true: a character cut off at the end is left out instead of being an error. */
function decode(bytes: Uint8Array, isPrefix: boolean): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isPrefix });
  } catch {
    return null;
  }
}

function findControlCharacter(text: string): GuardFinding | null {
  // oxlint-disable-next-line no-control-regex -- YAML allows no control characters but tab and line breaks
  const match = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  if (match === null) return null;
  const code = match[0].charCodeAt(0).toString(16).padStart(2, '0');
  return { offset: match.index, message: `expected printable text, got the control character 0x${code}` };
}

function findWildStructure(text: string): GuardFinding | null {
  let offset = 0;
  let depth = 0;
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (isScalar) {
      isScalar = false;
    } else {
      if (isMarker(lexeme)) {
        isScalar = lexeme === '\u001f';
        continue;
      }
      if (lexeme === '?') return { offset, message: 'expected a key such as name:, got a key written with ?' };
      if (lexeme === '{' || lexeme === '[') depth += 1;
      if (lexeme === '}' || lexeme === ']') depth = Math.max(0, depth - 1);
      if (depth > limits.yamlDepth) {
        return { offset, message: `expected at most ${limits.yamlDepth} brackets inside one another, got more` };
      }
    }
    offset += lexeme.length;
  }
  return null;
}

/** The lexer's own control characters (document, end of brackets, scalar follows): they stand for no text. */
function isMarker(lexeme: string): boolean {
  return lexeme === '\u0002' || lexeme === '\u0018' || lexeme === '\u001f';
}
