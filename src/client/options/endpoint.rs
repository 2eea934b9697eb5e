//! Endpoints of the application's backend, and what may be set on a call to them.
//!
//! RFC 9110 §5.1 and §5.5 (field names and values), Fetch standard ("forbidden request-header").

use super::reader::Reader;
use crate::error::ErrorCode;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::http::BodyKind;
use crate::types::WebUrl;

/// What kind of call an endpoint is for.
pub(super) struct Role {
    pub(super) method: &'static str,
    /// It gets a user's password or a token, which GET would have no place for.
    pub(super) has_body: bool,
    /// The browser may navigate there instead.
    pub(super) may_navigate: bool,
}

/// Only asks.
pub(super) static ASKS: Role = Role { method: "GET", has_body: false, may_navigate: false };
/// Sends something.
pub(super) static SENDS: Role = Role { method: "POST", has_body: true, may_navigate: false };
/// Sends something, or is a page of the server's.
pub(super) static SENDS_OR_SHOWS: Role = Role { method: "POST", has_body: true, may_navigate: true };

/// The endpoint called `name`, if it is set.
pub(super) fn endpoint(reader: &Reader<'_>, name: &str, base: &WebUrl, role: &Role) -> Option<Endpoint> {
    let value = reader.get(name)?;
    if let Some(text) = value.text() {
        return Some(Endpoint::new(role.method, resolve(reader, name, text, base)));
    }
    reader.check(value.members().is_some(), name, "must be a URL, or an object with `url`");
    let reader = reader.object(name, &["url", "method", "body", "headers", "navigate"]);
    let url = resolve(&reader, "url", reader.required_text("url"), base);
    let navigate = reader.flag("navigate", false);
    let default = if navigate { "GET" } else { role.method };
    let method = reader.word("method", METHODS).and_then(|at| METHODS.get(at)).unwrap_or(&default);
    let body = if reader.word("body", &["json", "form"]) == Some(1) { BodyKind::Form } else { BodyKind::Json };
    let headers = reader.texts("headers", |name, value| header_name_problem(name).or_else(|| header_problem(value)));
    if navigate {
        let problem = "is for `endpoints.login` and `endpoints.logout` of session mode";
        reader.check(role.may_navigate, "navigate", problem);
        let problem = "goes with neither `headers` nor a method other than GET";
        reader.check(*method == "GET" && headers.is_empty(), "navigate", problem);
    }
    reader.check(*method != "GET" || reader.get("body").is_none(), "body", "goes with no GET: it has no body");
    if !navigate {
        reader.check(!role.has_body || *method != "GET", "method", "must not be GET: this call has a body");
    }
    Some(Endpoint { url, method: (*method).to_owned(), body, headers, navigate })
}

/// As [`endpoint`], for one that must be set.
pub(super) fn required(reader: &Reader<'_>, name: &str, base: &WebUrl, role: &Role) -> Endpoint {
    endpoint(reader, name, base, role).unwrap_or_else(|| {
        reader.wrong(name, "is missing");
        Endpoint::new(role.method, base.clone())
    })
}

/// A URL of the options, which is the member called `name`: absolute, or relative to `base`.
pub(super) fn resolve(reader: &Reader<'_>, name: &str, text: &str, base: &WebUrl) -> WebUrl {
    // A colon in the first segment makes a reference absolute for a URL parser (RFC 3986 §4.2), whatever it looks like.
    let head = text.split(['/', '?']).next().unwrap_or_default();
    let odd = text.contains('#') || (head.contains(':') && !matches!(head, "https:" | "http:"));
    let Some(url) = base.join(text).filter(|_| !odd) else {
        reader.wrong(name, "must be a path, or an absolute http(s) URL as `new URL(x).href` prints it");
        return base.clone();
    };
    trustworthy(reader, name, &url);
    url
}

/// Refuses plain http, except to this very machine.
pub(super) fn trustworthy(reader: &Reader<'_>, name: &str, url: &WebUrl) {
    reader.check(url.is_trustworthy(), name, "must be https, or http on loopback");
}

/// The origin of the page, where everything is that the options do not place elsewhere.
pub(super) fn page_origin(reader: &Reader<'_>, page_url: &WebUrl) -> WebUrl {
    WebUrl::parse(page_url.origin()).filter(WebUrl::is_trustworthy).unwrap_or_else(|| {
        reader.fail(ErrorCode::InsecureContext.into());
        page_url.clone()
    })
}

/// Why a request cannot carry this value of a header: Fetch would strip or refuse it.
pub(super) fn header_problem(value: &str) -> Option<&'static str> {
    let sendable = value.trim() == value && value.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t'));
    (!sendable).then_some("must be printable ASCII without spaces around it")
}

/// Why a request cannot carry a header of this name, or why the header belongs to authsafe or the browser.
pub(super) fn header_name_problem(name: &str) -> Option<&'static str> {
    if !is_token(name) {
        return Some("is no header name");
    }
    let lower = name.to_ascii_lowercase();
    let reserved = RESERVED.contains(&lower.as_str()) || lower.starts_with("sec-") || lower.starts_with("proxy-");
    reserved.then_some("is set by authsafe or the browser")
}

/// RFC 9110 §5.6.2; also what a cookie name is (RFC 6265 §4.1.1).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

const RESERVED: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "dpop",
    "host",
    "origin",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];
