/** One deadline over several awaits, beside somebody's own signal. */

/** A signal that aborts with `outer` or when the time is over, and can tell which. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** The deadline when it has passed, else null, ms. */
  passedMs(): number | null;
}

/**
 * Starts one. Unlike `AbortSignal.timeout` it holds its timer, so that nothing collects it, and ends it when disposed of.
 */
export function startDeadline(outer: AbortSignal | undefined, deadlineMs: number): Deadline {
  const inner = new AbortController();
  let hasPassed = false;
  const onAbort = (): void => inner.abort();
  const timer = setTimeout(() => {
    hasPassed = true;
    inner.abort();
  }, deadlineMs);
  outer?.addEventListener('abort', onAbort, { once: true });
  if (outer?.aborted === true) inner.abort();
  return {
    signal: inner.signal,
    passedMs: () => (hasPassed ? deadlineMs : null),
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
    },
  };
}
