//! The application's own readers of an answer, on real `Response` objects.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod browser_support;

use authsafe::browser::{Fetch, Hooks};
use authsafe::ports::Http;
use authsafe::protocol::http::{HttpRequest, HttpResponse, Purpose, Verdict};
use authsafe::types::{Json, Members, WebUrl};
use browser_support::*;
use js_sys::Function;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const SESSION_200: &str = "new Response('{\"user\":{\"sub\":\"u1\"}}', { headers: { 'x-flag': 'on' } })";

fn hook(function: &str) -> Option<Function> {
    (!function.is_empty()).then(|| js(&format!("return ({function});")).unchecked_into())
}

/// Sends with hooks (an empty text for none) to a server that gives this answer.
async fn send(purpose: Purpose, tokens: &str, session: &str, expired: &str, answer: &str) -> HttpResponse {
    let _fetch = replace("window", "fetch", &format!("async () => ({answer})"));
    let hooks = Hooks { parse_tokens: hook(tokens), parse_session: hook(session), is_session_expired: hook(expired) };
    let mut request = HttpRequest::new("GET", WebUrl::parse("https://api.example.com/").unwrap());
    request.purpose = purpose;
    Fetch::new(hooks).send(&request).await.unwrap()
}

fn parsed(json: &str) -> Option<Verdict> {
    Some(Verdict::Parsed(Json::parse(json).unwrap()))
}

#[wasm_bindgen_test]
async fn a_parser_gets_the_body_and_the_response_and_its_result_is_the_verdict() {
    let parse = "(body, response) => ({ user: { sub: body.user.sub, flag: response.headers.get('x-flag') } })";
    let response = send(Purpose::Session, "", parse, "", SESSION_200).await;
    assert_eq!(response.verdict, parsed(r#"{"user":{"sub":"u1","flag":"on"}}"#));
    assert_eq!(response.body.as_slice(), br#"{"user":{"sub":"u1"}}"#);

    let parse = "(body) => ({ access_token: body.jwt, token_type: 'Bearer', expires_in: 60 })";
    let response = send(Purpose::Tokens, parse, "", "", "new Response('{\"jwt\":\"abc\"}', { status: 201 })").await;
    assert_eq!(response.verdict, parsed(r#"{"access_token":"abc","token_type":"Bearer","expires_in":60}"#));
}

#[wasm_bindgen_test]
async fn a_body_that_is_no_json_reaches_the_parser_as_text() {
    for (body, expected) in [("'<p>ü'", "<p>ü"), ("''", ""), ("new Uint8Array([65, 255])", "A\u{fffd}")] {
        let response = send(Purpose::Tokens, "(body) => ({ body })", "", "", &format!("new Response({body})")).await;
        let expected = Members::new().text("body", Some(expected)).object();
        assert_eq!(response.verdict, Some(Verdict::Parsed(expected)));
    }
}

#[wasm_bindgen_test]
async fn only_the_hook_for_this_purpose_is_asked() {
    let trap = "() => { throw new Error('must not be called'); }";
    let cases = [
        (Purpose::Protocol, [trap, trap, trap], SESSION_200, None),
        (Purpose::Tokens, ["", trap, trap], SESSION_200, None),
        (Purpose::Session, [trap, "", ""], SESSION_200, None),
        (Purpose::Tokens, [trap, "", ""], "new Response('{}', { status: 400 })", None),
        (Purpose::Session, ["", trap, ""], "new Response('{}', { status: 401 })", None),
        (Purpose::Session, ["", trap, ""], "new Response('{}', { status: 500 })", None),
        (Purpose::Tokens, [trap, "", ""], SESSION_200, Some(Verdict::Failed)),
        (Purpose::Session, ["", trap, ""], SESSION_200, Some(Verdict::Failed)),
    ];
    for (purpose, [tokens, session, expired], answer, expected) in cases {
        let response = send(purpose, tokens, session, expired, answer).await;
        assert_eq!(response.verdict, expected, "{purpose:?} {answer}");
    }
}

#[wasm_bindgen_test]
async fn a_session_is_gone_when_either_hook_says_so() {
    let not_called = "() => { throw new Error('must not be called'); }";
    let redirect =
        "({ type: 'opaqueredirect', status: 0, headers: new Headers(), body: null, clone() { return this; } })";
    for (session, expired, answer, expected) in [
        ("() => null", "", SESSION_200, Some(Verdict::Gone)),
        (not_called, "() => true", SESSION_200, Some(Verdict::Gone)),
        (not_called, "async () => true", SESSION_200, Some(Verdict::Gone)),
        ("", "(response) => response.type === 'opaqueredirect'", redirect, Some(Verdict::Gone)),
        ("", "(response) => response.status === 419", "new Response('', { status: 419 })", Some(Verdict::Gone)),
        ("", "async (response) => (await response.json()).user.sub === 'u1'", SESSION_200, Some(Verdict::Gone)),
        ("", "() => false", SESSION_200, None),
        ("", "async () => false", "new Response('', { status: 500 })", None),
        ("() => ({})", "() => false", SESSION_200, parsed("{}")),
    ] {
        let response = send(Purpose::Session, "", session, expired, answer).await;
        assert_eq!(response.verdict, expected, "{session} / {expired}");
    }
}

#[wasm_bindgen_test]
async fn each_hook_may_read_the_body_of_its_response() {
    let expired = "async (response) => { await response.text(); return false; }";
    let session = "async (body, response) => ({ again: await response.json() })";
    let response = send(Purpose::Session, "", session, expired, SESSION_200).await;
    assert_eq!(response.verdict, parsed(r#"{"again":{"user":{"sub":"u1"}}}"#));
}

#[wasm_bindgen_test]
async fn a_hook_that_fails_or_returns_no_object_is_told_and_nothing_else_is() {
    for session in [
        "() => { throw new Error('CANARY'); }",
        "async () => { throw 'CANARY'; }",
        "() => undefined",
        "() => 'text'",
        "() => []",
        "() => 5n",
        "() => { const ring = {}; ring.ring = ring; return ring; }",
        "() => ({ toJSON() { throw new Error('CANARY'); } })",
    ] {
        let response = send(Purpose::Session, "", session, "", SESSION_200).await;
        assert_eq!(response.verdict, Some(Verdict::Failed), "{session}");
    }
    for expired in ["() => { throw null; }", "() => Promise.reject(new Error())"] {
        let response = send(Purpose::Session, "", "() => ({})", expired, SESSION_200).await;
        assert_eq!(response.verdict, Some(Verdict::Failed), "{expired}");
    }
    let response = send(Purpose::Tokens, "() => null", "", "", SESSION_200).await;
    assert_eq!(response.verdict, Some(Verdict::Failed));
}

#[wasm_bindgen_test]
async fn a_hook_that_never_settles_fails_when_its_time_is_up() {
    let _hurry = replace("window", "setTimeout", "(callback, delay) => (delay === 5000 ? before(callback, 0) : 0)");
    let response = send(Purpose::Session, "", "", "() => new Promise(() => {})", SESSION_200).await;
    assert_eq!(response.verdict, Some(Verdict::Failed));
}
