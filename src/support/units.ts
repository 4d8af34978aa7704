/** Durations and sizes as people write them, and back. Pure: the core may import this file too. */

const durationUnitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const sizeUnitsBytes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/**
 * Reads a duration such as `90s`, `5m`, `26h`, `7d` or `1h30m`.
 *
 * @returns ms, or undefined when the text is not a duration. A bare number is none: its unit would be a guess.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    totalMs += Number(amount) * (durationUnitsMs[unit ?? ''] ?? Number.NaN);
  }
  return Number.isSafeInteger(Math.round(totalMs)) ? Math.round(totalMs) : undefined;
}

/**
 * Writes a span for a person, in the one unit that reads best and rounded down: `31h`, `12d`, `90s`. Hours go on to
 * three days, because rules about backups are written in hours.
 */
export function formatDuration(spanMs: number): string {
  const ms = Math.max(0, spanMs);
  if (ms < 1_000) return `${Math.floor(ms)}ms`;
  if (ms < 120_000) return `${Math.floor(ms / 1_000)}s`;
  if (ms < 7_200_000) return `${Math.floor(ms / 60_000)}m`;
  if (ms < 3 * 86_400_000) return `${Math.floor(ms / 3_600_000)}h`;
  return `${Math.floor(ms / 86_400_000)}d`;
}

/**
 * Reads a size such as `10GiB` or `500MB`.
 *
 * @returns bytes, or undefined when the text is not a size with a unit.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s?([KMGT]i?B|B)$/.exec(text);
  if (!match) return undefined;
  const bytes = Math.round(Number(match[1]) * (sizeUnitsBytes[match[2] ?? ''] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Writes a size for a person: `0 B`, `812 B`, `1.4 GiB`. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${index === 0 ? value : value.toFixed(1)} ${units[index]}`;
}

/** Writes a whole number for a person: `340,112`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
