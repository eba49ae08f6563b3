// Loads the wasm: once per realm, on first use, and again after a failure.

import { initSync } from "../wasm/everfresh.js";

import { type SessionError, WasmBlockedError, WasmLoadError } from "./errors.ts";

/** Where the wasm comes from, instead of the file that the package brings. */
export interface WasmSource {
  /** A compiled module. */
  readonly module?: WebAssembly.Module | undefined;
  /** The bytes of `everfresh/everfresh.wasm`. */
  readonly bytes?: BufferSource | undefined;
  /** Where to fetch them. */
  readonly url?: string | URL | undefined;
}

/** What an entry of the package knows: one of these. @internal */
export interface EntrySource {
  /** Where to fetch the bytes. */
  readonly url?: () => string | URL;
  /** The bytes or the module, at once. */
  readonly now?: () => BufferSource | WebAssembly.Module;
}

let source: EntrySource = {};
let loaded = false;
let loading: Promise<void> | undefined;

/** Called by the entry, once. @internal */
export function useWasm(from: EntrySource): void {
  source = from;
}

/**
 * Loads the wasm ahead of its first use; without arguments from where the package's entry has it.
 *
 * @param from - one of `module`, `bytes` and `url`; ignored once the wasm is loaded
 * @throws `ERR_WASM_BLOCKED`, `ERR_WASM_LOAD`; calling again tries again
 */
export async function init(from: WasmSource = {}): Promise<void> {
  const { module, bytes, url } = from;
  if (module ?? bytes) source = { now: () => (module ?? bytes)! };
  else if (url) source = { url: () => url };
  await load();
}

/** Whether the engine can be used now; loads it if that takes no waiting. @internal */
export function ready(): boolean {
  if (!loaded && source.now) instantiate(source.now());
  return loaded;
}

/** Loads the wasm, or joins the loading of it. @internal */
export function load(): Promise<void> {
  loading ??= fetchAndInstantiate().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function fetchAndInstantiate(): Promise<void> {
  if (ready()) return;
  const url = source.url!();
  let bytes: ArrayBuffer;
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    bytes = await response.arrayBuffer();
  } catch (cause) {
    throw new WasmLoadError(`${url} could not be fetched: ${remedy}`, { cause });
  }
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(bytes);
  } catch (cause) {
    throw refusal(bytes, cause);
  }
  instantiate(module);
}

function instantiate(from: BufferSource | WebAssembly.Module): void {
  if (loaded) return;
  try {
    initSync(from instanceof WebAssembly.Module ? from : new WebAssembly.Module(from));
  } catch (cause) {
    throw refusal(from, cause);
  }
  loaded = true;
}

function refusal(from: BufferSource | WebAssembly.Module, cause: unknown): SessionError {
  let blocked = true;
  try {
    // Modules of other versions lack what this one imports. Bytes that are valid and yet not
    // compiled are forbidden.
    const other = cause instanceof WebAssembly.LinkError;
    blocked = !other && WebAssembly.validate(from as BufferSource);
  } catch {
    // There is no WebAssembly at all, or it was compiled already.
  }
  return blocked
    ? new WasmBlockedError(
        "WebAssembly is blocked in this page: add 'wasm-unsafe-eval' to the script-src directive " +
          "of its Content-Security-Policy",
        { cause },
      )
    : new WasmLoadError(`what was loaded is not this version's WebAssembly: ${remedy}`, { cause });
}

/** What to do when there is no wasm. @internal */
export const remedy: string =
  "serve everfresh_bg.wasm beside the script, import everfresh/inline, or await init({ url }) " +
  "first; the next call tries again";
