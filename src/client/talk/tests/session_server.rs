//! Session mode, and its CSRF proof.

use super::*;

fn server(options: &str) -> SessionBackend {
    let Mode::Session(config) = config(&[r#"{"mode":"session","endpoints":"#, options, "}"].concat()) else {
        panic!("session mode")
    };
    config.backend
}

/// A conversation of session mode; also whether a CSRF token is known at its end. The first cookie is that of the beginning.
fn session_call(
    backend: &SessionBackend,
    call: Call,
    says: &[Says],
    cookies: &[&str],
) -> ((Vec<String>, String), bool) {
    let mut memory = Memory::default();
    let (first, rest) = cookies.split_first().unwrap_or((&"", &[]));
    let cookie = Some((*first).to_owned()).filter(|cookie| !cookie.is_empty());
    let begun = session::begin(backend, call, cookie, &mut memory);
    (play(begun, &mut memory, says, rest), memory.csrf.is_some())
}

const ALICE: &str = r#"{"user":{"sub":"alice"}}"#;
const ALICE_AND_TOKEN: &str = r#"{"user":{"sub":"alice"},"csrfToken":"t2"}"#;

#[test]
fn a_session_sign_in_whose_answer_does_not_tell_is_checked() {
    let ours = server(
        r#"{"session":"session","login":"login","csrf":"csrf"},
        "csrf":{"kind":"synchronizer","headerName":"x-csrf"}"#,
    );
    let (csrf, login, check) = ("GET /csrf", "POST /login t1 T", "GET /session");
    let token = || Status(200, r#"{"csrfToken":"t1"}"#);
    let cases: [(&[Says], &[&str], &str, bool); 6] = [
        (&[token(), Status(200, ALICE)], &[csrf, login], r#"signed in Some("alice") at None"#, false),
        (&[token(), Status(200, ALICE_AND_TOKEN)], &[csrf, login], r#"signed in Some("alice") at None"#, true),
        (
            &[token(), Status(200, "{}"), Status(200, ALICE_AND_TOKEN)],
            &[csrf, login, check],
            r#"signed in Some("alice") at None"#,
            true,
        ),
        (
            &[token(), Status(200, "{}"), Status(401, "{}")],
            &[csrf, login, check],
            "response_invalid during Login",
            false,
        ),
        (&[token(), Status(200, "{}"), Nothing], &[csrf, login, check], "network_or_cors during Session", false),
        (&[Nothing], &[csrf], "network_or_cors during Session", false),
    ];
    for (says, sent, end, known) in cases {
        assert_eq!(session_call(&ours, password(), says, &[]), ((lines(sent), end.to_owned()), known));
    }
}

#[test]
fn a_double_submit_cookie_that_is_missing_is_fetched_once_and_one_that_is_refused_is_not() {
    let options = r#"{"session":"session","extend":"extend","csrf":"csrf"},
        "csrf":{"kind":"double-submit","cookieName":"c","headerName":"x-csrf"}"#;
    let cases: [(&[&str], &[Says], &[&str], &str); 5] = [
        (&["c1"], &[Status(200, ALICE)], &["POST /extend c1 {}"], r#"checked Some("Some(\"alice\") at None")"#),
        (&["c1"], &[Status(403, "{}")], &["POST /extend c1 {}"], "csrf_rejected during Refresh"),
        // Whatever the answer, it is the cookie that counts.
        (&["", "c2"], &[Status(404, "{}"), Status(401, "{}")], &["GET /csrf", "POST /extend c2 {}"], "checked None"),
        (&["", ""], &[Status(200, "{}")], &["GET /csrf"], "csrf_unavailable during Session"),
        (&["", ""], &[Nothing], &["GET /csrf"], "network_or_cors during Session"),
    ];
    let ours = server(options);
    for (cookies, says, sent, end) in cases {
        assert_eq!(session_call(&ours, Call::Extend, says, cookies).0, (lines(sent), end.to_owned()));
    }
}

#[test]
fn a_token_that_the_session_tells_is_learned_for_the_application_too() {
    let ours = server(r#"{"session":"session"},"csrf":{"kind":"synchronizer","headerName":"x-csrf"}"#);
    for (says, end, known) in [
        (Status(200, ALICE_AND_TOKEN), "ended", true),
        (Status(200, ALICE), "ended", false),
        (Status(401, "{}"), "ended", false),
        (Status(500, "{}"), "server_error during Session", false),
    ] {
        let mut memory = Memory::default();
        let played = play(Ok(session::fetch_csrf(&ours, None)), &mut memory, &[says], &[]);
        assert_eq!(played, (lines(&["GET /session"]), end.to_owned()));
        assert_eq!(memory.told_proof(&ours.csrf_kind, None).is_ok(), known);
    }
}

#[test]
fn a_call_of_token_mode_and_an_endpoint_that_is_not_configured_are_refused() {
    let ours = server(r#"{"session":"session"}"#);
    let refused = (lines(&[]), "config_invalid during Config".to_owned());
    for call in [redirect(), password(), Call::Refresh(None), Call::Exchange] {
        assert_eq!(session_call(&ours, call, &[], &[]).0, refused);
    }
}
