/** What the worker threads of this host's places are asked, and what they answer. Types only, and they cross a thread. */

import type { FileView, Unseen } from '../core/model/evidence.ts';
import type { ReadResult } from './place.ts';

/** One question; a worker answers one at a time. Paths are as in {@link FileView}, the root is absolute. */
export type HereJob =
  | { readonly kind: 'list'; readonly root: string }
  | { readonly kind: 'read'; readonly root: string; readonly paths: readonly string[]; readonly maxBytesEach: number }
  | { readonly kind: 'hash'; readonly root: string; readonly file: FileView };

/** One piece of an answer. `done` and `failed` end it. */
export type HereReply =
  | { readonly kind: 'files'; readonly files: readonly FileView[] }
  | { readonly kind: 'unreadable'; readonly path: string; readonly why: Unseen }
  | { readonly kind: 'read'; readonly result: ReadResult }
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'digest'; readonly sha256: string }
  | { readonly kind: 'no-digest'; readonly why: Unseen }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: Unseen };

/** Sends one piece of an answer. */
export type Reply = (reply: HereReply) => void;
