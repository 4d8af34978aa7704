/**
 * The commands of the lab's SSH host: real processes of `/bin/sh`, treated as sshd treats them. Like sshd it kills
 * nothing when a client goes: it closes the command's pipes.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ServerChannel } from 'ssh2';

/** All commands that run for one host. */
export class ShellProcesses {
  readonly #children = new Set<ChildProcess>();

  /** Runs a command, joins it to the channel, and tells how it ended, where `tellsExitStatus`. */
  run(channel: ServerChannel, command: string, options: { readonly tellsExitStatus: boolean }): void {
    // A session of its own, as sshd gives, so that the command leads a process group.
    const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#children.add(child);
    let isOpen = true;
    child.stdin.on('error', () => {});
    channel.pipe(child.stdin);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    channel.once('close', () => {
      isOpen = false;
      for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
    });
    child.once('exit', () => {
      this.#children.delete(child);
      if (!isOpen) killGroup(child);
    });
    child.once('close', (code, signal) => {
      if (!isOpen) return;
      if (options.tellsExitStatus) {
        if (code !== null) channel.exit(code);
        // SSH names signals without their SIG (RFC 4254 §6.10).
        else channel.exit((signal ?? 'SIGKILL').slice(3));
      }
      channel.end();
    });
  }

  /** Prints without end, as fast as the client reads, until it closes its side. */
  flood(channel: ServerChannel): void {
    const chunk = Buffer.alloc(32 * 2 ** 10, 'y\n');
    const pour = (): void => {
      while (channel.writable && channel.write(chunk));
    };
    channel.on('drain', pour);
    channel.once('end', () => channel.destroy());
    channel.resume();
    pour();
  }

  /** Kills what still runs, with all it started. */
  async close(): Promise<void> {
    const exits = [...this.#children].map((child) => once(child, 'exit'));
    for (const child of this.#children) killGroup(child);
    await Promise.all(exits);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of the group has ended.
  }
}
