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

const severityWords: Readonly<Record<Severity, string>> = { critical: 'CRIT', warning: 'WARN', info: 'INFO' };

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
  const lead = leadOf(group, firing);
  // What is behind a lost host or source is told as hidden; only what else is wrong with it is listed.
  const rest = lead === undefined ? firing : firing.filter((each) => each !== lead && each.alert?.cause === null);
  const body = [
    ...(lead === undefined ? [] : [`${lead.alert?.summary ?? ''}.`]),
    ...listed(rest, ({ alert }) => ({ sentence: alert?.summary ?? '', headline: alert?.headline ?? '' })),
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
  return { title: `${severityWords[group.severity]} ${headline(group, firing, siblings)}`, body };
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
  const finding = ({ subject, target, alert }: Standing): Words => {
    const now = endings.find(({ standing }) => standing.subject === subject && standing.target === target)?.finding;
    if (now !== undefined && now !== null) return { sentence: now.summary, headline: now.headline };
    return { sentence: `was: ${alert?.summary ?? ''}`, headline: `was ${alert?.headline ?? ''}` };
  };
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

/** The member that the others share as their cause: it names the trouble of all. */
function leadOf(group: Group, firing: readonly Standing[]): Standing | undefined {
  return firing.length === 1 ? undefined : firing.find(({ subject }) => subject === group.cause);
}

function headline(group: Group, firing: readonly Standing[], siblings: readonly Finding[]): string {
  const only = firing.length === 1 ? firing[0] : leadOf(group, firing);
  if (only !== undefined) return `${about(only)}: ${only.alert?.headline ?? ''}`;
  const subjects = new Set(firing.map(({ subject }) => subject));
  const trouble = troubleOf[group.rule] ?? group.rule;
  if (subjects.size === 1) return `${about(firing[0], false)}: ${trouble} on ${firing.length} targets`;
  const all = new Set(siblings.map(({ subject }) => subject));
  return `${nameOf(group.cause)}: ${subjects.size} of ${all.size} ${trouble}`;
}

/** One alert has room for its sentence; of several each gets a few words. */
interface Words {
  readonly sentence: string;
  readonly headline: string;
}

/** A single alert as a sentence; several as a line a subject: `arxiv: 31h old, allowed 26h (phx-ai02, nas)`. */
function listed(standings: readonly Standing[], wordsOf: (standing: Standing) => Words): readonly string[] {
  const [only] = standings;
  if (standings.length === 1 && only !== undefined) return [`${wordsOf(only).sentence}.`];
  const lines = [...Map.groupBy(standings, ({ subject }) => subject)].map(([subject, own]) => {
    const byHeadline = Map.groupBy(own, (each) => wordsOf(each).headline.replace(` on ${each.target ?? ''}`, ''));
    const parts = [...byHeadline].map(([words, alike]) => {
      const targets = alike.flatMap(({ target }) =>
        target === null || subject === `target/${target}` ? [] : [target],
      );
      return targets.length === 0 ? words : `${words} (${targets.join(', ')})`;
    });
    return `${nameOf(subject)}: ${parts.join('; ')}`;
  });
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
