/** The address of an HTTP service as a zod schema, for the YAML files and for whoever opens a connection. */

import { z } from 'zod';
import { expected } from './schemas.ts';

/**
 * `http://host:port` → its origin. A service behind a path is not spoken to.
 *
 * @param example such a URL, for the expectation.
 * @param credentialKey the key under which user and password belong instead.
 */
export function origin(example: string, credentialKey: string): z.ZodType<string, string> {
  return z.string(expected(`a URL such as ${example}`)).transform((text, context): string => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const hasLogin = url !== null && (url.username !== '' || url.password !== '');
    const isOrigin = url !== null && ['http:', 'https:'].includes(url.protocol) && url.pathname === '/';
    if (isOrigin && !hasLogin && url.search === '' && url.hash === '') return url.origin;
    const message = hasLogin
      ? `expected a URL without user and password, which belong into ${credentialKey}, got one with them`
      : `expected http:// or https://, a host and no path, such as ${example}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}
