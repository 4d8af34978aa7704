/** Holds the pictures of README.md, and the message beside its rule file, to what the program shows today. */

import { stripVTControlCharacters } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playOnce } from '../../../src/cli/lab.ts';
import { removeLabDirectory } from '../../../src/lab/world.ts';
import { codeBlocks, section, textOf } from './markdown.ts';
import { checkPicture } from '../../pictures/check-picture.ts';

/** A message: its title, then its body, without the frame it is shown in. */
function messagesIn(text: string): readonly string[] {
  return [...text.matchAll(/^ *┌ (.*?) {2}\(priority \d\)\n((?: *│.*\n)+)/gm)].map(([, title = '', body = '']) =>
    comparable(`${title}\n${body.replaceAll(/^ *│ ?/gm, '')}`),
  );
}

/** Without what differs from play to play: the time of day and the id of the group. */
function comparable(text: string): string {
  return text
    .replaceAll(/\bgroup [0-9a-f]{16}\b/g, 'group …')
    .replaceAll(/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d:\d\d\b/g, 'Ddd hh:mm')
    .trim();
}

/** The text on a picture. */
function textOnPicture(name: string): string {
  return textOf(`test/pictures/${name}`)
    .replaceAll('</text>', '')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** Titles of messages that ring. */
function alarms(messages: readonly string[]): readonly string[] {
  return messages.filter((message) => message.startsWith('CRIT')).map((message) => message.split('\n', 1)[0] ?? '');
}

let played: readonly string[] = [];

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'deadair-docs-'));
  const lines: string[] = [];
  try {
    await playOnce(directory, (line) => void lines.push(`${stripVTControlCharacters(line)}\n`));
  } finally {
    removeLabDirectory(directory);
  }
  played = messagesIn(lines.join(''));
});

test('the message beside the rule file is one the phone shows in the incident, word by word', () => {
  const readme = textOf('README.md');
  const [message = '', ...others] = codeBlocks(section(readme, 'A rule, and what it says at night'), '');
  expect(others).toEqual([]);
  expect(played).toContain(comparable(message));
  expect(messagesIn(textOnPicture('incident.svg'))).toContain(comparable(message));
});

test('the picture of the incident shows every alarm of it in the words of today', () => {
  const shown = alarms(messagesIn(textOnPicture('incident.svg')));
  expect(shown.length).toBeGreaterThan(2);
  expect(new Set(shown)).toEqual(new Set(alarms(played)));
});

test('the picture of a check is what it prints today, to the last character', async () => {
  expect(await checkPicture()).toBe(textOf('test/pictures/check.svg'));
});
