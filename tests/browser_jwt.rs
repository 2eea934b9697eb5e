//! Signatures by the browser's WebCrypto, on the tokens and keys of the native tests: a Rust front end with the feature `jwt`.
#![cfg(all(target_arch = "wasm32", feature = "jwt"))]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

#[path = "../src/jose/testing/keys.rs"]
#[allow(dead_code, reason = "what is about native arithmetic is not used here")]
mod keys;

mod browser_support;

use authsafe::browser::WebCrypto;
use authsafe::jose::algs::{Algorithm, Allowed};
use authsafe::jose::error::JwtError;
use authsafe::jose::jwks::JwkSet;
use authsafe::jose::verify::{Prepared, Verified, accept, prepare};
use authsafe::ports::notary::Signatures;
use browser_support::*;
use keys::TOKENS;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// RFC 7515 appendix A.3.
const JOE_EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const JOE_ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// By this key alone, and a browser that has seen none.
async fn verified(token: &str, key: &str) -> Result<Verified, JwtError> {
    verified_by(&WebCrypto::default(), token, key).await
}

/// The same, by a browser that may know the key.
async fn verified_by(browser: &WebCrypto, token: &str, key: &str) -> Result<Verified, JwtError> {
    let prepared = prepared(token, key)?;
    let seen = browser.vouch(&prepared).await?;
    accept(prepared, &seen)
}

fn prepared(token: &str, key: &str) -> Result<Prepared, JwtError> {
    let keys = JwkSet::parse(["{\"keys\":[", key, "]}"].concat().as_bytes())?;
    prepare(token, &keys, Allowed::only(Algorithm::ALL).unwrap())
}

/// Whether it is verified; a wrong signature is the only other verdict.
async fn is_right(browser: &WebCrypto, token: &str, key: &str) -> bool {
    match verified_by(browser, token, key).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error, JwtError::SignatureInvalid);
            false
        }
    }
}

/// Another letter in the middle of its signature.
fn forged(token: &str) -> String {
    let at = token.rfind('.').unwrap() + 20;
    let other = if token.as_bytes().get(at) == Some(&b'A') { "B" } else { "A" };
    [token.get(..at).unwrap(), other, token.get(at + 1..).unwrap()].concat()
}

/// The key and the token of an algorithm.
fn by(algorithm: &str) -> (&'static str, &'static str) {
    let (_, key, token) = TOKENS.into_iter().find(|(name, ..)| *name == algorithm).unwrap();
    (key, token)
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
    assert_eq!(verified(JOE_ES256, by("ES256").0).await.map(|_| ()), Err(JwtError::SignatureInvalid));
}

#[wasm_bindgen_test]
async fn a_point_that_is_not_on_its_curve_is_no_key() {
    let off = JOE_EC.replace("f83OJ3D2", "g83OJ3D2");
    assert_eq!(verified(JOE_ES256, &off).await.map(|_| ()), Err(JwtError::KeyMissing { kid: None }));
}

#[wasm_bindgen_test]
async fn a_key_is_imported_once_and_verifies_each_token_that_is_right_and_no_other() {
    let _import = counted("importKey");
    for (name, key, token) in TOKENS {
        for order in [[true, true, false, true], [false, false, true, false]] {
            let browser = WebCrypto::default();
            let before = calls("importKey");
            for right in order {
                let token = if right { token.to_owned() } else { forged(token) };
                assert_eq!(is_right(&browser, &token, key).await, right, "{name}");
            }
            assert_eq!(calls("importKey") - before, 1, "{name}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_known_key_serves_one_algorithm_only() {
    let browser = WebCrypto::default();
    for _ in 0..2 {
        // Six of them by one RSA key.
        for (name, key, token) in TOKENS {
            assert!(is_right(&browser, token, key).await, "{name}");
        }
    }
}

#[wasm_bindgen_test]
async fn tokens_by_two_keys_of_one_algorithm_take_turns() {
    let (own, token) = by("ES256");
    let browser = WebCrypto::default();
    for _ in 0..3 {
        for (token, key, right) in [
            (token, own, true),
            (JOE_ES256, JOE_EC, true),
            // Each by the key of the other, which is known.
            (token, JOE_EC, false),
            (JOE_ES256, own, false),
        ] {
            assert_eq!(is_right(&browser, token, key).await, right);
        }
    }
}

#[wasm_bindgen_test]
async fn of_tokens_that_come_at_once_each_has_its_own_verdict() {
    let (own, token) = by("ES256");
    let (bad, bad_joe) = (forged(token), forged(JOE_ES256));
    let cases = [
        [(token, own, true), (JOE_ES256, JOE_EC, true)],
        [(token, own, true), (&bad_joe, JOE_EC, false)],
        [(&bad, own, false), (JOE_ES256, JOE_EC, true)],
        [(token, own, true), (&bad, own, false)],
        [(&bad, own, false), (token, own, true)],
        [(JOE_ES256, own, false), (token, own, true)],
    ];
    // With no key known, with that of the first, and with that of the second.
    for known in [None, Some(0), Some(1)] {
        for case in &cases {
            let browser = WebCrypto::default();
            if let Some((_, key, _)) = known.and_then(|at| case.get::<usize>(at)) {
                let theirs = if *key == own { token } else { JOE_ES256 };
                assert!(is_right(&browser, theirs, key).await);
            }
            let [(one, its_key, first), (other, other_key, second)] = case;
            let mut one = Box::pin(is_right(&browser, one, its_key));
            let mut other = Box::pin(is_right(&browser, other, other_key));
            assert_eq!((begun(&mut one).await, begun(&mut other).await), (None, None));
            let verdicts = [one.await, other.await];
            assert_eq!(verdicts, [*first, *second], "{known:?}");
        }
    }
}

#[wasm_bindgen_test]
async fn with_a_known_key_the_browser_computes_before_anybody_waits() {
    let _verify = counted("verify");
    let (key, token) = by("ES256");
    let browser = WebCrypto::default();
    let prepared = prepared(token, key).unwrap();
    for (begun, what) in [(0, "the key must be imported first"), (1, "it is known")] {
        let before = calls("verify");
        let verdict = browser.vouch(&prepared);
        assert_eq!(calls("verify") - before, begun, "{what}");
        assert!(verdict.await.is_ok());
        assert_eq!(calls("verify") - before, 1, "{what}");
    }
}

/// Counts the calls of a function of WebCrypto until this is dropped.
fn counted(name: &str) -> Replaced {
    js(&["window.calls ??= {}; window.calls['", name, "'] ??= 0;"].concat());
    let counting = ["(...all) => (window.calls['", name, "']++, before.apply(target, all))"].concat();
    replace("crypto.subtle", name, &counting)
}

/// How many there were.
fn calls(name: &str) -> u32 {
    let calls = js(&["return window.calls['", name, "'];"].concat());
    calls.as_f64().map(|calls| calls as u32).unwrap()
}
