import { RequireSession } from "everfresh/react";

import { Account } from "./account.js";
import { SignIn } from "./sign-in.js";

export default function Page() {
  return (
    <RequireSession pending={<p>One moment</p>} fallback={<SignIn />}>
      <Account />
    </RequireSession>
  );
}
