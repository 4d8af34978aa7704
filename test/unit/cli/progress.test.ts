import { expect, test } from 'vitest';
import { createProgressLine } from '../../../src/cli/progress.ts';

/** A stream that keeps what was written. */
function stream(isTTY: boolean): { readonly text: () => string; readonly stream: NodeJS.WriteStream } {
  let text = '';
  const write = (more: string): boolean => ((text += more), true);
  return { text: () => text, stream: { isTTY, write } as unknown as NodeJS.WriteStream };
}

const half = { files: 3, filesTotal: 6, bytes: 2 ** 30, bytesTotal: 2 ** 31 };

test('progress is silent where no terminal is', () => {
  let nowMs = 0;
  const { stream: pipe, text } = stream(false);
  const line = createProgressLine(pipe, () => nowMs);
  nowMs = 60_000;
  line.show(half);
  line.end();
  expect(text()).toBe('');
});

test('progress is silent while it is quick, then draws over one line, and leaves nothing', () => {
  let nowMs = 0;
  const { stream: terminal, text } = stream(true);
  const line = createProgressLine(terminal, () => nowMs);
  nowMs = 500;
  line.show(half);
  expect(text()).toBe('');
  nowMs = 2_000;
  line.show(half);
  expect(text()).toContain('reading 3 of 6 files');
  expect(text()).toMatch(/1\S* ?GiB of 2\S* ?GiB.*\/s.*left$/);
  const drawn = text();
  nowMs = 2_050;
  line.show(half);
  expect(text()).toBe(drawn);
  line.end();
  expect(text().endsWith('\r\u001b[K')).toBe(true);
  expect(text()).not.toContain('\n');
});

test('progress that has read nothing yet promises no end', () => {
  let nowMs = 0;
  const { stream: terminal, text } = stream(true);
  const line = createProgressLine(terminal, () => nowMs);
  nowMs = 2_000;
  line.show({ ...half, files: 0, bytes: 0 });
  expect(text()).toContain('reading 0 of 6 files');
  expect(text()).not.toContain('left');
  expect(text()).not.toMatch(/NaN|Infinity/);
});
