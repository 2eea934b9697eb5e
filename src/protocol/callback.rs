//! The authorization response: whether an address is one, and whether it may be believed.
//!
//! RFC 6749 §4.1.2, OpenID Connect Core 1.0 §3.1.2.5 and §3.1.2.6, RFC 9207 §2.4. Sends nothing: the code that passed is a
//! [`CallbackCode`], which only `token::exchange_request` takes.

use super::form::{decode, decode_piece, pieces};
use super::metadata::Metadata;
use super::transaction::Transaction;
use crate::error::{Error, ErrorCode, ErrorPhase, OAuthError, printable};
use crate::types::{AuthorizationCode, State, WebUrl, same_text};

/// An address that looks like the answer to an authorization request. Nothing in it is believed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthorizationResponse {
    /// Which transaction it claims to belong to.
    pub state: State,
    /// What it says.
    pub outcome: Outcome,
    /// Who it says is speaking. RFC 9207 §2.
    pub iss: Option<String>,
    /// The address without the response's parameters; everything else is kept in place.
    pub cleaned_url: String,
}

/// What an authorization response says.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A code. RFC 6749 §4.1.2.
    Code(AuthorizationCode),
    /// An error. RFC 6749 §4.1.2.1.
    Error(OAuthError),
    /// Something that no honest server says; the reason.
    Invalid(&'static str),
}

impl AuthorizationResponse {
    /// What the provider says instead of a code, where it was asked without the user's doing. That it cannot answer without
    /// asking the user something is no failure (OpenID Connect Core 1.0 §3.1.2.6); anything else is.
    #[must_use]
    pub fn refusal(&self) -> Option<Option<Error>> {
        let Outcome::Error(error) = &self.outcome else { return None };
        let words = ["login_required", "interaction_required", "consent_required", "account_selection_required"];
        Some((!words.contains(&error.error.as_str())).then(|| refused(error.clone())))
    }
}

/// A code that passed [`judge`], and can come from nowhere else.
#[derive(Clone, Debug)]
pub struct CallbackCode(AuthorizationCode);

impl CallbackCode {
    /// The code, for the token request.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The parameters of a response (RFC 6749 §4.1.2, RFC 9207 §2, OpenID Connect Session Management 1.0 §2).
const PARAMETERS: &[&str] = &["code", "state", "iss", "error", "error_description", "error_uri", "session_state"];

/// Recognises a response to `redirect_uri`: the same origin and path, its own query still there, a `state`, and a `code` or
/// an `error`. `None` for every other address. Whether the state is ours is for the caller to look up: an unknown one
/// is someone else's callback and is left alone.
#[must_use]
pub fn recognise(href: &str, redirect_uri: &WebUrl) -> Option<AuthorizationResponse> {
    let (before, fragment) = href.split_at_checked(href.find('#').unwrap_or(href.len()))?;
    // Query and fragment may hold characters that `WebUrl` refuses; only what stands before them is compared.
    let (base, query) = before.split_once('?')?;
    let here = WebUrl::parse(base)?;
    if here.origin() != redirect_uri.origin() || here.path() != redirect_uri.path() {
        return None;
    }
    let pairs = decode(query);
    if decode(redirect_uri.query()).iter().any(|own| !pairs.contains(own)) {
        return None;
    }
    let values = |name: &'static str| pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str());
    let first = |name: &'static str| values(name).next();
    let state = first("state").filter(|state| !state.is_empty())?;
    let outcome = match (first("code"), first("error")) {
        (None, None) => return None,
        _ if PARAMETERS.iter().any(|name| values(name).nth(1).is_some()) => {
            Outcome::Invalid("A parameter occurs twice.")
        }
        (Some(_), Some(_)) => Outcome::Invalid("There are both a code and an error."),
        (Some(code), None) => {
            AuthorizationCode::new(code.to_owned()).map_or(Outcome::Invalid("The code is empty."), Outcome::Code)
        }
        (None, Some("")) => Outcome::Invalid("The error is empty."),
        (None, Some(error)) => Outcome::Error(OAuthError::new(error, first("error_description"), first("error_uri"))),
    };
    Some(AuthorizationResponse {
        state: State(state.to_owned()),
        outcome,
        iss: first("iss").map(str::to_owned),
        cleaned_url: cleaned(base, query, fragment),
    })
}

/// Decides whether a response may be believed, and gives its code out if so.
///
/// Who speaks is settled before what is said: an error of unknown origin is not reported as the provider's.
///
/// # Errors
/// [`ErrorCode::CallbackInvalid`] for what no honest server says, and for a state that is not the transaction's;
/// [`ErrorCode::IssuerMismatch`] where `iss` is another issuer or is missing although announced (RFC 9207 §2.4);
/// [`ErrorCode::AccessDenied`] and [`ErrorCode::AuthorizationFailed`] with the provider's own error.
pub fn judge(
    response: AuthorizationResponse,
    transaction: &Transaction,
    metadata: &Metadata,
) -> Result<CallbackCode, Error> {
    let during = |code: ErrorCode, detail: &str| Error::new(code, detail).during(ErrorPhase::Callback);
    if let Outcome::Invalid(reason) = response.outcome {
        return Err(during(ErrorCode::CallbackInvalid, reason));
    }
    if !same_text(response.state.as_str(), transaction.state.as_str()) {
        return Err(during(ErrorCode::CallbackInvalid, "The state belongs to another sign-in."));
    }
    if metadata.issuer != transaction.issuer {
        return Err(during(ErrorCode::IssuerMismatch, "The sign-in was begun at another issuer."));
    }
    match &response.iss {
        Some(iss) if same_text(iss, transaction.issuer.as_str()) => {}
        Some(iss) => {
            let expected = printable(transaction.issuer.as_str());
            let detail = ["The response's `iss` is ", &printable(iss), " and should be ", &expected, "."].concat();
            return Err(during(ErrorCode::IssuerMismatch, &detail));
        }
        None if metadata.iss_parameter_supported => {
            return Err(during(
                ErrorCode::IssuerMismatch,
                "The response has no `iss`, which the provider's metadata promises.",
            ));
        }
        None => {}
    }
    match response.outcome {
        Outcome::Code(code) => Ok(CallbackCode(code)),
        Outcome::Error(oauth) => Err(refused(oauth)),
        Outcome::Invalid(reason) => Err(during(ErrorCode::CallbackInvalid, reason)),
    }
}

fn refused(oauth: OAuthError) -> Error {
    let denied = oauth.error == "access_denied";
    let code = if denied { ErrorCode::AccessDenied } else { ErrorCode::AuthorizationFailed };
    let detail = ["The provider says ", &oauth.error, "."].concat();
    Error::new(code, detail).during(ErrorPhase::Callback).with_oauth(oauth)
}

fn cleaned(base: &str, query: &str, fragment: &str) -> String {
    let kept: Vec<&str> = pieces(query).filter(|piece| !PARAMETERS.contains(&decode_piece(piece).0.as_str())).collect();
    let query = kept.join("&");
    [base, if query.is_empty() { "" } else { "?" }, &query, fragment].concat()
}

#[cfg(test)]
mod tests;
