/** What a rule kind is: its YAML keys, and the pure judgement. One file a kind; `watchdog/kinds.ts` lists them all. */

import type { z } from 'zod';
import type { Finding, Severity } from '../model/finding.ts';
import type { Rule } from '../model/rule.ts';
import type { Scene } from './scene.ts';

/** A mistake that only shows when several keys are seen together. */
export interface ParameterMistake {
  /** The YAML key to point at; null points at the rule. */
  readonly key: string | null;
  /** `expected …`, like every message of the loader. */
  readonly message: string;
}

/** A kind of rule. */
export interface RuleKind<Parameters extends object = object> {
  /** The word after `rule:` in a rule file. */
  readonly kind: string;
  /** What must be true, in one clause; the section of this kind in `rules/README.md` begins with it. */
  readonly promise: string;
  readonly defaultSeverity: Severity;
  /** The YAML keys of this kind beside the common ones, each with a description. */
  readonly shape: Readonly<Record<string, z.ZodType>>;
  /**
   * Turns parsed YAML into parameters.
   *
   * @param parsed values of `shape`, valid one by one; absent optional keys are undefined.
   */
  readonly parameters: (parsed: Readonly<Record<string, unknown>>) => Parameters | readonly ParameterMistake[];
  /** Judges the rule for all its subjects. Pure and total: missing evidence becomes `unknown`, never an exception. */
  readonly judge: (rule: Rule<Parameters>, scene: Scene) => readonly Finding[];
}
