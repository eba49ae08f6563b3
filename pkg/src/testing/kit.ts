// Everything that a test of sign-in, expiry, idleness and sign-out needs, without waiting.

import type { SessionOptions } from "../options.ts";
import type { ServiceStyle } from "../service/token-service.ts";
import type { Session } from "../types.ts";

import { KitClock, settle } from "./clock.ts";
import { Browser } from "./realm.ts";
import { KitServer } from "./server.ts";
import { Tab, Tabs } from "./tabs.ts";
import { token } from "./token.ts";

/**
 * Options of the sessions, and of the server. Durations are in seconds.
 *
 * @example const kit = createTestKit({ style: "cookie", ttl: 60, users: { ana: "secret" }, start: new Date("2030-01-01"), idleSeconds: 600 });
 */
export interface TestKitOptions extends Partial<SessionOptions> {
  /** How the sessions refresh ["oauth2"]. */
  readonly style?: ServiceStyle | undefined;
  /** Life of an access token [300]. */
  readonly ttl?: number | undefined;
  /** Who may sign in at `/auth/login`, and with what password [`{ ana: "secret" }`]. */
  readonly users?: Readonly<Record<string, string>> | undefined;
  /** Where time begins [2030-01-01]. */
  readonly start?: Date | number | undefined;
}

/** A browser and a server in memory, and the clock of both. */
export interface TestKit {
  /**
   * The session of the first tab.
   *
   * @example kit.session.start(kit.server.signIn());
   */
  readonly session: Session;
  /**
   * The clock of all tabs and of the server.
   *
   * @example await kit.clock.advance(300);
   */
  readonly clock: KitClock;
  /**
   * The token service and its API.
   *
   * @example kit.server.next("503");
   */
  readonly server: KitServer;
  /**
   * The browser's tabs.
   *
   * @example const other = kit.tabs.open();
   */
  readonly tabs: Tabs;
  /**
   * Makes a token by the kit's clock; see {@link token}.
   *
   * @example kit.session.start(kit.token({ role: "admin" }, { ttl: 60 }));
   */
  token(claims?: object, options?: { readonly ttl?: number; readonly opaque?: boolean }): string;
  /**
   * Lets everything happen that waits for nothing but its turn.
   *
   * @example await kit.settle();
   */
  settle(): Promise<void>;
  /**
   * Ends all tabs. To be called after each test.
   *
   * @throws if a scripted fault met no refresh
   * @example kit.reset(); // in afterEach
   */
  reset(): void;
}

/**
 * A kit. The engine is the one that ships, in tabs whose timers, clock, storage, locks and channel are
 * the kit's; nothing of the runner's environment is touched, and fake timers go along with its clock.
 *
 * @example const kit = createTestKit({ ttl: 300 });
 */
export function createTestKit(options: TestKitOptions = {}): TestKit {
  const { style = "oauth2", ttl = 300, users = { ana: "secret" }, start = Date.UTC(2030, 0, 1), ...given } = options;
  const clock = new KitClock(Number(start));
  const server = new KitServer({
    ...{ style, accessTtl: ttl, idleTtl: 86_400, absoluteTtl: 30 * 86_400, graceSeconds: 0 },
    users: new Map(Object.entries(users).map(([name, password]) => [name, { password, claims: {} }])),
    issuer: () => "https://app.test",
    now: () => clock.now,
  });
  const url = { oauth2: "/oauth/token", json: "/oauth/token", renew: "/auth/renew" }[style as "oauth2"] ?? "/auth/refresh";
  const revokeUrl = url === "/oauth/token" ? "/oauth/revoke" : "/auth/logout";
  const browser = new Browser(clock);
  const sessionOptions = {
    refresh: { url, style, revokeUrl },
    jitterSeconds: 0,
    ...given,
  };
  const tabs = new Tabs(() => new Tab(browser, server.fetch, sessionOptions));
  const { session } = tabs.open();
  return {
    session,
    clock,
    server,
    tabs,
    token: (claims, more) => token(claims, { now: clock.now, ...more }),
    settle,
    reset() {
      for (const tab of tabs.all) tab.dispose();
      const unused = server.unused();
      if (unused.length > 0) {
        throw new Error(`server.next(): no refresh met "${unused.join('", "')}"; script less, or let one happen`);
      }
    },
  };
}
