/** `deadair validate`: configuration and rule files, all mistakes at once. Opens nothing and asks nobody. */

import { formatMistake } from '../config/mistake.ts';
import { configFile, load } from './configuration.ts';

/** Runs it. @returns 0 when there is no mistake, else 3. */
export async function validateCommand(given: { readonly config?: string }): Promise<number> {
  const file = configFile(given.config);
  const loaded = await load(file);
  const { stdout, stderr } = process;
  for (const warning of loaded.warnings) stderr.write(`warning: ${formatMistake(warning)}\n`);
  if (loaded.kind === 'mistakes') {
    for (const mistake of loaded.mistakes) stdout.write(`${formatMistake(mistake)}\n`);
    return 3;
  }
  const { settings, rules } = loaded;
  const counts = [
    `${settings.sources.size} qdrant`,
    `${settings.targets.size} targets`,
    `${settings.receivers.size} receivers`,
    `${rules.length} rules`,
  ];
  stdout.write(`${file}: good (${counts.join(', ')})\n`);
  return 0;
}
