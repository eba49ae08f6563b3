// `everfresh/dev-server`, and what `npx everfresh-dev-server` runs.

export type { ServiceStyle, SignedIn } from "../service/token-service.ts";
export type { DevFault } from "../dev-server/control.ts";
export {
  type DevServer,
  devServer,
  type DevServerOptions,
  startDevServer,
  type StartDevServerOptions,
} from "../dev-server/server.ts";
