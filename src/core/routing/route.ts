/** Routing: what happened in a pass → groups and the messages to send, one a group and receiver. Pure. */

import { builtInKinds, type Rule } from '../model/rule.ts';
import type { Alert, AlertEvent, Group, Message, Standing } from '../model/alert.ts';
import { type Finding, subjectPrefixes } from '../model/finding.ts';
import { findingKey } from '../model/key.ts';
import { type Policy, type Rung, rungFor } from './policy.ts';
import { alertText, endedText, type Text } from './text.ts';

/** Everything routing decides from. */
export interface RoutingInput {
  readonly events: readonly AlertEvent[];
  /** All standings after the step. */
  readonly standings: readonly Standing[];
  readonly groups: readonly Group[];
  readonly findings: readonly Finding[];
  readonly rules: readonly Rule[];
  readonly policy: Policy;
  readonly nowMs: number;
  readonly idOf: (parts: readonly string[]) => string;
}

/** What to store and send. */
export interface Routing {
  /** Standings whose alert was put into a group in this pass. */
  readonly placed: readonly Standing[];
  readonly groups: readonly Group[];
  readonly removedGroups: readonly string[];
  readonly messages: readonly Message[];
}

type Fired = Extract<AlertEvent, { kind: 'fired' }>;
type Ended = Extract<AlertEvent, { kind: 'ended' }>;

/** Routes the events of one pass. */
export function route(input: RoutingInput): Routing {
  const open = new Map(input.groups.map((group) => [group.id, group]));
  const byKey = new Map(input.groups.map((group) => [groupKey(group), group]));
  const placed = new Map<string, Standing>();
  const news = new Set<string>();
  /** By group: the groups that its new alerts left for it. */
  const formerIds = new Map<string, Set<string>>();
  for (const event of input.events.filter((each): each is Fired => each.kind === 'fired')) {
    const group = byKey.get(keyOf(event)) ?? newGroup(event, input);
    open.set(group.id, group);
    byKey.set(groupKey(group), group);
    news.add(group.id);
    const former = event.alert.groupId === null ? undefined : open.get(event.alert.groupId);
    if (former !== undefined && former.id !== group.id) {
      formerIds.set(group.id, (formerIds.get(group.id) ?? new Set()).add(former.id));
    }
    const alert = { ...event.alert, groupId: group.id };
    placed.set(findingKey(event.standing), { ...event.standing, alert });
  }
  const members = Map.groupBy(
    input.standings
      .map((standing) => placed.get(findingKey(standing)) ?? standing)
      .filter(({ alert }) => alert?.state === 'firing' && alert.groupId !== null),
    ({ alert }) => alert?.groupId ?? '',
  );
  const ended = Map.groupBy(
    input.events.filter((each): each is Ended => each.kind === 'ended'),
    ({ alert }) => alert.groupId ?? '',
  );
  const groups: Group[] = [];
  const removedGroups: string[] = [];
  const messages: Message[] = [];
  for (const known of open.values()) {
    const group = { ...known, receivers: known.receivers.filter((name) => input.policy.receivers.has(name)) };
    const firing = members.get(group.id) ?? [];
    const endings = ended.get(group.id) ?? [];
    if (firing.length === 0) {
      removedGroups.push(group.id);
      if (endings.length > 0) messages.push(...tellEnding(group, endings, input));
      continue;
    }
    // A mute that began after an alert was told keeps it in its group, and out of the words.
    const visible = firing.filter(({ alert }) => alert?.mutedBy === null);
    const unwatched = endings.filter(({ ending }) => ending === 'withdrawn');
    // A reload may have taken away everybody who was told, and put others in their place.
    const rung = rungOf(group, input);
    const isUnheard = known.told > 0 && rung?.notify.some((name) => known.receivers.includes(name)) === false;
    if (news.has(group.id) || ((unwatched.length > 0 || isUnheard) && visible.length > 0)) {
      const formers = [...(formerIds.get(group.id) ?? [])].flatMap((id) => open.get(id) ?? []);
      const emptied = formers.filter(({ id }) => !members.has(id));
      const told = tellAlert({ group, visible, unwatched, formers, emptied }, input);
      groups.push(told.group);
      messages.push(...told.messages);
    }
  }
  return { placed: [...placed.values()], groups, removedGroups, messages };
}

function keyOf({ standing, alert }: Fired): string {
  return JSON.stringify([alert.severity, standing.ruleId, causeKey(standing, alert)]);
}

/** What the alerts of a group share: an unreachable host, target or source; else their source; else the subject itself. */
function causeKey(standing: Standing, alert: Alert): string {
  if (alert.cause !== null) return alert.cause.subject;
  const [prefix = ''] = standing.subject.split('/', 1);
  if (prefix === 'deadair') return prefix;
  return subjectPrefixes.has(prefix) ? standing.subject : `source/${prefix}`;
}

function groupKey({ severity, ruleId, cause }: Group): string {
  return JSON.stringify([severity, ruleId, cause]);
}

function newGroup({ standing, alert }: Fired, { nowMs, idOf }: RoutingInput): Group {
  const severity = alert.severity ?? 'warning';
  const cause = causeKey(standing, alert);
  return {
    id: idOf([severity, standing.ruleId, cause, String(nowMs)]),
    ruleId: standing.ruleId,
    rule: standing.rule,
    severity,
    cause,
    openedAtMs: nowMs,
    told: 0,
    receivers: [],
  };
}

/** What a message about a group that fires is made of. */
interface News {
  readonly group: Group;
  readonly visible: readonly Standing[];
  /** Alerts of the group that ended in this pass because nobody asks about them any more. */
  readonly unwatched: readonly Ended[];
  /** The groups that new alerts left for this one; whoever was told there is told here. */
  readonly formers: readonly Group[];
  /** Those of them that have no alert left. */
  readonly emptied: readonly Group[];
}

function tellAlert(
  { group, visible, unwatched, formers, emptied }: News,
  input: RoutingInput,
): { readonly group: Group; readonly messages: readonly Message[] } {
  const rung = rungOf(group, input);
  if (rung === null) return { group, messages: [] };
  const [emptiedOne] = emptied;
  const clears = lastSequenceId(group) ?? (emptiedOne === undefined ? null : lastSequenceId(emptiedOne));
  const toldBefore = formers.flatMap(({ receivers }) => receivers);
  const receivers = [...new Set([...group.receivers, ...toldBefore, ...rung.notify])];
  const told: Group = { ...group, told: group.told + 1, receivers };
  const text = alertText({ group, firing: visible, unwatched, findings: input.findings }, input.policy, input.nowMs);
  return {
    group: told,
    messages: receivers.map((receiver) =>
      message(told, receiver, { kind: 'alert', clears, priority: rung.priority, text, nowMs: input.nowMs }),
    ),
  };
}

function rungOf({ ruleId, severity }: Group, { policy, rules }: RoutingInput): Rung | null {
  return rungFor(
    policy,
    rules.find(({ id }) => id === ruleId),
    severity,
  );
}

function tellEnding(group: Group, endings: readonly Ended[], input: RoutingInput): readonly Message[] {
  const isRecovered = endings.every(({ ending }) => ending === 'recovered');
  const told = { ...group, told: group.told + 1 };
  const stillCount = countStill(group, input.standings);
  const text = endedText({ group, endings, isRecovered, stillCount }, input.policy, input.nowMs);
  const kind = isRecovered ? 'recovered' : 'withdrawn';
  return group.receivers.map((receiver) =>
    message(told, receiver, { kind, clears: lastSequenceId(group), priority: null, text, nowMs: input.nowMs }),
  );
}

/** Alerts that the receivers of a recovery could take for ended too: of the same rule, or, where that is built in, cause. */
function countStill(group: Group, standings: readonly Standing[]): number {
  const isBuiltIn = builtInKinds.has(group.rule);
  return standings.filter(
    (standing) =>
      standing.alert !== null &&
      standing.ruleId === group.ruleId &&
      (!isBuiltIn || causeKey(standing, standing.alert) === group.cause),
  ).length;
}

function lastSequenceId(group: Group): string | null {
  return group.told === 0 ? null : `${group.id}-${group.told}`;
}

function message(
  group: Group,
  receiver: string,
  given: {
    readonly kind: Message['kind'];
    readonly clears: string | null;
    readonly priority: number | null;
    readonly text: Text;
    readonly nowMs: number;
  },
): Message {
  const sequenceId = `${group.id}-${group.told}`;
  return {
    id: `${sequenceId}@${receiver}`,
    receiver,
    groupId: group.id,
    sequenceId,
    clears: given.clears,
    kind: given.kind,
    severity: group.severity,
    priority: given.priority,
    title: given.text.title,
    body: given.text.body,
    createdAtMs: given.nowMs,
  };
}
