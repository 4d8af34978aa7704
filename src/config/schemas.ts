/** The words of the main configuration file as zod schemas: SSH addresses, names, time zones, layouts. */

import { z } from 'zod';
import { durationMs, expected } from '../support/schemas.ts';
import { nameExpectation, namePattern } from './names.ts';

/** A user, host and port of SSH. */
export interface SshAddress {
  readonly user: string;
  readonly host: string;
  readonly port: number;
}

/** A name the operator chose. */
export const name = z.string(expected(nameExpectation)).regex(namePattern, expected(nameExpectation));

/** A zone of the IANA database; offsets such as `+02:00` are none, since they know no summer time. */
export const timezone = z
  .string(expected('a time zone such as America/Phoenix'))
  .refine((text) => /^[A-Za-z]/.test(text) && isTimezone(text), expected('a time zone such as America/Phoenix'));

/** How often to look: a timer cannot be set to more than 24 days, and more than one asks for no watchdog. */
export const checkEveryMs = durationMs.refine(
  (ms) => ms >= 1_000 && ms <= 86_400_000,
  expected('a duration from 1s to 24h'),
);

/** `user@host`, `user@host:2222`, `user@[fe80::1]:22`. */
export const sshAddress = z.string(expected('user@host or user@host:port')).transform((text, context): SshAddress => {
  const match =
    /^(?<user>[A-Za-z0-9_][\w.-]{0,63})@(?:\[(?<v6>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?<host>[A-Za-z0-9][\w.-]{0,252}))(?::(?<port>\d{1,5}))?$/.exec(
      text,
    );
  const { user, v6, host, port } = match?.groups ?? {};
  const portNumber = port === undefined ? 22 : Number(port);
  const address = v6 ?? host;
  if (user !== undefined && address !== undefined && portNumber >= 1 && portNumber <= 65_535) {
    return { user, host: address, port: portNumber };
  }
  context.addIssue({ code: 'custom', message: 'expected user@host or user@host:port' });
  return z.NEVER;
});

/** A pattern of paths below a target. */
export const layout = z
  .string(expected('a pattern such as {collection}/*.snapshot'))
  .refine(
    (text) => text.split('{collection}').length === 2 && !text.startsWith('/') && !text.split('/').includes('..'),
    expected('a relative pattern with {collection} in it once, such as {collection}/*.snapshot'),
  );

/** How hard to read a target. */
export const read = z.strictObject(
  {
    cores: z.int(expected('a whole number from 1 to 256')).min(1, wholeCores()).max(256, wholeCores()).optional(),
    io: z.enum(['idle', 'normal'], expected('idle or normal')).optional(),
  },
  { error: ({ code }) => (code === 'invalid_type' ? 'expected a map with cores, io' : undefined) },
);

/** ntfy's priorities, which other receivers translate. */
export const priority = z
  .int(expected('a whole number from 1 to 5'))
  .min(1, expected('a whole number from 1 to 5'))
  .max(5, expected('a whole number from 1 to 5'));

/** A text that says something. */
export const sentence = z.string(expected('a text')).refine((text) => text.trim() !== '', expected('a text'));

/** True for a time zone that dates can be computed in. */
export function isTimezone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function wholeCores(): { readonly error: string } {
  return expected('a whole number from 1 to 256');
}
