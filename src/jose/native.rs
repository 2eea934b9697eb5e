//! Signatures computed in Rust, where there is no WebCrypto: natively, and for Rust front ends.
//!
//! RFC 7518 §3.3 to §3.5, RFC 8037 §3.1; the crates are RustCrypto's. It takes what `verify::prepare` gave and vouches for
//! it, as a port in a browser does. `shape` has looked at the signature before.

use super::algs::{Algorithm, Curve, Hash, Scheme};
use super::error::JwtError;
use super::jwk::Material;
use super::verify::{Prepared, VerifiedBytes};
use ed25519_dalek::Verifier;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::{BoxedUint, PublicKey, pkcs1v15, pss};

/// Computes the signature.
///
/// # Errors
/// [`JwtError::SignatureInvalid`], also where the key is none of its curve.
pub fn verify(prepared: &Prepared) -> Result<VerifiedBytes, JwtError> {
    let (algorithm, key) = (prepared.algorithm(), prepared.key());
    let (signed, signature) = (prepared.signing_input(), prepared.signature());
    match is_right(algorithm, key.material(), signed, signature) {
        Some(true) => Ok(VerifiedBytes::dangerous_vouch(algorithm, key, signed, signature)),
        Some(false) | None => Err(JwtError::SignatureInvalid),
    }
}

/// `None` where key or signature is none at all.
fn is_right(algorithm: Algorithm, key: &Material, signed: &[u8], signature: &[u8]) -> Option<bool> {
    match (algorithm.scheme(), key) {
        (Scheme::Ecdsa(Curve::P256), Material::Ec { curve: Curve::P256, x, y }) => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point(x, y)).ok()?;
            Some(key.verify(signed, &p256::ecdsa::Signature::from_slice(signature).ok()?).is_ok())
        }
        (Scheme::Ecdsa(Curve::P384), Material::Ec { curve: Curve::P384, x, y }) => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point(x, y)).ok()?;
            Some(key.verify(signed, &p384::ecdsa::Signature::from_slice(signature).ok()?).is_ok())
        }
        (Scheme::Ecdsa(Curve::P521), Material::Ec { curve: Curve::P521, x, y }) => {
            let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&point(x, y)).ok()?;
            Some(key.verify(signed, &p521::ecdsa::Signature::from_slice(signature).ok()?).is_ok())
        }
        (Scheme::Ed25519, Material::Ed25519 { x }) => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(x.as_slice().try_into().ok()?).ok()?;
            Some(key.verify_strict(signed, &ed25519_dalek::Signature::from_slice(signature).ok()?).is_ok())
        }
        (Scheme::RsaPkcs1, Material::Rsa { n, e }) => {
            let (key, signature) =
                (rsa_key(n, e)?, pkcs1v15::Signature::from_bytes_with_max_len(signature, MOST_BITS / 8).ok()?);
            Some(match algorithm.hash() {
                Hash::Sha256 => pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(signed, &signature).is_ok(),
                Hash::Sha384 => pkcs1v15::VerifyingKey::<Sha384>::new(key).verify(signed, &signature).is_ok(),
                Hash::Sha512 => pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(signed, &signature).is_ok(),
            })
        }
        (Scheme::RsaPss, Material::Rsa { n, e }) => {
            let (key, signature) =
                (rsa_key(n, e)?, pss::Signature::from_bytes_with_max_len(signature, MOST_BITS / 8).ok()?);
            // With a salt as long as the hash, and no other.
            Some(match algorithm.hash() {
                Hash::Sha256 => pss::VerifyingKey::<Sha256>::new(key).verify(signed, &signature).is_ok(),
                Hash::Sha384 => pss::VerifyingKey::<Sha384>::new(key).verify(signed, &signature).is_ok(),
                Hash::Sha512 => pss::VerifyingKey::<Sha512>::new(key).verify(signed, &signature).is_ok(),
            })
        }
        // The key was chosen for the algorithm.
        (Scheme::Ecdsa(_), Material::Ec { .. } | Material::Ed25519 { .. } | Material::Rsa { .. })
        | (Scheme::Ed25519, Material::Ec { .. } | Material::Rsa { .. })
        | (Scheme::RsaPkcs1 | Scheme::RsaPss, Material::Ec { .. } | Material::Ed25519 { .. }) => None,
    }
}

/// SEC 1 §2.3.3, not compressed.
fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

fn rsa_key(n: &[u8], e: &[u8]) -> Option<PublicKey> {
    PublicKey::new_with_size_limits(
        BoxedUint::from_be_slice_vartime(n),
        BoxedUint::from_be_slice_vartime(e),
        2048..=MOST_BITS,
    )
    .ok()
}

/// As many as `jwk` takes.
const MOST_BITS: usize = 8192;

#[cfg(test)]
mod tests;
