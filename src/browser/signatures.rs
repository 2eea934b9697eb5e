//! Signatures of tokens. Web Cryptography API §14.3.4 (`verify`), §14.3.9 (`importKey`); §20, §21, §23 and Secure Curves §3 for
//! the algorithms.

use super::{reflect, subtle};
use crate::jose::algs::{Algorithm, Curve, Hash, Scheme};
use crate::jose::error::JwtError;
use crate::jose::jwk::Jwk;
use crate::jose::verify::{Prepared, VerifiedBytes};
use crate::ports::notary::Signatures;
use js_sys::{JSON, Uint8Array};
use std::cell::RefCell;
use wasm_bindgen::JsValue;

/// The browser computes, and no number of a key is in the memory of this module for longer than it takes to hand it over.
#[derive(Default)]
pub struct WebCrypto {
    /// The key of the last token: the next one is usually signed with it, too.
    last: RefCell<Option<(Jwk, Algorithm, JsValue)>>,
}

impl WebCrypto {
    async fn key(&self, algorithm: Algorithm, jwk: &Jwk) -> Result<JsValue, JwtError> {
        if let Some((_, _, key)) = self.last.borrow().as_ref().filter(|last| last.0 == *jwk && last.1 == algorithm) {
            return Ok(key.clone());
        }
        let unavailable = JwtError::AlgorithmUnavailable(algorithm);
        let plain = JSON::parse(&jwk.to_text()).map_err(|_| unavailable.clone())?;
        let usages = reflect::list(&["verify".into()]).into();
        let arguments = ["jwk".into(), plain, parameters(algorithm, Use::Import), false.into(), usages];
        let imported = subtle::call("importKey", &arguments).await.map_err(|_| match algorithm.scheme() {
            // The one that a browser may lack.
            Scheme::Ed25519 => unavailable,
            // Its numbers are none of such a key, and the provider may publish another by now.
            Scheme::Ecdsa(_) | Scheme::RsaPkcs1 | Scheme::RsaPss => {
                JwtError::KeyMissing { kid: jwk.kid().map(str::to_owned) }
            }
        })?;
        *self.last.borrow_mut() = Some((jwk.clone(), algorithm, imported.clone()));
        Ok(imported)
    }
}

impl Signatures for WebCrypto {
    async fn vouch(&self, prepared: &Prepared) -> Result<VerifiedBytes, JwtError> {
        let (algorithm, jwk) = (prepared.algorithm(), prepared.key());
        let (signed, signature) = (prepared.signing_input(), prepared.signature());
        let key = self.key(algorithm, jwk).await?;
        let bytes = |bytes: &[u8]| Uint8Array::from(bytes).into();
        let arguments = [parameters(algorithm, Use::Verify), key, bytes(signature), bytes(signed)];
        let right = subtle::call("verify", &arguments).await.map_err(|_| JwtError::AlgorithmUnavailable(algorithm))?;
        // Anything but `true` is no.
        if right == JsValue::TRUE {
            Ok(VerifiedBytes::dangerous_vouch(algorithm, jwk, signed, signature))
        } else {
            Err(JwtError::SignatureInvalid)
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Import,
    Verify,
}

/// What each of the two calls wants to know of the algorithm; it does not look at the rest.
fn parameters(algorithm: Algorithm, used: Use) -> JsValue {
    let (hash, salt) = match algorithm.hash() {
        Hash::Sha256 => ("SHA-256", 32),
        Hash::Sha384 => ("SHA-384", 48),
        Hash::Sha512 => ("SHA-512", 64),
    };
    let mut members: Vec<(&str, JsValue)> = match algorithm.scheme() {
        Scheme::Ecdsa(curve) => vec![("name", "ECDSA".into()), ("namedCurve", Curve::as_str(curve).into())],
        Scheme::Ed25519 => vec![("name", "Ed25519".into())],
        Scheme::RsaPkcs1 => vec![("name", "RSASSA-PKCS1-v1_5".into())],
        Scheme::RsaPss => vec![("name", "RSA-PSS".into())],
    };
    members.push(("hash", hash.into()));
    if used == Use::Verify {
        members.push(("saltLength", JsValue::from(salt)));
    }
    reflect::record(&members).into()
}
