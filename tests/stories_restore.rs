//! How a page load gets back a session that is not stored: the provider is asked once, by leaving the page.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, SignedOutReason, Snapshot};
use authsafe::ports::StoreFailure;
use authsafe::ports::fake::{Reply, World};
use std::rc::Rc;
use support::*;

const PLACE: &str = "https://app.example/inbox?page=2#top";

fn options(restore: &str) -> String {
    token_options("memory").replace(r#""storage""#, &format!(r#""restore":"{restore}","storage""#))
}

/// Loads the tab anew at `href`. `true` where it left for the provider.
fn load(page: &Page, href: &str, options: &str) -> (Page, bool) {
    page.tab.world.run();
    page.client.dispose();
    page.tab.navigations.borrow_mut().clear();
    *page.tab.href.borrow_mut() = href.to_owned();
    let mut tab = page.tab.clone();
    if options.contains(r#""storage":"memory""#) {
        tab.store = tab.world.tab(href, false).store;
    }
    let page = Page::in_tab(tab, options);
    let client = page.client.clone();
    page.tab.world.start(async move { drop(client.start().await) });
    page.tab.world.advance(secs(1));
    let left = page.tab.navigations.borrow().iter().any(|url| url.starts_with(&format!("{ISSUER}/authorize?")));
    (page, left)
}

/// Where the provider sends the page back to.
fn answer(page: &Page, provider: &Provider, words: &str) -> String {
    let left_for = page.tab.navigations.borrow().last().cloned().unwrap();
    assert_eq!(param(&left_for, "prompt"), "none");
    *provider.nonce.borrow_mut() = param(&left_for, "nonce");
    let issuer = ISSUER.replace(':', "%3A").replace('/', "%2F");
    format!("https://app.example/callback?{words}&state={}&iss={issuer}", param(&left_for, "state"))
}

#[test]
fn a_reload_asks_the_provider_and_comes_back_signed_in_with_the_place_where_it_was() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("auto"));
    for _ in 0..2 {
        let (page, left) = load(&page, PLACE, &options("auto"));
        assert!(left);
        assert_eq!(page.status(), "authenticating");
        let callback = answer(&page, &provider, "code=code-2");
        page.client.dispose();
        *page.tab.href.borrow_mut() = callback;
        let page = Page::in_tab(page.tab.clone(), &options("auto"));
        let (arrived, error) = page.run(|client| async move { client.start().await.unwrap() });
        assert_eq!(error, None);
        let arrived = arrived.unwrap();
        assert_eq!(arrived.return_to.unwrap().as_str(), "/inbox?page=2#top");
        assert_eq!(page.status(), "authenticated");
        page.client.dispose();
    }
    invariants::hold(&world);
}

#[test]
fn f47_a_provider_that_knows_nobody_sends_the_page_back_to_where_it_was_and_is_not_asked_again() {
    for word in ["login_required", "interaction_required", "consent_required", "account_selection_required"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options("auto"));
        let (page, left) = load(&page, PLACE, &options("auto"));
        assert!(left);
        let callback = answer(&page, &provider, &format!("error={word}"));
        let (page, left) = load(&page, &callback, &options("auto"));
        assert!(!left);
        assert_eq!(page.tab.navigations.borrow().as_slice(), [PLACE]);
        let (page, left) = load(&page, PLACE, &options("auto"));
        assert!(!left);
        assert_eq!(page.client.snapshot(), Snapshot::Unauthenticated(SignedOutReason::Never, None));
        invariants::hold(&world);
    }
}

#[test]
fn after_a_sign_out_nobody_is_asked() {
    for ending in [Ending::Local, Ending::Provider, Ending::Revoke] {
        for options in ["auto", "redirect"].map(options) {
            let provider = Provider::new();
            let world = world_of(&provider);
            let page = signed_in_silently(&world, &provider, &options);
            page.run(|client| async move { client.logout(ending).await.unwrap() });
            assert!(!load(&page, PLACE, &options).1, "{ending:?} {options}");
        }
    }
}

/// Signed in by the user, and then loaded anew with these options.
fn signed_in_silently(world: &Rc<World>, provider: &Provider, options: &str) -> Page {
    let page = signed_in_with(world, provider, &self::options("auto"));
    let (page, left) = load(&page, PLACE, options);
    assert!(left);
    let callback = answer(&page, provider, "code=code-2");
    let page = load(&page, &callback, options).0;
    assert_eq!(page.status(), "authenticated");
    page
}

#[test]
fn a_sign_out_in_another_tab_is_one_here() {
    for options in ["auto", "redirect"].map(options) {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in_silently(&world, &provider, &options);
        let other = Page::open(&world, APP, &token_options("memory"));
        other.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
        world.advance(secs(1));
        assert_eq!(page.status(), "unauthenticated");
        assert!(!load(&page, PLACE, &options).1, "{options}");
        invariants::hold(&world);
    }
}

#[test]
fn each_policy_asks_where_it_says_so() {
    for (restore, first, again) in
        [("auto", false, true), ("redirect", true, true), ("refresh-token", false, false), ("none", false, false)]
    {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = Page::open(&world, APP, &options(restore));
        assert_eq!(load(&page, PLACE, &options(restore)).1, first, "{restore}");
        let page = signed_in_with(&world, &provider, &token_options("memory"));
        assert_eq!(load(&page, PLACE, &options(restore)).1, again, "{restore}");
        // One that stays unanswered is not repeated.
        assert!(!load(&page, PLACE, &options(restore)).1, "{restore}");
        invariants::hold(&world);
    }
}

#[test]
fn a_stored_session_comes_first_and_none_leaves_it_where_it_is() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let stored = token_options("localStorage");
    let none = stored.replace(r#""storage""#, r#""restore":"none","storage""#);
    let page = signed_in_with(&world, &provider, &stored);
    let (page, left) = load(&page, PLACE, &stored);
    assert_eq!((page.status(), left), ("authenticated", false));
    let (page, left) = load(&page, PLACE, &none);
    assert_eq!((page.status(), left), ("unauthenticated", false));
    let (page, left) = load(&page, PLACE, &stored);
    assert_eq!((page.status(), left), ("authenticated", false));
    invariants::hold(&world);
}

#[test]
fn a_stored_session_that_has_ended_is_asked_for_at_the_provider() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let stored = token_options("localStorage");
    let page = signed_in_with(&world, &provider, &stored);
    page.client.dispose();
    world.advance(secs(700));
    provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
    let (page, left) = load(&page, PLACE, &stored);
    assert_eq!((page.status(), left), ("authenticating", true));
    // Nobody is told of a loss that may be none.
    assert!(!page.events().contains(&"SignedOut".to_owned()));
    let callback = answer(&page, &provider, "code=code-2");
    let (page, left) = load(&page, &callback, &stored);
    assert_eq!((page.status(), left), ("authenticated", false));
    invariants::hold(&world);
}

#[test]
fn a_stored_session_that_has_ended_is_over_where_the_provider_is_not_to_be_asked() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let stored = token_options("localStorage").replace(r#""storage""#, r#""restore":"refresh-token","storage""#);
    let page = signed_in_with(&world, &provider, &stored);
    page.client.dispose();
    world.advance(secs(700));
    provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
    let (page, left) = load(&page, PLACE, &stored);
    assert_eq!(page.client.snapshot(), Snapshot::Unauthenticated(SignedOutReason::Expired, None));
    assert!(!left && page.events().contains(&"SignedOut".to_owned()));
    invariants::hold(&world);
}

#[test]
fn a_damaged_record_is_asked_for_at_the_provider() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.client.dispose();
    for value in world.shared.borrow_mut().values_mut() {
        value.truncate(value.len() / 2);
    }
    assert!(load(&page, PLACE, &token_options("localStorage")).1);
    invariants::hold(&world);
}

#[test]
fn f48_a_page_in_a_frame_and_one_that_could_not_remember_stay_where_they_are() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("redirect"));
    page.tab.framed.set(true);
    assert!(!load(&page, PLACE, &options("redirect")).1);
    page.tab.framed.set(false);
    world.store_failure.set(Some(StoreFailure::Blocked));
    let (page, left) = load(&page, PLACE, &options("redirect"));
    assert_eq!((page.status(), left), ("unauthenticated", false));
    invariants::hold(&world);
}

#[test]
fn a_page_that_does_not_get_away_is_signed_out_and_says_why() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("auto"));
    let (page, left) = load(&page, PLACE, &options("auto"));
    assert!(left);
    world.advance(secs(60));
    let (arrived, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert!(arrived.is_none());
    assert!(error.is_some());
    assert_eq!(page.status(), "unauthenticated");
    invariants::hold(&world);
}

/// Another tab of the same browser, where the session of the first is in force, too.
fn sibling(page: &Page, options: &str) -> Page {
    let other = Page::open(&page.tab.world, APP, options);
    other.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(other.status(), "authenticated");
    other
}

#[test]
fn a_tab_that_missed_a_sign_out_does_not_undo_it() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let stored = token_options("localStorage");
    let page = signed_in_with(&world, &provider, &stored);
    let other = sibling(&page, &stored);
    other.client.dispose();
    world.mute(other.tab.id);
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    let (other, left) = load(&other, PLACE, &stored);
    assert_eq!((other.status(), left), ("unauthenticated", false));
    // What it found out, it remembers where the mark is gone.
    world.shared.borrow_mut().clear();
    assert!(!load(&other, PLACE, &stored).1);
    invariants::hold(&world);
}

#[test]
fn a_tab_whose_session_had_ended_before_a_sign_out_does_not_undo_it_either() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("auto"));
    let other = signed_in_with(&world, &provider, &options("auto"));
    provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
    page.run(|client| async move { client.renew().await.unwrap_err() });
    assert_eq!(page.status(), "unauthenticated");
    other.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    assert!(!load(&page, PLACE, &options("auto")).1);
    invariants::hold(&world);
}

#[test]
fn what_seals_pending_sign_ins_may_be_lost_without_the_tab_forgetting_whom_to_ask() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let mut page = signed_in_with(&world, &provider, &options("auto"));
    page.tab.transactions = world.tab(APP, false).transactions;
    assert!(load(&page, PLACE, &options("auto")).1);
    invariants::hold(&world);
}

#[test]
fn f47_whatever_comes_of_asking_the_page_goes_back_to_where_it_was() {
    for (words, fault) in [
        ("error=access_denied", None),
        ("error=server_error", None),
        ("error=unauthorized_client&error_description=no", None),
        ("code=code-2", Some(r#"{"error":"invalid_grant"}"#)),
    ] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options("auto"));
        let (page, left) = load(&page, PLACE, &options("auto"));
        assert!(left);
        let callback = answer(&page, &provider, words);
        provider.faults.borrow_mut().extend(fault.map(|body| Reply::json(400, body)));
        let (page, _) = load(&page, &callback, &options("auto"));
        assert_eq!(page.tab.navigations.borrow().as_slice(), [PLACE], "{words}");
        let (page, left) = load(&page, PLACE, &options("auto"));
        assert_eq!((page.status(), left), ("unauthenticated", false), "{words}");
        invariants::hold(&world);
    }
}

#[test]
fn an_answer_that_comes_too_late_brings_the_page_back_too() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("auto"));
    let (page, left) = load(&page, PLACE, &options("auto"));
    assert!(left);
    let callback = answer(&page, &provider, "code=code-2");
    page.client.dispose();
    world.advance(secs(3600));
    let asked = provider.token_requests.get();
    let (page, _) = load(&page, &callback, &options("auto"));
    assert_eq!(page.tab.navigations.borrow().as_slice(), [PLACE]);
    assert_eq!(provider.token_requests.get(), asked);
    invariants::hold(&world);
}

#[test]
fn where_the_page_that_asked_is_the_callback_address_it_stays_and_says_what_went_wrong() {
    for (words, expected) in
        [("error=server_error", Some(ErrorCode::AuthorizationFailed)), ("error=login_required", None)]
    {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options("auto"));
        let (page, left) = load(&page, "https://app.example/callback", &options("auto"));
        assert!(left);
        let callback = answer(&page, &provider, words);
        let (page, left) = load(&page, &callback, &options("auto"));
        assert!(!left && page.tab.navigations.borrow().is_empty());
        let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
        assert_eq!(error.map(|error| error.code), expected);
        assert_eq!(page.status(), "unauthenticated");
        invariants::hold(&world);
    }
}

#[test]
fn a_session_that_ended_by_itself_while_the_page_was_open_is_asked_for_at_the_next_load() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let stored = token_options("localStorage");
    let page = signed_in_with(&world, &provider, &stored);
    provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
    page.run(|client| async move { client.renew().await.unwrap_err() });
    assert!(world.shared.borrow().values().all(|text| is_mark(text)));
    let (mut page, left) = load(&page, PLACE, &stored);
    assert!(left);
    // Whoever then wishes to be signed out is not asked for.
    page.client.dispose();
    let known = signed_in_with(&world, &provider, &options("auto"));
    known.client.dispose();
    page.tab.traces = known.tab.traces;
    let other = Page::open(&world, APP, &stored);
    other.run(|client| async move { client.start().await.unwrap() });
    world.mute(page.tab.id);
    other.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    assert!(!load(&page, PLACE, &stored).1);
    invariants::hold(&world);
}
