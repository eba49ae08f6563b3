import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world();

/** What the page's `fetch` option answers the token endpoint with, by name, and what is waited for. */
const hostile = {
  "arrays in 100,000 levels": () => new Response(`${"[".repeat(1e5)}1${"]".repeat(1e5)}`),
  "objects in 100,000 levels": () =>
    new Response(`{"access_token":${'{"a":'.repeat(1e5)}1${"}".repeat(1e5)}}`),
};
