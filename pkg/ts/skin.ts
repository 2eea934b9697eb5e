/** What passes between this layer and the wasm core. Everything is plain; the classes of the public API stop here. */
import type { AuthErrorFields, OwnErrorCode } from "./error.js";
import type {
  AuthEvents,
  AuthState,
  DiagnosticReport,
  LoginResult,
  SessionConfig,
  SessionInfo,
  SignedOutReason,
  StorageAdapter,
  TokenResponse,
  WasmSource,
} from "./types.js";

/** The claims as the server sent them, before `mapUser`. */
export type RawUser = Record<string, unknown>;

/** An `AuthState` whose user is raw and whose error is plain. */
export type StatePlain =
  | Extract<AuthState, { status: "initializing" | "authenticating" }>
  | { status: "unauthenticated"; reason: SignedOutReason; error?: AuthErrorFields }
  | (Omit<Extract<AuthState, { status: "authenticated" }>, "user"> & { user: RawUser })
  | { status: "locked"; user: RawUser };

/** A completed sign-in whose user is raw. */
export type LoginPlain = Omit<LoginResult, "user"> & { user: RawUser };

/** What starting found. */
export interface InitPlain {
  callback?: LoginPlain;
  error?: AuthErrorFields;
}

/** What one request needs in order to carry the credential. */
export interface GrantPlain {
  headers: [name: string, value: string][];
  credentials?: "same-origin" | "include";
  redirect?: "error";
  /** Names the credential that was given, so that an answer is judged against the right one. */
  ticket: string;
}

/** Whether a request is sent once more: because its credential is another by now, or because its proof lacked a nonce. */
export type Again = boolean | "nonce";

/** The functions among the options, by the names that the core asks for. */
export interface OptionFunctions {
  adapter?: StorageAdapter;
  parseTokens?: (body: unknown, response: Response) => TokenResponse;
  parseSession?: SessionConfig["parseSession"];
  isSessionExpired?: SessionConfig["isSessionExpired"];
}

/** What the core calls. */
export interface Host extends OptionFunctions {
  onState(state: StatePlain): void;
  onEvent(name: keyof AuthEvents, detail: object): void;
  /** In a worker: the page, and what it keeps. Where this is set, access tokens stay inside unless they are exposed. */
  page?: RemotePage;
}

/** The page of a core that runs elsewhere. */
export interface RemotePage {
  /** It is shown within another document. */
  framed: boolean;
  href(): string;
  replaceUrl(url: string): void;
  navigate(url: string): void;
  sessionStorage: StorageAdapter;
  localStorage: StorageAdapter;
  cookies: { get(): Promise<string>; set(cookie: string): Promise<void> };
}

/** What a core does wherever it runs. It throws or rejects with `AuthErrorFields`; anything else is a fault in it. */
export interface Calls {
  init(): Promise<InitPlain>;
  login(options: object): Promise<LoginPlain>;
  logout(options: object): Promise<void>;
  refresh(): Promise<void>;
  revoke(): Promise<void>;
  accessToken(minValiditySeconds: number): Promise<string>;
  idTokenClaims(): object | null | Promise<object | null>;
  diagnose(): Promise<DiagnosticReport>;
  /**
   * `window.fetch` with the credential added where it may go. `body` is what the request was made from, if that is known.
   * Rejects as `window.fetch` does, too.
   */
  fetch(request: Request, body?: unknown): Promise<Response>;
  snapshot(): StatePlain;
  dispose(): void;
}

/** A core in this realm. */
export interface Core extends Calls {
  check(): Promise<SessionInfo | null>;
  extend(): Promise<SessionInfo>;
  /** A `GrantPlain` as JSON. */
  authorize(url: string, method: string): Promise<string | undefined>;
  answered(
    ticket: string,
    status: number,
    wwwAuthenticate: string | null,
    url?: string,
    nonce?: string | null,
  ): Promise<Again>;
  /** The origins of `allowedOrigins`. */
  origins(): string[];
  pageChanged(event: string, visibility: string): void;
  /** It stopped at an internal fault. None of the cores that share its memory is called any more, and each one's owner is told. */
  abandon(fault: unknown): void;
}

/**
 * Makes a core. `onTrap` hears that it was abandoned, be it for a fault that no promise reports, because it happened between two
 * turns of the event loop; `signal` ends the listening.
 */
export type CreateCore = (options: object, host: Host, onTrap: (error: unknown) => void, signal: AbortSignal) => Core;

/** What the core is made from, and the address where it was asked for, if this layer has asked. */
export interface CoreSource {
  given: Exclude<WasmSource, string | URL>;
  address?: string;
}

/** Why the core could not be loaded. Plain, because the class of errors in the other script is not that of this one. */
export interface LoadFault {
  code: OwnErrorCode;
  detail: string;
  cause: unknown;
}
