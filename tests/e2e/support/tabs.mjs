// Many tabs of one user.

import assert from "node:assert/strict";

/** Tabs of one session: the first signs in, the others are signed in by it. */
export async function signedInTabs(world, profile, count, options) {
  const tabs = [];
  while (tabs.length < count) tabs.push(await world.open(profile, options));
  const [first, ...others] = tabs;
  await first.signIn();
  await Promise.all(others.map((tab) => tab.restore()));
  return tabs;
}

/** Waits until each holds a generation, and looks that all hold the same token. */
export async function agreeOn(generation, tabs) {
  const tokens = await Promise.all(tabs.map((tab) => tab.generation(generation)));
  assert.deepEqual(tokens, Array(tabs.length).fill([generation, tokens[0][1]]));
}
