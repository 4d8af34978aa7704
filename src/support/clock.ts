/** The only way the shell around the pure core learns the time or waits. Tests hand in their own. */
export interface Clock {
  /** Epoch ms, UTC; may step in either direction. */
  readonly nowMs: () => number;
  /** Ms since an arbitrary start; never steps back. Differences are spans, values mean nothing. */
  readonly monotonicMs: () => number;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
