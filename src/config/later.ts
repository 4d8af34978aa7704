/** Words of the configuration that deadair's design has and this version does not: an operator who writes one is told so. */

/** Keys of both files. */
export const laterKeys: ReadonlySet<string> = new Set([
  'ack',
  'after',
  'alertmanager',
  'email',
  'fallback',
  'hash',
  'heartbeats',
  'per_day',
  'rate',
  'rehearse_until',
  'repeat_every',
  'report',
  'urls',
  'web',
  'webhook',
]);

/** Kinds of rules. */
export const laterRules: ReadonlySet<string> = new Set([
  'capacity',
  'channel',
  'checkin',
  'completeness',
  'host',
  'journal',
  'restorable',
  'retention',
  'size',
  'timer',
]);

/** What stands in a message after such a word. */
export const laterHint = ', which is not in this version';
