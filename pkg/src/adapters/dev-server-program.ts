#!/usr/bin/env node
import process from "node:process";

import { run } from "../dev-server/program.ts";

try {
  await run();
} catch (error) {
  console.error(`everfresh-dev-server: ${(error as Error).message}; --help tells more`);
  process.exit(1);
}
