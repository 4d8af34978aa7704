/** What a visitor of the lab can break and mend by name. */

import { rmSync } from 'node:fs';
import { labCollections, type LabWorld } from './world.ts';

/** One way to break or mend the lab's world. */
export interface LabSabotage {
  readonly name: string;
  /** What it does, for the menu. */
  readonly what: string;
  /** @throws Error when the world is not in a state for it, such as a bit to flip where no copy lies. */
  readonly play: (world: LabWorld, nowMs: number) => void | Promise<void>;
}

/** All of them; `mend` undoes what a server was told, `backup` makes fresh copies. */
export const labSabotages: readonly LabSabotage[] = [
  {
    name: 'backup',
    what: 'runs a sound backup now',
    play: (world, nowMs) => world.backup(Object.keys(labCollections), nowMs),
  },
  {
    name: 'stale',
    what: 'replaces all copies by ones of 31 hours ago',
    play: (world, nowMs) => {
      for (const target of Object.values(world.targets)) rmSync(target, { recursive: true, force: true });
      world.backup(Object.keys(labCollections), nowMs - 31 * 3_600_000);
    },
  },
  {
    name: 'new-collection',
    what: 'creates a collection that no backup knows',
    play: (world, nowMs) => world.qdrant.createCollection(`new_${nowMs}`, 7),
  },
  {
    name: 'flip-bit',
    what: 'flips a bit of arxiv on the NAS; again flips it back',
    play: (world) => world.flipNewestOnNas('arxiv'),
  },
  { name: 'empty-list', what: 'Qdrant lists no collection', play: (world) => world.qdrant.setFault('empty-list') },
  {
    name: 'shrunken-list',
    what: 'Qdrant lacks one collection',
    play: (world) => world.qdrant.setFault('shrunken-list'),
  },
  { name: 'qdrant-down', what: 'Qdrant refuses connections', play: (world) => world.qdrant.setFault('down') },
  { name: 'nas-down', what: 'the NAS refuses connections', play: (world) => world.nas.setFault('down') },
  { name: 'nas-silent', what: 'the NAS accepts and says nothing', play: (world) => world.nas.setFault('silent') },
  {
    name: 'wrong-host-key',
    what: 'the NAS shows another host key',
    play: (world) => world.nas.setFault('other-host-key'),
  },
  { name: 'ntfy-down', what: 'ntfy refuses connections', play: (world) => world.ntfy.setFault('down') },
  {
    name: 'mend',
    what: 'all servers are well again',
    play: async (world) => {
      await world.qdrant.setFault(null);
      await world.nas.setFault(null);
      world.ntfy.setFault(null);
    },
  },
];
