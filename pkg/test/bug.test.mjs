import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

/** The module alone, with a state of its own. */
let copies = 0;
async function fresh() {
  const path = fileURLToPath(new URL("../src/bug.ts", import.meta.url));
  const built = await build({ entryPoints: [path], bundle: true, format: "esm", write: false });
  const code = `${built.outputFiles[0].text}\n// ${++copies}`;
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}

const trap = () => {
  throw new WebAssembly.RuntimeError("unreachable");
};

test("exports that work are called as they are", async () => {
  const { guarded, checkBug } = await fresh();
  const memory = { buffer: new ArrayBuffer(8) };
  const { sum, memory: same } = guarded({ memory, sum: (a, b) => a + b });
  assert.equal(sum(1, 2), 3);
  assert.equal(same, memory);
  checkBug();
});

test("a trap is told once, with its cause, and later calls fail with the same error", async () => {
  const { guarded, onBug, checkBug } = await fresh();
  const told = [];
  onBug((error) => told.push(error));
  let calls = 0;
  const { fail, work } = guarded({ fail: trap, work: () => ++calls });
  assert.throws(fail, { code: "ERR_BUG", fault: "bug", retryable: false });
  assert.throws(work, (error) => error === told[0]);
  assert.throws(fail, (error) => error === told[0]);
  assert.throws(checkBug, (error) => error === told[0]);
  assert.equal(told.length, 1);
  assert.ok(told[0].cause instanceof WebAssembly.RuntimeError);
  assert.equal(calls, 0);
});

test("an exhausted stack is a bug as well", async () => {
  const { guarded } = await fresh();
  const exports = guarded({ deeper: () => exports.deeper() });
  assert.throws(() => exports.deeper(), (error) => error.cause instanceof RangeError);
});

test("what the platform calls is told and throws nothing, so that no timer ends the process", async () => {
  const { guarded, onBug } = await fresh();
  const told = [];
  onBug((error) => told.push(error.code));
  const { _timer, _listener } = guarded({ _timer: trap, _listener: () => "heard" });
  assert.equal(_timer(), undefined);
  assert.equal(_listener(), undefined);
  assert.deepEqual(told, ["ERR_BUG"]);
});

test("a trap in a call within a call ends the outer one, whatever that makes of it", async () => {
  const { guarded, onBug } = await fresh();
  const told = [];
  onBug(() => told.push(depth));
  let depth = 0;
  const exports = guarded({
    _inner: trap,
    outer() {
      depth += 1;
      try {
        exports._inner();
      } catch {
        // As the engine does with what a callback throws.
      }
      depth -= 1;
    },
  });
  assert.throws(exports.outer, { code: "ERR_BUG" });
  assert.deepEqual(told, [0], "once, when no call is under way any more");
});

test("who no longer listens is told nothing", async () => {
  const { guarded, onBug } = await fresh();
  onBug(() => assert.fail())();
  assert.throws(guarded({ fail: trap }).fail, { code: "ERR_BUG" });
});
