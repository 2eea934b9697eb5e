//! The key that the servers of the stories sign their ID tokens with, and how they publish it.

use super::base64url;
use ed25519_dalek::{Signer, SigningKey};

/// An ID token with these claims.
pub(crate) fn signed(claims: &str) -> String {
    signed_by(1, claims)
}

/// The same, by the key of this name.
pub(crate) fn signed_by(kid: u8, claims: &str) -> String {
    let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#);
    let input = [base64url(header.as_bytes()), base64url(claims.as_bytes())].join(".");
    let signature = base64url(&key(kid).sign(input.as_bytes()).to_bytes());
    [input, signature].join(".")
}

/// What stands at `jwks_uri`.
pub(crate) fn jwks() -> String {
    jwks_of(&[1])
}

/// The same, of these keys.
pub(crate) fn jwks_of(kids: &[u8]) -> String {
    let keys: Vec<_> = kids
        .iter()
        .map(|kid| {
            let x = base64url(key(*kid).verifying_key().as_bytes());
            format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}"#)
        })
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn key(kid: u8) -> SigningKey {
    SigningKey::from_bytes(&[kid; 32])
}
