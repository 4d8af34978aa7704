/** Requests and replies of the lab's Qdrant, before they are HTTP: what was asked, and what goes back in which dress. */

/** A request whose path was split and decoded. */
export interface LabRequest {
  readonly method: string;
  /** `[]` for `/`. Taken from the raw path, so that a collection named `..` is one. */
  readonly segments: readonly string[];
  /** The body's JSON; undefined when there was none. */
  readonly body: unknown;
  /** False for the few paths that Qdrant answers to anybody. */
  readonly needsKey: boolean;
}

/** What goes back. */
export type LabReply =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown }
  /** In Qdrant's envelope, to which the server adds the time. */
  | { readonly kind: 'enveloped'; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'text'; readonly status: number; readonly text: string }
  | { readonly kind: 'html'; readonly status: number; readonly text: string }
  /** No body at all: unknown routes, wrong methods, HEAD. */
  | { readonly kind: 'bare'; readonly status: number }
  | { readonly kind: 'file'; readonly path: string; readonly name: string };

/** A good answer. `usage` is there as in newer versions, so that a reader must tolerate keys it does not know. */
export function ok(result: unknown): LabReply {
  return { kind: 'enveloped', status: 200, body: { usage: { hardware: null }, result, status: 'ok' } };
}

/** An error in Qdrant's envelope, where the result is left out. */
export function failed(status: number, error: string): LabReply {
  return { kind: 'enveloped', status, body: { status: { error } } };
}
