/** A PATH that holds BusyBox and nothing else, as on a small NAS. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';

/** Makes a directory with a link for every applet; the caller removes it by {@link BusyboxPath.remove}. */
export async function makeBusyboxPath(): Promise<BusyboxPath> {
  const busybox = findBusybox();
  if (busybox === undefined) throw new Error('busybox not found');
  const directory = await mkdtemp(join(tmpdir(), 'deadair-busybox-'));
  await chmod(directory, 0o755);
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  await Promise.all(applets.map((applet) => symlink(busybox, join(directory, applet))));
  return { path: directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** Such a directory. */
export interface BusyboxPath {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Whether BusyBox is here. Where it is not, registers a skipped test that says so; with `DEADAIR_REQUIRE_REAL=1` a failing
 * one.
 */
export function requireBusybox(name: string): boolean {
  if (findBusybox() !== undefined) return true;
  const missing = 'busybox not found; install the package busybox.';
  if (process.env['DEADAIR_REQUIRE_REAL'] === '1') {
    test(`${name}: needs a real busybox`, () => {
      throw new Error(`${missing} DEADAIR_REQUIRE_REAL=1 makes that a failure.`);
    });
  } else {
    process.stderr.write(`left out: ${name}: ${missing}\n`);
    test.skip(`${name}: left out: ${missing}`, () => {});
  }
  return false;
}

function findBusybox(): string | undefined {
  return ['/usr/bin/busybox', '/bin/busybox', '/usr/local/bin/busybox', '/sbin/busybox'].find((path) =>
    existsSync(path),
  );
}
