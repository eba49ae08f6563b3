import autorefresh from "jwt-autorefresh";

export const start = autorefresh.default({
  leadSeconds: 30,
  refresh: async () => (await fetch("/auth/refresh", { method: "POST" })).text(),
});
