// The network of this page: it can be switched off, and everything that passes is seen.

/**
 * A transport for the session's `fetch` option.
 *
 * @param report hears of every finished call:
 * `{ kind, id, at, took, status, replayed, problem }`, status 0 for no answer
 */
export function createNetwork(report) {
  let offline = false;

  async function transport(input, init) {
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    const began = Date.now();
    const call = { kind: kinds[url.pathname] ?? "other", id: url.hash.slice(1), at: began, took: 0 };
    const end = (rest) => report({ ...call, took: Date.now() - began, ...rest });
    if (offline) {
      end({ status: 0, problem: "this page is offline" });
      throw new TypeError("Failed to fetch: this page plays offline");
    }
    let response;
    try {
      response = await fetch(input, init);
    } catch (error) {
      const aborted = error instanceof DOMException && error.name === "AbortError";
      end({ status: 0, problem: aborted ? "no longer wanted" : BROKEN });
      throw error;
    }
    const { status, headers } = response;
    const problem = response.ok ? "" : await problemOf(response.clone());
    end({ status, replayed: headers.has("Refresh-Replayed"), problem });
    return response;
  }

  return {
    fetch: transport,
    get offline() {
      return offline;
    },
    /** Pulls the plug, or puts it back, and tells the page as a browser would. */
    set offline(off) {
      offline = off;
      window.dispatchEvent(new Event(off ? "offline" : "online"));
    },
  };
}

async function problemOf(response) {
  try {
    const { error, error_description: description } = await response.json();
    return description ?? error ?? "";
  } catch {
    return "";
  }
}

/** What is said of an answer that never came. */
export const BROKEN = "the connection broke";

const kinds = {
  "/auth/login": "login",
  "/oauth/token": "refresh",
  "/oauth/revoke": "revoke",
  "/api/me": "request",
};
