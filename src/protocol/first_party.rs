//! Sign-in at a backend of the application's own that answers with OAuth-shaped tokens.
//!
//! The answers follow RFC 6749 §5.1 and §5.2 as far as such backends do. With `refresh_cookie` the refresh token is an
//! HttpOnly cookie that script never sees (RFC 10017 §6.2): the calls carry cookies, and a header that a cross-site form
//! cannot send.

use super::answer::{json_object, oauth_error, status_error};
use super::endpoint::{Endpoint, login_fields, set_header};
use super::http::{Credentials, HttpRequest, HttpResponse, Purpose, Verdict};
use super::token::{TokenResponse, from_json};
use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::types::{AccessToken, Json, Members, Password, RefreshToken, UnixMillis};
use zeroize::Zeroizing;

/// The backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstParty {
    /// User name and password for tokens.
    pub login: Endpoint,
    /// The next tokens.
    pub refresh: Option<Endpoint>,
    /// Ends the session.
    pub logout: Option<Endpoint>,
    /// Answers the user, to the new access token.
    pub user: Option<Endpoint>,
    /// The refresh token is an HttpOnly cookie.
    pub refresh_cookie: bool,
}

/// Asks for tokens with what the user typed.
#[must_use]
pub fn login_request(backend: &FirstParty, username: &str, password: &Password, extra: Option<&Json>) -> HttpRequest {
    let mut request = backend.login.request(&login_fields(username, password, extra));
    request.purpose = Purpose::Tokens;
    with_cookies(backend, request)
}

/// Asks for the next tokens. `None` where there is nothing to ask with.
#[must_use]
pub fn refresh_request(backend: &FirstParty, refresh_token: Option<&RefreshToken>) -> Option<HttpRequest> {
    let endpoint = backend.refresh.as_ref()?;
    if refresh_token.is_none() && !backend.refresh_cookie {
        return None;
    }
    let mut request = endpoint.request(&token_fields(refresh_token));
    request.purpose = Purpose::Tokens;
    Some(with_cookies(backend, request))
}

/// Ends the session at the backend; it may outlive the page. `None` where the backend has no such endpoint.
#[must_use]
pub fn logout_request(backend: &FirstParty, refresh_token: Option<&RefreshToken>) -> Option<HttpRequest> {
    let mut request = backend.logout.as_ref()?.request(&token_fields(refresh_token));
    request.keepalive = true;
    Some(with_cookies(backend, request))
}

/// Asks who the user is. `None` where the backend has no such endpoint.
#[must_use]
pub fn user_request(backend: &FirstParty, access_token: &AccessToken) -> Option<HttpRequest> {
    let mut request = backend.user.as_ref()?.request(&Json::Object(Vec::new()));
    // RFC 6750 §2.1.
    set_header(&mut request, "authorization", &["Bearer ", access_token.expose()].concat());
    Some(with_cookies(backend, request))
}

/// Judges the answer to a login or a refresh; `phase` says which.
///
/// # Errors
/// Login: [`ErrorCode::CredentialsRejected`] for 400, 401, 403 and 422. Refresh: [`ErrorCode::SessionExpired`] where the
/// backend itself says that there is nothing left to refresh, [`ErrorCode::TokenRequestRejected`] for any other OAuth
/// error. [`ErrorCode::ConfigInvalid`] where `parseTokens` threw. Otherwise those of `status_error` and `from_json`.
pub fn process_tokens(response: &HttpResponse, at: UnixMillis, phase: ErrorPhase) -> Result<TokenResponse, Error> {
    let placed = |error: Error| error.during(phase).with_status(response.status);
    if !(200..300).contains(&response.status) {
        return Err(refusal(response, phase));
    }
    match &response.verdict {
        None => {
            let body = Zeroizing::new(json_object(response).map_err(placed)?);
            from_json(&body, at).map_err(placed)
        }
        Some(Verdict::Parsed(body)) => from_json(body, at).map_err(placed),
        // The hook's own words could quote the body, so they are not repeated.
        Some(Verdict::Failed) => Err(placed(Error::new(ErrorCode::ConfigInvalid, "`firstParty.parseTokens` threw."))),
        Some(Verdict::Gone) => {
            Err(placed(Error::new(ErrorCode::ResponseInvalid, "`firstParty.parseTokens` found no tokens.")))
        }
    }
}

/// Reads the user that the `user` endpoint answers.
///
/// # Errors
/// [`ErrorCode::ResponseInvalid`] for anything but a JSON object that says something, and those of `status_error`.
pub fn process_user(response: &HttpResponse) -> Result<Json, Error> {
    if !(200..300).contains(&response.status) {
        return Err(status_error(response, ErrorPhase::Login));
    }
    let user = json_object(response).map_err(|error| error.during(ErrorPhase::Login))?;
    let empty = user.members().is_none_or(<[_]>::is_empty);
    if empty || oauth_error(&user).is_some() {
        let error = Error::new(ErrorCode::ResponseInvalid, "The `user` endpoint answered no user.");
        return Err(error.during(ErrorPhase::Login).with_status(response.status));
    }
    Ok(user)
}

fn refusal(response: &HttpResponse, phase: ErrorPhase) -> Error {
    let status = response.status;
    let by_status = || status_error(response, phase);
    if matches!(status, 0 | 300..=399 | 429 | 500..=599) {
        return by_status();
    }
    let body = json_object(response).map(Zeroizing::new).ok();
    let oauth = body.as_ref().and_then(|body| oauth_error(body));
    let code = if phase == ErrorPhase::Login {
        matches!(status, 400 | 401 | 403 | 422).then_some(ErrorCode::CredentialsRejected)
    } else {
        let ended = match oauth.as_ref().map(|oauth| oauth.error.as_str()) {
            Some("invalid_grant") => matches!(status, 400 | 401 | 403),
            Some(error) => status == 401 && !ABOUT_THE_CLIENT.contains(&error),
            // A page stands between us and the backend; its refusal is not the backend's.
            None => matches!(status, 401 | 403) && !is_page(response),
        };
        let rejected = oauth.as_ref().map(|_| ErrorCode::TokenRequestRejected);
        if ended { Some(ErrorCode::SessionExpired) } else { rejected }
    };
    let Some(code) = code else { return by_status() };
    let error = Error::from(code).during(phase).with_status(status);
    match oauth {
        Some(oauth) => error.with_oauth(oauth),
        None => error,
    }
}

/// Whether an answer is HTML, which no endpoint of ours speaks.
fn is_page(response: &HttpResponse) -> bool {
    let by_type = response
        .header("content-type")
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"));
    by_type || response.body.trim_ascii_start().starts_with(b"<")
}

fn token_fields(refresh_token: Option<&RefreshToken>) -> Zeroizing<Json> {
    Zeroizing::new(Members::new().text("refresh_token", refresh_token.map(RefreshToken::expose)).object())
}

fn with_cookies(backend: &FirstParty, mut request: HttpRequest) -> HttpRequest {
    if backend.refresh_cookie {
        request.credentials = Credentials::Include;
        set_header(&mut request, "x-requested-with", "authsafe");
    }
    request
}

/// RFC 6749 §5.2: errors that say nothing about the session.
const ABOUT_THE_CLIENT: &[&str] =
    &["invalid_client", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type"];

#[cfg(test)]
mod tests;
