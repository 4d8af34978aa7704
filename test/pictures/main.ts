/** Makes the pictures of the README from what the program prints: `npm run pictures`. Everything on them really happened. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkTable } from '../../src/cli/table.ts';
import { playOnce } from '../../src/cli/lab.ts';
import { checkView } from '../../src/core/report/check-view.ts';
import { loadOrRefuse } from '../../src/cli/configuration.ts';
import { onTheList } from '../../src/lab/incident.ts';
import { removeLabDirectory, startLabWorld } from '../../src/lab/world.ts';
import { check } from '../../src/watchdog/check.ts';
import { createPassingMemory } from '../../src/watchdog/memory.ts';
import { terminalSvg } from './terminal-svg.ts';

const hourMs = 3_600_000;

await inLab(async (directory) => {
  const lines: string[] = [];
  await playOnce(directory, (text) => void lines.push(text));
  save('incident.svg', terminalSvg('$ npm run lab -- --once', lines.join('\n').trim()));
});

await inLab(async (directory) => {
  await using world = await startLabWorld({ directory, checkEvery: '5m' });
  const nowMs = Date.now();
  world.backup(onTheList, nowMs - 31 * hourMs);
  world.backup(
    onTheList.filter((name) => name !== 'notes'),
    nowMs - 7 * hourMs,
  );
  world.flipNewestOnNas('arxiv');
  const { setup } = await loadOrRefuse(world.configFile);
  const judgement = await check({
    setup: { ...setup, rules: setup.rules.filter(({ kind }) => kind !== 'self') },
    memory: createPassingMemory(),
    nowMs: Date.now,
    self: { troubles: [], observedAtMs: nowMs },
    signal: AbortSignal.timeout(60_000),
    cores: 1,
    onProgress: () => undefined,
  });
  await setup.close();
  const table = checkTable(checkView(setup.policy.name, Date.now(), judgement), { isColored: true, width: 110 });
  save('check.svg', terminalSvg('$ deadair check', table));
});

async function inLab(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'deadair-pictures-'));
  try {
    await use(directory);
  } finally {
    removeLabDirectory(directory);
  }
}

function save(name: string, svg: string): void {
  writeFileSync(new URL(name, import.meta.url), svg);
}
