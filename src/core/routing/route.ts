/** Routing: what happened in a pass → groups and the messages to send, one a group and receiver. Pure. */

import type { Rule } from '../findings/kind.ts';
import type { Alert, AlertEvent, Group, Message, Standing } from '../model/alert.ts';
import type { Finding } from '../model/finding.ts';
import { findingKey } from '../model/key.ts';
import { type Policy, rungFor } from './policy.ts';
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
  /** Last sequence ids of groups that an alert left for a louder one. */
  const leftBehind = new Map<string, string>();
  for (const event of input.events.filter((each): each is Fired => each.kind === 'fired')) {
    const group = byKey.get(keyOf(event)) ?? newGroup(event, input);
    open.set(group.id, group);
    byKey.set(groupKey(group), group);
    news.add(group.id);
    const former = event.alert.groupId === null ? undefined : open.get(event.alert.groupId);
    if (former !== undefined && former.id !== group.id) leftBehind.set(group.id, former.id);
    const alert = { ...event.alert, groupId: group.id };
    placed.set(findingKey(event.standing), { ...event.standing, alert });
  }
  const members = Map.groupBy(
    input.standings
      .map((standing) => placed.get(findingKey(standing)) ?? standing)
      .filter(({ alert }) => alert?.state === 'firing' && alert.groupId !== null),
    ({ alert }) => alert?.groupId ?? '',
  );
  const ended = input.events.filter((each): each is Ended => each.kind === 'ended');
  const groups: Group[] = [];
  const removedGroups: string[] = [];
  const messages: Message[] = [];
  for (const group of open.values()) {
    const firing = members.get(group.id) ?? [];
    if (news.has(group.id)) {
      const told = tellAlert(group, firing, leftBehind.get(group.id), open, members, input);
      groups.push(told.group);
      messages.push(...told.messages);
    } else if (firing.length === 0) {
      removedGroups.push(group.id);
      const endings = ended.filter(({ alert }) => alert.groupId === group.id);
      if (endings.length > 0) messages.push(...tellEnding(group, endings, input));
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
  return ['target', 'receiver', 'host', 'source'].includes(prefix) ? standing.subject : prefix;
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

function tellAlert(
  group: Group,
  firing: readonly Standing[],
  formerId: string | undefined,
  open: ReadonlyMap<string, Group>,
  members: ReadonlyMap<string, readonly Standing[]>,
  input: RoutingInput,
): { readonly group: Group; readonly messages: readonly Message[] } {
  const rung = rungFor(
    input.policy,
    input.rules.find(({ id }) => id === group.ruleId),
    group.severity,
  );
  if (rung === null) return { group, messages: [] };
  const former = formerId === undefined || members.has(formerId) ? undefined : open.get(formerId);
  const clears = lastSequenceId(group) ?? (former === undefined ? null : lastSequenceId(former));
  const receivers = [...new Set([...group.receivers, ...(former?.receivers ?? []), ...rung.notify])];
  const told: Group = { ...group, told: group.told + 1, receivers };
  const text = alertText(group, firing, input.findings, input.policy, input.nowMs);
  return {
    group: told,
    messages: receivers.map((receiver) =>
      message(told, receiver, { kind: 'alert', clears, priority: rung.priority, text, nowMs: input.nowMs }),
    ),
  };
}

function tellEnding(group: Group, endings: readonly Ended[], input: RoutingInput): readonly Message[] {
  const isRecovered = endings.every(({ ending }) => ending === 'recovered');
  const told = { ...group, told: group.told + 1 };
  const text = endedText(group, endings, isRecovered, input.policy, input.nowMs);
  const kind = isRecovered ? 'recovered' : 'withdrawn';
  return group.receivers.map((receiver) =>
    message(told, receiver, { kind, clears: lastSequenceId(group), priority: null, text, nowMs: input.nowMs }),
  );
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
