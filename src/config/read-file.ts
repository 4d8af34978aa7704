/** Reads one YAML file of the configuration from disk. Whatever is wrong with it is a mistake with a place. */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { limits } from '../support/limits.ts';
import { readYaml, type YamlDocument } from '../support/yaml.ts';
import type { Mistake } from './mistake.ts';

/** A file read; the document is null when there is nothing to go on with. */
export interface FileReading {
  readonly document: YamlDocument | null;
  readonly mistakes: readonly Mistake[];
}

/**
 * Reads a file.
 *
 * @param path where it is.
 * @param file how the operator names it.
 */
export async function readConfigFile(path: string, file: string): Promise<FileReading> {
  const bytes = await readBounded(path);
  if (typeof bytes === 'string') {
    return { document: null, mistakes: [{ file, line: 1, column: 1, path: '', message: bytes }] };
  }
  const { document, problems } = readYaml(bytes);
  return { document, mistakes: problems.map((problem) => ({ file, path: '', ...problem })) };
}

/** @returns the bytes, or the mistake. */
async function readBounded(path: string): Promise<Uint8Array | string> {
  try {
    // O_NONBLOCK: opening a pipe nobody writes to would wait for ever.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (stats.isDirectory()) return 'expected a file, got a directory';
    if (!stats.isFile()) return 'expected a file, got something else';
    if (stats.size > limits.configFileBytes) {
      return `expected a file of at most ${limits.configFileBytes} bytes, got ${stats.size}`;
    }
    const bytes = Buffer.alloc(limits.configFileBytes + 1);
    let length = 0;
    for (let isMore = true; isMore && length < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      isMore = bytesRead > 0;
    }
    if (length > limits.configFileBytes) return `expected a file of at most ${limits.configFileBytes} bytes, got more`;
    return bytes.subarray(0, length);
  } catch (error) {
    return describeFailure((error as NodeJS.ErrnoException).code ?? 'unknown error');
  }
}

function describeFailure(code: string): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'expected a file, got none of that name';
    case 'EACCES':
    case 'EPERM':
      return 'expected a file that this user may read, got permission denied';
    default:
      return `expected a file that can be read, got ${code}`;
  }
}
