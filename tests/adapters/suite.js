// Runs the crate's tests where it is loaded: in a page or in Node.js.

/**
 * Runs all tests of a bound module and gives what makes the run a failure. That is also a panic or
 * an error outside of the tests' own calls: what a platform catches would hide it.
 */
export async function run({ default: load, WasmBindgenTestContext: Context }, wasm) {
  const faults = [];
  console.error = (...words) => faults.push(words.join(" "));
  globalThis.addEventListener?.("error", ({ message }) => faults.push(`uncaught: ${message}`));
  globalThis.addEventListener?.("unhandledrejection", ({ reason }) => {
    faults.push(`unhandled: ${reason}`);
  });
  // What wasm-bindgen's own runner would bring.
  globalThis.__wbg_test_invoke = (test) => test();
  globalThis.__wbgtest_og_console_log = console.log;
  const exports = await load({ module_or_path: wasm });
  const tests = Object.keys(exports).filter((name) => name.startsWith("__wbgt_"));
  const passed = await new Context(false).run(tests.map((name) => exports[name]));
  if (!passed) faults.push("a test failed");
  return faults;
}
