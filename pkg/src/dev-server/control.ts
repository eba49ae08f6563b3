// The switchboard: clock, faults, users, tokens. As the companion server's, below /control.

import { empty, fieldsOf, json, refusal, type ServiceRequest, type ServiceResponse } from "../service/messages.ts";
import type { ServiceUser, TokenService } from "../service/token-service.ts";

/**
 * What goes wrong with the next requests to a route.
 *
 * @example
 * server.fault({ route: "POST /oauth/token", kind: "status", status: 429, retry_after: 5, times: 2 });
 * server.fault({ route: "POST /oauth/token", kind: "delay-after-commit", delay_ms: 3_000 });
 */
export interface DevFault {
  /** Method and path: `POST /oauth/token`. */
  readonly route: string;
  /** What goes wrong: before the service has acted, after it, or instead. */
  readonly kind:
    | "drop-before-commit"
    | "drop-after-commit"
    | "delay-before-commit"
    | "delay-after-commit"
    | "status"
    | "html"
    | "no-cors"
    | "hang";
  /** How often [1]. */
  readonly times?: number;
  /** For the delays, in milliseconds [1000]. */
  readonly delay_ms?: number;
  /** For "status" [503]. */
  readonly status?: number;
  /** For "status", in seconds [none]. */
  readonly retry_after?: number;
}

const KINDS =
  /^(drop-before-commit|drop-after-commit|delay-before-commit|delay-after-commit|status|html|no-cors|hang)$/;

/** The clock, the faults and the users of a server. */
export class Control {
  #offset = 0;
  #frozen: number | undefined;
  #faults: { fault: DevFault; left: number }[] = [];
  readonly #requests: Record<string, number> = {};

  /** The server's time, in epoch milliseconds. */
  readonly now = (): number => this.#frozen ?? Date.now() + this.#offset;

  /** Counts a request, and gives the fault that it meets. */
  meet(route: string): DevFault | undefined {
    this.#requests[route] = (this.#requests[route] ?? 0) + 1;
    const found = this.#faults.find(({ fault }) => fault.route === route);
    if (!found) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#faults = this.#faults.filter((other) => other !== found);
    return found.fault;
  }

  /** Makes requests to a route go wrong. */
  fault(fault: DevFault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Answers a request below /control. */
  handle(request: ServiceRequest, path: string, service: TokenService, users: Map<string, ServiceUser>): ServiceResponse {
    const fields = fieldsOf(request) ?? {};
    const route = `${request.method} ${path.slice("/control".length)}`;
    const name = /^POST \/users\/([^/]+)$/.exec(route)?.[1];
    if (name !== undefined) return this.#user(decodeURIComponent(name), fields, service, users);
    switch (route) {
      case "POST /clock":
        return this.#clock(fields);
      case "POST /faults":
        if (typeof fields["route"] !== "string" || !KINDS.test(String(fields["kind"]))) {
          return refusal(400, "invalid_request");
        }
        this.fault(fields as unknown as DevFault);
        return empty(204);
      case "DELETE /faults":
        this.#faults = [];
        return empty(204);
      case "POST /users": {
        const { username, password, ...claims } = fields;
        if (!username || !password) return refusal(400, "invalid_request");
        users.set(String(username), { password: String(password), claims });
        return empty(204);
      }
      case "POST /token": {
        const user = String(fields["username"] ?? users.keys().next().value);
        if (!users.has(user)) return refusal(404, "not_found");
        const { tokens, cookies } = service.signIn(user);
        return json(200, tokens, {}, cookies);
      }
      case "GET /stats":
        return json(200, { requests: this.#requests });
      case "GET /sessions": {
        const shown = [...service.sessions.rows.values()].map(({ sid, username, traded, ended }) => ({
          ...{ sid, username, generation: traded.length, ended: ended ?? null },
        }));
        return json(200, { sessions: shown });
      }
      default:
        return refusal(404, "not_found");
    }
  }

  #clock(fields: Record<string, unknown>): ServiceResponse {
    const { advance_seconds: advance, skew_seconds: skew, freeze } = fields;
    if (typeof advance === "number") {
      this.#offset += advance * 1_000;
      if (this.#frozen !== undefined) this.#frozen += advance * 1_000;
    }
    if (typeof skew === "number") this.#offset = skew * 1_000;
    if (typeof freeze === "boolean") this.#frozen = freeze ? this.now() : undefined;
    return json(200, { now: this.now() });
  }

  #user(
    name: string,
    fields: Record<string, unknown>,
    service: TokenService,
    users: Map<string, ServiceUser>,
  ): ServiceResponse {
    const user = users.get(name);
    if (!user) return refusal(404, "not_found");
    const { reauth, disabled, bump_version: bump, password, ...claims } = fields;
    if (reauth || disabled || bump) service.sessions.end((row) => row.username === name, "login_required");
    if (disabled) users.delete(name);
    if (password) user.password = String(password);
    Object.assign(user.claims, claims);
    return empty(204);
  }
}
