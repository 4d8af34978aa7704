/** The log: JSON lines on stderr, one event name a line, fields with units. Never a secret. */

import { type Logger, pino } from 'pino';

/** A logger; `info` for changes of state, `debug` for the rest. */
export type Log = Logger;

/**
 * Makes the log of a process.
 *
 * @param level pino's words: `silent`, `error`, `warn`, `info`, `debug`.
 */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // A second net: no code of ours logs these, and what a library adds must not either.
      redact: ['*.token', '*.password', '*.passphrase', '*.privateKey', '*.apiKey', '*.authorization'],
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
