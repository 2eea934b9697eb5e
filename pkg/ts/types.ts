/**
 * The public vocabulary of authsafe: options in, states and events out.
 *
 * Names that travel on the wire keep their registered spelling (`acr_values`, `max_age`); names that authsafe invents are
 * camelCase. Durations end in `Seconds`; instants are epoch seconds and end in `At`.
 */
import type { AuthErrorCode, ErrorPhase, ErrorRecovery } from "./generated/errors.js";
import type { AuthError } from "./error.js";

/** Claims about a user, as the server sent them. `sub` identifies the user within one issuer. */
export interface Claims {
  /** Subject identifier (OIDC Core §2), unique and never reassigned within the issuer. */
  sub?: string;
  [claim: string]: unknown;
}

/** Claims of an ID token (OIDC Core §2) that passed the rules of §3.1.3.7. */
export interface IdTokenClaims extends Claims {
  iss: string;
  sub: string;
  aud: string | string[];
  /** Epoch seconds. */
  exp: number;
  /** Epoch seconds. */
  iat: number;
  nonce?: string;
  /** Epoch seconds. */
  auth_time?: number;
  acr?: string;
  amr?: string[];
  azp?: string;
  sid?: string;
}

/** One place that may receive a credential. */
export interface AllowedOrigin {
  /** An exact origin, such as `https://api.example.com`. Scheme, host and port must all be equal. */
  origin: string;
  /** Only paths below this prefix, compared at a segment boundary: `/v1` covers `/v1/a` and not `/v10`. */
  pathPrefix?: string;
}

/** When an expiring credential is renewed. */
export interface RefreshPolicy {
  /** Renew by a timer before the credential expires. Default `true`; when `false`, renewal happens on use. */
  proactive?: boolean;
  /** How early. Default: the smaller of 60 s and a tenth of the lifetime. */
  earlySeconds?: number;
  /** Attempts in a row before the timer gives up and leaves renewal to the next use. Default 5. */
  maxAttempts?: number;
}

/** How much is logged. Default `'warn'`. Nothing secret is logged at any level. */
export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

/** A sink for log lines. The console is one. */
export interface Logger {
  error(message: string, detail?: object): void;
  warn(message: string, detail?: object): void;
  info(message: string, detail?: object): void;
  debug(message: string, detail?: object): void;
}

/** Options of both modes. */
export interface CommonConfig<U extends Claims = Claims> {
  /** Names the instance; storage keys, locks and channels derive from it. Default: made from mode, server and client id. */
  id?: string;
  /** Turns the server's claims into the application's user. Must be pure; a throw is reported as `config_invalid`. */
  mapUser?: (raw: Record<string, unknown>) => U;
  /**
   * The only places that `fetch` sends a credential to. Default: the page's own origin in session mode, nothing in token
   * mode.
   */
  allowedOrigins?: readonly (string | AllowedOrigin)[];
  refresh?: RefreshPolicy;
  /**
   * Where the core runs. This version runs it in the page: `'worker'` falls back to the page and says so with
   * `isolationDegraded`; `'required'` fails with `isolation_unavailable`. Default `'page'`.
   */
  isolation?: "worker" | "page" | "required";
  logger?: Logger | LogLevel;
}

/** An HTTP endpoint of the application's backend: a path or URL, or the long form. */
export type Endpoint =
  | string
  | {
      /** An absolute URL, a path of `baseUrl`’s origin (`/x`), or a path below `baseUrl` (`x`). */
      url: string;
      /** Default: `GET` for `session`, `user` and `csrf`, `POST` for the others. */
      method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
      /** How a body is encoded. Default `'json'`. */
      body?: "json" | "form";
      /** Extra headers of every call to this endpoint. */
      headers?: Record<string, string>;
      /** The browser navigates there instead of calling it; for backends that sign in by redirect. */
      navigate?: boolean;
    };

/** What a session endpoint tells about the session. Instants are epoch seconds. */
export interface SessionPayload {
  user: Record<string, unknown>;
  sessionId?: string;
  issuedAt?: number;
  /** When the session ends unless it is extended. */
  expiresAt?: number;
  /** When the session ends whatever happens. */
  absoluteExpiresAt?: number;
  /** The server's clock when it answered; expiry is then judged by it. */
  serverTime?: number;
  csrfToken?: string;
}

/** How the backend expects proof that a request comes from the application's own page. */
export type CsrfConfig =
  | false
  /** The server sets a readable cookie; it is repeated in a header. */
  | { kind: "double-submit"; cookieName: string; headerName: string }
  /** The server tells the token in the session payload (`csrfToken`) or at `endpoints.csrf`; it is sent in a header. */
  | { kind: "synchronizer"; headerName: string }
  /** Any custom header at all: a cross-site form cannot add one. */
  | { kind: "static-header"; headerName: string; value: string };

/** Options of session mode: the server keeps the session, the browser carries an HttpOnly cookie. */
export interface SessionConfig<U extends Claims = Claims> extends CommonConfig<U> {
  mode: "session";
  /** Where the endpoints live. Default: the page's origin. */
  baseUrl?: string;
  endpoints: {
    /** Answers the current session, or 401. */
    session: Endpoint;
    login?: Endpoint;
    logout?: Endpoint;
    /** Prolongs the session and answers it like `session`. */
    extend?: Endpoint;
    /** Answers `{ csrfToken }`, for synchronizer tokens that are not part of the session payload. */
    csrf?: Endpoint;
  };
  /** Which requests carry cookies. Default `'same-origin'`; `'include'` for a backend on another origin. */
  credentials?: "same-origin" | "include";
  csrf?: CsrfConfig;
  /**
   * When the server is asked again. `false`: never by itself. Default: when the page becomes visible or the network comes
   * back, but not within 10 s of the last answer; no interval.
   */
  recheck?: false | { intervalSeconds?: number; onFocus?: boolean; onOnline?: boolean; minIntervalSeconds?: number };
  /** The session as the server rendered it: no first round trip. `null` says that nobody is signed in. */
  initialSession?: SessionPayload | null;
  /** Reads a backend's own session format. Return `null` for "nobody is signed in". */
  parseSession?: (body: unknown, response: Response) => SessionPayload | null;
  /** How this backend says that the session is gone, where it is not a clean 401. */
  isSessionExpired?: (response: Response) => boolean | Promise<boolean>;
}

/** A token endpoint's answer (RFC 6749 §5.1). */
export interface TokenResponse {
  access_token: string;
  token_type: string;
  /** Seconds. */
  expires_in?: number;
  refresh_token?: string;
  id_token?: string;
  scope?: string;
  [extension: string]: unknown;
}

/** Authorization server metadata (RFC 8414, OpenID Connect Discovery 1.0). */
export interface ServerMetadata {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint?: string;
  end_session_endpoint?: string;
  userinfo_endpoint?: string;
  jwks_uri?: string;
  [extension: string]: unknown;
}

/** Parameters that authsafe sets itself; an application cannot. */
export type ReservedParam =
  | "client_id"
  | "redirect_uri"
  | "response_type"
  | "response_mode"
  | "state"
  | "nonce"
  | "scope"
  | "code_challenge"
  | "code_challenge_method"
  | "dpop_jkt"
  | "request"
  | "request_uri";

/** Extra parameters of the authorization request. */
export type AuthorizationParams = {
  prompt?: string;
  login_hint?: string;
  ui_locales?: string;
  acr_values?: string;
  /** Seconds since the user last signed in actively. */
  max_age?: number;
  claims?: object;
  resource?: string | readonly string[];
  audience?: string;
} & { [K in ReservedParam]?: never } & { [extension: string]: unknown };

/** An OpenID provider, and this application's registration there. */
export interface OidcConfig {
  /** Exactly as the provider's metadata spells it; compared byte for byte. https, except on loopback. */
  issuer: string;
  clientId: string;
  /** Default: the page's origin and path at creation, without query and fragment. */
  redirectUri?: string;
  postLogoutRedirectUri?: string;
  /** Default `'openid profile email'`. `offline_access` is never added silently. */
  scope?: string;
  /** For servers whose discovery document cannot be read from a browser. Complete: nothing is fetched then. */
  metadata?: ServerMetadata;
  /** Added to every authorization request. */
  authorizationParams?: AuthorizationParams;
  /** Added to every token request. */
  tokenParams?: Record<string, string>;
  idToken?: {
    /** Tolerance of the time claims. Default 60, at most 300. */
    leewaySeconds?: number;
    /** Sent as `max_age` and checked against `auth_time`. */
    maxAgeSeconds?: number;
  };
}

/** A backend of the application's own that answers a JSON login with OAuth-shaped tokens. */
export interface FirstPartyConfig {
  baseUrl: string;
  endpoints: {
    login: Endpoint;
    refresh?: Endpoint;
    logout?: Endpoint;
    /** Answers the user as JSON; called with the new access token after a login whose answer has no `user`. */
    user?: Endpoint;
  };
  /** Reads a backend's own token format. */
  parseTokens?: (body: unknown, response: Response) => TokenResponse;
  /** The refresh token is an HttpOnly cookie that script never sees: calls to this backend carry cookies. */
  refreshCookie?: boolean;
}

/** Where tokens are kept, by one word or with options. See `describeStorage`. Default `'memory'`. */
export type StorageChoice =
  | "memory"
  | "sessionStorage"
  | "localStorage"
  | "cookie"
  | { kind: "memory" }
  | {
      kind: "sessionStorage" | "localStorage";
      /** Tokens are written as plain text that any script of this origin, and any copy of the profile, can read. */
      dangerouslyPlaintext?: boolean;
    }
  | {
      kind: "cookie";
      /** Default `'/'`. */
      path?: string;
      /** Default `'Strict'`. */
      sameSite?: "Strict" | "Lax";
      /** Default: a session cookie, gone when the browser closes. */
      maxAgeSeconds?: number;
      /** As above; and the browser sends this cookie to the server with every request below `path`. */
      dangerouslyPlaintext?: boolean;
    }
  | {
      kind: "custom";
      adapter: StorageAdapter;
      /** The adapter is handed plain text. */
      dangerouslyPlaintext?: boolean;
    };

/** A storage medium of the application's own. A throw or rejection degrades to memory, with `storageDegraded`. */
export interface StorageAdapter {
  get(key: string): Promise<string | null> | string | null;
  set(key: string, value: string): Promise<void> | void;
  remove(key: string): Promise<void> | void;
}

/** What a storage choice gives and risks. */
export interface StorageDescription {
  survivesReload: boolean;
  sharedAcrossTabs: boolean;
  /** Script of this origin can read what is stored there, without asking authsafe. */
  readableByScript: boolean;
  /** The browser sends it along with requests by itself. */
  sentAutomatically: boolean;
  /** Plain sentences, for documentation and for the person who chooses. */
  notes: readonly string[];
}

/** Options of token mode: the client keeps the tokens and sends them. Give `oidc`, `firstParty`, or both. */
export interface TokenConfig<U extends Claims = Claims> extends CommonConfig<U> {
  mode: "token";
  oidc?: OidcConfig;
  firstParty?: FirstPartyConfig;
  /** Default `'memory'`. */
  storage?: StorageChoice;
}

/** Why nobody is signed in. */
export type SignedOutReason =
  "never" | "logged_out" | "logged_out_elsewhere" | "expired" | "revoked" | "storage_lost" | "user_changed" | "error";

/** How a sign-in is made. */
export type LoginVia = "redirect" | "password";

/** What is known of the session besides the user. Instants are epoch seconds by the server's clock. */
export interface SessionInfo {
  sub?: string;
  sid?: string;
  issuedAt?: number;
  /** When the credential in use ends: the access token, or the session unless it is extended. */
  expiresAt?: number;
  refreshExpiresAt?: number;
  absoluteExpiresAt?: number;
  acr?: string;
  amr?: readonly string[];
  authTime?: number;
  scope?: readonly string[];
  /** Server minus device clock, seconds. */
  clockSkew: number;
}

/** What the client knows right now. A value is never changed in place; the reference changes when something did. */
export type AuthState<U extends Claims = Claims> =
  | { readonly status: "initializing" }
  | { readonly status: "unauthenticated"; readonly reason: SignedOutReason; readonly error?: AuthError }
  | { readonly status: "authenticating"; readonly via: LoginVia }
  | {
      readonly status: "authenticated";
      readonly user: U;
      readonly session: SessionInfo;
      /** `stale`: the last renewal failed and will be tried again; `offline`: because the server was out of reach. */
      readonly freshness: "fresh" | "refreshing" | "stale" | "offline";
    };

/** Options of a sign-in. */
export type LoginOptions = {
  /** Where the application wants to go afterwards: a path of this origin, handed back in the result. */
  returnTo?: string;
  /** Handed back in the result. Must be plain JSON. */
  appState?: unknown;
} & (
  | { via?: "redirect"; authorizationParams?: AuthorizationParams }
  | { via: "password"; username: string; password: string; extra?: Record<string, unknown> }
);

/** A completed sign-in. */
export interface LoginResult<U extends Claims = Claims> {
  user: U;
  session: SessionInfo;
  returnTo?: string;
  appState?: unknown;
}

/** What `init()` found. It does not reject because nobody is signed in, nor because a callback failed. */
export interface InitResult<U extends Claims = Claims> {
  state: AuthState<U>;
  /** The sign-in that this page load completed, if the address was its callback. */
  callback?: LoginResult<U>;
  /** Why a callback or a restore failed. */
  error?: AuthError;
}

/** Options of a sign-out. The local session is gone first, whatever the network does. */
export interface LogoutOptions {
  /**
   * `local`: forget on this device, in all tabs. `provider` (default): also revoke the tokens and end the session at the
   * server; with a provider that has an `end_session_endpoint`, the page navigates there.
   */
  scope?: "local" | "provider";
  /** A path of this origin to come back to; only where the server needs no navigation of its own. */
  returnTo?: string;
}

/** Where the compiled core comes from: an address, a response or the promise of one, the bytes, or a compiled module. */
export type WasmSource = URL | string | Response | PromiseLike<Response> | WebAssembly.Module | BufferSource;

/** The events of a client, by name. */
export interface AuthEvents<U extends Claims = Claims> {
  signedIn: { user: U; origin: "this-tab" | "other-tab" | "restored" };
  signedOut: { reason: SignedOutReason; origin: "this-tab" | "other-tab" | "server" };
  userChanged: { previous: U; current: U };
  refreshed: { expiresAt?: number; by: "this-tab" | "other-tab" };
  /** `willRetryAt` is epoch seconds; `fatal` means that the session has ended. */
  refreshFailed: { error: AuthError; willRetryAt?: number; fatal: boolean };
  /** The credential ends soon and nothing renews it by itself. */
  expiring: { secondsLeft: number };
  storageDegraded: { wanted: string; using: string; cause: string };
  isolationDegraded: { cause: string };
}

/** Options of `getAccessToken`. */
export interface AccessTokenOptions {
  /** The token must live at least this long; otherwise it is renewed first. Default 5. */
  minValiditySeconds?: number;
}

/** Takes a listener back. Safe to call twice. */
export type Unsubscribe = () => void;

/** What both modes offer. */
export interface AuthClient<U extends Claims = Claims> {
  readonly mode: "session" | "token";
  /** Where the core runs; `pending` until `init()` has settled. */
  readonly isolation: "worker" | "page" | "pending";
  /** Loads the core, consumes a callback address if this is one, restores the session, starts timers. Safe to call twice. */
  init(): Promise<InitResult<U>>;
  /** Fetches and compiles the core without starting anything. */
  preload(): Promise<void>;
  /** The current state; the same reference until something changed. */
  getState(): AuthState<U>;
  /** Calls `listener` on every change of state, not at once. */
  subscribe(listener: (state: AuthState<U>) => void): Unsubscribe;
  on<E extends keyof AuthEvents<U>>(
    event: E,
    listener: (detail: AuthEvents<U>[E]) => void,
    options?: { signal?: AbortSignal; once?: boolean },
  ): Unsubscribe;
  /** Signs in. By redirect the page leaves, and the promise settles only if it could not. */
  login(options?: LoginOptions): Promise<LoginResult<U>>;
  logout(options?: LogoutOptions): Promise<void>;
  /** Renews now; concurrent calls share one renewal. */
  refresh(): Promise<AuthState<U>>;
  /**
   * `window.fetch` with the credential added for `allowedOrigins`, renewed first where it is about to expire, and replayed
   * once after a 401 `invalid_token` where the body allows it. Rejects with `AuthError` only for what concerns the
   * credential; a failed network call rejects as `window.fetch` does.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Stops timers and listeners. The stored session stays. Every later call rejects with `disposed`. */
  dispose(): void;
}

/** A client in session mode. */
export interface SessionAuthClient<U extends Claims = Claims> extends AuthClient<U> {
  readonly mode: "session";
  /** Asks the server now. `null`: nobody is signed in. */
  checkSession(): Promise<SessionInfo | null>;
  /** Prolongs the session at `endpoints.extend`. */
  extendSession(): Promise<SessionInfo>;
}

/** A client in token mode. */
export interface TokenAuthClient<U extends Claims = Claims> extends AuthClient<U> {
  readonly mode: "token";
  /** The access token, renewed first where it is about to expire. Prefer `fetch`, which keeps it out of your code. */
  getAccessToken(options?: AccessTokenOptions): Promise<string>;
  /** The claims of the ID token of this session, or `null` where there is none. */
  getIdTokenClaims(): Promise<IdTokenClaims | null>;
  /** Revokes the tokens at the server (RFC 7009) and ends the local session. */
  revoke(): Promise<void>;
}

export type { AuthErrorCode, ErrorPhase, ErrorRecovery };
