//! Session mode: asking a backend who is signed in, and what its answers mean.
//!
//! There is no standard for these answers; the payload is authsafe's own (`SessionPayload` in the types). It fails closed:
//! only a complete statement that somebody is signed in counts as one, whatever the status. RFC 9110 §15 for the rest.

use super::answer::{json_object, status_error};
use super::endpoint::{Endpoint, login_fields};
use super::form::Form;
use super::http::{Credentials, HttpRequest, HttpResponse, Purpose, Verdict};
use super::payload;
use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::types::{Csrf, CsrfToken, Json, Password, ReturnTo, Session, UnixMillis, WebUrl};

/// The session server's endpoints, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionBackend {
    /// Answers the current session, or 401.
    pub session: Endpoint,
    /// User name and password for a session.
    pub login: Option<Endpoint>,
    /// Ends the session.
    pub logout: Option<Endpoint>,
    /// Prolongs the session and answers it.
    pub extend: Option<Endpoint>,
    /// Answers `{ csrfToken }`.
    pub csrf: Option<Endpoint>,
    /// Which calls carry cookies.
    pub credentials: Credentials,
    /// The proof that a request comes from the application's own page.
    pub csrf_kind: Csrf,
}

/// What a backend tells about a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionAnswer {
    /// Who is signed in, and until when; instants are by the server's clock.
    pub session: Session,
    /// What that clock showed, if the answer says so.
    pub server_time: Option<UnixMillis>,
    /// The token for requests that change something.
    pub csrf: Option<CsrfToken>,
}

/// A header that proves where a request comes from.
type Proof = Option<(String, String)>;

/// Asks who is signed in.
#[must_use]
pub fn check_request(backend: &SessionBackend) -> HttpRequest {
    call(backend, &backend.session, &Json::Object(Vec::new()), None, Purpose::Session)
}

/// Signs in with what the user typed. `None` where the backend has no such endpoint.
#[must_use]
pub fn login_request(
    backend: &SessionBackend,
    username: &str,
    password: &Password,
    extra: Option<&Json>,
    proof: Proof,
) -> Option<HttpRequest> {
    let endpoint = backend.login.as_ref()?;
    Some(call(backend, endpoint, &login_fields(username, password, extra), proof, Purpose::Session))
}

/// Prolongs the session. `None` where the backend has no such endpoint.
#[must_use]
pub fn extend_request(backend: &SessionBackend, proof: Proof) -> Option<HttpRequest> {
    let endpoint = backend.extend.as_ref()?;
    Some(call(backend, endpoint, &Json::Object(Vec::new()), proof, Purpose::Session))
}

/// Ends the session; it may outlive the page. `None` where the backend has no such endpoint.
#[must_use]
pub fn logout_request(backend: &SessionBackend, proof: Proof) -> Option<HttpRequest> {
    let endpoint = backend.logout.as_ref()?;
    let mut request = call(backend, endpoint, &Json::Object(Vec::new()), proof, Purpose::Protocol);
    request.keepalive = true;
    Some(request)
}

/// Asks for a CSRF token. `None` where the backend has no such endpoint.
#[must_use]
pub fn csrf_request(backend: &SessionBackend) -> Option<HttpRequest> {
    let endpoint = backend.csrf.as_ref()?;
    Some(call(backend, endpoint, &Json::Object(Vec::new()), None, Purpose::Protocol))
}

/// Where the browser goes for an endpoint that signs in or out by itself. `returnTo` is added to its query.
#[must_use]
pub fn navigation(endpoint: &Endpoint, return_to: Option<&ReturnTo>) -> WebUrl {
    let target = return_to.and_then(|path| Form::new().pair("returnTo", path.as_str()).behind(&endpoint.url));
    target.unwrap_or_else(|| endpoint.url.clone())
}

/// Judges the answer to a check (`phase` [`ErrorPhase::Session`]) or to an extension ([`ErrorPhase::Refresh`]). `None`
/// where the backend says that nobody is signed in.
///
/// # Errors
/// [`ErrorCode::ResponseInvalid`] names what a statement lacks; [`ErrorCode::CsrfRejected`] for 403 and 419 to an
/// extension; [`ErrorCode::ConfigInvalid`] where a hook of the application's threw; otherwise those of `status_error`.
pub fn process_session(response: &HttpResponse, phase: ErrorPhase) -> Result<Option<SessionAnswer>, Error> {
    let placed = |error: Error| error.during(phase).with_status(response.status);
    match (&response.verdict, response.status) {
        (Some(Verdict::Gone), _) | (_, 401) | (_, 419) => Ok(None),
        (_, 429 | 500..=599) => Err(status_error(response, phase)),
        (Some(Verdict::Failed), _) => Err(placed(hook_threw())),
        (Some(Verdict::Parsed(body)), 200..=299) => payload::read(body).map(Some).map_err(placed),
        (None, 200..=299) => json_object(response)
            .and_then(|body| payload::read(&body))
            .map(Some)
            .map_err(|error| placed(with_remedy(error))),
        (_, 403) if phase == ErrorPhase::Refresh => Err(placed(ErrorCode::CsrfRejected.into())),
        (Some(Verdict::Parsed(_)) | None, _) => Err(status_error(response, phase)),
    }
}

/// Judges the answer to a login. `None` where the answer is good but does not tell the session, so that it must be asked
/// for.
///
/// # Errors
/// [`ErrorCode::CredentialsRejected`] for 400, 401, 403 and 422; [`ErrorCode::CsrfRejected`] for 419, and for 403 where
/// proof is configured; [`ErrorCode::ConfigInvalid`] where a hook of the application's threw; otherwise those of
/// `status_error`.
pub fn process_login(response: &HttpResponse, csrf: &Csrf) -> Result<Option<SessionAnswer>, Error> {
    let phase = ErrorPhase::Login;
    let placed = |error: Error| error.during(phase).with_status(response.status);
    let failed = |code: ErrorCode| Err(placed(code.into()));
    match (response.status, &response.verdict) {
        (200..=299, Some(Verdict::Failed)) => Err(placed(hook_threw())),
        (200..=299, Some(Verdict::Parsed(body))) => payload::read(body).map(Some).map_err(placed),
        // Not every backend answers the session here; what it means, the check will tell.
        (200..=299, None) => Ok(json_object(response).and_then(|body| payload::read(&body)).ok()),
        (0 | 200..=399, Some(Verdict::Gone)) => Ok(None),
        (419, _) => failed(ErrorCode::CsrfRejected),
        (403, _) if *csrf != Csrf::Off => failed(ErrorCode::CsrfRejected),
        (400 | 401 | 403 | 422, _) => failed(ErrorCode::CredentialsRejected),
        (_, _) => Err(status_error(response, phase)),
    }
}

/// Judges the answer to a logout. That there was nothing to end is no failure.
///
/// # Errors
/// [`ErrorCode::CsrfRejected`] for 403; otherwise those of `status_error`.
pub fn process_logout(response: &HttpResponse) -> Result<(), Error> {
    match response.status {
        200..=299 | 401 | 419 => Ok(()),
        403 => Err(Error::from(ErrorCode::CsrfRejected).during(ErrorPhase::Logout).with_status(403)),
        _ => Err(status_error(response, ErrorPhase::Logout)),
    }
}

/// Reads `{ csrfToken }`.
///
/// # Errors
/// [`ErrorCode::ResponseInvalid`] where there is none, and those of `status_error`.
pub fn process_csrf(response: &HttpResponse) -> Result<CsrfToken, Error> {
    if !(200..300).contains(&response.status) {
        return Err(status_error(response, ErrorPhase::Session));
    }
    let placed = |error: Error| error.during(ErrorPhase::Session).with_status(response.status);
    let body = json_object(response).map_err(placed)?;
    let token = payload::csrf_token(&body).map_err(placed)?;
    token.ok_or_else(|| placed(Error::new(ErrorCode::ResponseInvalid, "`csrfToken` is missing.")))
}

/// Reads the session that the server rendered into the page. `None` where it is no such session.
///
/// `serverTime` is ignored: a page may have been rendered, and cached, long before it is read, and the first answer of
/// the server itself sets the clock right.
#[must_use]
pub fn parse_payload(payload: &Json) -> Option<SessionAnswer> {
    check_payload(payload).ok()?;
    let members = payload.members()?.iter().filter(|(name, _)| name != "serverTime").cloned().collect();
    payload::read(&Json::Object(members)).ok()
}

/// What [`parse_payload`] would refuse, in words.
///
/// # Errors
/// [`ErrorCode::ResponseInvalid`] names the member.
pub fn check_payload(payload: &Json) -> Result<(), Error> {
    payload::read(payload).map(drop)
}

fn call(backend: &SessionBackend, endpoint: &Endpoint, fields: &Json, proof: Proof, purpose: Purpose) -> HttpRequest {
    let mut request = endpoint.request(fields);
    if let Some((name, value)) = proof {
        super::endpoint::set_header(&mut request, &name, &value);
    }
    request.credentials = backend.credentials;
    request.purpose = purpose;
    request
}

fn hook_threw() -> Error {
    // What it threw could quote the body, so it is not repeated.
    Error::new(ErrorCode::ConfigInvalid, "`parseSession` or `isSessionExpired` threw.")
}

fn with_remedy(mut error: Error) -> Error {
    error.detail.push_str(" A backend with a format of its own needs `parseSession`.");
    error
}

#[cfg(test)]
mod tests;
