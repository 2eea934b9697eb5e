//! The one error type, and the one table of its codes.
//!
//! A code says what happened, who can mend it (`recovery`), whether the same call may succeed later (`retryable`), and in
//! which `phase` it belongs by nature. TypeScript's union of codes is generated from this table
//! (`tests/generated.rs`). Nothing secret can get in: `detail` and `hint` are written by authsafe, and the fields of an
//! OAuth error response are cut to printable ASCII and a bounded length.

use crate::types::{Json, Lifetime, Members};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every value, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word that JavaScript sees.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

words! {
    /// During what the error occurred.
    ErrorPhase {
        /// Reading the options.
        Config = "config",
        /// Loading and starting.
        Init = "init",
        /// Reading the server's metadata.
        Discovery = "discovery",
        /// Beginning a sign-in.
        Login = "login",
        /// Judging the address the browser came back to.
        Callback = "callback",
        /// Exchanging a code for tokens.
        Token = "token",
        /// Renewing a credential.
        Refresh = "refresh",
        /// Talking to the session server.
        Session = "session",
        /// A request of the application's own.
        Request = "request",
        /// Ending a session.
        Logout = "logout",
        /// Reading or writing the storage medium.
        Storage = "storage",
    }
}

words! {
    /// What helps.
    ErrorRecovery {
        /// The same call, later.
        Retry = "retry",
        /// The user signs in again.
        Login = "login",
        /// The developer changes the configuration or deployment.
        FixConfig = "fix_config",
        /// Nothing: the call was not needed, or was called off.
        None = "none",
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $phase:ident, $retryable:literal, $recovery:ident, $hint:literal;)+) => {
        /// What happened. Codes are stable: one is never reused for something else.
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode { $($(#[doc = $doc])+ $name,)+ }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            const TABLE: &'static [Row] = &[$(Row {
                code: $code, retryable: $retryable, recovery: ErrorRecovery::$recovery, hint: $hint,
            },)+];

            /// By themselves: an error is made of nothing else, and the module that judges ID tokens does without the words.
            const PHASES: &'static [ErrorPhase] = &[$(ErrorPhase::$phase,)+];

            /// What the code means, in a sentence for the generated documentation.
            #[must_use]
            pub fn description(self) -> &'static str {
                const DOCS: &[&str] = &[$(concat!($($doc,)+),)+];
                DOCS.get(self as usize).copied().unwrap_or_default().trim_start()
            }
        }
    };
}

struct Row {
    code: &'static str,
    retryable: bool,
    recovery: ErrorRecovery,
    hint: &'static str,
}

codes! {
    /// Called off: by its signal, a sign-out, or leaving the page.
    Aborted = "aborted", Request, false, None, "Nothing to do.";
    /// The user or the provider said no to the sign-in.
    AccessDenied = "access_denied", Callback, false, Login, "Offer to sign in again.";
    /// The user did not sign in in the way that was asked for.
    AuthenticationInsufficient = "authentication_insufficient", Token, false, Login, "Sign in again; the provider must fulfil the `acr` values that the application insists on.";
    /// The provider answered the sign-in with an error.
    AuthorizationFailed = "authorization_failed", Callback, false, Login, "See `oauth.error`; the provider's log has the reason.";
    /// The callback address carries a parameter twice, or both a code and an error.
    CallbackInvalid = "callback_invalid", Callback, false, Login, "Start a new sign-in. If it happens again, look at what rewrites the redirect.";
    /// The callback address was opened a second time; its code is spent.
    CallbackReplayed = "callback_replayed", Callback, false, Login, "Start a new sign-in.";
    /// An option is unknown, missing or wrong.
    ConfigInvalid = "config_invalid", Config, false, FixConfig, "Correct what the message names.";
    /// The core is gone; another takes its place.
    CoreLost = "core_lost", Request, true, Retry, "Try again: a stored session is there again, one in memory is lost.";
    /// The server does not accept the user name and password.
    CredentialsRejected = "credentials_rejected", Login, false, Login, "Ask the user to check user name and password.";
    /// The server refused the CSRF token.
    CsrfRejected = "csrf_rejected", Session, true, Retry, "Try again. If it stays, compare the `csrf` option with what the server expects.";
    /// No CSRF token could be had, so the request was not sent.
    CsrfUnavailable = "csrf_unavailable", Session, false, FixConfig, "Check `csrf` and `endpoints.csrf`; a double-submit cookie must be readable by script.";
    /// The metadata document is not one, lacks an endpoint, or names an endpoint that is not https.
    DiscoveryInvalid = "discovery_invalid", Discovery, false, FixConfig, "Check `oidc.issuer`; where the server publishes no metadata, give `oidc.metadata`.";
    /// The client was disposed of.
    Disposed = "disposed", Request, false, None, "Create a new client.";
    /// The key that the tokens are bound to is gone.
    DpopKeyLost = "dpop_key_lost", Session, false, Login, "Sign in again. The browser, or script of this origin, has cleared IndexedDB.";
    /// The server wants a nonce in the DPoP proof and does not let script read it.
    DpopNonceUnavailable = "dpop_nonce_unavailable", Request, false, FixConfig, "The server must list DPoP-Nonce, and an API WWW-Authenticate too, in Access-Control-Expose-Headers.";
    /// The server gave tokens that are not bound to a key, although they had to be.
    DpopNotBound = "dpop_not_bound", Token, false, FixConfig, "Have the provider bind the tokens of this client (`token_type` DPoP), or set `dpop: 'auto'`.";
    /// DPoP is required, and the provider or this browser does not offer it.
    DpopUnavailable = "dpop_unavailable", Login, false, FixConfig, "The message names the obstacle. `dpop: 'auto'` signs in all the same, with bearer tokens.";
    /// The ID token is signed by an algorithm that is not allowed, or that this browser does not have.
    IdTokenAlgorithmRefused = "id_token_algorithm_refused", Token, false, FixConfig, "Have the provider sign with one that is; none and HS256 never are.";
    /// The ID token breaks a rule of OpenID Connect Core §3.1.3.7 or §12.2.
    IdTokenInvalid = "id_token_invalid", Token, false, FixConfig, "The message names the rule. Check client id and issuer; a clock that is wrong by minutes also shows here.";
    /// The ID token is no signed JWT of the kind that is read here.
    IdTokenMalformed = "id_token_malformed", Token, false, FixConfig, "The provider must sign it, in compact form, and must not encrypt it.";
    /// The server returned no ID token although `openid` was asked for.
    IdTokenMissing = "id_token_missing", Token, false, FixConfig, "Allow the scope `openid` for this client at the provider.";
    /// The signature of the ID token is not that of the provider's key.
    IdTokenSignatureInvalid = "id_token_signature_invalid", Token, false, FixConfig, "Find out what stands between page and provider, and whether `jwks_uri` is the provider's.";
    /// The signature of the ID token cannot be computed here.
    IdTokenUnverifiable = "id_token_unverifiable", Token, true, Retry, "Try again. If it stays: the page must be a secure context, and the provider must sign by an algorithm that its users' browsers have; all have RS256 and ES256.";
    /// The answer belongs to another user than the session.
    IdentityChanged = "identity_changed", Refresh, false, Login, "Sign in again.";
    /// The page is not a secure context.
    InsecureContext = "insecure_context", Init, false, FixConfig, "Serve the page over https, or from localhost.";
    /// Isolation was required and cannot be had.
    IsolationUnavailable = "isolation_unavailable", Init, false, FixConfig, "The message names the obstacle. `isolation: 'worker'` falls back to the page.";
    /// The issuer of an answer is not the configured one.
    IssuerMismatch = "issuer_mismatch", Discovery, false, FixConfig, "Set `oidc.issuer` to exactly what the provider publishes, trailing slash included.";
    /// What the provider publishes at `jwks_uri` is not a set of keys.
    JwksInvalid = "jwks_invalid", Discovery, false, FixConfig, "It must be a JWK Set of at most 100 keys and 256 KiB.";
    /// More than one of the provider's keys fits the ID token.
    JwksKeyAmbiguous = "jwks_key_ambiguous", Token, false, FixConfig, "The provider must give each key a `kid` of its own and name it in its tokens.";
    /// None of the provider's keys fits the ID token.
    JwksKeyMissing = "jwks_key_missing", Token, false, FixConfig, "The provider must publish a key at `jwks_uri` before it signs with it.";
    /// The provider's keys could not be fetched.
    JwksUnavailable = "jwks_unavailable", Discovery, true, Retry, "Try again later. The provider must allow this origin by CORS at `jwks_uri`, too.";
    /// Nobody is signed in.
    LoginRequired = "login_required", Request, false, Login, "Sign in first.";
    /// The request did not reach the server, or the browser may not read its answer.
    NetworkOrCors = "network_or_cors", Request, true, Retry, "Check the connection; if the server is up, it must allow this origin by CORS, and the page's CSP must list it in connect-src.";
    /// The server asks to wait.
    RateLimited = "rate_limited", Request, true, Retry, "Wait for `retryAfterSeconds`.";
    /// The server redirects where it must answer.
    RedirectRefused = "redirect_refused", Request, false, FixConfig, "Configure the final address of the endpoint; credentials are not sent after a redirect.";
    /// Nobody knows whether the refresh token is spent.
    RefreshAmbiguous = "refresh_ambiguous", Refresh, false, Login, "The answer was lost twice, and the session may have been renewed. The access token serves until its end; then sign in again. A grace period for rotation at the provider makes this rare.";
    /// There is no way to renew this credential.
    RefreshUnavailable = "refresh_unavailable", Refresh, false, Login, "Ask for a refresh token (scope `offline_access`), or sign in again.";
    /// The request cannot be sent safely as it is.
    RequestRefused = "request_refused", Request, false, FixConfig, "Leave Authorization and CSRF headers to authsafe, or use window.fetch.";
    /// The answer is not what the protocol says.
    ResponseInvalid = "response_invalid", Request, true, Retry, "The message names the field. A login page or proxy in between is the usual cause.";
    /// The answer is larger than 256 KiB.
    ResponseTooLarge = "response_too_large", Request, true, Retry, "No such answer is honest; check what stands between page and server.";
    /// `returnTo` could lead to another origin.
    ReturnToRefused = "return_to_refused", Login, false, FixConfig, "Give a path of this origin that begins with a single slash.";
    /// The server failed.
    ServerError = "server_error", Request, true, Retry, "Try again later.";
    /// The session has ended.
    SessionExpired = "session_expired", Session, false, Login, "Sign in again.";
    /// The user was away for too long; nothing is handed out until somebody signs in.
    SessionLocked = "session_locked", Session, false, Login, "Ask the user to sign in again; a sign-in of the same user unlocks the session.";
    /// The storage medium is blocked, full or broken; the session continues in memory.
    StorageUnavailable = "storage_unavailable", Storage, false, None, "The session will not survive a reload. Free space, or allow storage for this site.";
    /// The server did not answer in time.
    Timeout = "timeout", Request, true, Retry, "Try again later.";
    /// The access token stays in the worker that holds it.
    TokenIsolated = "token_isolated", Request, false, FixConfig, "Call auth.fetch(), which adds the token; or set `exposeAccessToken: true`, and any script of the page can have it.";
    /// The server rejects this client or its request.
    TokenRequestRejected = "token_request_rejected", Token, false, FixConfig, "See `oauth.error`; check client id, redirect URI and scope at the provider.";
    /// The token's type is none that can be sent.
    TokenTypeUnsupported = "token_type_unsupported", Token, false, FixConfig, "The server must issue `token_type` Bearer, or DPoP where a proof was sent.";
    /// The sign-in took longer than ten minutes, or was begun in another browser.
    TransactionExpired = "transaction_expired", Callback, false, Login, "Start a new sign-in.";
    /// What the UserInfo endpoint answers cannot be used.
    UserinfoInvalid = "userinfo_invalid", Token, false, FixConfig, "The message says why. The endpoint must take the new access token and answer plain JSON; signed or encrypted UserInfo (application/jwt) is not supported.";
    /// What the UserInfo endpoint answers is not about the user of the ID token.
    UserinfoSubjectMismatch = "userinfo_subject_mismatch", Token, false, FixConfig, "Nobody is signed in by it. The provider must answer with the `sub` of the ID token.";
    /// The UserInfo endpoint could not be asked.
    UserinfoUnavailable = "userinfo_unavailable", Token, true, Retry, "Try again later. The provider must allow this origin by CORS at `userinfo_endpoint`, too, with the headers Authorization and DPoP.";
    /// The Content-Security-Policy forbids WebAssembly.
    WasmBlockedByCsp = "wasm_blocked_by_csp", Init, false, FixConfig, "Add 'wasm-unsafe-eval' to the script-src directive.";
    /// The WebAssembly module could not be loaded.
    WasmLoadFailed = "wasm_load_failed", Init, true, Retry, "Serve the .wasm file of this version unchanged beside the script, or call setWasmSource().";
    /// The core stopped at an internal fault.
    WasmTrapped = "wasm_trapped", Request, false, None, "Reload the page, and report this.";
}

impl ErrorCode {
    fn row(self) -> &'static Row {
        // The enum and the table come from the same macro, so the index is always inside.
        Self::TABLE.get(self as usize).unwrap_or(&Self::FALLBACK)
    }

    const FALLBACK: Row = Row { code: "wasm_trapped", retryable: false, recovery: ErrorRecovery::None, hint: "" };

    /// The word that JavaScript sees.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().code
    }

    /// The phase it belongs to by nature.
    #[must_use]
    pub fn phase(self) -> ErrorPhase {
        Self::PHASES.get(self as usize).copied().unwrap_or(ErrorPhase::Request)
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retryable(self) -> bool {
        self.row().retryable
    }

    /// What helps.
    #[must_use]
    pub fn recovery(self) -> ErrorRecovery {
        self.row().recovery
    }

    /// The remedy, in a sentence.
    #[must_use]
    pub fn hint(self) -> &'static str {
        self.row().hint
    }
}

/// An OAuth error response, RFC 6749 §5.2: printable ASCII, at most 200 characters a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    /// The registered code.
    pub error: String,
    /// The server's own words, for a developer.
    pub error_description: Option<String>,
    /// A page about it.
    pub error_uri: Option<String>,
}

impl OAuthError {
    /// Cuts foreign text down to what may be shown.
    #[must_use]
    pub fn new(error: &str, error_description: Option<&str>, error_uri: Option<&str>) -> Self {
        Self {
            error: printable(error),
            error_description: error_description.map(printable),
            error_uri: error_uri.map(printable),
        }
    }
}

/// RFC 6749 §5.2 allows %x20-21 / %x23-5B / %x5D-7E; the rest becomes `?`.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(200).map(|c| if matches!(c, ' '..='~') && c != '"' && c != '\\' { c } else { '?' }).collect()
}

/// Every failure of authsafe.
///
/// One pointer wide, because a `Result` with it is handed on in very many places of the WebAssembly module.
#[derive(Clone, Debug, PartialEq)]
pub struct Error(Box<Failure>);

/// What an [`Error`] says; reached through it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What happened.
    pub code: ErrorCode,
    /// During what.
    pub phase: ErrorPhase,
    /// More about it: a field, a rule, an option. Never a value that could be secret.
    pub detail: String,
    /// The HTTP status, where an answer is the cause.
    pub status: Option<u16>,
    /// How long the server asks to wait.
    pub retry_after: Option<Lifetime>,
    /// The server's error response.
    pub oauth: Option<OAuthError>,
}

impl std::ops::Deref for Error {
    type Target = Failure;
    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Failure {
        &mut self.0
    }
}

impl Error {
    /// An error with more about it than its code.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::of(code, detail.into())
    }

    #[inline(never)]
    fn of(code: ErrorCode, detail: String) -> Self {
        // What the module of ID tokens hands on has no phase, see `pack`, and the table of them weighs.
        let packed = cfg!(all(feature = "jwt-skin", target_arch = "wasm32"));
        let phase = if packed { ErrorPhase::Token } else { code.phase() };
        Self(Box::new(Failure { code, phase, detail, status: None, retry_after: None, oauth: None }))
    }

    /// During what it happened, where that is not the code's own phase.
    #[must_use]
    pub fn during(mut self, phase: ErrorPhase) -> Self {
        self.0.phase = phase;
        self
    }

    /// With the status of the answer that is the cause.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// With the server's error response.
    #[must_use]
    pub fn with_oauth(mut self, oauth: OAuthError) -> Self {
        self.0.oauth = Some(oauth);
        self
    }

    /// As a list, for the other module of this very build: what it needs of the table, the other one has.
    #[must_use]
    pub fn pack(&self) -> Json {
        let status = self.status.map_or(Json::Null, |status| Json::Number(status.into()));
        Json::List(vec![Json::Number((self.code as u8).into()), self.detail.as_str().into(), status])
    }

    /// What [`pack`](Self::pack) made; `None` for anything but a list.
    #[must_use]
    pub fn unpack(packed: &Json) -> Option<Self> {
        let fields = packed.list()?;
        let number = |at| fields.get(at).and_then(Json::number);
        let code = number(0).and_then(|code| ErrorCode::ALL.get(code as usize).copied());
        let detail = fields.get(1).and_then(Json::text).unwrap_or_default();
        let mut error = Self::new(code.unwrap_or(ErrorCode::WasmTrapped), detail);
        error.status = number(2).map(|status| status as u16);
        Some(error)
    }

    /// One line for a person: what happened, and what about it.
    #[must_use]
    pub fn message(&self) -> String {
        let what = self.code.description();
        if self.detail.is_empty() { what.to_owned() } else { [what, " ", &self.detail].concat() }
    }

    /// The fields that JavaScript's `AuthError` is made of.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let oauth = self.oauth.as_ref().map(|oauth| {
            Members::new()
                .text("error", Some(&oauth.error))
                .text("error_description", oauth.error_description.as_deref())
                .text("error_uri", oauth.error_uri.as_deref())
                .object()
        });
        Members::new()
            .text("code", Some(self.code.as_str()))
            .text("phase", Some(self.phase.as_str()))
            .value("retryable", Some(Json::Bool(self.code.retryable())))
            .text("recovery", Some(self.code.recovery().as_str()))
            .text("message", Some(&self.message()))
            .text("hint", Some(self.code.hint()))
            .number("status", self.status.map(f64::from))
            .number("retryAfterSeconds", self.retry_after.map(|wait| (wait.millis() as f64 / 1000.0).ceil()))
            .value("oauth", oauth)
            .object()
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, "")
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code.as_str())?;
        f.write_str(": ")?;
        f.write_str(&self.message())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_word_a_description_and_a_remedy() {
        let mut seen = Vec::new();
        for code in ErrorCode::ALL {
            assert!(!seen.contains(&code.as_str()), "{} stands twice", code.as_str());
            seen.push(code.as_str());
            assert!(code.description().ends_with('.'), "{code:?}: {}", code.description());
            assert!(code.hint().ends_with('.'), "{code:?}");
            assert_eq!(code.retryable(), code.recovery() == ErrorRecovery::Retry, "{code:?}");
        }
        assert!(seen.is_sorted(), "{seen:?}");
    }

    #[test]
    fn every_error_comes_out_of_the_other_module_as_it_was() {
        for code in ErrorCode::ALL {
            for error in [Error::from(*code), Error::new(*code, "\"x\"").with_status(503)] {
                assert_eq!(Error::unpack(&Json::parse(&error.pack().to_text()).unwrap()), Some(error));
            }
        }
        assert_eq!(Error::unpack(&Json::parse("{}").unwrap()), None);
        for odd in ["[]", "[-1]", "[999]", "[\"x\"]"] {
            let code = Error::unpack(&Json::parse(odd).unwrap()).map(|error| error.code);
            assert!(matches!(code, Some(ErrorCode::WasmTrapped | ErrorCode::Aborted)), "{odd}");
        }
    }

    #[test]
    fn foreign_text_in_an_error_is_cut_to_printable_ascii() {
        let oauth = OAuthError::new("a\"b\n<é>", Some(&"x".repeat(1000)), None);
        assert_eq!(oauth.error, "a?b?<?>");
        assert_eq!(oauth.error_description.map(|text| text.len()), Some(200));
    }
}
