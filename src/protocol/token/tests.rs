use super::*;
use crate::protocol::callback::{judge, recognise};
use crate::protocol::form::decode;
use crate::protocol::testing::{answer, metadata, registration, transaction, url};

const UNBOUND: (Option<&str>, Policy) = (None, Policy::Never);
const AT: UnixMillis = UnixMillis(1_700_000_000_000);

fn exchange(code: &str, params: &[(&str, &str)]) -> HttpRequest {
    let mut ours = registration();
    ours.token_params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let begun = transaction(1, AT);
    let query = Form::new().pair("code", code).pair("state", begun.state.as_str()).pair("iss", "https://as.example");
    let href = query.behind(&begun.redirect_uri).unwrap();
    let response = recognise(href.as_str(), &begun.redirect_uri).unwrap();
    exchange_request(&ours, &metadata(), judge(response, &begun, &metadata()).unwrap(), &begun)
}

fn body(request: &HttpRequest) -> Vec<(String, String)> {
    let (kind, body) = request.body.as_ref().unwrap();
    assert_eq!((*kind, request.method.as_str()), (BodyKind::Form, "POST"));
    assert_eq!(request.url, url("https://as.example/token"));
    decode(body)
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A good answer, with members replaced, added or (empty) left out.
fn good(changes: &[(&str, &str)]) -> Json {
    let mut members = vec![("access_token", "\"AT\""), ("token_type", "\"Bearer\"")];
    for (name, value) in changes {
        members.retain(|(known, _)| known != name);
        members.push((name, value));
    }
    let members = members.into_iter().filter(|(_, value)| !value.is_empty());
    Json::Object(members.map(|(name, value)| (name.to_owned(), Json::parse(value).unwrap())).collect())
}

#[test]
fn an_exchange_carries_exactly_what_the_transaction_was_begun_with() {
    let begun = transaction(1, AT);
    for code in ["c", "4/P7q+W%91&x=y é", "a b"] {
        let expected = pairs(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", "https://app.example/cb"),
            ("client_id", "app"),
            ("code_verifier", begun.code_verifier.expose()),
            ("audience", "api"),
        ]);
        assert_eq!(
            body(&exchange(code, &[("audience", "api"), ("code_verifier", "evil"), ("grant_type", "password")])),
            expected
        );
    }
}

#[test]
fn a_refresh_carries_the_refresh_token_intact() {
    for token in ["r", "1//0e+AbC/dEf==", "a&b=c%20d"] {
        let refresh = RefreshToken::new(token.to_owned()).unwrap();
        let request = refresh_request(&registration(), &metadata(), &refresh, None);
        assert_eq!(
            body(&request),
            pairs(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "app")])
        );
    }
}

#[test]
fn a_full_answer_is_read_whole() {
    let full = good(&[
        ("expires_in", "3600"),
        ("refresh_token", "\"RT\""),
        ("refresh_expires_in", "7200"),
        ("id_token", "\"h.p.s\""),
        ("scope", "\"openid a\""),
        ("user", "{\"sub\":\"u\"}"),
        ("extension", "[1]"),
    ]);
    let expected = TokenResponse {
        access: AccessToken::new("AT".to_owned()).unwrap(),
        binding: None,
        expires_at: Some(ExpiresAt(UnixMillis(AT.0 + 3_600_000))),
        refresh: RefreshToken::new("RT".to_owned()),
        refresh_expires_at: Some(ExpiresAt(UnixMillis(AT.0 + 7_200_000))),
        id_token: IdToken::new("h.p.s".to_owned()),
        scope: Some(Scope("openid a".to_owned())),
        user: Json::parse("{\"sub\":\"u\"}"),
    };
    let response = answer(200, "application/json", &full.to_text());
    assert_eq!(process_token_response(&response, AT, ErrorPhase::Token, UNBOUND), Ok(expected.clone()));
    let mut parsed = answer(200, "text/plain", "whatever");
    parsed.verdict = Some(Verdict::Parsed(full));
    assert_eq!(process_token_response(&parsed, AT, ErrorPhase::Refresh, UNBOUND), Ok(expected));
}

#[test]
fn a_lifetime_is_believed_as_far_as_it_makes_sense() {
    let year = MAX_LIFETIME.millis();
    for (value, millis) in [
        ("", None),
        ("null", None),
        ("3600", Some(3_600_000)),
        ("3600.5", Some(3_600_500)),
        ("\"3600\"", Some(3_600_000)),
        ("0", Some(0)),
        ("-1", Some(0)),
        ("\"0\"", Some(0)),
        ("\"-5\"", Some(0)),
        ("-1e18", Some(0)),
        ("0.0001", Some(0)),
        ("31536000", Some(year)),
        ("31536001", Some(year)),
        ("1e10", Some(year)),
        ("1e18", None),
        ("1e308", None),
        ("18446744073709551615", None),
        ("\"99999999999999999999\"", None),
        ("\"NaN\"", None),
        ("\"soon\"", None),
        ("\"\"", None),
    ] {
        let read = from_json(&good(&[("expires_in", value)]), AT).unwrap();
        assert_eq!(read.expires_at, millis.map(|millis| ExpiresAt(UnixMillis(AT.0 + millis))), "{value}");
    }
    let not_a_number = Json::Object(vec![
        ("access_token".to_owned(), "AT".into()),
        ("token_type".to_owned(), "bearer".into()),
        ("expires_in".to_owned(), Json::Number(f64::NAN)),
    ]);
    assert_eq!(from_json(&not_a_number, AT).unwrap().expires_at, None);
}

#[test]
fn a_refresh_lifetime_of_zero_means_that_it_does_not_end() {
    for (value, known) in
        [("0", false), ("-1", false), ("\"x\"", false), ("null", false), ("{}", false), ("1800", true)]
    {
        let read = from_json(&good(&[("refresh_expires_in", value)]), AT).unwrap();
        assert_eq!(read.refresh_expires_at.is_some(), known, "{value}");
    }
}

#[test]
fn absent_null_and_empty_optional_tokens_are_no_tokens() {
    for value in ["", "null", "\"\""] {
        let read = from_json(&good(&[("refresh_token", value), ("id_token", value), ("scope", value)]), AT).unwrap();
        assert_eq!((read.refresh, read.id_token, read.scope), (None, None, None), "{value}");
    }
    assert_eq!(from_json(&good(&[("user", "\"alice\"")]), AT).unwrap().user, None);
}

#[test]
fn the_type_is_bearer_in_any_case_and_nothing_else() {
    for (value, code) in [
        ("\"Bearer\"", None),
        ("\"bearer\"", None),
        ("\"BEARER\"", None),
        ("", Some(ErrorCode::ResponseInvalid)),
        ("null", Some(ErrorCode::ResponseInvalid)),
        ("\"\"", Some(ErrorCode::ResponseInvalid)),
        ("7", Some(ErrorCode::ResponseInvalid)),
        ("[\"Bearer\"]", Some(ErrorCode::ResponseInvalid)),
        ("\"mac\"", Some(ErrorCode::TokenTypeUnsupported)),
        ("\"DPoP\"", Some(ErrorCode::TokenTypeUnsupported)),
        ("\" Bearer\"", Some(ErrorCode::TokenTypeUnsupported)),
        ("\"Bearer \"", Some(ErrorCode::TokenTypeUnsupported)),
        ("\"CANARY-CANARY-CANARY\"", Some(ErrorCode::TokenTypeUnsupported)),
    ] {
        let read = from_json(&good(&[("token_type", value)]), AT);
        assert_eq!(read.as_ref().err().map(|error| error.code), code, "{value}");
        if let Err(error) = read {
            assert!(
                !error.detail.contains("CANARY")
                    && (error.code != ErrorCode::ResponseInvalid || error.detail.contains("token_type"))
            );
        }
    }
}

#[test]
fn a_request_with_a_proof_is_answered_with_a_bound_token_or_as_the_policy_says() {
    let key = |policy| (Some("k"), policy);
    let bound = |access| Ok(Some(Binding { jkt: "k".to_owned(), access }));
    for (token_type, key, expected) in [
        ("DPoP", key(Policy::Auto), bound(true)),
        ("dpop", key(Policy::Always), bound(true)),
        ("Bearer", key(Policy::Auto), bound(false)),
        ("bearer", key(Policy::Always), Err(ErrorCode::DpopNotBound)),
        ("mac", key(Policy::Auto), Err(ErrorCode::TokenTypeUnsupported)),
        ("Bearer", UNBOUND, Ok(None)),
        ("Bearer", (None, Policy::Auto), Ok(None)),
        ("Bearer", (None, Policy::Always), Err(ErrorCode::DpopNotBound)),
        ("DPoP", UNBOUND, Err(ErrorCode::TokenTypeUnsupported)),
    ] {
        let body = good(&[("token_type", &format!("{token_type:?}"))]).to_text();
        let read = process_token_response(&answer(200, "application/json", &body), AT, ErrorPhase::Refresh, key);
        assert_eq!(read.map(|tokens| tokens.binding).map_err(|error| error.code), expected, "{token_type} {key:?}");
    }
}

#[test]
fn a_refresh_token_that_is_bound_is_sent_with_a_proof_and_so_is_the_code_of_a_bound_sign_in() {
    let prover = Prover { jkt: "k".to_owned(), skew: -5000, known_at: None };
    let refresh = RefreshToken::new("r".to_owned()).unwrap();
    let request = refresh_request(&registration(), &metadata(), &refresh, Some(prover.clone()));
    assert_eq!(request.prover, Some(prover));
    assert_eq!(exchange("c", &[]).prover, None);
}

#[test]
fn a_member_of_the_wrong_kind_is_named_and_never_quoted() {
    for name in ["access_token", "refresh_token", "id_token", "scope"] {
        for value in ["7", "true", "[\"CANARY\"]", "{\"CANARY\":1}"] {
            let error = from_json(&good(&[(name, value)]), AT).unwrap_err();
            assert_eq!(error.code, ErrorCode::ResponseInvalid, "{name} {value}");
            assert!(error.detail.contains(name) && !error.detail.contains("CANARY"), "{}", error.detail);
        }
    }
    for value in ["true", "[]", "{}"] {
        assert_eq!(
            from_json(&good(&[("expires_in", value)]), AT).unwrap_err().code,
            ErrorCode::ResponseInvalid,
            "{value}"
        );
    }
    for value in ["", "null", "\"\"", "\"a b\"", "\"a\\r\\nX: CANARY\"", "\"\\u0000\"", "\"é\""] {
        let error = from_json(&good(&[("access_token", value)]), AT).unwrap_err();
        assert_eq!(error.code, ErrorCode::ResponseInvalid, "{value}");
        assert!(error.detail.contains("access_token") && !error.detail.contains("CANARY"), "{}", error.detail);
    }
}

#[test]
fn only_the_servers_own_word_ends_a_session() {
    const JSON: &str = "application/json";
    const GRANT: &str = r#"{"error":"invalid_grant","error_description":"revoked"}"#;
    use ErrorPhase::{Refresh, Token};
    for (status, content_type, body, phase, code) in [
        (400, JSON, GRANT, Refresh, ErrorCode::SessionExpired),
        (401, JSON, GRANT, Refresh, ErrorCode::SessionExpired),
        (403, JSON, GRANT, Refresh, ErrorCode::SessionExpired),
        (400, JSON, GRANT, Token, ErrorCode::AuthorizationFailed),
        (500, JSON, GRANT, Refresh, ErrorCode::ServerError),
        (429, JSON, GRANT, Refresh, ErrorCode::RateLimited),
        (200, JSON, GRANT, Refresh, ErrorCode::ResponseInvalid),
        (400, "text/html", GRANT, Refresh, ErrorCode::ResponseInvalid),
        (400, JSON, r#"{"error":"INVALID_GRANT"}"#, Refresh, ErrorCode::TokenRequestRejected),
        (401, JSON, r#"{"error":"invalid_client"}"#, Refresh, ErrorCode::TokenRequestRejected),
        (400, JSON, r#"{"error":"unauthorized_client"}"#, Refresh, ErrorCode::TokenRequestRejected),
        (400, JSON, r#"{"error":"invalid_scope"}"#, Token, ErrorCode::TokenRequestRejected),
        (400, JSON, r#"{"error":"something_new"}"#, Refresh, ErrorCode::TokenRequestRejected),
        (400, JSON, r#"{"error":"temporarily_unavailable"}"#, Refresh, ErrorCode::ServerError),
        (400, JSON, "", Refresh, ErrorCode::ResponseInvalid),
        (400, JSON, "{}", Refresh, ErrorCode::ResponseInvalid),
        (400, JSON, r#"{"error":["invalid_grant"]}"#, Refresh, ErrorCode::ResponseInvalid),
        (401, "", "", Refresh, ErrorCode::ResponseInvalid),
        (403, "text/html", "<html>blocked</html>", Refresh, ErrorCode::ResponseInvalid),
        (404, "text/html", "", Refresh, ErrorCode::ResponseInvalid),
        (503, "text/html", "<html></html>", Refresh, ErrorCode::ServerError),
        (0, "", "", Refresh, ErrorCode::RedirectRefused),
        (307, "", "", Refresh, ErrorCode::RedirectRefused),
        (200, "text/html", "<html>sign in</html>", Refresh, ErrorCode::ResponseInvalid),
        (200, JSON, "{\"access_token\":\"A", Refresh, ErrorCode::ResponseInvalid),
        (200, JSON, "", Refresh, ErrorCode::ResponseInvalid),
        (200, JSON, "[]", Refresh, ErrorCode::ResponseInvalid),
        (204, "", "", Refresh, ErrorCode::ResponseInvalid),
        (206, JSON, r#"{"access_token":"A","token_type":"Bearer"}"#, Refresh, ErrorCode::ResponseInvalid),
    ] {
        let error = process_token_response(&answer(status, content_type, body), AT, phase, UNBOUND).unwrap_err();
        assert_eq!((error.code, error.phase), (code, phase), "{status} {content_type} {body}");
        assert_eq!(error.status, Some(status).filter(|status| *status != 0), "{status} {body}");
    }
}

#[test]
fn an_oauth_error_reaches_the_developer_even_under_status_200() {
    for status in [200, 400] {
        let body = r#"{"error":"bad_verification_code","error_description":"expired"}"#;
        let error = process_token_response(&answer(status, "application/json", body), AT, ErrorPhase::Token, UNBOUND)
            .unwrap_err();
        assert_eq!(error.oauth, Some(OAuthError::new("bad_verification_code", Some("expired"), None)), "{status}");
    }
}

#[test]
fn the_applications_own_parser_can_say_no_or_fail() {
    for (verdict, code) in [
        (Verdict::Gone, ErrorCode::SessionExpired),
        (Verdict::Failed, ErrorCode::ResponseInvalid),
        (Verdict::Parsed(Json::Null), ErrorCode::ResponseInvalid),
    ] {
        let mut response = answer(200, "application/json", &good(&[]).to_text());
        response.verdict = Some(verdict);
        assert_eq!(process_token_response(&response, AT, ErrorPhase::Refresh, UNBOUND).unwrap_err().code, code);
    }
}

#[test]
fn nothing_secret_prints() {
    let read = from_json(
        &good(&[
            ("access_token", "\"CANARY\""),
            ("refresh_token", "\"CANARY\""),
            ("id_token", "\"CANARY\""),
            ("user", "{\"x\":\"CANARY\"}"),
        ]),
        AT,
    );
    let request = exchange("CANARY", &[("k", "CANARY")]);
    let error = process_token_response(&answer(200, "text/html", "CANARY"), AT, ErrorPhase::Token, UNBOUND);
    let truncated = process_token_response(
        &answer(200, "application/json", "{\"access_token\":\"CANARY"),
        AT,
        ErrorPhase::Token,
        UNBOUND,
    );
    let printed = format!("{read:?} {request:?} {error:?} {truncated:?}");
    assert!(!printed.contains("CANARY"), "{printed}");
}

#[test]
fn no_token_lives_longer_than_a_year() {
    assert_eq!(MAX_LIFETIME.millis(), 31_536_000_000);
}

#[test]
fn a_type_that_is_not_known_is_named_unless_it_may_be_a_token() {
    let told = |token_type: &str| {
        let body = good(&[("token_type", &format!("{token_type:?}"))]);
        from_json(&body, AT).unwrap_err().detail.clone()
    };
    for word in ["N_A", "mac", "abcdefghijklmnop", "v2"] {
        assert_eq!(told(word), ["Expected Bearer, got ", word, "."].concat());
    }
    for other in ["abcdefghijklmnopq", "a-b", "a b", "é"] {
        assert_eq!(told(other), "Expected Bearer, got something else.", "{other}");
    }
}

#[test]
fn an_answer_prints_until_when_it_counts_and_no_token() {
    let more = [("refresh_token", r#""CANARY""#), ("id_token", r#""CANARY""#), ("access_token", r#""CANARY""#)];
    let printed = format!("{:?}", from_json(&good(&more), AT).unwrap());
    assert!(printed.starts_with("TokenResponse") && printed.contains("expires_at"), "{printed}");
    assert!(!printed.contains("CANARY"), "{printed}");
}
