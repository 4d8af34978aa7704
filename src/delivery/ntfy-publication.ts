/** How a message looks on a phone: makes an ntfy publication of it. Pure. */

import type { NtfyPublication } from '../clients/ntfy.ts';
import type { Message } from '../core/model/alert.ts';
import { limits } from '../support/limits.ts';

/** Makes of a message what the phone shows: title and body cut to size, priority and tags by kind and severity. */
export function publicationOf(message: Message): Omit<NtfyPublication, 'topic'> {
  return {
    title: cutToBytes(message.title.replace(/\s+/g, ' '), limits.titleBytes),
    body: cutToBytes(message.body, limits.messageBytes),
    priority: message.priority ?? defaultPriority(message),
    // ntfy makes an emoji of the first and lists the second, which is what `deadair ack` wants to be told.
    tags: [emojiTag(message), message.groupId],
    sequenceId: message.sequenceId,
  };
}

function defaultPriority({ kind, severity }: Message): number {
  if (kind === 'alert') return { critical: 5, warning: 4, info: 3 }[severity];
  // Good news about less than a critical alert makes no sound; a withdrawal is no good news.
  return kind === 'recovered' && severity !== 'critical' ? 2 : 3;
}

function emojiTag({ kind, severity }: Message): string {
  switch (kind) {
    case 'recovered':
      return 'white_check_mark';
    case 'withdrawn':
      return 'information_source';
    case 'alert':
      return { critical: 'rotating_light', warning: 'warning', info: 'information_source' }[severity];
  }
}

/** Cuts between characters and marks the cut; the mark counts. */
function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const mark = '…';
  let room = maxBytes - Buffer.byteLength(mark);
  let end = 0;
  for (const character of text) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    end += character.length;
  }
  return text.slice(0, end).trimEnd() + mark;
}
