//! The token endpoint: code exchange and refresh, and what each answer means.
//!
//! RFC 6749 §4.1.3, §5.1, §5.2, §6; RFC 7636 §4.5. Sends nothing. An error never says that a credential is lost unless the
//! server said so itself (`invalid_grant`).

use super::answer::{json_object, oauth_error, status_error};
use super::authorization::Registration;
use super::callback::CallbackCode;
use super::dpop::Policy;
use super::form::Form;
use super::http::{BodyKind, HttpRequest, HttpResponse, Verdict};
use super::metadata::Metadata;
use super::transaction::Transaction;
use crate::error::{Error, ErrorCode, ErrorPhase, OAuthError};
use crate::types::{AccessToken, Binding, ExpiresAt, IdToken, Json, Lifetime, Prover, RefreshToken, Scope, UnixMillis};
use zeroize::Zeroizing;

/// A lifetime longer than this is cut: one year.
pub const MAX_LIFETIME: Lifetime = Lifetime::from_seconds(365 * 24 * 60 * 60);

/// Parameters of a token request that authsafe sets itself.
pub const RESERVED: &[&str] = &["grant_type", "code", "redirect_uri", "client_id", "code_verifier", "refresh_token"];

/// A successful answer. RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3.
#[derive(Clone, PartialEq)]
pub struct TokenResponse {
    /// Of type Bearer, unless it is bound to a key.
    pub access: AccessToken,
    /// The key that the request was made with.
    pub binding: Option<Binding>,
    /// `None` where the server does not say.
    pub expires_at: Option<ExpiresAt>,
    /// `None`: the one already held stays valid (RFC 6749 §6).
    pub refresh: Option<RefreshToken>,
    /// From `refresh_expires_in`, which some servers send.
    pub refresh_expires_at: Option<ExpiresAt>,
    /// Not verified yet.
    pub id_token: Option<IdToken>,
    /// `None`: as requested.
    pub scope: Option<Scope>,
    /// The user, where a first-party backend sends one along.
    pub user: Option<Json>,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_at", &self.expires_at)
            .field("refresh", &self.refresh)
            .field("id_token", &self.id_token)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Exchanges the code of a sign-in. RFC 6749 §4.1.3.
///
/// Client and redirect URI are those of the transaction, so that a code cannot be redeemed as anyone else's.
#[must_use]
pub fn exchange_request(
    registration: &Registration,
    metadata: &Metadata,
    code: CallbackCode,
    transaction: &Transaction,
) -> HttpRequest {
    // How far the server's clock is off is not known before it has answered.
    let prover = transaction.jkt.clone().map(|jkt| Prover { jkt, skew: 0, known_at: None });
    let form = Form::new()
        .pair("grant_type", "authorization_code")
        .pair("code", code.expose())
        .pair("redirect_uri", transaction.redirect_uri.as_str())
        .pair("client_id", transaction.client_id.as_str())
        .pair("code_verifier", transaction.code_verifier.expose());
    request(registration, metadata, form, prover)
}

/// Asks for the next access token. RFC 6749 §6; with a proof where the refresh token is bound to a key, RFC 9449 §5.
#[must_use]
pub fn refresh_request(
    registration: &Registration,
    metadata: &Metadata,
    refresh_token: &RefreshToken,
    prover: Option<Prover>,
) -> HttpRequest {
    let form = Form::new()
        .pair("grant_type", "refresh_token")
        .pair("refresh_token", refresh_token.expose())
        .pair("client_id", registration.client_id.as_str());
    request(registration, metadata, form, prover)
}

fn request(registration: &Registration, metadata: &Metadata, mut form: Form, prover: Option<Prover>) -> HttpRequest {
    // RFC 6749 §3.2: no parameter twice. The options refuse the reserved names; here they would spoil the request.
    for (name, value) in registration.token_params.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str())) {
        form = form.pair(name, value);
    }
    let mut request = HttpRequest::new("POST", metadata.token_endpoint.clone());
    request.body = Some((BodyKind::Form, form.into_body()));
    request.prover = prover;
    request
}

/// Judges the token endpoint's answer.
///
/// `at` is when it arrived; `phase` says whether it answers an exchange or a refresh; `key` names the key that the request was
/// made with, if any, and says whether the tokens must be bound.
///
/// # Errors
/// [`ErrorCode::SessionExpired`] for `invalid_grant` to a refresh, [`ErrorCode::AuthorizationFailed`] for the same to an
/// exchange; [`ErrorCode::TokenRequestRejected`] for every other OAuth error (§5.2); [`ErrorCode::DpopNotBound`] for a bearer
/// token where the policy is [`Policy::Always`]; those of [`status_error`] and [`from_json`].
pub fn process_token_response(
    response: &HttpResponse,
    at: UnixMillis,
    phase: ErrorPhase,
    key: (Option<&str>, Policy),
) -> Result<TokenResponse, Error> {
    let placed = |error: Error| error.during(phase).with_status(response.status);
    match response.status {
        200 => {}
        status @ 400..=499 if status != 429 => {
            let body = json_object(response).map(Zeroizing::new);
            return Err(match body.as_ref().ok().and_then(|body| oauth_error(body)) {
                Some(oauth) => placed(rejection(oauth, phase)),
                None => status_error(response, phase),
            });
        }
        // The body of all others decides nothing: the word of a proxy or of a failing server must not end a session.
        _ => return Err(status_error(response, phase)),
    }
    match &response.verdict {
        None => {
            let body = Zeroizing::new(json_object(response).map_err(placed)?);
            read(&body, at, key).map_err(placed)
        }
        Some(Verdict::Parsed(body)) => read(body, at, key).map_err(placed),
        Some(Verdict::Gone) => Err(placed(Error::from(ErrorCode::SessionExpired))),
        Some(Verdict::Failed) => Err(placed(Error::new(ErrorCode::ResponseInvalid, "`parseTokens` threw."))),
    }
}

/// Reads a token response that is already JSON, by the same rules. RFC 6749 §5.1.
///
/// # Errors
/// [`ErrorCode::ResponseInvalid`] names the member that is missing or wrong; [`ErrorCode::TokenTypeUnsupported`] for a type
/// other than Bearer.
pub fn from_json(body: &Json, at: UnixMillis) -> Result<TokenResponse, Error> {
    read(body, at, (None, Policy::Never))
}

/// As [`from_json`]. With a key, the type may be DPoP too (RFC 9449 §5), compared without regard to case (RFC 6749 §5.1).
fn read(body: &Json, at: UnixMillis, (jkt, policy): (Option<&str>, Policy)) -> Result<TokenResponse, Error> {
    let access = match text(body, "access_token")? {
        Some(token) if is_sendable(token) => AccessToken::new(token.to_owned()),
        Some(_) | None => None,
    };
    // Some servers answer an error with status 200; then the error is what a developer must see.
    let access = access.ok_or_else(|| {
        let mut error = invalid("access_token", "is missing, empty or not sendable");
        error.oauth = oauth_error(body);
        error
    })?;
    let token_type = text(body, "token_type")?.ok_or_else(|| invalid("token_type", "is missing"))?;
    let bound = token_type.eq_ignore_ascii_case("dpop") && jkt.is_some();
    if !bound && !token_type.eq_ignore_ascii_case("bearer") {
        return Err(unsupported(token_type));
    }
    if !bound && policy == Policy::Always {
        return Err(ErrorCode::DpopNotBound.into());
    }
    let refresh = text(body, "refresh_token")?.map(str::to_owned).and_then(RefreshToken::new);
    Ok(TokenResponse {
        access,
        binding: jkt.map(|jkt| Binding { jkt: jkt.to_owned(), access: bound }),
        expires_at: expires_at(body, at)?,
        refresh,
        refresh_expires_at: refresh_expires_at(body, at),
        id_token: text(body, "id_token")?.map(str::to_owned).and_then(IdToken::new),
        scope: text(body, "scope")?.map(|scope| Scope(scope.to_owned())),
        user: body.get("user").filter(|user| user.members().is_some()).cloned(),
    })
}

/// RFC 6749 §5.2, and the two codes of §4.1.2.1 that some servers use here.
fn rejection(oauth: OAuthError, phase: ErrorPhase) -> Error {
    let code = match oauth.error.as_str() {
        "invalid_grant" if phase == ErrorPhase::Refresh => ErrorCode::SessionExpired,
        "invalid_grant" => ErrorCode::AuthorizationFailed,
        "server_error" | "temporarily_unavailable" => ErrorCode::ServerError,
        _ => ErrorCode::TokenRequestRejected,
    };
    Error::new(code, ["The server says ", &oauth.error, "."].concat()).with_oauth(oauth)
}

/// A member that is a text; absent, `null` and empty are the same, another JSON type is an error.
fn text<'a>(body: &'a Json, name: &str) -> Result<Option<&'a str>, Error> {
    match body.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Object(_)) => Err(invalid(name, "is not a text")),
    }
}

/// RFC 6750 §2.1: what cannot stand in an Authorization header is no bearer token.
fn is_sendable(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn unsupported(token_type: &str) -> Error {
    // A type is a word; anything longer may be a token in the wrong place, and is not quoted.
    let word = token_type.len() <= 16 && token_type.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let shown = if word { token_type } else { "something else" };
    Error::new(ErrorCode::TokenTypeUnsupported, ["Expected Bearer, got ", shown, "."].concat())
}

/// `expires_in` as an instant. Nothing can be known from a value that is no number, or not one of this world; zero and
/// less is a token that has expired already.
fn expires_at(body: &Json, at: UnixMillis) -> Result<Option<ExpiresAt>, Error> {
    let seconds = match body.get("expires_in") {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Number(number)) => *number,
        // Not what §5.1 says, but what several servers do.
        Some(Json::Text(text)) => text.parse::<i64>().map_or(f64::NAN, |number| number as f64),
        Some(Json::Bool(_) | Json::List(_) | Json::Object(_)) => return Err(invalid("expires_in", "is not a number")),
    };
    Ok(instant(seconds, at))
}

/// `refresh_expires_in` is in no standard; zero means "does not expire" where it is in use.
fn refresh_expires_at(body: &Json, at: UnixMillis) -> Option<ExpiresAt> {
    instant(body.get("refresh_expires_in").and_then(Json::number).filter(|seconds| *seconds > 0.0)?, at)
}

fn instant(seconds: f64, at: UnixMillis) -> Option<ExpiresAt> {
    if seconds <= 0.0 {
        return Some(ExpiresAt(at));
    }
    let millis = UnixMillis::from_seconds(seconds)?.0;
    Some(ExpiresAt(at.plus(Lifetime::from_millis(millis).min(MAX_LIFETIME))))
}

fn invalid(name: &str, problem: &str) -> Error {
    Error::new(ErrorCode::ResponseInvalid, ["`", name, "` ", problem, "."].concat())
}

#[cfg(test)]
mod tests;
