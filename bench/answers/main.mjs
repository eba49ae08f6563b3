// What each package makes of an answer of the token service: whether the user is still signed in, and
// whether the next refresh works. `cargo xtask bench answers` runs it.
//
//   node bench/answers/main.mjs [--json FILE]

import "../client/page.mjs";

import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { answerers, hurry, ORIGIN, versions } from "../peers/answerers.mjs";

const { values } = parseArgs({ options: { json: { type: "string" } } });

/** What the token endpoint says to each request while the trouble lasts. */
const TROUBLES = {
  "no network": () => {
    throw new TypeError("fetch failed");
  },
  "status 429": () => Response.json({ error: "slow_down" }, { status: 429, headers: { "Retry-After": "1" } }),
  "status 503": () => Response.json({ message: "maintenance" }, { status: 503 }),
  "502, a page": () => new Response("<html>Bad gateway</html>", { status: 502, headers: { "Content-Type": "text/html" } }),
  "200, a page": () => new Response("<html>Log in to the Wi-Fi</html>", { headers: { "Content-Type": "text/html" } }),
  "403, a page": () => new Response("<html>Blocked</html>", { status: 403, headers: { "Content-Type": "text/html" } }),
  invalid_grant: () => Response.json({ error: "invalid_grant", error_code: "refresh_token_not_found" }, { status: 400 }),
};

/** A service whose first token has run out, and that rotates. */
class Service {
  trouble;
  asked = 0;
  granted = 0;
  newest = "refresh-0";

  fetch = async (input) => {
    const url = new URL(input.url ?? String(input));
    if (!/\/token/.test(url.pathname)) return Response.json({});
    this.asked += 1;
    if (this.trouble) return this.trouble();
    this.granted += 1;
    this.newest = `refresh-${this.granted}`;
    return Response.json(this.tokens(3_600));
  };

  tokens(seconds) {
    const now = Math.floor(Date.now() / 1_000);
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { sub: "user-1", aud: "client", iss: ORIGIN, iat: now - 10, exp: now + seconds, jti: String(this.granted) };
    const access_token = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}.${part("signature")}`;
    return { access_token, refresh_token: this.newest, expires_in: seconds, token_type: "bearer", user: { id: "user-1" } };
  }
}

/** Some try again after a pause of a minute only. */
function twoMinutesLater() {
  const { now } = Date;
  Date.now = () => now() + 120_000;
  return () => {
    Date.now = now;
  };
}

const rows = [];
for (const [name, open] of Object.entries(answerers)) {
  for (const [trouble, answer] of Object.entries(TROUBLES)) {
    const service = new Service();
    const calm = hurry();
    service.trouble = answer;
    const it = await open(service);
    await it.use(`${ORIGIN}/api`).catch(() => {});
    const { asked } = service;
    const signedIn = await it.signedIn();
    service.trouble = undefined;
    const now = twoMinutesLater();
    await it.use(`${ORIGIN}/api`).catch(() => {});
    const healed = service.granted > 0;
    await it.end();
    now();
    calm();
    rows.push({ name, trouble, signedIn, healed, asked });
  }
}

const told = ({ signedIn, healed, asked }) =>
  `${signedIn ? "signed in" : "signed out"}${signedIn && healed ? ", and refreshed two minutes later" : ""} (${asked})`;
console.log("\nWhat became of a session whose access token had run out (requests to the token endpoint meanwhile)");
for (const trouble of Object.keys(TROUBLES)) {
  console.log(`\n${trouble}`);
  for (const row of rows.filter((it) => it.trouble === trouble)) console.log(`  ${row.name.padEnd(28)} ${told(row)}`);
}
console.log(`\n${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")}`);
if (values.json) await writeFile(values.json, `${JSON.stringify({ part: "answers", versions, rows }, null, 2)}\n`);
process.exit(0);
