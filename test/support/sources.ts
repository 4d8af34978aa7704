/** Reads TypeScript sources as far as rules about them need it: what is code and what is not, and what is imported. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** A source file. */
export interface SourceFile {
  /** Relative to the repository, such as `src/core/model/key.ts`. */
  readonly path: string;
  readonly text: string;
}

/** One import, export-from, dynamic import, or file named for a worker by `new URL(…, import.meta.url)`. */
export interface Import {
  /** As written; null for one that is computed. */
  readonly specifier: string | null;
}

/** All `.ts` files below a folder, sorted by path. */
export function readSources(folder: string): readonly SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => ({ path: path.split('\\').join('/'), text: readFileSync(path, 'utf8') }));
}

/**
 * Blanks out what is not code: comments, and what stands in strings, templates and regular expressions. Their quotes and
 * every line break stay, so that each character of code keeps its place.
 *
 * @returns a text as long as the given one.
 */
export function codeOf(text: string): string {
  let code = '';
  let at = 0;
  /** For each template that is open: how many braces its `${` has opened. */
  const templates: number[] = [];
  const blank = (to: number): void => {
    code += text.slice(at, to).replaceAll(/[^\n]/g, ' ');
    at = to;
  };
  const keep = (to: number): void => {
    code += text.slice(at, to);
    at = to;
  };
  const template = (): void => {
    const end = endOf(/`|\$\{/g, text, at);
    blank(end.at);
    keep(end.at + end.length);
    if (end.length === 2) templates.push(0);
  };
  while (at < text.length) {
    const char = text[at] ?? '';
    if (text.startsWith('//', at)) blank(endOf(/\n|$/g, text, at).at);
    else if (text.startsWith('/*', at)) blank(endOf(/\*\//g, text, at + 2).at + 2);
    else if (char === "'" || char === '"') {
      const end = endOf(char === "'" ? /'|\n/g : /"|\n/g, text, at + 1).at;
      keep(at + 1);
      blank(end);
      keep(end + 1);
    } else if (char === '`') {
      keep(at + 1);
      template();
    } else if (char === '/' && startsRegExp(code)) {
      const end = endOfRegExp(text, at + 1);
      keep(at + 1);
      blank(end);
      keep(end + 1);
    } else {
      const open = templates.length - 1;
      if (char === '{' && open >= 0) templates[open] = (templates[open] ?? 0) + 1;
      const isTemplateAgain = char === '}' && templates[open] === 0;
      if (char === '}' && open >= 0 && !isTemplateAgain) templates[open] = (templates[open] ?? 0) - 1;
      keep(at + 1);
      if (isTemplateAgain) {
        templates.pop();
        template();
      }
    }
  }
  return code;
}

/** The next place of a pattern that no backslash escapes; the end of the text when there is none. */
function endOf(pattern: RegExp, text: string, from: number): { readonly at: number; readonly length: number } {
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const backslashes = /\\*$/.exec(text.slice(from, match.index))?.[0].length ?? 0;
    if (backslashes % 2 === 0) return { at: match.index, length: match[0].length };
  }
  return { at: text.length, length: 0 };
}

function endOfRegExp(text: string, from: number): number {
  let isInClass = false;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '[') isInClass = true;
    else if (text[at] === ']') isInClass = false;
    else if ((text[at] === '/' && !isInClass) || text[at] === '\n') return at;
  }
  return text.length;
}

/** A slash begins a regular expression where no value stands before it. */
function startsRegExp(before: string): boolean {
  const last = before.trimEnd();
  return last === '' || /[(,=:[!&|?{};+*~<>%^-]$/.test(last) || /\b(?:return|typeof|case|of|in)$/.test(last);
}

/** All imports of a source, in no particular order. */
export function importsOf(text: string): readonly Import[] {
  const code = codeOf(text);
  const written = (match: RegExpExecArray, quoted: string): string => {
    const start = match.index + match[0].lastIndexOf(quoted) + 1;
    return text.slice(start, start + quoted.length - 2);
  };
  const statements = [...code.matchAll(/(?<![\w$.])(?:import|export)\b[\w\s{},*$]*?\bfrom\s*(["'] *["'])/g)].map(
    (match) => ({ specifier: written(match, match[1] ?? '') }),
  );
  const bare = [...code.matchAll(/(?<![\w$.])import\s*(["'] *["'])/g)].map((match) => ({
    specifier: written(match, match[1] ?? ''),
  }));
  const computed = [
    ...code.matchAll(/(?<![\w$.])(?:import|require)\s*\(\s*(["'] *["'])?/g),
    ...code.matchAll(/\bnew URL\(\s*(["'] *["'])(?=\s*,\s*import\.meta\.url\b)/g),
  ].map((match) => ({ specifier: match[1] === undefined ? null : written(match, match[1]) }));
  return [...statements, ...bare, ...computed];
}

/** The file that a relative import leads to, relative to the repository; null for packages. */
export function leadsTo(from: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : null;
}
