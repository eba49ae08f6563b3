import { HttpClient } from "@angular/common/http";
import { Component, inject, signal } from "@angular/core";
import { injectSession, SESSION } from "everfresh/angular";

@Component({
  selector: "app-account",
  template: `
    <p>Signed in, with token number {{ shown.snapshot().generation }}</p>
    <button (click)="whoAmI()">Who am I?</button>
    <button (click)="session.signOut()">Sign out</button>
    <output>{{ answer() }}</output>
    @if (shown.secondsLeft(); as seconds) {
      <p role="alert">Signing you out in {{ seconds }} seconds <button (click)="session.touch()">Stay</button></p>
    }
  `,
})
export class Account {
  readonly session = inject(SESSION);
  readonly shown = injectSession(); // signals
  readonly answer = signal("");
  readonly #http = inject(HttpClient); // the interceptor adds the token and heals a 401

  whoAmI(): void {
    this.#http.get("/api/me", { responseType: "text" }).subscribe({
      next: (text) => this.answer.set(text),
      error: ({ status }) => this.answer.set(`failed: ${status}`),
    });
  }
}
