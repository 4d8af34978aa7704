import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { formatMistake } from '../../../src/config/mistake.ts';
import { commonShape } from '../../../src/config/rule.ts';
import { builtInKinds, receiverKinds, ruleKinds } from '../../../src/watchdog/kinds.ts';

const readme = await readFile('rules/README.md', 'utf8');

/** The first cells of the table under a heading, without backticks. */
function firstColumn(heading: string): readonly string[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, word]) => word ?? '');
}

describe('the shipped examples', () => {
  it('load without a mistake and without a warning, and stay so for years', async () => {
    const config = await loadConfig({
      file: 'rules/deadair.yaml',
      ruleKinds,
      receiverKinds,
      env: {},
      nowMs: Date.UTC(2036, 0, 1),
    });
    expect(config.kind === 'mistakes' ? config.mistakes.map(formatMistake) : []).toStrictEqual([]);
    expect(config.warnings.map(formatMistake)).toStrictEqual([]);
    expect(config.kind === 'loaded' && config.rules.map(({ kind, file }) => `${file} ${kind}`)).toStrictEqual(
      ruleKinds.map(({ kind }) => `rules/qdrant.yaml ${kind}`),
    );
  });
});

describe('the reference of rules', () => {
  it('lists the keys of any rule', () => {
    expect(firstColumn('Any rule')).toStrictEqual(Object.keys(commonShape));
  });

  it.each(ruleKinds.map((kind) => [kind.kind, kind] as const))('lists the keys of %s', (word, kind) => {
    expect(firstColumn(word)).toStrictEqual(Object.keys(kind.shape));
    const section = readme.split(/^## /m).find((part) => part.startsWith(`${word}\n`));
    expect(section).toContain(`Severity unless given: \`${kind.defaultSeverity}\``);
  });

  it('lists the built-in rules', () => {
    expect(firstColumn('Built in')).toStrictEqual(builtInKinds.map(({ kind }) => kind));
  });

  it('has a section for each kind and for nothing else', () => {
    const headings = [...readme.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toStrictEqual(['A rule file', 'Any rule', ...ruleKinds.map(({ kind }) => kind), 'Built in']);
  });
});
