import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { RequireSession, SessionProvider, useSession, useSessionEvent } from "everfresh/react";

import { session } from "./session.mjs";

let mounts = 0;

function Orders() {
  const [mount] = useState(() => (mounts += 1));
  const generation = useSession((snapshot) => snapshot.generation);
  return <p id="orders">{`${mount > 2 ? "mounted again" : "mounted once"} ${generation}`}</p>;
}

function Status() {
  const { status } = useSession();
  const [ends, setEnds] = useState(0);
  useSessionEvent("signed-out", () => setEnds((count) => count + 1));
  useEffect(() => () => {}, []);
  return <p id="status">{`${status}, ${ends} ends`}</p>;
}

createRoot(document.getElementById("app")).render(
  <StrictMode>
    <SessionProvider session={session}>
      <Status />
      <RequireSession fallback={<p id="login">sign in</p>}>
        <Orders />
      </RequireSession>
    </SessionProvider>
  </StrictMode>,
);
