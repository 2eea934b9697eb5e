use super::*;
use crate::jose::algs::Allowed;
use crate::jose::id_token::Expected;
use crate::jose::judge::{Beside, LEEWAY, judge};
use crate::jose::jwk::Jwk;
use crate::jose::shape::is_possible;
use crate::jose::testing::keys::{LARGE, RSA, RSA4096, SALTED, TOKENS};
use crate::jose::testing::{changed, encode, everything, key_set};
use crate::jose::verify::{accept, prepare};
use crate::types::{AccessToken, ClientId, Issuer, Json, Nonce, UnixMillis};
use base64ct::{Base64UrlUnpadded, Encoding};

/// RFC 7515 appendix A.1: the payload of the first examples.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7515 appendix A.2.1.
const JOE_RSA: &str = r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
const JOE_RS256: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

/// RFC 7515 appendix A.3.1.
const JOE_EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const JOE_ES256: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// RFC 7515 appendix A.4.1.
const P521: &str = r#"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}"#;
const ES512: &str = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";

/// RFC 7520 §3.3 and §3.1, without the private parts; figure 8.
const BILBO_RSA: &str = r#"{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"}"#;
const BILBO_EC: &str = r#"{"kty":"EC","kid":"bilbo.baggins@hobbiton.example","use":"sig","crv":"P-521","x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"}"#;
const ROAD: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
/// RFC 7520 §4.1.2, §4.2.2 and §4.3.2.
const ROAD_RS256: [&str; 2] = [
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
];
const ROAD_PS384: [&str; 2] = [
    "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
    "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
];
const ROAD_ES512: [&str; 2] = [
    "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
    "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2",
];

/// RFC 8037 appendix A.2 and A.4.
const OKP: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const EDDSA: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn jwk(text: &str) -> Jwk {
    Jwk::read(&Json::parse(text).unwrap()).unwrap()
}

fn decoded(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).unwrap()
}

/// Whether a JWS is right whose payload may be anything. Its signature has the right shape in any case.
fn jws(algorithm: &str, key: &str, token: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (key, signature) = (jwk(key), decoded(signature));
    let algorithm = Algorithm::parse(algorithm).unwrap();
    assert!(key.fits(algorithm) && is_possible(key.material(), &signature), "{algorithm:?}");
    is_right(algorithm, key.material(), signed.as_bytes(), &signature) == Some(true)
}

/// The whole way of a token: to its claims.
fn claims(token: &str, key: &str) -> Result<String, JwtError> {
    let prepared = prepare(token, &key_set(&[key]), everything())?;
    let seen = verify(&prepared)?;
    accept(prepared, &seen).map(|verified| verified.claims().to_text())
}

/// The example of RFC 7515 appendix A.2 or A.3.
fn joe(header: &str, signature: &str) -> String {
    [header, JOE, signature].join(".")
}

#[test]
fn the_examples_of_rfc_7515_appendix_a_2_and_a_3_are_verified() {
    let expected = Ok(r#"{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}"#.to_owned());
    assert_eq!(claims(&joe("eyJhbGciOiJSUzI1NiJ9", JOE_RS256), JOE_RSA), expected);
    assert_eq!(claims(&joe("eyJhbGciOiJFUzI1NiJ9", JOE_ES256), JOE_EC), expected);
}

#[test]
fn the_example_of_rfc_7515_appendix_a_4_is_verified_and_its_payload_is_no_claim_set() {
    assert!(jws("ES512", P521, ES512));
    let refusal = JwtError::Malformed("the payload is no base64url-encoded JSON object");
    assert_eq!(claims(ES512, P521), Err(refusal));
}

#[test]
fn the_examples_of_rfc_7515_appendix_a_1_a_5_and_a_6_are_refused() {
    let hmac =
        ["eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", JOE, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"].join(".");
    assert_eq!(claims(&hmac, JOE_EC), Err(JwtError::AlgorithmRefused { got: "HS256".to_owned() }));
    let unsecured = ["eyJhbGciOiJub25lIn0", JOE, ""].join(".");
    assert_eq!(claims(&unsecured, JOE_EC), Err(JwtError::Malformed("it is not signed")));
    let signatures = format!(r#"[{{"protected":"eyJhbGciOiJFUzI1NiJ9","signature":"{JOE_ES256}"}}]"#);
    let json = format!(r#"{{"payload":"{JOE}","signatures":{signatures}}}"#);
    assert_eq!(claims(&json, JOE_EC), Err(JwtError::Malformed("it does not have three parts")));
}

#[test]
fn the_examples_of_rfc_7520_section_4_are_verified() {
    for (algorithm, key, [header, signature]) in
        [("RS256", BILBO_RSA, ROAD_RS256), ("PS384", BILBO_RSA, ROAD_PS384), ("ES512", BILBO_EC, ROAD_ES512)]
    {
        assert!(jws(algorithm, key, &[header, ROAD, signature].join(".")), "{algorithm}");
        assert!(!jws(algorithm, key, &[header, JOE, signature].join(".")), "{algorithm}");
    }
    assert!(!jws("PS256", BILBO_RSA, &[ROAD_PS384[0], ROAD, ROAD_PS384[1]].join(".")));
    assert!(!jws("RS384", BILBO_RSA, &[ROAD_RS256[0], ROAD, ROAD_RS256[1]].join(".")));
    assert!(!jws("PS256", BILBO_RSA, &[ROAD_RS256[0], ROAD, ROAD_RS256[1]].join(".")));
}

#[test]
fn the_example_of_rfc_8037_appendix_a_4_is_verified() {
    assert!(jws("EdDSA", OKP, EDDSA));
    assert!(!jws("EdDSA", OKP, &EDDSA.replace("RXhh", "RXhi")));
}

#[test]
fn what_another_implementation_signed_is_verified_by_every_algorithm() {
    for (algorithm, key, token) in TOKENS {
        assert!(claims(token, key).is_ok(), "{algorithm}");
    }
}

#[test]
fn a_larger_key_with_the_smallest_exponent_verifies_what_it_signed() {
    assert!(claims(LARGE, RSA4096).is_ok());
    let (signed, _) = LARGE.rsplit_once('.').unwrap();
    let other = [signed, &Base64UrlUnpadded::encode_string(&[1; 512])].join(".");
    assert_eq!(claims(&other, RSA4096), Err(JwtError::SignatureInvalid));
    assert_eq!(claims(LARGE, RSA), Err(JwtError::SignatureInvalid));
}

#[test]
fn a_changed_bit_is_noticed_wherever_it_is() {
    for (algorithm, key, token) in TOKENS {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        // The header stays JSON, and names the same algorithm and key.
        let spaced = encode(&[std::str::from_utf8(&decoded(header)).unwrap(), " "].concat());
        let moved = encode(&std::str::from_utf8(&decoded(payload)).unwrap().replace("user-1", "user-2"));
        for changed in [[&spaced, payload].join("."), [header, &moved].join(".")] {
            let verdict = claims(&[&changed, signature].join("."), key);
            assert_eq!(verdict, Err(JwtError::SignatureInvalid), "{algorithm}");
        }
        let bytes = decoded(signature);
        for at in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            let token = [signed, &Base64UrlUnpadded::encode_string(&bytes)].join(".");
            assert_eq!(claims(&token, key), Err(JwtError::SignatureInvalid), "{algorithm} {at}");
        }
    }
}

#[test]
fn the_key_of_somebody_else_verifies_nothing() {
    let [rs256, es256] = ["RS256", "ES256"].map(|name| TOKENS.into_iter().find(|(each, ..)| *each == name).unwrap());
    for (token, key) in [(rs256.2, JOE_RSA), (es256.2, JOE_EC)] {
        assert_eq!(claims(token, key), Err(JwtError::SignatureInvalid));
    }
}

#[test]
fn the_salt_of_pss_is_as_long_as_the_hash() {
    let (_, key, _) = TOKENS.into_iter().find(|(name, ..)| *name == "PS256").unwrap();
    for (salt, token) in SALTED {
        assert_eq!(claims(token, key), Err(JwtError::SignatureInvalid), "{salt}");
    }
}

#[test]
fn a_point_that_is_not_on_its_curve_and_a_key_of_small_order_are_no_keys() {
    let (_, key, token) = TOKENS.into_iter().find(|(name, ..)| *name == "ES256").unwrap();
    let off = changed(key, &[("y", &["\"", &encode(&"y".repeat(32)), "\""].concat())]);
    assert_eq!(claims(token, &off), Err(JwtError::SignatureInvalid));
    // The neutral element verifies a signature of zeros over anything, where nobody forbids it (RFC 8032 §5.1.7 does not).
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let weak =
        ["{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"", &Base64UrlUnpadded::encode_string(&neutral), "\"}"].concat();
    let forged = [&neutral[..], &[0; 32]].concat();
    assert_eq!(is_right(Algorithm::EdDsa, jwk(&weak).material(), b"anything", &forged), Some(false));
}

#[test]
fn a_signed_token_becomes_a_user_and_its_access_token_is_that_of_the_answer() {
    let (issuer, client_id) = (Issuer("https://as.example".to_owned()), ClientId("app".to_owned()));
    let nonce = Nonce("n".to_owned());
    let expected = Expected {
        issuer: &issuer,
        client_id: &client_id,
        nonce: Some(&nonce),
        max_age: None,
        leeway: LEEWAY,
        now: UnixMillis(1_700_000_000_000),
        typ: None,
    };
    for (algorithm, key, token) in TOKENS {
        let allowed = Allowed::only(&[Algorithm::parse(algorithm).unwrap()]).unwrap();
        let prepared = prepare(token, &key_set(&[key]), allowed).unwrap();
        let verified = accept(prepared, &verify(&prepare(token, &key_set(&[key]), allowed).unwrap()).unwrap()).unwrap();
        let with = |access: &str| {
            let access = AccessToken::new(access.to_owned()).unwrap();
            judge(&verified, &expected, &Beside { access: Some(&access), acr: &[] })
                .map(|claims| claims.user().1.to_owned())
        };
        assert_eq!(with("access"), Ok("user-1".to_owned()), "{algorithm}");
        assert!(with("another").is_err(), "{algorithm}");
    }
}
