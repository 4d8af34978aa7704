/** Running commands on a machine, whatever leads there. `clients/ssh.ts` is one way; tests use another. */

/** A machine that runs POSIX shell commands. */
export interface Shell {
  /** `ssh://user@host:22`. */
  readonly address: string;

  /**
   * Runs one command line under the login shell of that machine.
   *
   * The remote work ends when `signal` aborts, when the deadline passes, or when this process dies, even by SIGKILL:
   * stdin is held open for as long as we live, and the commands we send watch it (see `wrapMortal`).
   *
   * @returns how it ended, with all of stdout up to the limit. An exit status other than 0 is a result, not an error.
   * @throws WatchdogError `net/timeout`, `ssh/connection-lost` (closed without an exit status), `output/too-large`, `aborted`.
   */
  exec(command: string, options: ExecOptions): Promise<ExecResult>;
}

/** Bounds of one command. */
export interface ExecOptions {
  readonly deadlineMs: number;
  readonly maxStdoutBytes: number;
  readonly signal: AbortSignal;
  /** Receives stdout piece by piece instead of collecting it; the limit still counts. What it throws ends the command. */
  readonly onStdout?: (chunk: Uint8Array) => void;
}

/** How a command ended by itself. */
export interface ExecResult {
  /** Exit status; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Empty when `onStdout` was given. */
  readonly stdout: Uint8Array;
  /** The first `limits.stderrBytes` of it. */
  readonly stderr: string;
}
