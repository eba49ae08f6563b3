import { Component, effect, inject } from "@angular/core";
import { Router, RouterOutlet } from "@angular/router";
import { injectSession } from "everfresh/angular";

@Component({ selector: "app-root", imports: [RouterOutlet], template: "<router-outlet />" })
export class App {
  readonly #router = inject(Router);
  readonly #session = injectSession();

  /** A session that ends, here or in another tab, leaves the page that was guarded. */
  readonly leave = effect(() => {
    const { status, reason } = this.#session.snapshot();
    if (status === "signed-out") void this.#router.navigate(["/login"], { queryParams: { reason } });
  });
}
