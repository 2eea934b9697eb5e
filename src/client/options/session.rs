//! The options of session mode.

use super::endpoint::{
    ASKS, SENDS, SENDS_OR_SHOWS, endpoint, header_name_problem, header_problem, is_token, page_origin, required,
    resolve,
};
use super::reader::Reader;
use crate::protocol::http::Credentials;
use crate::protocol::session::{SessionBackend, check_payload};
use crate::types::{Csrf, Json, Lifetime, WebUrl};

/// Session mode.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The session server.
    pub backend: SessionBackend,
    /// When it is asked again.
    pub recheck: Recheck,
    /// What the server rendered into the page: nothing, that nobody is signed in, or a session payload.
    pub initial_session: Option<Option<Json>>,
}

/// When the session server is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recheck {
    /// After this long.
    pub interval: Option<Lifetime>,
    /// When the page becomes visible.
    pub on_focus: bool,
    /// When the network comes back.
    pub on_online: bool,
    /// But not within this time of the last answer.
    pub min_interval: Lifetime,
}

pub(super) fn parse(reader: &Reader<'_>, page_url: &WebUrl) -> SessionConfig {
    reader.function("parseSession");
    reader.function("isSessionExpired");
    let page = page_origin(reader, page_url);
    let base = resolve(reader, "baseUrl", reader.text("baseUrl").unwrap_or(page.as_str()), &page);
    reader.check(reader.get("endpoints").is_some(), "endpoints", "is missing");
    let endpoints = reader.object("endpoints", &["session", "login", "logout", "extend", "csrf"]);
    let backend = SessionBackend {
        session: required(&endpoints, "session", &base, &ASKS),
        login: endpoint(&endpoints, "login", &base, &SENDS_OR_SHOWS),
        logout: endpoint(&endpoints, "logout", &base, &SENDS_OR_SHOWS),
        extend: endpoint(&endpoints, "extend", &base, &SENDS),
        csrf: endpoint(&endpoints, "csrf", &base, &ASKS),
        credentials: match reader.word("credentials", &["same-origin", "include"]) {
            Some(1) => Credentials::Include,
            Some(_) | None => Credentials::SameOrigin,
        },
        csrf_kind: parse_csrf(reader),
    };
    let here = backend.session.url.origin() == page.origin();
    let problem = "must be 'include': the session endpoint is on another origin, and would never see the cookie";
    reader.check(here || backend.credentials == Credentials::Include, "credentials", problem);
    SessionConfig { backend, recheck: parse_recheck(reader), initial_session: parse_initial(reader) }
}

fn parse_csrf(reader: &Reader<'_>) -> Csrf {
    let value = reader.get("csrf");
    if matches!(value, None | Some(Json::Bool(false))) {
        return Csrf::Off;
    }
    reader.check(value.and_then(Json::members).is_some(), "csrf", "must be false, or an object with `kind`");
    // Where `kind` itself is wrong, that is the news, whatever else there is.
    let csrf = reader.object("csrf", &["kind", "headerName", "cookieName", "value"]);
    let kind = csrf.word("kind", &["double-submit", "synchronizer", "static-header"]);
    csrf.check(kind.is_some(), "kind", "is missing");
    csrf.only(match kind {
        Some(0) => &["kind", "headerName", "cookieName"],
        Some(1) => &["kind", "headerName"],
        Some(_) => &["kind", "headerName", "value"],
        None => &["kind"],
    });
    let header_name = csrf.required_text("headerName").to_owned();
    if let Some(problem) = header_name_problem(&header_name) {
        csrf.wrong("headerName", problem);
    }
    match kind {
        Some(0) => {
            let cookie_name = csrf.required_text("cookieName").to_owned();
            csrf.check(is_token(&cookie_name), "cookieName", "is no cookie name");
            Csrf::DoubleSubmit { cookie_name, header_name }
        }
        Some(1) | None => Csrf::Synchronizer { header_name },
        Some(_) => {
            let value = csrf.required_text("value").to_owned();
            if let Some(problem) = header_problem(&value) {
                csrf.wrong("value", problem);
            }
            Csrf::StaticHeader { header_name, value }
        }
    }
}

fn parse_recheck(reader: &Reader<'_>) -> Recheck {
    let off = reader.get("recheck") == Some(&Json::Bool(false));
    let recheck = if off {
        reader.below("recheck", &Json::Null)
    } else {
        reader.object("recheck", &["intervalSeconds", "onFocus", "onOnline", "minIntervalSeconds"])
    };
    Recheck {
        interval: recheck.seconds("intervalSeconds", 1),
        on_focus: recheck.flag("onFocus", !off),
        on_online: recheck.flag("onOnline", !off),
        min_interval: recheck.seconds("minIntervalSeconds", 0).unwrap_or(MIN_INTERVAL),
    }
}

fn parse_initial(reader: &Reader<'_>) -> Option<Option<Json>> {
    let payload = reader.value().get("initialSession")?;
    if *payload == Json::Null {
        return Some(None);
    }
    if let Err(error) = check_payload(payload) {
        reader.explain("initialSession", "is no session: ", &error);
    }
    Some(Some(payload.clone()))
}

/// How long an answer is recent.
const MIN_INTERVAL: Lifetime = Lifetime::from_seconds(10);
