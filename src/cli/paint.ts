/** Marks and colours of findings on a terminal. A mark is never told by its colour alone. */

import { styleText } from 'node:util';
import type { CheckFinding } from '../core/report/check-view.ts';

/** Colours a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** A style of `util.styleText`. */
export type Style = Parameters<typeof styleText>[0];

/** How a finding looks. */
export interface Mark {
  /** One column wide. */
  readonly sign: string;
  readonly word: string;
  readonly style: Style;
  /** Louder first. */
  readonly rank: number;
}

/** @returns a painter that colours, or one that does not. */
export function painter(isColored: boolean): Paint {
  return (style, text) => (isColored ? styleText(style, text, { validateStream: false }) : text);
}

/** The mark of a finding: what it is, how loud, and whether it is muted. */
export function markOf({ status, severity, mutedBy }: CheckFinding): Mark {
  if (mutedBy !== null) return { sign: '-', word: 'muted', style: 'dim', rank: 5 };
  switch (status) {
    case 'failing':
      if (severity === 'critical') return { sign: '✗', word: 'CRIT', style: ['bold', 'red'], rank: 0 };
      if (severity === 'warning') return { sign: '!', word: 'WARN', style: 'yellow', rank: 2 };
      return { sign: 'i', word: 'info', style: 'cyan', rank: 4 };
    case 'unknown':
      return { sign: '?', word: 'UNKN', style: 'magenta', rank: 1 };
    case 'unread':
      return { sign: '…', word: 'unread', style: 'cyan', rank: 3 };
    case 'ok':
      return { sign: '✓', word: 'ok', style: 'green', rank: 6 };
  }
}
