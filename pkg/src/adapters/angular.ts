// Angular 18 and later: providers, signals, an interceptor and a guard. No HttpClient is injected.

import {
  HttpContextToken,
  HttpErrorResponse,
  type HttpInterceptorFn,
  type HttpRequest,
} from "@angular/common/http";
import {
  computed,
  DestroyRef,
  type EnvironmentProviders,
  inject,
  InjectionToken,
  makeEnvironmentProviders,
  type Signal,
  signal,
} from "@angular/core";
import { type CanActivateFn, type CanMatchFn, Router, type UrlTree } from "@angular/router";
import { catchError, from, of, switchMap, throwError } from "rxjs";

import { listen } from "../listen.ts";
import type { Session, Snapshot } from "../types.ts";

import { hasPage, isSignedIn, ready } from "../ready.ts";

/**
 * The session that `provideEverfresh` provides.
 *
 * @example const session = inject(SESSION);
 */
export const SESSION: InjectionToken<Session> = new InjectionToken<Session>("everfresh");

/**
 * Provides a session to the application. It restores nothing: call `restore()` beside `createSession`.
 *
 * @example const providers = [provideEverfresh(createSession({ refresh: "/oauth/token" }))];
 */
export function provideEverfresh(session: Session): EnvironmentProviders {
  return makeEnvironmentProviders([{ provide: SESSION, useValue: session }]);
}

/**
 * The session's state as signals, until the injector is destroyed.
 *
 * @example const { snapshot, isSignedIn, secondsLeft } = injectSession();
 */
export function injectSession(session: Session = inject(SESSION)): {
  /** All of it. */
  readonly snapshot: Signal<Snapshot>;
  /** Whether a user is signed in, during a refresh or a warning too. */
  readonly isSignedIn: Signal<boolean>;
  /** Whole seconds to the end, during a warning only. */
  readonly secondsLeft: Signal<number | null>;
} {
  const snapshot = signal(session.snapshot);
  if (hasPage()) {
    const update = () => snapshot.set(session.snapshot);
    inject(DestroyRef).onDestroy(listen(session, () => session.subscribe(update)));
  }
  return {
    snapshot: snapshot.asReadonly(),
    isSignedIn: computed(() => isSignedIn(snapshot())),
    secondsLeft: computed(() => snapshot().secondsLeft),
  };
}

/**
 * In the context of a request: `true` sends it without the session [false].
 *
 * @example inject(HttpClient).get("/i18n.json", { context: new HttpContext().set(SKIP_SESSION, true) });
 */
export const SKIP_SESSION: HttpContextToken<boolean> = new HttpContextToken(() => false);

/**
 * Gives the token to requests to the session's origins, and heals a 401 by one shared refresh and one
 * resend. Put it last in `withInterceptors`. Signed out, requests go without a token.
 *
 * @example const providers = [provideHttpClient(withInterceptors([sessionInterceptor]))];
 */
export const sessionInterceptor: HttpInterceptorFn = (request, next) => {
  const session = inject(SESSION);
  if (request.context.get(SKIP_SESSION) || request.headers.has("Authorization")) return next(request);
  const url = request.urlWithParams;
  return from(session.authorize(url)).pipe(
    switchMap((sent) => {
      if (sent === null) return next(request);
      return next(withToken(request, sent)).pipe(
        catchError((error: unknown) => {
          if (!(error instanceof HttpErrorResponse && error.status === 401)) return throwError(() => error);
          return from(session.reauthorize(url, sent)).pipe(
            // What refreshing failed of is for the session to tell: the caller gets the 401.
            catchError(() => of(null)),
            switchMap((newer) => (newer === null ? throwError(() => error) : next(withToken(request, newer)))),
          );
        }),
      );
    }),
  );
};

const withToken = <T>(request: HttpRequest<T>, value: string): HttpRequest<T> =>
  request.clone({ setHeaders: { Authorization: value } });

/**
 * For `canActivate` and `canMatch`: waits until it is known who is there. On a server every user passes.
 *
 * @param options - `login`: where to go else, with `redirect` and `reason` in the query; or a function
 * that says where
 * @example const routes: Routes = [{ path: "orders", children: [], canActivate: [sessionGuard({ login: "/login" })] }];
 */
export function sessionGuard(options: {
  readonly login: string | ((redirect: string, snapshot: Snapshot) => UrlTree);
  readonly session?: Session | undefined;
}): CanActivateFn & CanMatchFn {
  const { login } = options;
  return async (): Promise<true | UrlTree> => {
    const session = options.session ?? inject(SESSION);
    const router = inject(Router);
    if (!hasPage()) return true;
    const redirect = String(router.getCurrentNavigation()?.extractedUrl ?? router.url);
    const snapshot = await ready(session);
    if (isSignedIn(snapshot)) return true;
    if (typeof login === "function") return login(redirect, snapshot);
    return router.createUrlTree([login], {
      queryParams: { redirect, reason: snapshot.reason ?? "none" },
    });
  };
}
