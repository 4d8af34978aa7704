/** The scene a rule is judged in: the world of one pass, the rules beside it, and the time. */

import type { JudgeOptions, World } from '../model/world.ts';
import type { Rule } from '../model/rule.ts';

/** What every judge sees, beside its rule. */
export interface Scene extends JudgeOptions {
  readonly world: World;
  /** All rules of the configuration: a coverage rule asks the freshness rule of its file when copies are due. */
  readonly rules: readonly Rule[];
  /** Whether copies of this collection on this target could be of either of two sources. */
  readonly ambiguous: (target: string, collection: string) => boolean;
}
