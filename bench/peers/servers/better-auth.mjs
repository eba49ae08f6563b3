// better-auth: sessions in SQLite, no refresh tokens. A check looks the session up.

import { DatabaseSync } from "node:sqlite";
import { createServer } from "node:http";

import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins";

const place = process.argv[2];
const database = new DatabaseSync(place === "memory:" ? ":memory:" : place.replace("sqlite:", ""));
database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
const options = {
  baseURL: "http://127.0.0.1",
  secret: "a secret for this run, long enough for the library",
  database,
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [bearer()],
};
const { runMigrations } = await getMigrations(options);
await runMigrations();
const auth = betterAuth(options);
const ada = { name: "Ada", email: "ada@app.test", password: "a long secret" };
await auth.api.signUpEmail({ body: ada });

const handle = toNodeHandler(auth);
const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://id.test");
  if (pathname !== "/seed") return handle(request, response);
  const { token } = await auth.api.signInEmail({ body: ada });
  const tokens = [{ access_token: token }];
  const body = JSON.stringify({ verify: "/api/auth/get-session", form: {}, tokens });
  return response.writeHead(200, { "Content-Length": Buffer.byteLength(body) }).end(body);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
