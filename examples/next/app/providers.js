"use client";

import { SessionProvider } from "everfresh/react";

import { session } from "./session.js";

/** A component of the client, so that the session never leaves it. */
export function Providers({ children }) {
  return <SessionProvider session={session}>{children}</SessionProvider>;
}
