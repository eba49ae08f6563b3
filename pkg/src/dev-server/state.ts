// What outlives a restart: the key, the users and the sessions, in one file of the project.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

import type { SessionRow } from "../service/rotation.ts";
import type { ServiceUser } from "../service/token-service.ts";

import { newKey } from "./signer.ts";

/** What is kept. */
export interface State {
  readonly key: object;
  readonly users: Record<string, ServiceUser>;
  readonly sessions: SessionRow[];
}

/** Where it is kept by default: below `node_modules`, which is not committed. */
export function defaultPlace(): string {
  const modules = join(process.cwd(), "node_modules");
  const folder = existsSync(modules) ? join(modules, ".cache") : tmpdir();
  return join(folder, "everfresh-dev-server.json");
}

/** What was kept, or what a new server begins with. */
export function load(place: string | undefined, users: Record<string, ServiceUser>): State {
  const fresh = { key: newKey(), users, sessions: [] };
  if (!place || !existsSync(place)) return fresh;
  try {
    const kept = JSON.parse(readFileSync(place, "utf8")) as State;
    // The users of the command line and the file are newer than those that were kept.
    return { ...kept, users: { ...kept.users, ...users } };
  } catch {
    return fresh;
  }
}

/** Keeps it, readable by its owner only. */
export function save(place: string | undefined, state: State): void {
  if (!place) return;
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, JSON.stringify(state), { mode: 0o600 });
}
