//! The checker of the invariants can fail: each is broken here on purpose, and the checker says so.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::Report;
use authsafe::error::{Error, ErrorCode};
use authsafe::machine::{Ending, Notice, Origin, SignedOutReason, Snapshot};
use authsafe::ports::fake::{Reply, Tab, World};
use authsafe::ports::{Channel, Http};
use authsafe::protocol::http::{BodyKind, HttpRequest};
use authsafe::types::WebUrl;
use std::rc::Rc;
use support::*;

fn fixture() -> (Rc<Provider>, Rc<World>, Page) {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    invariants::hold(&world);
    (provider, world, page)
}

/// Exactly these invariants are broken.
fn broken(world: &Rc<World>, expected: &[&str]) {
    let found = invariants::violations(world);
    for each in expected {
        assert!(found.iter().any(|line| line.starts_with(each)), "{each} is not among {found:#?}");
    }
    let other: Vec<_> = found.iter().filter(|line| !expected.iter().any(|each| line.starts_with(each))).collect();
    assert!(other.is_empty(), "{other:#?}");
}

fn renewal(token: &str) -> HttpRequest {
    let mut request = HttpRequest::new("POST", WebUrl::parse(&[ISSUER, "/token"].concat()).unwrap());
    let body = format!("grant_type=refresh_token&client_id=app&refresh_token={token}");
    request.body = Some((BodyKind::Form, body.into()));
    request
}

fn send(tab: &Tab, request: HttpRequest) {
    let sender = tab.clone();
    tab.world.start(async move { drop(sender.send(&request).await) });
}

fn report(page: &Page, report: Report) {
    page.reports.borrow_mut().push(report);
}

#[test]
fn i1_a_spent_refresh_token_that_is_sent_again_is_seen() {
    let (_provider, world, page) = fixture();
    page.run(|client| async move { client.renew().await.unwrap() });
    send(&page.tab, renewal("refresh-1"));
    world.advance(secs(1));
    broken(&world, &["I1: tab 1 sent refresh-1, which was spent for refresh-2"]);
}

#[test]
fn i1_a_refresh_token_that_was_not_stored_is_seen() {
    let (_provider, world, page) = fixture();
    let before = world.shared.borrow().clone();
    page.run(|client| async move { client.renew().await.unwrap() });
    page.client.dispose();
    invariants::hold(&world);
    *world.shared.borrow_mut() = before;
    broken(&world, &["I1: refresh-2 was issued last, and [\"refresh-1\"] is what is held"]);
}

#[test]
fn i1_a_refresh_token_that_only_the_page_lost_is_seen() {
    let (_provider, world, page) = fixture();
    // The server has issued another, which this page never hears of.
    send(&page.tab, renewal("refresh-1"));
    world.advance(secs(1));
    broken(&world, &["I1: refresh-2 was issued last, and [\"refresh-1\"] is what is held"]);
}

#[test]
fn i1_a_session_that_ends_without_the_server_s_word_is_seen() {
    let (_provider, world, page) = fixture();
    world.shared.borrow_mut().clear();
    page.client.dispose();
    report(&page, Report::Event(Notice::SignedOut(SignedOutReason::Expired, Origin::Server)));
    broken(&world, &["I1: tab 1 ended a session that refresh-1 would have renewed"]);
}

#[test]
fn i2_two_requests_with_one_refresh_token_are_seen() {
    let (_provider, world, page) = fixture();
    let other = another(&world);
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.run();
    send(&other.tab, renewal("refresh-1"));
    world.advance(secs(1));
    broken(&world, &[&format!("I2: tabs 1 and {} renewed at once", other.tab.id)]);
}

#[test]
fn i3_a_promise_that_hangs_is_seen() {
    let (_provider, world, page) = fixture();
    // A medium that never answers; the browser's own is given two seconds.
    world.write_takes.set(i64::MAX / 4);
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.advance(secs(1));
    let found = invariants::violations(&world);
    assert!(found.contains(&"I3: 1 promises hang in tab 1".to_owned()), "{found:?}");
}

#[test]
fn i4_a_state_that_is_reported_twice_is_seen() {
    let (_provider, world, page) = fixture();
    report(&page, Report::State(page.client.snapshot()));
    broken(&world, &["I4: tab 1 reported the same state twice"]);
}

#[test]
fn i4_a_second_word_of_one_sign_out_is_seen() {
    let (_provider, world, page) = fixture();
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    invariants::hold(&world);
    report(&page, Report::Event(Notice::SignedOut(SignedOutReason::LoggedOut, Origin::ThisTab)));
    broken(&world, &["I4: tab 1 signed out somebody that it had not signed in"]);
}

#[test]
fn i4_a_state_without_its_event_is_seen() {
    let (_provider, world, page) = fixture();
    report(&page, Report::State(Snapshot::Unauthenticated(SignedOutReason::LoggedOut, None)));
    broken(&world, &["I4: tab 1 shows"]);
}

#[test]
fn i4_a_tab_that_does_not_heed_the_others_is_seen() {
    let (_provider, world, page) = fixture();
    let other = another(&world);
    world.mute(other.tab.id);
    world.listen(other.tab.id, |_| {});
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    let shown = format!("I4: tabs that share a medium show [\"tab 1 nobody\", \"tab {} alice\"]", other.tab.id);
    broken(&world, &[&shown]);
}

#[test]
fn i5_a_credential_that_is_used_after_a_sign_out_is_seen() {
    for renews in [false, true] {
        let (_provider, world, page) = fixture();
        page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
        let request = if renews {
            renewal("refresh-1")
        } else {
            let mut request = HttpRequest::new("GET", WebUrl::parse("https://api.example/items").unwrap());
            request.headers.push(("authorization".to_owned(), "Bearer access-1".to_owned()));
            request
        };
        send(&page.tab, request);
        world.advance(secs(1));
        broken(&world, &["I5: tab 1 used a credential after its sign-out: https://"]);
    }
}

#[test]
fn i6_a_storm_is_seen() {
    let (_provider, world, page) = fixture();
    world.serve(|_, _| Reply::json(503, "{}"));
    for _ in 0..=invariants::MOST_A_MINUTE {
        send(&page.tab, renewal("refresh-1"));
        world.advance(secs(1));
    }
    broken(&world, &["I6: 11 token requests within a minute"]);
}

#[test]
fn i7_a_secret_is_seen_wherever_it_is_shown() {
    let (_provider, world, page) = fixture();
    page.tab.post("c refresh-1 1");
    send(&page.tab, HttpRequest::new("GET", WebUrl::parse("https://api.example/items?token=access-1").unwrap()));
    let error = Error::new(ErrorCode::ResponseInvalid, "The body is code-1.");
    report(&page, Report::Event(Notice::RefreshFailed(error, None, false)));
    page.tab.navigations.borrow_mut().push("https://evil.example/#refresh-1".to_owned());
    page.tab.href.borrow_mut().push_str("#access-1");
    world.advance(secs(1));
    broken(
        &world,
        &[
            "I7: refresh-1 is in a message of tab 1",
            "I7: access-1 is in the address of a request",
            "I7: code-1 is in a report of tab 1",
            "I7: code-1 is in an error of tab 1",
            "I7: refresh-1 is in an address that was left for",
            "I7: access-1 is in the address of a page",
        ],
    );
}

#[test]
fn i8_a_call_that_fails_while_its_token_lives_is_seen() {
    let (_provider, world, _page) = fixture();
    // The server gave it an hour, whatever the client understood.
    for exchange in world.log.borrow_mut().iter_mut() {
        exchange.answer = exchange.answer.replace("\"expires_in\":600", "\"expires_in\":3600");
    }
    world.serve(|_, _| Reply::json(503, "{}"));
    world.advance(secs(700));
    broken(&world, &["I8: tab 1 has access-1, which lives, and calls get server_error"]);
}
