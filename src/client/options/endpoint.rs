//! Endpoints of the application's backend, and what may be set on a call to them.
//!
//! RFC 9110 §5.1 and §5.5 (field names and values), Fetch standard ("forbidden request-header").

use super::reader::{Reader, invalid};
use crate::error::{Error, ErrorCode};
use crate::protocol::endpoint::Endpoint;
use crate::protocol::http::BodyKind;
use crate::types::{Json, WebUrl};

/// What kind of call an endpoint is for.
#[derive(Clone, Copy)]
pub(super) struct Role {
    pub(super) method: &'static str,
    /// It gets a user's password or a token, which GET would have no place for.
    pub(super) has_body: bool,
    /// The browser may navigate there instead.
    pub(super) may_navigate: bool,
}

/// Only asks.
pub(super) const ASKS: Role = Role { method: "GET", has_body: false, may_navigate: false };
/// Sends something.
pub(super) const SENDS: Role = Role { method: "POST", has_body: true, may_navigate: false };
/// Sends something, or is a page of the server's.
pub(super) const SENDS_OR_SHOWS: Role = Role { may_navigate: true, ..SENDS };

/// The endpoint called `name`, if it is set.
pub(super) fn endpoint(reader: &Reader<'_>, name: &str, base: &WebUrl, role: Role) -> Result<Option<Endpoint>, Error> {
    let Some(value) = reader.get(name) else { return Ok(None) };
    let path = reader.path(name);
    if let Some(text) = value.text() {
        return Ok(Some(Endpoint::new(role.method, resolve(text, &path, base)?)));
    }
    if value.members().is_none() {
        return Err(invalid(&path, "must be a URL, or an object with `url`"));
    }
    long_form(value, &path, base, role).map(Some)
}

/// As [`endpoint`], for one that must be set.
pub(super) fn required(reader: &Reader<'_>, name: &str, base: &WebUrl, role: Role) -> Result<Endpoint, Error> {
    endpoint(reader, name, base, role)?.ok_or_else(|| reader.wrong(name, "is missing"))
}

fn long_form(value: &Json, path: &str, base: &WebUrl, role: Role) -> Result<Endpoint, Error> {
    let reader = Reader::of(value, path, &["url", "method", "body", "headers", "navigate"])?;
    let url = resolve(reader.required_text("url")?, &reader.path("url"), base)?;
    let navigate = reader.flag("navigate")?.unwrap_or(false);
    let default = if navigate { "GET" } else { role.method };
    let method = reader.word("method", METHODS)?.unwrap_or(default);
    let body = reader.word("body", BODIES)?.unwrap_or(BodyKind::Json);
    let headers = reader.texts("headers")?;
    for (name, value) in &headers {
        check_header(&[&reader.path("headers"), ".", name].concat(), name, value)?;
    }
    if navigate && !role.may_navigate {
        return Err(reader.wrong("navigate", "is for `endpoints.login` and `endpoints.logout` of session mode"));
    }
    if navigate && (method != "GET" || !headers.is_empty()) {
        return Err(reader.wrong("navigate", "goes with neither `headers` nor a method other than GET"));
    }
    if role.has_body && !navigate && method == "GET" {
        return Err(reader.wrong("method", "must not be GET: this call has a body"));
    }
    Ok(Endpoint { url, method: method.to_owned(), body, headers, navigate })
}

/// A URL of the options: absolute, or relative to `base`.
pub(super) fn resolve(text: &str, path: &str, base: &WebUrl) -> Result<WebUrl, Error> {
    // A colon in the first segment makes a reference absolute for a URL parser (RFC 3986 §4.2), whatever it looks like.
    let head = text.split(['/', '?']).next().unwrap_or_default();
    let odd = text.contains('#') || (head.contains(':') && !matches!(head, "https:" | "http:"));
    let url = base.join(text).filter(|_| !odd);
    let url =
        url.ok_or_else(|| invalid(path, "must be a path, or an absolute http(s) URL as `new URL(x).href` prints it"))?;
    trustworthy(url, path)
}

/// Refuses plain http, except to this very machine.
pub(super) fn trustworthy(url: WebUrl, path: &str) -> Result<WebUrl, Error> {
    if url.is_trustworthy() { Ok(url) } else { Err(invalid(path, "must be https, or http on loopback")) }
}

/// The origin of the page, where everything is that the options do not place elsewhere.
pub(super) fn page_origin(page_url: &WebUrl) -> Result<WebUrl, Error> {
    let origin = WebUrl::parse(page_url.origin()).filter(WebUrl::is_trustworthy);
    origin.ok_or_else(|| Error::from(ErrorCode::InsecureContext))
}

/// Refuses a header that a request cannot carry, or that belongs to authsafe or the browser.
pub(super) fn check_header(path: &str, name: &str, value: &str) -> Result<(), Error> {
    check_header_name(path, name)?;
    // Fetch would strip or refuse anything else.
    let sendable = value.trim() == value && value.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t'));
    if sendable { Ok(()) } else { Err(invalid(path, "must be printable ASCII without spaces around it")) }
}

pub(super) fn check_header_name(path: &str, name: &str) -> Result<(), Error> {
    let lower = name.to_ascii_lowercase();
    if !is_token(name) {
        return Err(invalid(path, "is no header name"));
    }
    let reserved = RESERVED.contains(&lower.as_str()) || lower.starts_with("sec-") || lower.starts_with("proxy-");
    if reserved { Err(invalid(path, "is set by authsafe or the browser")) } else { Ok(()) }
}

/// RFC 9110 §5.6.2; also what a cookie name is (RFC 6265 §4.1.1).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

const METHODS: &[(&str, &str)] =
    &[("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE")];

const BODIES: &[(&str, BodyKind)] = &[("json", BodyKind::Json), ("form", BodyKind::Form)];

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
