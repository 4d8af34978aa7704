/** Progress of reading on a terminal: one line on stderr that is drawn over, and gone when it ends. */

import { formatDuration, formatSize } from '../support/units.ts';

/** How far reading has come. */
export interface ReadingProgress {
  readonly files: number;
  readonly filesTotal: number;
  readonly bytes: number;
  readonly bytesTotal: number;
}

/** A line that shows progress. */
export interface ProgressLine {
  /** Draws at most ten times a second. */
  readonly show: (progress: ReadingProgress) => void;
  /** Wipes the line. */
  end(): void;
}

/** Nothing is drawn before this, so that what is quick stays quiet. */
const quietMs = 700;
const redrawMs = 100;

/**
 * Makes a line on a stream; a silent one when that is no terminal.
 *
 * @param monotonicMs a clock for spans.
 */
export function createProgressLine(stream: NodeJS.WriteStream, monotonicMs: () => number): ProgressLine {
  if (!stream.isTTY) return { show: () => undefined, end: () => undefined };
  const startedMs = monotonicMs();
  let drawnMs = startedMs;
  let isDrawn = false;
  return {
    show: ({ files, filesTotal, bytes, bytesTotal }) => {
      const nowMs = monotonicMs();
      if (nowMs - startedMs < quietMs || nowMs - drawnMs < redrawMs) return;
      drawnMs = nowMs;
      isDrawn = true;
      const perSecond = (bytes / (nowMs - startedMs)) * 1_000;
      const left = perSecond > 0 ? ` · ${formatDuration(((bytesTotal - bytes) / perSecond) * 1_000)} left` : '';
      const size = `${formatSize(bytes)} of ${formatSize(bytesTotal)}`;
      stream.write(
        `\r\u001b[Kreading ${files} of ${filesTotal} files · ${size} · ${formatSize(Math.round(perSecond))}/s${left}`,
      );
    },
    end: () => {
      if (isDrawn) stream.write('\r\u001b[K');
    },
  };
}
