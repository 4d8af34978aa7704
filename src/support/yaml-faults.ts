/** Finds what is wrong with a parsed YAML document beside its meaning: syntax, repeated keys, aliases that lead nowhere. */

import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type YAMLError, type YAMLMap } from 'yaml';
import { limits } from './limits.ts';
import { printablePath } from './printable.ts';

/** The word a key is, as it becomes a property: `1` is `"1"`. Null for what is no word. */
export function yamlKeyText(key: unknown): string | null {
  const value = isScalar(key) ? key.value : undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : null;
}

/** One thing that is wrong. */
export interface YamlFault {
  /** UTF-16 units from the start of the text. */
  readonly offset: number;
  /** `expected …, got …`. */
  readonly message: string;
  /** True when the document's values cannot be trusted. */
  readonly isFatal: boolean;
}

/**
 * Looks through a document without resolving its aliases.
 *
 * @returns faults in no particular order, about `limits.mistakes` at most.
 */
export function findYamlFaults(document: Document.Parsed): readonly YamlFault[] {
  const syntax = [...document.errors, ...document.warnings].slice(0, limits.mistakes).map(describeSyntax);
  if (syntax.length > 0) return syntax;
  const { explicit, version } = document.directives.yaml;
  // A directive of 1.1 would silently turn `on` and `no` into booleans.
  if (explicit === true && version !== '1.2') {
    return [{ offset: 0, message: `expected YAML 1.2, got %YAML ${version}`, isFatal: true }];
  }
  return findStructureFaults(document);
}

function describeSyntax(error: YAMLError): YamlFault {
  return { offset: error.pos[0], message: syntaxMessage(error), isFatal: true };
}

function syntaxMessage(error: YAMLError): string {
  const known = syntaxMessages.get(error.code);
  if (known !== undefined) return known;
  // The parser ends some messages with `: "<source>"`; the source may be a secret.
  const text = error.message.replace(/:\s*".*$/s, '');
  return `expected valid YAML, got an error of syntax: ${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

/** Where the parser's own words are meant for programmers. */
const syntaxMessages: ReadonlyMap<string, string> = new Map([
  ['TAB_AS_INDENT', 'expected spaces before the first word of a line, got a tab'],
  ['MULTIPLE_DOCS', 'expected one document in the file, got another one after ---'],
  ['TAG_RESOLVE_FAILED', 'expected a plain value, got a !tag'],
  ['RESOURCE_EXHAUSTION', 'expected a shallow structure, got too many levels inside one another'],
]);

/** Tags that say what YAML 1.2's core schema takes for granted. */
const plainTags = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** A node still to be looked at, with the anchors that stand around it. */
interface Visit {
  readonly node: unknown;
  readonly depth: number;
  readonly around: readonly string[];
}

function findStructureFaults(document: Document.Parsed): readonly YamlFault[] {
  const faults: YamlFault[] = [];
  const anchors = new Set<string>();
  // A stack instead of recursion: the depth of a file is the operator's, and a call stack is not.
  const stack: Visit[] = [{ node: document.contents, depth: 0, around: [] }];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    if (faults.length >= limits.mistakes) return faults;
    const { node, depth } = visit;
    const offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    if (depth > limits.yamlDepth) {
      const message = `expected at most ${limits.yamlDepth} levels inside one another, got more`;
      return [...faults, { offset, message, isFatal: true }];
    }
    if (isAlias(node)) {
      const isKnown = anchors.has(node.source);
      if (isKnown && !visit.around.includes(node.source)) continue;
      const what = isKnown ? 'an alias inside its own anchor' : 'an alias without its anchor before it';
      faults.push({ offset, message: `expected *alias to repeat something above, got ${what}`, isFatal: true });
      continue;
    }
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) continue;
    if (node.anchor !== undefined) anchors.add(node.anchor);
    const around = node.anchor === undefined ? visit.around : [...visit.around, node.anchor];
    if (node.tag !== undefined && !plainTags.has(node.tag)) {
      faults.push({ offset, message: 'expected a plain value, got a !tag', isFatal: true });
    }
    if (isScalar(node)) continue;
    if (isMap(node)) faults.push(...findKeyFaults(node).slice(0, limits.mistakes));
    const children = isMap(node) ? node.items.map((pair) => pair.value) : node.items;
    // Pushed last to first, so that anchors are met in the order of the text.
    for (const child of children.toReversed()) stack.push({ node: child, depth: depth + 1, around });
  }
  return faults;
}

function findKeyFaults(map: YAMLMap): YamlFault[] {
  const faults: YamlFault[] = [];
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const offset = isNode(key) ? (key.range?.[0] ?? 0) : (map.range?.[0] ?? 0);
    const name = yamlKeyText(key);
    if (name === null || (isScalar(key) && key.anchor !== undefined)) {
      faults.push({ offset, message: 'expected a plain word as key, got something else', isFatal: true });
      continue;
    }
    if (seen.has(name)) {
      const message = `expected each key once, got "${printablePath(name.slice(0, 60))}" again`;
      faults.push({ offset, message, isFatal: false });
    }
    seen.add(name);
  }
  return faults;
}
