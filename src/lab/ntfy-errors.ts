/** ntfy's refusals, as its own server words them. */

/**
 * A refusal: HTTP status, ntfy's code, its words and the page it links to. Thrown by the lab's ntfy, answered as JSON.
 */
export class NtfyRefusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly link: string | undefined;

  constructor(code: number, message: string, link?: string) {
    super(message);
    this.name = 'NtfyRefusal';
    this.status = Math.floor(code / 100);
    this.code = code;
    this.link = link === undefined ? undefined : `https://ntfy.sh/docs/${link}`;
  }

  /** The body as ntfy writes it, with its line break. */
  get body(): string {
    const link = this.link === undefined ? {} : { link: this.link };
    return `${JSON.stringify({ code: this.code, http: this.status, error: this.message, ...link })}\n`;
  }
}

/**
 * Every refusal the lab knows; the numbers are ntfy's (`server/errors.go`), and so are the words, but for 40057 and
 * 40058.
 */
export const refusals = {
  emailDisabled: new NtfyRefusal(40001, 'e-mail notifications are not enabled', 'config/#e-mail-notifications'),
  delayNoCache: new NtfyRefusal(40002, 'cannot disable cache for delayed message'),
  delayUnreadable: new NtfyRefusal(
    40004,
    'invalid delay parameter: unable to parse delay',
    'publish/#scheduled-delivery',
  ),
  delayTooSmall: new NtfyRefusal(
    40005,
    'invalid delay parameter: too small, please refer to the docs',
    'publish/#scheduled-delivery',
  ),
  delayTooLarge: new NtfyRefusal(
    40006,
    'invalid delay parameter: too large, please refer to the docs',
    'publish/#scheduled-delivery',
  ),
  priority: new NtfyRefusal(40007, 'invalid priority parameter', 'publish/#message-priority'),
  since: new NtfyRefusal(40008, 'invalid since parameter', 'subscribe/api/#fetch-cached-messages'),
  topicInvalid: new NtfyRefusal(40009, 'invalid request: topic invalid'),
  topicDisallowed: new NtfyRefusal(40010, 'invalid request: topic name is not allowed'),
  attachmentsDisallowed: new NtfyRefusal(40014, 'invalid request: attachments not allowed', 'config/#attachments'),
  jsonInvalid: new NtfyRefusal(40024, 'invalid request: request body must be valid JSON'),
  sequenceInvalid: new NtfyRefusal(40049, 'invalid request: sequence ID invalid'),
  titleTooLong: new NtfyRefusal(40057, 'invalid request: title too long'),
  tagsTooLong: new NtfyRefusal(40058, 'invalid request: tags too long'),
  unauthorized: new NtfyRefusal(40101, 'unauthorized', 'publish/#authentication'),
  forbidden: new NtfyRefusal(40301, 'forbidden', 'publish/#authentication'),
  notFound: new NtfyRefusal(40401, 'page not found'),
  attachmentTooLarge: new NtfyRefusal(
    41301,
    'attachment too large, or bandwidth limit reached',
    'publish/#limitations',
  ),
  jsonTooLarge: new NtfyRefusal(41303, 'JSON body too large'),
  tooManyRequests: new NtfyRefusal(42901, 'limit reached: too many requests', 'publish/#limitations'),
  internal: new NtfyRefusal(50001, 'internal server error'),
} as const;
