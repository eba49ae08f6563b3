// The server as a process of its own, and its switchboard.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { temporaryFolder } from "./folder.mjs";
import { onLeaving } from "./leaving.mjs";
import { within } from "./waiting.mjs";

/** A server that runs on loopback, at the same addresses after a restart. */
export class Server {
  /** What it said on standard error. */
  log = "";
  #data;
  #flags;
  #child;
  #forget;

  /**
   * @param site - the folder to serve
   * @param options - `accessTtl` of its tokens; `sqlite` to outlive its process;
   *   `cookie` for refresh tokens that no script sees; `origins` of pages beside its own
   */
  static async start(site, { accessTtl = "300s", sqlite = false, cookie = false, origins = [] } = {}) {
    const server = new Server();
    const data = await temporaryFolder();
    server.#data = data;
    server.#flags = [
      ...["--store", sqlite ? `sqlite:${join(data.path, "everfresh.db")}` : "memory:"],
      ...["--data", data.path, "--serve", site, "--user", "demo:demo"],
      ...["--access-ttl", accessTtl, `--cookie=${cookie}`],
      ...origins.flatMap((origin) => ["--allow-origin", origin]),
    ];
    try {
      await server.#spawn("127.0.0.1:0", "127.0.0.1:0");
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Ends it at once, as a crash would. */
  async kill() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await within("the server's end", exited);
    this.#forget();
  }

  /** Starts it again after `kill`, on the same data. */
  async restart() {
    await this.#spawn(new URL(this.url).host, new URL(this.control).host);
  }

  /** Ends it and removes its data. */
  async stop() {
    await this.kill();
    this.#data.remove();
  }

  /** Moves its clock ahead. */
  async advance(seconds) {
    await this.#command("POST", "/clock", { advance_seconds: seconds });
  }

  /** Something that goes wrong with the next requests to a route, such as `POST /oauth/token`. */
  async fault(route, kind, more = {}) {
    await this.#command("POST", "/faults", { route, kind, ...more });
  }

  /** Takes all faults back. */
  async noFaults() {
    await this.#command("DELETE", "/faults");
  }

  /** Makes a user. */
  async addUser(username, password) {
    await this.#command("POST", "/users", { username, password });
  }

  /** What it knows of a session. */
  async session(sid) {
    const { sessions } = await this.#command("GET", "/sessions");
    return sessions.find((session) => session.sid === sid);
  }

  /** Counts from here on: the returned function tells what there was since. */
  async count() {
    const before = await this.#counters();
    return async () => {
      const now = await this.#counters();
      return {
        /** How often each route was called. */
        requests: difference(now.requests, before.requests),
        /** How often each route gave each status. */
        answers: difference(now.answers, before.answers),
        /** How often each rule of the rotation decided. */
        refreshes: difference(now.refreshes, before.refreshes),
      };
    };
  }

  /** A request from outside of the browser. */
  async ask(method, path, { token, form } = {}) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: token ? { Authorization: `Bearer ${token}` } : {},
      body: form && new URLSearchParams(form),
    });
    return { status: response.status, body: await response.json() };
  }

  async #spawn(listen, control) {
    const flags = [...this.#flags, "--listen", listen, "--control", control];
    // The settings of whoever runs the tests are not the server's.
    const child = spawn(BINARY, flags, { env: {}, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#forget = onLeaving(() => child.kill("SIGKILL"));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.log += text;
    });
    [this.url, this.control] = await within("the server's start", this.#addresses(child));
  }

  #addresses(child) {
    return new Promise((resolve, reject) => {
      let said = "";
      child.once("error", reject);
      child.once("exit", (code) => {
        reject(new Error(`the server ended with ${code}: ${this.log}`));
      });
      child.stdout.setEncoding("utf8").on("data", (text) => {
        said += text;
        const found = /listening on (\S+)\n[^]*control on (\S+)\n/.exec(said);
        if (found) resolve(found.slice(1));
      });
    });
  }

  async #counters() {
    const { routes, responses, refreshes } = await this.#command("GET", "/stats");
    return { requests: routes, answers: responses, refreshes };
  }

  async #command(method, path, body) {
    const response = await fetch(`${this.control}${path}`, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}

/** What grew and by how much; the site's own files are left out. */
function difference(now, before) {
  const grown = {};
  for (const [name, count] of Object.entries(now)) {
    const more = count - (before[name] ?? 0);
    if (more > 0 && !name.includes("(other)")) grown[name] = more;
  }
  return grown;
}

const BINARY =
  process.env.E2E_SERVER ??
  fileURLToPath(new URL("../../../target/debug/everfresh-server", import.meta.url));
