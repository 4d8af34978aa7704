/** Who may do what on the lab's ntfy: users with one token each, everything not granted denied. */

import { refusals } from './ntfy-errors.ts';

/** A user of the lab's ntfy. As on a real one the token opens all of the account, so there is one user a capability. */
export interface LabNtfyUser {
  readonly name: string;
  /** `tk_` and 29 lower-case letters or digits. */
  readonly token: string;
  /** An admin may do everything; default `user`. */
  readonly role?: 'user' | 'admin';
  /** Topics by name, or with `*` as a wildcard: read and write, read only, write only. */
  readonly access: readonly { readonly topic: string; readonly may: 'rw' | 'ro' | 'wo' }[];
}

/**
 * The users of the lab: one who only writes to `backups`, a phone that only reads it, an admin. Their tokens guard
 * nothing.
 */
export const labNtfyUsers = {
  writer: {
    name: 'watchdog',
    token: 'tk_labwritelabwritelabwritelabwr',
    access: [{ topic: 'backups', may: 'wo' }],
  },
  reader: {
    name: 'phone',
    token: 'tk_labreadlabreadlabreadlabreadl',
    access: [{ topic: 'backups', may: 'ro' }],
  },
  admin: { name: 'admin', token: 'tk_labadminlabadminlabadminlabad', role: 'admin', access: [] },
} as const satisfies Readonly<Record<string, LabNtfyUser>>;

/**
 * Finds out who asks.
 *
 * @param authorization the header's value, undefined when there is none.
 * @param query the raw-base64 form of it (`?auth=`), which wins over the header.
 * @returns null for nobody: also for schemes that ntfy does not speak.
 * @throws NtfyRefusal 40101 when what was shown opens nothing.
 */
export function authenticate(
  users: readonly LabNtfyUser[],
  authorization: string | undefined,
  query: string | null,
): LabNtfyUser | null {
  const value = (query === null ? (authorization ?? '') : Buffer.from(query, 'base64url').toString('utf8')).trim();
  if (!/^(?:basic|bearer) /i.test(value)) return null;
  const token = value.startsWith('Bearer') ? value.slice('Bearer'.length).trim() : tokenOfBasic(value);
  const user = users.find((candidate) => candidate.token === token);
  if (user === undefined) throw refusals.unauthorized;
  return user;
}

/** @throws NtfyRefusal 40301 when the user, or nobody, may not do this on the topic. */
export function authorize(user: LabNtfyUser | null, topic: string, wish: 'read' | 'write'): void {
  if (user?.role === 'admin') return;
  const enough = wish === 'read' ? ['rw', 'ro'] : ['rw', 'wo'];
  const grants = (user?.access ?? []).filter((grant) => matches(grant.topic, topic));
  // The longest pattern is the one that counts.
  const [best] = grants.toSorted((a, b) => b.topic.length - a.topic.length);
  if (best === undefined || !enough.includes(best.may)) throw refusals.forbidden;
}

function tokenOfBasic(value: string): string {
  const pair = Buffer.from(value.replace(/^basic /i, ''), 'base64').toString('utf8');
  return pair.startsWith(':') ? pair.slice(1) : '';
}

function matches(pattern: string, topic: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(topic);
}
