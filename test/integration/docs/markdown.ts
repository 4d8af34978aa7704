/** Reads the parts of our Markdown that tests hold to the code: sections, tables, code blocks, links. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The root of the checkout, with a slash at its end. */
export const checkout = fileURLToPath(new URL('../../../', import.meta.url));

/** The text of a file of the checkout. */
export function textOf(path: string): string {
  return readFileSync(`${checkout}${path}`, 'utf8');
}

/**
 * What stands under a heading, up to the next one of any level.
 *
 * @throws Error when there is no such heading.
 */
export function section(markdown: string, heading: string): string {
  // A comment in a code block looks like a heading and is none.
  const parts = markdown.replaceAll(/^```[\s\S]*?^```$/gm, (code) => code.replaceAll(/^#/gm, '\0#')).split(/^#+ /m);
  const found = parts.find((part) => part.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`no heading "${heading}"`);
  return found.slice(heading.length + 1).replaceAll('\0', '');
}

/** The rows of every table of a text, without their heads; each a list of cells. */
export function tables(markdown: string): readonly (readonly (readonly string[])[])[] {
  return [...markdown.matchAll(/(?:^\|.*\n)+/gm)].map(([table]) =>
    table
      .trimEnd()
      .split('\n')
      .slice(2)
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      ),
  );
}

/** The code blocks of a text in one language, `''` for those without any. */
export function codeBlocks(markdown: string, language: string): readonly string[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, word, code]) =>
    word === language && code !== undefined ? [code] : [],
  );
}

/** Paths that a text links to, fragments and addresses elsewhere left out. */
export function links(markdown: string): readonly string[] {
  return [...markdown.matchAll(/\]\(([^)#]+)/g)].flatMap(([, path]) =>
    path === undefined || path.includes('://') ? [] : [path],
  );
}

/** A cell as plain words: no backticks. */
export function plain(cell: string): string {
  return cell.replaceAll('`', '');
}
