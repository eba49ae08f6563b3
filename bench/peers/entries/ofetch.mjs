import { ofetch } from "ofetch";

let token = "";
const api = ofetch.create({
  retry: 1,
  retryStatusCodes: [401],
  onRequest({ options }) {
    options.headers.set("Authorization", `Bearer ${token}`);
  },
  async onResponseError({ response }) {
    if (response.status === 401) token = await ofetch("/auth/refresh", { method: "POST" });
  },
});

export const request = (url) => api(url);
