// Tokens and token responses to measure with.

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signature = Buffer.alloc(64, 7).toString("base64url");

/** An unsigned JWT that is good for an hour; `more` joins its claims. */
export function jwt(more = {}) {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { iss: "https://auth.test", sub: "user-1", iat, exp: iat + 3_600, ...more };
  return `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}.${signature}`;
}

/** A JWT of about so many bytes, with text beyond ASCII as names have it. */
export function jwtOf(bytes) {
  const roles = [];
  const build = () => jwt({ name: "Zoë Žižková", roles });
  while (build().length < bytes - 40) roles.push(`role-${roles.length}:read`);
  return build();
}

/** A new token response of RFC 6749 for the session `id`. */
export function tokenResponse(id, number) {
  return {
    access_token: jwt({ jti: `${id}-${number}` }),
    refresh_token: `refresh-${id}-${number}`,
    expires_in: 3_600,
    token_type: "bearer",
  };
}
