//! Demonstrating proof of possession: what is signed beside a request, and what a server's answer says about it.
//!
//! RFC 9449 §4 (proofs), §5 and §10 (tokens and codes that are bound to a key), §8 and §9 (nonces); RFC 7638 (thumbprints).
//! Always ES256 (RFC 7518 §3.4). The signature comes from outside: no private key is ever in here.

use super::answer::{json_object, oauth_error};
use super::http::{HttpRequest, HttpResponse};
use super::pkce::{hashed, random_text};
use crate::error::{Error, ErrorCode};
use crate::types::{AccessToken, Lifetime, Members, UnixMillis, WebUrl};

/// Whether tokens are asked for that only the holder of a key can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Where server and browser can.
    Auto,
    /// Or not at all.
    Always,
    /// Bearer tokens.
    Never,
}

/// A public key on the curve P-256. RFC 7518 §6.2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    x: String,
    y: String,
}

/// What a proof is about.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's address.
    pub url: &'a WebUrl,
    /// Unique: servers take each value once. 128 random bits.
    pub jti: &'a [u8; 16],
    /// By the server's clock, as far as it is known.
    pub at: UnixMillis,
    /// The token that goes along.
    pub access: Option<&'a AccessToken>,
    /// What the server told last.
    pub nonce: Option<&'a str>,
}

impl PublicKey {
    /// From the coordinates x and y, one after the other.
    #[must_use]
    pub fn new(coordinates: &[u8; 64]) -> Self {
        let (x, y) = coordinates.split_at(32);
        Self { x: random_text(x), y: random_text(y) }
    }

    /// The key's thumbprint, by which servers name it: `jkt`. RFC 7638 §3.2.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        hashed(&self.jwk())
    }

    /// The required members in lexicographic order (RFC 7638 §3.2), which serve as the header's `jwk`, too.
    fn jwk(&self) -> String {
        ["{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"", &self.x, "\",\"y\":\"", &self.y, "\"}"].concat()
    }

    /// What is to be signed: header and claims, as in a JWS (RFC 7515 §5.1). RFC 9449 §4.2.
    #[must_use]
    pub fn signing_input(&self, claims: &Claims<'_>) -> String {
        let header = ["{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":", &self.jwk(), "}"].concat();
        let ath = claims.access.map(|access| hashed(access.expose()));
        let payload = Members::new()
            .text("jti", Some(&random_text(claims.jti)))
            .text("htm", Some(claims.method))
            .text("htu", Some(&htu(claims.url)))
            .number("iat", Some(claims.at.seconds() as f64))
            .text("ath", ath.as_deref())
            .text("nonce", claims.nonce)
            .object();
        [random_text(header.as_bytes()), random_text(payload.to_text().as_bytes())].join(".")
    }
}

/// The proof: what was signed, and the signature as r and s one after the other (RFC 7518 §3.4).
#[must_use]
pub fn proof(signing_input: &str, signature: &[u8; 64]) -> String {
    [signing_input, &random_text(signature)].join(".")
}

/// The address without query and fragment. RFC 9449 §4.2.
///
/// A [`WebUrl`] is normalised already as RFC 3986 §6.2.2 and §6.2.3 want it, except for percent-encodings; those stay as they
/// are sent, because a server that does not normalise compares them with what it received.
#[must_use]
pub fn htu(url: &WebUrl) -> String {
    [url.origin(), url.path()].concat()
}

/// The token that a request shows, where it is bound to a key: the proof beside it names it. §7.1.
#[must_use]
pub fn bound_token(request: &HttpRequest) -> Option<AccessToken> {
    let (_, value) = request.headers.iter().find(|(name, _)| name == "authorization")?;
    AccessToken::new(value.strip_prefix(SCHEME)?.to_owned())
}

/// Whether the first request of a sign-in is made with a key, at a server that offers it or does not.
///
/// # Errors
/// [`ErrorCode::DpopUnavailable`] where it must be and cannot.
pub fn wanted(policy: Policy, offered: bool) -> Result<bool, Error> {
    match policy {
        Policy::Never => Ok(false),
        Policy::Auto => Ok(offered),
        Policy::Always if offered => Ok(true),
        Policy::Always => {
            let detail = "The provider's `dpop_signing_alg_values_supported` does not list ES256.";
            Err(Error::new(ErrorCode::DpopUnavailable, detail))
        }
    }
}

/// Whether an authorization server wants the request again, with the nonce that it sends along. RFC 9449 §8.
#[must_use]
pub fn wants_nonce(response: &HttpResponse) -> bool {
    let error = || json_object(response).ok().and_then(|body| oauth_error(&body));
    matches!(response.status, 400 | 401) && error().is_some_and(|oauth| oauth.error == "use_dpop_nonce")
}

/// The error for a nonce that is asked for and cannot be read.
#[must_use]
pub fn nonce_unavailable() -> Error {
    Error::new(ErrorCode::DpopNonceUnavailable, "The server says use_dpop_nonce.")
}

/// What servers told last to put into proofs for them, by origin. RFC 9449 §8.2 and §9.
#[derive(Debug, Default)]
pub struct Nonces(Vec<Told>);

#[derive(Debug)]
struct Told {
    origin: String,
    nonce: String,
    /// When a refusal without a reason was last put down to the nonce.
    blamed: Option<UnixMillis>,
}

impl Nonces {
    /// For a request to this address.
    #[must_use]
    pub fn of(&self, url: &WebUrl) -> Option<&str> {
        self.0.iter().find(|told| told.origin == url.origin()).map(|told| told.nonce.as_str())
    }

    /// Takes the header `DPoP-Nonce` of an answer. Whether it says what was not known; what is no nonce says nothing.
    pub fn learn(&mut self, url: &WebUrl, nonce: Option<&str>) -> bool {
        let Some(nonce) = nonce.filter(|nonce| is_nonce(nonce)) else { return false };
        if let Some(told) = self.told(url) {
            let news = told.nonce != nonce;
            nonce.clone_into(&mut told.nonce);
            return news;
        }
        if self.0.len() >= MOST_ORIGINS {
            self.0.remove(0);
        }
        self.0.push(Told { origin: url.origin().to_owned(), nonce: nonce.to_owned(), blamed: None });
        true
    }

    /// A server refuses a request, gives no reason that can be read, and a new nonce. Whether the lack of it may be the reason:
    /// not of what follows such a refusal, because that had the nonce of before. Some servers tell a new one each time.
    pub fn blame(&mut self, url: &WebUrl, now: UnixMillis) -> bool {
        let Some(told) = self.told(url) else { return false };
        let just_blamed = told.blamed.take().is_some_and(|at| at.until(now) < MEMORY);
        told.blamed = (!just_blamed).then_some(now);
        !just_blamed
    }

    /// A server takes a proof.
    pub fn acquit(&mut self, url: &WebUrl) {
        if let Some(told) = self.told(url) {
            told.blamed = None;
        }
    }

    fn told(&mut self, url: &WebUrl) -> Option<&mut Told> {
        self.0.iter_mut().find(|told| told.origin == url.origin())
    }
}

/// RFC 9449 §8.1: `1*NQCHAR`, which needs no escaping in JSON. The limit is ours.
fn is_nonce(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    plain && (1..=LONGEST_NONCE).contains(&text.len())
}

/// What stands before a token that is bound to a key. §7.1.
pub const SCHEME: &str = "DPoP ";

/// More than a page has servers for; the one that was first heard of is forgotten.
const MOST_ORIGINS: usize = 10;

const LONGEST_NONCE: usize = 1024;

/// A request that is sent once more is answered within this time.
const MEMORY: Lifetime = Lifetime::from_seconds(10);

#[cfg(test)]
mod tests;
