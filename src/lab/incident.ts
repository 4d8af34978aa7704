/**
 * The incident of 2026-05-25 as a play: what is done to the world, and what the phone must then show. A step that is not
 * seen in time fails the play; so a fault that does nothing cannot pass unnoticed.
 */

import { labCollections, type LabWorld, type PhoneMessage } from './world.ts';

/** What can be done to the world, by name. */
export type IncidentFaults = Readonly<Record<IncidentFault, (world: LabWorld, nowMs: number) => void>>;

/** Everything the play does. A test replaces each by nothing, and expects the play to fail. */
export const incidentFaultNames = [
  'stopped-backup',
  'forgotten-collection',
  'repair',
  'flipped-bit',
  'copied-back',
] as const;

/** One of {@link incidentFaultNames}. */
export type IncidentFault = (typeof incidentFaultNames)[number];

const hourMs = 3_600_000;
/** The last run of the stopped backup lies this far back; the rules allow 26 h. */
const stoppedForMs = 31 * hourMs;
const forgotten = 'claude_canon';
/** The backup's list, and what the world begins with. */
export const onTheList: readonly string[] = Object.keys(labCollections).filter((name) => name !== forgotten);

/** What happens when nobody replaces it. */
export const incidentFaults: IncidentFaults = {
  // The timer was disabled after this run; its `Result=success` stays green for ever.
  'stopped-backup': (world, nowMs) => world.backup(onTheList, nowMs - stoppedForMs),
  // Live in Qdrant, on no list of the backup.
  'forgotten-collection': (world) => world.qdrant.createCollection(forgotten, labCollections[forgotten] ?? 1),
  repair: (world, nowMs) => world.backup(Object.keys(labCollections), nowMs - 60_000),
  'flipped-bit': (world) => world.flipNewestOnNas('arxiv'),
  'copied-back': (world) => world.flipNewestOnNas('arxiv'),
};

/** A step: what is done, and what must be heard after it. */
export interface IncidentStep {
  readonly title: string;
  readonly does: readonly IncidentFault[];
  /** Each must be matched by a message that came after the step began. */
  readonly hears: readonly { readonly what: string; readonly isIn: (message: PhoneMessage) => boolean }[];
}

const says = (what: string, title: RegExp, body: RegExp = /(?:)/): IncidentStep['hears'][number] => ({
  what,
  isIn: (message) => title.test(message.title) && body.test(message.body),
});

/** The play. Nothing has happened before it but that the world stands, with four of its five collections. */
export const incidentSteps: readonly IncidentStep[] = [
  {
    title: 'The backup stopped 31 hours ago, and one collection was never on its list',
    does: ['stopped-backup', 'forgotten-collection'],
    hears: [
      says('that collections are stale', /^CRIT .*not fresh/, /31h old, allowed 26h/),
      says('that claude_canon is nowhere', /^CRIT claude_canon: no proven backup anywhere/),
    ],
  },
  {
    title: 'The list is mended and the backup runs',
    does: ['repair'],
    hears: [
      says('that all are fresh again', /^OK .*freshness recovered/),
      says('that claude_canon is covered', /^OK claude_canon: coverage recovered/),
    ],
  },
  {
    title: 'A bit flips in a copy on the NAS',
    does: ['flipped-bit'],
    hears: [says('that bytes changed', /^CRIT arxiv.*bytes changed/, /SHA256SUMS says/)],
  },
  {
    title: 'The copy is brought back',
    does: ['copied-back'],
    hears: [says('that it is intact again', /^OK arxiv.*integrity recovered/)],
  },
];

/** What became of a step. */
export interface StepReport {
  readonly step: IncidentStep;
  readonly heard: readonly PhoneMessage[];
  /** What was not heard in time; empty when the step was seen. */
  readonly unheard: readonly string[];
}

/** How to play. */
export interface PlayOptions {
  readonly world: LabWorld;
  readonly faults?: IncidentFaults;
  /** Starts the watchdog; called once, after the faults of the first step. */
  readonly startWatchdog: () => Promise<void>;
  /** How long a step may take to be heard, ms. */
  readonly patienceMs: number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
  readonly onStep: (report: StepReport) => void;
}

/** Plays all steps. @returns true only when everything was heard. */
export async function playIncident(options: PlayOptions): Promise<boolean> {
  const { world, faults = incidentFaults, nowMs } = options;
  let isAllHeard = true;
  for (const [index, step] of incidentSteps.entries()) {
    const before = world.phone().length;
    for (const fault of step.does) faults[fault](world, nowMs());
    // The first step is what the watchdog finds when it is installed.
    if (index === 0) await options.startWatchdog();
    const report = await listen(step, before, options);
    options.onStep(report);
    isAllHeard &&= report.unheard.length === 0;
    if (!isAllHeard) break;
  }
  return isAllHeard;
}

async function listen(step: IncidentStep, before: number, options: PlayOptions): Promise<StepReport> {
  const untilMs = options.nowMs() + options.patienceMs;
  for (;;) {
    const heard = options.world.phone().slice(before);
    const unheard = step.hears.filter(({ isIn }) => !heard.some(isIn)).map(({ what }) => what);
    if (unheard.length === 0 || options.nowMs() >= untilMs) return { step, heard, unheard };
    await options.sleep(50);
  }
}
