/** The topics of the lab's ntfy: who may write, read and listen; what is stored and who hears it at once. */

import type { IncomingHttpHeaders } from 'node:http';
import { refusals } from './ntfy-errors.ts';
import { keepSeconds, makeMessage, randomName } from './ntfy-publish.ts';
import type { Publication } from './ntfy-publish.ts';
import type { NtfyStore } from './ntfy-store.ts';
import { authorize } from './ntfy-users.ts';
import type { LabNtfyUser } from './ntfy-users.ts';
import { parametersOf, readFlag, readPriority, readSince } from './ntfy-wire.ts';
import type { Parameters, WireMessage } from './ntfy-wire.ts';

/** A request, read to its end. */
export interface NtfyRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  /** True: say yes and forget it. */
  readonly isLossy: boolean;
}

/** What to answer: at once, or line by line for as long as the subscriber stays. */
export type NtfyReply =
  | { readonly kind: 'whole'; readonly status: number; readonly type: string; readonly body: string }
  | {
      readonly kind: 'stream';
      /** Names of the topics with commas, for `open` and `keepalive`. */
      readonly topics: string;
      /** What the subscriber has missed. */
      readonly missed: readonly WireMessage[];
      /** Returns how to stop. */
      readonly listen: (onMessage: (message: WireMessage) => void) => () => void;
    };

/** What topics are made of. */
export interface NtfyTopicsOptions {
  readonly store: NtfyStore;
  readonly nowSeconds: () => number;
  /** False before ntfy 2.16. */
  readonly hasSequences: boolean;
  readonly hasAttachments: boolean;
  /** The server's origin, known once it listens. */
  readonly url: () => string;
}

/** All topics. Every method throws {@link NtfyRefusal}. */
export interface NtfyTopics {
  publish(publication: Publication, user: LabNtfyUser | null, request: NtfyRequest): WireMessage;
  /** Tells the subscribers that a sequence was cleared or deleted; a deletion cancels its scheduled message. */
  tell(
    event: 'message_clear' | 'message_delete',
    where: { readonly topic: string; readonly sequenceId: string },
    user: LabNtfyUser | null,
    request: NtfyRequest,
  ): WireMessage;
  subscribe(names: readonly string[], user: LabNtfyUser | null, request: NtfyRequest): NtfyReply;
  mayRead(names: readonly string[], user: LabNtfyUser | null): NtfyReply;
  /** One round of the sender: delivers what is due. */
  tick(this: void): void;
}

/** Names that ntfy keeps for its own paths. */
export const reservedTopics: readonly string[] = [
  'docs',
  'static',
  'file',
  'app',
  'metrics',
  'account',
  'settings',
  'signup',
  'login',
  'v1',
];

/** Makes the topics over a store. */
export function createNtfyTopics(options: NtfyTopicsOptions): NtfyTopics {
  const { store, nowSeconds } = options;
  const listeners = new Set<(message: WireMessage) => void>();
  const fanOut = (message: WireMessage): void => {
    for (const listener of listeners) listener(message);
  };
  return {
    publish(publication, user, { isLossy }) {
      allow([publication.topic], user, 'write');
      const now = nowSeconds();
      const { message, isKept } = makeMessage(publication, { ...options, nowSeconds: now, url: options.url() });
      if (isLossy) return message;
      const isDue = message.time <= now;
      if (isDue) fanOut(message);
      if (isKept) store.add(message, isDue);
      return message;
    },
    tell(event, { topic, sequenceId }, user, { isLossy }) {
      allow([topic], user, 'write');
      const time = nowSeconds();
      const message = { id: randomName(12), sequence_id: sequenceId, time, expires: time + keepSeconds, event, topic };
      if (isLossy) return message;
      if (event === 'message_delete') store.cancel(topic, sequenceId);
      fanOut(message);
      store.record(message);
      return message;
    },
    subscribe(names, user, request) {
      allow(names, user, 'read');
      const parameters = parametersOf(request.headers, request.query);
      const isPoll = readFlag(parameters('x-poll', 'poll', 'po'), false);
      const since = readSince(parameters('x-since', 'since', 'si'), nowSeconds(), isPoll);
      const withScheduled = readFlag(parameters('x-scheduled', 'scheduled', 'sched'), false);
      const passes = readFilter(parameters);
      const missed = names
        .flatMap((topic) => store.select(topic, since, { nowSeconds: nowSeconds(), withScheduled }))
        .filter(passes)
        .toSorted((a, b) => a.time - b.time);
      if (isPoll) return { ...json(...missed), type: 'application/x-ndjson; charset=utf-8' };
      const listen = (onMessage: (message: WireMessage) => void) => {
        const listener = (message: WireMessage): void => {
          if (names.includes(message.topic) && passes(message)) onMessage(message);
        };
        listeners.add(listener);
        return () => void listeners.delete(listener);
      };
      return { kind: 'stream', topics: names.join(','), missed, listen };
    },
    mayRead(names, user) {
      allow(names, user, 'read');
      return json({ success: true });
    },
    tick() {
      for (const message of store.takeDue(nowSeconds())) fanOut(message);
    },
  };
}

/** An answer of one JSON object a line. */
export function json(...values: readonly object[]): Extract<NtfyReply, { kind: 'whole' }> {
  const body = values.map((value) => `${JSON.stringify(value)}\n`).join('');
  return { kind: 'whole', status: 200, type: 'application/json', body };
}

function allow(topics: readonly string[], user: LabNtfyUser | null, wish: 'read' | 'write'): void {
  if (topics.some((topic) => reservedTopics.includes(topic))) throw refusals.topicDisallowed;
  for (const topic of topics) authorize(user, topic, wish);
}

/** Filters look only at messages; of several tags all must be there, of several priorities one. */
function readFilter(parameters: Parameters): (message: WireMessage) => boolean {
  const id = parameters('x-id', 'id');
  const text = parameters('x-message', 'message', 'm');
  const title = parameters('x-title', 'title', 't');
  const priorities = readList(parameters('x-priority', 'priority', 'prio', 'p')).map(readPriority);
  const tags = readList(parameters('x-tags', 'tags', 'tag', 'ta'));
  return (message) =>
    message.event !== 'message' ||
    ((id === '' || message.id === id) &&
      (text === '' || message.message === text) &&
      (title === '' || message.title === title) &&
      (priorities.length === 0 || priorities.includes(message.priority ?? 3)) &&
      tags.every((tag) => message.tags?.includes(tag) === true));
}

function readList(value: string): readonly string[] {
  return value.split(',').filter((item) => item !== '');
}
