/** The small words of both YAML files as zod schemas: durations, sizes, globs, paths. Pure: the core may import this file too. */

import { z } from 'zod';
import { parseDuration, parseSize } from './units.ts';

/**
 * What zod puts into a message here: `expected …`, completed by the loader with `, got …`. Every schema of the YAML
 * files says its expectation this way, so that all mistakes read alike.
 */
export function expected(what: string): { readonly error: string } {
  return { error: `expected ${what}` };
}

/** `90s`, `5m`, `26h`, `7d` → ms. */
export const durationMs = z
  .string(expected('a duration such as 26h'))
  .transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms > 0) return ms;
    context.addIssue({ code: 'custom', message: 'expected a duration above zero such as 26h', input: text });
    return z.NEVER;
  })
  .meta({ description: 'A duration such as 90s, 5m, 26h or 7d.' });

/** `10GiB`, `500MB` → bytes. */
export const sizeBytes = z
  .string(expected('a size such as 10GiB'))
  .transform((text, context) => {
    const bytes = parseSize(text);
    if (bytes !== undefined) return bytes;
    context.addIssue({ code: 'custom', message: 'expected a size such as 10GiB', input: text });
    return z.NEVER;
  })
  .meta({ description: 'A size such as 500MB or 10GiB.' });

const oneOrMoreNames = expected('a name or a list of names');

/** One text or a list of at least one → list. */
export const oneOrMore = z
  // Each part needs the expectation too: a union with one part of the right type reports that part's own message.
  .union(
    [z.string().min(1, oneOrMoreNames), z.array(z.string().min(1, oneOrMoreNames)).min(1, oneOrMoreNames)],
    oneOrMoreNames,
  )
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .meta({ description: 'One name, or a list of names.' });

/** A path, as it stands in the file; whoever reads it makes it absolute. */
export const path = z
  .string(expected('a path'))
  .refine((text) => text !== '' && !text.includes('\0'), expected('a path'))
  .refine((text) => !text.startsWith('~'), expected('a path without ~, which only a shell understands'))
  .meta({ description: 'A path; relative ones begin at the directory of the configuration file.' });
