//! Session mode and first-party tokens, on virtual time.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, Login, SignedOutReason};
use authsafe::ports::fake::Reply;
use authsafe::protocol::http::HttpFailure;
use authsafe::types::{Json, Lifetime, ReturnTo};
use std::cell::Cell;
use std::rc::Rc;
use support::invariants;
use support::session::*;
use support::{APP, Page, START};

#[test]
fn a_user_signs_in_and_out_with_a_csrf_token_that_is_fetched_on_demand() {
    let server = Server::new();
    let world = server.world();
    let page = open(&world);
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    let arrived = page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    assert_eq!(arrived.app_state, Some(Json::from("kept")));
    assert_eq!(page.events(), ["SignedIn"]);
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOut));
    // The server changed its token with the new session; the old one was not sent again.
    assert_eq!(*server.seen_tokens.borrow(), ["csrf-1", "csrf-2"]);
    invariants::hold(&world);
}

#[test]
fn a_wrong_password_changes_nothing_and_says_so() {
    let server = Server::new();
    let world = server.world();
    let page = open(&world);
    let error = page.run(|client| async move { client.login(password("wrong")).await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::CredentialsRejected);
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    assert!(page.events().is_empty());
    invariants::hold(&world);
}

#[test]
fn a_wrong_password_leaves_the_session_of_before_in_force() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    page.run(|client| async move { client.login(password("wrong")).await.unwrap_err() });
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn a_sign_in_by_navigation_takes_the_way_back_along_and_refuses_what_it_would_lose() {
    let server = Server::new();
    let world = server.world();
    let page =
        Page::open(&world, APP, &OPTIONS.replace(r#""login":"/login""#, r#""login":{"url":"/login","navigate":true}"#));
    page.run(|client| async move { client.start().await.unwrap() });
    for (params, app_state, named) in [
        (Vec::new(), Some(Json::from("draft")), "`appState`"),
        (vec![("prompt".to_owned(), "login".to_owned())], None, "`authorizationParams`"),
    ] {
        let login = Login::Redirect { params, return_to: None, app_state };
        let error = page.run(|client| async move { client.login(login).await.unwrap_err() });
        assert_eq!(error.code, ErrorCode::ConfigInvalid);
        assert!(error.detail.starts_with(named), "{}", error.detail);
    }
    assert!(page.tab.navigations.borrow().is_empty());
    let client = page.client.clone();
    let login = Login::Redirect { params: Vec::new(), return_to: ReturnTo::parse("/inbox"), app_state: None };
    world.start(async move { drop(client.login(login).await) });
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(*page.tab.navigations.borrow(), ["https://app.example/login?returnTo=%2Finbox"]);
    invariants::hold(&world);
}

#[test]
fn the_end_of_the_session_is_the_servers_word_and_comes_once() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    world.advance(Lifetime::from_seconds(595));
    assert_eq!(page.status(), "authenticated");
    world.advance(Lifetime::from_seconds(10));
    assert_eq!(reason(&page), Some(SignedOutReason::Expired));
    assert_eq!(page.events(), ["SignedIn", "Expiring", "SignedOut"]);
    invariants::hold(&world);
}

#[test]
fn an_extended_session_lives_on() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    world.advance(Lifetime::from_seconds(500));
    page.run(|client| async move { client.extend().await.unwrap() });
    world.advance(Lifetime::from_seconds(500));
    assert_eq!(page.status(), "authenticated");
    assert!(page.events().contains(&"Refreshed".to_owned()));
    invariants::hold(&world);
}

#[test]
fn a_session_is_prolonged_by_itself_only_where_the_application_asks_for_it() {
    for (proactive, events) in [("true", &["SignedIn", "Refreshed"][..]), ("false", &["SignedIn", "Expiring"][..])] {
        let server = Server::new();
        let world = server.world();
        let options = OPTIONS.replace(r#""mode""#, &format!(r#""refresh":{{"proactive":{proactive}}},"mode""#));
        let page = Page::open(&world, APP, &options);
        page.run(|client| async move { client.start().await.unwrap() });
        page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
        world.advance(Lifetime::from_seconds(595));
        assert_eq!(page.events(), events);
        invariants::hold(&world);
    }
}

#[test]
fn f63_a_server_that_fails_signs_nobody_out() {
    for fault in [
        || Reply::failure(HttpFailure::NetworkOrCors),
        || Reply::with(500, "text/html", "<h1>"),
        || Reply::with(200, "text/html", "<form>"),
        || Reply::json(200, r#"{"error":"oops"}"#),
        || Reply::json(200, "{}"),
    ] {
        let server = Server::new();
        let world = server.world();
        let page = signed_in(&world);
        *server.fault.borrow_mut() = Some(fault);
        let error = page.run(|client| async move { client.check().await.unwrap_err() });
        assert_eq!(page.status(), "authenticated", "{error:?}");
        *server.fault.borrow_mut() = None;
        page.run(|client| async move { client.check().await.unwrap().unwrap() });
        invariants::hold(&world);
    }
}

#[test]
fn f63_a_server_that_cannot_be_asked_at_start_is_asked_again() {
    let server = Server::new();
    let world = server.world();
    *server.user.borrow_mut() = Some("alice");
    server.ends_at.set(START.seconds() + 600);
    *server.fault.borrow_mut() = Some(|| Reply::failure(HttpFailure::NetworkOrCors));
    let page = Page::open(&world, APP, OPTIONS);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(error.unwrap().code, ErrorCode::NetworkOrCors);
    assert_eq!(reason(&page), Some(SignedOutReason::Error));
    *server.fault.borrow_mut() = None;
    world.advance(Lifetime::from_seconds(10));
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn expiry_is_judged_by_the_servers_clock() {
    for ahead in [-86_400, 86_400] {
        let server = Server::new();
        server.ahead.set(ahead);
        let world = server.world();
        let page = signed_in(&world);
        let facts = page.run(|client| async move { client.check().await.unwrap().unwrap() });
        // The answer was under way for 50 ms.
        assert!((facts.skew - ahead * 1000).abs() < 2000, "{}", facts.skew);
        world.advance(Lifetime::from_seconds(500));
        assert_eq!(page.status(), "authenticated");
        world.advance(Lifetime::from_seconds(110));
        assert_eq!(reason(&page), Some(SignedOutReason::Expired));
        invariants::hold(&world);
    }
}

#[test]
fn another_user_in_the_same_browser_is_noticed() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    *server.user.borrow_mut() = Some("bob");
    page.run(|client| async move { client.check().await.unwrap() });
    assert_eq!(page.events(), ["SignedIn", "UserChanged"]);
    invariants::hold(&world);
}

#[test]
fn a_sign_in_and_a_sign_out_reach_the_other_tab() {
    let server = Server::new();
    let world = server.world();
    let other = open(&world);
    let page = signed_in(&world);
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(other.status(), "authenticated");
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(reason(&other), Some(SignedOutReason::LoggedOutElsewhere));
    invariants::hold(&world);
}

#[test]
fn unsafe_requests_carry_the_csrf_header_and_must_not_follow_redirects() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    let post =
        page.run(|client| async move { client.authorize("https://app.example/api", "POST").await.unwrap().unwrap() });
    assert_eq!(post.headers, [("x-csrf-token".to_owned(), "csrf-2".to_owned())]);
    assert!(post.refuse_redirects);
    let get =
        page.run(|client| async move { client.authorize("https://app.example/api", "GET").await.unwrap().unwrap() });
    assert!(get.headers.is_empty() && !get.refuse_redirects);
    let foreign = page.run(|client| async move { client.authorize("https://evil.example/", "POST").await.unwrap() });
    assert_eq!(foreign, None);
    invariants::hold(&world);
}

#[test]
fn a_csrf_token_that_the_server_no_longer_accepts_is_fetched_anew_for_one_replay() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    let given = page.run(|client| async move { client.authorize("https://app.example/api", "POST").await.unwrap() });
    let given = given.unwrap().credential;
    server.token.set(9);
    assert!(page.run(move |client| async move { client.answered(given, 403, None).await }));
    let post =
        page.run(|client| async move { client.authorize("https://app.example/api", "POST").await.unwrap().unwrap() });
    assert_eq!(post.headers[0].1, "csrf-9");
    invariants::hold(&world);
}

#[test]
fn a_401_from_the_api_makes_the_session_server_decide() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    world.advance(Lifetime::from_seconds(20));
    assert!(!page.run(|client| async move { client.answered(ANY, 401, None).await }));
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(page.status(), "authenticated");
    *server.user.borrow_mut() = None;
    world.advance(Lifetime::from_seconds(20));
    assert!(!page.run(|client| async move { client.answered(ANY, 401, None).await }));
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(reason(&page), Some(SignedOutReason::Expired));
    invariants::hold(&world);
}

#[test]
fn a_session_that_the_server_rendered_needs_no_first_round_trip() {
    let server = Server::new();
    let world = server.world();
    let now = START.seconds();
    let known = format!(
        r#"{},"initialSession":{{"user":{{"sub":"alice"}},"expiresAt":{},"serverTime":{now}}}}}"#,
        OPTIONS.trim_end_matches('}').to_owned() + "}",
        now + 600
    );
    let page = Page::open(&world, APP, &known);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    assert!(world.requests.borrow().is_empty());
    let nobody = format!(r#"{},"initialSession":null}}"#, OPTIONS.trim_end_matches('}').to_owned() + "}");
    let page = Page::open(&world, APP, &nobody);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    assert!(world.requests.borrow().is_empty());
    invariants::hold(&world);
}

#[test]
fn a_first_party_login_gives_tokens_that_are_renewed_and_ended_there() {
    let (log, alive) = (Rc::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let page = Page::open(&world, APP, &FIRST_PARTY.replace("COOKIE", "false"));
    page.run(|client| async move { client.start().await.unwrap() });
    let error = page.run(|client| async move { client.login(password("wrong")).await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::CredentialsRejected);
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    page.run(|client| async move { client.renew().await.unwrap() });
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    let log = log.borrow();
    assert!(log.iter().any(|line| line.starts_with("/auth/refresh") && line.contains("refresh-1")), "{log:?}");
    assert!(log.last().unwrap().contains("refresh-1"), "{log:?}");
    invariants::hold(&world);
}

#[test]
fn a_refresh_cookie_brings_the_session_back_after_a_reload_and_its_end_is_no_failure() {
    let (log, alive) = (Rc::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let options = FIRST_PARTY.replace("COOKIE", "true");
    let page = Page::open(&world, APP, &options);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!((error, reason(&page)), (None, Some(SignedOutReason::Never)));
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    page.client.dispose();
    let page = Page::open(&world, APP, &options);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    let page = Page::open(&world, APP, &options);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    assert!(!log.borrow().join("\n").contains("refresh-1"));
    invariants::hold(&world);
}
