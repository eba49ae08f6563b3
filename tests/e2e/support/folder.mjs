// Temporary folders.

import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onLeaving } from "./leaving.mjs";

/** Makes a folder that is gone after `remove`, or when the process ends. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "everfresh-e2e-"));
  const remove = () => rmSync(path, { recursive: true, force: true });
  const forget = onLeaving(remove);
  return {
    path,
    remove: () => {
      forget();
      remove();
    },
  };
}
