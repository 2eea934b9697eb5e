//! Signatures of tokens. Web Cryptography API §14.3.4 (`verify`), §14.3.9 (`importKey`); §20, §21, §23 and Secure Curves §3 for
//! the algorithms.

use super::{promise, reflect, subtle};
use crate::jose::algs::{Algorithm, Curve, Hash, Scheme};
use crate::jose::error::JwtError;
use crate::jose::jwk::Jwk;
use crate::jose::verify::{Prepared, VerifiedBytes};
use crate::ports::StoreFailure;
use crate::ports::notary::Signatures;
use js_sys::JSON;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// The bytes are copied before it returns.
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    fn verify(algorithm: &JsValue, key: &JsValue, signature: &[u8], data: &[u8]) -> Result<JsValue, JsValue>;
}

/// The browser computes. What is known of a key in the memory of this module is what its provider publishes.
#[derive(Default)]
pub struct WebCrypto {
    /// The key of the last token: the next one is usually signed with it, too.
    last: RefCell<Option<Rc<Imported>>>,
}

/// A key that the browser holds.
struct Imported {
    jwk: Rc<Jwk>,
    algorithm: Algorithm,
    key: JsValue,
    /// What `verify` wants to know of the algorithm.
    parameters: JsValue,
}

impl WebCrypto {
    fn known(&self, algorithm: Algorithm, jwk: &Rc<Jwk>) -> Option<Rc<Imported>> {
        self.last.borrow().as_ref().filter(|last| last.algorithm == algorithm && last.jwk == *jwk).cloned()
    }

    async fn import(&self, algorithm: Algorithm, jwk: &Rc<Jwk>) -> Result<Rc<Imported>, JwtError> {
        let unavailable = JwtError::AlgorithmUnavailable(algorithm);
        let plain = JSON::parse(&jwk.to_text()).map_err(|_| unavailable.clone())?;
        let usages = reflect::list(&["verify".into()]).into();
        let arguments = ["jwk".into(), plain, parameters(algorithm, Use::Import), false.into(), usages];
        let key =
            subtle::call("importKey", &arguments).await.map_err(|failure| match (failure, algorithm.scheme()) {
                // There is no Web Cryptography, or not this algorithm: the one that a browser may lack.
                (StoreFailure::Blocked, _) | (_, Scheme::Ed25519) => unavailable,
                // Its numbers are none of such a key, and the provider may publish another by now.
                (_, Scheme::Ecdsa(_) | Scheme::RsaPkcs1 | Scheme::RsaPss) => {
                    JwtError::KeyMissing { kid: jwk.kid().map(str::to_owned) }
                }
            })?;
        let parameters = parameters(algorithm, Use::Verify);
        let imported = Rc::new(Imported { jwk: Rc::clone(jwk), algorithm, key, parameters });
        *self.last.borrow_mut() = Some(Rc::clone(&imported));
        Ok(imported)
    }
}

impl Imported {
    /// The browser is computing when this returns.
    fn begin(&self, prepared: &Prepared) -> Option<JsFuture> {
        let begun = verify(&self.parameters, &self.key, prepared.signature(), prepared.signing_input());
        Some(promise::settled(&begun.ok()?))
    }
}

impl Signatures for WebCrypto {
    fn vouch(&self, prepared: &Prepared) -> impl Future<Output = Result<VerifiedBytes, JwtError>> {
        let (algorithm, jwk) = (prepared.algorithm(), prepared.key());
        let begun = self.known(algorithm, jwk).map(|known| known.begin(prepared));
        async move {
            let computing = match begun {
                Some(computing) => computing,
                None => self.import(algorithm, jwk).await?.begin(prepared),
            };
            let computing = computing.ok_or(JwtError::AlgorithmUnavailable(algorithm))?;
            // What is to be said if it is right.
            let word = VerifiedBytes::dangerous_vouch(algorithm, jwk, prepared.signing_input(), prepared.signature());
            let right = computing.await.map_err(|_| JwtError::AlgorithmUnavailable(algorithm))?;
            // Anything but `true` is no.
            if right == JsValue::TRUE { Ok(word) } else { Err(JwtError::SignatureInvalid) }
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
