use super::*;
use crate::jose::testing::keys::{ED25519, P256, RSA, TOKENS};
use crate::jose::testing::{changed, encode, everything, key_set, vouched};
use base64ct::{Base64UrlUnpadded, Encoding};

fn tokens() -> Vec<(Algorithm, &'static str, &'static str)> {
    TOKENS.into_iter().map(|(name, key, token)| (Algorithm::parse(name).unwrap(), key, token)).collect()
}

/// A token by ES256 with another header or payload, under the signature of a good one.
fn forged(header: &str, payload: &str) -> String {
    let (_, _, token) = TOKENS.into_iter().find(|(name, ..)| *name == "ES256").unwrap();
    [&encode(header), ".", &encode(payload), ".", token.rsplit_once('.').unwrap().1].concat()
}

fn refused(token: &str, keys: &[&str]) -> JwtError {
    let prepared = prepare(token, &key_set(keys), Allowed::default());
    let accepted = prepared.and_then(|prepared| {
        let seen = vouched(&prepared);
        accept(prepared, &seen)
    });
    accepted.unwrap_err()
}

#[test]
fn what_is_prepared_is_what_the_token_says() {
    for (algorithm, key, token) in tokens() {
        let prepared = prepare(token, &key_set(&[key]), everything()).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(prepared.algorithm(), algorithm);
        assert_eq!(**prepared.key(), Jwk::read(&Json::parse(key).unwrap()).unwrap());
        assert_eq!(prepared.signing_input(), signed.as_bytes());
        assert_eq!(Base64UrlUnpadded::encode_string(prepared.signature()), signature);
    }
}

#[test]
fn a_token_whose_bytes_were_verified_is_accepted_with_what_it_says() {
    for (algorithm, key, token) in tokens() {
        let prepared = prepare(token, &key_set(&[key]), everything()).unwrap();
        let seen = vouched(&prepared);
        let verified = accept(prepared, &seen).unwrap();
        assert_eq!(verified.algorithm(), algorithm);
        assert_eq!(verified.header().get("alg"), Some(&Json::from(algorithm.as_str())));
        assert_eq!(verified.claims().get("sub"), Some(&Json::from("user-1")));
    }
}

#[test]
fn nothing_else_that_was_verified_makes_a_token_verified() {
    let [(_, p256, token), (_, rsa, other)] = ["ES256", "RS256"].map(|name| {
        let found = tokens().into_iter().find(|(algorithm, ..)| algorithm.as_str() == name);
        found.unwrap()
    });
    let ready = || prepare(token, &key_set(&[p256]), everything()).unwrap();
    let foreign = prepare(other, &key_set(&[rsa]), everything()).unwrap();
    let another_key = changed(p256, &[("x", &["\"", &encode(&"x".repeat(32)), "\""].concat())]);
    let another_key = Rc::new(Jwk::read(&Json::parse(&another_key).unwrap()).unwrap());
    let prepared = ready();
    let (algorithm, key) = (prepared.algorithm(), prepared.key());
    let (signed, signature) = (prepared.signing_input(), prepared.signature());
    let cut = signed.get(..signed.len() - 1).unwrap();
    let longer = [signed, b"."].concat();
    for (what, seen) in [
        ("another token", vouched(&foreign)),
        ("another algorithm", VerifiedBytes::dangerous_vouch(Algorithm::Es384, key, signed, signature)),
        ("another key", VerifiedBytes::dangerous_vouch(algorithm, &another_key, signed, signature)),
        ("less of it", VerifiedBytes::dangerous_vouch(algorithm, key, cut, signature)),
        ("more of it", VerifiedBytes::dangerous_vouch(algorithm, key, &longer, signature)),
        ("nothing", VerifiedBytes::dangerous_vouch(algorithm, key, b"", signature)),
        ("another signature", VerifiedBytes::dangerous_vouch(algorithm, key, signed, foreign.signature())),
        ("no signature", VerifiedBytes::dangerous_vouch(algorithm, key, signed, b"")),
    ] {
        assert_eq!(accept(ready(), &seen).unwrap_err(), JwtError::SignatureInvalid, "{what}");
    }
    assert!(accept(ready(), &vouched(&prepared)).is_ok());
}

#[test]
fn a_token_by_an_algorithm_that_is_not_allowed_does_not_come_to_a_key() {
    for (algorithm, key, token) in tokens() {
        let all_others: Vec<_> = Algorithm::ALL.iter().copied().filter(|each| *each != algorithm).collect();
        let allowed = Allowed::only(&all_others).unwrap();
        let refusal = JwtError::AlgorithmRefused { got: algorithm.as_str().to_owned() };
        assert_eq!(prepare(token, &key_set(&[key]), allowed).unwrap_err(), refusal);
        assert!(prepare(token, &key_set(&[key]), Allowed::only(&[algorithm]).unwrap()).is_ok());
    }
}

#[test]
fn the_forgeries_of_the_books_are_refused() {
    let claims = r#"{"sub":"admin"}"#;
    let refuse = |got: &str| JwtError::AlgorithmRefused { got: got.to_owned() };
    for (header, refusal) in [
        (r#"{"alg":"none"}"#, JwtError::Malformed("it is not signed")),
        (r#"{"alg":"NONE"}"#, JwtError::Malformed("it is not signed")),
        (r#"{"alg":"HS256"}"#, refuse("HS256")),
        (r#"{"alg":"HS512","kid":"1"}"#, refuse("HS512")),
        (r#"{"alg":"ES256 "}"#, refuse("ES256 ")),
        (r#"{"alg":"ES384"}"#, refuse("ES384")),
        (r#"{"alg":"ES256","alg":"none"}"#, JwtError::Malformed("the header is no base64url-encoded JSON object")),
        (
            r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
            JwtError::Malformed("the header asks for an extension that is not supported"),
        ),
        (
            r#"{"alg":"ES256","b64":false}"#,
            JwtError::Malformed("the header asks for an extension that is not supported"),
        ),
        (r#"{"alg":"RS256"}"#, JwtError::KeyMissing { kid: None }),
        (r#"{"alg":"ES256","kid":"/dev/null"}"#, JwtError::KeyMissing { kid: Some("/dev/null".to_owned()) }),
        (r#"{"alg":"ES256","kid":["1"]}"#, JwtError::Malformed("`kid` is not a text")),
    ] {
        assert_eq!(refused(&forged(header, claims), &[P256]), refusal, "{header}");
    }
    assert_eq!(refused(&forged(r#"{"alg":"ES256"}"#, claims), &[P256, P256]), JwtError::KeyAmbiguous { kid: None });
}

#[test]
fn keys_that_come_along_with_a_token_are_not_looked_at() {
    let own = ["{\"alg\":\"ES256\",\"jwk\":", P256, "}"].concat();
    assert_eq!(refused(&forged(&own, "{}"), &[RSA]), JwtError::KeyMissing { kid: None });
    for (name, value) in [
        ("jwk", ED25519),
        ("jku", "\"https://evil.example/jwks\""),
        ("x5u", "\"https://evil.example/x5u\""),
        ("x5c", "[\"MIIB\"]"),
        ("x5t", "\"AQAB\""),
    ] {
        let token = forged(&changed(r#"{"alg":"ES256"}"#, &[(name, value)]), "{}");
        let prepared = prepare(&token, &key_set(&[P256, RSA]), Allowed::default()).unwrap();
        assert_eq!(**prepared.key(), Jwk::read(&Json::parse(P256).unwrap()).unwrap(), "{name}");
        let seen = vouched(&prepared);
        assert!(accept(prepared, &seen).is_ok(), "{name}");
    }
}

#[test]
fn a_token_that_the_second_reader_does_not_read_is_not_accepted() {
    let token = forged(r#"{"alg":"ES256","jwk":"x"}"#, "{}");
    let prepared = prepare(&token, &key_set(&[P256]), Allowed::default()).unwrap();
    let seen = vouched(&prepared);
    let refusal = JwtError::Malformed("two readers do not agree on what it says");
    assert_eq!(accept(prepared, &seen).unwrap_err(), refusal);
}

#[test]
fn a_token_whose_payload_is_none_is_malformed_whatever_else_is_wrong() {
    let malformed = JwtError::Malformed("the payload is no base64url-encoded JSON object");
    for payload in ["[]", "7", r#"{"sub":"a","sub":"b"}"#, ""] {
        let token = forged(r#"{"alg":"ES256"}"#, payload);
        for keys in [&[P256][..], &[], &[P256, P256]] {
            assert_eq!(refused(&token, keys), malformed, "{payload}");
        }
        assert_eq!(refused(&forged(r#"{"alg":"HS256"}"#, payload), &[P256]), malformed, "{payload}");
    }
}

#[test]
fn a_token_is_no_larger_than_an_answer_may_be() {
    let large = JwtError::Malformed("it is larger than 256 KiB");
    assert_eq!(refused(&"A".repeat(256 * 1024 + 1), &[P256]), large);
    assert_ne!(refused(&"A".repeat(256 * 1024), &[P256]), large);
}

#[test]
fn encrypted_tokens_and_the_json_serialisation_are_malformed() {
    let (_, _, token) = TOKENS.into_iter().find(|(name, ..)| *name == "ES256").unwrap();
    let parts: Vec<_> = token.split('.').collect();
    let json = format!(r#"{{"payload":"{}","protected":"{}","signature":"{}"}}"#, parts[1], parts[0], parts[2]);
    let jwe =
        [encode(r#"{"alg":"dir","enc":"A128GCM"}"#), ".".to_owned(), [parts[1], parts[1], parts[2]].join(".")].concat();
    for token in [json, jwe, String::new()] {
        assert_eq!(refused(&token, &[P256]), JwtError::Malformed("it does not have three parts"), "{token:.40}");
    }
}

#[test]
fn a_signature_that_can_be_none_is_refused_before_anybody_computes() {
    let (_, key, token) = TOKENS.into_iter().find(|(name, ..)| *name == "ES256").unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    for signature in ["\0".repeat(64), "a".repeat(63), "a".repeat(65), "a".repeat(32), "\0".to_owned()] {
        let token = [signed, ".", &encode(&signature)].concat();
        assert_eq!(prepare(&token, &key_set(&[key]), everything()).unwrap_err(), JwtError::SignatureInvalid);
    }
}

#[test]
fn what_nobody_verified_is_shown_under_another_type() {
    let unverified = decode_unverified(&forged(r#"{"alg":"HS256"}"#, r#"{"sub":"admin"}"#)).unwrap();
    assert_eq!(unverified.header().to_text(), r#"{"alg":"HS256"}"#);
    assert_eq!(unverified.claims().to_text(), r#"{"sub":"admin"}"#);
    assert_eq!(decode_unverified("opaque").unwrap_err(), JwtError::Malformed("it does not have three parts"));
}

#[test]
fn nothing_of_a_token_prints() {
    let token = forged(r#"{"alg":"ES256"}"#, r#"{"sub":"CANARY"}"#);
    let prepared = prepare(&token, &key_set(&[P256]), Allowed::default()).unwrap();
    let seen = vouched(&prepared);
    let texts = [format!("{prepared:?}"), format!("{seen:?}"), format!("{:?}", decode_unverified(&token).unwrap())];
    assert_eq!(texts, ["Prepared(…)", "VerifiedBytes(…)", "Unverified(…)"]);
    assert_eq!(format!("{:?}", accept(prepared, &seen).unwrap()), "Verified(…)");
}
