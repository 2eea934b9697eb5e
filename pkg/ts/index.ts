/**
 * authsafe: one client for server sessions and for tokens.
 *
 * @example
 * const auth = createAuthClient({ mode: "session", endpoints: { session: "/session", login: "/login" } });
 * const { state } = await auth.init();
 *
 * @packageDocumentation
 */
export { createAuthClient } from "./client.js";
export { AuthError, type AuthErrorFields, type OAuthErrorResponse } from "./error.js";
export { setWasmSource, setWorkerSource } from "./loader.js";
export { describeStorage } from "./storage.js";
export type * from "./types.js";
