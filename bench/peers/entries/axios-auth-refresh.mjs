import axios from "axios";
import { createAuthRefresh } from "axios-auth-refresh";

const api = axios.create();
createAuthRefresh(api, async (failed) => {
  const { data } = await axios.post("/auth/refresh");
  failed.response.config.headers.Authorization = `Bearer ${data.access_token}`;
});

export const request = (url) => api.get(url);
