/** A finding: a rule judged for one subject. */

/** How loud; `info` rings nobody. */
export type Severity = 'critical' | 'warning' | 'info';

/**
 * `ok`: proven true, until `validUntilMs`. `failing`: seen to be false. `unknown`: could not be looked at.
 * `unread`: the bytes that could make it true have arrived and wait for the reader; neither opens nor ends an alert.
 */
export type FindingStatus = 'ok' | 'failing' | 'unknown' | 'unread';

/** What a finding's trouble comes from, when many share it. Groups are told by it. */
export interface Cause {
  /** Such as `target/nas`, `host/nas`, `source/phx-ai01`. */
  readonly subject: string;
  /** One clause: `cannot look: SSH timeout`. */
  readonly summary: string;
}

/** A rule judged for one subject at one time. */
export interface Finding {
  /** The kind of rule: `freshness`, `coverage`, … */
  readonly rule: string;
  /** The rule's id, unique across all files. */
  readonly id: string;
  /** `source/collection`, `source/<name>`, `host/<name>`, `target/<name>`, `receiver/<name>`, `deadair/<name>`. */
  readonly subject: string;
  /** The target's name, null where the finding is not about one. */
  readonly target: string | null;
  readonly severity: Severity;
  readonly status: FindingStatus;
  /** A named reason, stable for code: `stale`, `mismatch`, `cannot-look`. `ok` findings have one too. */
  readonly reason: string;
  /** A few words for a lock screen, the number included: `31h old, allowed 26h`. */
  readonly headline: string;
  /** One sentence that says why, with the numbers. */
  readonly summary: string;
  /** The oldest observation this judgement rests on. */
  readonly observedAtMs: number;
  /** Until when an ok holds without new evidence; for other statuses, when to look again at the latest. */
  readonly validUntilMs: number;
  /** What the trouble shares with others; null when it is the subject's own. */
  readonly cause: Cause | null;
  /** The mute that covers it, null when none. A muted finding keeps its true status. */
  readonly mutedBy: Mute | null;
  /** How long trouble must last before it is told, ms (`for` of the rule). */
  readonly forMs: number;
  /** How long it may stay `unread`, ms; beyond that it is failing, whatever new bytes arrive meanwhile. */
  readonly patienceMs: number;
  /** What a person is told to do; null when the summary says it all. */
  readonly todo: string | null;
}

/** Keeps people from being told; always with an end and a reason (G4). */
export interface Mute {
  readonly kind: 'exception';
  readonly because: string;
  readonly by: string;
  readonly untilMs: number;
}

/** Orders severities: larger is louder. */
export const severityRank: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

/** First words of subjects that are about no collection; no source may have one of these names. */
export const subjectPrefixes: ReadonlySet<string> = new Set(['source', 'target', 'host', 'receiver', 'job', 'deadair']);

/** `critical` before `unknown` before `warning`: a failing critical is worse than not knowing, and that worse than a warning. */
export type Verdict = 'ok' | 'warning' | 'critical' | 'unknown';

/** What one pass concludes. */
export interface Judgement {
  readonly findings: readonly Finding[];
  /** Collections that a kind of rule could guard and none does (G10). */
  readonly notPromised: readonly { readonly subject: string; readonly rule: string }[];
}
