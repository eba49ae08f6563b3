// panva's oidc-provider: rotating refresh tokens of a public client; its store is in memory. An access
// token is looked up, not verified, at the userinfo endpoint.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";

import { Provider } from "oidc-provider";

/** Its own in-memory adapter holds a thousand entries and says that it is for development. */
class Adapter {
  static #all = new Map();
  #name;

  constructor(name) {
    this.#name = name;
  }

  async upsert(id, payload) {
    Adapter.#all.set(`${this.#name}:${id}`, payload);
  }

  async find(id) {
    return Adapter.#all.get(`${this.#name}:${id}`);
  }

  async consume(id) {
    Adapter.#all.get(`${this.#name}:${id}`).consumed = Math.floor(Date.now() / 1_000);
  }

  async destroy(id) {
    Adapter.#all.delete(`${this.#name}:${id}`);
  }

  async revokeByGrantId() {}
}

const { privateKey } = generateKeyPairSync("ed25519");
const key = { ...privateKey.export({ format: "jwk" }), alg: "EdDSA", use: "sig", kid: "1" };
const provider = new Provider("https://id.test", {
  adapter: Adapter,
  jwks: { keys: [key] },
  clients: [
    {
      client_id: "client",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: ["https://app.test/signed-in"],
      application_type: "web",
      id_token_signed_response_alg: "EdDSA",
    },
  ],
  enabledJWA: { idTokenSigningAlgValues: ["EdDSA"] },
  cookies: { keys: ["for this run only"] },
  findAccount: async (_, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, RefreshToken: 86_400, Grant: 86_400, IdToken: 3600 },
});

const client = await provider.Client.find("client");
async function session() {
  const grant = new provider.Grant({ accountId: "ada", clientId: "client" });
  grant.addOIDCScope("openid offline_access");
  const about = {
    accountId: "ada",
    client,
    grantId: await grant.save(),
    gty: "authorization_code",
    scope: "openid offline_access",
    authTime: Math.floor(Date.now() / 1_000),
    sessionUid: randomUUID(),
  };
  const refresh = new provider.RefreshToken(about);
  const access = new provider.AccessToken(about);
  return { refresh_token: await refresh.save(), access_token: await access.save() };
}

const answer = provider.callback();
const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://id.test");
  if (pathname !== "/seed") return answer(request, response);
  const tokens = [];
  while (tokens.length < Number(searchParams.get("count"))) tokens.push(await session());
  const body = JSON.stringify({ verify: "/me", refresh: "/token", form: { client_id: "client" }, tokens });
  return response.writeHead(200, { "Content-Length": Buffer.byteLength(body) }).end(body);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
