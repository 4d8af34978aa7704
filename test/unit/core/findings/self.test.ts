import { expect, test } from 'vitest';
import { selfNames } from '../../../../src/core/findings/self.ts';
import { about, builtInRules, judgeSketch } from '../../../support/rules.ts';
import { goodSketch } from '../../../support/world.ts';

const rules = builtInRules().filter(({ kind }) => kind === 'self');

test('everything that can be wrong with ourselves is judged in every pass, so that it can recover', () => {
  const { findings } = judgeSketch(goodSketch(), rules);
  expect(findings.map(({ subject, status }) => `${status} ${subject}`)).toEqual(
    selfNames.map((name) => `ok deadair/${name}`),
  );
});

test.each([...selfNames, 'event-loop'])('trouble with %s fails in the words of who found it', (name) => {
  const sketch = goodSketch();
  sketch.troubles = [{ name, headline: 'stepped back 1h', summary: 'it stepped back by 1h', todo: 'look at it' }];
  const judged = judgeSketch(sketch, rules);
  expect(about(judged, `deadair/${name}`)).toMatchObject({
    status: 'failing',
    reason: name,
    headline: 'stepped back 1h',
    summary: 'it stepped back by 1h',
    todo: 'look at it',
    mutedBy: null,
  });
  expect(judged.verdict).toBe('warning');
});
