// Fastify with one of two libraries for JWTs: what a team writes by hand in an afternoon. No reuse
// detection, no repeated answers, no limits, no audit.
//
//   node fastify.mjs jose|fastify-jwt memory:|sqlite:FILE

import { generateKeyPairSync, randomUUID } from "node:crypto";

import formbody from "@fastify/formbody";
import fastifyJwt from "@fastify/jwt";
import fastify from "fastify";
import { jwtVerify, SignJWT } from "jose";

import { openStore } from "./store.mjs";

const [library, place] = process.argv.slice(2);
const store = openStore(place);
const app = fastify();
await app.register(formbody);
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const { sign, verify } = library === "jose" ? withJose() : await withFastifyJwt();

const tokens = async (user, refresh_token) => ({
  access_token: await sign({ sub: user, jti: randomUUID() }),
  refresh_token,
  expires_in: 3600,
  token_type: "Bearer",
});

app.get("/api/me", async (request, reply) => {
  try {
    const { sub } = await verify(request.headers.authorization.slice("Bearer ".length));
    return { sub };
  } catch {
    return reply.code(401).send({ error: "invalid_token" });
  }
});
app.post("/oauth/token", async (request, reply) => {
  const found = store.rotate(request.body.refresh_token);
  if (!found) return reply.code(400).send({ error: "invalid_grant" });
  return tokens(found.user, found.token);
});
app.get("/seed", async ({ query }) => {
  const made = [];
  while (made.length < Number(query.count)) made.push(await tokens("ada", store.open("ada")));
  return { verify: "/api/me", refresh: "/oauth/token", form: {}, tokens: made };
});

await app.listen({ host: "127.0.0.1", port: 0 });
console.log(`listening on http://127.0.0.1:${app.server.address().port}`);

function withJose() {
  return {
    sign: (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "EdDSA" })
        .setIssuedAt()
        .setIssuer("https://id.test")
        .setAudience("api")
        .setExpirationTime("1h")
        .sign(privateKey),
    verify: async (token) => {
      const rules = { issuer: "https://id.test", audience: "api", algorithms: ["EdDSA"] };
      return (await jwtVerify(token, publicKey, rules)).payload;
    },
  };
}

async function withFastifyJwt() {
  const pem = { type: "pkcs8", format: "pem" };
  await app.register(fastifyJwt, {
    secret: {
      private: privateKey.export(pem),
      public: publicKey.export({ type: "spki", format: "pem" }),
    },
    sign: { algorithm: "EdDSA", iss: "https://id.test", aud: "api", expiresIn: "1h" },
    verify: { algorithms: ["EdDSA"], allowedIss: "https://id.test", allowedAud: "api" },
  });
  return { sign: (claims) => app.jwt.sign(claims), verify: (token) => app.jwt.verify(token) };
}
