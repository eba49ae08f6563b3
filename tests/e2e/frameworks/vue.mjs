import { computed, createApp, h, onUnmounted, ref } from "vue";
import { createSessionPlugin, useSession, useSessionClient } from "everfresh/vue";

import { session } from "./session.mjs";

let mounts = 0;

const Orders = {
  setup() {
    mounts += 1;
    const snapshot = useSession();
    const mount = mounts;
    return () => h("p", { id: "orders" }, `${mount > 1 ? "mounted again" : "mounted once"} ${snapshot.value.generation}`);
  },
};

const App = {
  setup() {
    const snapshot = useSession();
    const ends = ref(0);
    onUnmounted(useSessionClient().on("signed-out", () => (ends.value += 1)));
    const signedIn = computed(() => /active|stale|warning/.test(snapshot.value.status));
    return () => [
      h("p", { id: "status" }, `${snapshot.value.status}, ${ends.value} ends`),
      signedIn.value ? h(Orders) : h("p", { id: "login" }, "sign in"),
    ];
  },
};

createApp(App).use(createSessionPlugin(session)).mount("#app");
