#!/usr/bin/env node
/** argv → command → exit code. The only place that ends the process. */

import { runCli } from './cli/cli.ts';

try {
  process.exitCode = await runCli(process.argv.slice(2));
} catch (error) {
  // A mistake of ours: nothing was judged, which a monitor must not read as a mere warning (1).
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 3;
}
// What a library left open must not keep a finished command alive.
process.exit();
