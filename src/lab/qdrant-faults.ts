/** Sabotage of the lab's Qdrant by name: what it answers, or how it fails to, while a fault is set. */

import { failed, ok } from './qdrant-replies.ts';
import type { LabReply, LabRequest } from './qdrant-replies.ts';
import type { LabStorage } from './qdrant-storage.ts';

/** Every fault, and what it does. */
export const qdrantFaults = {
  down: 'The port refuses connections.',
  hang: 'Connections are taken, and nothing is ever answered.',
  slow: 'Every answer comes late.',
  '401': 'Every key is refused as wrong, in text.',
  '403': 'Every key is refused as not allowed, in text.',
  '500': 'Every call fails with a JSON error.',
  html: 'A proxy stands before it and says 502 in HTML.',
  'half-json': 'Every answer breaks off at half of its length.',
  'empty-list': 'The list of collections is empty.',
  'shrunken-list': 'The list of collections lacks its last one by name.',
  'count-fails': 'The first collection by name cannot be counted.',
  cluster: 'It says that it is one of three peers.',
  'cluster-forbidden': 'The key may not see /cluster, as a key of single collections may not.',
  'not-qdrant': 'Another JSON service answers on its port.',
} as const;

/** A key of {@link qdrantFaults}. */
export type QdrantFault = keyof typeof qdrantFaults;

/** How an answer gets onto the wire. */
export type Delivery = 'whole' | 'half' | 'late' | 'never';

/** How answers are delivered under a fault. `down` does not come here: nothing reaches the server then. */
export function deliveryUnder(fault: QdrantFault | null): Delivery {
  return (fault === null ? undefined : deliveries[fault]) ?? 'whole';
}

/** What a fault answers in place of Qdrant, or null where it lets Qdrant answer. */
export function answerUnder(fault: QdrantFault | null, request: LabRequest, storage: LabStorage): LabReply | null {
  return (fault === null ? undefined : sabotage[fault])?.(request, storage) ?? null;
}

const deliveries: Partial<Record<QdrantFault, Delivery>> = { hang: 'never', slow: 'late', 'half-json': 'half' };

const sabotage: Partial<Record<QdrantFault, (request: LabRequest, storage: LabStorage) => LabReply | null>> = {
  '401': ({ needsKey }) => (needsKey ? { kind: 'text', status: 401, text: 'Invalid API key or JWT' } : null),
  '403': ({ needsKey }) => (needsKey ? { kind: 'text', status: 403, text: 'InvalidToken: ExpiredSignature' } : null),
  '500': () => failed(500, 'Service internal error: the lab was told to fail'),
  html: () => ({ kind: 'html', status: 502, text: proxyPage }),
  'empty-list': (request) => (isGetOf(request, 'collections') ? ok({ collections: [] }) : null),
  'shrunken-list': (request, storage) => {
    const left = storage.names().slice(0, -1);
    return isGetOf(request, 'collections') ? ok({ collections: left.map((name) => ({ name })) }) : null;
  },
  'count-fails': ({ segments: [, collection, ...rest] }, storage) => {
    const isCount = rest.join('/') === 'points/count' && collection === storage.names()[0];
    return isCount ? failed(500, 'Service internal error: 1 of 1 read operations failed') : null;
  },
  cluster: (request, storage) => (isGetOf(request, 'cluster') ? ok(threePeers(storage.peerId)) : null),
  'cluster-forbidden': (request) =>
    isGetOf(request, 'cluster') ? failed(403, 'Forbidden: Global access is required') : null,
  'not-qdrant': (request) =>
    isGetOf(request, '')
      ? { kind: 'json', status: 200, body: { name: 'search', version: { number: '8.1.0' } } }
      : { kind: 'json', status: 404, body: { error: 'no such route' } },
};

function isGetOf(request: LabRequest, path: string): boolean {
  return request.method === 'GET' && request.segments.join('/') === path;
}

const proxyPage = [
  '<html>',
  '<head><title>502 Bad Gateway</title></head>',
  '<body>',
  '<center><h1>502 Bad Gateway</h1></center>',
  '<hr><center>nginx</center>',
  '</body>',
  '</html>',
  '',
].join('\r\n');

function threePeers(peerId: number): unknown {
  const ids = [peerId, peerId + 1, peerId + 2];
  return {
    status: 'enabled',
    peer_id: peerId,
    // These are addresses between peers, on their own port; the REST port is nowhere told.
    peers: Object.fromEntries(ids.map((id, index) => [id, { uri: `http://qdrant-${index}:6335/` }])),
    raft_info: { term: 3, commit: 42, pending_operations: 0, leader: peerId, role: 'Leader', is_voter: true },
    consensus_thread_status: { consensus_thread_status: 'working', last_update: '2026-11-22T20:00:00.000000Z' },
    message_send_failures: {},
  };
}
