/** The words of a message: a tired person reads them on a lock screen. Title, what is so, since when, what to do. Pure. */

import { printablePath } from '../../support/printable.ts';
import { formatDuration } from '../../support/units.ts';
import type { AlertEvent, Group, Standing } from '../model/alert.ts';
import type { Finding, Severity } from '../model/finding.ts';
import type { Policy } from './policy.ts';

/** Title and body of a message, before any receiver's limits. */
export interface Text {
  readonly title: string;
  readonly body: string;
}

/** Lines of single alerts in one message before the rest is counted. */
const linesAtMost = 8;

const words: Readonly<Record<Severity, string>> = { critical: 'CRIT', warning: 'WARN', info: 'INFO' };

/** What the subjects of a kind are not, when several are told together. */
const troubleOf: Readonly<Record<string, string>> = {
  freshness: 'not fresh',
  coverage: 'not covered',
  integrity: 'not intact',
  reachable: 'out of sight',
  self: 'unsound',
};

/** What the words for a group that fires are made of. */
export interface AlertWords {
  readonly group: Group;
  /** Its members that are not muted, at least one. */
  readonly firing: readonly Standing[];
  /** Members that ended in this pass because nobody asks about them any more. */
  readonly unwatched: readonly Ended[];
  /** The whole pass, for what is still well and what this hides. */
  readonly findings: readonly Finding[];
}

/** What the words for a group that ended are made of. */
export interface EndedWords {
  readonly group: Group;
  /** At least one. */
  readonly endings: readonly Ended[];
  readonly isRecovered: boolean;
  /** Other alerts of the rule that have not ended. */
  readonly stillCount: number;
}

type Ended = Extract<AlertEvent, { kind: 'ended' }>;

/** Words for a group that fires. */
export function alertText({ group, firing, unwatched, findings }: AlertWords, policy: Policy, nowMs: number): Text {
  const since = Math.min(...firing.map(({ alert }) => alert?.openedAtMs ?? nowMs));
  const siblings = findings.filter(({ id }) => id === group.ruleId);
  const well = siblings.filter(({ status }) => status === 'ok').length;
  const hidden = findings.filter(
    ({ status, cause, rule }) => status === 'unknown' && rule !== 'reachable' && cause?.subject === group.cause,
  ).length;
  const todos = [
    ...new Set(firing.flatMap(({ alert }) => (alert === null || alert.todo === null ? [] : [alert.todo]))),
  ].slice(0, 2);
  const body = [
    ...listed(firing, (standing) => standing.alert?.summary ?? ''),
    [
      `Since ${clockTime(since, policy.timezone)}.`,
      ...(group.rule === 'reachable' && hidden > 0 ? [`Hides ${hidden} ${plural(hidden, 'finding')}.`] : []),
      ...(well > 0 && group.rule !== 'self'
        ? [`${well} other ${plural(well, 'finding')} of this rule ${well === 1 ? 'is' : 'are'} fine.`]
        : []),
    ].join(' '),
    ...(unwatched.length === 0
      ? []
      : [`No longer watched: ${someOf(unwatched.map(({ standing }) => about(standing)))}.`]),
    ...todos.map((todo) => `Do: ${todo}.`),
    `deadair on ${policy.name}, rule ${group.ruleId}, group ${group.id}`,
  ].join('\n');
  return { title: `${words[group.severity]} ${headline(group, firing, siblings)}`, body };
}

/** Words for a group whose last alert ended. Only a recovery says that anything is well. */
export function endedText(
  { group, endings, isRecovered, stillCount }: EndedWords,
  policy: Policy,
  nowMs: number,
): Text {
  const ended = endings.map(({ standing, alert }) => ({ ...standing, alert }));
  const openedAtMs = Math.min(...endings.map(({ alert }) => alert.openedAtMs));
  const name = endings.length === 1 ? about(ended[0]) : nameOf(group.cause);
  const finding = (standing: Standing): string =>
    endings.find((each) => each.standing.subject === standing.subject && each.standing.target === standing.target)
      ?.finding?.summary ?? `was: ${standing.alert?.summary ?? ''}`;
  const lasted = `Lasted ${formatDuration(nowMs - openedAtMs)}, since ${clockTime(openedAtMs, policy.timezone)}.`;
  const footer = `deadair on ${policy.name}, rule ${group.ruleId}, group ${group.id}`;
  const trouble = troubleOf[group.rule] ?? group.rule;
  const still = stillCount === 0 ? [] : [`${stillCount} other ${plural(stillCount, 'finding')} still ${trouble}.`];
  if (isRecovered) {
    const isAll = endings.length === 1 || stillCount === 0;
    const what = isAll ? `${group.rule} recovered` : `${endings.length} recovered, ${stillCount} still ${trouble}`;
    return { title: `OK ${name}: ${what}`, body: [...listed(ended, finding), lasted, ...still, footer].join('\n') };
  }
  const why = 'No rule asks about it any more, so this alert ends without anyone having seen it well.';
  return {
    title: `ENDED ${name}: no longer watched`,
    body: [why, ...listed(ended, finding), lasted, ...still, footer].join('\n'),
  };
}

function headline(group: Group, firing: readonly Standing[], siblings: readonly Finding[]): string {
  const [only] = firing;
  if (firing.length === 1 && only !== undefined) return `${about(only)}: ${only.alert?.headline ?? ''}`;
  const subjects = new Set(firing.map(({ subject }) => subject));
  if (subjects.size === 1)
    return `${about(only, false)}: ${troubleOf[group.rule] ?? group.rule} on ${firing.length} targets`;
  const all = new Set(siblings.map(({ subject }) => subject));
  return `${nameOf(group.cause)}: ${subjects.size} of ${all.size} ${troubleOf[group.rule] ?? group.rule}`;
}

function listed(standings: readonly Standing[], sentence: (standing: Standing) => string): readonly string[] {
  const [only] = standings;
  if (standings.length === 1 && only !== undefined) return [`${sentence(only)}.`];
  // A host and the target behind it have one name and one trouble: said once.
  const lines = [...new Set(standings.map((standing) => `${about(standing)}: ${sentence(standing)}`))];
  const shown = lines.slice(0, linesAtMost);
  const rest = lines.length - shown.length;
  return rest === 0 ? shown : [...shown, `and ${rest} more`];
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, linesAtMost);
  const rest = names.length - shown.length;
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`;
}

/** `claude_canon on nas`; a target that is its own subject is not named twice. */
function about(standing: Pick<Standing, 'subject' | 'target'> | undefined, isTargetNamed = true): string {
  if (standing === undefined) return '';
  const name = nameOf(standing.subject);
  return !isTargetNamed || standing.target === null || standing.target === name
    ? name
    : `${name} on ${standing.target}`;
}

/** Names come from Qdrant and may hold anything; a line break in one must not forge a line of ours. */
function nameOf(subject: string): string {
  return printablePath(subject.slice(subject.indexOf('/') + 1));
}

function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`;
}

/** `Mon 09:05` in the operator's zone. */
function clockTime(atMs: number, timezone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: timezone,
  }).formatToParts(atMs);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('weekday')} ${part('hour')}:${part('minute')}`;
}
