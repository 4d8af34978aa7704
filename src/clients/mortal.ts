/**
 * Makes shell command lines that die with us: from a script, a command line for any login shell. It never runs one.
 * Over SSH without a terminal nothing else ends remote work: not our exit, not a lost connection, not a closed channel.
 */

/** Linux takes 128 KiB as one argument; the login shell is handed the whole line as one. */
const maxScriptBytes = 100 * 2 ** 10;

/**
 * Wraps a script so that it and all it started end within about a second of stdin ending. Hold stdin open for as long
 * as the work may last, and never write to it.
 *
 * The line means the same to bash, dash, zsh, fish and tcsh as login shells: they only see single-quoted words. The
 * exit status is that of the script (128 + n where a signal ended it), and its stdin is empty.
 *
 * @param script POSIX sh on one line, at most 100 KiB, without `'`, `!` (tcsh expands it even in quotes) and `\\` (fish
 * halves it). Names of files go in through {@link octal}.
 * @throws Error when the script breaks these rules: a mistake of ours, not of the world.
 */
export function wrapMortal(script: string): string {
  assertQuotable(script);
  const body = [
    // Stdin moves to descriptor 3, where only the watcher reads it.
    'exec 3<&0 </dev/null;',
    `( ${script} ) 3<&- & p=$!;`,
    `( ${watcher} ) >/dev/null 2>&1 & w=$!;`,
    'exec 3<&-;',
    'wait $p; r=$?;',
    // The watcher is inside `read`, which is part of the shell: killed, it leaves no process behind.
    '{ kill $w; wait $w; } 2>/dev/null;',
    'exit $r',
  ].join(' ');
  return `exec sh -c '${launcher}' '${body}'`;
}

/**
 * Writes bytes as escapes of three octal digits, `\057\163`, for use as the format of `printf "…"` in a script:
 * whatever the name of a file contains, no shell can misread it.
 */
export function octal(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += `\\${byte.toString(8).padStart(3, '0')}`;
  return text;
}

/**
 * Runs its `$0` as the leader of a process group, so that `-$$` is all of the work. sshd makes it one; dropbear does
 * not, and there setsid(1) does.
 */
const launcher =
  'kill -0 -$$ 2>/dev/null || { command -v setsid >/dev/null && exec setsid sh -c "$0"; }; exec sh -c "$0"';

/** Where there is no setsid(1) either, no group has our number, and the script's own process is what can be reached. */
const watcher = [
  'while read -r x <&3; do :; done;',
  'trap "" TERM;',
  'kill -TERM -$$ || kill -TERM $p;',
  'sleep 1;',
  'kill -KILL -$$ || kill -KILL $p',
].join(' ');

function assertQuotable(script: string): void {
  // oxlint-disable-next-line no-control-regex -- a NUL ends an argument early
  const forbidden = /['!\0\r\n]|\\\\/.exec(script);
  if (forbidden !== null) {
    throw new Error(`a script for wrapMortal contains ${JSON.stringify(forbidden[0])} at ${forbidden.index}`);
  }
  const sizeBytes = Buffer.byteLength(script);
  if (sizeBytes > maxScriptBytes) throw new Error(`a script for wrapMortal is ${sizeBytes} bytes, above 100 KiB`);
}
