/** Runs one command over an SSH connection, within its bounds. Never successful is a command that did not say so. */

import pRetry from 'p-retry';
import type { Client, ClientChannel } from 'ssh2';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import { formatDuration, formatSize } from '../support/units.ts';
import { wrapMortal } from './mortal.ts';
import type { ExecOptions, ExecResult } from './shell.ts';
import { connectionLost } from './ssh-errors.ts';

/** The connection as a command sees it. */
export interface SshLink {
  readonly client: Client;
  /** `user@host:port`, for messages. */
  readonly where: string;
  /** Why there is no connection any more; undefined while there is one. */
  lost(): WatchdogError | undefined;
}

/**
 * Runs a script under {@link wrapMortal} and collects what it prints. Errors are those of {@link Shell.exec}, and
 * `ssh/command-failed` where the host refuses to run commands at all.
 */
export async function runCommand(link: SshLink, script: string, options: ExecOptions): Promise<ExecResult> {
  const line = wrapMortal(script);
  const startedMs = performance.now();
  // sshd tells the end of a command before it has given its session back, so that the next one may come too early.
  return pRetry(() => tryCommand(link, line, options, performance.now() - startedMs), {
    retries: limits.sshChannelRetries,
    minTimeout: limits.sshChannelPauseMs,
    shouldRetry: ({ error }) => isChannelRefused(error),
  });
}

async function tryCommand(link: SshLink, line: string, options: ExecOptions, elapsedMs: number): Promise<ExecResult> {
  const lost = link.lost();
  if (lost !== undefined) throw lost;
  if (options.signal.aborted) throw abortedError(link.where);
  if (elapsedMs >= options.deadlineMs) throw lateError(link.where, options.deadlineMs);
  return new Promise<ExecResult>((resolve, reject) => {
    const command = new Command(link, options, elapsedMs, resolve, reject);
    try {
      link.client.exec(line, (error, channel) => command.opened(error, channel));
    } catch (error) {
      // ssh2 throws where the socket has ended and its events are still on their way.
      command.giveUp(connectionLost(link.where, 'it has just ended', error instanceof Error ? error : undefined));
    }
  });
}

class Command {
  readonly #link: SshLink;
  readonly #options: ExecOptions;
  readonly #resolve: (result: ExecResult) => void;
  readonly #reject: (error: unknown) => void;
  readonly #stdout: Uint8Array[] = [];
  readonly #stderr: Uint8Array[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => this.giveUp(abortedError(this.#link.where));
  #stdoutBytes = 0;
  #stderrBytes = 0;
  #channel: ClientChannel | undefined;
  #isSettled = false;

  constructor(
    link: SshLink,
    options: ExecOptions,
    elapsedMs: number,
    resolve: (result: ExecResult) => void,
    reject: (error: unknown) => void,
  ) {
    this.#link = link;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    // It also covers the answer to our request, which some hosts never give.
    this.#timer = setTimeout(
      () => this.giveUp(lateError(link.where, options.deadlineMs)),
      options.deadlineMs - elapsedMs,
    );
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  opened(error: Error | undefined, channel: ClientChannel): void {
    if (error !== undefined) {
      this.giveUp(this.#link.lost() ?? refused(this.#link.where, error));
      return;
    }
    this.#channel = channel;
    // A channel without readers never ends, hence these even where the command was given up in the meantime.
    channel.on('data', (chunk: Buffer) => this.#takeStdout(chunk));
    channel.stderr.on('data', (chunk: Buffer) => this.#takeStderr(chunk));
    channel.on('error', (cause: Error) => this.giveUp(connectionLost(this.#link.where, cause.message, cause)));
    channel.on('close', (code?: number | null, signal?: string) => this.#closed(code, signal));
    if (this.#isSettled) letGo(channel);
  }

  giveUp(error: unknown): void {
    if (!this.#settle()) return;
    if (this.#channel !== undefined) letGo(this.#channel);
    this.#reject(error);
  }

  #takeStdout(chunk: Buffer): void {
    if (this.#isSettled) return;
    this.#stdoutBytes += chunk.length;
    if (this.#stdoutBytes > this.#options.maxStdoutBytes) {
      this.giveUp(tooLarge(this.#link.where, this.#options.maxStdoutBytes));
      return;
    }
    if (this.#options.onStdout === undefined) {
      this.#stdout.push(chunk);
      return;
    }
    try {
      this.#options.onStdout(chunk);
    } catch (error) {
      this.giveUp(error);
    }
  }

  #takeStderr(chunk: Buffer): void {
    const room = limits.stderrBytes - this.#stderrBytes;
    if (this.#isSettled || room <= 0) return;
    // A copy, since a slice would keep the whole packet.
    this.#stderr.push(Buffer.from(chunk.subarray(0, room)));
    this.#stderrBytes += Math.min(room, chunk.length);
  }

  /**
   * ssh2 also closes channels whose connection died, with the exit status if it came first; output may be missing then.
   * Without a status there was none: the command may have done anything.
   */
  #closed(code: number | null | undefined, signal: string | undefined): void {
    const lost = this.#link.lost();
    if (lost !== undefined || code === undefined) {
      this.giveUp(lost ?? connectionLost(this.#link.where, 'the host closed the channel without an exit status'));
      return;
    }
    if (!this.#settle()) return;
    this.#resolve({
      code,
      signal: signal ?? null,
      stdout: Buffer.concat(this.#stdout),
      stderr: Buffer.concat(this.#stderr).toString('utf8'),
    });
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

/** Ends its stdin, upon which the command ends, and closes our side, so that the host stops sending. */
function letGo(channel: ClientChannel): void {
  channel.destroy();
}

/** We stopped it ourselves. */
export function abortedError(where: string): WatchdogError {
  return new WatchdogError('aborted', `${where}: stopped by ourselves`);
}

function lateError(where: string, deadlineMs: number): WatchdogError {
  return new WatchdogError('net/timeout', `${where}: the command did not end within ${formatDuration(deadlineMs)}`, {
    hint: 'look how busy the host and its disks are',
  });
}

/** The host did not even open a channel (RFC 4254 §5.1 gives a reason code): nothing was run, and it may be run again. */
function isChannelRefused(error: Error): boolean {
  const { cause } = error;
  return error instanceof WatchdogError && cause instanceof Error && 'reason' in cause;
}

function refused(where: string, cause: Error): WatchdogError {
  return new WatchdogError('ssh/command-failed', `${where}: the host refuses to run a command: ${cause.message}`, {
    hint: 'check MaxSessions and ForceCommand in its sshd_config, and the options of our key in authorized_keys',
    cause,
  });
}

function tooLarge(where: string, maxBytes: number): WatchdogError {
  return new WatchdogError('output/too-large', `${where}: the command printed more than ${formatSize(maxBytes)}`, {
    permanent: true,
  });
}
