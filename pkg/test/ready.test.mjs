import assert from "node:assert/strict";
import { test } from "node:test";

import { isSignedIn, ready, safeReturnTo } from "../dist/inline.js";
import { page } from "./page.mjs";
import { settle, world } from "./world.mjs";

test("ready restores if nobody did, and never twice", async (t) => {
  const w = world(t, { refresh: { url: "https://auth.test/token", style: "cookie" } });
  const both = [ready(w.session), ready(w.session)];
  await w.advance(2, 0.1);
  const [one, other] = await Promise.all(both);
  assert.equal(one.status, "active");
  assert.equal(one, other);
  assert.equal(await ready(w.session), one);
  assert.equal(w.refreshes.length, 1);
  assert.equal(isSignedIn(one), true);
  await w.session.signOut();
  assert.equal(isSignedIn(await ready(w.session)), false);
  await settle();
});

test("a return address is a path of the own origin, or the fallback", (t) => {
  page(t);
  for (const [value, path] of [
    ["/orders?a=1#b", "/orders?a=1#b"],
    ["https://app.test/orders", "/orders"],
    ["/a/../b", "/b"],
    ["/", "/"],
    ...[
      ...["//evil.test", "/\\evil.test", "\\\\evil.test", "https://evil.test/", "javascript:alert(1)"],
      ...["/.//evil.test", "https://app.test//evil.test", "https://app.test@evil.test/", "\t//evil.test"],
      ...["https://app.test:8443/", "http://app.test/", "data:,x", "blob:https://app.test/1", "", "http://["],
      ...[null, undefined, 1, ["/a"], { toString: () => "/a" }],
    ].map((value) => [value, "/home"]),
  ]) {
    assert.equal(safeReturnTo(value, "/home"), path, String(value));
  }
});
