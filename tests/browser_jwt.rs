//! Signatures by the browser's WebCrypto, on the tokens and keys of the native tests: a Rust front end with the feature `jwt`.
#![cfg(all(target_arch = "wasm32", feature = "jwt"))]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

#[path = "../src/jose/testing/keys.rs"]
#[allow(dead_code, reason = "what is about native arithmetic is not used here")]
mod keys;

use authsafe::browser::WebCrypto;
use authsafe::jose::algs::{Algorithm, Allowed};
use authsafe::jose::error::JwtError;
use authsafe::jose::jwks::JwkSet;
use authsafe::jose::verify::{Verified, accept, prepare};
use authsafe::ports::notary::Signatures;
use keys::TOKENS;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// RFC 7515 appendix A.3.
const JOE_EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const JOE_ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// By this key alone.
async fn verified(token: &str, key: &str) -> Result<Verified, JwtError> {
    let keys = JwkSet::parse(["{\"keys\":[", key, "]}"].concat().as_bytes())?;
    let prepared = prepare(token, &keys, Allowed::only(Algorithm::ALL).unwrap())?;
    let seen = WebCrypto::default().vouch(&prepared).await?;
    accept(prepared, &seen)
}

#[wasm_bindgen_test]
async fn the_example_of_rfc_7515_appendix_a_3_is_verified() {
    let token = verified(JOE_ES256, JOE_EC).await.unwrap();
    assert_eq!(token.claims().to_text(), r#"{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}"#);
}

#[wasm_bindgen_test]
async fn what_another_implementation_signed_is_verified_by_every_algorithm() {
    for (name, key, token) in TOKENS {
        let found = verified(token, key).await;
        assert_eq!(found.map(|token| token.algorithm().as_str()), Ok(name));
    }
}

#[wasm_bindgen_test]
async fn a_changed_bit_is_noticed_wherever_it_is() {
    for (name, key, token) in TOKENS {
        let payload = token.find('.').unwrap() + 10;
        let signature = token.rfind('.').unwrap() + 10;
        for at in [payload, signature, token.len() - 10] {
            let other = if token.as_bytes().get(at) == Some(&b'A') { "B" } else { "A" };
            let changed = [token.get(..at).unwrap(), other, token.get(at + 1..).unwrap()].concat();
            assert!(verified(&changed, key).await.is_err(), "{name} {at}");
        }
    }
}

#[wasm_bindgen_test]
async fn the_key_of_somebody_else_verifies_nothing() {
    let (_, key, _) = TOKENS.into_iter().find(|(name, ..)| *name == "ES256").unwrap();
    assert_eq!(verified(JOE_ES256, key).await.map(|_| ()), Err(JwtError::SignatureInvalid));
}

#[wasm_bindgen_test]
async fn a_point_that_is_not_on_its_curve_is_no_key() {
    let off = JOE_EC.replace("f83OJ3D2", "g83OJ3D2");
    assert_eq!(verified(JOE_ES256, &off).await.map(|_| ()), Err(JwtError::KeyMissing { kid: None }));
}
