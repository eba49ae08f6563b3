// A page by happy-dom, for the tests of the adapters. To be imported before the framework.

import { Window } from "happy-dom";

export const window = new Window({ url: "https://app.test/start?q=1#there" });

for (const name of [
  ...["window", "document", "navigator", "HTMLElement", "Element", "Node", "Text", "Comment", "SVGElement", "Event"],
  ...["CustomEvent", "MutationObserver", "DocumentFragment", "HTMLIFrameElement", "MouseEvent", "NodeFilter"],
  ...["CSSStyleSheet", "ShadowRoot", "history", "location", "requestAnimationFrame", "cancelAnimationFrame"],
]) {
  const value = name === "window" ? window : window[name];
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
