use super::*;
use crate::jose::compact::{Compact, peek_iat};
use crate::jose::testing::{CLAIMS, NOW, changed, context, id_token};
use crate::types::IdToken;

const HEADER: &str = r#"{"alg":"RS256"}"#;

fn verify_claims(token: &IdToken, expected: &Expected<'_>) -> Result<Json, IdTokenError> {
    let Compact { header, payload, .. } = Compact::parse(token.expose()).map_err(IdTokenError::Malformed)?;
    check(&header, &payload, expected).map(|()| payload)
}

fn verify_refreshed(token: &IdToken, previous: &Json, expected: &Expected<'_>) -> Result<Json, IdTokenError> {
    let Compact { header, payload, .. } = Compact::parse(token.expose()).map_err(IdTokenError::Malformed)?;
    check_refreshed(&header, &payload, previous, expected).map(|()| payload)
}

/// The verdict on good claims with these changes.
fn judged(changes: &[(&str, &str)]) -> Result<Json, IdTokenError> {
    verify_claims(&id_token(HEADER, &changed(CLAIMS, changes)), &context().expected())
}

fn refreshed(before: &[(&str, &str)], after: &[(&str, &str)]) -> Result<Json, IdTokenError> {
    let previous = Json::parse(&changed(CLAIMS, before)).unwrap();
    let token = id_token(HEADER, &changed(CLAIMS, after));
    verify_refreshed(&token, &previous, &Expected { max_age: Some(Lifetime::ZERO), ..context().expected() })
}

fn at(seconds: i64) -> UnixMillis {
    UnixMillis(seconds * 1000)
}

const LEEWAY: Lifetime = Lifetime::from_seconds(60);

#[test]
fn good_claims_are_given_out_as_they_are() {
    let more =
        [("aud", r#"["app"]"#), ("azp", "\"app\""), ("acr", "\"2\""), ("custom", "{\"a\":[1]}"), ("auth_time", "1")];
    assert_eq!(judged(&more).unwrap().to_text(), changed(CLAIMS, &more));
    assert_eq!(judged(&[]).unwrap().to_text(), CLAIMS);
}

#[test]
fn a_claim_of_the_wrong_type_is_malformed_and_never_absent() {
    for name in ["iss", "sub", "aud", "exp", "iat", "nonce", "azp", "nbf", "auth_time"] {
        let mut wrong = vec!["null", "true", "{}", "[7]", "[]", "[[\"app\"]]"];
        if matches!(name, "exp" | "iat" | "nbf" | "auth_time") {
            wrong.extend([
                "\"1700000600\"",
                "\"\"",
                "1e400",
                "-1e400",
                "1e300",
                "9007199254740993",
                "18446744073709551615",
            ]);
        } else {
            wrong.extend(["7", "1.5"]);
        }
        for value in wrong {
            let verdict = judged(&[(name, value)]);
            assert!(matches!(verdict, Err(IdTokenError::Malformed(_))), "{name} {value}: {verdict:?}");
        }
    }
    for value in [r#"["app",7]"#, r#"["app",null]"#, r#"[["app"]]"#] {
        assert!(matches!(judged(&[("aud", value)]), Err(IdTokenError::Malformed(_))), "{value}");
    }
}

#[test]
fn a_required_claim_may_not_be_missing() {
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        assert!(matches!(judged(&[(name, "")]), Err(IdTokenError::Malformed(_))), "{name}");
    }
    assert!(matches!(judged(&[("sub", "\"\"")]), Err(IdTokenError::Malformed(_))));
}

#[test]
fn rule_2_the_issuer_is_ours_byte_for_byte() {
    for got in ["https://as.example/", "https://AS.example", "https://evil.example", ""] {
        let expected = context().issuer;
        let verdict = judged(&[("iss", &Json::from(got).to_text())]);
        assert_eq!(verdict, Err(IdTokenError::IssuerMismatch { expected, got: got.to_owned() }));
    }
}

#[test]
fn rules_3_to_5_the_token_is_for_us_and_was_issued_to_us() {
    let audience = |got: &[&str]| IdTokenError::AudienceMismatch {
        expected: context().client_id,
        got: got.iter().map(|each| (*each).to_owned()).collect(),
    };
    let party = |got: Option<&str>| IdTokenError::AuthorizedPartyMismatch {
        expected: context().client_id,
        got: got.map(str::to_owned),
    };
    for (aud, azp, verdict) in [
        ("\"app\"", "", Ok(())),
        ("\"app\"", "\"app\"", Ok(())),
        ("[\"app\"]", "", Ok(())),
        ("[\"api\",\"app\"]", "\"app\"", Ok(())),
        ("[\"app\",\"api\"]", "", Err(party(None))),
        ("[\"app\",\"api\"]", "\"api\"", Err(party(Some("api")))),
        ("\"app\"", "\"other\"", Err(party(Some("other")))),
        ("\"app\"", "\"\"", Err(party(Some("")))),
        ("\"api\"", "\"app\"", Err(audience(&["api"]))),
        ("\"app \"", "", Err(audience(&["app "]))),
        ("\"APP\"", "", Err(audience(&["APP"]))),
        ("\"api app\"", "", Err(audience(&["api app"]))),
        ("[\"a\",\"b\"]", "\"app\"", Err(audience(&["a", "b"]))),
        ("\"\"", "", Err(audience(&[""]))),
    ] {
        assert_eq!(judged(&[("aud", aud), ("azp", azp)]).map(|_| ()), verdict, "{aud} {azp}");
    }
}

#[test]
fn rule_9_the_token_has_not_expired_within_the_tolerance() {
    for (exp, good) in [
        (NOW + 1, true),
        (NOW - 59, true),
        (NOW - 60, false),
        (NOW - 61, false),
        (0, false),
        (-1, false),
        (253_402_300_799, true),
    ] {
        let verdict = judged(&[("exp", &exp.to_string()), ("iat", "1699990000")]).map(|_| ());
        let expired = IdTokenError::Expired { exp: at(exp), now: at(NOW), tolerance: LEEWAY };
        assert_eq!(verdict, if good { Ok(()) } else { Err(expired) }, "{exp}");
    }
    assert!(judged(&[("exp", "1700000000.5")]).is_ok());
    assert!(judged(&[("exp", "-1e12")]).is_err());
}

#[test]
fn a_token_that_is_in_force_at_no_time_is_malformed_whatever_the_clock() {
    let never = Err(IdTokenError::Malformed("`exp` is not later than `iat`"));
    for (exp, verdict) in [(NOW - 1, never.clone()), (NOW, never.clone()), (NOW + 1, Ok(()))] {
        assert_eq!(judged(&[("exp", &exp.to_string())]).map(|_| ()), verdict, "{exp}");
    }
    // After a refresh, too, where no clock counts.
    for (exp, verdict) in [("1000000000", never), ("1000000001", Ok(()))] {
        let verdict_of = refreshed(&[], &[("exp", exp), ("iat", "1000000000")]).map(|_| ());
        assert_eq!(verdict_of, verdict, "{exp}");
    }
}

#[test]
fn rule_10_the_token_was_not_issued_in_the_future() {
    for name in ["iat", "nbf"] {
        for (from, good) in [(NOW - 86_400, true), (NOW + 60, true), (NOW + 61, false), (NOW + 86_400, false)] {
            let verdict = judged(&[(name, &from.to_string())]).map(|_| ());
            let early = IdTokenError::NotYetValid { from: at(from), now: at(NOW), tolerance: LEEWAY };
            assert_eq!(verdict, if good { Ok(()) } else { Err(early) }, "{name} {from}");
        }
    }
}

#[test]
fn rule_11_the_nonce_that_was_sent_comes_back() {
    for value in ["", "\"\"", "\"N\"", "\"n \"", "\"nn\""] {
        assert_eq!(judged(&[("nonce", value)]), Err(IdTokenError::NonceMismatch), "{value}");
    }
    let context = context();
    let unasked = Expected { nonce: None, ..context.expected() };
    for value in ["", "\"other\""] {
        assert!(verify_claims(&id_token(HEADER, &changed(CLAIMS, &[("nonce", value)])), &unasked).is_ok(), "{value}");
    }
}

#[test]
fn rule_13_the_user_signed_in_recently_enough() {
    let max_age = Lifetime::from_seconds(300);
    for (auth_time, verdict) in [
        (format!("{NOW}"), Ok(())),
        (format!("{}", NOW - 360), Ok(())),
        (
            format!("{}", NOW - 361),
            Err(IdTokenError::AuthTimeTooOld { auth_time: at(NOW - 361), max_age, now: at(NOW) }),
        ),
        (String::new(), Err(IdTokenError::AuthTimeMissing)),
        ("0".to_owned(), Err(IdTokenError::AuthTimeTooOld { auth_time: at(0), max_age, now: at(NOW) })),
    ] {
        let token = id_token(HEADER, &changed(CLAIMS, &[("auth_time", &auth_time)]));
        let context = context();
        let asked = Expected { max_age: Some(max_age), ..context.expected() };
        assert_eq!(verify_claims(&token, &asked).map(|_| ()), verdict, "{auth_time:?}");
    }
}

#[test]
fn another_kind_of_token_is_never_an_id_token() {
    for (typ, verdict) in [
        ("", Ok(())),
        ("\"JWT\"", Ok(())),
        ("\"jwt\"", Ok(())),
        ("\"application/jwt\"", Ok(())),
        ("\"at+jwt\"", Err(IdTokenError::TypeRefused)),
        ("\"AT+JWT\"", Err(IdTokenError::TypeRefused)),
        ("\"application/at+jwt\"", Err(IdTokenError::TypeRefused)),
        ("\"logout+jwt\"", Err(IdTokenError::TypeRefused)),
        ("\"dpop+jwt\"", Err(IdTokenError::TypeRefused)),
        ("\"\"", Err(IdTokenError::TypeRefused)),
        ("null", Err(IdTokenError::Malformed("`typ` is not a text"))),
        ("[\"JWT\"]", Err(IdTokenError::Malformed("`typ` is not a text"))),
    ] {
        let token = id_token(&changed(HEADER, &[("typ", typ)]), CLAIMS);
        assert_eq!(verify_claims(&token, &context().expected()).map(|_| ()), verdict, "{typ}");
    }
}

#[test]
fn what_is_no_signed_token_is_malformed() {
    for text in ["x", "a.b.c", "e30.e30.", "opaque-token", &["{\"sub\":\"", "\"}"].concat()] {
        let token = IdToken::new(text.to_owned()).unwrap();
        assert!(matches!(verify_claims(&token, &context().expected()), Err(IdTokenError::Malformed(_))), "{text}");
        assert_eq!(peek_iat(&token), None);
    }
    assert_eq!(peek_iat(&id_token(HEADER, CLAIMS)), Some(at(NOW)));
    assert_eq!(peek_iat(&id_token(HEADER, "{\"iat\":\"1\"}")), None);
}

#[test]
fn a_refresh_keeps_the_user_and_everything_that_names_the_session() {
    for (before, after, verdict) in [
        (("x", "1"), ("x", "2"), Ok(())),
        (("nonce", "\"n\""), ("nonce", ""), Ok(())),
        (("nonce", "\"n\""), ("nonce", "\"n\""), Ok(())),
        (("nonce", "\"n\""), ("nonce", "\"m\""), Err(IdTokenError::NonceMismatch)),
        (("nonce", ""), ("nonce", "\"m\""), Err(IdTokenError::NonceMismatch)),
        (("sub", "\"user-1\""), ("sub", "\"user-2\""), Err(IdTokenError::SubjectChanged)),
        (("sub", ""), ("sub", "\"user-1\""), Err(IdTokenError::SubjectChanged)),
        (("iss", "\"https://old.example\""), ("x", "1"), Err(IdTokenError::ClaimChanged("iss"))),
        (("aud", "\"app\""), ("aud", "[\"app\"]"), Ok(())),
        (("aud", "\"other\""), ("aud", "\"app\""), Err(IdTokenError::ClaimChanged("aud"))),
        (("aud", ""), ("aud", "\"app\""), Err(IdTokenError::ClaimChanged("aud"))),
        (("azp", ""), ("azp", "\"app\""), Err(IdTokenError::ClaimChanged("azp"))),
        (("azp", "\"app\""), ("azp", ""), Err(IdTokenError::ClaimChanged("azp"))),
        (("auth_time", "5"), ("auth_time", "5"), Ok(())),
        (("auth_time", "5"), ("auth_time", ""), Ok(())),
        (("auth_time", ""), ("auth_time", "5"), Ok(())),
        (("auth_time", "5"), ("auth_time", "6"), Err(IdTokenError::ClaimChanged("auth_time"))),
        (("x", "1"), ("iat", ""), Err(IdTokenError::Malformed("`iat` is missing"))),
    ] {
        assert_eq!(refreshed(&[before], &[after]).map(|_| ()), verdict, "{before:?} {after:?}");
    }
    let both = ("aud", "[\"api\",\"app\"]");
    let swapped = ("aud", "[\"app\",\"api\"]");
    assert!(refreshed(&[both, ("azp", "\"app\"")], &[swapped, ("azp", "\"app\"")]).is_ok());
    let fewer = refreshed(&[both, ("azp", "\"app\"")], &[("azp", "\"app\"")]);
    assert_eq!(fewer.map(|_| ()), Err(IdTokenError::ClaimChanged("aud")));
}
