//! Authorization server metadata: where to read it, and what must hold before an endpoint in it is believed.
//!
//! OpenID Connect Discovery 1.0 §4; RFC 8414 §2, §3.3; RFC 9700 §2.6. All endpoints come from one document, whose
//! `issuer` is the configured one byte for byte.

use super::answer::{json_object, status_error};
use super::http::{HttpRequest, HttpResponse};
use crate::error::{Error, ErrorCode, ErrorPhase, printable};
use crate::types::{Issuer, Json, WebUrl};

/// What authsafe needs to know of an authorization server.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// Equal to the configured issuer.
    pub issuer: Issuer,
    /// Where the browser goes to sign in.
    pub authorization_endpoint: WebUrl,
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: WebUrl,
    /// Where tokens are revoked. RFC 7009.
    pub revocation_endpoint: Option<WebUrl>,
    /// Where the browser goes to sign out. OpenID Connect RP-Initiated Logout 1.0 §2.1.
    pub end_session_endpoint: Option<WebUrl>,
    /// Where the server's keys are.
    pub jwks_uri: Option<WebUrl>,
    /// What is known about the user. OpenID Connect Core 1.0 §5.3.
    pub userinfo_endpoint: Option<WebUrl>,
    /// Every authorization response carries `iss`. RFC 9207 §3.
    pub iss_parameter_supported: bool,
    /// Proofs of possession may be signed with ES256. RFC 9449 §5.1.
    pub dpop_es256: bool,
}

/// The request for the metadata document. Discovery §4.1.
///
/// # Errors
/// [`ErrorCode::ConfigInvalid`] for an issuer that is no https URL (loopback excepted), or has a query or fragment.
pub fn discovery_request(issuer: &Issuer) -> Result<HttpRequest, Error> {
    let odd = issuer.as_str().contains(['?', '#']);
    let base = endpoint_url(issuer.as_str()).filter(|url| url.is_trustworthy() && !odd).ok_or_else(|| {
        Error::new(ErrorCode::ConfigInvalid, "`oidc.issuer` must be an https URL without query and fragment.")
    })?;
    let whole = base.as_str();
    // One slash, not all: `https://as.example//` is another issuer than `https://as.example/`.
    let whole = [whole.strip_suffix('/').unwrap_or(whole), "/.well-known/openid-configuration"].concat();
    let url = WebUrl::parse(&whole).ok_or_else(|| Error::new(ErrorCode::ConfigInvalid, "`oidc.issuer` is no URL."))?;
    Ok(HttpRequest::new("GET", url))
}

/// Judges the answer to [`discovery_request`]. Discovery §4.2, §4.3.
///
/// # Errors
/// Of [`status_error`] where the server failed or redirects; otherwise those of [`Metadata::from_json`], and
/// [`ErrorCode::DiscoveryInvalid`] for an answer that is no JSON object.
pub fn process_discovery(issuer: &Issuer, response: &HttpResponse) -> Result<Metadata, Error> {
    let wrong_document = |mut error: Error| {
        if error.code == ErrorCode::ResponseInvalid {
            error.code = ErrorCode::DiscoveryInvalid;
        }
        error.during(ErrorPhase::Discovery)
    };
    if response.status != 200 {
        return Err(wrong_document(status_error(response, ErrorPhase::Discovery)));
    }
    Metadata::from_json(issuer, &json_object(response).map_err(wrong_document)?)
}

impl Metadata {
    /// Reads a metadata document, fetched or configured. `null` counts as absent.
    ///
    /// # Errors
    /// [`ErrorCode::IssuerMismatch`] where the document is another issuer's; [`ErrorCode::DiscoveryInvalid`] names the
    /// member that is missing or cannot be trusted, optional ones included.
    pub fn from_json(issuer: &Issuer, document: &Json) -> Result<Self, Error> {
        let published = member(document, "issuer").ok_or_else(|| invalid("issuer", "is missing"))?;
        let published = published.text().ok_or_else(|| invalid("issuer", "is not a text"))?;
        if published != issuer.as_str() {
            let detail =
                ["Configured: ", &printable(issuer.as_str()), "; published: ", &printable(published), "."].concat();
            return Err(Error::new(ErrorCode::IssuerMismatch, detail));
        }
        require_s256(document)?;
        let required = |name| endpoint(document, name)?.ok_or_else(|| invalid(name, "is missing"));
        Ok(Self {
            issuer: issuer.clone(),
            authorization_endpoint: required("authorization_endpoint")?,
            token_endpoint: required("token_endpoint")?,
            revocation_endpoint: endpoint(document, "revocation_endpoint")?,
            end_session_endpoint: endpoint(document, "end_session_endpoint")?,
            jwks_uri: endpoint(document, "jwks_uri")?,
            userinfo_endpoint: endpoint(document, "userinfo_endpoint")?,
            iss_parameter_supported: flag(document, "authorization_response_iss_parameter_supported")?,
            dpop_es256: lists(document, "dpop_signing_alg_values_supported", "ES256"),
        })
    }
}

fn member<'a>(document: &'a Json, name: &str) -> Option<&'a Json> {
    document.get(name).filter(|value| **value != Json::Null)
}

fn endpoint(document: &Json, name: &str) -> Result<Option<WebUrl>, Error> {
    let Some(value) = member(document, name) else { return Ok(None) };
    let url = value.text().and_then(endpoint_url).ok_or_else(|| invalid(name, "is not an absolute http(s) URL"))?;
    if !url.is_trustworthy() {
        return Err(invalid(name, "is not https"));
    }
    // RFC 6749 §3.1 and §3.2 forbid it; parameters behind a fragment would never reach the server.
    if url.as_str().contains('#') {
        return Err(invalid(name, "has a fragment"));
    }
    Ok(Some(url))
}

/// Some servers print the default port (`https://as.example:443/…`) or capitals in the host, which no URL parser would:
/// these two differences are harmless and removed here.
fn endpoint_url(text: &str) -> Option<WebUrl> {
    if let Some(url) = WebUrl::parse(text) {
        return Some(url);
    }
    let (scheme, rest) = crate::types::text::split_once(text, "://")?;
    let (authority, tail) = rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len()))?;
    let (scheme, authority) = (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    WebUrl::parse(&[&scheme, "://", authority, tail].concat())
}

/// A list that is there must have S256 in it: RFC 8414 §2 has no other place to say that PKCE is supported.
fn require_s256(document: &Json) -> Result<(), Error> {
    const NAME: &str = "code_challenge_methods_supported";
    let Some(value) = member(document, NAME) else { return Ok(()) };
    let methods = value.list().ok_or_else(|| invalid(NAME, "is not a list"))?;
    let supported = methods.iter().any(|method| method.text() == Some("S256"));
    if supported { Ok(()) } else { Err(invalid(NAME, "lacks S256, and authsafe uses no weaker method")) }
}

/// Whether a list that need not be there names `value`.
fn lists(document: &Json, name: &str, value: &str) -> bool {
    let items = document.get(name).and_then(Json::list).unwrap_or_default();
    items.iter().any(|item| item.text() == Some(value))
}

fn flag(document: &Json, name: &str) -> Result<bool, Error> {
    match member(document, name) {
        None => Ok(false),
        Some(Json::Bool(value)) => Ok(*value),
        // Guessing here would switch a defence off.
        Some(Json::Null | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_)) => {
            Err(invalid(name, "is neither true nor false"))
        }
    }
}

fn invalid(name: &str, problem: &str) -> Error {
    Error::new(ErrorCode::DiscoveryInvalid, ["`", name, "` ", problem, "."].concat())
}

#[cfg(test)]
mod tests;
