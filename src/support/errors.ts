/** Every expected failure deadair can name. Branch on the code, never on the text. */
export const errorCodes = {
  'config/invalid': 'The configuration or a rule file has mistakes; each is listed with its place.',
  'config/not-found': 'No configuration file where one was expected.',
  'secret/missing': 'A secret that the configuration names could not be read.',
  'net/unreachable': 'The address refused, reset, did not resolve, or cannot be routed to.',
  'net/timeout': 'The other side did not answer before the deadline.',
  'net/tls': 'The TLS certificate was not accepted.',
  'http/unauthorized': 'The server refused our key or token (401).',
  'http/forbidden': 'The server knows us, or nobody, and refuses (403).',
  'http/not-found': 'The server has no such thing (404).',
  'http/rate-limited': 'The server asks us to come back later (429).',
  'http/too-large': 'The server found our message too large (413).',
  'http/rejected': 'The server refused the request as wrong (another 4xx).',
  'http/server-error': 'The server failed by itself (5xx).',
  'http/not-understood': 'The answer is not what this service speaks: HTML, half a body, another shape.',
  'ssh/host-key-unknown': 'The host has no entry in known_hosts; nothing was sent to it.',
  'ssh/host-key-changed': 'The host shows another key than known_hosts has; nothing was sent to it.',
  'ssh/host-key-revoked': 'The host shows a key that known_hosts marks as revoked.',
  'ssh/handshake-failed': 'No SSH session came about: no SSH server, no algorithm in common, or it hung up on us.',
  'ssh/auth-failed': 'The host refused our key.',
  'ssh/key-unusable': 'The private key cannot be used: wrong passphrase, unsupported format, no agent.',
  'ssh/connection-lost': 'The connection ended before the command told its exit status.',
  'ssh/command-failed': 'A command on the host ended with an error.',
  'place/not-found': 'The directory does not exist.',
  'place/denied': 'The directory or file may not be read by this user.',
  'place/not-a-directory': 'There is something at that path, but no directory.',
  'place/changed': 'The file changed while it was read, so what was read proves nothing.',
  'place/read-failed': 'The file is there and may be read, but reading its bytes failed.',
  'place/incomplete': 'Part of the directory could not be listed.',
  'place/unsupported': 'The host has no tool that can list or hash.',
  'output/too-large': 'More output than the limit allows; reading was stopped.',
  'store/unusable': 'The state database cannot be opened, is foreign, or is damaged.',
  'store/full': 'The disk of the state directory is full.',
  'store/locked': 'Another deadair uses this state directory.',
  'delivery/lost': 'The server accepted a message, and does not have it.',
  aborted: 'We stopped it ourselves, because we are shutting down.',
} as const;

/** A key of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** What an operator needs to act: the parts of a {@link WatchdogError} beside its message. */
export interface ErrorDetails {
  /** One imperative sentence: what to do about it. */
  readonly hint?: string;
  /** True when trying the same again cannot help until somebody changes something. */
  readonly permanent?: boolean;
  readonly cause?: unknown;
}

/**
 * An expected failure. The message says what failed, on what, with what; the hint says what to do. It never
 * contains a secret. Impossible states are not reported this way: they throw plain errors and end the process.
 */
export class WatchdogError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly permanent: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'WatchdogError';
    this.code = code;
    this.hint = details.hint;
    this.permanent = details.permanent ?? false;
  }
}

/**
 * What an expected failure says to evidence: the `why` of `seen: false`.
 *
 * @throws whatever is no {@link WatchdogError}: a mistake in the program is no evidence about the world.
 */
export function unseenFrom(thrown: unknown): {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
} {
  if (!(thrown instanceof WatchdogError)) throw thrown;
  const { code, message, hint } = thrown;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/**
 * Turns anything that was thrown into a sentence for a log or a finding: the message, then the hint.
 *
 * @returns one line; line breaks inside become spaces.
 */
export function describeError(thrown: unknown): string {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const hint = error instanceof WatchdogError && error.hint !== undefined ? ` — ${error.hint}` : '';
  return `${error.message}${hint}`.replace(/\s*[\r\n]+\s*/g, ' ');
}
