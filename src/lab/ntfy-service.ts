/** The lab's ntfy without its socket: finds out who asks and which route it is. */

import { NtfyRefusal, refusals } from './ntfy-errors.ts';
import { isName, keepSeconds, readJsonPublication } from './ntfy-publish.ts';
import { createNtfyTopics, json, reservedTopics } from './ntfy-topics.ts';
import type { NtfyReply, NtfyRequest, NtfyTopics, NtfyTopicsOptions } from './ntfy-topics.ts';
import { authenticate } from './ntfy-users.ts';
import type { LabNtfyUser } from './ntfy-users.ts';
import { parametersOf } from './ntfy-wire.ts';

/** What the service is made of. */
export interface NtfyServiceOptions extends NtfyTopicsOptions {
  readonly users: readonly LabNtfyUser[];
}

/** Answers requests. */
export interface NtfyService {
  /** @throws NtfyRefusal */
  handle(request: NtfyRequest): NtfyReply;
  /** One round of the sender: delivers what is due. */
  tick(): void;
}

/** Makes a service over a store. */
export function createNtfyService(options: NtfyServiceOptions): NtfyService {
  const topics = createNtfyTopics(options);
  return {
    handle(request) {
      const user = authenticate(options.users, request.headers.authorization, request.query.get('auth'));
      if (request.path === '/' && isSend(request))
        return json(topics.publish(readJsonPublication(request.body), user, request));
      return ownPath(request, user, options.hasSequences) ?? topicPath(request, user, topics, options.hasSequences);
    },
    tick: topics.tick,
  };
}

/**
 * `/<topic>`, `/<topic>/json`, `/<topic>/auth`, `/<topic>/<sequence>`, `/<topic>/<sequence>/clear` and their aliases.
 */
function topicPath(
  request: NtfyRequest,
  user: LabNtfyUser | null,
  topics: NtfyTopics,
  hasSequences: boolean,
): NtfyReply {
  const [, first = '', second, third, ...more] = request.path.split('/');
  const names = first.split(',');
  if (more.length > 0 || !names.every(isName)) throw refusals.notFound;
  if (request.method === 'GET' && third === undefined) {
    if (second === 'json') return topics.subscribe(names, user, request);
    if (second === 'auth') return topics.mayRead(names, user);
  }
  if (!isName(first)) throw refusals.notFound;
  const parameters = parametersOf(request.headers, request.query);
  const publication = { topic: first, sequenceId: null, parameters, body: request.body };
  const isGetSend = request.method === 'GET' && /^(?:publish|send|trigger)$/.test(second ?? '') && third === undefined;
  if ((isSend(request) && second === undefined) || isGetSend) return json(topics.publish(publication, user, request));
  if (!hasSequences || second === undefined || !isName(second)) throw refusals.notFound;
  if (isSend(request) && third === undefined) {
    return json(topics.publish({ ...publication, sequenceId: second }, user, request));
  }
  const event = eventOf(request.method, third);
  if (event === undefined) throw refusals.notFound;
  return json(topics.tell(event, { topic: first, sequenceId: second }, user, request));
}

function isSend({ method }: NtfyRequest): boolean {
  return method === 'POST' || method === 'PUT';
}

/** Health, account, configuration and the web app's page. @returns undefined for every other path. */
function ownPath(
  { method, path }: NtfyRequest,
  user: LabNtfyUser | null,
  hasSequences: boolean,
): NtfyReply | undefined {
  if (method === 'OPTIONS' || (method === 'HEAD' && path === '/'))
    return { kind: 'whole', status: 200, type: '', body: '' };
  if (method !== 'GET') return undefined;
  if (path === '/v1/health') return json({ healthy: true });
  if (path === '/v1/account') return json(accountOf(user));
  if (path === '/v1/config' && hasSequences) {
    return json({
      base_url: '',
      app_root: '/',
      enable_login: false,
      enable_signup: false,
      disallowed_topics: reservedTopics,
    });
  }
  if (path !== '/' && !isName(path.slice(1))) return undefined;
  return {
    kind: 'whole',
    status: 200,
    type: 'text/html; charset=utf-8',
    body: '<!doctype html><title>ntfy web</title>\n',
  };
}

function accountOf(user: LabNtfyUser | null): object {
  const limits = { basis: 'ip', messages: 17_280, messages_expiry_duration: keepSeconds };
  const stats = { messages: 0, messages_remaining: 17_280 };
  if (user === null) return { username: '*', role: 'anonymous', limits, stats };
  return { username: user.name, role: user.role ?? 'user', tokens: [{ token: user.token }], limits, stats };
}

/** What `/<topic>/<sequence>/…` tells the subscribers; by GET too, as ntfy does from 2.25 on. */
function eventOf(method: string, verb: string | undefined): 'message_clear' | 'message_delete' | undefined {
  if (method === 'DELETE' && verb === undefined) return 'message_delete';
  if (method === 'GET' && verb === 'delete') return 'message_delete';
  return (method === 'PUT' || method === 'GET') && (verb === 'clear' || verb === 'read') ? 'message_clear' : undefined;
}

/** @returns what to answer for something thrown by {@link NtfyService.handle}. */
export function replyOf(thrown: unknown): Extract<NtfyReply, { kind: 'whole' }> {
  const refusal = thrown instanceof NtfyRefusal ? thrown : refusals.internal;
  return { kind: 'whole', status: refusal.status, type: 'application/json', body: refusal.body };
}
