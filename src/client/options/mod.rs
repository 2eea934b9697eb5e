//! The options of `createAuthClient`, read once and trusted from there on.
//!
//! The contract is `CommonConfig`, `SessionConfig` and `TokenConfig` of the TypeScript types. Functions and `logger` never get
//! here: the TypeScript layer keeps them. An option that is unknown, misspelt or of another type is named with its full path, since
//! an option that is silently ignored is a protection that is silently off.

mod endpoint;
mod reader;
mod session;
mod token;

pub use session::{Recheck, SessionConfig};
pub use token::{Provider, StorageConfig, TokenConfig};

use crate::error::Error;
use crate::policy::idle::{IdlePolicy, OnIdle};
use crate::policy::origins::AllowedOrigin;
use crate::policy::refresh::RefreshPolicy;
use crate::types::{Json, WebUrl};
use reader::{First, Reader};

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
    /// When the user counts as away.
    pub idle: Option<IdlePolicy>,
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

impl Config {
    /// Reads the options of a client that lives at `page_url`.
    ///
    /// # Errors
    /// `config_invalid` names the option.
    pub fn parse(options: &Json, page_url: &WebUrl) -> Result<Self, Error> {
        let first = First::new();
        let config = read(&Reader::new(options, &first), page_url);
        first.into_inner().map_or(Ok(config), Err)
    }
}

fn read(reader: &Reader<'_>, page_url: &WebUrl) -> Config {
    let token_mode = match reader.get("mode").and_then(Json::text) {
        Some("token") => true,
        word => {
            reader.check(word == Some("session"), "mode", "must be 'session' or 'token'");
            false
        }
    };
    let (own, other, remark) = if token_mode {
        (TOKEN_OPTIONS, SESSION_OPTIONS, "is an option of session mode")
    } else {
        (SESSION_OPTIONS, TOKEN_OPTIONS, "is an option of token mode")
    };
    for (name, _) in reader.value().members().unwrap_or_default() {
        reader.check(!other.contains(&name.as_str()), name, remark);
    }
    reader.only(&[COMMON_OPTIONS, own].concat());
    reader.function("mapUser");
    // Which realm the core runs in was decided before it was there.
    reader.word("isolation", &["worker", "page", "required"]);
    let (mode, server) = if token_mode {
        let config = token::parse(reader, page_url);
        let server = ["token\n", &config.server()].concat();
        (Mode::Token(config), server)
    } else {
        let config = session::parse(reader, page_url);
        let server = ["session\n", config.backend.session.url.as_str()].concat();
        (Mode::Session(config), server)
    };
    Config {
        id: parse_id(reader).unwrap_or_else(|| ["authsafe-", &short_hash(&server)].concat()),
        allowed_origins: parse_origins(reader, token_mode, page_url),
        refresh: parse_refresh(reader, token_mode),
        idle: parse_idle(reader, &mode),
        mode,
    }
}

/// The id becomes part of storage keys and cookie names, so it has only characters that every one of them allows.
fn parse_id(reader: &Reader<'_>) -> Option<String> {
    let id = reader.text("id")?;
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let problem = "must be 1 to 64 of the characters a-z, A-Z, 0-9, '-', '_' and '.'";
    reader.check(plain && (1..=64).contains(&id.len()), "id", problem);
    Some(id.to_owned())
}

fn parse_origins(reader: &Reader<'_>, token_mode: bool, page_url: &WebUrl) -> Vec<AllowedOrigin> {
    let mut origins = Vec::new();
    if let Some(list) = reader.list("allowedOrigins") {
        for (at, item) in list.iter().enumerate() {
            let name = ["allowedOrigins[", &at.to_string(), "]"].concat();
            origins.extend(parse_origin(&reader.below(&name, item)));
        }
    } else if !token_mode {
        origins.push(AllowedOrigin { origin: page_url.origin().to_owned(), path_prefix: None });
    }
    origins
}

fn parse_origin(item: &Reader<'_>) -> Option<AllowedOrigin> {
    let read =
        |name: &str, place: Result<AllowedOrigin, Error>| place.map_err(|error| item.explain(name, "", &error)).ok();
    if let Some(text) = item.value().text() {
        return read("", AllowedOrigin::parse(text));
    }
    let members = item.value().members();
    item.check(members.is_some(), "", "must be an origin, or an object with `origin` and `pathPrefix`");
    item.only(&["origin", "pathPrefix"]);
    let place = read("origin", AllowedOrigin::parse(item.required_text("origin")))?;
    item.check(place.path_prefix.is_none(), "origin", "must be an origin without a path; use `pathPrefix`");
    match item.text("pathPrefix") {
        None => Some(place),
        Some(prefix) => read("pathPrefix", place.below(prefix)),
    }
}

fn parse_refresh(reader: &Reader<'_>, token_mode: bool) -> RefreshPolicy {
    let reader = reader.object("refresh", &["proactive", "earlySeconds", "maxAttempts", "offlineGraceSeconds"]);
    RefreshPolicy {
        // Prolonging a session without its user would defeat the server's idle timeout, so that has to be asked for.
        proactive: reader.flag("proactive", token_mode),
        early: reader.seconds("earlySeconds", 0),
        max_attempts: reader.whole("maxAttempts", 1, 100).unwrap_or(RefreshPolicy::default().max_attempts),
        grace: reader.seconds("offlineGraceSeconds", 0),
    }
}

fn parse_idle(reader: &Reader<'_>, mode: &Mode) -> Option<IdlePolicy> {
    reader.get("idle")?;
    let reader = reader.object("idle", &["timeoutSeconds", "warnSeconds", "onTimeout"]);
    reader.check(reader.get("timeoutSeconds").is_some(), "timeoutSeconds", "is missing");
    let timeout = reader.seconds("timeoutSeconds", 10)?;
    let warning = reader.seconds("warnSeconds", 0).unwrap_or(IdlePolicy::usual_warning(timeout));
    reader.check(warning < timeout, "warnSeconds", "must be less than `idle.timeoutSeconds`");
    let then = OnIdle::of_word(reader.word("onTimeout", &OnIdle::WORDS).unwrap_or(0));
    // Who comes back from a page of the server's cannot be told from who never signed in there.
    let elsewhere =
        matches!(mode, Mode::Session(session) if session.backend.login.as_ref().is_some_and(|login| login.navigate));
    let problem =
        "must not be 'lock' where `endpoints.login` has `navigate`: nothing would tell that the user has signed in";
    reader.check(then != OnIdle::Lock || !elsewhere, "onTimeout", problem);
    Some(IdlePolicy { timeout, warning, then })
}

/// FNV-1a, 64 bits, in hexadecimal. It names things; it hides nothing.
fn short_hash(text: &str) -> String {
    let hash =
        text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    crate::types::text::hex(hash)
}

/// Those of both modes.
const COMMON_OPTIONS: &[&str] = &["mode", "id", "mapUser", "allowedOrigins", "refresh", "idle", "isolation", "logger"];

const SESSION_OPTIONS: &[&str] =
    &["baseUrl", "endpoints", "credentials", "csrf", "recheck", "initialSession", "parseSession", "isSessionExpired"];

const TOKEN_OPTIONS: &[&str] = &["oidc", "firstParty", "storage", "exposeAccessToken", "restore", "dpop"];

#[cfg(test)]
mod tests;
