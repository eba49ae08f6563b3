// A worker of any kind, or a page in a frame: it does what the page around it tells it.

import "./e2e.js";

function hear(event) {
  const { data: [name, argument], ports: [port] } = event;
  const done = e2e.outcome((async () => e2e.does[name](argument))());
  const answered = done.then((outcome) => port.postMessage(outcome));
  // A service worker is ended when nothing keeps it.
  event.waitUntil?.(answered);
}

addEventListener("message", hear);
addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = hear;
});
addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  const signs = globalThis.session && pathname.startsWith("/api/");
  if (signs) event.respondWith(session.fetch(event.request));
});
