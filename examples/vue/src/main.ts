import { createApp } from "vue";
import { createSessionPlugin } from "everfresh/vue";

import App from "./App.vue";
import { session } from "./session.ts";

createApp(App).use(createSessionPlugin(session)).mount("#app");
