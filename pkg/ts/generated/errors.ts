// Generated from src/error.rs by tests/generated.rs. Change the table, then: AUTHSAFE_BLESS=1 cargo test --test generated

/** What happened. Codes are stable: one is never reused for something else. */
export type AuthErrorCode =
  /** Called off: by its signal, a sign-out, or leaving the page. Nothing to do. */
  | "aborted"
  /** The user or the provider said no to the sign-in. Offer to sign in again. */
  | "access_denied"
  /** The user did not sign in in the way that was asked for. Sign in again; the provider must fulfil the `acr` values that the application insists on. */
  | "authentication_insufficient"
  /** The provider answered the sign-in with an error. See `oauth.error`; the provider's log has the reason. */
  | "authorization_failed"
  /** The callback address carries a parameter twice, or both a code and an error. Start a new sign-in. If it happens again, look at what rewrites the redirect. */
  | "callback_invalid"
  /** The callback address was opened a second time; its code is spent. Start a new sign-in. */
  | "callback_replayed"
  /** An option is unknown, missing or wrong. Correct what the message names. */
  | "config_invalid"
  /** The core is gone; another takes its place. Try again: a stored session is there again, one in memory is lost. */
  | "core_lost"
  /** The server does not accept the user name and password. Ask the user to check user name and password. */
  | "credentials_rejected"
  /** The server refused the CSRF token. Try again. If it stays, compare the `csrf` option with what the server expects. */
  | "csrf_rejected"
  /** No CSRF token could be had, so the request was not sent. Check `csrf` and `endpoints.csrf`; a double-submit cookie must be readable by script. */
  | "csrf_unavailable"
  /** The metadata document is not one, lacks an endpoint, or names an endpoint that is not https. Check `oidc.issuer`; where the server publishes no metadata, give `oidc.metadata`. */
  | "discovery_invalid"
  /** The client was disposed of. Create a new client. */
  | "disposed"
  /** The key that the tokens are bound to is gone. Sign in again. The browser, or script of this origin, has cleared IndexedDB. */
  | "dpop_key_lost"
  /** The server wants a nonce in the DPoP proof and does not let script read it. The server must list DPoP-Nonce, and an API WWW-Authenticate too, in Access-Control-Expose-Headers. */
  | "dpop_nonce_unavailable"
  /** The server gave tokens that are not bound to a key, although they had to be. Have the provider bind the tokens of this client (`token_type` DPoP), or set `dpop: 'auto'`. */
  | "dpop_not_bound"
  /** DPoP is required, and the provider or this browser does not offer it. The message names the obstacle. `dpop: 'auto'` signs in all the same, with bearer tokens. */
  | "dpop_unavailable"
  /** The ID token is signed by an algorithm that is not allowed, or that this browser does not have. Have the provider sign with one that is; none and HS256 never are. */
  | "id_token_algorithm_refused"
  /** The ID token breaks a rule of OpenID Connect Core §3.1.3.7 or §12.2. The message names the rule. Check client id and issuer; a clock that is wrong by minutes also shows here. */
  | "id_token_invalid"
  /** The ID token is no signed JWT of the kind that is read here. The provider must sign it, in compact form, and must not encrypt it. */
  | "id_token_malformed"
  /** The server returned no ID token although `openid` was asked for. Allow the scope `openid` for this client at the provider. */
  | "id_token_missing"
  /** The signature of the ID token is not that of the provider's key. Find out what stands between page and provider, and whether `jwks_uri` is the provider's. */
  | "id_token_signature_invalid"
  /** The signature of the ID token cannot be computed here. Try again. If it stays: the page must be a secure context, and the provider must sign by an algorithm that its users' browsers have; all have RS256 and ES256. */
  | "id_token_unverifiable"
  /** The answer belongs to another user than the session. Sign in again. */
  | "identity_changed"
  /** The page is not a secure context. Serve the page over https, or from localhost. */
  | "insecure_context"
  /** Isolation was required and cannot be had. The message names the obstacle. `isolation: 'worker'` falls back to the page. */
  | "isolation_unavailable"
  /** The issuer of an answer is not the configured one. Set `oidc.issuer` to exactly what the provider publishes, trailing slash included. */
  | "issuer_mismatch"
  /** What the provider publishes at `jwks_uri` is not a set of keys. It must be a JWK Set of at most 100 keys and 256 KiB. */
  | "jwks_invalid"
  /** More than one of the provider's keys fits the ID token. The provider must give each key a `kid` of its own and name it in its tokens. */
  | "jwks_key_ambiguous"
  /** None of the provider's keys fits the ID token. The provider must publish a key at `jwks_uri` before it signs with it. */
  | "jwks_key_missing"
  /** The provider's keys could not be fetched. Try again later. The provider must allow this origin by CORS at `jwks_uri`, too. */
  | "jwks_unavailable"
  /** Nobody is signed in. Sign in first. */
  | "login_required"
  /** The request did not reach the server, or the browser may not read its answer. Check the connection; if the server is up, it must allow this origin by CORS, and the page's CSP must list it in connect-src. */
  | "network_or_cors"
  /** The server asks to wait. Wait for `retryAfterSeconds`. */
  | "rate_limited"
  /** The server redirects where it must answer. Configure the final address of the endpoint; credentials are not sent after a redirect. */
  | "redirect_refused"
  /** Nobody knows whether the refresh token is spent. The answer was lost twice, and the session may have been renewed. The access token serves until its end; then sign in again. A grace period for rotation at the provider makes this rare. */
  | "refresh_ambiguous"
  /** There is no way to renew this credential. Ask for a refresh token (scope `offline_access`), or sign in again. */
  | "refresh_unavailable"
  /** The request cannot be sent safely as it is. Leave Authorization and CSRF headers to authsafe, or use window.fetch. */
  | "request_refused"
  /** The answer is not what the protocol says. The message names the field. A login page or proxy in between is the usual cause. */
  | "response_invalid"
  /** The answer is larger than 256 KiB. No such answer is honest; check what stands between page and server. */
  | "response_too_large"
  /** `returnTo` could lead to another origin. Give a path of this origin that begins with a single slash. */
  | "return_to_refused"
  /** The server failed. Try again later. */
  | "server_error"
  /** The session has ended. Sign in again. */
  | "session_expired"
  /** The user was away for too long; nothing is handed out until somebody signs in. Ask the user to sign in again; a sign-in of the same user unlocks the session. */
  | "session_locked"
  /** The storage medium is blocked, full or broken; the session continues in memory. The session will not survive a reload. Free space, or allow storage for this site. */
  | "storage_unavailable"
  /** The server did not answer in time. Try again later. */
  | "timeout"
  /** The access token stays in the worker that holds it. Call auth.fetch(), which adds the token; or set `exposeAccessToken: true`, and any script of the page can have it. */
  | "token_isolated"
  /** The server rejects this client or its request. See `oauth.error`; check client id, redirect URI and scope at the provider. */
  | "token_request_rejected"
  /** The token's type is none that can be sent. The server must issue `token_type` Bearer, or DPoP where a proof was sent. */
  | "token_type_unsupported"
  /** The sign-in took longer than ten minutes, or was begun in another browser. Start a new sign-in. */
  | "transaction_expired"
  /** What the UserInfo endpoint answers cannot be used. The message says why. The endpoint must take the new access token and answer plain JSON; signed or encrypted UserInfo (application/jwt) is not supported. */
  | "userinfo_invalid"
  /** What the UserInfo endpoint answers is not about the user of the ID token. Nobody is signed in by it. The provider must answer with the `sub` of the ID token. */
  | "userinfo_subject_mismatch"
  /** The UserInfo endpoint could not be asked. Try again later. The provider must allow this origin by CORS at `userinfo_endpoint`, too, with the headers Authorization and DPoP. */
  | "userinfo_unavailable"
  /** The Content-Security-Policy forbids WebAssembly. Add 'wasm-unsafe-eval' to the script-src directive. */
  | "wasm_blocked_by_csp"
  /** The WebAssembly module could not be loaded. Serve the .wasm file of this version unchanged beside the script, or call setWasmSource(). */
  | "wasm_load_failed"
  /** The core stopped at an internal fault. Reload the page, and report this. */
  | "wasm_trapped";

/** During what an error occurred. */
export type ErrorPhase =
  | "config"
  | "init"
  | "discovery"
  | "login"
  | "callback"
  | "token"
  | "refresh"
  | "session"
  | "request"
  | "logout"
  | "storage";

/** What helps. */
export type ErrorRecovery = "retry" | "login" | "fix_config" | "none";

type Facts = readonly [phase: ErrorPhase, recovery: ErrorRecovery, what: string, hint: string];

/**
 * The errors that are raised without the core.
 *
 * @internal
 */
export const OWN_ERRORS = {
  aborted: ["request", "none", "Called off: by its signal, a sign-out, or leaving the page.", "Nothing to do."],
  config_invalid: [
    "config",
    "fix_config",
    "An option is unknown, missing or wrong.",
    "Correct what the message names.",
  ],
  core_lost: [
    "request",
    "retry",
    "The core is gone; another takes its place.",
    "Try again: a stored session is there again, one in memory is lost.",
  ],
  disposed: ["request", "none", "The client was disposed of.", "Create a new client."],
  insecure_context: [
    "init",
    "fix_config",
    "The page is not a secure context.",
    "Serve the page over https, or from localhost.",
  ],
  isolation_unavailable: [
    "init",
    "fix_config",
    "Isolation was required and cannot be had.",
    "The message names the obstacle. `isolation: 'worker'` falls back to the page.",
  ],
  request_refused: [
    "request",
    "fix_config",
    "The request cannot be sent safely as it is.",
    "Leave Authorization and CSRF headers to authsafe, or use window.fetch.",
  ],
  wasm_blocked_by_csp: [
    "init",
    "fix_config",
    "The Content-Security-Policy forbids WebAssembly.",
    "Add 'wasm-unsafe-eval' to the script-src directive.",
  ],
  wasm_load_failed: [
    "init",
    "retry",
    "The WebAssembly module could not be loaded.",
    "Serve the .wasm file of this version unchanged beside the script, or call setWasmSource().",
  ],
  wasm_trapped: ["request", "none", "The core stopped at an internal fault.", "Reload the page, and report this."],
} satisfies { [code in AuthErrorCode]?: Facts };
