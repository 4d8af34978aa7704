/** Makes the errors of the SSH client from what ssh2 and the kernel say: code, words, hint. It ends no connection. */

import { WatchdogError, type ErrorCode } from '../support/errors.ts';
import { fingerprint, type HostKeyVerdict } from './known-hosts.ts';

/** What connecting was about to do when it failed. */
export type SshPhase = 'connect' | 'handshake' | 'log in';

/** What a message about a failed connection needs. */
export interface SshContext {
  /** `user@host:port`. */
  readonly where: string;
  readonly phase: SshPhase;
  /** `our key SHA256:…` or `the agent at …`. */
  readonly identity: string;
  readonly knownHostsName: string;
  /** What known_hosts says; undefined where the host has shown no key yet. */
  readonly refusal: WatchdogError | undefined;
}

/** An error event of ssh2: `level` tells which part of it speaks. */
export type Ssh2Error = Error & { readonly level?: string; readonly code?: string | number };

/** What ended an attempt to connect. `net/*`, `ssh/handshake-failed` and a silent agent may heal by retry. */
export function explainConnectError(error: Ssh2Error, context: SshContext): WatchdogError {
  const { where, phase } = context;
  if (context.refusal !== undefined) return context.refusal;
  if (error.level === 'client-socket' && phase === 'connect') return explainSocketError(error, where);
  if (error.level === 'agent') {
    return new WatchdogError('ssh/key-unusable', `${where}: ${context.identity} does not answer: ${reasonOf(error)}`, {
      hint: 'look whether it runs and has keys: ssh-add -l',
      cause: error,
    });
  }
  if (error.level === 'client-authentication' || /Too many authentication failures/.test(error.message)) {
    return explainRefusedLogin(error, context);
  }
  if (/no matching host key format/.test(error.message)) {
    return new WatchdogError(
      'ssh/host-key-changed',
      `${where}: the host no longer has a key of the type that ${context.knownHostsName} pins`,
      { hint: changedHint(context.knownHostsName), permanent: true, cause: error },
    );
  }
  if (error.level === 'handshake') {
    const message = `${where}: we and the host found no common way to speak: ${reasonOf(error)}`;
    return new WatchdogError('ssh/handshake-failed', message, { hint: 'update sshd on the host', cause: error });
  }
  return explainHangUp(where, phase, error);
}

/** The host closed the connection before we were logged in. */
export function explainHangUp(where: string, phase: SshPhase, cause?: Error): WatchdogError {
  const why = cause === undefined ? 'it closed the connection' : reasonOf(cause);
  return new WatchdogError('ssh/handshake-failed', `${where}: the host hung up before ${afterwards[phase]}: ${why}`, {
    hint: `check that sshd listens there; it also drops addresses for a while after failed logins (${penalties})`,
    cause,
  });
}

/** The connection was up and is no more. */
export function connectionLost(where: string, why: string, cause?: Error): WatchdogError {
  return new WatchdogError('ssh/connection-lost', `${where}: the connection was lost: ${why}`, {
    hint: 'look whether the host or its sshd was restarted',
    cause,
  });
}

/** What to throw for a host key that is not known; undefined where it is. */
export function explainHostKey(
  verdict: HostKeyVerdict,
  key: Buffer,
  where: string,
  knownHostsName: string,
): WatchdogError | undefined {
  const refuse = (code: ErrorCode, message: string, hint: string): WatchdogError =>
    new WatchdogError(code, `${where}: ${message}`, { hint, permanent: true });
  const shown = fingerprint(key);
  switch (verdict.kind) {
    case 'known':
      return undefined;
    case 'unknown':
      return refuse(
        'ssh/host-key-unknown',
        `the host shows the key ${shown}, and ${knownHostsName} has no entry for it`,
        `if you trust it, add to ${knownHostsName}: ${verdict.line}`,
      );
    case 'only-ca':
      return refuse(
        'ssh/host-key-unknown',
        `${knownHostsName} has only a CA for the host, which cannot be checked here; it shows the key ${shown}`,
        `if you trust it, add to ${knownHostsName}: ${verdict.line}`,
      );
    case 'changed':
      return refuse(
        'ssh/host-key-changed',
        `the host shows the key ${shown}, and not the one in ${knownHostsName} line ${verdict.lineNumbers.join(', ')}`,
        changedHint(knownHostsName),
      );
    case 'revoked':
      return refuse(
        'ssh/host-key-revoked',
        `the host shows the key ${shown}, which ${knownHostsName} line ${verdict.lineNumber} revokes`,
        'find out who has that key; give the host a new one',
      );
  }
}

/** OpenSSH 9.8 and newer count failed logins against the address they come from. */
const penalties = 'PerSourcePenalties, MaxStartups: wait a minute';

const afterwards: Readonly<Record<SshPhase, string>> = {
  connect: 'the connection was made',
  handshake: 'it had shown its key',
  'log in': 'we were logged in',
};

function changedHint(knownHostsName: string): string {
  return `ask who changed the host; only if its new key is right, replace the old line in ${knownHostsName}`;
}

function explainRefusedLogin(error: Error, context: SshContext): WatchdogError {
  return new WatchdogError('ssh/auth-failed', `${context.where}: the host refused ${context.identity}`, {
    hint:
      "add the public key to that user's authorized_keys; sshd's log tells the reason. After failed logins it may " +
      `drop this address for a while (${penalties})`,
    permanent: true,
    cause: error,
  });
}

function explainSocketError(error: Ssh2Error, where: string): WatchdogError {
  const code = error.code === 'ETIMEDOUT' ? 'net/timeout' : 'net/unreachable';
  const hint =
    error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'
      ? 'check the name, and DNS on this host'
      : 'check that the host is up, that sshd listens on that port, and the firewall between';
  return new WatchdogError(code, `${where}: cannot connect: ${reasonOf(error)}`, { hint, cause: error });
}

/** A host with several addresses fails with an AggregateError whose message is empty. */
function reasonOf(error: Ssh2Error): string {
  return error.message === '' ? String(error.code ?? error.name) : error.message;
}
