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
  /** Issuer identifier. */
  iss: string;
  /** Subject identifier. */
  sub: string;
  /** For whom the token was issued: the client id, or several. */
  aud: string | string[];
  /** Epoch seconds. */
  exp: number;
  /** Epoch seconds. */
  iat: number;
  /** As it was sent in the authorization request. */
  nonce?: string;
  /** Epoch seconds. */
  auth_time?: number;
  /** Authentication context class. */
  acr?: string;
  /** Authentication methods, such as `pwd` or `otp`. */
  amr?: string[];
  /** The client id of the party to which the token was issued. */
  azp?: string;
  /** Session identifier at the provider. */
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
  /**
   * Renew by a timer before the credential expires. Default in token mode `true`; when `false`, renewal happens on use.
   * Default in session mode `false`: prolonging a session without its user defeats the server's idle timeout.
   */
  proactive?: boolean;
  /**
   * How early. Default: the smaller of 60 s and a tenth of the lifetime. A credential that lives 30 s or less is then renewed on
   * use only. A hidden tab waits up to 10 s longer, so that a visible one goes first.
   */
  earlySeconds?: number;
  /** Attempts in a row before the timer gives up and leaves renewal to the next use. Default 5. */
  maxAttempts?: number;
  /**
   * How long after the credential's end the user still counts as signed in while the server cannot be reached, at most a year.
   * Within it the state is `authenticated` with freshness `offline`; after it, `unauthenticated` with reason `error` and what
   * failed. The session is kept, and comes back as soon as the server can be asked: with `signedIn`, if it stands. Requests fail
   * from the credential's end on in either case: no credential is sent longer than it lives. Default: no limit; a server that
   * is out of reach signs nobody out.
   */
  offlineGraceSeconds?: number;
}

/**
 * When a user counts as away: where on the pages of this client nothing was done for so long, in any tab. A pointer, a key, a
 * wheel, a touch and a tab that is turned to count, in steps of five seconds; what script makes up, a renewal, a request, a
 * reload and what is done in frames of other origins do not.
 */
export interface IdlePolicy {
  /** How long. At least 10. The time that a device sleeps counts. */
  timeoutSeconds: number;
  /** How long before that `idleWarning` begins to count down. Default: the smaller of 60 and a quarter of the time; 0 for never. */
  warnSeconds?: number;
  /**
   * What happens then. `'logout'`: what `logout()` does, except that the page does not leave for the provider, whose own session
   * stays; the reason is `idle`. `'lock'`: the state is `locked` and nothing is handed out or renewed, not after a reload either,
   * until somebody signs in by `login()`. It keeps an honest page from working on, and no script from anything. In session mode
   * it needs a `login` endpoint without `navigate`. `'event'`: `idleWarning` with 0 seconds left, and nothing else. Default `'logout'`.
   */
  onTimeout?: "logout" | "lock" | "event";
}

/** How much is logged: this, and what is graver. Default `'warn'`. Nothing secret is logged at any level, and no claim. */
export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

/** A sink for log lines, of every level. The console is one. */
export interface Logger {
  /** Nobody is signed in because something failed: `init()`, the core, or the last renewal. */
  error(message: string, detail?: object): void;
  /** Something failed and is dealt with, or gives less than was asked for: a renewal that is tried again, a callback. */
  warn(message: string, detail?: object): void;
  /** Something happened as it should: `signedIn`, `signedOut`, `userChanged`, `refreshed`, `expiring`. */
  info(message: string, detail?: object): void;
  /** Every change of state: its status and freshness. */
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
  /** When an expiring credential is renewed. */
  refresh?: RefreshPolicy;
  /** What happens when the user goes away. Default: nothing. */
  idle?: IdlePolicy;
  /**
   * Where the core runs. `'worker'`: in a worker of its own, so that no script of the page can reach the tokens; where no
   * worker can be had it runs in the page, and the event `isolationDegraded` says why. `'required'`: in a worker, or `init()`
   * fails with `isolation_unavailable`. `'page'`: in the page. Default `'worker'` in token mode and `'page'` in session mode,
   * where the page has nothing to hide.
   */
  isolation?: "worker" | "page" | "required";
  /** A sink for log lines, or how much the console hears. Default `'warn'`. */
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
      /**
       * The browser navigates there instead of calling it, with `returnTo` in the query; for backends that sign in by
       * redirect. `login()` then takes no `appState` and no `authorizationParams`: nobody would hand them on.
       */
      navigate?: boolean;
    };

/** What a session endpoint tells about the session. Instants are epoch seconds. */
export interface SessionPayload {
  /** The claims about the user, handed to `mapUser`. */
  user: Record<string, unknown>;
  /** Names the session. Not a credential: it is shown in the state. */
  sessionId?: string;
  /** When the session began. */
  issuedAt?: number;
  /** When the session ends unless it is extended. */
  expiresAt?: number;
  /** When the session ends whatever happens. */
  absoluteExpiresAt?: number;
  /** The server's clock when it answered; expiry is then judged by it. */
  serverTime?: number;
  /** Sent back in a header with requests that change something; see `csrf`. */
  csrfToken?: string;
}

/** How the backend expects proof that a request comes from the application's own page. */
export type CsrfConfig =
  | false
  | {
      /** The server sets a readable cookie; it is repeated in a header. */
      kind: "double-submit";
      /** The cookie that the server sets. */
      cookieName: string;
      /** The header that repeats it. */
      headerName: string;
    }
  | {
      /** The server tells the token in the session payload (`csrfToken`) or at `endpoints.csrf`; it is sent in a header. */
      kind: "synchronizer";
      /** The header that carries it. */
      headerName: string;
    }
  | {
      /** Any custom header at all: a cross-site form cannot add one. */
      kind: "static-header";
      /** Which header. */
      headerName: string;
      /** Always the same. */
      value: string;
    };

/** Options of session mode: the server keeps the session, the browser carries an HttpOnly cookie. */
export interface SessionConfig<U extends Claims = Claims> extends CommonConfig<U> {
  /** The server keeps the session. */
  mode: "session";
  /** Where the endpoints live. Default: the page's origin. */
  baseUrl?: string;
  /** What the backend offers. */
  endpoints: {
    /** Answers the current session, or 401. */
    session: Endpoint;
    /** Signs in by user name and password, or by navigation. */
    login?: Endpoint;
    /** Ends the session at the server. */
    logout?: Endpoint;
    /** Prolongs the session and answers it like `session`. */
    extend?: Endpoint;
    /** Answers `{ csrfToken }`, for synchronizer tokens that are not part of the session payload. */
    csrf?: Endpoint;
  };
  /** Which requests carry cookies. Default `'same-origin'`; `'include'` for a backend on another origin. */
  credentials?: "same-origin" | "include";
  /** How the backend wants proof against cross-site requests. Default `false`. */
  csrf?: CsrfConfig;
  /**
   * When the server is asked again. `false`: never by itself. Default: when the page becomes visible or the network comes
   * back, but not within 10 s of the last answer; no interval.
   */
  recheck?:
    | false
    | {
        /** By the clock. Default: never. */
        intervalSeconds?: number;
        /** When the page becomes visible. Default `true`. */
        onFocus?: boolean;
        /** When the network comes back. Default `true`. */
        onOnline?: boolean;
        /** Not sooner than this after the last answer. Default 10. */
        minIntervalSeconds?: number;
      };
  /** The session as the server rendered it: no first round trip. `null` says that nobody is signed in. */
  initialSession?: SessionPayload | null;
  /** Reads a backend's own session format. Return `null` for "nobody is signed in". */
  parseSession?: (body: unknown, response: Response) => SessionPayload | null;
  /** How this backend says that the session is gone, where it is not a clean 401. */
  isSessionExpired?: (response: Response) => boolean | Promise<boolean>;
}

/** A token endpoint's answer (RFC 6749 §5.1). */
export interface TokenResponse {
  /** The credential for requests. */
  access_token: string;
  /** Must be `Bearer`, in any case. */
  token_type: string;
  /** Seconds. */
  expires_in?: number;
  /** Obtains the next access token. */
  refresh_token?: string;
  /** A signed statement about the sign-in (OIDC Core §2). */
  id_token?: string;
  /** What the access token covers, separated by spaces. */
  scope?: string;
  [extension: string]: unknown;
}

/** Authorization server metadata (RFC 8414, OpenID Connect Discovery 1.0). */
export interface ServerMetadata {
  /** Must be equal to the configured issuer. */
  issuer: string;
  /** Where the browser goes for a sign-in. */
  authorization_endpoint: string;
  /** Where tokens are obtained. */
  token_endpoint: string;
  /** Where tokens are revoked (RFC 7009). */
  revocation_endpoint?: string;
  /** Where the browser goes for a sign-out (OIDC RP-Initiated Logout 1.0). */
  end_session_endpoint?: string;
  /** Where the claims about the user are read (OIDC Core §5.3). Needed where `userInfo` is true. */
  userinfo_endpoint?: string;
  /** Where the provider's keys are read. Needed unless `idToken.verifySignature` is false. */
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
  /** `none`, `login`, `consent` or `select_account`, or several separated by spaces. */
  prompt?: string;
  /** The user name, where it is known already. */
  login_hint?: string;
  /** Languages, in order of preference, separated by spaces. */
  ui_locales?: string;
  /**
   * Authentication context classes, in order of preference, separated by spaces. A sign-in whose ID token has none of them fails
   * with `authentication_insufficient`.
   */
  acr_values?: string;
  /** Seconds since the user last signed in actively. */
  max_age?: number;
  /** Claims that are asked for one by one (OIDC Core §5.5). */
  claims?: object;
  /** The APIs that the access token is for (RFC 8707). */
  resource?: string | readonly string[];
  /** The API that the access token is for, where the provider has its own parameter for that. */
  audience?: string;
} & { [K in ReservedParam]?: never } & { [extension: string]: unknown };

/** An OpenID provider, and this application's registration there. */
export interface OidcConfig {
  /** Exactly as the provider's metadata spells it; compared byte for byte. https, except on loopback. */
  issuer: string;
  /** As the provider registered it. */
  clientId: string;
  /** Default: the page's origin and path at creation, without query and fragment. */
  redirectUri?: string;
  /** Where the provider sends the browser after a sign-out. Must be registered there. */
  postLogoutRedirectUri?: string;
  /** Default `'openid profile email'`. `offline_access` is never added silently. */
  scope?: string;
  /** For servers whose discovery document cannot be read from a browser. Complete: nothing is fetched then. */
  metadata?: ServerMetadata;
  /** Added to every authorization request. */
  authorizationParams?: AuthorizationParams;
  /** Added to every token request. */
  tokenParams?: Record<string, string>;
  /** How the ID token is judged. */
  idToken?: {
    /**
     * Whether its signature is verified, by the keys at `jwks_uri`. Default true. With false, that the token came from the token
     * endpoint over TLS stands in for the signature (OIDC Core §3.1.3.7 rule 6): whoever can answer in the place of that endpoint
     * says who the user is. All other rules hold.
     */
    verifySignature?: boolean;
    /** By which algorithms it may be signed. Default RS256, PS256, ES256 and EdDSA. */
    algs?: readonly JwsAlg[];
    /**
     * Tolerance of the time claims. Default 60, at most 300. They are judged at a sign-in, by the server's clock as the token's own
     * `iat` tells it; of a renewed token, only that it ends after it began.
     */
    leewaySeconds?: number;
    /** Sent as `max_age` and checked against `auth_time`. */
    maxAgeSeconds?: number;
  };
  /**
   * Whether the provider's UserInfo endpoint is asked about the user (OIDC Core §5.3), once after each sign-in, with the new access
   * token in the header. Default false: `user` is what the ID token says. Needs `openid` in `scope`, and CORS at the endpoint.
   *
   * `user` then has the claims of the ID token and of the answer. Where both have one, the answer's counts, except for those that an
   * ID token has about itself and the sign-in: `iss`, `sub`, `aud`, `exp`, `iat`, `nbf`, `auth_time`, `nonce`, `acr`, `amr`, `azp`,
   * `at_hash`, `c_hash` and `sid` are always the ID token's. It is kept with the session, over reloads, and not asked for
   * again by a renewal, so it is as old as the sign-in; a claim that a renewed ID token has changed is the ID token's from then on.
   *
   * Nobody is signed in by an answer that is not plain JSON about the `sub` of the ID token (`userinfo_invalid`,
   * `userinfo_subject_mismatch`), nor without one (`userinfo_unavailable`): a provider whose endpoint fails lets nobody in. It is not
   * signed: whoever can answer in the endpoint's place says what `user` has beside the ID token.
   */
  userInfo?: boolean;
}

/** A signature by a private key. `none` and the HMAC algorithms cannot be allowed. `Ed25519` is the newer name of `EdDSA`. */
export type JwsAlg =
  "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA" | "Ed25519";

/** A backend of the application's own that answers a JSON login with OAuth-shaped tokens. */
export interface FirstPartyConfig {
  /** Where the endpoints live. */
  baseUrl: string;
  /** What the backend offers. */
  endpoints: {
    /** Takes user name and password, answers tokens. */
    login: Endpoint;
    /** Takes the refresh token, answers new tokens. */
    refresh?: Endpoint;
    /** Revokes the tokens. */
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
  | "indexedDB"
  | "cookie"
  | {
      /** Gone with the page. */
      kind: "memory";
    }
  | {
      /** `sessionStorage` ends with the tab; `localStorage` and `indexedDB` stay, and all tabs share them. */
      kind: "sessionStorage" | "localStorage" | "indexedDB";
      /** Tokens are not sealed, but written as plain text that any script of this origin, and any copy of the profile, can read. */
      dangerouslyPlaintext?: boolean;
    }
  | {
      /** A cookie that authsafe writes and script can read. */
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
      /** A medium of the application's own. */
      kind: "custom";
      /** How it is read and written. */
      adapter: StorageAdapter;
      /** The adapter is handed plain text, and not sealed text. */
      dangerouslyPlaintext?: boolean;
    };

/**
 * A storage medium of the application's own. It is handed sealed text. A throw or rejection degrades to memory, with
 * `storageDegraded`.
 */
export interface StorageAdapter {
  /** The value that was set under this key, or `null`. */
  get(key: string): Promise<string | null> | string | null;
  /** Keeps a value. */
  set(key: string, value: string): Promise<void> | void;
  /** Forgets it. Not an error where there is none. */
  remove(key: string): Promise<void> | void;
}

/** What a storage choice gives and risks. */
export interface StorageDescription {
  /** A reload keeps the session. */
  survivesReload: boolean;
  /** Other tabs of this origin have the same session. */
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
  /** The client keeps the tokens. */
  mode: "token";
  /** An OpenID provider. */
  oidc?: OidcConfig;
  /** A backend of the application's own. */
  firstParty?: FirstPartyConfig;
  /** Default `'memory'`. */
  storage?: StorageChoice;
  /**
   * Lets `getAccessToken()` hand the token to the page, and so to any script in it, although a worker holds it. In page
   * isolation it changes nothing: there, script can get at the token anyway. Default `false`.
   */
  exposeAccessToken?: boolean;
  /**
   * How a page load gets back the session of an earlier one, where an application signs in by `oidc`. `"refresh-token"`: what
   * `storage` holds, or a refresh cookie. `"auto"`, the default: then, in a tab whose user had signed in and not signed out, the
   * page leaves for the provider once (`prompt=none`) and comes back as from a sign-in, or to where it was with nobody signed
   * in. `"redirect"`: so in every tab, once. `"none"`: every page load begins signed out.
   */
  restore?: "auto" | "none" | "refresh-token" | "redirect";
  /**
   * Whether the provider's tokens are bound to a key that never leaves this browser (RFC 9449), so that a token that was
   * stolen is of no use elsewhere. `'auto'`: where the provider's metadata lists ES256 in `dpop_signing_alg_values_supported`
   * and the browser keeps keys; bearer tokens otherwise. Every API of `allowedOrigins` must then understand the scheme `DPoP`.
   * `'always'`: or sign-in fails with `dpop_unavailable` or `dpop_not_bound`. `'never'`: bearer tokens. Default `'auto'`.
   * Tokens of `firstParty` are bearer tokens.
   */
  dpop?: "auto" | "always" | "never";
}

/** Why nobody is signed in. */
export type SignedOutReason =
  | "never"
  | "logged_out"
  | "logged_out_elsewhere"
  | "expired"
  | "idle"
  | "revoked"
  | "storage_lost"
  | "user_changed"
  | "error";

/** How a sign-in is made. */
export type LoginVia = "redirect" | "password";

/** What is known of the session besides the user. Instants are epoch seconds by the server's clock. */
export interface SessionInfo {
  /** Subject identifier. */
  sub?: string;
  /** Session identifier at the server. */
  sid?: string;
  /** When the credential in use was issued. */
  issuedAt?: number;
  /** When the credential in use ends: the access token, or the session unless it is extended. */
  expiresAt?: number;
  /** When the refresh token ends, where the server says so. */
  refreshExpiresAt?: number;
  /** When the session ends whatever happens. */
  absoluteExpiresAt?: number;
  /**
   * When the user counts as away, if nothing is done. It follows the user in steps of a tenth of `idle.timeoutSeconds` or a minute,
   * so that the state does not change with every touch: the true end is never earlier.
   */
  idleExpiresAt?: number;
  /** Authentication context class. */
  acr?: string;
  /** Authentication methods. */
  amr?: readonly string[];
  /** When the user last signed in actively. */
  authTime?: number;
  /** What the access token covers. */
  scope?: readonly string[];
  /**
   * Server minus device clock, seconds: from `iat` of an ID token, `serverTime` of a session, or the header `Date` where the
   * server lets script read it. 0 where the difference is below two seconds or not known.
   */
  clockSkew: number;
}

/** What the client knows right now. A value is never changed in place; the reference changes when something did. */
export type AuthState<U extends Claims = Claims> =
  | {
      /**
       * Nothing is known yet: before `init()`, and when the page comes back from the back-forward cache, until it is known what
       * happened meanwhile.
       */
      readonly status: "initializing";
    }
  | {
      /** Nobody is signed in. */
      readonly status: "unauthenticated";
      /** Why not. */
      readonly reason: SignedOutReason;
      /** What went wrong, where something did. */
      readonly error?: AuthError;
    }
  | {
      /** A sign-in is under way. */
      readonly status: "authenticating";
      /** How it is made. */
      readonly via: LoginVia;
    }
  | {
      /** Somebody is signed in. */
      readonly status: "authenticated";
      /** Who it is. */
      readonly user: U;
      /** What is known besides. */
      readonly session: SessionInfo;
      /**
       * `stale`: the credential has ended or its last renewal failed, and the next use renews it; `offline`: because the
       * server was out of reach.
       */
      readonly freshness: "fresh" | "refreshing" | "stale" | "offline";
    }
  | {
      /** The user was away for too long; nothing is handed out until somebody signs in. See `idle.onTimeout`. */
      readonly status: "locked";
      /** Whose session it is. */
      readonly user: U;
    };

/** Options of a sign-in. */
export type LoginOptions = {
  /** Where the application wants to go afterwards: a path of this origin, handed back in the result. */
  returnTo?: string;
  /** Handed back in the result. Must be plain JSON. Refused where `endpoints.login` has `navigate`. */
  appState?: unknown;
  /**
   * Calls the sign-in off: the promise rejects with `aborted` at once; its `cause` is the signal's reason. While `init()` is
   * still at work, nothing has been sent, and nothing will be. After that the attempt cannot be stopped in this version. By
   * password, the server may still accept it: the session is then ended again, here and at the server, so that `signedIn`
   * and `signedOut` follow one another, and a session that stood before is over, too. By redirect, the page may still
   * leave, and what the user does at the provider then counts.
   */
  signal?: AbortSignal;
} & (
  | {
      /** The browser goes to the provider and comes back. The default. */
      via?: "redirect";
      /** Added to this authorization request. Token mode only. */
      authorizationParams?: AuthorizationParams;
    }
  | {
      /** The application's own form; needs a login endpoint. */
      via: "password";
      /** As the user typed it. */
      username: string;
      /** As the user typed it. Sent once, and kept nowhere. */
      password: string;
      /** More members of the body, such as a one-time code. */
      extra?: Record<string, unknown>;
    }
);

/** A completed sign-in. */
export interface LoginResult<U extends Claims = Claims> {
  /** Who is signed in. */
  user: U;
  /** What is known besides. */
  session: SessionInfo;
  /** As it was given to `login`, also where the page was left in between. */
  returnTo?: string;
  /** As it was given to `login`. */
  appState?: unknown;
}

/** What `init()` found. It does not reject because nobody is signed in, nor because a callback failed. */
export interface InitResult<U extends Claims = Claims> {
  /** The state after it all. */
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
  /** Somebody is signed in who was not before. */
  signedIn: {
    /** Who it is. */
    user: U;
    /** Where the sign-in was made; `restored` by an earlier page. */
    origin: "this-tab" | "other-tab" | "restored";
  };
  /** Nobody is signed in any more. */
  signedOut: {
    /** Why not. */
    reason: SignedOutReason;
    /** Who ended it. */
    origin: "this-tab" | "other-tab" | "server";
  };
  /** Another user is signed in than before. */
  userChanged: {
    /** Who was signed in. */
    previous: U;
    /** Who is signed in now. */
    current: U;
  };
  /** The credential was renewed. */
  refreshed: {
    /** When the new one ends. Epoch seconds. */
    expiresAt?: number;
    /** Who renewed it. */
    by: "this-tab" | "other-tab";
  };
  /** A renewal failed. */
  refreshFailed: {
    /** Why. */
    error: AuthError;
    /** When it is tried again by itself. Epoch seconds. */
    willRetryAt?: number;
    /** The session has ended. */
    fatal: boolean;
  };
  /** The credential ends soon and nothing renews it by itself. */
  expiring: {
    /** How soon. */
    secondsLeft: number;
  };
  /**
   * The user seems to be away: said each second of the countdown, until the user does something; then the state changes, as its
   * `idleExpiresAt` is a later one.
   */
  idleWarning: {
    /** How long it takes until `idle.onTimeout` happens. 0, where that is `'event'` and it happens now. */
    secondsLeft: number;
  };
  /** The chosen medium does not work; another is used instead. */
  storageDegraded: {
    /** The medium that was chosen. */
    wanted: string;
    /** The one that is used. */
    using: string;
    /** What is wrong with it. */
    cause: string;
  };
  /** The core does not run where it was asked to. */
  isolationDegraded: {
    /** Why not. */
    cause: string;
  };
}

/** Something that happened to a client. Nothing in it is secret, and nothing is said about the user. */
export interface Transition {
  /** When, by the device's clock. Epoch seconds. */
  at: number;
  /**
   * An event, by its name; the others are changes of state. The seconds of a countdown are left out. `coreLost`: the core stopped,
   * or its worker was gone; what the next one found stored follows, and whoever was signed in with memory alone is not any more.
   * `idTokenSkipped`: tokens were renewed, and the ID token among them could not be judged, by which `code` says why; the one before
   * still counts.
   */
  event?: keyof AuthEvents | "coreLost" | "idTokenSkipped";
  /** What the state became. */
  status?: AuthState["status"];
  /** How current the credential was then. */
  freshness?: string;
  /** Why nobody was signed in any more, or what was wrong with a medium. */
  reason?: string;
  /** Who did it: `this-tab`, `other-tab`, `restored` or `server`. */
  origin?: string;
  /** How a sign-in was made. */
  via?: LoginVia;
  /** How often the credential had been renewed, counted from 1. */
  generation?: number;
  /** The failure that led to it. */
  code?: AuthErrorCode;
  /** During what that occurred. */
  phase?: ErrorPhase;
  /** The HTTP status, where an answer was the failure. */
  httpStatus?: number;
}

/** What `diagnose()` found. */
export interface DiagnosticReport {
  /** Every check is in order. */
  ok: boolean;
  /**
   * What can be told without asking anybody. What is not known, such as the provider's metadata before they were needed, is not
   * among them.
   */
  checks: readonly {
    /** Names the check. */
    id: string;
    /** Nothing is to be done. */
    ok: boolean;
    /** What was found. */
    detail: string;
    /** What would mend it. */
    fix?: string;
  }[];
  /** The last 50 transitions of this tab, oldest first, those of earlier page loads included. */
  history: readonly Transition[];
}

/** Options of `on`. */
export interface ListenerOptions {
  /** Takes the listener back when it is aborted. */
  signal?: AbortSignal;
  /** Takes the listener back after its first call. */
  once?: boolean;
}

/** Options of `getAccessToken`. */
export interface AccessTokenOptions {
  /** The token must live at least this long; otherwise it is renewed first. Default 5. */
  minValiditySeconds?: number;
  /**
   * Ends the waiting: the promise rejects with `aborted`, whose `cause` is the signal's reason. A renewal that has begun goes
   * on, as others may wait for it.
   */
  signal?: AbortSignal;
}

/** Takes a listener back. Safe to call twice. */
export type Unsubscribe = () => void;

/** What both modes offer. */
export interface AuthClient<U extends Claims = Claims> {
  /** Which of the two kinds of client this is. */
  readonly mode: "session" | "token";
  /** Where the core runs; `pending` until `init()` has settled. */
  readonly isolation: "worker" | "page" | "pending";
  /**
   * Loads the core, consumes a callback address if this is one, restores the session, starts timers. Safe to call twice:
   * it is the same promise. It rejects where the core cannot be loaded or refuses the options, and may then be called again.
   */
  init(): Promise<InitResult<U>>;
  /** Fetches and compiles the core without starting anything. */
  preload(): Promise<void>;
  /** The current state; the same reference until something changed. */
  getState(): AuthState<U>;
  /** Calls `listener` on every change of state, not at once. */
  subscribe(listener: (state: AuthState<U>) => void): Unsubscribe;
  /** Calls `listener` at each event of this name, until it is taken back or `signal` is aborted. */
  on<E extends keyof AuthEvents<U>>(
    event: E,
    listener: (detail: AuthEvents<U>[E]) => void,
    options?: ListenerOptions,
  ): Unsubscribe;
  /** Signs in. By redirect the page leaves, and the promise settles only if it could not. */
  login(options?: LoginOptions): Promise<LoginResult<U>>;
  /** Signs out. */
  logout(options?: LogoutOptions): Promise<void>;
  /** Renews now; concurrent calls share one renewal. */
  refresh(): Promise<AuthState<U>>;
  /**
   * `window.fetch` with the credential added for `allowedOrigins`, renewed first where it is about to expire, and replayed
   * once after a 401 `invalid_token` where the body allows it. Rejects with `AuthError` only for what concerns the
   * credential; a failed network call rejects as `window.fetch` does.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /**
   * What there is to say about the deployment, and what happened. Sends nothing. Rejects where
   * the core cannot be started; the `hint` of that error then says what would mend it.
   */
  diagnose(): Promise<DiagnosticReport>;
  /** Stops timers and listeners. The stored session stays. Every later call rejects with `disposed`. */
  dispose(): void;
}

/** A client in session mode. */
export interface SessionAuthClient<U extends Claims = Claims> extends AuthClient<U> {
  /** The server keeps the session. */
  readonly mode: "session";
  /** Asks the server now. `null`: nobody is signed in. */
  checkSession(): Promise<SessionInfo | null>;
  /** Prolongs the session at `endpoints.extend`. */
  extendSession(): Promise<SessionInfo>;
}

/** A client in token mode. */
export interface TokenAuthClient<U extends Claims = Claims> extends AuthClient<U> {
  /** The client keeps the tokens. */
  readonly mode: "token";
  /**
   * The access token, renewed first where it is about to expire. Rejects with `token_isolated` where a worker holds it, unless
   * `exposeAccessToken` is set. Prefer `fetch`, which keeps it out of your code.
   */
  getAccessToken(options?: AccessTokenOptions): Promise<string>;
  /** The claims of the ID token of this session, or `null` where there is none. */
  getIdTokenClaims(): Promise<IdTokenClaims | null>;
  /** Revokes the tokens at the server (RFC 7009) and ends the local session. */
  revoke(): Promise<void>;
}

export type { AuthErrorCode, ErrorPhase, ErrorRecovery };
