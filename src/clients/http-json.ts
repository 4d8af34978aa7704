/** Reads the JSON of an answer by a schema. Made from an answer; it never takes what it does not understand for good. */

import type { z } from 'zod';
import { WatchdogError } from '../support/errors.ts';
import type { HttpAnswer } from './http.ts';

/**
 * Reads JSON; unknown keys are ignored.
 *
 * @param text all of the answer, or a line of it.
 * @throws WatchdogError `http/not-understood`; a retry may help.
 */
export function readJson<T>(answer: HttpAnswer, schema: z.ZodType<T>, text = answer.text): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw notUnderstood(answer, /^\s*</.test(text) ? 'HTML instead of JSON' : 'not the JSON of one whole answer');
  }
  const checked = schema.safeParse(json);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.map(String).join('.');
  throw notUnderstood(answer, `not the expected shape (${answer.quote(place)}: ${issue?.message ?? 'invalid'})`);
}

/** An answer that the service cannot have given: a proxy's page, a captive portal's, another service's. */
export function notUnderstood(answer: HttpAnswer, trouble: string): WatchdogError {
  return new WatchdogError('http/not-understood', `${answer.what}: ${trouble}: ${answer.quote(answer.text)}`, {
    hint: `Check that the url leads to ${answer.service}, and what stands between`,
  });
}
