// The files that the server serves: the test pages, and the package as it is published.

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { temporaryFolder } from "./folder.mjs";

/** A folder with a copy of all of it, so that a build meanwhile cannot change what is tested. */
export async function assembleSite(pages = "tests/e2e/site") {
  const folder = await temporaryFolder();
  await cp(fileURLToPath(new URL(pages, PROJECT)), folder.path, { recursive: true });
  await cp(PACKAGE, join(folder.path, "everfresh"), { recursive: true });
  return folder;
}

const PROJECT = new URL("../../../", import.meta.url);
const PACKAGE = process.env.E2E_PACKAGE ?? fileURLToPath(new URL("pkg/dist", PROJECT));
