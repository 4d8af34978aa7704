/** A try that failed, and whom the failure is about: that decides who has to wait for how long. */

import { describeError, WatchdogError, type ErrorCode } from '../support/errors.ts';

/**
 * `transient`: the network or the moment. `credentials`: us, until an operator has mended it. `message`: this message,
 * while another may fare better.
 */
export type FailureKind = 'transient' | 'credentials' | 'message';

const messageCodes: ReadonlySet<ErrorCode> = new Set(['http/too-large', 'http/rejected', 'http/not-found']);
const credentialCodes: ReadonlySet<ErrorCode> = new Set(['http/unauthorized', 'http/forbidden']);

/**
 * Wraps whatever a receiver threw. p-retry gives up on a TypeError at once, holding it to be a bug; wrapped, it is a
 * failure like any other, since a bug in a receiver must not end its deliveries either.
 */
export class FailedAttempt extends Error {
  readonly kind: FailureKind;
  /** A code of `support/errors.ts`, or `unexpected`. */
  readonly code: string;

  constructor(cause: unknown) {
    super(describeError(cause), { cause });
    this.name = 'FailedAttempt';
    this.kind = kindOf(cause);
    this.code = cause instanceof WatchdogError ? cause.code : 'unexpected';
  }
}

/** A permanent error that does not tell is held to be about us: then nothing is passed over, and it is tried again. */
function kindOf(error: unknown): FailureKind {
  if (!(error instanceof WatchdogError)) return 'transient';
  if (credentialCodes.has(error.code)) return 'credentials';
  if (!error.permanent) return 'transient';
  return messageCodes.has(error.code) ? 'message' : 'credentials';
}
