/** Alerts, groups and messages: trouble over time, and how it is told. */

import type { Cause, Finding, FindingStatus, Mute, Severity } from './finding.ts';

/**
 * What is remembered of one (rule, subject, target) between passes: its last ok, and its alert while it has one.
 * All instants are absolute epoch ms and persisted, so that no restart postpones a deadline (G5).
 */
export interface Standing {
  readonly ruleId: string;
  readonly rule: string;
  readonly subject: string;
  readonly target: string | null;
  readonly status: FindingStatus;
  /** When the evidence behind the last judgement was taken. */
  readonly observedAtMs: number;
  /** Until when the last ok held; null when it never was ok. */
  readonly okUntilMs: number | null;
  /** Since when it is unread without having been ok in between; null when it is not. */
  readonly unreadSinceMs: number | null;
  readonly alert: Alert | null;
}

/** A finding's trouble over time. It exists from the first judgement that is not ok until it has ended. */
export interface Alert {
  /** 16 hex digits. */
  readonly id: string;
  readonly openedAtMs: number;
  /** `opened`: not told yet. `firing`: told, or due to be told. */
  readonly state: 'opened' | 'firing';
  /** How loud it fires; null while opened. */
  readonly severity: Severity | null;
  /** The newest observation that was not ok; only an ok observed later ends it (G2). */
  readonly troubleObservedAtMs: number;
  readonly headline: string;
  readonly summary: string;
  readonly reason: string;
  readonly todo: string | null;
  readonly cause: Cause | null;
  /** While muted nobody is told; when the mute ends the alert notifies. */
  readonly mutedBy: Mute | null;
  /** Id of the group it is told in; null until routed. */
  readonly groupId: string | null;
}

/** How an alert ended. Only `recovered` says that all is well. */
export type Ending = 'recovered' | 'withdrawn' | 'superseded';

/** What the state machine decided about one alert in one pass, with a named reason. */
export type AlertEvent =
  | {
      readonly kind: 'fired';
      readonly why: 'failing' | 'unknown-too-long' | 'last-proof-expired' | 'mute-ended' | 'worsened';
      readonly standing: Standing;
      readonly alert: Alert;
      readonly finding: Finding;
    }
  | {
      readonly kind: 'ended';
      readonly ending: Ending;
      readonly standing: Standing;
      readonly alert: Alert;
      /** The ok that ended it; null when withdrawn. */
      readonly finding: Finding | null;
    };

/** Alerts told together: same severity, rule and cause. */
export interface Group {
  /** 16 hex digits; messages carry it as the stem of their sequence id. */
  readonly id: string;
  readonly ruleId: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly cause: string;
  readonly openedAtMs: number;
  /** How many messages were sent for it; the next takes this plus one in its sequence id. */
  readonly told: number;
  /** Names of the receivers that were told; they hear of the recovery too. */
  readonly receivers: readonly string[];
}

/** What goes to one receiver. */
export interface Message {
  /** Unique: `<sequenceId>@<receiver>`; the outbox accepts each once. */
  readonly id: string;
  readonly receiver: string;
  readonly groupId: string;
  /** `<group>-<n>`: a retry keeps it, the next message of the group takes a new one. */
  readonly sequenceId: string;
  /** The sequence id of the message this one replaces on the phone; null for the first. */
  readonly clears: string | null;
  readonly kind: 'alert' | 'recovered' | 'withdrawn';
  readonly severity: Severity;
  /** ntfy's 1 to 5; null leaves it to the severity. */
  readonly priority: number | null;
  readonly title: string;
  readonly body: string;
  readonly createdAtMs: number;
}
