// Programs that a driver runs. They end with the tests, however those end.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";

import { onLeaving } from "./leaving.mjs";
import { within } from "./waiting.mjs";

/** Starts a program in a process group of its own, so that all it starts in turn ends with it. */
export function run(path, flags, env = {}) {
  const child = spawn(path, flags, {
    ...{ detached: true, stdio: ["ignore", "pipe", "pipe"] },
    env: { ...process.env, ...env },
  });
  const end = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  const forget = onLeaving(end);
  const warden = guard(child.pid);
  let said = "";
  const gone = new Promise((resolve, reject) => {
    child.once("error", ({ message }) => {
      reject(new Error(`${path} cannot be started: ${message}`));
    });
    child.once("exit", (code, signal) => {
      reject(new Error(`${path} has ended (${signal ?? code}): ${said.slice(-2_000)}`));
    });
  });
  gone.catch(() => {});
  const looking = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      said += text;
      for (const look of looking) look();
    });
  }
  const line = (pattern) =>
    new Promise((resolve) => {
      const look = () => {
        const found = pattern.exec(stripVTControlCharacters(said));
        if (found) resolve(found);
      };
      looking.add(look);
      look();
    });
  return {
    /** The leader of its group. */
    pid: child.pid,
    /** Waits until it has said something, whether in colours or not. */
    says: (pattern) => within(`what ${path} says`, Promise.race([line(pattern), gone])),
    /** Ends it at once, with all that it started. */
    kill: async () => {
      const running = child.pid && child.exitCode === null && child.signalCode === null;
      const exit = running ? once(child, "exit") : undefined;
      end();
      await within(`the end of ${path}, process ${child.pid}`, exit);
      forget();
      warden.kill();
    },
  };
}

/** Ends the group even if this process is killed: that closes the pipe that the warden reads. */
function guard(group) {
  const warden = spawn("sh", ["-c", 'read -r _; kill -s KILL -- "-$0"', String(group)], {
    ...{ detached: true, stdio: ["pipe", "ignore", "ignore"] },
  });
  warden.unref();
  warden.stdin.unref();
  return warden;
}
