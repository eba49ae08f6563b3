// `everfresh/testing`: no runner is imported, and none is needed.

export type { ServiceStyle, SignedIn } from "../service/token-service.ts";
export type { KitClock } from "../testing/clock.ts";
export { type FakeSession, fakeSession } from "../testing/fake-session.ts";
export { createTestKit, type TestKit, type TestKitOptions } from "../testing/kit.ts";
export { installLocks } from "../testing/locks.ts";
export type { Fault, KitServer, ServerCall } from "../testing/server.ts";
export type { Tab, Tabs } from "../testing/tabs.ts";
export { token } from "../testing/token.ts";
