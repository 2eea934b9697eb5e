//! The whole way of a signed token, as a Rust front end walks it: by what the crate makes public, in a process that has
//! `jsonwebtoken` for itself.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use authsafe::ErrorCode;
use authsafe::jose::algs::{Algorithm, Allowed};
use authsafe::jose::error::JwtError;
use authsafe::jose::id_token::Expected;
use authsafe::jose::judge::{Beside, LEEWAY, judge};
use authsafe::jose::jwks::JwkSet;
use authsafe::jose::rules::IdTokenError;
use authsafe::jose::verify::{Verified, VerifiedBytes, accept, prepare};
use authsafe::jose::{native, provider};
use authsafe::types::{ClientId, Issuer, UnixMillis};

/// RFC 7515 appendix A.3.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn verified(token: &str) -> Result<Verified, JwtError> {
    let keys = JwkSet::parse(KEYS.as_bytes())?;
    let prepared = prepare(token, &keys, Allowed::default())?;
    let seen = native::verify(&prepared)?;
    accept(prepared, &seen)
}

#[test]
fn a_token_is_verified_with_the_second_reader_looking_at_the_signature_too() {
    assert!(provider::install(), "nobody else is in this process");
    assert!(provider::install(), "it stays so");
    let token = verified(TOKEN).unwrap();
    assert_eq!(token.algorithm(), Algorithm::Es256);
    assert_eq!(token.claims().to_text(), r#"{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}"#);

    let forged = TOKEN.replace("Kg6NU1Q", "Kg6NU1A");
    assert_eq!(verified(&forged).unwrap_err(), JwtError::SignatureInvalid);
    let moved = TOKEN.replace("eyJhbGciOiJFUzI1NiJ9", "eyJhbGciOiJFUzI1NiIgfQ");
    assert_eq!(verified(&moved).unwrap_err(), JwtError::SignatureInvalid);
}

#[test]
fn no_character_of_a_token_can_be_another_one() {
    for at in 0..TOKEN.len() {
        for other in ["A", "g", "-", ".", "="] {
            let token = [&TOKEN[..at], other, &TOKEN[at + 1..]].concat();
            assert_eq!(verified(&token).is_ok(), token == TOKEN, "{at} {other}");
        }
        assert!(verified(&[&TOKEN[..at], &TOKEN[at + 1..]].concat()).is_err(), "without {at}");
        assert!(verified(&TOKEN[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn whoever_vouches_for_other_bytes_is_not_believed_with_the_second_reader_either() {
    assert!(provider::install());
    let prepare = || prepare(TOKEN, &JwkSet::parse(KEYS.as_bytes()).unwrap(), Allowed::default()).unwrap();
    let prepared = prepare();
    let seen = VerifiedBytes::dangerous_vouch(Algorithm::Es256, prepared.key(), b"e30.e30", prepared.signature());
    assert_eq!(accept(prepared, &seen).unwrap_err(), JwtError::SignatureInvalid);
}

#[test]
fn a_token_whose_signature_is_right_is_no_id_token_before_its_claims_are() {
    let (issuer, client_id) = (Issuer("joe".to_owned()), ClientId("app".to_owned()));
    let now = UnixMillis(1_300_819_380_000);
    let expected =
        Expected { issuer: &issuer, client_id: &client_id, nonce: None, max_age: None, leeway: LEEWAY, now, typ: None };
    let problem = judge(&verified(TOKEN).unwrap(), &expected, &Beside::default()).unwrap_err();
    assert_eq!(problem, IdTokenError::Malformed("`aud` is neither a text nor a list of texts"));
    assert_eq!(authsafe::Error::from(problem).code, ErrorCode::IdTokenInvalid);
}
