use super::*;
use crate::protocol::testing::{answer, url};
use crate::types::Json;
use base64ct::{Base64UrlUnpadded, Encoding};

/// The key of RFC 9449 §4.1 and §6.1.
const X: &str = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
const Y: &str = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";

fn key() -> PublicKey {
    let mut coordinates = [0; 64];
    Base64UrlUnpadded::decode(X, &mut coordinates[..32]).unwrap();
    Base64UrlUnpadded::decode(Y, &mut coordinates[32..]).unwrap();
    PublicKey::new(&coordinates)
}

/// Header and claims of a proof that is being signed.
fn read(input: &str) -> (Json, Json) {
    let part = |text: &str| Json::parse_bytes(&Base64UrlUnpadded::decode_vec(text).unwrap()).unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    (part(header), part(claims))
}

fn claims<'a>(method: &'a str, url: &'a WebUrl, at: i64) -> Claims<'a> {
    Claims { method, url, jti: &[0; 16], at: UnixMillis(at * 1000 + 999), access: None, nonce: None }
}

#[test]
fn a_proof_for_the_token_endpoint_says_what_rfc_9449_section_4_1_shows() {
    let token_endpoint = url("https://server.example.com/token");
    // `-BwC3ESc6acc2lTc` there has 96 bits; ours have 128.
    let jti = *b"\xf8\x1c\x02\xdc\x44\x9c\xe9\xa7\x1c\xda\x54\xdc\0\0\0\0";
    let input = key().signing_input(&Claims { jti: &jti, ..claims("POST", &token_endpoint, 1_562_262_616) });
    let (header, payload) = read(&input);
    let expected =
        format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{{"crv":"P-256","kty":"EC","x":"{X}","y":"{Y}"}}}}"#);
    assert_eq!(header, Json::parse(&expected).unwrap());
    let expected =
        r#"{"jti":"-BwC3ESc6acc2lTcAAAAAA","htm":"POST","htu":"https://server.example.com/token","iat":1562262616}"#;
    assert_eq!(payload, Json::parse(expected).unwrap());
}

#[test]
fn a_proof_for_a_resource_hashes_the_token_as_rfc_9449_section_7_1_shows() {
    let resource = url("https://resource.example.org/protectedresource");
    let access = AccessToken::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".to_owned()).unwrap();
    let claims = Claims { access: Some(&access), nonce: Some("eyJ7S_zG.e"), ..claims("GET", &resource, 1_562_262_618) };
    let (_, payload) = read(&key().signing_input(&claims));
    let text = |name| payload.get(name).and_then(Json::text).unwrap().to_owned();
    assert_eq!(text("ath"), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    assert_eq!((text("htm"), text("htu")), ("GET".to_owned(), resource.as_str().to_owned()));
    assert_eq!(
        (text("nonce"), payload.get("iat").and_then(Json::number)),
        ("eyJ7S_zG.e".to_owned(), Some(1_562_262_618.0))
    );
}

#[test]
fn a_key_is_named_as_rfc_9449_section_6_1_names_it() {
    assert_eq!(key().thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn a_thumbprint_is_that_of_rfc_7638_section_3_1() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM\
        stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn\
        1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let members = format!(r#"{{"e":"AQAB","kty":"RSA","n":"{n}"}}"#);
    assert_eq!(hashed(&members), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn a_signature_is_appended_as_the_third_part() {
    assert_eq!(proof("a.b", &[0; 64]), format!("a.b.{}", "A".repeat(86)));
}

#[test]
fn the_address_in_a_proof_has_no_query_and_no_fragment_and_stays_as_it_is_the_second_time() {
    for (address, expected) in [
        ("https://api.example", "https://api.example/"),
        ("https://api.example?a=b", "https://api.example/"),
        ("https://api.example/a?b#c", "https://api.example/a"),
        ("https://api.example/a#b?c", "https://api.example/a"),
        ("https://api.example:8443/a/", "https://api.example:8443/a/"),
        ("http://localhost:3000/%7Ea%2Fb", "http://localhost:3000/%7Ea%2Fb"),
        ("https://[::1]/a;b=c", "https://[::1]/a;b=c"),
    ] {
        let once = htu(&url(address));
        assert_eq!(once, expected);
        assert_eq!(htu(&url(&once)), once);
    }
}

#[test]
fn what_the_application_wants_and_the_server_offers_decides_about_a_key() {
    for (policy, offered, expected) in [
        (Policy::Auto, true, Ok(true)),
        (Policy::Auto, false, Ok(false)),
        (Policy::Always, true, Ok(true)),
        (Policy::Always, false, Err(ErrorCode::DpopUnavailable)),
        (Policy::Never, true, Ok(false)),
        (Policy::Never, false, Ok(false)),
    ] {
        assert_eq!(wanted(policy, offered).map_err(|error| error.code), expected, "{policy:?} {offered}");
    }
}

#[test]
fn a_server_that_wants_a_nonce_is_told_from_every_other_refusal() {
    for (status, body, wants) in [
        (400, r#"{"error":"use_dpop_nonce"}"#, true),
        (401, r#"{"error":"use_dpop_nonce","error_description":"x"}"#, true),
        (400, r#"{"error":"invalid_dpop_proof"}"#, false),
        (200, r#"{"error":"use_dpop_nonce"}"#, false),
        (500, r#"{"error":"use_dpop_nonce"}"#, false),
        (400, "use_dpop_nonce", false),
        (400, "", false),
    ] {
        assert_eq!(wants_nonce(&answer(status, "application/json", body)), wants, "{status} {body}");
    }
    assert!(!wants_nonce(&answer(400, "text/html", r#"{"error":"use_dpop_nonce"}"#)));
}

#[test]
fn each_origin_has_the_nonce_that_it_told_last() {
    let (server, api) = (url("https://as.example/token"), url("https://api.example/a"));
    let mut nonces = Nonces::default();
    assert_eq!(nonces.of(&server), None);
    assert!(nonces.learn(&server, Some("one")));
    assert!(!nonces.learn(&server, Some("one")));
    assert!(!nonces.learn(&server, None));
    assert!(nonces.learn(&server, Some("two")));
    assert!(nonces.learn(&api, Some("three")));
    assert_eq!((nonces.of(&url("https://as.example/par")), nonces.of(&api)), (Some("two"), Some("three")));
}

#[test]
fn what_is_no_nonce_is_not_kept() {
    let server = url("https://as.example/token");
    let mut nonces = Nonces::default();
    for odd in ["", "a b", "a\"b", "a\\b", "é", "a\n", &"a".repeat(1025)] {
        assert!(!nonces.learn(&server, Some(odd)), "{odd:?}");
    }
    assert_eq!(nonces.of(&server), None);
    assert!(nonces.learn(&server, Some(&"a".repeat(1024))));
}

#[test]
fn the_nonces_of_at_most_ten_origins_are_kept() {
    let mut nonces = Nonces::default();
    let origin = |n: usize| url(&format!("https://api{n}.example/"));
    for n in 0..100 {
        nonces.learn(&origin(n), Some("a"));
    }
    assert_eq!(
        (0..100).filter(|n| nonces.of(&origin(*n)).is_some()).collect::<Vec<_>>(),
        (90..100).collect::<Vec<_>>()
    );
}

#[test]
fn a_missing_nonce_is_blamed_once_and_again_after_a_proof_that_was_taken_or_after_a_while() {
    let api = url("https://api.example/a");
    let at = |seconds: i64| UnixMillis(seconds * 1000);
    let mut nonces = Nonces::default();
    assert!(!nonces.blame(&api, at(0)), "nothing was told");
    nonces.learn(&api, Some("one"));
    assert!(nonces.blame(&api, at(1)));
    assert!(!nonces.blame(&api, at(2)));
    assert!(nonces.blame(&api, at(3)));
    nonces.acquit(&api);
    assert!(nonces.blame(&api, at(4)));
    assert!(nonces.blame(&api, at(14)));
}
