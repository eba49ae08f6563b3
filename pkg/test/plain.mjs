// `node --import ./pkg/test/plain.mjs --test ...` runs the tests of the inline entry against the one
// that is plain JavaScript: no test but those of loading may know the difference.

import { register } from "node:module";

const hook = `export function resolve(name, context, next) {
  const plain = !context.parentURL?.endsWith("/loading.test.mjs");
  return next(plain ? name.replace("/dist/inline.js", "/dist/js.js") : name, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
