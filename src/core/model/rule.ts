/** Rules as the configuration loader hands them to the judges: names resolved, durations in ms. */

import type { Severity } from './finding.ts';

/** What every rule carries, whatever its kind. */
export interface RuleCommon {
  /** Unique across files; default `<source>/<kind>`. */
  readonly id: string;
  readonly kind: string;
  /** The rule file, as the operator named it; findings of one file share causes. */
  readonly file: string;
  /** Names of the sources it protects. */
  readonly sources: readonly string[];
  /** Names of the targets it looks at. */
  readonly targets: readonly string[];
  /** Globs over collection names; null means all of them. */
  readonly collections: readonly string[] | null;
  readonly severity: Severity;
  /** IANA name; schedules of this rule are read in it. */
  readonly timezone: string;
  /** How long trouble must last before it is told, ms. */
  readonly forMs: number;
  readonly except: readonly Exception[];
  /** Name of an escalation ladder; null means the one of the severity. */
  readonly escalate: string | null;
}

/** Part of a rule that is muted on purpose, until an end. */
export interface Exception {
  /** A glob over collection names. */
  readonly collections: readonly string[];
  readonly because: string;
  /** Epoch ms; the exception is over from then on. */
  readonly untilMs: number;
}

/** How often a copy must be made: an age, or slots of a schedule. */
export type Cadence =
  | { readonly kind: 'max-age'; readonly maxAgeMs: number }
  | {
      readonly kind: 'schedule';
      /** Five fields of cron. */
      readonly cron: string;
      readonly graceMs: number;
      /** IANA name, such as America/Phoenix. */
      readonly timezone: string;
    };

/** A rule of one kind, ready to judge. */
export interface Rule<Parameters extends object = object> extends RuleCommon {
  readonly parameters: Parameters;
}

/** Kinds of rules that are always there: nobody writes one, nobody removes one, and they guard no collection. */
export const builtInKinds: ReadonlySet<string> = new Set(['reachable', 'self']);
