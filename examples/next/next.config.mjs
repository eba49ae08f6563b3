const tokens = process.env.TOKEN_SERVER ?? "http://127.0.0.1:8080";

export default {
  // The page's own origin has the token server and the API.
  rewrites: async () =>
    ["auth", "oauth", "api"].map((name) => ({
      source: `/${name}/:path*`,
      destination: `${tokens}/${name}/:path*`,
    })),
};
