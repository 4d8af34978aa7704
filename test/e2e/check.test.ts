/** `deadair check` with a configuration as a process, against the lab's Qdrant and a real sshd. */

import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flipBit } from '../../src/lab/backup.ts';
import { type CheckView, viewOf } from '../support/check-view.ts';
import { hourMs } from '../support/copies.ts';
import { type Estate, estateCollections, makeEstate } from '../support/estate.ts';
import { deadair, type Ended } from '../support/process.ts';
import { describeWithSshd, type Sshd, startSshd } from '../support/sshd.ts';

function of(view: CheckView, rule: string, subject: string, target: string | null): CheckView['findings'][number] {
  const found = view.findings.filter(
    (each) => each.rule === rule && each.subject === subject && each.target === target,
  );
  if (found.length !== 1) throw new Error(`${found.length} findings ${rule} ${subject} ${target}`);
  return found[0]!;
}

/** Rule, subject and target of all that is not ok. */
function troubles(view: CheckView): readonly string[] {
  return view.findings
    .filter(({ status }) => status !== 'ok')
    .map(({ rule, subject, target, status }) => `${status} ${rule} ${subject}${target === null ? '' : ` ${target}`}`);
}

describeWithSshd('deadair check', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(async () => sshd.stop());

  async function checked(estate: Estate): Promise<Ended & { readonly view: CheckView }> {
    const ended = await deadair(['check', '--config', estate.configFile, '--json']);
    return { ...ended, view: viewOf(ended) };
  }

  describe('of a good world', () => {
    test('exits 0, proves every collection on both targets, and reads nothing again the second time', async () => {
      const estate = await makeEstate(sshd);
      const first = await checked(estate);
      expect({ code: first.code, troubles: troubles(first.view) }).toEqual({ code: 0, troubles: [] });
      expect(first.view).toMatchObject({ watchdog: 'phx-ai02', verdict: 'ok' });
      for (const name of Object.keys(estateCollections)) {
        for (const target of ['here', 'nas']) {
          const { summary } = of(first.view, 'freshness', `phx-ai01/${name}`, target);
          expect(summary).toMatch(/^newest proven snapshot is 60m old, allowed 26h$/);
        }
        expect(of(first.view, 'coverage', `phx-ai01/${name}`, null).summary).toBe('proven on 2 of 2 targets, wanted 2');
      }
      const readings = estate.readings();
      expect(readings.size).toBe(6);

      const second = await checked(estate);
      expect(second.code).toBe(0);
      expect(estate.readings()).toEqual(readings);
    });

    test('delivers nothing and changes no alert', async () => {
      const estate = await makeEstate(sshd);
      estate.wipe();
      expect((await checked(estate)).code).toBe(2);
      expect(estate.ntfy.messages('backups')).toEqual([]);
      expect(estate.ntfy.requests().filter((request) => !request.startsWith('GET '))).toEqual([]);
    });

    test('reads again a file that was written to, though its size and its date stayed', async () => {
      const estate = await makeEstate(sshd);
      await checked(estate);
      const file = estate.newest('nas', 'arxiv');
      const { atime, mtime } = statSync(file);
      flipBit(file);
      utimesSync(file, atime, mtime);
      const { code, view } = await checked(estate);
      expect(code).toBe(2);
      expect(of(view, 'integrity', 'phx-ai01/arxiv', 'nas')).toMatchObject({ status: 'failing', reason: 'mismatch' });
    });
  });

  describe('of a world in which something is wrong', () => {
    test('a collection that was never copied: 2, and the sentence says where it is missing', async () => {
      const estate = await makeEstate(sshd);
      estate.qdrant.createCollection('claude_canon', 340_112);
      const { code, view } = await checked(estate);
      expect(code).toBe(2);
      const coverage = of(view, 'coverage', 'phx-ai01/claude_canon', null);
      expect(coverage).toMatchObject({ status: 'failing', severity: 'critical' });
      expect(coverage.summary).toBe(
        'proven on 0 of 2 targets, wanted 2. here: no snapshot; nas: no snapshot. Live with 340,112 points',
      );
      expect(coverage.todo).toContain("look at the backup's collection list");
      expect(troubles(view).every((each) => each.includes('claude_canon'))).toBe(true);
      const { stdout } = await deadair(['check', '--config', estate.configFile]);
      expect(stdout).toMatch(/^CRITICAL /);
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain('here: no snapshot; nas: no snapshot. Live with 340,112 points');
    });

    test('a backup that stopped: 2, with its age and what is allowed', async () => {
      const estate = await makeEstate(sshd);
      estate.wipe();
      estate.backup({ ageMs: 31 * hourMs });
      const { code, view } = await checked(estate);
      expect(code).toBe(2);
      const stale = of(view, 'freshness', 'phx-ai01/arxiv', 'nas');
      expect(stale).toMatchObject({ status: 'failing', reason: 'stale', severity: 'critical' });
      expect(stale.summary).toBe('newest proven snapshot is 31h old, allowed 26h');
      // The copies themselves are intact and there.
      expect(of(view, 'integrity', 'phx-ai01/arxiv', 'nas').status).toBe('ok');
      expect(of(view, 'coverage', 'phx-ai01/arxiv', null).status).toBe('ok');
    });

    test.each(['here', 'nas'] as const)('a flipped bit on %s: 2, naming file and manifest', async (target) => {
      const estate = await makeEstate(sshd);
      flipBit(estate.newest(target, 'code'));
      const { code, view } = await checked(estate);
      expect(code).toBe(2);
      const rotten = of(view, 'integrity', 'phx-ai01/code', target);
      expect(rotten).toMatchObject({ status: 'failing', reason: 'mismatch', severity: 'critical' });
      expect(rotten.summary).toMatch(/code-\d+-[\d-]+\.snapshot reads [0-9a-f]{4}…, \w+\/SHA256SUMS says [0-9a-f]{4}…/);
      expect(rotten.todo).toContain('delete nothing');
      expect(of(view, 'integrity', 'phx-ai01/code', target === 'nas' ? 'here' : 'nas').status).toBe('ok');
      expect(of(view, 'coverage', 'phx-ai01/code', null)).toMatchObject({
        status: 'failing',
        summary: expect.stringContaining(`${target}: only broken snapshots`),
      });
    });

    test('a truncated copy and one without bytes: 2', async () => {
      const estate = await makeEstate(sshd);
      truncateSync(estate.newest('nas', 'code'), 1_000);
      truncateSync(estate.newest('nas', 'arxiv'));
      const { code, view } = await checked(estate);
      expect(code).toBe(2);
      expect(of(view, 'integrity', 'phx-ai01/code', 'nas').status).toBe('failing');
      expect(of(view, 'integrity', 'phx-ai01/arxiv', 'nas').summary).toContain('has no bytes');
    });

    test('a list that shrank since the last look: 2, for the collection that vanished', async () => {
      const estate = await makeEstate(sshd);
      await checked(estate);
      await estate.qdrant.setFault('shrunken-list');
      const { code, view } = await checked(estate);
      expect(code).toBe(2);
      const vanished = of(view, 'coverage', 'phx-ai01/notes', null);
      expect(vanished).toMatchObject({ status: 'failing', reason: 'vanished', severity: 'critical' });
      expect(vanished.summary).toMatch(/^phx-ai01 listed it with 930 points until .* ago and no longer does$/);
    });

    test('an empty list: 2, at first sight as well', async () => {
      const estate = await makeEstate(sshd);
      await estate.qdrant.setFault('empty-list');
      const { code, view } = await checked(estate);
      expect(code).toBe(2);
      expect(of(view, 'coverage', 'source/phx-ai01', null)).toMatchObject({
        status: 'failing',
        reason: 'empty-list',
        severity: 'critical',
      });
    });
  });

  describe('of a world that cannot be looked at', () => {
    test('Qdrant does not answer: 3, with its address; the copies are still judged', async () => {
      const estate = await makeEstate(sshd);
      await checked(estate);
      await estate.qdrant.setFault('down');
      const { code, view } = await checked(estate);
      expect({ code, verdict: view.verdict }).toEqual({ code: 3, verdict: 'unknown' });
      expect(of(view, 'reachable', 'source/phx-ai01', null).summary).toContain(String(estate.qdrant.port));
      expect(of(view, 'coverage', 'source/phx-ai01', null).summary).toContain(
        'cannot list the collections of phx-ai01',
      );
      // Remembered collections are judged on, though nobody can say whether they still live.
      expect(of(view, 'freshness', 'phx-ai01/arxiv', 'nas').status).toBe('ok');
    });

    test('Qdrant does not answer at the very first look: 3, not an empty and therefore good world', async () => {
      const estate = await makeEstate(sshd);
      await estate.qdrant.setFault('down');
      expect((await checked(estate)).code).toBe(3);
    });

    test('the key is refused: 3, and the key stays out of every word', async () => {
      const estate = await makeEstate(sshd);
      writeFileSync(join(estate.directory, 'etc', 'api-key'), 'wrong-secret');
      const { code, view, stdout, stderr } = await checked(estate);
      expect(code).toBe(3);
      expect(of(view, 'reachable', 'source/phx-ai01', null).summary).toMatch(/401|refused/);
      expect(stdout + stderr).not.toContain('wrong-secret');
    });

    test('nobody listens on the host: 3, told as one cause, and nothing on it is called stale', async () => {
      const estate = await makeEstate(sshd);
      estate.configure({ sshPort: 9, knownHosts: sshd.knownHostsLine.replace(/:\d+\]?/, ':9') });
      const { code, view } = await checked(estate);
      expect({ code, verdict: view.verdict }).toEqual({ code: 3, verdict: 'unknown' });
      expect(of(view, 'reachable', 'host/nas', null)).toMatchObject({ status: 'unknown', reason: 'cannot-look' });
      expect(of(view, 'freshness', 'phx-ai01/arxiv', 'nas')).toMatchObject({
        status: 'unknown',
        reason: 'cannot-look',
      });
      expect(of(view, 'freshness', 'phx-ai01/arxiv', 'here').status).toBe('ok');
      expect(view.findings.some(({ status }) => status === 'failing')).toBe(false);
    });

    test('the host is in no known_hosts: 3, with the line to add', async () => {
      const estate = await makeEstate(sshd);
      estate.configure({ knownHosts: '' });
      const { code, view } = await checked(estate);
      expect(code).toBe(3);
      const { summary, todo } = of(view, 'reachable', 'host/nas', null);
      expect(`${summary} ${todo}`).toContain(sshd.knownHostsLine);
    });

    test('the host shows another key than known_hosts has: 3, and it is called changed', async () => {
      const estate = await makeEstate(sshd);
      const [, , clientKey = ''] = /^(\S+) (\S+)/.exec(readFileSync(`${sshd.clientKeyPath}.pub`, 'utf8')) ?? [];
      estate.configure({ knownHosts: `[${sshd.host}]:${sshd.port} ssh-ed25519 ${clientKey}` });
      const { code, view } = await checked(estate);
      expect(code).toBe(3);
      const { summary, todo } = of(view, 'reachable', 'host/nas', null);
      expect(`${summary} ${todo}`).toMatch(/another|other|changed/i);
      expect(`${summary} ${todo}`).toContain('known_hosts line 1');
    });

    test('the path is not there on the host, or the disk is not mounted: 3 and 2', async () => {
      const estate = await makeEstate(sshd);
      rmSync(estate.targets.nas, { recursive: true });
      const gone = await checked(estate);
      expect(gone.code).toBe(3);
      expect(of(gone.view, 'reachable', 'target/nas', null).summary).toMatch(
        /no such file or directory|does not exist/i,
      );
      // The host itself is well.
      expect(of(gone.view, 'reachable', 'host/nas', null).status).toBe('ok');

      const other = await makeEstate(sshd);
      rmSync(other.targets.nas, { recursive: true });
      mkdirSync(other.targets.nas);
      expect((await checked(other)).code).toBe(2);
    });

    test('the phone cannot be reached: 3, since nobody would hear of anything', async () => {
      const estate = await makeEstate(sshd);
      estate.ntfy.setFault('down');
      const { code, view } = await checked(estate);
      expect(code).toBe(3);
      expect(troubles(view)).toEqual(['unknown reachable receiver/phone']);
    });
  });

  describe('with a broken configuration', () => {
    test('exits 3, tells every mistake at its place, and looks at nothing', async () => {
      const estate = await makeEstate(sshd);
      estate.configure({
        rules:
          'protect: phx-ai01\ntargets: [here, nowhere]\nrules:\n  - { rule: freshness, max_age: 26 }\n  - { rule: nonsense }\n',
      });
      const { code, stdout, stderr } = await deadair(['check', '--config', estate.configFile]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toMatch(/rules\.yaml:2:\d+ targets\[1\]: expected/);
      expect(stderr).toMatch(/rules\.yaml:4:\d+ rules\[0\]\.max_age: expected/);
      expect(stderr).toMatch(/rules\.yaml:5:\d+ rules\[1\]\.rule: expected/);
      expect(stderr).toMatch(/deadair: .* has 3 mistakes/);
      expect(estate.ntfy.requests()).toEqual([]);
    });

    test('exits 3 when there is none, or a secret is missing, and says where it looked', async () => {
      const none = await deadair(['check', '--config', '/nowhere/deadair.yaml']);
      expect(none.code).toBe(3);
      expect(none.stderr).toContain('/nowhere/deadair.yaml');

      const estate = await makeEstate(sshd);
      rmSync(join(estate.directory, 'etc', 'api-key'));
      const missing = await deadair(['check', '--config', estate.configFile]);
      expect(missing.code).toBe(3);
      expect(missing.stderr).toMatch(/api.key/);
    });
  });
});
