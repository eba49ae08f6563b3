// Loads the engine: once per realm, on first use, and again after a failure. It is WebAssembly, and
// where that is missing or forbidden the same as plain JavaScript.

import { __wbg_set_wasm, imports } from "../wasm/everfresh_bg.js";

import { checkBug, guarded } from "./bug.ts";
import { WasmBlockedError, WasmLoadError } from "./errors.ts";
import { own } from "./own.ts";

/** `WebAssembly.Module`, where the compiler's library has it; that of Node.js may not. */
type WasmModule = typeof globalThis extends { readonly WebAssembly: { readonly Module: { readonly prototype: infer Module } } }
  ? Module
  : object;

/**
 * Where the engine comes from, instead of the file that the package brings.
 *
 * @example
 * await init({ url: "/assets/everfresh.wasm" });
 * await init({ bytes: await (await fetch("/everfresh.wasm")).arrayBuffer() });
 * await init({ module: await WebAssembly.compileStreaming(fetch("/everfresh.wasm")) });
 * await init({ engine: "js" });
 */
export interface WasmSource {
  /** A compiled module. */
  readonly module?: WasmModule | undefined;
  /** The bytes of `everfresh/everfresh.wasm`. */
  readonly bytes?: ArrayBuffer | ArrayBufferView | undefined;
  /** Where to fetch them. */
  readonly url?: string | URL | undefined;
  /** `"js"`: the engine as plain JavaScript, which is larger and slower. */
  readonly engine?: "js" | undefined;
}

/** The engine as plain JavaScript. @internal */
export type PlainEngine = (imports: WebAssembly.Imports) => WebAssembly.Exports;

type Instantiable = BufferSource | WebAssembly.Module | PlainEngine;

/** Loads `everfresh_js.js`, in the way that the entry's users can follow. @internal */
export type PlainLoader = () => Promise<{ readonly default: PlainEngine }>;

/** What an entry of the package knows: one of these; with none of them it is plain JavaScript. @internal */
export interface EntrySource {
  /** Where to fetch the bytes. */
  readonly url?: () => string | URL;
  /** The bytes, the module or the plain engine, at once. */
  readonly now?: () => Instantiable;
}

const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

let source: EntrySource = {};
let importPlain: PlainLoader;
let loaded = false;
let loading: Promise<void> | undefined;
let fellBack = false;
let note: string | undefined;

/** Called by the entry, once. @internal */
export function useEngine(from: EntrySource, plain: PlainLoader): void {
  source = from;
  importPlain = plain;
}

/**
 * Loads the engine ahead of its first use; without arguments from where the package's entry has it.
 *
 * @param from - one of `module`, `bytes`, `url` and `engine`; ignored once it is loaded
 * @throws `ERR_WASM_BLOCKED`, `ERR_WASM_LOAD`; calling again tries again
 * @example await init(); // ahead of the first use
 */
export async function init(from: WasmSource = {}): Promise<void> {
  const { module, bytes, url, engine } = own(from);
  if (engine === "js") source = {};
  else if (module ?? bytes) source = { now: () => (module ?? bytes)! };
  else if (url) source = { url: () => url };
  await load();
}

/**
 * Whether the engine can be used now; loads it if that takes no waiting.
 *
 * @throws `ERR_WASM_LOAD`, and `ERR_BUG` once it has failed
 * @internal
 */
export function ready(): boolean {
  checkBug();
  if (loaded || !source.now) return loaded;
  const from = source.now();
  try {
    instantiate(from);
  } catch (cause) {
    if (!forbidden(cause)) throw refusal(cause);
    fallBack();
  }
  return loaded;
}

/** Loads the engine, or joins the loading of it. @internal */
export function load(): Promise<void> {
  loading ??= fetchAndInstantiate().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** What the application should know of how the engine was loaded; said once. @internal */
export function takeNote(): string | undefined {
  const said = note;
  note = undefined;
  return said;
}

async function fetchAndInstantiate(): Promise<void> {
  if (ready()) return;
  if (source.url && forbidden()) fallBack();
  if (!source.url) return loadPlain();
  const url = source.url();
  let bytes: ArrayBuffer;
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    bytes = await response.arrayBuffer();
  } catch (cause) {
    throw new WasmLoadError(`${url} could not be fetched: ${remedy}`, { cause });
  }
  try {
    instantiate(await WebAssembly.compile(bytes));
  } catch (cause) {
    throw refusal(cause);
  }
}

async function loadPlain(): Promise<void> {
  let plain: PlainEngine;
  try {
    plain = (await importPlain()).default;
  } catch (cause) {
    throw fellBack
      ? new WasmBlockedError(
          "WebAssembly is missing or blocked here, and everfresh_js.js, which stands in for it, " +
            "could not be loaded: serve it beside the script, or add 'wasm-unsafe-eval' to " +
            "script-src of the Content-Security-Policy",
          { cause },
        )
      : new WasmLoadError("everfresh_js.js could not be loaded: serve it beside the script", {
          cause,
        });
  }
  instantiate(plain);
}

function instantiate(from: Instantiable): void {
  if (loaded) return;
  __wbg_set_wasm(guarded(exportsOf(from, { "./everfresh_bg.js": imports })));
  loaded = true;
}

function exportsOf(from: Instantiable, imports: WebAssembly.Imports): WebAssembly.Exports {
  if (typeof from === "function") return from(imports);
  const module = from instanceof WebAssembly.Module ? from : new WebAssembly.Module(from);
  return new WebAssembly.Instance(module, imports).exports;
}

/**
 * Whether there is no WebAssembly, or a policy forbids it: then an empty module does not run either.
 * Engines differ in what they refuse, to compile it or to instantiate it.
 */
function forbidden(cause?: unknown): boolean {
  try {
    // A module of another version lacks what this one imports.
    if (cause instanceof WebAssembly.LinkError) return false;
    return !new WebAssembly.Instance(new WebAssembly.Module(EMPTY));
  } catch {
    return true;
  }
}

function fallBack(): void {
  source = {};
  fellBack = true;
  note =
    "WebAssembly is missing or blocked here, so plain JavaScript stands in for it, which is slower; " +
    "'wasm-unsafe-eval' in script-src of the Content-Security-Policy allows it";
}

const refusal = (cause: unknown) =>
  new WasmLoadError(`what was loaded is not this version's WebAssembly: ${remedy}`, { cause });

/** What to do when there is no wasm. @internal */
export const remedy: string =
  "serve everfresh_bg.wasm beside the script, import everfresh/inline, or await init({ url }) " +
  "first; the next call tries again";
