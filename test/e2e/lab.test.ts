/** The lab: the incident as a play that cannot pass without being heard, and the world to break by hand. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { playOnce } from '../../src/cli/lab.ts';
import { type IncidentFault, incidentFaultNames, incidentFaults, incidentSteps } from '../../src/lab/incident.ts';
import { temporaryDirectory } from '../support/copies.ts';
import { deadair, startDeadair } from '../support/process.ts';
import { patience } from '../support/run.ts';

/** Without a terminal there is no colour to match around. */
async function play(options: Parameters<typeof playOnce>[2]): Promise<{ code: number; text: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'deadair-play-'));
  let text = '';
  try {
    const code = await playOnce(directory, (line) => (text += `${line}\n`), options);
    return { code, text: stripVTControlCharacters(text) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('the incident, with one of its faults doing nothing', () => {
  test('is made of the faults that are taken away here, each played once', () => {
    expect(incidentSteps.flatMap(({ does }) => does).toSorted()).toEqual(incidentFaultNames.toSorted());
  });

  // Side by side, since each of them spends its time waiting for what will not be heard.
  test.concurrent.each(incidentFaultNames)('fails at its step without %s', async (name: IncidentFault) => {
    const { code, text } = await play({
      faults: { ...incidentFaults, [name]: () => undefined },
      patienceMs: 15_000,
    });
    const at = incidentSteps.findIndex(({ does }) => does.includes(name));
    const marks = text.split('\n').flatMap((line) => /^([✓✗]) (.*)/.exec(line)?.slice(1, 3).join(' ') ?? []);
    expect(marks).toEqual(
      incidentSteps.slice(0, at + 1).map(({ title }, index) => `${index === at ? '✗' : '✓'} ${title}`),
    );
    expect(text).toContain('not heard: ');
    expect(text).toContain('Not every step was heard');
    expect(code).toBe(1);
  });
});

describe('deadair lab --once', () => {
  test('shows what the phone showed, exits 0, leaves nothing, and is disturbed by no other one beside it', async () => {
    const directories = [temporaryDirectory(), temporaryDirectory()];
    const runs = directories.map((TMPDIR) => deadair(['lab', '--once'], { env: { TMPDIR } }));
    for (const [index, { code, stdout, stderr }] of (await Promise.all(runs)).entries()) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const at = (text: RegExp): number => stdout.search(text);
      const order = [
        /CRIT claude_canon: no proven backup anywhere/,
        /OK claude_canon: coverage recovered/,
        /CRIT arxiv.*: bytes changed/,
        /OK arxiv.*: integrity recovered/,
        /Every step was heard/,
      ].map(at);
      expect(order).not.toContain(-1);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(stdout).not.toContain('\u001b');
      expect(readdirSync(directories[index]!)).toEqual([]);
    }
  });
});

describe('deadair lab', () => {
  test('tells where to look, shows what is heard of a sabotage, and ends on SIGTERM with 0 and nothing left', async () => {
    const TMPDIR = temporaryDirectory();
    const lab = startDeadair(['lab'], { env: { TMPDIR } });
    onTestFinished(() => lab[Symbol.asyncDispose]());
    const shows = (text: RegExp): Promise<void> => vi.waitFor(() => expect(lab.stdout()).toMatch(text), patience);
    await shows(/configuration +\S+deadair\.yaml[\s\S]*flip-bit/);
    const configFile = /configuration +(\S+)/.exec(lab.stdout())?.[1] ?? '';
    expect((await deadair(['check', '--config', configFile])).code).toBe(0);
    lab.say('flip-bit');
    await shows(/CRIT arxiv on nas: bytes changed/);
    expect((await deadair(['check', '--config', configFile])).code).toBe(2);
    lab.say('make-coffee');
    await shows(/no sabotage "make-coffee"/);
    lab.say('flip-bit');
    await shows(/OK arxiv on nas: integrity recovered/);
    expect(readdirSync(TMPDIR)).toHaveLength(1);
    expect((await lab.end('SIGTERM')).code).toBe(0);
    expect(readdirSync(TMPDIR)).toEqual([]);
    expect(lab.stderr()).toBe('');
  });

  test('goes on in a directory it was given, and ends when told to quit', async () => {
    const directory = temporaryDirectory();
    for (let round = 0; round < 2; round += 1) {
      const lab = startDeadair(['lab', '--directory', directory]);
      onTestFinished(() => lab[Symbol.asyncDispose]());
      await vi.waitFor(() => expect(lab.stdout()).toContain('The lab runs'), patience);
      lab.say('quit');
      expect((await lab.ended).code).toBe(0);
      expect(readdirSync(directory)).toContain('etc');
    }
  });
});
