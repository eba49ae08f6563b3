// Every public member has an example, which compiles: a function, a class and a constant one of its own;
// what belongs to a type one of its own, or it is named in that of the type. Reads what typedoc has
// written, and writes the examples as files for the compiler.
//
//   node pkg/reference/examples.mjs

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const api = JSON.parse(readFileSync(path("../../target/reference/api.json"), "utf8"));
const folder = path("../../target/reference-examples/");

const [CLASS, INTERFACE, CONSTRUCTOR, TYPE, REFERENCE] = [128, 256, 512, 2_097_152, 4_194_304];
/** Types whose members have examples that are properties of an object, as the user writes them. */
const WRITTEN = ["SessionOptions", "TokenEndpoint"];

/** What the examples may name without saying where it is from. */
const GIVEN = {
  index: ["declare const session: Session, response: Response, error: unknown;"],
  "adapters/angular": [
    'import { HttpClient, HttpContext, provideHttpClient, withInterceptors } from "@angular/common/http";',
    'import { inject } from "@angular/core";',
    'import type { Routes } from "@angular/router";',
  ],
  "adapters/axios": ['import axios from "axios";', "declare const session: Session;"],
  "adapters/dev-server": ["declare const server: DevServer;"],
  "adapters/ky": ['import ky from "ky";', "declare const session: Session;"],
  "adapters/presets": ["declare const process: { readonly env: Record<string, string> };"],
  "adapters/react": ["declare const session: Session;"],
  "adapters/solid": ['import { createComponent } from "solid-js";', "declare const session: Session;"],
  "adapters/svelte": ["declare const session: Session, redirect: (status: 307, location: string) => never;"],
  "adapters/testing": [
    "declare const session: Session, kit: TestKit, tab: Tab, fake: FakeSession;",
    "declare const http: { all(path: string, answer: (info: { request: Request }) => Promise<Response>): unknown };",
  ],
  "adapters/vue": [
    'import { computed, createApp, inject } from "vue";',
    "declare const session: Session;",
    "declare const router: { beforeEach(guard: (to: { fullPath: string }) => unknown): void };",
  ],
};

/** The examples of something, as code. */
function examplesOf(item) {
  const comments = [item.comment, item.getSignature?.comment, ...(item.signatures ?? []).map(({ comment }) => comment)];
  comments.push(item.type?.declaration?.signatures?.[0]?.comment);
  const tags = comments.flatMap((comment) => comment?.blockTags ?? []).filter(({ tag }) => tag === "@example");
  const texts = tags.map(({ content }) => content.map(({ text }) => text).join(""));
  return texts.map((text) => text.replace(/^```\w*\n|\n```$/g, ""));
}

/** The members that belong to a type, but for what it has from another. */
const membersOf = (item) =>
  (item.children ?? item.type?.declaration?.children ?? []).filter(
    (member) => !member.inheritedFrom && !member.overwrites && member.kind !== CONSTRUCTOR,
  );

const missing = [];
const statements = new Map();

for (const module of api.children) {
  const found = [];
  for (const item of module.children.filter(({ kind }) => kind !== REFERENCE)) {
    const own = examplesOf(item);
    const members = membersOf(item).map((member) => [member.name, examplesOf(member)]);
    const isNamed = (name) => own.some((code) => code.split(/[^\w$-]+/).includes(name));
    const lacking = members.filter(([name, its]) => its.length === 0 && !isNamed(name)).map(([name]) => name);
    const isWhole = own.length > 0 || (members.length > 0 && [INTERFACE, CLASS, TYPE].includes(item.kind));
    if (!isWhole) missing.push(`${module.name}: ${item.name}`);
    // Members of an error's class are those of their base.
    const isKnown = item.kind === CLASS && /.Error$/.test(item.name) && item.name !== "SessionError";
    if (!isKnown) missing.push(...lacking.map((name) => `${module.name}: ${item.name}.${name}`));
    const theirs = members.flatMap(([, its]) => its);
    const property = (code) => `({ ${code} }) satisfies Partial<${item.name}>;`;
    found.push(...own, ...(WRITTEN.includes(item.name) ? theirs.map(property) : theirs));
  }
  statements.set(module.name, found);
}
if (missing.length > 0) {
  console.error(`without an example:\n  ${missing.join("\n  ")}`);
  process.exit(1);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const index = api.children.find(({ name }) => name === "index");
const isType = ({ kind }) => kind === INTERFACE || kind === TYPE;
for (const { name, children } of api.children) {
  const imports = [];
  const known = new Set();
  for (const [from, items] of [[name, children], ["index", index.children]]) {
    const fresh = items.filter((item) => item.name !== "default" && !known.has(item.name));
    fresh.forEach((item) => known.add(item.name));
    const names = fresh.map((item) => `${isType(item) ? "type " : ""}${item.name}`);
    const module = from === "index" ? "everfresh" : from.replace("adapters", "everfresh");
    if (names.length > 0) imports.push(`import { ${names.join(", ")} } from "${module}";`);
  }
  const blocks = statements.get(name).map((code) => `void (async () => {\n${code}\n});`);
  writeFileSync(`${folder}${name.replace("/", "-")}.tsx`, [...imports, ...(GIVEN[name] ?? []), ...blocks, ""].join("\n"));
}
const compilerOptions = {
  ...{ target: "ES2022", module: "ESNext", moduleResolution: "Bundler", lib: ["ESNext", "DOM"], types: [] },
  ...{ strict: true, noEmit: true, skipLibCheck: true, jsx: "react-jsx" },
};
writeFileSync(`${folder}tsconfig.json`, JSON.stringify({ compilerOptions, include: ["."] }));
const tsc = path("../../node_modules/typescript/bin/tsc");
try {
  execFileSync(process.execPath, [tsc, "-p", folder], { stdio: "inherit" });
} catch {
  process.exit(1); // the compiler has said why
}
console.log(`${[...statements.values()].flat().length} examples, one for every public member; all compile`);
