/** Gathering: one look at every source, host, target and receiver → the world of a pass. Never throws for what the world does. */

import { filesToProve } from '../core/findings/due.ts';
import { catalogue } from '../core/findings/snapshots.ts';
import type { Evidence, Unseen } from '../core/model/evidence.ts';
import type { HostWorld, ReceiverWorld, SelfWorld, SourceWorld, TargetWorld, World } from '../core/model/world.ts';
import { probeSource } from '../probes/qdrant.ts';
import type { Place } from '../probes/place.ts';
import { probeTarget } from '../probes/target.ts';
import { unseenFrom } from '../support/errors.ts';
import { type HostSession, openHostSession } from './hosts.ts';
import type { Memory } from './memory.ts';
import type { Setup, TargetSetup } from './setup.ts';

/** How to look. */
export interface GatherOptions {
  readonly signal: AbortSignal;
  /** Epoch ms. */
  readonly nowMs: () => number;
  readonly self: SelfWorld;
}

/** The world of one pass, and the connections it was seen through, still open. */
export interface Look extends AsyncDisposable {
  readonly world: World;
  /** By target name; a target that could not be reached has none. */
  readonly places: ReadonlyMap<string, Place>;
}

/**
 * Looks at everything side by side, over one connection a host, and remembers what was seen for the first time.
 *
 * @throws WatchdogError what the memory throws when it cannot write; nothing is then left open. A retry may help.
 */
export async function gather(setup: Setup, memory: Memory, options: GatherOptions): Promise<Look> {
  const session = openHostSession(setup.hosts, options.signal);
  const places = new Map<string, Place>();
  const close = async (): Promise<void> => {
    await Promise.all([...places.values()].map((place) => place.close()));
    await session.close();
  };
  const looks = [
    Promise.all([...setup.sources].map(([name, client]) => lookAtSource(name, client, memory, options))),
    Promise.all(setup.targets.map((target) => lookAtTarget(target, session, places, memory, options))),
    Promise.all([...setup.hosts.keys()].map((name) => lookAtHost(name, setup, session, options))),
    Promise.all([...setup.receivers].map(([name, receiver]) => lookAtReceiver(name, receiver, options))),
  ] as const;
  try {
    const [sources, targets, hosts, receivers] = await Promise.all(looks);
    return {
      world: { sources, targets, hosts, receivers, self: options.self },
      places,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    // The others are still looking: what they open would otherwise stay open.
    await Promise.allSettled(looks);
    await close();
    throw error;
  }
}

async function lookAtSource(
  name: string,
  client: Parameters<typeof probeSource>[0],
  memory: Memory,
  options: GatherOptions,
): Promise<SourceWorld> {
  const evidence = await probeSource(client, options);
  if (evidence.seen) {
    const collections = evidence.value.collections.map((collection) => ({
      name: collection.name,
      points: collection.points.seen ? collection.points.count : null,
    }));
    memory.inventory.recordSight(client.address, collections, evidence.observedAtMs);
  }
  return { name, evidence, remembered: memory.inventory.remembered(client.address) };
}

async function lookAtTarget(
  target: TargetSetup,
  session: HostSession,
  places: Map<string, Place>,
  memory: Memory,
  options: GatherOptions,
): Promise<TargetWorld> {
  const { name, host, machine, layout } = target;
  const unseen = { name, host, machine, catalogue: null, reading: () => undefined, backlogBytes: 0 };
  const observedAtMs = options.nowMs();
  let place: Place;
  try {
    place = await target.openPlace(session);
  } catch (error) {
    return { ...unseen, evidence: { seen: false, address: target.address, observedAtMs, why: unseenFrom(error) } };
  }
  places.set(name, place);
  const evidence = await probeTarget(place, { ...options, cache: target.manifestCache });
  const seen = catalogue(evidence, layout);
  if (seen === null) return { ...unseen, evidence };
  const files = filesToProve(seen);
  const { ledger } = memory;
  const isBacklog = !ledger.isAddressKnown(place.address);
  ledger.recordSeen(place.address, files, { isBacklog, atMs: evidence.observedAtMs });
  const { reading } = ledger.load(place.address);
  const backlogBytes = files.reduce((sum, file) => (reading(file)?.isBacklog === true ? sum + file.sizeBytes : sum), 0);
  return { name, host, machine, evidence, catalogue: seen, reading, backlogBytes };
}

async function lookAtHost(
  name: string,
  setup: Setup,
  session: HostSession,
  options: GatherOptions,
): Promise<HostWorld> {
  const observedAtMs = options.nowMs();
  const address = setup.hosts.get(name)?.address ?? name;
  try {
    await session.connection(name);
    return { name, evidence: { seen: true, address, observedAtMs, value: {} } };
  } catch (error) {
    return { name, evidence: { seen: false, address, observedAtMs, why: unseenFrom(error) } };
  }
}

async function lookAtReceiver(
  name: string,
  receiver: { look(signal: AbortSignal): Promise<ReceiverWorld['evidence']> },
  options: GatherOptions,
): Promise<ReceiverWorld> {
  const observedAtMs = options.nowMs();
  try {
    // A receiver dates what it saw by the machine's clock; ours never steps back.
    return { name, evidence: { ...(await receiver.look(options.signal)), observedAtMs } };
  } catch (error) {
    const why: Unseen = unseenFrom(error);
    const evidence: Evidence<never> = { seen: false, address: `receiver:${name}`, observedAtMs, why };
    return { name, evidence };
  }
}
