// A folder with an application in it, inside of a folder with a lock file's packages, where
// `cargo xtask packaging` has installed them and the tarball.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const INSTALLED =
  process.env.PACKAGING ?? fileURLToPath(new URL("../../../target/packaging", import.meta.url));
const APP = fileURLToPath(new URL("../app", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../../examples", import.meta.url));

/** The path of an installed package's file. */
export const installed = (group, path) => join(INSTALLED, group, "node_modules", path);

/** One application, made anew from the example of the group's name, or from `app/`. */
export class Project {
  /**
   * @param group - the folder of `examples` or `tests/packaging` whose packages it uses
   * @param files - more files by path, or other contents; null for one that is not wanted
   */
  static async make(group, name, files = {}) {
    const project = new Project();
    project.group = group;
    project.folder = join(INSTALLED, group, "apps", name);
    await rm(project.folder, { recursive: true, force: true });
    const example = join(EXAMPLES, group);
    // What is installed or built in the checkout is not part of the example.
    const filter = (path) => !/^(node_modules|dist|\.\w+|package.*\.json)$/.test(relative(example, path));
    await cp(existsSync(example) ? example : APP, project.folder, { recursive: true, filter });
    for (const [path, text] of Object.entries(files)) await project.write(path, text);
    return project;
  }

  async write(path, text) {
    if (text === null) return rm(join(this.folder, path));
    await mkdir(join(this.folder, path, ".."), { recursive: true });
    await writeFile(join(this.folder, path), text);
  }

  /** Rewrites a module that exports functions and imports nothing. */
  async asCommonJs(path) {
    const text = await readFile(join(this.folder, path), "utf8");
    const names = [...text.matchAll(/^export async function (\w+)/gm)].map(([, name]) => name);
    await this.write(path, `${text.replaceAll(/^export /gm, "")}module.exports = { ${names} };\n`);
  }

  /** The path of an installed package's file. */
  installed(path) {
    return installed(this.group, path);
  }

  /** Runs a program of a package in the folder to its end, and gives what it printed. */
  run(program, args = [], { node = process.execPath, env } = {}) {
    const script = /\.[cm]?js$/.test(program);
    const path = this.installed(program);
    const [file, ...first] = script ? [node, path] : [path];
    const options = { cwd: this.folder, env: { ...ENVIRONMENT, ...env }, timeout: PATIENCE };
    return new Promise((resolve, reject) => {
      execFile(file, [...first, ...args], options, (error, stdout, stderr) => {
        if (error) reject(new Error(`${program} ${args.join(" ")}: ${error}\n${stdout}\n${stderr}`));
        else resolve(stdout + stderr);
      }).stdin.end();
    });
  }

  /** The files below a folder that end like this. */
  async files(folder, ending) {
    const names = await readdir(join(this.folder, folder), { recursive: true });
    return names.filter((name) => name.endsWith(ending));
  }
}

/** What a program says that came of it. */
export const outcomeOf = (printed) => JSON.parse(/outcome (\{.*\})/.exec(printed)?.[1] ?? '"none"');

/** As in a shell that asks for nothing, and sends no telemetry. */
export const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NEXT_TELEMETRY_DISABLED: "1",
  WRANGLER_SEND_METRICS: "false",
  DO_NOT_TRACK: "1",
};
const PATIENCE = 180_000;
