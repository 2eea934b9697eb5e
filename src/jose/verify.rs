//! From a token to claims whose signature is right, in two steps with the computation between them.
//!
//! RFC 7515 §5.2. [`prepare`] reads the token and chooses the key; somebody computes (WebCrypto, which is asynchronous, or
//! `native`) and vouches for exactly the bytes that it was given; [`accept`] compares those with what was prepared. So no
//! [`Verified`] exists whose signature was not verified by the key that was chosen for it. The claims still are to be judged:
//! see `judge`.
//!
//! ```
//! use authsafe::jose::judge::{Beside, IdClaims, judge};
//! use authsafe::jose::{id_token::Expected, rules::IdTokenError, verify::Verified};
//! fn user(token: &Verified, expected: &Expected<'_>) -> Result<IdClaims, IdTokenError> {
//!     judge(token, expected, &Beside::default())
//! }
//! ```
//!
//! What nobody verified has a type of its own, which is good for showing and for nothing else:
//!
//! ```compile_fail,E0308
//! use authsafe::jose::judge::{Beside, IdClaims, judge};
//! use authsafe::jose::{id_token::Expected, rules::IdTokenError, verify::Unverified};
//! fn user(token: &Unverified, expected: &Expected<'_>) -> Result<IdClaims, IdTokenError> {
//!     judge(token, expected, &Beside::default())
//! }
//! ```
//!
//! ```compile_fail,E0451
//! use authsafe::{jose::algs::Algorithm, jose::verify::Verified, types::Json};
//! let forged = Verified { algorithm: Algorithm::Es256, header: Json::Null, claims: Json::Null };
//! ```

use super::algs::{Algorithm, Allowed};
use super::choose::choose;
use super::compact::{Closed, Compact, open};
use super::error::JwtError;
use super::header::Header;
use super::jwk::Jwk;
use super::jwks::JwkSet;
use super::{provider, shape};
use crate::types::Json;
use std::cell::OnceCell;
use std::rc::Rc;
use zeroize::Zeroizing;

/// A token that was read, the key it must have been signed with, and what is to be computed.
pub struct Prepared {
    algorithm: Algorithm,
    key: Rc<Jwk>,
    token: Zeroizing<String>,
    /// How many bytes of the token are signed.
    signed: usize,
    signature: Vec<u8>,
    /// Where the payload begins.
    payload: usize,
    header: Json,
    claims: OnceCell<Result<Json, JwtError>>,
}

/// Somebody's word that these bytes are signed by this key.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedBytes {
    algorithm: Algorithm,
    key: Rc<Jwk>,
    signed: Zeroizing<Vec<u8>>,
    signature: Vec<u8>,
}

/// A token whose signature is right. Only [`accept`] makes one.
pub struct Verified {
    algorithm: Algorithm,
    header: Json,
    claims: Json,
}

/// What a token says, whoever wrote it.
pub struct Unverified {
    header: Json,
    claims: Json,
}

/// Reads a token as far as it takes to find the key that it must have been signed with.
///
/// # Errors
/// Why it cannot be verified. [`JwtError::KeyMissing`] may pass with newer keys.
pub fn prepare(token: &str, keys: &JwkSet, allowed: Allowed) -> Result<Prepared, JwtError> {
    let Closed { header, payload, signed, signature } = read(token, Closed::parse)?;
    let chosen = key_for(&header, &signature, keys, allowed);
    if chosen.is_err() {
        // What is no token at all is told as that.
        open(payload).map_err(JwtError::Malformed)?;
    }
    let (algorithm, key) = chosen?;
    let (signed, payload) = (signed.len(), signed.len() - payload.len());
    let (token, claims) = (Zeroizing::new(token.to_owned()), OnceCell::new());
    Ok(Prepared { algorithm, key, token, signed, signature, payload, header, claims })
}

fn key_for(header: &Json, signature: &[u8], keys: &JwkSet, allowed: Allowed) -> Result<(Algorithm, Rc<Jwk>), JwtError> {
    let Header { algorithm, kid } = Header::read(header, allowed)?;
    let key = choose(keys, algorithm, kid)?;
    if !shape::is_possible(key.material(), signature) {
        return Err(JwtError::SignatureInvalid);
    }
    Ok((algorithm, Rc::clone(key)))
}

/// Takes the token for verified, if exactly its bytes and its signature were, by the chosen key.
///
/// # Errors
/// [`JwtError::SignatureInvalid`] where something else was verified; [`JwtError::Malformed`] where the payload is no claims, or
/// `jsonwebtoken` reads the token differently.
pub fn accept(prepared: Prepared, seen: &VerifiedBytes) -> Result<Verified, JwtError> {
    let Prepared { algorithm, key, signature, .. } = &prepared;
    let same = seen.algorithm == *algorithm
        && seen.key == *key
        && *seen.signed == prepared.signing_input()
        && seen.signature == *signature;
    if !same || !provider::takes(*algorithm, &prepared.token, (&seen.signed, &seen.signature)) {
        return Err(JwtError::SignatureInvalid);
    }
    prepared.read()?;
    let Prepared { algorithm, header, claims, .. } = prepared;
    let claims = claims.into_inner().unwrap_or(Err(JwtError::SignatureInvalid))?;
    Ok(Verified { algorithm, header, claims })
}

/// What a token says, for showing it to a developer. Nothing may follow from it.
///
/// # Errors
/// [`JwtError::Malformed`]
pub fn decode_unverified(token: &str) -> Result<Unverified, JwtError> {
    let Compact { header, payload: claims, .. } = read(token, Compact::parse)?;
    Ok(Unverified { header, claims })
}

fn read<'a, T>(token: &'a str, parse: impl FnOnce(&'a str) -> Result<T, &'static str>) -> Result<T, JwtError> {
    if token.len() > MOST_BYTES {
        return Err(JwtError::Malformed("it is larger than 256 KiB"));
    }
    parse(token).map_err(JwtError::Malformed)
}

impl Prepared {
    /// By what it must be signed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// With what it must be signed.
    #[must_use]
    pub fn key(&self) -> &Rc<Jwk> {
        &self.key
    }

    /// Reads the claims, and whether `jsonwebtoken` reads the same. [`accept`] does it, too, and it is done once; the time in which
    /// somebody else computes the signature is a good one for it.
    ///
    /// # Errors
    /// [`JwtError::Malformed`]
    pub fn read(&self) -> Result<(), JwtError> {
        self.claims.get_or_init(|| self.claims()).as_ref().map(|_| ()).map_err(JwtError::clone)
    }

    fn claims(&self) -> Result<Json, JwtError> {
        let payload = self.token.get(self.payload..self.signed).unwrap_or_default();
        let claims = open(payload).map_err(JwtError::Malformed)?;
        if provider::reads_alike(self.algorithm, &self.token, &self.header, &claims) {
            Ok(claims)
        } else {
            Err(JwtError::Malformed("two readers do not agree on what it says"))
        }
    }

    /// What is signed, as received. RFC 7515 §5.2 step 8.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.token.as_bytes().get(..self.signed).unwrap_or_default()
    }

    /// The signature, in the form that WebCrypto takes, too.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl VerifiedBytes {
    /// For whoever has computed it: with this algorithm and key, the signature of exactly these bytes is right. Everything
    /// rests on that being so.
    #[must_use]
    pub fn dangerous_vouch(algorithm: Algorithm, key: &Rc<Jwk>, signed: &[u8], signature: &[u8]) -> Self {
        Self { algorithm, key: Rc::clone(key), signed: Zeroizing::new(signed.to_vec()), signature: signature.to_vec() }
    }
}

impl Verified {
    /// By what it is signed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The JOSE header.
    #[must_use]
    pub fn header(&self) -> &Json {
        &self.header
    }

    /// The claims, as the holder of the key wrote them; whether they are meant for us is another question.
    #[must_use]
    pub fn claims(&self) -> &Json {
        &self.claims
    }
}

impl Unverified {
    /// The JOSE header.
    #[must_use]
    pub fn header(&self) -> &Json {
        &self.header
    }

    /// The claims.
    #[must_use]
    pub fn claims(&self) -> &Json {
        &self.claims
    }
}

macro_rules! silent {
    ($($name:ident)+) => {$(
        impl std::fmt::Debug for $name {
            /// A token is a credential at times, and claims are about a person.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

silent!(Prepared VerifiedBytes Verified Unverified);

const MOST_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests;
