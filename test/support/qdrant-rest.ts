/** A Qdrant's REST API in the raw, reading and writing, for tests that look at bytes and headers. */

import { Agent } from 'undici';

/** An answer with nothing interpreted. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly bytes: Buffer;
  /** @throws SyntaxError when the body is no JSON. */
  json(): unknown;
}

/** What to send beside method and path. */
export interface RawRequest {
  /** Sent as JSON, or as it stands where it is a string. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** False leaves the key out. */
  readonly withKey?: boolean;
}

/** Speaks to one Qdrant. */
export interface RawQdrant extends AsyncDisposable {
  /** The path is sent as it stands. */
  send(method: string, path: string, request?: RawRequest): Promise<RawAnswer>;
}

/** Opens it. */
export function openRawQdrant(url: string, apiKey?: string): RawQdrant {
  const agent = new Agent();
  return {
    async send(method, path, { body, headers = {}, withKey = true } = {}) {
      const answer = await agent.request({
        origin: new URL(url).origin,
        path,
        method,
        headers: {
          ...(apiKey === undefined || !withKey ? {} : { 'api-key': apiKey }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
        signal: AbortSignal.timeout(50_000),
      });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      return {
        status: answer.statusCode,
        headers: answer.headers,
        bytes,
        json: () => JSON.parse(bytes.toString('utf8')) as unknown,
      };
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

/** A snapshot as Qdrant lists it. */
export interface ListedSnapshot {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 in hex. */
  readonly checksum: string;
  /** UTC, without a Z. */
  readonly creation_time: string;
}

/** Lists the snapshots of a collection; none where it is not there. */
export async function listSnapshots(raw: RawQdrant, collection: string): Promise<readonly ListedSnapshot[]> {
  const answer = await raw.send('GET', `/collections/${encodeURIComponent(collection)}/snapshots`);
  return answer.status === 200 ? (answer.json() as { result: ListedSnapshot[] }).result : [];
}
