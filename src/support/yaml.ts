/** YAML with positions: a file's bytes → plain values, and the line and column of each. Never reads more than YAML 1.2's core. */

import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Pair } from 'yaml';
import { limits } from './limits.ts';
import { printablePath } from './printable.ts';
import { guardYamlText } from './yaml-guard.ts';
import { findYamlFaults, type YamlFault, yamlKeyText } from './yaml-faults.ts';

/** The way to a value: keys of maps, indexes of lists. `[]` is the whole file. */
export type YamlPath = readonly (string | number)[];

/** A place in a file; both count from 1, columns in UTF-16 units. */
export interface YamlPosition {
  readonly line: number;
  readonly column: number;
}

/** Something that is not the YAML we read. */
export interface YamlProblem extends YamlPosition {
  /** `expected …, got …`. Never quotes values: they may be secrets. */
  readonly message: string;
}

/** A parsed file. */
export interface YamlDocument {
  /** Plain maps, lists, texts, numbers, booleans, null; an empty file is null. Acyclic. */
  readonly value: unknown;
  /**
   * Tells where something stands. What is not in the file is looked for at the nearest thing around it.
   *
   * @param spot the key of the last step, or its value. An item of a list has no key: it is its value.
   */
  readonly position: (path: YamlPath, spot: 'key' | 'value') => YamlPosition;
}

/** A file read: the document is null when its text cannot be trusted to mean what it seems to. */
export interface YamlReading {
  readonly document: YamlDocument | null;
  readonly problems: readonly YamlProblem[];
}

/**
 * Reads one YAML document. Throws nothing and takes time linear in the size, whatever the bytes.
 *
 * Aliases are resolved up to `limits.yamlAliases`, merge keys (`<<`) are ordinary keys, a repeated key is a problem
 * that leaves the document usable.
 */
export function readYaml(bytes: Uint8Array): YamlReading {
  const { text, finding } = guardYamlText(bytes);
  const counter = new LineCounter();
  if (finding !== null) {
    addLines(counter, text);
    return { document: null, problems: [problemAt(counter, finding)] };
  }
  let parsed: Document.Parsed;
  try {
    // The parser's own check of repeated keys takes quadratic time, so findYamlFaults looks for them instead.
    parsed = parseDocument(text, { lineCounter: counter, prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { document: null, problems: [{ line: 1, column: 1, message: 'expected YAML, got too deep a structure' }] };
  }
  const faults = findYamlFaults(parsed);
  const problems = faults.map((fault) => problemAt(counter, fault));
  if (faults.some((fault) => fault.isFatal)) return { document: null, problems };
  try {
    const value: unknown = parsed.toJS({ maxAliasCount: limits.yamlAliases });
    return { document: { value, position: (path, spot) => findPosition(parsed, counter, path, spot) }, problems };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const message = `expected at most ${limits.yamlAliases} repetitions by *alias, got more`;
    return { document: null, problems: [...problems, { line: 1, column: 1, message }] };
  }
}

/** Writes a way as people read it: `rules[2].max_age`, `targets.nas.path`; `''` for the whole file. */
export function formatYamlPath(path: YamlPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${/^[\w*+-][\w.*+-]*$/.test(step) ? step : `"${printablePath(step)}"`}`;
  }
  return text;
}

function problemAt(counter: LineCounter, fault: Pick<YamlFault, 'offset' | 'message'>): YamlProblem {
  return { ...positionOf(counter, fault.offset), message: fault.message };
}

function positionOf(counter: LineCounter, offset: number): YamlPosition {
  const { line, col } = counter.linePos(offset);
  return line === 0 ? { line: 1, column: 1 } : { line, column: col };
}

function addLines(counter: LineCounter, text: string): void {
  counter.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) counter.addNewLine(at + 1);
}

function findPosition(
  document: Document.Parsed,
  counter: LineCounter,
  path: YamlPath,
  spot: 'key' | 'value',
): YamlPosition {
  let node = resolve(document.contents, document);
  let offset = node?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    const isLast = index === path.length - 1;
    if (isMap(node)) {
      const pair = findPair(node.items, step);
      if (pair === undefined) break;
      const keyOffset = rangeStart(pair.key) ?? offset;
      const value = resolve(pair.value, document);
      const isEmpty = !isNode(value) || (isScalar(value) && value.value === null);
      offset = (isLast && spot === 'value' && !isEmpty ? rangeStart(pair.value) : keyOffset) ?? keyOffset;
      node = value;
    } else if (isSeq(node)) {
      const item = typeof step === 'number' ? node.items[step] : undefined;
      if (item === undefined) break;
      offset = rangeStart(item) ?? offset;
      node = resolve(item, document);
    } else {
      break;
    }
  }
  return positionOf(counter, offset);
}

/** The last pair of a key: where a key is repeated, the value is the last one's. */
function findPair(pairs: readonly Pair[], step: string | number): Pair | undefined {
  return pairs.findLast((pair) => yamlKeyText(pair.key) === String(step));
}

function resolve(node: unknown, document: Document.Parsed): Node | null {
  if (isAlias(node)) return node.resolve(document) ?? null;
  return isNode(node) ? node : null;
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}

function rangeStart(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
