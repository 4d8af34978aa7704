/** Starts the real `node src/main.ts` as a process of its own, as an operator or systemd does. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How a command ended, and all that it said. */
export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and as whom to run. */
export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to an environment that has no more than `PATH`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that runs. Killed at the end of an `await using` block. */
export interface DeadairProcess extends AsyncDisposable {
  readonly pid: number;
  /** All of stdout so far. */
  stdout(): string;
  /** All of stderr so far. */
  stderr(): string;
  /** Events of its log so far: the values of `event` in the JSON lines on stderr. */
  events(): readonly string[];
  /** Writes a line to its stdin. */
  say(line: string): void;
  signal(name: NodeJS.Signals): void;
  /** Sends a signal, and waits until the process has ended and its output is complete. */
  end(name?: NodeJS.Signals): Promise<Ended>;
  readonly ended: Promise<Ended>;
}

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts `deadair ARGS…`. */
export function startDeadair(args: readonly string[], { cwd, env }: ProcessOptions = {}): DeadairProcess {
  const child = spawn(process.execPath, [mainFile, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  // What it leaves unread when it ends is no matter.
  child.stdin.on('error', () => undefined);
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
  }
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    return { code: (code as number | null) ?? (signal as NodeJS.Signals), ...texts };
  });
  const end = async (name: NodeJS.Signals = 'SIGTERM'): Promise<Ended> => {
    child.kill(name);
    return ended;
  };
  return {
    pid: child.pid ?? 0,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    events: () => [...texts.stderr.matchAll(/"event":"([^"]+)"/g)].map(([, event]) => event ?? ''),
    say: (line) => void child.stdin.write(`${line}\n`),
    signal: (name) => void child.kill(name),
    end,
    ended,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

/** Runs `deadair ARGS…` to its end. */
export async function deadair(args: readonly string[], options: ProcessOptions = {}): Promise<Ended> {
  await using running = startDeadair(args, options);
  return await running.ended;
}
