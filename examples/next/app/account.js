"use client";

import { useState } from "react";
import { useSession, useSessionClient } from "everfresh/react";

import { whoAmI } from "./session.js";

export function Account() {
  const session = useSessionClient();
  const refreshes = useSession(({ generation }) => generation); // renders when it changes
  const [answer, setAnswer] = useState("");
  return (
    <>
      <p>Signed in, with token number {refreshes}</p>
      <button onClick={async () => setAnswer(await whoAmI())}>Who am I?</button>
      <button onClick={() => session.signOut()}>Sign out</button>
      <output>{answer}</output>
    </>
  );
}
