//! An ID token whose signature is right, judged: what authsafe calls a user.
//!
//! OpenID Connect Core 1.0 §3.1.3.7, §3.1.3.8 and §12.2; RFC 9470 §6.2. The rules that need no signature are in
//! `id_token`; here are the ones that do, and the type that tells the result from everything else.

use super::algs::{Algorithm, Hash};
use super::base64url;
use super::compact::Compact;
use super::id_token::{Expected, check, check_refreshed, text};
use super::rules::IdTokenError;
use super::verify::Verified;
use crate::types::{AccessToken, IdToken, Json, Lifetime, same_text};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Claims that were signed by the provider and passed every rule. Only this module makes them.
///
/// ```compile_fail,E0423
/// use authsafe::{jose::judge::IdClaims, types::Json};
/// let forged = IdClaims(Json::Null);
/// ```
#[derive(Clone, PartialEq)]
pub struct IdClaims(Json);

/// What an ID token is compared with besides [`Expected`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The access token of the same answer. Where there is none, `at_hash` says nothing.
    pub access: Option<&'a AccessToken>,
    /// The `acr` values of which the application insists on one; empty where it does not.
    pub acr: &'a [&'a str],
}

/// Judges an ID token that answers a sign-in. §3.1.3.7.
///
/// # Errors
/// The first rule that is broken.
pub fn judge(token: &Verified, expected: &Expected<'_>, beside: &Beside<'_>) -> Result<IdClaims, IdTokenError> {
    let claims = token.claims();
    check(token.header(), claims, &Expected { leeway: expected.leeway.min(MAX_LEEWAY), ..*expected })?;
    check_access(Some(token.algorithm().hash()), claims, beside)?;
    check_acr(claims, beside)?;
    Ok(IdClaims(claims.clone()))
}

/// Judges an ID token that a refresh brought, against the claims of the one before. §12.2.
///
/// Nothing that belongs to the sign-in itself is looked at, neither `nonce` and `max_age` of `expected` nor `beside.acr`; nor is
/// the time of the token.
///
/// # Errors
/// The first rule that is broken; [`IdTokenError::SubjectChanged`] where the token is another user's.
pub fn judge_refreshed(
    token: &Verified,
    previous: &Json,
    expected: &Expected<'_>,
    beside: &Beside<'_>,
) -> Result<IdClaims, IdTokenError> {
    check_refreshed(token.header(), token.claims(), previous, expected)?;
    check_access(Some(token.algorithm().hash()), token.claims(), beside)?;
    Ok(IdClaims(token.claims().clone()))
}

/// Judges all but the signature: where the application has said that TLS to the token endpoint stands in for it, which rule 6
/// allows. `previous` are the claims before, where a refresh brought the token.
///
/// # Errors
/// The first rule that is broken.
pub fn judge_unsigned(
    token: &IdToken,
    previous: Option<&Json>,
    expected: &Expected<'_>,
    beside: &Beside<'_>,
) -> Result<Json, IdTokenError> {
    let Compact { header, payload: claims, .. } = Compact::parse(token.expose()).map_err(IdTokenError::Malformed)?;
    match previous {
        Some(previous) => check_refreshed(&header, &claims, previous, expected)?,
        None => {
            check(&header, &claims, &Expected { leeway: expected.leeway.min(MAX_LEEWAY), ..*expected })?;
            check_acr(&claims, beside)?;
        }
    }
    // Nobody verifies, so this may be an algorithm that is not allowed elsewhere.
    let alg = header.get("alg").and_then(Json::text).unwrap_or_default();
    let hash = Algorithm::parse(alg).map(Algorithm::hash).or(match alg.get(alg.len().saturating_sub(3)..) {
        Some("256") => Some(Hash::Sha256),
        Some("384") => Some(Hash::Sha384),
        Some("512") => Some(Hash::Sha512),
        Some(_) | None => None,
    });
    check_access(hash, &claims, beside)?;
    Ok(claims)
}

impl IdClaims {
    /// All of them.
    #[must_use]
    pub fn as_json(&self) -> &Json {
        &self.0
    }

    /// All of them, for keeping: in a record that nobody else can write, they stay what they are.
    #[must_use]
    pub fn into_json(self) -> Json {
        self.0
    }

    /// Who it is: the issuer and the subject, which are one key only together. Never the address of a mailbox. §5.7.
    #[must_use]
    pub fn user(&self) -> (&str, &str) {
        let text = |name| self.0.get(name).and_then(Json::text).unwrap_or_default();
        (text("iss"), text("sub"))
    }
}

impl std::fmt::Debug for IdClaims {
    /// They are about a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdClaims(…)")
    }
}

/// §3.1.3.8. The claim is optional where tokens come from the token endpoint; one by a hash that nobody knows is not right.
fn check_access(hash: Option<Hash>, claims: &Json, beside: &Beside<'_>) -> Result<(), IdTokenError> {
    let claimed = text(claims, "at_hash", "`at_hash` is not a text")?;
    let (Some(claimed), Some(access)) = (claimed, beside.access) else { return Ok(()) };
    let same = hash.is_some_and(|hash| same_text(claimed, &half(hash, access.expose())));
    if same { Ok(()) } else { Err(IdTokenError::AccessTokenMismatch) }
}

/// Rule 12.
fn check_acr(claims: &Json, beside: &Beside<'_>) -> Result<(), IdTokenError> {
    let acr = text(claims, "acr", "`acr` is not a text")?;
    if beside.acr.is_empty() || acr.is_some_and(|acr| beside.acr.contains(&acr)) {
        return Ok(());
    }
    let expected = beside.acr.iter().map(|value| (*value).to_owned()).collect();
    Err(IdTokenError::AcrMismatch { expected, got: acr.map(str::to_owned) })
}

/// The left half of the hash, encoded.
fn half(hash: Hash, token: &str) -> String {
    let left = |hash: &[u8]| base64url::encode(hash.get(..hash.len() / 2).unwrap_or_default());
    match hash {
        Hash::Sha256 => left(&Sha256::digest(token.as_bytes())),
        Hash::Sha384 => left(&Sha384::digest(token.as_bytes())),
        Hash::Sha512 => left(&Sha512::digest(token.as_bytes())),
    }
}

/// The tolerance of the time claims where nobody says otherwise.
pub const LEEWAY: Lifetime = Lifetime::from_seconds(60);

/// The largest tolerance; a larger one counts as this.
pub const MAX_LEEWAY: Lifetime = Lifetime::from_seconds(300);

#[cfg(test)]
mod tests;
