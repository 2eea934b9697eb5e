//! The UserInfo endpoint: the request, whether its answer is about the user who signs in, and what it adds to them.
//!
//! OpenID Connect Core 1.0 §5.3; RFC 6750 §2.1, RFC 9449 §7.1. Sends nothing. An answer that is signed or encrypted is not read.

use super::answer::{json_object, oauth_error, status_error};
use super::dpop;
use super::endpoint::set_header;
use super::http::{HttpRequest, HttpResponse};
use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::types::{AccessToken, Json, Prover, WebUrl, same_text};

/// Asks what the provider says about the user. §5.3.1.
///
/// With a `prover`, the token is bound to its key and goes along with a proof; without, it is a bearer token.
#[must_use]
pub fn userinfo_request(endpoint: &WebUrl, access: &AccessToken, prover: Option<Prover>) -> HttpRequest {
    let mut request = HttpRequest::new("GET", endpoint.clone());
    let scheme = if prover.is_some() { dpop::SCHEME } else { "Bearer " };
    set_header(&mut request, "authorization", &[scheme, access.expose()].concat());
    request.prover = prover;
    request
}

/// Judges the answer, beside the verified `claims` of the ID token that came with the access token. §5.3.2, §5.3.3.
///
/// # Errors
/// [`ErrorCode::UserinfoUnavailable`] for 429 and 5xx; [`ErrorCode::UserinfoInvalid`] for any other answer that is not a JSON
/// object; [`ErrorCode::UserinfoSubjectMismatch`] where it is not about the user of the ID token, or does not say about whom.
pub fn process_userinfo(response: &HttpResponse, claims: &Json) -> Result<Json, Error> {
    let invalid = |detail: String| Error::new(ErrorCode::UserinfoInvalid, detail).with_status(response.status);
    if response.status != 200 {
        let mut error = coded(status_error(response, ErrorPhase::Token));
        error.oauth = json_object(response).ok().and_then(|body| oauth_error(&body));
        return Err(error);
    }
    let content_type = response.header("content-type").unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/jwt") {
        return Err(invalid("It is signed or encrypted (application/jwt).".to_owned()));
    }
    let userinfo = json_object(response).map_err(coded)?;
    if is_about(&userinfo, claims) {
        return Ok(userinfo);
    }
    let problem = match userinfo.get("sub") {
        None | Some(Json::Null) => "Its `sub` is missing.",
        Some(Json::Text(_)) => "Its `sub` is another.",
        Some(Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Object(_)) => "Its `sub` is not a text.",
    };
    Err(Error::new(ErrorCode::UserinfoSubjectMismatch, problem).with_status(response.status))
}

/// Names the error of a call that failed for what it is about; what a proof lacks keeps its name.
#[must_use]
pub fn coded(mut error: Error) -> Error {
    if let Some((_, code, detail)) = CODES.iter().find(|(code, ..)| *code == error.code) {
        error.code = *code;
        error.phase = ErrorPhase::Token;
        if error.detail.is_empty() {
            (*detail).clone_into(&mut error.detail);
        }
    }
    error
}

/// Whether an answer of the endpoint is about the user of these claims; it must not be used otherwise. §5.3.2.
#[must_use]
pub fn is_about(userinfo: &Json, claims: &Json) -> bool {
    match (userinfo.get("sub"), claims.get("sub")) {
        (Some(Json::Text(told)), Some(Json::Text(verified))) => same_text(told, verified),
        (Some(_) | None, Some(_) | None) => false,
    }
}

/// The user: the verified `claims` of the ID token, and what the endpoint said. Where both name something, it is the endpoint's
/// word that counts, except for what an ID token says about itself and the sign-in.
#[must_use]
pub fn merged(claims: &Json, userinfo: &Json) -> Json {
    let is_told = |name: &str| {
        let by = |json: &Json, name: &str| json.get(name).is_some();
        let value = value_of(name);
        !OF_THE_TOKEN.contains(&name) && (by(userinfo, value) || (by(userinfo, name) && !by(claims, value)))
    };
    let own = claims.members().unwrap_or_default().iter().filter(|(name, _)| !is_told(name));
    let told = userinfo.members().unwrap_or_default().iter().filter(|(name, _)| is_told(name));
    Json::Object(own.chain(told).cloned().collect())
}

/// What of `userinfo` still counts beside the claims of a later ID token: not what the one `before` it said, too, and that one
/// says otherwise, as this is newer.
#[must_use]
pub fn beside(userinfo: &Json, before: &Json, claims: &Json) -> Json {
    let is_news = |name: &str| matches!((before.get(name), claims.get(name)), (Some(old), Some(new)) if old != new);
    let told = userinfo.members().unwrap_or_default().iter();
    let told = told.filter(|(name, _)| !is_news(name) && !is_news(value_of(name)));
    Json::Object(told.cloned().collect())
}

/// The claim that another is about: whether an address was verified says whoever names the address, and nobody else. §5.1.
fn value_of(name: &str) -> &str {
    match name {
        "email_verified" => "email",
        "phone_number_verified" => "phone_number",
        _ => name,
    }
}

/// By what name a failure goes elsewhere, and by what name here.
const CODES: &[(ErrorCode, ErrorCode, &str)] = &[
    (ErrorCode::NetworkOrCors, ErrorCode::UserinfoUnavailable, "No answer came."),
    (ErrorCode::Timeout, ErrorCode::UserinfoUnavailable, "No answer came in time."),
    (ErrorCode::RateLimited, ErrorCode::UserinfoUnavailable, ""),
    (ErrorCode::ServerError, ErrorCode::UserinfoUnavailable, ""),
    (ErrorCode::RedirectRefused, ErrorCode::UserinfoInvalid, "It is a redirect."),
    (ErrorCode::ResponseTooLarge, ErrorCode::UserinfoInvalid, "It is larger than 256 KiB."),
    (ErrorCode::ResponseInvalid, ErrorCode::UserinfoInvalid, ""),
];

/// What only a verified ID token can say. §2, §3.1.3.6, §3.3.2.11; Front-Channel Logout 1.0 §3.
const OF_THE_TOKEN: &[&str] =
    &["iss", "sub", "aud", "exp", "iat", "nbf", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "sid"];

#[cfg(test)]
mod tests;
