//! A request and an answer, as far as authentication needs them. What carries them is `ports::Http`.

use crate::types::{Lifetime, Prover, WebUrl};
use zeroize::Zeroizing;

/// The largest answer that is read, in bytes.
pub const MAX_BODY: usize = 256 * 1024;

/// How long a call may take altogether, body included.
pub const DEADLINE: Lifetime = Lifetime::from_seconds(10);

/// Whether the browser adds cookies. Fetch standard, "request credentials mode".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Never: calls to an authorization server.
    Omit,
    /// To the page's own origin.
    SameOrigin,
    /// Everywhere.
    Include,
}

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`
    Json,
}

/// What a request is for; decides which of the application's own parsers sees the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Calls whose answer authsafe alone reads.
    Protocol,
    /// First-party login and refresh: `parseTokens`.
    Tokens,
    /// Session check, extension and login: `parseSession`, `isSessionExpired`.
    Session,
}

/// A request to send. Follows no redirect unless it is opaque; has no referrer; is not cached.
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Where to.
    pub url: WebUrl,
    /// Names and values; the content type is not among them.
    pub headers: Vec<(String, String)>,
    /// Wiped after use; may carry a credential.
    pub body: Option<(BodyKind, Zeroizing<String>)>,
    /// Whether cookies go along.
    pub credentials: Credentials,
    /// Total time, body included.
    pub deadline: Lifetime,
    /// Let it finish although the page goes away. Fetch standard, `keepalive`.
    pub keepalive: bool,
    /// Who reads the answer.
    pub purpose: Purpose,
    /// Nobody reads the answer: only that one comes counts. Fetch standard, request mode "no-cors".
    pub opaque: bool,
    /// Whose proof goes along. RFC 9449 §4.1.
    pub prover: Option<Prover>,
}

impl HttpRequest {
    /// A call with authsafe's defaults: no cookies, ten seconds.
    #[must_use]
    pub fn new(method: &str, url: WebUrl) -> Self {
        Self {
            method: method.to_owned(),
            url,
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: None,
            credentials: Credentials::Omit,
            deadline: DEADLINE,
            keepalive: false,
            purpose: Purpose::Protocol,
            opaque: false,
            prover: None,
        }
    }

    /// A call that shows whether the server at `url` can be reached, and nothing more.
    #[must_use]
    pub fn knock(url: &WebUrl) -> Self {
        Self { opaque: true, ..Self::new("HEAD", url.clone()) }
    }
}

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} (…)", self.method, self.url.as_str())
    }
}

/// An answer, read to its end.
pub struct HttpResponse {
    /// The status code; 0 for a redirect that was not followed (Fetch standard, "opaque-redirect filtered response").
    pub status: u16,
    /// Names in lower case. Only what the browser lets script read.
    pub headers: Vec<(String, String)>,
    /// At most [`MAX_BODY`] bytes, wiped after use.
    pub body: Zeroizing<Vec<u8>>,
    /// What the application's own hook (`parseTokens`, `parseSession`, `isSessionExpired`) made of it, if one is set.
    pub verdict: Option<Verdict>,
}

/// What a hook of the application said about an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// `isSessionExpired` said yes, or `parseSession` returned null.
    Gone,
    /// The body in authsafe's own format, from `parseTokens` or `parseSession`.
    Parsed(crate::types::Json),
    /// The hook threw; its message is not kept, it could quote the body.
    Failed,
}

impl HttpResponse {
    /// The value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }
}

impl std::fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpResponse({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFailure {
    /// The connection failed, or the browser keeps the answer from script. It cannot be told apart.
    NetworkOrCors,
    /// The deadline passed.
    Timeout,
    /// More than [`MAX_BODY`] bytes.
    TooLarge,
}
