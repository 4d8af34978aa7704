/** The registry: every kind of rule and of receiver deadair knows. A new kind is its own file and one line here. */

import { coverage } from '../core/findings/coverage.ts';
import { freshness } from '../core/findings/freshness.ts';
import { integrity } from '../core/findings/integrity.ts';
import type { RuleKind } from '../core/findings/kind.ts';
import type { Rule } from '../core/model/rule.ts';
import { reachable } from '../core/findings/reachable.ts';
import { self } from '../core/findings/self.ts';
import { ntfyReceiver } from '../delivery/ntfy.ts';
import { secret } from '../support/secrets.ts';

/** Kinds that operators write rules of. */
export const ruleKinds: readonly RuleKind[] = [freshness, coverage, integrity] as unknown as readonly RuleKind[];

/** Kinds of rules that are always there, one rule each. */
export const builtInKinds: readonly RuleKind[] = [reachable, self];

/** Kinds of receivers. */
export const receiverKinds = [{ kind: ntfyReceiver.kind, shape: ntfyReceiver.shape(secret) }];

/** All rule kinds by their word, for the judge. */
export const kindsByName: ReadonlyMap<string, RuleKind> = new Map(
  [...ruleKinds, ...builtInKinds].map((kind) => [kind.kind, kind]),
);

/** The rules that nobody writes and nobody removes. */
export const builtInRules: readonly Rule[] = builtInKinds.map((kind) => ({
  id: kind.kind,
  kind: kind.kind,
  file: 'built in',
  sources: [],
  targets: [],
  collections: null,
  severity: kind.defaultSeverity,
  timezone: 'UTC',
  forMs: 0,
  except: [],
  escalate: null,
  parameters: {},
}));
