// Calls of fetch, drawn from a seed. Data only: they are made in pages (site/requests.js).

/**
 * As many plans.
 *
 * @param own - the origin that the session's token goes to; relative addresses count from there
 * @param other - an origin that allows everything and gets no token
 * @param relative - whether there is a page
 */
export function requestPlans(seed, count, { own, other, relative }) {
  const random = generator(seed);
  const one = (list) => list[Math.floor(random() * list.length)];
  const chance = (share) => random() < share;
  return Array.from({ length: count }, (_, n) => {
    const foreign = chance(0.1);
    const abort = chance(0.12) ? one(["before", "during"]) : undefined;
    const echo = `/api/echo?n=${n}&q=${one(["", "%20", "ü", "a+b", "%zz", "'"])}${one(["", "#part"])}`;
    const redirected = chance(0.2);
    const status = one([301, 302, 303, 307, 308]);
    let path = echo;
    if (abort === "during") path = `/requests/hold?n=${n}`;
    else if (redirected) path = `/requests/redirect/${status}?to=${encodeURIComponent(echo)}`;
    const method = chance(0.75) ? one(METHODS) : undefined;
    const init = {
      ...(method && { method }),
      ...(chance(0.3) && { redirect: one(["follow", "error", "manual"]) }),
      ...(chance(0.3) && { mode: one(MODES.slice(Number(!foreign))) }),
      ...(chance(0.3) && { credentials: one(["omit", "same-origin", "include"]) }),
      ...(chance(0.3) && { cache: one(CACHES) }),
      ...(chance(0.2) && { referrer: one(["", "about:client", `${own}/elsewhere?x=1`]) }),
      ...(chance(0.2) && { referrerPolicy: one(["no-referrer", "origin", "same-origin", "unsafe-url"]) }),
      ...(chance(0.05) && { integrity: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }),
      ...(chance(0.1) && { keepalive: true }),
      ...(chance(0.05) && { signal: null }),
    };
    const from = foreign ? other : relative && chance(0.4) ? "" : own;
    const input = one(from ? INPUTS : INPUTS.filter((name) => name !== "URL"));
    // As an init a Request has its body as a stream, which WebKit does not send.
    const hasBody = input !== "Request as init" && chance(/^(post|put|patch)$/i.test(method) ? 0.9 : 0.08);
    // Node.js 20 itself fails to send bytes once more after a redirect.
    const bodies = BODIES.filter((kind) => relative || !redirected || !/Array|View/.test(kind));
    return {
      input,
      url: from + path,
      own: !foreign,
      init,
      ...(chance(0.7) && { headers: headersOf(one, chance) }),
      ...(hasBody && { body: { kind: one(bodies), text: one(["", "plain", "ünï ⚡ \r\n\0", "x".repeat(70_000)]) } }),
      ...(abort && { abort, signal: true }),
      ...(chance(0.1) && { signal: true }),
    };
  });
}

function headersOf(one, chance) {
  // Of two such that come as pairs Firefox sends one, and both if they come as Headers.
  const isFirst = ([name], at, all) =>
    !/^(content-type|x-c)$/i.test(name) || all.findIndex((it) => it[0] === name) === at;
  const pairs = Array.from({ length: one([0, 1, 2, 4]) }, () => one(HEADERS)).filter(isFirst);
  if (chance(0.06)) pairs.push(one([["a name", "x"], ["X-Bad", "a\nb"], ["X-Bad", "⚡"], ["", "x"]]));
  return { shape: one(["object", "object without a prototype", "pairs", "Headers", "Map"]), pairs };
}

const METHODS = [
  ...["GET", "get", "HEAD", "DELETE", "delete", "POST", "POST", "post", "PUT", "PUT", "PATCH", "PATCH"],
  ...["TRACE", "connect", "NO METHOD"],
];
// Without CORS the platform takes no Authorization, so a session sends such a Request of its origin with.
const MODES = ["no-cors", "cors", "cors", "same-origin", "navigate", "other"];
const CACHES = ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"];
const INPUTS = [
  ...["string", "string", "URL", "object", "Request", "Request", "Request and init", "Request as init"],
  "inherited init",
];
const BODIES = [
  ...["string", "string", "object", "URLSearchParams", "Blob", "Blob with a type", "File", "ArrayBuffer"],
  ...["Uint8Array", "DataView", "FormData", "FormData"],
];
const HEADERS = [
  ["X-A", "1"], ["x-a", "2"], ["X-B", "  spaces \t"], ["X-C", ""], ["X-D", "über"], ["X-E", 5],
  ["Accept", "application/json"], ["accept-language", "nl"], ["Content-Type", "application/json"],
  ["Content-Type", "text/plain;charset=latin1"], ["Cookie", "own=1"], ["Sec-Own", "1"],
];

/** Numbers in [0, 1) that follow from the seed alone: mulberry32. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
