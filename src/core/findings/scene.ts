/** The scene a rule is judged in: the world of one pass, with each target's catalogue made once for all rules. */

import type { JudgeOptions, World } from '../model/world.ts';
import type { Rule } from './kind.ts';
import { catalogue, type Catalogue } from './snapshots.ts';

/** What every judge sees, beside its rule. */
export interface Scene extends JudgeOptions {
  readonly world: World;
  /** By target name; a target out of sight has none. */
  readonly catalogues: ReadonlyMap<string, Catalogue>;
  /** All rules of the configuration: a coverage rule asks the freshness rule of its file when copies are due. */
  readonly rules: readonly Rule[];
}

/** Sets the scene. */
export function setScene(world: World, rules: readonly Rule[], options: JudgeOptions): Scene {
  const catalogues = new Map(
    world.targets.filter(({ evidence }) => evidence.seen).map((target) => [target.name, catalogue(target)]),
  );
  return { ...options, world, catalogues, rules };
}
