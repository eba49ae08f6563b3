"use client";

import { useState } from "react";
import { useSession } from "everfresh/react";

import { signIn } from "./session.js";

export function SignIn() {
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
