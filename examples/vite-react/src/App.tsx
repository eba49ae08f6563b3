import { useState } from "react";
import { RequireSession, useSession, useSessionClient, useSessionWarning } from "everfresh/react";

import { signIn, whoAmI } from "./session.ts";

export function App() {
  return (
    <RequireSession pending={<p>One moment</p>} fallback={<SignIn />}>
      <Account />
    </RequireSession>
  );
}

function SignIn() {
  const reason = useSession(({ reason }) => reason);
  const [problem, setProblem] = useState("");
  return (
    <form action={(form) => signIn(form).catch((error) => setProblem(error.message))}>
      <input name="username" defaultValue="demo" aria-label="Name" />
      <input name="password" type="password" defaultValue="demo" aria-label="Password" />
      <button>Sign in</button>
      <p>{problem || (reason && `You were signed out: ${reason}`)}</p>
    </form>
  );
}

function Account() {
  const session = useSessionClient();
  const refreshes = useSession(({ generation }) => generation); // renders when it changes
  const [answer, setAnswer] = useState("");
  return (
    <>
      <p>Signed in, with token number {refreshes}</p>
      <button onClick={async () => setAnswer(await whoAmI())}>Who am I?</button>
      <button onClick={() => session.signOut()}>Sign out</button>
      <output>{answer}</output>
      <Warning />
    </>
  );
}

function Warning() {
  const { open, secondsLeft, stay } = useSessionWarning();
  if (!open) return null;
  return (
    <p role="alert">
      Signing you out in {secondsLeft} seconds <button onClick={stay}>Stay</button>
    </p>
  );
}
