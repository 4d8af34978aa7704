import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { formatMistake } from '../../../src/config/mistake.ts';
import { commonShape } from '../../../src/config/rule.ts';
import { builtInKinds, receiverKinds, ruleKinds } from '../../../src/watchdog/kinds.ts';
import { plain, section, tables, textOf } from '../docs/markdown.ts';

const readme = textOf('rules/README.md');

/** The rows of the table under a heading, without backticks. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  return (tables(section(readme, heading))[0] ?? []).map((row) => row.map(plain));
}

function firstColumn(heading: string): readonly (string | undefined)[] {
  return rowsUnder(heading).map(([word]) => word);
}

/** What a key's row says, as the one sentence that stands at the key in the code. */
function described([, meaning = '', otherwise = '']: readonly string[]): string {
  const rest = otherwise.startsWith('this or ') ? otherwise : `default ${otherwise}`;
  return `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}; ${rest}.`;
}

/** The first sentence of a section, on one line, as a clause. */
function clauseOf(text: string): string {
  const [sentence = ''] = text.trim().replaceAll(/\s+/g, ' ').split('. ', 1);
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
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

  it.each(ruleKinds.map((kind) => [kind.kind, kind] as const))('says of %s what the code says', (word, kind) => {
    const text = section(readme, word);
    expect(clauseOf(text)).toBe(kind.promise);
    expect(text).toContain(`Severity unless given: \`${kind.defaultSeverity}\``);
    expect(firstColumn(word)).toStrictEqual(Object.keys(kind.shape));
    expect(rowsUnder(word).map(described)).toStrictEqual(
      Object.values(kind.shape).map(({ description }) => description),
    );
  });

  it('says of the built-in rules what the code says', () => {
    expect(rowsUnder('Built in')).toStrictEqual(
      builtInKinds.map(({ kind, promise, defaultSeverity }) => [kind, promise, defaultSeverity]),
    );
  });

  it('has a section for each kind and for nothing else', () => {
    const headings = [...readme.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toStrictEqual(['A rule file', 'Any rule', ...ruleKinds.map(({ kind }) => kind), 'Built in']);
  });
});
