//! Whatever a token or a set of keys looks like, it is refused or means what it says.
//!
//! The texts are the same in every run; `PROPTEST_RNG_SEED=7 PROPTEST_CASES=20000 cargo test --test jwt_properties` looks at others.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use authsafe::jose::algs::Allowed;
use authsafe::jose::id_token::Expected;
use authsafe::jose::judge::{Beside, LEEWAY, judge};
use authsafe::jose::jwks::JwkSet;
use authsafe::jose::native;
use authsafe::jose::rules::IdTokenError;
use authsafe::jose::verify::{accept, decode_unverified, prepare};
use authsafe::types::{ClientId, Issuer, UnixMillis};
use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const NOW: f64 = 1_700_000_000.0;

/// The key of whoever signs here.
fn signer() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn keys() -> JwkSet {
    let x = Base64UrlUnpadded::encode_string(signer().verifying_key().as_bytes());
    JwkSet::parse(format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#).as_bytes()).unwrap()
}

fn signed(claims: &str) -> String {
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let input = [encode(r#"{"alg":"EdDSA"}"#), encode(claims)].join(".");
    let signature = Base64UrlUnpadded::encode_string(&signer().sign(input.as_bytes()).to_bytes());
    [input, signature].join(".")
}

/// What becomes of a token that the right key has signed.
fn judged(claims: &str) -> Result<(), IdTokenError> {
    let prepared = prepare(&signed(claims), &keys(), Allowed::default()).unwrap();
    let seen = native::verify(&prepared).unwrap();
    let token = accept(prepared, &seen).map_err(|_| IdTokenError::Malformed("form"))?;
    let (issuer, client_id) = (Issuer("https://as.example".to_owned()), ClientId("app".to_owned()));
    let now = UnixMillis(NOW as i64 * 1000);
    let expected =
        Expected { issuer: &issuer, client_id: &client_id, nonce: None, max_age: None, leeway: LEEWAY, now, typ: None };
    judge(&token, &expected, &Beside::default()).map(|_| ())
}

/// JSON that is no number, and numbers of every size in several spellings.
fn value() -> impl Strategy<Value = String> {
    let near = NOW as i64;
    prop_oneof![
        proptest::sample::select(vec![
            "null",
            "true",
            "{}",
            "[]",
            "\"\"",
            "\"1700000600\"",
            "[1700000600]",
            "1e400",
            "-1e400"
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        (near - 1000..near + 1000).prop_map(|number| number.to_string()),
        (near - 1000..near + 1000, 0..1000_u32).prop_map(|(whole, part)| format!("{whole}.{part:03}")),
        any::<f64>().prop_filter("JSON has no such number", |number| number.is_finite()).prop_map(|n| format!("{n:e}")),
    ]
}

/// The instant that a text means, where it means one.
fn seconds(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.abs() < 3.2e12)
}

fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let rng_seed = if matches!(asked.rng_seed, RngSeed::Fixed(_)) { asked.rng_seed } else { RngSeed::Fixed(1) };
    ProptestConfig { rng_seed, failure_persistence: None, ..asked }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_token_ends_when_it_says_and_one_that_does_not_say_it_in_a_number_never_began(exp in value()) {
        let verdict = judged(&format!(
            r#"{{"iss":"https://as.example","sub":"u","aud":"app","iat":1699999000,"exp":{exp}}}"#
        ));
        match seconds(&exp) {
            None => prop_assert!(matches!(verdict, Err(IdTokenError::Malformed(_))), "{exp}: {verdict:?}"),
            Some(at) if at > NOW - 59.99 => prop_assert_eq!(verdict, Ok(())),
            Some(at) if at <= NOW - 60.0 => {
                prop_assert!(matches!(verdict, Err(IdTokenError::Expired { .. })), "{exp}: {verdict:?}");
            }
            Some(_) => {}
        }
    }

    #[test]
    fn a_token_begins_when_it_says(iat in value(), not_before in any::<bool>()) {
        let other = if not_before { r#""iat":1699999000,"nbf""# } else { r#""iat""# };
        let verdict = judged(&format!(
            r#"{{"iss":"https://as.example","sub":"u","aud":"app","exp":1700000600,{other}:{iat}}}"#
        ));
        match seconds(&iat) {
            None => prop_assert!(matches!(verdict, Err(IdTokenError::Malformed(_))), "{iat}: {verdict:?}"),
            Some(at) if at <= NOW + 60.0 => prop_assert_eq!(verdict, Ok(())),
            Some(at) if at > NOW + 60.01 => {
                prop_assert!(matches!(verdict, Err(IdTokenError::NotYetValid { .. })), "{iat}: {verdict:?}");
            }
            Some(_) => {}
        }
    }

    #[test]
    fn no_text_is_a_token_that_was_not_signed(text in "[A-Za-z0-9_.{}\":=-]{0,300}") {
        prop_assert!(prepare(&text, &keys(), Allowed::default()).is_err());
        prop_assert!(decode_unverified(&text).is_err());
    }

    #[test]
    fn no_bytes_but_a_set_are_a_set_of_keys(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(JwkSet::parse(&bytes).is_err());
    }

    #[test]
    fn a_set_has_the_keys_that_can_be_used_and_counts_the_others(list in proptest::collection::vec(value(), 0..120)) {
        let document = format!(r#"{{"keys":[{}]}}"#, list.join(","));
        match JwkSet::parse(document.as_bytes()) {
            Ok(set) => prop_assert_eq!((set.keys().len(), set.skipped()), (0, list.len())),
            // JSON itself has no number as large as that; beyond a hundred, it is no set.
            Err(_) => prop_assert!(list.len() > 100 || list.iter().any(|value| value.ends_with("e400"))),
        }
    }
}
