import { provideHttpClient, withInterceptors } from "@angular/common/http";
import { provideZonelessChangeDetection } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { provideRouter } from "@angular/router";
import { provideEverfresh, sessionGuard, sessionInterceptor } from "everfresh/angular";

import { Account } from "./account";
import { App } from "./app";
import { session } from "./session";
import { SignIn } from "./sign-in";

bootstrapApplication(App, {
  providers: [
    provideZonelessChangeDetection(),
    provideEverfresh(session),
    provideHttpClient(withInterceptors([sessionInterceptor])), // the last one
    provideRouter([
      { path: "login", component: SignIn },
      { path: "", component: Account, canActivate: [sessionGuard({ login: "/login" })] },
    ]),
  ],
});
