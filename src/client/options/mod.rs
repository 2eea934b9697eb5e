//! The options of `createAuthClient`, read once and trusted from there on.
//!
//! The contract is `CommonConfig`, `SessionConfig` and `TokenConfig` of the TypeScript types. Functions never get here: the
//! TypeScript layer keeps them. An option that is unknown, misspelt or of another type is named with its full path, since
//! an option that is silently ignored is a protection that is silently off.

mod endpoint;
mod reader;
mod session;
mod token;

pub use session::{Recheck, SessionConfig};
pub use token::{StorageConfig, TokenConfig};

use crate::error::Error;
use crate::policy::origins::AllowedOrigin;
use crate::policy::refresh::RefreshPolicy;
use crate::types::{Json, WebUrl};
use reader::{Reader, invalid};

/// Everything that a client is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Names the instance; storage keys, locks and channels derive from it.
    pub id: String,
    /// Who keeps the session.
    pub mode: Mode,
    /// The only places that get a credential.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// When credentials are renewed.
    pub refresh: RefreshPolicy,
    /// Where the core should run.
    pub isolation: Isolation,
    /// How much is logged.
    pub log_level: LogLevel,
}

/// Who keeps the session.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it for each client")]
pub enum Mode {
    /// The server; the browser has a cookie.
    Session(SessionConfig),
    /// The client; it sends tokens.
    Token(TokenConfig),
}

/// Where the core should run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In a worker where one can be had.
    Worker,
    /// In the page.
    Page,
    /// In a worker, or not at all.
    Required,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    Silent,
    /// What failed.
    Error,
    /// What may fail.
    Warn,
    /// What happens.
    Info,
    /// How it happens.
    Debug,
}

impl Config {
    /// Reads the options of a client that lives at `page_url`.
    ///
    /// # Errors
    /// `config_invalid` names the option.
    pub fn parse(options: &Json, page_url: &WebUrl) -> Result<Self, Error> {
        let mode = match options.get("mode").and_then(Json::text) {
            Some("session") => ModeName::Session,
            Some("token") => ModeName::Token,
            Some(_) | None => return Err(invalid("mode", "must be 'session' or 'token'")),
        };
        let (known, other, remark) = match mode {
            ModeName::Session => (SESSION_OPTIONS, TOKEN_OPTIONS, "is an option of token mode"),
            ModeName::Token => (TOKEN_OPTIONS, SESSION_OPTIONS, "is an option of session mode"),
        };
        if let Some((name, _)) = options.members().unwrap_or_default().iter().find(|(name, _)| {
            let name = name.as_str();
            other.contains(&name) && !known.contains(&name)
        }) {
            return Err(invalid(name, remark));
        }
        let reader = Reader::of(options, "", known)?;
        reader.function("mapUser")?;
        let (mode, server) = match mode {
            ModeName::Session => {
                let config = session::parse(&reader, page_url)?;
                let server = ["session\n", config.backend.session.url.as_str()].concat();
                (Mode::Session(config), server)
            }
            ModeName::Token => {
                let config = token::parse(&reader, page_url)?;
                let server = ["token\n", &config.server()].concat();
                (Mode::Token(config), server)
            }
        };
        Ok(Self {
            id: parse_id(&reader)?.unwrap_or_else(|| ["authsafe-", &short_hash(&server)].concat()),
            allowed_origins: parse_origins(&reader, &mode, page_url)?,
            refresh: parse_refresh(&reader, &mode)?,
            isolation: reader.word("isolation", ISOLATIONS)?.unwrap_or(Isolation::Page),
            log_level: parse_log_level(&reader)?,
            mode,
        })
    }
}

#[derive(Clone, Copy)]
enum ModeName {
    Session,
    Token,
}

/// The id becomes part of storage keys and cookie names, so it has only characters that every one of them allows.
fn parse_id(reader: &Reader<'_>) -> Result<Option<String>, Error> {
    let Some(id) = reader.text("id")? else { return Ok(None) };
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if plain && (1..=64).contains(&id.len()) {
        return Ok(Some(id.to_owned()));
    }
    Err(invalid("id", "must be 1 to 64 of the characters a-z, A-Z, 0-9, '-', '_' and '.'"))
}

fn parse_origins(reader: &Reader<'_>, mode: &Mode, page_url: &WebUrl) -> Result<Vec<AllowedOrigin>, Error> {
    let Some(list) = reader.list("allowedOrigins")? else {
        return Ok(match mode {
            Mode::Session(_) => vec![AllowedOrigin { origin: page_url.origin().to_owned(), path_prefix: None }],
            Mode::Token(_) => Vec::new(),
        });
    };
    list.iter()
        .enumerate()
        .map(|(at, item)| {
            let path = ["allowedOrigins[", &at.to_string(), "]"].concat();
            parse_origin(item, &path)
        })
        .collect()
}

fn parse_origin(item: &Json, path: &str) -> Result<AllowedOrigin, Error> {
    // The detail of the inner error is about the text; the path says where it stands.
    let at = |path: &str, error: Error| invalid(path, error.detail.trim_end_matches('.'));
    if let Some(text) = item.text() {
        return AllowedOrigin::parse(text).map_err(|error| at(path, error));
    }
    if item.members().is_none() {
        return Err(invalid(path, "must be an origin, or an object with `origin` and `pathPrefix`"));
    }
    let reader = Reader::of(item, path, &["origin", "pathPrefix"])?;
    let place =
        AllowedOrigin::parse(reader.required_text("origin")?).map_err(|error| at(&reader.path("origin"), error))?;
    if place.path_prefix.is_some() {
        return Err(invalid(&reader.path("origin"), "must be an origin without a path; use `pathPrefix`"));
    }
    match reader.text("pathPrefix")? {
        None => Ok(place),
        Some(prefix) => place.below(prefix).map_err(|error| at(&reader.path("pathPrefix"), error)),
    }
}

fn parse_refresh(reader: &Reader<'_>, mode: &Mode) -> Result<RefreshPolicy, Error> {
    // Prolonging a session without its user would defeat the server's idle timeout, so that has to be asked for.
    let proactive = matches!(mode, Mode::Token(_));
    let default = RefreshPolicy { proactive, ..RefreshPolicy::default() };
    let Some(reader) = reader.object("refresh", &["proactive", "earlySeconds", "maxAttempts"])? else {
        return Ok(default);
    };
    Ok(RefreshPolicy {
        proactive: reader.flag("proactive")?.unwrap_or(default.proactive),
        early: reader.seconds("earlySeconds", 0)?,
        max_attempts: reader.whole("maxAttempts", 1, 100)?.unwrap_or(default.max_attempts),
    })
}

/// A sink of the application's own stays with the TypeScript layer, and wants to hear everything.
fn parse_log_level(reader: &Reader<'_>) -> Result<LogLevel, Error> {
    match reader.get("logger") {
        Some(Json::Bool(true) | Json::Object(_)) => Ok(LogLevel::Debug),
        Some(_) | None => Ok(reader.word("logger", LOG_LEVELS)?.unwrap_or(LogLevel::Warn)),
    }
}

/// FNV-1a, 64 bits, in hexadecimal. It names things; it hides nothing.
fn short_hash(text: &str) -> String {
    let hash =
        text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    crate::types::text::hex(hash)
}

const ISOLATIONS: &[(&str, Isolation)] =
    &[("worker", Isolation::Worker), ("page", Isolation::Page), ("required", Isolation::Required)];

const LOG_LEVELS: &[(&str, LogLevel)] = &[
    ("silent", LogLevel::Silent),
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
];

const SESSION_OPTIONS: &[&str] = &[
    "mode",
    "id",
    "mapUser",
    "allowedOrigins",
    "refresh",
    "isolation",
    "logger",
    "baseUrl",
    "endpoints",
    "credentials",
    "csrf",
    "recheck",
    "initialSession",
    "parseSession",
    "isSessionExpired",
];

const TOKEN_OPTIONS: &[&str] =
    &["mode", "id", "mapUser", "allowedOrigins", "refresh", "isolation", "logger", "oidc", "firstParty", "storage"];

#[cfg(test)]
mod tests;
