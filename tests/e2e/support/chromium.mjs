// The driver for Chromium.
//
// Every driver is a module with this one function. A browser makes profiles, which share nothing; a
// profile makes pages, which share storage, locks and channels as the tabs of one user do.
//
//   launch() -> browser   { name, newProfile(), close() }
//   profile               { newPage(url), setOffline(is), close() }
//   page                  { evaluate(fn, argument), touch(), reload(), close() }
//
// `evaluate` runs a function that sees nothing but the page and its argument, awaits what it
// returns, and hands that back as JSON would. `touch` is real user input.

import { chromium } from "playwright-core";

/** Starts the browser at `E2E_CHROMIUM`, or Debian's. */
export async function launch() {
  const browser = await chromium.launch({
    executablePath: process.env.E2E_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
    // The test process ends on signals by itself, and takes the browser along.
    ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
  });
  return {
    name: "chromium",
    newProfile: async () => profile(await browser.newContext()),
    close: () => browser.close(),
  };
}

function profile(context) {
  return {
    newPage: async (url) => {
      const tab = await context.newPage();
      await tab.goto(url);
      return page(tab);
    },
    setOffline: (is) => context.setOffline(is),
    close: () => context.close(),
  };
}

function page(tab) {
  return {
    evaluate: (fn, argument) => tab.evaluate(fn, argument),
    touch: () => tab.mouse.click(1, 1),
    reload: async () => {
      await tab.reload();
    },
    close: () => tab.close(),
  };
}
