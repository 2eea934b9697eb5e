mod payload;

use super::*;
use crate::protocol::http::BodyKind;
use crate::protocol::testing::{answer, url};
use crate::types::{Credential, ExpiresAt, SessionFacts};

/// 2027-01-15T08:00:00Z
const NOW: i64 = 1_800_000_000;
const PAYLOAD: &str = r#"{"user":{"sub":"u1","name":"Ada"},"sessionId":"s1","issuedAt":1799999000,"expiresAt":1800000600,
    "absoluteExpiresAt":1800028800,"serverTime":1800000000,"csrfToken":"CANARY-csrf"}"#;

fn backend() -> SessionBackend {
    let endpoint = |method: &str, path: &str| Endpoint::new(method, url(&["https://app.example", path].concat()));
    SessionBackend {
        session: endpoint("GET", "/session"),
        login: Some(Endpoint { body: BodyKind::Form, ..endpoint("POST", "/login") }),
        logout: Some(endpoint("POST", "/logout")),
        extend: Some(endpoint("POST", "/extend")),
        csrf: Some(endpoint("GET", "/csrf")),
        credentials: Credentials::SameOrigin,
        csrf_kind: Csrf::Synchronizer { header_name: "x-csrf".into() },
    }
}

fn json(status: u16, body: &str) -> HttpResponse {
    answer(status, "application/json", body)
}

fn hooked(status: u16, verdict: Verdict) -> HttpResponse {
    HttpResponse { verdict: Some(verdict), ..answer(status, "text/html", "<p>") }
}

fn check(response: &HttpResponse) -> Result<Option<SessionAnswer>, Error> {
    process_session(response, ErrorPhase::Session)
}

#[test]
fn each_call_carries_cookies_and_the_proof_that_it_was_given() {
    let proof = || Some(("X-CSRF".to_owned(), "CANARY-csrf".to_owned()));
    let password = Password::new("pw".to_owned()).unwrap();
    let backend = SessionBackend { credentials: Credentials::Include, ..backend() };
    let calls = [
        (check_request(&backend), "GET", "/session", None, Purpose::Session, false),
        (
            login_request(&backend, "me", &password, None, proof()).unwrap(),
            "POST",
            "/login",
            Some("username=me&password=pw"),
            Purpose::Session,
            true,
        ),
        (extend_request(&backend, proof()).unwrap(), "POST", "/extend", Some("{}"), Purpose::Session, true),
        (logout_request(&backend, proof()).unwrap(), "POST", "/logout", Some("{}"), Purpose::Protocol, true),
        (csrf_request(&backend).unwrap(), "GET", "/csrf", None, Purpose::Protocol, false),
    ];
    for (request, method, path, body, purpose, proven) in calls {
        assert_eq!((request.method.as_str(), request.url.path()), (method, path));
        assert_eq!(request.body.as_ref().map(|(_, text)| text.as_str()), body, "{path}");
        assert_eq!((request.credentials, request.purpose), (Credentials::Include, purpose), "{path}");
        assert_eq!(
            request.headers.iter().any(|(name, value)| name == "x-csrf" && value == "CANARY-csrf"),
            proven,
            "{path}"
        );
        assert_eq!(request.keepalive, path == "/logout", "{path}");
    }
    let bare = SessionBackend { login: None, logout: None, extend: None, csrf: None, ..backend };
    assert!(login_request(&bare, "me", &password, None, None).is_none());
    assert!(
        extend_request(&bare, None).is_none() && logout_request(&bare, None).is_none() && csrf_request(&bare).is_none()
    );
}

#[test]
fn a_status_tells_a_session_that_is_gone_from_a_server_that_cannot_say() {
    use ErrorCode::{CsrfRejected, RateLimited, RedirectRefused, ResponseInvalid, ServerError};
    // status; what a check makes of it, and an extension. `None`: nobody is signed in.
    for (status, checked, extended) in [
        (401, None, None),
        (419, None, None),
        (403, Some(ResponseInvalid), Some(CsrfRejected)),
        (400, Some(ResponseInvalid), Some(ResponseInvalid)),
        (404, Some(ResponseInvalid), Some(ResponseInvalid)),
        (429, Some(RateLimited), Some(RateLimited)),
        (500, Some(ServerError), Some(ServerError)),
        (503, Some(ServerError), Some(ServerError)),
        (302, Some(RedirectRefused), Some(RedirectRefused)),
        (0, Some(RedirectRefused), Some(RedirectRefused)),
    ] {
        for (phase, expected) in [(ErrorPhase::Session, checked), (ErrorPhase::Refresh, extended)] {
            match (process_session(&json(status, "{}"), phase), expected) {
                (Ok(answer), None) => assert_eq!(answer, None, "{status}"),
                (Err(error), Some(code)) => assert_eq!((error.code, error.phase), (code, phase), "{status}"),
                (result, expected) => panic!("{status} {phase:?}: {result:?} instead of {expected:?}"),
            }
        }
    }
}

#[test]
fn hooks_are_believed_where_the_status_leaves_it_to_them() {
    let payload = || Verdict::Parsed(Json::parse(PAYLOAD).unwrap());
    assert!(check(&hooked(200, payload())).unwrap().is_some());
    for status in [0, 200, 302, 403, 440] {
        assert_eq!(check(&hooked(status, Verdict::Gone)), Ok(None), "{status}");
        let error = check(&hooked(status, Verdict::Failed)).unwrap_err();
        assert_eq!(error.code, ErrorCode::ConfigInvalid, "{status}");
        assert!(error.detail.contains("parseSession") && error.detail.contains("isSessionExpired"));
    }
    assert_eq!(check(&hooked(401, Verdict::Failed)), Ok(None));
    assert_eq!(check(&hooked(503, Verdict::Failed)).unwrap_err().code, ErrorCode::ServerError);
    assert_eq!(check(&hooked(404, payload())).unwrap_err().code, ErrorCode::ResponseInvalid);
}

#[test]
fn a_login_is_answered_by_a_session_or_by_anything_good() {
    let login = |response: &HttpResponse| process_login(response, &Csrf::Off);
    assert!(login(&json(200, PAYLOAD)).unwrap().is_some());
    assert!(login(&hooked(200, Verdict::Parsed(Json::parse(PAYLOAD).unwrap()))).unwrap().is_some());
    for (status, kind, body) in [
        (204, "", ""),
        (200, "", ""),
        (200, "application/json", "{}"),
        (200, "application/json", r#"{"ok":true}"#),
        (200, "application/json", r#"{"error":"locked","user":{"sub":"u1"}}"#),
        (200, "text/html", "<p>Welcome"),
    ] {
        assert_eq!(login(&answer(status, kind, body)), Ok(None), "{status} {body}");
    }
    for status in [0, 200, 302] {
        assert_eq!(login(&hooked(status, Verdict::Gone)), Ok(None), "{status}");
    }
}

#[test]
fn a_refused_login_says_whether_it_was_the_password_or_the_proof() {
    use ErrorCode::{
        ConfigInvalid, CredentialsRejected, CsrfRejected, RateLimited, RedirectRefused, ResponseInvalid, ServerError,
    };
    let proof = Csrf::Synchronizer { header_name: "x-csrf".into() };
    for (status, without, with_proof) in [
        (400, CredentialsRejected, CredentialsRejected),
        (401, CredentialsRejected, CredentialsRejected),
        (422, CredentialsRejected, CredentialsRejected),
        (403, CredentialsRejected, CsrfRejected),
        (419, CsrfRejected, CsrfRejected),
        (404, ResponseInvalid, ResponseInvalid),
        (429, RateLimited, RateLimited),
        (502, ServerError, ServerError),
        (0, RedirectRefused, RedirectRefused),
        (303, RedirectRefused, RedirectRefused),
    ] {
        for (csrf, code) in [(&Csrf::Off, without), (&proof, with_proof)] {
            let error = process_login(&json(status, "{}"), csrf).unwrap_err();
            assert_eq!((error.code, error.phase), (code, ErrorPhase::Login), "{status}");
        }
    }
    // A hook that takes every 401 for the end of a session says nothing about a password.
    let error = process_login(&hooked(401, Verdict::Gone), &Csrf::Off).unwrap_err();
    assert_eq!(error.code, CredentialsRejected);
    for (verdict, code) in [(Verdict::Failed, ConfigInvalid), (Verdict::Parsed(Json::Null), ResponseInvalid)] {
        assert_eq!(process_login(&hooked(200, verdict), &Csrf::Off).unwrap_err().code, code);
    }
}

#[test]
fn a_logout_succeeds_even_where_there_was_nothing_to_end() {
    for status in [200, 204, 401, 419] {
        assert_eq!(process_logout(&json(status, "")), Ok(()), "{status}");
    }
    for (status, code) in [
        (403, ErrorCode::CsrfRejected),
        (404, ErrorCode::ResponseInvalid),
        (500, ErrorCode::ServerError),
        (0, ErrorCode::RedirectRefused),
    ] {
        let error = process_logout(&json(status, "")).unwrap_err();
        assert_eq!((error.code, error.phase), (code, ErrorPhase::Logout), "{status}");
    }
}

#[test]
fn a_csrf_token_is_a_text_in_a_json_object() {
    let token = process_csrf(&json(200, r#"{"csrfToken":"t"}"#)).unwrap();
    assert_eq!(token.expose(), "t");
    for (status, body, code) in [
        (200, "{}", ErrorCode::ResponseInvalid),
        (200, r#"{"csrfToken":""}"#, ErrorCode::ResponseInvalid),
        (200, r#"{"csrfToken":1}"#, ErrorCode::ResponseInvalid),
        (200, r#"{"csrfToken":null}"#, ErrorCode::ResponseInvalid),
        (200, "<html>", ErrorCode::ResponseInvalid),
        (204, "", ErrorCode::ResponseInvalid),
        (401, r#"{"csrfToken":"t"}"#, ErrorCode::ResponseInvalid),
        (503, "", ErrorCode::ServerError),
    ] {
        assert_eq!(process_csrf(&json(status, body)).unwrap_err().code, code, "{status} {body}");
    }
}

#[test]
fn a_navigation_tells_where_to_come_back_to() {
    let endpoint = |text: &str| Endpoint::new("GET", url(text));
    let back = ReturnTo::parse("/a?b=c&d#e").unwrap();
    for (text, back, expected) in [
        ("https://app.example/login", None, "https://app.example/login"),
        ("https://app.example/login", Some(&back), "https://app.example/login?returnTo=%2Fa%3Fb%3Dc%26d%23e"),
        ("https://app.example/login?x=1", Some(&back), "https://app.example/login?x=1&returnTo=%2Fa%3Fb%3Dc%26d%23e"),
    ] {
        assert_eq!(navigation(&endpoint(text), back).as_str(), expected);
    }
}
