import ky from "ky";

let token = "";
const api = ky.create({
  hooks: {
    beforeRequest: [({ request }) => request.headers.set("Authorization", `Bearer ${token}`)],
    afterResponse: [
      async ({ request, response, retryCount }) => {
        if (response.status !== 401 || retryCount > 0) return undefined;
        token = await ky.post("/auth/refresh").text();
        const headers = new Headers(request.headers);
        headers.set("Authorization", `Bearer ${token}`);
        return ky.retry({ request: new Request(request, { headers }) });
      },
    ],
  },
});

export const request = (url) => api.get(url);
