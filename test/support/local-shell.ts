/** A shell on this machine, so that what speaks over a shell can be tested without SSH. It ends its work as sshd would not. */

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { wrapMortal } from '../../src/clients/mortal.ts';
import type { ExecOptions, ExecResult, Shell } from '../../src/clients/shell.ts';
import { WatchdogError } from '../../src/support/errors.ts';
import { limits } from '../../src/support/limits.ts';

/** How the shell of a test differs from the plain one. */
export interface LocalShellOptions {
  /** The only PATH that commands get. */
  readonly path?: string;
  /** Runs as this user and group; needs root. */
  readonly uid?: number;
  /** Changes what comes back, to play a broken transport. */
  readonly tamper?: (chunk: Uint8Array) => Uint8Array;
  /** Called before each command. */
  readonly onExec?: (script: string) => void;
}

/** Makes a shell that starts `sh -c` for each command, as the leader of a process group, as sshd does. */
export function localShell(options: LocalShellOptions = {}): Shell {
  return { address: 'local:', exec: (script, bounds) => run(script, bounds, options) };
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

async function run(script: string, bounds: ExecOptions, options: LocalShellOptions): Promise<ExecResult> {
  options.onExec?.(script);
  const child = spawn('sh', ['-c', wrapMortal(script)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PATH: options.path ?? process.env['PATH'] },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  // Stdin is never written to; it breaks when the command ends first.
  child.stdin.on('error', () => {});
  const stopped = Promise.withResolvers<never>();
  const stop = (error: unknown): void => {
    child.stdin.destroy();
    stopped.reject(error);
  };
  const timer = setTimeout(() => stop(new WatchdogError('net/timeout', 'command not done in time')), bounds.deadlineMs);
  const onAbort = (): void => stop(new WatchdogError('aborted', 'stopped by us'));
  bounds.signal.addEventListener('abort', onAbort, { once: true });
  if (bounds.signal.aborted) onAbort();
  try {
    return await Promise.race([collect(child, bounds, options, stop), stopped.promise]);
  } finally {
    clearTimeout(timer);
    bounds.signal.removeEventListener('abort', onAbort);
    child.stdin.destroy();
  }
}

async function collect(
  child: Child,
  bounds: ExecOptions,
  options: LocalShellOptions,
  stop: (error: unknown) => void,
): Promise<ExecResult> {
  const stdout: Uint8Array[] = [];
  let stdoutBytes = 0;
  let stderr = '';
  child.stdout.on('data', (original: Uint8Array) => {
    const chunk = options.tamper?.(original) ?? original;
    stdoutBytes += chunk.length;
    if (stdoutBytes > bounds.maxStdoutBytes) stop(new WatchdogError('output/too-large', 'more output than allowed'));
    else if (bounds.onStdout === undefined) stdout.push(chunk);
    else {
      try {
        bounds.onStdout(chunk);
      } catch (thrown) {
        stop(thrown);
      }
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(0, limits.stderrBytes);
  });
  const { promise, resolve, reject } = Promise.withResolvers<ExecResult>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve({ code, signal, stdout: Buffer.concat(stdout), stderr }));
  return await promise;
}
