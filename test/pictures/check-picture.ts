/** The picture of `deadair check`: what it prints of a lab in which three things went wrong, at a time that stands still. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrRefuse } from '../../src/cli/configuration.ts';
import { checkTable } from '../../src/cli/table.ts';
import { checkView } from '../../src/core/report/check-view.ts';
import { onTheList } from '../../src/lab/incident.ts';
import { removeLabDirectory, startLabWorld } from '../../src/lab/world.ts';
import { check } from '../../src/watchdog/check.ts';
import { createPassingMemory } from '../../src/watchdog/memory.ts';
import { terminalSvg } from './terminal-svg.ts';

const hourMs = 3_600_000;
/** The morning after the incident in Phoenix, so that the picture only changes when the program does. */
const nowMs = Date.UTC(2026, 4, 26, 16, 5);

/** Breaks a lab of its own, checks it, and draws what was printed. Stops the clock of this process meanwhile. */
export async function checkPicture(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'deadair-picture-'));
  const wallClock = Date.now;
  Date.now = () => nowMs;
  try {
    await using world = await startLabWorld({ directory, checkEvery: '5m' });
    world.backup(onTheList, nowMs - 31 * hourMs);
    world.backup(
      onTheList.filter((name) => name !== 'notes'),
      nowMs - 7 * hourMs,
    );
    world.flipNewestOnNas('arxiv');
    const { setup } = await loadOrRefuse(world.configFile);
    try {
      const judgement = await check({
        setup: { ...setup, rules: setup.rules.filter(({ kind }) => kind !== 'self') },
        memory: createPassingMemory(),
        nowMs: () => nowMs,
        self: { troubles: [], observedAtMs: nowMs },
        signal: AbortSignal.timeout(60_000),
        cores: 1,
        onProgress: () => undefined,
      });
      const table = checkTable(checkView(setup.policy.name, nowMs, judgement), { isColored: true, width: 110 });
      return terminalSvg('$ deadair check', table);
    } finally {
      await setup.close();
    }
  } finally {
    Date.now = wallClock;
    removeLabDirectory(directory);
  }
}
