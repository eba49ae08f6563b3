// A page's script; `outcome` is for the test.

import { createSession } from "everfresh";

import { signInAndRefresh } from "./scenario.js";

signInAndRefresh({ createSession }).then(
  (outcome) => (globalThis.outcome = outcome),
  (error) => (globalThis.outcome = `${error.code} ${error.stack} ${error.cause}`),
);
