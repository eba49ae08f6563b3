/**
 * Token endpoints of services and libraries whose shape needs more than an address and a client id.
 *
 * @packageDocumentation
 */

export * from "../presets/hosted.ts";
export * from "../presets/libraries.ts";
export * from "../presets/servers.ts";
export type { Client, Service } from "../presets/shape.ts";
