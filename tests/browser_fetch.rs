//! HTTP through the browser's own fetch. The test page's server gives real answers; where a fault is needed that it does
//! not produce, a fetch of the test's own stands in the way, as any script of a page may.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod browser_support;

use authsafe::browser::Fetch;
use authsafe::ports::Http;
use authsafe::protocol::http::{BodyKind, Credentials, HttpFailure, HttpRequest, HttpResponse, MAX_BODY};
use authsafe::types::{Lifetime, WebUrl};
use browser_support::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn get(path: &str) -> HttpRequest {
    HttpRequest::new("GET", WebUrl::parse(&[js_text("location.origin"), path.to_owned()].concat()).unwrap())
}

async fn send(request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
    Fetch::default().send(&request).await
}

/// Puts a function in the place of fetch; `before` is the real one, and `seen` collects the calls.
fn fake(function: &str) -> Replaced {
    js("window.seen = [];");
    replace(
        "window",
        "fetch",
        &format!("function (url, init) {{ seen.push({{ url, init }}); return ({function})(url, init); }}"),
    )
}

#[wasm_bindgen_test]
async fn an_answer_of_a_real_server_is_read_to_its_end() {
    let response = send(get("/")).await.unwrap();
    assert_eq!(response.status, 200);
    assert!(response.header("content-type").is_some_and(|value| value.starts_with("text/html")));
    assert!(response.headers.iter().all(|(name, _)| name.chars().all(|c| !c.is_ascii_uppercase())));
    let expected = js_promise("fetch('/').then((response) => response.text())").await.as_string().unwrap();
    assert_eq!(std::str::from_utf8(&response.body), Ok(expected.as_str()));
    assert_eq!(response.verdict, None);
}

#[wasm_bindgen_test]
async fn a_refusal_of_a_real_server_is_an_answer_and_no_failure() {
    assert_eq!(send(get("/no/such/page")).await.unwrap().status, 404);
}

#[wasm_bindgen_test]
async fn a_server_that_is_not_there_is_told_as_what_it_looks_like() {
    let nowhere = HttpRequest::new("GET", WebUrl::parse("http://127.0.0.1:1/").unwrap());
    assert_eq!(send(nowhere).await.err(), Some(HttpFailure::NetworkOrCors));
}

#[wasm_bindgen_test]
async fn a_request_is_sent_exactly_as_it_was_asked_for() {
    let _fetch = fake("async () => new Response()");
    let mut plain = get("/plain");
    plain.headers.clear();
    send(plain).await.unwrap();
    let mut full = HttpRequest::new("POST", WebUrl::parse("https://as.example.com/token?x=1").unwrap());
    full.headers.push(("x-csrf".to_owned(), "1".to_owned()));
    full.body = Some((BodyKind::Form, "a=b&c=%C3%BC".to_owned().into()));
    full.credentials = Credentials::Include;
    full.keepalive = true;
    send(full).await.unwrap();
    let mut json = get("/login");
    json.method = "PUT".to_owned();
    json.body = Some((BodyKind::Json, "{\"ü\":1}".to_owned().into()));
    json.credentials = Credentials::SameOrigin;
    send(json).await.unwrap();
    send(HttpRequest::knock(&WebUrl::parse("https://as.example.com/token").unwrap())).await.unwrap();

    let common = r#""mode":"cors","redirect":"manual","cache":"no-store","referrerPolicy":"no-referrer""#;
    let expected = [
        format!(r#"{{"method":"GET","headers":[],"credentials":"omit",{common},"keepalive":false}}"#),
        format!(
            r#"{{"method":"POST","headers":[["accept","application/json"],["x-csrf","1"],["content-type","application/x-www-form-urlencoded;charset=UTF-8"]],"body":"a=b&c=%C3%BC","credentials":"include",{common},"keepalive":true}}"#
        ),
        format!(
            r#"{{"method":"PUT","headers":[["accept","application/json"],["content-type","application/json"]],"body":"{{\"ü\":1}}","credentials":"same-origin",{common},"keepalive":false}}"#
        ),
        // Nobody reads the answer, so no server needs to allow it.
        format!(
            r#"{{"method":"HEAD","headers":[["accept","application/json"]],"credentials":"omit",{},"keepalive":false}}"#,
            common.replace(r#""cors""#, r#""no-cors""#).replace("manual", "follow")
        ),
    ];
    let sent = js_text("seen.map(({ init }) => JSON.stringify({ ...init, signal: undefined })).join('\\n')");
    assert_eq!(sent, expected.join("\n"));
    assert_eq!(js_text("seen[1].url"), "https://as.example.com/token?x=1");
    assert!(js_is("seen.every(({ init }) => init.signal instanceof AbortSignal && !init.signal.aborted)"));
}

#[wasm_bindgen_test]
async fn every_status_and_header_arrives_and_a_redirect_is_status_0() {
    for (answer, status, header, body) in [
        ("new Response('{}', { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } })", 401, Some("Bearer"), "{}"),
        ("new Response(null, { status: 204 })", 204, None, ""),
        ("new Response('', { status: 503 })", 503, None, ""),
        // Script cannot make the answer that a browser gives for a redirect; this has its properties.
        ("{ type: 'opaqueredirect', status: 0, headers: new Headers(), body: null }", 0, None, ""),
    ] {
        let _fetch = fake(&format!("async () => ({answer})"));
        let response = send(get("/")).await.unwrap();
        assert_eq!(response.status, status, "{answer}");
        assert_eq!(response.header("www-authenticate"), header, "{answer}");
        assert_eq!(response.body.as_slice(), body.as_bytes(), "{answer}");
    }
}

#[wasm_bindgen_test]
async fn a_body_in_many_chunks_is_put_together() {
    let _fetch = fake(
        "async () => new Response(new ReadableStream({ start(stream) {
            for (const text of ['{\"a', '\":', '', '1}']) stream.enqueue(new TextEncoder().encode(text));
            stream.close(); } }))",
    );
    assert_eq!(send(get("/")).await.unwrap().body.as_slice(), b"{\"a\":1}");
}

#[wasm_bindgen_test]
async fn a_body_of_the_limit_is_read_and_one_byte_more_ends_the_call() {
    for (size, expected) in [(MAX_BODY, Ok(MAX_BODY)), (MAX_BODY + 1, Err(HttpFailure::TooLarge))] {
        let _fetch = fake(&format!("() => before(URL.createObjectURL(new Blob([new Uint8Array({size})])))"));
        assert_eq!(send(get("/")).await.map(|response| response.body.len()), expected);
        assert_eq!(js_is("seen[0].init.signal.aborted"), expected.is_err(), "{size}");
    }
}

#[wasm_bindgen_test]
async fn a_body_without_an_end_is_cut_off_at_the_limit() {
    let _fetch = fake(
        "async () => new Response(new ReadableStream({ pull(stream) { stream.enqueue(new Uint8Array(65536)); } }))",
    );
    assert_eq!(send(get("/")).await.err(), Some(HttpFailure::TooLarge));
}

#[wasm_bindgen_test]
async fn the_deadline_covers_the_answer_and_its_body() {
    for never in [
        "() => new Promise(() => {})",
        "async () => new Response(new ReadableStream({ start(stream) { stream.enqueue(new Uint8Array(1)); } }))",
    ] {
        let _fetch = fake(never);
        let mut request = get("/");
        request.deadline = Lifetime::from_millis(1);
        assert_eq!(send(request).await.err(), Some(HttpFailure::Timeout), "{never}");
        assert!(js_is("seen[0].init.signal.aborted"), "{never}");
    }
}

#[wasm_bindgen_test]
async fn a_call_that_was_cut_off_leaves_no_unhandled_rejection_in_the_page() {
    js("window.unhandled = []; window.addEventListener('unhandledrejection', ({ reason }) => unhandled.push(reason));");
    let cut_off = "new Promise((_, no) => init.signal.addEventListener('abort', () => no(init.signal.reason)))";
    let body = "new ReadableStream({ async pull() { await CUT_OFF; } })".replace("CUT_OFF", cut_off);
    for function in [format!("(url, init) => {cut_off}"), format!("async (url, init) => new Response({body})")] {
        let _fetch = fake(&function);
        let mut request = get("/");
        request.deadline = Lifetime::from_millis(1);
        assert_eq!(send(request).await.err(), Some(HttpFailure::Timeout), "{function}");
        // Browsers report unhandled rejections at the end of a task, and run the next task's timer after that.
        js_promise("new Promise((done) => setTimeout(() => setTimeout(done)))").await;
    }
    assert_eq!(js_text("unhandled.join()"), "");
}

#[wasm_bindgen_test]
async fn a_call_that_nobody_waits_for_any_more_is_aborted() {
    let _fetch = fake("() => new Promise(() => {})");
    let mut call = Box::pin(send(get("/")));
    assert!(begun(&mut call).await.is_none());
    assert!(js_is("!seen[0].init.signal.aborted"));
    drop(call);
    assert!(js_is("seen[0].init.signal.aborted"));
}

#[wasm_bindgen_test]
async fn a_finished_call_is_not_aborted_afterwards() {
    let _fetch = fake("async () => new Response('{}')");
    send(get("/")).await.unwrap();
    assert!(js_is("!seen[0].init.signal.aborted"));
}

#[wasm_bindgen_test]
async fn a_fetch_that_another_script_broke_is_a_failed_call() {
    for broken in [
        "() => { throw new Error('x'); }",
        "() => undefined",
        "async () => null",
        "async () => 'text'",
        "async () => ({ status: 'text' })",
        "async () => ({ get status() { throw new Error('x'); } })",
        "async () => { const response = new Response('spent'); await response.text(); return response; }",
        "async () => new Response(new ReadableStream({ start(stream) { stream.enqueue('no bytes'); } }))",
        "async () => new Response(new ReadableStream({ pull(stream) { stream.error(new Error('cut off')); } }))",
        "async () => Response.error().clone().then()",
    ] {
        let _fetch = fake(broken);
        assert_eq!(send(get("/")).await.err(), Some(HttpFailure::NetworkOrCors), "{broken}");
    }
    let _fetch = replace("window", "fetch", "undefined");
    assert_eq!(send(get("/")).await.err(), Some(HttpFailure::NetworkOrCors));
}
