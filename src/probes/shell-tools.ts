/** What another host has to hash with: its fastest SHA-256, priorities, timeout, form of file records. Made from one command. */

import { randomBytes } from 'node:crypto';
import type { ExecResult, Shell } from '../clients/shell.ts';
import { WatchdogError } from '../support/errors.ts';
import { limits } from '../support/limits.ts';
import type { RecordForm } from './records.ts';

/** A program that prints SHA-256 as 64 hexadecimal digits at the start of a line. */
export interface Hasher {
  /** What evidence calls it. */
  readonly name: string;
  /** Without arguments it hashes stdin. */
  readonly command: string;
  /** True when it takes names too and then prints `DIGEST *name` or `DIGEST  name` for each. */
  readonly takesNames: boolean;
}

/** The tools of one host. */
export interface HostTools {
  readonly hasher: Hasher;
  readonly form: RecordForm;
  /** Put before a command to give everything else on that host the right of way; `''` where the host cannot. */
  readonly idlePrefix: string;
  /** Put before `SECONDS COMMAND` to end it when it hangs; null where the host cannot. */
  readonly timeoutPrefix: string | null;
}

/**
 * In this order: OpenSSL uses the CPU's SHA instructions wherever it runs; GNU sha256sum and Python do where they are linked
 * with it; BusyBox and Perl are five times slower (measured, Debian 12).
 */
const hashers: readonly Hasher[] = [
  { name: 'openssl', command: 'openssl dgst -sha256 -r', takesNames: true },
  { name: 'sha256sum', command: 'sha256sum', takesNames: true },
  {
    name: 'python3',
    command:
      'python3 -c "import hashlib,sys;h=hashlib.sha256();' +
      '[h.update(b) for b in iter(lambda:sys.stdin.buffer.read(1048576),bytes())];print(h.hexdigest())"',
    takesNames: false,
  },
  { name: 'busybox', command: 'busybox sha256sum', takesNames: true },
  { name: 'shasum', command: 'shasum -a 256', takesNames: true },
  { name: 'sha256', command: 'sha256 -q', takesNames: false },
];

/** Sets `$k` to the {@link RecordForm} of this host, or `none`. GNU's `stat -f` means something else, so it is asked last. */
export const chooseForm = [
  'if find . -maxdepth 0 -printf x >/dev/null 2>&1; then k=gnu',
  'elif stat -c %s . >/dev/null 2>&1; then k=stat',
  'elif stat -f %z . >/dev/null 2>&1; then k=bsd',
  'else k=none; fi',
].join('; ');

const digestOfNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** GNU's moves its child to another process group unless told not to, where killing ours would miss it. BusyBox's does not. */
const timeouts = ['timeout --foreground -k 5', 'timeout -k 5'] as const;

/**
 * Asks the host what it has. A hasher counts only when it knows the digest of nothing.
 *
 * @throws WatchdogError `place/unsupported` when nothing there can hash or list, and whatever the shell throws.
 */
export async function findTools(shell: Shell, signal: AbortSignal): Promise<HostTools> {
  const nonce = randomBytes(12).toString('hex');
  const result = await shell.exec(toolsScript(nonce), {
    deadlineMs: limits.connectMs,
    maxStdoutBytes: limits.stderrBytes,
    signal,
  });
  const answer = new RegExp(`\\n${nonce} (\\w+) (\\w+) (\\d) (\\d) (\\w+)\\n`).exec(
    Buffer.from(result.stdout).toString('latin1'),
  );
  if (answer === null) throw notUnderstood(shell, result);
  const [, form, hasherName, hasNice, hasIonice, timeout] = answer;
  const hasher = hashers.find(({ name }) => name === hasherName);
  if (hasher === undefined || (form !== 'gnu' && form !== 'stat' && form !== 'bsd')) {
    const what = hasher === undefined ? 'hash with SHA-256' : 'list files (find with -printf, or stat)';
    throw new WatchdogError('place/unsupported', `${shell.address} has no tool that can ${what}`, {
      hint: `install one of ${hashers.map(({ name }) => name).join(', ')}, and findutils or coreutils`,
      permanent: true,
    });
  }
  return {
    hasher,
    form,
    idlePrefix: [hasNice === '1' ? 'nice -n 19' : '', hasIonice === '1' ? 'ionice -c3' : ''].join(' ').trim(),
    timeoutPrefix: timeout === 'gnu' ? timeouts[0] : timeout === 'plain' ? timeouts[1] : null,
  };
}

function toolsScript(nonce: string): string {
  const tries = hashers.map(
    ({ name, command }) =>
      `[ "$(${command} </dev/null 2>/dev/null | cut -c1-64)" = ${digestOfNothing} ]; then h=${name}`,
  );
  return [
    `LC_ALL=C; export LC_ALL; cd /; ${chooseForm}`,
    `if ${tries.join('; elif ')}; else h=none; fi`,
    `n=0; if ${works('nice -n 19 true')}; then n=1; fi`,
    `i=0; if ${works('ionice -c3 true')}; then i=1; fi`,
    `if ${works(`${timeouts[0]} 9 true`)}; then t=gnu; elif ${works(`${timeouts[1]} 9 true`)}; then t=plain; else t=none; fi`,
    `printf "\\n${nonce} %s %s %d %d %s\\n" $k $h $n $i $t`,
  ].join('; ');
}

function works(command: string): string {
  return `${command} >/dev/null 2>&1`;
}

function notUnderstood(shell: Shell, result: ExecResult): WatchdogError {
  const said = result.stderr.trim().split('\n')[0] ?? '';
  return new WatchdogError(
    'ssh/command-failed',
    `${shell.address} did not answer what tools it has${said === '' ? '' : `: ${said.slice(0, 200)}`}`,
    { hint: 'the login must give a POSIX shell: look for a forced command or an SFTP-only account' },
  );
}
