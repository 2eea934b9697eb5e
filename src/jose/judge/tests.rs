use super::*;
use crate::jose::algs::Algorithm;
use crate::jose::testing::{CLAIMS, NOW, changed, context, id_token, verified};

fn token(changes: &[(&str, &str)]) -> Verified {
    verified(Algorithm::Es256, &[], &changed(CLAIMS, changes))
}

fn access() -> AccessToken {
    AccessToken::new("access".to_owned()).unwrap()
}

/// The verdict on good claims with these changes, beside the access token `access`.
fn judged(changes: &[(&str, &str)], acr: &[&str]) -> Result<IdClaims, IdTokenError> {
    let context = context();
    judge(&token(changes), &context.expected(), &Beside { access: Some(&access()), acr })
}

fn refreshed(changes: &[(&str, &str)]) -> Result<IdClaims, IdTokenError> {
    let context = context();
    let beside = Beside { access: Some(&access()), acr: &["2"] };
    judge_refreshed(&token(changes), &Json::parse(CLAIMS).unwrap(), &context.expected(), &beside)
}

#[test]
fn claims_that_pass_every_rule_are_given_out_as_they_are() {
    let claims = judged(&[], &[]).unwrap();
    assert_eq!(claims.as_json().to_text(), CLAIMS);
    assert_eq!(claims.user(), ("https://as.example", "user-1"));
    assert_eq!(claims.into_json().to_text(), CLAIMS);
}

#[test]
fn every_rule_that_needs_no_signature_is_a_rule_here_too() {
    for (name, value) in [
        ("iss", "\"https://evil.example\""),
        ("aud", "\"other\""),
        ("aud", "[\"app\",\"other\"]"),
        ("azp", "\"other\""),
        ("exp", "1699999000"),
        ("exp", "\"1700000600\""),
        ("exp", ""),
        ("iat", "1700000900"),
        ("iat", ""),
        ("nbf", "1700000900"),
        ("sub", ""),
        ("nonce", "\"other\""),
        ("nonce", ""),
        ("auth_time", "\"1\""),
    ] {
        let token = token(&[(name, value)]);
        let context = context();
        let verdict = judge(&token, &context.expected(), &Beside::default()).map(|_| ());
        let expected = check(token.header(), token.claims(), &context.expected());
        assert!(expected.is_err(), "{name} {value}");
        assert_eq!(verdict, expected, "{name} {value}");
    }
}

#[test]
fn another_kind_of_token_is_no_id_token_however_well_it_is_signed() {
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "dpop+jwt"] {
        let token = verified(Algorithm::Es256, &[("typ", &["\"", typ, "\""].concat())], CLAIMS);
        let context = context();
        let verdict = judge(&token, &context.expected(), &Beside::default());
        assert_eq!(verdict.map(|_| ()), Err(IdTokenError::TypeRefused), "{typ}");
        let previous = Json::parse(CLAIMS).unwrap();
        let verdict = judge_refreshed(&token, &previous, &context.expected(), &Beside::default());
        assert_eq!(verdict.map(|_| ()), Err(IdTokenError::TypeRefused), "{typ}");
    }
}

#[test]
fn the_tolerance_is_never_more_than_five_minutes() {
    let within = |age: i64, leeway: i64| {
        let context = context();
        let expected = Expected { leeway: Lifetime::from_seconds(leeway), ..context.expected() };
        let changes = [("exp", &*(NOW - age).to_string()), ("iat", "1699990000")];
        let verified = judge(&token(&changes), &expected, &Beside::default()).is_ok();
        let unsigned = id_token(r#"{"alg":"ES256"}"#, &changed(CLAIMS, &changes));
        let taken = judge_unsigned(&unsigned, None, &expected, &Beside::default()).is_ok();
        assert_eq!(verified, taken, "{age} {leeway}: with and without a signature");
        verified
    };
    assert!(within(59, 60) && !within(60, 60));
    assert!(within(299, 300) && !within(300, 300));
    assert!(!within(300, 301) && !within(300, i64::MAX));
    assert!(!within(0, 0));
}

#[test]
fn an_access_token_that_was_exchanged_is_noticed() {
    // Of "access" by SHA-256.
    let good = half(Hash::Sha256, "access");
    let other = half(Hash::Sha256, "accesS");
    let text = |value: &str| ["\"", value, "\""].concat();
    for (value, verdict) in [
        (String::new(), Ok(())),
        (text(&good), Ok(())),
        (text(&other), Err(IdTokenError::AccessTokenMismatch)),
        (text(""), Err(IdTokenError::AccessTokenMismatch)),
        (text(&half(Hash::Sha512, "access")), Err(IdTokenError::AccessTokenMismatch)),
        (text(good.get(..21).unwrap()), Err(IdTokenError::AccessTokenMismatch)),
        (text(&[&good, "="].concat()), Err(IdTokenError::AccessTokenMismatch)),
        ("null".to_owned(), Err(IdTokenError::Malformed("`at_hash` is not a text"))),
        ("7".to_owned(), Err(IdTokenError::Malformed("`at_hash` is not a text"))),
    ] {
        assert_eq!(judged(&[("at_hash", &value)], &[]).map(|_| ()), verdict, "{value}");
        assert_eq!(refreshed(&[("at_hash", &value)]).map(|_| ()), verdict, "{value}");
    }
    // Where there is no access token, there is nothing to compare; the claim must still be a text.
    let context = context();
    let alone = |value: &str| judge(&token(&[("at_hash", value)]), &context.expected(), &Beside::default()).is_ok();
    assert!(alone("\"x\"") && !alone("7"));
}

#[test]
fn an_access_token_is_compared_where_nobody_verifies_whatever_the_algorithm() {
    let context = context();
    let judged = |alg: &str, value: &str| {
        let header = ["{\"alg\":\"", alg, "\"}"].concat();
        let token = id_token(&header, &changed(CLAIMS, &[("at_hash", value)]));
        let beside = Beside { access: Some(&access()), acr: &[] };
        judge_unsigned(&token, None, &context.expected(), &beside).map(|_| ())
    };
    for (alg, hash) in [
        ("RS256", Some(Hash::Sha256)),
        ("HS256", Some(Hash::Sha256)),
        ("HS384", Some(Hash::Sha384)),
        ("HS512", Some(Hash::Sha512)),
        ("EdDSA", Some(Hash::Sha512)),
        ("ES256K", None),
        ("é", None),
    ] {
        for by in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let value = ["\"", &half(by, "access"), "\""].concat();
            let expected = if hash == Some(by) { Ok(()) } else { Err(IdTokenError::AccessTokenMismatch) };
            assert_eq!(judged(alg, &value), expected, "{alg} {by:?}");
        }
        assert_eq!(judged(alg, "7"), Err(IdTokenError::Malformed("`at_hash` is not a text")), "{alg}");
        assert_eq!(judged(alg, ""), Ok(()), "{alg}");
    }
}

#[test]
fn at_hash_is_that_of_openid_connect_core_appendix_a() {
    assert_eq!(half(Hash::Sha256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    // §A.4 hashes a code in the same way.
    let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
    assert_eq!(half(Hash::Sha256, code), "LDktKdoQak3Pk0cnXxCltA");
}

#[test]
fn one_of_the_acr_values_that_the_application_insists_on_must_be_there() {
    let mismatch = |expected: &[&str], got: Option<&str>| {
        let expected = expected.iter().map(|value| (*value).to_owned()).collect();
        Err(IdTokenError::AcrMismatch { expected, got: got.map(str::to_owned) })
    };
    for (acr, asked, verdict) in [
        ("", &[][..], Ok(())),
        ("\"1\"", &[], Ok(())),
        ("\"2\"", &["2"], Ok(())),
        ("\"phr\"", &["2", "phr"], Ok(())),
        ("\"1\"", &["2", "phr"], mismatch(&["2", "phr"], Some("1"))),
        ("\"2 phr\"", &["2", "phr"], mismatch(&["2", "phr"], Some("2 phr"))),
        ("\"PHR\"", &["phr"], mismatch(&["phr"], Some("PHR"))),
        ("\"\"", &["2"], mismatch(&["2"], Some(""))),
        ("", &["2"], mismatch(&["2"], None)),
        ("2", &["2"], Err(IdTokenError::Malformed("`acr` is not a text"))),
        ("null", &[], Err(IdTokenError::Malformed("`acr` is not a text"))),
    ] {
        assert_eq!(judged(&[("acr", acr)], asked).map(|_| ()), verdict, "{acr} {asked:?}");
    }
}

#[test]
fn a_refresh_keeps_the_user_and_is_not_asked_for_what_belongs_to_the_sign_in() {
    for (name, value, verdict) in [
        ("x", "1", Ok(())),
        ("nonce", "", Ok(())),
        ("acr", "\"1\"", Ok(())),
        ("exp", "1700000001", Ok(())),
        ("exp", "1", Err(IdTokenError::Malformed("`exp` is not later than `iat`"))),
        ("sub", "\"user-2\"", Err(IdTokenError::SubjectChanged)),
        (
            "aud",
            "[\"app\",\"api\"]",
            Err(IdTokenError::AuthorizedPartyMismatch { expected: context().client_id, got: None }),
        ),
        ("azp", "\"app\"", Err(IdTokenError::ClaimChanged("azp"))),
        ("nonce", "\"m\"", Err(IdTokenError::NonceMismatch)),
        ("iat", "", Err(IdTokenError::Malformed("`iat` is missing"))),
    ] {
        assert_eq!(refreshed(&[(name, value)]).map(|_| ()), verdict, "{name} {value}");
    }
}

#[test]
fn claims_do_not_print() {
    assert_eq!(format!("{:?}", judged(&[], &[]).unwrap()), "IdClaims(…)");
}
