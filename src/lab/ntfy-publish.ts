/** Publishing as ntfy does it: a request's parameters and body become a message, or a refusal. Stores nothing. */

import { randomInt } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { refusals } from './ntfy-errors.ts';
import { decodeWords, readDelay, readFlag, readPriority } from './ntfy-wire.ts';
import type { Parameters, WireMessage } from './ntfy-wire.ts';

/** A request to publish, its topic already allowed. */
export interface Publication {
  readonly topic: string;
  /** From the path; wins over the parameter. */
  readonly sequenceId: string | null;
  readonly parameters: Parameters;
  readonly body: Uint8Array;
}

/** What the server can and what time it is. */
export interface PublishContext {
  readonly nowSeconds: number;
  /** False before ntfy 2.16: sequence ids are ignored in silence. */
  readonly hasSequences: boolean;
  /** False without `attachment-cache-dir`: what is no message is refused. */
  readonly hasAttachments: boolean;
  /** Origin, for the links of attachments. */
  readonly url: string;
}

/** How long a message is kept, s: the default `cache-duration`. */
export const keepSeconds = 12 * 3_600;

/** A body of as many bytes is one too long: `message-size-limit`. */
const messageSizeLimitBytes = 4_096;

/** @throws NtfyRefusal */
export function makeMessage(
  { topic, sequenceId, parameters, body }: Publication,
  context: PublishContext,
): { readonly message: WireMessage; readonly isKept: boolean } {
  const isKept = readFlag(parameters('x-cache', 'cache'), true);
  const title = parameters('x-title', 'title', 't');
  const click = parameters('x-click', 'click');
  const isMarkdown = readFlag(parameters('x-markdown', 'markdown', 'md'), false);
  if (parameters('x-email', 'x-e-mail', 'email', 'e-mail', 'mail', 'e') !== '') throw refusals.emailDisabled;
  const priority = readPriority(parameters('x-priority', 'priority', 'prio', 'p'));
  const tagText = parameters('x-tags', 'tags', 'tag', 'ta');
  const tags = tagText
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  const time = dueTime(parameters('x-delay', 'delay', 'x-at', 'at', 'x-in', 'in'), isKept, context.nowSeconds);
  const sequence = sequenceId ?? parameters('x-sequence-id', 'sequence-id', 'x-sid', 'sid');
  if (context.hasSequences) {
    if (sequence !== '' && !isName(sequence)) throw refusals.sequenceInvalid;
    if (Buffer.byteLength(title) > 1_024) throw refusals.titleTooLong;
    if (Buffer.byteLength(tagText) > 512) throw refusals.tagsTooLong;
  }
  const id = randomName(12);
  const content = readContent(body, parameters('x-message', 'message', 'm').replaceAll('\\n', '\n'), id, context);
  return {
    isKept,
    message: {
      id,
      ...(context.hasSequences && sequence !== '' ? { sequence_id: sequence } : {}),
      time,
      ...(isKept ? { expires: time + keepSeconds } : {}),
      event: 'message',
      topic,
      ...(title === '' ? {} : { title }),
      ...content,
      ...(priority === 0 ? {} : { priority }),
      ...(tags.length === 0 ? {} : { tags }),
      ...(click === '' ? {} : { click }),
      ...(isMarkdown ? { content_type: 'text/markdown' as const } : {}),
    },
  };
}

/** `[-_A-Za-z0-9]{1,64}`: what topics and sequence ids are made of. */
export function isName(text: string): boolean {
  return /^[-_A-Za-z0-9]{1,64}$/.test(text);
}

/** Random letters and digits, as ntfy's ids are. */
export function randomName(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

const text = z.string().nullish();
const jsonPublication = z
  .object({
    topic: text,
    title: text,
    message: text,
    priority: z.int().nullish(),
    tags: z.array(z.string()).nullish(),
    click: text,
    email: text,
    cache: text,
    delay: text,
    sequence_id: text,
  })
  .nullable();

/**
 * Reads the JSON form of publishing. Unknown keys are ignored, as on a real server.
 *
 * @throws NtfyRefusal 41303 from 8,192 bytes on, 40024 for what is no JSON or has a wrong type, 40009 for a bad topic.
 */
export function readJsonPublication(body: Uint8Array): Publication {
  if (body.byteLength >= 2 * messageSizeLimitBytes) throw refusals.jsonTooLarge;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw refusals.jsonInvalid;
  }
  const result = jsonPublication.safeParse(value);
  if (!result.success) throw refusals.jsonInvalid;
  const { message, tags, priority, sequence_id, ...rest } = result.data ?? {};
  const topic = rest.topic ?? '';
  if (!isName(topic)) throw refusals.topicInvalid;
  const texts: Readonly<Record<string, string | null | undefined>> = {
    ...rest,
    priority: (priority ?? 0) === 0 ? '' : String(priority),
    tags: (tags ?? []).join(','),
    'sequence-id': sequence_id,
  };
  // A real server makes headers of the keys, so that RFC 2047 words are decoded here too.
  const read = (name: string): string => decodeWords(texts[name] ?? '').trim();
  const parameters: Parameters = (...names) => names.map(read).find((found) => found !== '') ?? '';
  return { topic, sequenceId: null, parameters, body: Buffer.from(message ?? '') };
}

function dueTime(delay: string, isKept: boolean, nowSeconds: number): number {
  if (delay === '') return nowSeconds;
  if (!isKept) throw refusals.delayNoCache;
  return readDelay(delay, nowSeconds);
}

function readContent(
  body: Uint8Array,
  parameter: string,
  id: string,
  context: PublishContext,
): Pick<WireMessage, 'message' | 'attachment'> {
  if (body.byteLength < messageSizeLimitBytes && isUtf8(body)) {
    const content = body.byteLength === 0 ? parameter : Buffer.from(body).toString('utf8').trim();
    return { message: content === '' ? 'triggered' : content };
  }
  if (!context.hasAttachments) throw refusals.attachmentsDisallowed;
  return {
    message: parameter === '' ? 'You received a file: attachment.txt' : parameter,
    attachment: {
      name: 'attachment.txt',
      type: 'text/plain; charset=utf-8',
      size: body.byteLength,
      expires: context.nowSeconds + 3 * 3_600,
      url: `${context.url}/file/${id}.txt`,
    },
  };
}
