// `npx everfresh-dev-server`.

import { readFileSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";

import type { ServiceStyle } from "../service/token-service.ts";

import { startDevServer } from "./server.ts";
import { defaultPlace } from "./state.ts";

const HELP = `everfresh-dev-server: a token service to develop against

  --port N       [8080]
  --ttl SECONDS  life of an access token [30]
  --style STYLE  oauth2, json, cookie, cookies or renew [oauth2]
  --origin URL   another origin whose pages may use it; repeatable
  --serve FOLDER gives its files as well
  --users FILE   JSON: passwords by name [{"demo": "demo"}]
  --fresh        forget the sessions of earlier runs
  --help
`;

const STYLES: readonly string[] = ["oauth2", "json", "cookie", "cookies", "renew"];
const refreshOf: Readonly<Record<string, [path: string, revoke: string]>> = {
  oauth2: ["/oauth/token", "/oauth/revoke"],
  json: ["/oauth/token", "/oauth/revoke"],
  renew: ["/auth/renew", "/auth/logout"],
};

/** Runs it with the arguments of the process. */
export async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8080" },
      ttl: { type: "string", default: "30" },
      style: { type: "string", default: "oauth2" },
      origin: { type: "string", multiple: true, default: [] },
      serve: { type: "string" },
      users: { type: "string" },
      fresh: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values["help"]) return console.log(HELP);
  const style = String(values["style"]) as ServiceStyle;
  const port = Number(values["port"]);
  const ttl = Number(values["ttl"]);
  if (!STYLES.includes(style)) throw new Error(`--style must be one of ${STYLES.join(", ")}`);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error("--port must be 0 to 65535");
  if (!(ttl > 0)) throw new Error("--ttl must be more than 0 seconds");
  const origins = (values["origin"] as string[]).map((origin) => new URL(origin).origin);
  const users = values["users"]
    ? (JSON.parse(readFileSync(String(values["users"]), "utf8")) as Record<string, string>)
    : undefined;
  const place = defaultPlace();
  if (values["fresh"]) rmSync(place, { force: true });
  const serve = values["serve"] as string | undefined;
  const server = await startDevServer({ port, ttl, style, origins, serve, users, state: place, log: console.warn });
  const [path, revoke] = refreshOf[style] ?? ["/auth/refresh", "/auth/logout"];
  const at = origins.length > 0 ? server.url : "";
  const further = at ? `, origins: ["${server.url}"]` : "";
  console.log(`everfresh-dev-server at ${server.url}, sign in at ${server.url}/login as ${Object.keys(users ?? { demo: "" })[0]}

  createSession({ refresh: { url: "${at}${path}", style: "${style}", revokeUrl: "${at}${revoke}" }${further} })
`);
  if (serve) console.log(`The files of ${serve} are at ${server.url}/`);
  else if (!at) {
    console.log(
      "Pass requests to /auth, /oauth and /api on from your page's server, or name the page: --origin http://localhost:5173",
    );
  }
}
