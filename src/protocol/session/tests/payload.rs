//! What a statement that somebody is signed in must say.

use super::*;

#[test]
fn a_complete_payload_is_a_session() {
    let answer = check(&json(200, PAYLOAD)).unwrap().unwrap();
    let instant = |seconds: i64| UnixMillis(seconds * 1000);
    let facts = SessionFacts {
        sub: Some("u1".into()),
        sid: Some("s1".into()),
        issued_at: Some(instant(1_799_999_000)),
        expires_at: Some(ExpiresAt(instant(1_800_000_600))),
        absolute_expires_at: Some(ExpiresAt(instant(1_800_028_800))),
        ..SessionFacts::default()
    };
    assert_eq!(answer.session.facts, facts);
    assert_eq!(answer.session.credential, Credential::Cookie);
    assert_eq!(answer.session.user.get("name").and_then(Json::text), Some("Ada"));
    assert_eq!(answer.csrf.as_ref().map(CsrfToken::expose), Some("CANARY-csrf"));
    assert!(!format!("{answer:?}").contains("CANARY"));
    let least = check(&json(200, r#"{"user":{"name":"Ada"},"expiresAt":null}"#)).unwrap().unwrap();
    assert_eq!((least.session.facts.clone(), least.csrf), (SessionFacts::default(), None));
}

#[test]
fn only_a_complete_statement_counts_as_signed_in() {
    for (status, kind, body) in [
        (200, "application/json", "{}"),
        (200, "application/json", "null"),
        (200, "application/json", "[]"),
        (200, "application/json", "true"),
        (200, "application/json", ""),
        (200, "application/json", r#"{"user":null}"#),
        (200, "application/json", r#"{"user":{}}"#),
        (200, "application/json", r#"{"user":"u1"}"#),
        (200, "application/json", r#"{"user":[{"sub":"u1"}]}"#),
        (200, "application/json", r#"{"sub":"u1","name":"Ada"}"#),
        (200, "application/json", r#"{"error":"Unauthorized","message":"no"}"#),
        (200, "application/json", r#"{"error":"expired","user":{"sub":"u1"}}"#),
        (200, "application/json", r#"{"authenticated":false,"user":{"sub":"u1"}}"#),
        (200, "application/json", r#"{"authenticated":"true","user":{"sub":"u1"}}"#),
        (200, "application/json", r#"{"user":{"sub":7}}"#),
        (200, "application/json", r#"{"user":{"sub":""}}"#),
        (200, "application/json", r#"{"user":{"sub":"u1"},"sessionId":7}"#),
        (200, "application/json", r#"{"user":{"sub":"u1"},"expiresAt":"1800000600"}"#),
        (200, "application/json", r#"{"user":{"sub":"u1"},"expiresAt":1800000600000}"#),
        (200, "application/json", r#"{"user":{"sub":"u1"},"expiresAt":-1}"#),
        (200, "application/json", r#"{"user":{"sub":"u1"},"serverTime":{}}"#),
        (200, "application/json", r#"{"user":{"sub":"u1"},"csrfToken":""}"#),
        (200, "application/json", r#"{"user":{"sub":"u1"},"csrfToken":["x"]}"#),
        (200, "application/json", r#"{"user":{"sub":"u1"},"user":{"sub":"u2"}}"#),
        (200, "application/json", r#"{"user":{"sub":"u1"}"#),
        (200, "text/html", "<!doctype html><title>Sign in</title>"),
        (200, "text/html", r#"{"user":{"sub":"u1"}}"#),
        (204, "", ""),
        (403, "application/json", r#"{"user":{"sub":"u1"}}"#),
        (404, "application/json", r#"{"user":{"sub":"u1"}}"#),
    ] {
        let error = check(&answer(status, kind, body)).unwrap_err();
        assert_eq!((error.code, error.phase), (ErrorCode::ResponseInvalid, ErrorPhase::Session), "{status} {body}");
        assert_eq!(error.status, Some(status), "{body}");
    }
}

#[test]
fn the_error_names_what_is_wrong_and_the_hook_that_mends_it() {
    for (body, member) in [
        (r#"{"data":{"user":{}}}"#, "`user` is missing"),
        (r#"{"user":{"sub":"u1"},"expiresAt":"soon"}"#, "`expiresAt` is not a number"),
        (r#"{"user":{"sub":"u1"},"expiresAt":1800000600000}"#, "milliseconds"),
        (r#"{"user":{"sub":7}}"#, "`user.sub`"),
        ("[]", "JSON object"),
    ] {
        let error = check(&json(200, body)).unwrap_err();
        assert!(error.detail.contains(member) && error.detail.contains("`parseSession`"), "{}", error.detail);
    }
    let error = check(&hooked(200, Verdict::Parsed(Json::parse("{}").unwrap()))).unwrap_err();
    assert!(error.detail.contains("`user` is missing"), "{}", error.detail);
}

#[test]
fn instants_and_the_time_are_those_of_the_server() {
    for server_time in [0, NOW - 3600, NOW + 3] {
        let body = format!(r#"{{"user":{{"sub":"u"}},"issuedAt":{NOW},"serverTime":{server_time}}}"#);
        let answer = check(&json(200, &body)).unwrap().unwrap();
        assert_eq!(answer.server_time, Some(UnixMillis(server_time * 1000)));
        assert_eq!((answer.session.facts.issued_at, answer.session.facts.skew), (Some(UnixMillis(NOW * 1000)), 0));
    }
}

#[test]
fn a_rendered_session_is_read_without_its_clock() {
    let rendered = Json::parse(&PAYLOAD.replace("\"serverTime\":1800000000", "\"serverTime\":1799990000")).unwrap();
    let answer = parse_payload(&rendered).unwrap();
    let facts = answer.session.facts.clone();
    assert_eq!(answer.server_time, None);
    assert_eq!((facts.skew, facts.expires_at), (0, Some(ExpiresAt(UnixMillis(1_800_000_600_000)))));
    for text in ["{}", "null", r#"{"user":{"sub":"u"},"serverTime":"x"}"#] {
        assert_eq!(parse_payload(&Json::parse(text).unwrap()), None, "{text}");
    }
}
