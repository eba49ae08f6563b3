import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { SessionProvider } from "everfresh/react";

import { App } from "./App.tsx";
import { session } from "./session.ts";

createRoot(document.getElementById("app")!).render(
  <StrictMode>
    <SessionProvider session={session}>
      <App />
    </SessionProvider>
  </StrictMode>,
);
