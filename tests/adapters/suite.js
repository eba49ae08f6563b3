// Runs the crate's tests where it is loaded: in a page or in Node.js.

/** What makes the run a failure, so far. */
export const faults = [];

/**
 * Runs all tests of a bound module. A panic or an error outside of the tests' own calls is a fault
 * too: what a platform catches would hide it.
 */
export async function run({ default: load, WasmBindgenTestContext: Context }, wasm) {
  console.error = (...words) => faults.push(words.join(" "));
  const uncaught = (error) => faults.push(`uncaught: ${error?.stack ?? error}`);
  globalThis.addEventListener?.("error", ({ error }) => uncaught(error));
  globalThis.addEventListener?.("unhandledrejection", ({ reason }) => uncaught(reason));
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    globalThis.process?.on(event, uncaught);
  }
  // What wasm-bindgen's own runner would bring.
  globalThis.__wbg_test_invoke = (test) => test();
  globalThis.__wbgtest_og_console_log = console.log;
  const exports = await load({ module_or_path: wasm });
  const tests = Object.keys(exports).filter((name) => name.startsWith("__wbgt_"));
  const passed = await new Context(false).run(tests.map((name) => exports[name]));
  if (!passed) faults.push("a test failed");
}
