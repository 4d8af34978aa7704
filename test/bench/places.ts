/** Benches of listing and hashing, against what a user would otherwise run on the same bytes. */

import { availableParallelism } from 'node:os';
import type { Place } from '../../src/probes/place.ts';
import { openPlaceHere } from '../../src/probes/place-here.ts';
import { openPlaceOverShell } from '../../src/probes/place-shell.ts';
import { createManifestCache, probeTarget } from '../../src/probes/target.ts';
import { type BenchGround, openBenchGround } from './bench-ground.ts';
import { type Contest, runContests } from './table.ts';

const { signal } = new AbortController();
const cores = availableParallelism();

/** Hashing over sshd and here, all cores. */
export async function benchHashing(): Promise<boolean> {
  await using ground = await openBenchGround();
  const { root, bytes } = ground.large;
  const pipeline = (hasher: string): string => `find ${root} -type f -print0 | xargs -0 -n1 -P${cores} ${hasher}`;
  const overSsh = { name: 'hash 64 x 64 MiB over sshd', ours: () => hashOverSsh(ground), bytes };
  const here = { name: 'hash 64 x 64 MiB here', ours: () => hashHere(ground), bytes };
  const openssl = pipeline('openssl dgst -sha256');
  return await runContests([
    {
      ...overSsh,
      theirs: () => ground.ssh(openssl),
      against: `ssh … xargs -P${cores} openssl dgst -sha256`,
      atMost: 1 / 0.9,
    },
    {
      ...overSsh,
      theirs: () => ground.ssh(pipeline('sha256sum')),
      against: `ssh … xargs -P${cores} sha256sum`,
      atMost: 1 / 3,
    },
    { ...here, theirs: () => ground.sh(openssl), against: `xargs -P${cores} openssl dgst -sha256`, atMost: 1 / 0.9 },
  ]);
}

/** A pass over 100,000 files in which nothing changed, the connection included. */
export async function benchListing(): Promise<boolean> {
  await using ground = await openBenchGround();
  const { root } = ground.many;
  const find = String.raw`find ${root} -printf '%y\0%s\0%T@\0%C@\0%i\0%P\0'`;
  const contests: readonly Contest[] = [
    {
      name: 'look at 100,000 files over sshd',
      ours: () => lookOverSsh(ground),
      theirs: () => ground.ssh(find),
      against: 'ssh HOST find -printf',
      atMost: 1.3,
    },
    {
      name: 'look at 100,000 files here',
      ours: () => look(openPlaceHere(root), ground),
      theirs: () => ground.sh(find),
      against: 'find -printf',
      // The design names no target for it; a look every five minutes may take a few seconds.
      atMost: 10,
    },
  ];
  return await runContests(contests);
}

async function hashOverSsh(ground: BenchGround): Promise<void> {
  await using connection = await ground.connect();
  await hashAll(openPlaceOverShell(connection, ground.large.root));
}

async function hashHere(ground: BenchGround): Promise<void> {
  await hashAll(openPlaceHere(ground.large.root));
}

async function hashAll(place: Place): Promise<void> {
  const evidence = await place.list(signal);
  if (!evidence.seen) throw new Error(evidence.why.message);
  let digests = 0;
  const onOutcome: Parameters<Place['hash']>[1]['onOutcome'] = (_, { kind }) => {
    if (kind === 'digest') digests += 1;
  };
  await place.hash(evidence.value.files, { cores, idle: false, signal, onOutcome });
  await place.close();
  if (digests !== evidence.value.files.length) throw new Error(`only ${digests} digests`);
}

async function lookOverSsh(ground: BenchGround): Promise<void> {
  await using connection = await ground.connect();
  await look(openPlaceOverShell(connection, ground.many.root), ground);
}

async function look(place: Place, { many }: BenchGround): Promise<void> {
  const evidence = await probeTarget(place, { signal, nowMs: () => 0, cache: createManifestCache() });
  await place.close();
  if (!evidence.seen) throw new Error(evidence.why.message);
  const found = evidence.value.listing.files.length;
  if (found !== many.count) throw new Error(`${found} files instead of ${many.count}`);
}
