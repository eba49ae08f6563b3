import { OAuth2Client, OAuth2Fetch } from "@badgateway/oauth2-client";

const client = new OAuth2Client({ server: "https://id.test", clientId: "client" });
const wrapper = new OAuth2Fetch({
  client,
  getNewToken: () => client.password({ username: "ada", password: "secret" }),
});

export const request = (url) => wrapper.fetch(url);
