// The demo: one session, and everything that can be seen of it.

import { createSession } from "./everfresh/url.js";

import { createControls } from "./controls.js";
import { createCopy } from "./copy.js";
import { History } from "./history.js";
import { createLog } from "./log.js";
import { createNetwork } from "./network.js";
import { narrate } from "./narrate.js";
import { createRequests } from "./requests.js";
import { findControl, signIn } from "./server.js";
import { options } from "./settings.js";
import { createTabs } from "./tabs.js";
import { createTimeline } from "./timeline.js";
import { createToast, createView } from "./view.js";
import { messageOf } from "./words.js";

const part = (id) => document.getElementById(id);
createCopy(part("copy"), part("code"), part("copied"));
const history = new History();
const requests = createRequests();
const write = createLog(part("log"), part("latest"));
const network = createNetwork((call) => {
  requests.see(call);
  story.tell(call);
});
const session = createSession({ ...options, fetch: network.fetch });
const story = narrate({ session, history, write });

const control = await findControl();
const controls = createControls({ session, network, control, requests, write });
story.onDrop(controls.disarm);
const drawView = createView(session);
const drawToast = createToast(session);
const tabs = createTabs(session, { list: part("tabs"), summary: part("tabs-summary") });
const drawTimeline = createTimeline(part("canvas"));

function draw() {
  const now = Date.now();
  drawView(now, history.tokens.at(-1), story.skew, history.offline);
  drawToast();
  drawTimeline(now, session.snapshot, history);
  tabs.draw();
  controls.draw();
}

// One loop, and only while somebody can see it.
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let waiting = 0;
let drawnAt = 0;
function loop(at) {
  waiting = 0;
  if (document.hidden) return;
  if (at - drawnAt > (calm.matches ? 950 : 30)) {
    drawnAt = at;
    draw();
  }
  waiting ||= requestAnimationFrame(loop);
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) waiting ||= requestAnimationFrame(loop);
});
session.subscribe(draw);
// A hidden tab tells the others all the same.
session.subscribe(tabs.draw);

part("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const send = form.querySelector("button");
  part("problem").textContent = "";
  send.disabled = true;
  try {
    const { username, password } = Object.fromEntries(new FormData(form));
    session.start(await signIn(network, username, password));
    tabs.signedIn();
    part("actions").focus({ preventScroll: true });
  } catch (error) {
    part("problem").textContent = messageOf(error);
  } finally {
    send.disabled = false;
  }
});

part("sign-out").addEventListener("click", async () => {
  write("you", "Sign out.", "This page forgets the tokens at once, then tells the server.");
  await session.signOut();
});

part("stay").addEventListener("click", () => session.touch());

session.on("signed-out", () => {
  draw();
  const { activeElement } = document;
  // The button that had the focus is gone.
  if (activeElement === null || activeElement === document.body || activeElement.closest("[hidden]")) {
    part("sign-in").querySelector("button").focus({ preventScroll: true });
  }
});

loop(performance.now());
try {
  await session.restore();
} catch (error) {
  part("starting").textContent = `The session could not be loaded: ${messageOf(error)}`;
  write("bad", "Not loaded:", messageOf(error));
}
