/** Makes the pictures of the README from what the program prints: `npm run pictures`. Everything on them really happened. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playOnce } from '../../src/cli/lab.ts';
import { removeLabDirectory } from '../../src/lab/world.ts';
import { checkPicture } from './check-picture.ts';
import { terminalSvg } from './terminal-svg.ts';

const directory = mkdtempSync(join(tmpdir(), 'deadair-picture-'));
try {
  const lines: string[] = [];
  const code = await playOnce(directory, (text) => void lines.push(text));
  if (code !== 0) throw new Error(`the incident was not heard:\n${lines.join('\n')}`);
  save('incident.svg', terminalSvg('$ npm run lab -- --once', lines.join('\n').trim()));
} finally {
  removeLabDirectory(directory);
}
save('check.svg', await checkPicture());

function save(name: string, svg: string): void {
  writeFileSync(new URL(name, import.meta.url), svg);
}
