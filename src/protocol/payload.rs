//! The session payload: a positive, complete statement that somebody is signed in.
//!
//! Epoch seconds as in RFC 7519 §2 (NumericDate). Whatever is missing, contradictory or of another type makes the whole
//! payload invalid: a wrong guess would show a signed-in page to nobody, or to somebody else.

use super::session::SessionAnswer;
use crate::error::{Error, ErrorCode};
use crate::types::{Credential, CsrfToken, ExpiresAt, Json, Session, SessionFacts, UnixMillis};
use std::rc::Rc;

/// Reads a payload. Instants are by the server's clock.
pub(super) fn read(payload: &Json) -> Result<SessionAnswer, Error> {
    if payload.members().is_none() {
        return Err(invalid("", "is not a JSON object"));
    }
    if member(payload, "error").is_some() {
        return Err(invalid("error", "says that something went wrong"));
    }
    if !matches!(member(payload, "authenticated"), None | Some(Json::Bool(true))) {
        return Err(invalid("authenticated", "is not true"));
    }
    let user = member(payload, "user").ok_or_else(|| invalid("user", "is missing"))?;
    match user.members() {
        None => return Err(invalid("user", "is not an object")),
        Some([]) => return Err(invalid("user", "is empty")),
        Some(_) => {}
    }
    let server_time = instant(payload, "serverTime")?;
    let end = |name| instant(payload, name).map(|found| found.map(ExpiresAt));
    let facts = SessionFacts {
        sub: text(user, "sub", "user.sub")?,
        sid: text(payload, "sessionId", "sessionId")?,
        issued_at: instant(payload, "issuedAt")?,
        expires_at: end("expiresAt")?,
        absolute_expires_at: end("absoluteExpiresAt")?,
        ..SessionFacts::default()
    };
    let csrf = csrf_token(payload)?;
    let session = Session::new(Rc::new(user.clone()), facts, Credential::Cookie);
    Ok(SessionAnswer { session, csrf, server_time })
}

/// The member `csrfToken`, if there is one.
pub(super) fn csrf_token(body: &Json) -> Result<Option<CsrfToken>, Error> {
    Ok(text(body, "csrfToken", "csrfToken")?.and_then(CsrfToken::new))
}

/// A member; `null` counts as absent.
fn member<'a>(object: &'a Json, name: &str) -> Option<&'a Json> {
    object.get(name).filter(|value| **value != Json::Null)
}

fn text(object: &Json, name: &str, path: &str) -> Result<Option<String>, Error> {
    match member(object, name) {
        None => Ok(None),
        Some(Json::Text(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(invalid(path, "is not a text, or empty")),
    }
}

fn instant(payload: &Json, name: &str) -> Result<Option<UnixMillis>, Error> {
    let Some(value) = member(payload, name) else { return Ok(None) };
    let seconds = value.number().ok_or_else(|| invalid(name, "is not a number"))?;
    // What JavaScript's clock counts would be an instant in 50,000 years: the session would never end.
    if !(0.0..=LATEST).contains(&seconds) {
        return Err(invalid(name, "is not an instant in epoch seconds (it may be milliseconds)"));
    }
    Ok(UnixMillis::from_seconds(seconds))
}

fn invalid(path: &str, problem: &str) -> Error {
    let subject = if path.is_empty() { "The payload" } else { path };
    let quote = if path.is_empty() { "" } else { "`" };
    Error::new(ErrorCode::ResponseInvalid, [quote, subject, quote, " ", problem, "."].concat())
}

/// The year 5138.
const LATEST: f64 = 1e11;
