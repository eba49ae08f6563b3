"use client";
// React 18 and 19. Hooks and components never create, start or dispose a session.

export { RequireSession, useRestored, useSessionWarning } from "../react/guards.ts";
export { SessionProvider, useSession, useSessionClient, useSessionEvent } from "../react/session.ts";
