// The tabs of this browser that show the demo, and which of them fetched the token in use.

import { count, nameOf } from "./words.js";

/**
 * Tells the other tabs about this one, and lists all of them.
 *
 * @returns `draw`, which tells what has changed, and `signedIn`, for a token that came so
 */
export function createTabs(session, { list, summary }) {
  const me = { id: crypto.randomUUID(), number: 0 };
  let told = "";
  let drawn = "";
  const others = new Map();
  /** The newest token that this tab fetched, signing in or refreshing. */
  let fetched = 0;
  let channel;

  session.on("refreshed", ({ reason }) => {
    if (reason !== null) fetched = session.snapshot.generation;
  });

  function picture() {
    const { status, generation } = session.snapshot;
    const { committed } = session.stats.outcomes;
    const { id, number } = me;
    return { id, number, status, generation, fetched, refreshes: committed };
  }

  function hear({ data }) {
    if (data.bye) others.delete(data.bye);
    else if (data.ask) post(picture());
    else others.set(data.id, data);
    settleNumbers();
    draw();
  }

  /** Two that came at once may have taken the same. */
  function settleNumbers() {
    const clash = ({ id, number }) => number === me.number && id < me.id;
    if (me.number && [...others.values()].some(clash)) me.number = 1 + highest();
  }

  const highest = () => Math.max(0, ...[...others.values()].map(({ number }) => number));

  const post = (message) => channel?.postMessage(message);

  function open() {
    channel = new BroadcastChannel("everfresh-demo-tabs");
    channel.onmessage = hear;
    post({ ask: true });
    // Whoever is there answers at once; nobody may be there.
    setTimeout(() => {
      me.number ||= 1 + highest();
      draw();
    }, 250);
  }

  // An open channel would keep the page out of the back/forward cache.
  addEventListener("pagehide", () => {
    post({ bye: me.id });
    channel.close();
    channel = undefined;
    others.clear();
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) open();
  });
  open();

  function draw() {
    if (!me.number) return;
    const mine = picture();
    const tabs = [mine, ...others.values()].filter(({ number }) => number);
    tabs.sort((a, b) => a.number - b.number);
    if (JSON.stringify(mine) !== told) post(mine);
    told = JSON.stringify(mine);
    if (JSON.stringify(tabs) === drawn) return;
    drawn = JSON.stringify(tabs);
    list.replaceChildren(...tabs.map((tab) => row(tab, tab.id === me.id)));
    summary.textContent = summarise(tabs);
    document.title = `Tab ${me.number}: ${nameOf(mine.status)}, Everfresh`;
  }

  const signedIn = () => (fetched = session.snapshot.generation);

  return { draw, signedIn };
}

function row({ number, status, generation, fetched, refreshes }, own) {
  const line = document.createElement("li");
  const live = status !== "signed-out" && status !== "unknown";
  line.dataset.own = own;
  line.dataset.fetched = live && fetched === generation;
  const how = fetched === generation ? "fetched by this tab" : "heard from another tab";
  const cells = {
    name: own ? `Tab ${number}, this one` : `Tab ${number}`,
    token: live ? `token ${generation}` : nameOf(status).toLowerCase(),
    how: live ? (generation === 1 ? "from the sign-in" : how) : "",
    refreshes: count(refreshes, "refresh", "refreshes"),
  };
  for (const [name, words] of Object.entries(cells)) {
    const cell = document.createElement("span");
    cell.className = `tab-${name}`;
    cell.textContent = words;
    line.append(cell);
  }
  return line;
}

function summarise(tabs) {
  const refreshes = tabs.reduce((sum, tab) => sum + tab.refreshes, 0);
  if (tabs.length === 1) return "Only this one. Open two more, and watch them share each refresh.";
  return `${tabs.length} tabs, one session: ${count(refreshes, "refresh", "refreshes")} by all of them together.`;
}
