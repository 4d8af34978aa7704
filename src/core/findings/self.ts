/** self: the watchdog itself is sound. Nobody writes this rule, nobody removes it, no mute covers it (G4). */

import type { RuleKind } from './kind.ts';
import { finding, sightValidMs } from './subjects.ts';

/** What can be wrong with ourselves. Each is always judged, so that each can recover. */
export const selfNames = ['clock', 'outbox', 'pass', 'reader', 'reload', 'store'] as const;

/** A key of {@link selfNames}. */
export type SelfName = (typeof selfNames)[number];

/** The built-in rule kind `self`. */
export const self: RuleKind = {
  kind: 'self',
  promise: 'the watchdog is sound: passes in time, state stored, messages accepted, clock steady, configuration good',
  defaultSeverity: 'warning',
  shape: {},
  parameters: () => ({}),
  // A trouble of a name that is not in the list is told as well: to drop it would be silence.
  judge: (rule, { world, nowMs }) =>
    [...new Set<string>([...selfNames, ...world.self.troubles.map(({ name }) => name)])].map((name) => {
      const { observedAtMs, troubles } = world.self;
      const trouble = troubles.find((each) => each.name === name);
      const common = { subject: `deadair/${name}`, target: null, observedAtMs };
      return trouble === undefined
        ? finding(rule, {
            ...common,
            status: 'ok',
            reason: 'sound',
            headline: 'sound',
            summary: `${name} is sound`,
            validUntilMs: observedAtMs + sightValidMs,
          })
        : finding(rule, {
            ...common,
            status: 'failing',
            reason: name,
            headline: trouble.headline,
            summary: trouble.summary,
            validUntilMs: nowMs,
            todo: trouble.todo,
          });
    }),
};
