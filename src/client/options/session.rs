//! The options of session mode.

use super::endpoint::{
    ASKS, SENDS, SENDS_OR_SHOWS, check_header, check_header_name, endpoint, is_token, page_origin, required, resolve,
};
use super::reader::Reader;
use crate::error::Error;
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

pub(super) fn parse(reader: &Reader<'_>, page_url: &WebUrl) -> Result<SessionConfig, Error> {
    reader.function("parseSession")?;
    reader.function("isSessionExpired")?;
    let page = page_origin(page_url)?;
    let base = match reader.text("baseUrl")? {
        None => page.clone(),
        Some(text) => resolve(text, "baseUrl", &page)?,
    };
    let endpoints = reader.object("endpoints", &["session", "login", "logout", "extend", "csrf"])?;
    let endpoints = endpoints.ok_or_else(|| reader.wrong("endpoints", "is missing"))?;
    let backend = SessionBackend {
        session: required(&endpoints, "session", &base, ASKS)?,
        login: endpoint(&endpoints, "login", &base, SENDS_OR_SHOWS)?,
        logout: endpoint(&endpoints, "logout", &base, SENDS_OR_SHOWS)?,
        extend: endpoint(&endpoints, "extend", &base, SENDS)?,
        csrf: endpoint(&endpoints, "csrf", &base, ASKS)?,
        credentials: reader.word("credentials", CREDENTIALS)?.unwrap_or(Credentials::SameOrigin),
        csrf_kind: parse_csrf(reader)?,
    };
    let elsewhere = backend.session.url.origin() != page.origin();
    if elsewhere && backend.credentials == Credentials::SameOrigin {
        let problem = "must be 'include': the session endpoint is on another origin, and would never see the cookie";
        return Err(reader.wrong("credentials", problem));
    }
    Ok(SessionConfig { backend, recheck: parse_recheck(reader)?, initial_session: parse_initial(reader)? })
}

fn parse_csrf(reader: &Reader<'_>) -> Result<Csrf, Error> {
    let known: &[&'static str] = match reader.get("csrf") {
        None | Some(Json::Bool(false)) => return Ok(Csrf::Off),
        Some(value) if value.members().is_none() => {
            return Err(reader.wrong("csrf", "must be false, or an object with `kind`"));
        }
        Some(value) => match value.get("kind").and_then(Json::text) {
            Some(DOUBLE_SUBMIT) => &["kind", "cookieName", "headerName"],
            Some(SYNCHRONIZER) => &["kind", "headerName"],
            Some(STATIC_HEADER) => &["kind", "headerName", "value"],
            Some(_) | None => &["kind"],
        },
    };
    // Where `kind` itself is wrong, that is the news, whatever else there is.
    let kinds = [DOUBLE_SUBMIT, SYNCHRONIZER, STATIC_HEADER].map(|word| (word, word));
    let kind = match reader.object("csrf", &["kind", "cookieName", "headerName", "value"])? {
        Some(csrf) => csrf.word("kind", &kinds)?.ok_or_else(|| csrf.wrong("kind", "is missing"))?,
        None => return Ok(Csrf::Off),
    };
    let Some(csrf) = reader.object("csrf", known)? else { return Ok(Csrf::Off) };
    let header_name = csrf.required_text("headerName")?.to_owned();
    check_header_name(&csrf.path("headerName"), &header_name)?;
    Ok(match kind {
        DOUBLE_SUBMIT => {
            let cookie_name = csrf.required_text("cookieName")?.to_owned();
            if !is_token(&cookie_name) {
                return Err(csrf.wrong("cookieName", "is no cookie name"));
            }
            Csrf::DoubleSubmit { cookie_name, header_name }
        }
        STATIC_HEADER => {
            let value = csrf.required_text("value")?.to_owned();
            check_header(&csrf.path("value"), &header_name, &value)?;
            Csrf::StaticHeader { header_name, value }
        }
        _ => Csrf::Synchronizer { header_name },
    })
}

fn parse_recheck(reader: &Reader<'_>) -> Result<Recheck, Error> {
    let default = Recheck { interval: None, on_focus: true, on_online: true, min_interval: MIN_INTERVAL };
    if let Some(Json::Bool(false)) = reader.get("recheck") {
        return Ok(Recheck { on_focus: false, on_online: false, ..default });
    }
    let known = &["intervalSeconds", "onFocus", "onOnline", "minIntervalSeconds"];
    let Some(recheck) = reader.object("recheck", known)? else { return Ok(default) };
    Ok(Recheck {
        interval: recheck.seconds("intervalSeconds", 1)?,
        on_focus: recheck.flag("onFocus")?.unwrap_or(default.on_focus),
        on_online: recheck.flag("onOnline")?.unwrap_or(default.on_online),
        min_interval: recheck.seconds("minIntervalSeconds", 0)?.unwrap_or(default.min_interval),
    })
}

fn parse_initial(reader: &Reader<'_>) -> Result<Option<Option<Json>>, Error> {
    if reader.is_null("initialSession") {
        return Ok(Some(None));
    }
    let Some(payload) = reader.get("initialSession") else { return Ok(None) };
    check_payload(payload).map_err(|error| {
        reader.wrong("initialSession", &["is no session: ", error.detail.trim_end_matches('.')].concat())
    })?;
    Ok(Some(Some(payload.clone())))
}

const DOUBLE_SUBMIT: &str = "double-submit";
const SYNCHRONIZER: &str = "synchronizer";
const STATIC_HEADER: &str = "static-header";

const CREDENTIALS: &[(&str, Credentials)] =
    &[("same-origin", Credentials::SameOrigin), ("include", Credentials::Include)];

/// How long an answer is recent.
const MIN_INTERVAL: Lifetime = Lifetime::from_seconds(10);
