import { Component, inject, signal } from "@angular/core";
import { ActivatedRoute, Router } from "@angular/router";
import { safeReturnTo } from "everfresh";

import { signIn } from "./session";

@Component({
  selector: "app-sign-in",
  template: `
    <form (submit)="submit($event)">
      <input name="username" value="demo" aria-label="Name" />
      <input name="password" type="password" value="demo" aria-label="Password" />
      <button>Sign in</button>
      <p>{{ problem() }}</p>
    </form>
  `,
})
export class SignIn {
  readonly #router = inject(Router);
  readonly #asked = inject(ActivatedRoute).snapshot.queryParamMap;
  readonly problem = signal("");

  async submit(event: Event): Promise<void> {
    event.preventDefault();
    try {
      await signIn(new FormData(event.target as HTMLFormElement));
      await this.#router.navigateByUrl(safeReturnTo(this.#asked.get("redirect"), "/"));
    } catch (error) {
      this.problem.set((error as Error).message);
    }
  }
}
