#!/usr/bin/env node
/** argv → command → exit code. The only place that ends the process. */

import { runCli } from './cli/cli.ts';

process.exitCode = await runCli(process.argv.slice(2));
// What a library left open must not keep a finished command alive.
process.exit();
