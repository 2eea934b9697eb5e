//! The rules that the claims of an ID token must pass.
//!
//! OpenID Connect Core 1.0 §2, §3.1.3.7 and §12.2; RFC 7519 §4.1; RFC 8725 §3.11. A claim of the wrong JSON type is
//! malformed and never counts as absent. Not here: the signature, and `at_hash` (§3.1.3.8), whose hash function follows from the
//! signature's algorithm; `judge` looks at all of them.

pub use super::rules::IdTokenError;
use crate::types::{ClientId, Issuer, Json, Lifetime, Nonce, UnixMillis, same_text};

/// What an ID token is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The configured issuer.
    pub issuer: &'a Issuer,
    /// Our own client id.
    pub client_id: &'a ClientId,
    /// The nonce of the request; `None` where there was no request.
    pub nonce: Option<&'a Nonce>,
    /// How long ago the user may have signed in actively.
    pub max_age: Option<Lifetime>,
    /// Tolerance of the time claims.
    pub leeway: Lifetime,
    /// The server's time, as well as it is known.
    pub now: UnixMillis,
    /// What `typ` must be, where another token than an ID token is judged, such as an access token (`at+jwt`, RFC 9068 §4): then
    /// it may be for several, whoever it was issued to. `None` for ID tokens.
    pub typ: Option<&'a str>,
}

/// The rules for an ID token that answers a sign-in. §3.1.3.7.
pub(super) fn check(header: &Json, claims: &Json, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    check_type(header, expected.typ)?;
    check_parties(claims, expected)?;
    check_times(claims, expected)?;

    let nonce = text(claims, "nonce", "`nonce` is not a text")?;
    let came_back = |sent: &Nonce| nonce.is_some_and(|nonce| same_text(nonce, sent.as_str()));
    if !expected.nonce.is_none_or(came_back) {
        return Err(IdTokenError::NonceMismatch);
    }
    let sub = text(claims, "sub", "`sub` is not a text")?;
    if sub.is_none_or(str::is_empty) {
        return Err(IdTokenError::Malformed("`sub` is missing or empty"));
    }
    Ok(())
}

/// The rules for an ID token that a refresh brought, against the claims of the one before. §12.2.
///
/// `expected.nonce` and `expected.max_age` belong to a sign-in and are not looked at: the nonce may be left out, and
/// `auth_time` still tells of the original sign-in. Nor is its time judged: the server has made it for this answer and has rotated
/// the refresh token for it, and a clock that was set meanwhile must not lose that.
pub(super) fn check_refreshed(
    header: &Json,
    claims: &Json,
    previous: &Json,
    expected: &Expected<'_>,
) -> Result<(), IdTokenError> {
    check(header, claims, &Expected { nonce: None, max_age: None, leeway: FOREVER, ..*expected })?;
    let same = |name| claims.get(name) == previous.get(name);
    if !same("sub") {
        return Err(IdTokenError::SubjectChanged);
    }
    if !same("iss") {
        return Err(IdTokenError::ClaimChanged("iss"));
    }
    if !same_audience(claims, previous) {
        return Err(IdTokenError::ClaimChanged("aud"));
    }
    if !same("azp") {
        return Err(IdTokenError::ClaimChanged("azp"));
    }
    if claims.get("nonce").is_some() && !same("nonce") {
        return Err(IdTokenError::NonceMismatch);
    }
    if claims.get("auth_time").is_some() && previous.get("auth_time").is_some() && !same("auth_time") {
        return Err(IdTokenError::ClaimChanged("auth_time"));
    }
    Ok(())
}

const FOREVER: Lifetime = Lifetime::from_millis(i64::MAX);

/// A token that says what it is must say that it is a plain JWT: access, logout and DPoP tokens have types of their own.
/// RFC 7515 §4.1.9: in any case of letters, and `application/` may be left out.
fn check_type(header: &Json, wanted: Option<&str>) -> Result<(), IdTokenError> {
    let typ = text(header, "typ", "`typ` is not a text")?;
    let right = typ.map_or(wanted.is_none(), |typ| bare(typ).eq_ignore_ascii_case(bare(wanted.unwrap_or("jwt"))));
    if right { Ok(()) } else { Err(IdTokenError::TypeRefused) }
}

fn bare(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    let prefixed = typ.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    if prefixed { typ.get(PREFIX.len()..).unwrap_or_default() } else { typ }
}

/// Rules 2 to 5.
fn check_parties(claims: &Json, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let iss = text(claims, "iss", "`iss` is not a text")?.ok_or(IdTokenError::Malformed("`iss` is missing"))?;
    if iss != expected.issuer.as_str() {
        return Err(IdTokenError::IssuerMismatch { expected: expected.issuer.clone(), got: iss.to_owned() });
    }
    let ours = expected.client_id.as_str();
    let audiences = audience(claims).ok_or(IdTokenError::Malformed("`aud` is neither a text nor a list of texts"))?;
    if !audiences.contains(&ours) {
        let got = audiences.into_iter().map(str::to_owned).collect();
        return Err(IdTokenError::AudienceMismatch { expected: expected.client_id.clone(), got });
    }
    let azp = text(claims, "azp", "`azp` is not a text")?;
    if expected.typ.is_none() && azp.map_or(audiences.len() > 1, |azp| azp != ours) {
        let got = azp.map(str::to_owned);
        return Err(IdTokenError::AuthorizedPartyMismatch { expected: expected.client_id.clone(), got });
    }
    Ok(())
}

/// Rules 9, 10, 12 and 13, and `nbf` of RFC 7519 §4.1.5.
fn check_times(claims: &Json, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let Expected { now, leeway: tolerance, .. } = *expected;
    let exp = time(claims, "exp", "`exp` is not an instant")?.ok_or(IdTokenError::Malformed("`exp` is missing"))?;
    if exp.plus(tolerance) <= now {
        return Err(IdTokenError::Expired { exp, now, tolerance });
    }
    let iat = time(claims, "iat", "`iat` is not an instant")?.ok_or(IdTokenError::Malformed("`iat` is missing"))?;
    let from = time(claims, "nbf", "`nbf` is not an instant")?.map_or(iat, |nbf| nbf.max(iat));
    if from > now.plus(tolerance) {
        return Err(IdTokenError::NotYetValid { from, now, tolerance });
    }
    // Whatever the clock: this one is in force at no time.
    if exp <= iat {
        return Err(IdTokenError::Malformed("`exp` is not later than `iat`"));
    }
    let auth_time = time(claims, "auth_time", "`auth_time` is not an instant")?;
    if let Some(max_age) = expected.max_age {
        let auth_time = auth_time.ok_or(IdTokenError::AuthTimeMissing)?;
        if auth_time.plus(max_age).plus(tolerance) < now {
            return Err(IdTokenError::AuthTimeTooOld { auth_time, max_age, now });
        }
    }
    Ok(())
}

pub(super) fn text<'a>(claims: &'a Json, name: &str, problem: &'static str) -> Result<Option<&'a str>, IdTokenError> {
    claims.get(name).map(|value| value.text().ok_or(IdTokenError::Malformed(problem))).transpose()
}

fn time(claims: &Json, name: &str, problem: &'static str) -> Result<Option<UnixMillis>, IdTokenError> {
    let read = |value: &Json| value.number().and_then(UnixMillis::from_seconds).ok_or(IdTokenError::Malformed(problem));
    claims.get(name).map(read).transpose()
}

/// `aud` as a list, which must not be empty.
fn audience(claims: &Json) -> Option<Vec<&str>> {
    let aud = claims.get("aud")?;
    match aud.text() {
        Some(one) => Some(vec![one]),
        None => aud.list()?.iter().map(Json::text).collect::<Option<Vec<_>>>().filter(|list| !list.is_empty()),
    }
}

/// Order, repetition and the choice between a text and a list of one do not matter.
fn same_audience(claims: &Json, previous: &Json) -> bool {
    let (Some(now), Some(before)) = (audience(claims), audience(previous)) else { return false };
    now.iter().all(|each| before.contains(each)) && before.iter().all(|each| now.contains(each))
}

#[cfg(test)]
mod tests;
