import { createComponent, createEffect, createMemo, createSignal, onCleanup } from "solid-js";
import { render } from "solid-js/web";
import { SessionProvider, useSession, useSessionClient } from "everfresh/solid";

import { session } from "./session.mjs";

let mounts = 0;

/** A paragraph whose text follows; what a compiler of templates would make. */
function paragraph(id, text) {
  const element = Object.assign(document.createElement("p"), { id });
  createEffect(() => (element.textContent = text()));
  return element;
}

function Orders() {
  const snapshot = useSession();
  const mount = (mounts += 1);
  return paragraph("orders", () => `${mount > 1 ? "mounted again" : "mounted once"} ${snapshot().generation}`);
}

function App() {
  const snapshot = useSession();
  const [ends, setEnds] = createSignal(0);
  onCleanup(useSessionClient().on("signed-out", () => setEnds((count) => count + 1)));
  const signedIn = createMemo(() => /active|stale|warning/.test(snapshot().status));
  const shown = createMemo(() => (signedIn() ? Orders() : paragraph("login", () => "sign in")));
  return [paragraph("status", () => `${snapshot().status}, ${ends()} ends`), shown];
}

const root = () => createComponent(SessionProvider, { session, get children() { return App(); } });
render(root, document.getElementById("app"));
