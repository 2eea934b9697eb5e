//! Token mode against a provider with rotation and reuse detection, on virtual time.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, Login, SignedOutReason, Snapshot};
use authsafe::ports::StoreFailure;
use authsafe::ports::fake::Reply;
use authsafe::protocol::http::HttpFailure;
use authsafe::types::Lifetime;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::*;

const MARGIN: Lifetime = Lifetime::from_seconds(5);

#[test]
fn a_user_signs_in_by_redirect_and_finds_a_clean_address() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    assert_eq!(page.status(), "authenticated");
    assert_eq!(*page.tab.href.borrow(), "https://app.example/callback?keep=1#frag");
    assert_eq!(page.events(), ["SignedIn"]);
    let body = provider.bodies.borrow()[0].clone();
    assert_eq!(param(&body, "grant_type"), "authorization_code");
    assert_eq!(param(&body, "redirect_uri"), "https://app.example/callback");
    assert_eq!(param(&body, "code_verifier").len(), 43);
    invariants::hold(&world);
}

#[test]
fn f50_a_callback_address_that_is_opened_twice_says_so_and_sends_nothing() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = Page::open(&world, APP, &token_options("memory"));
    first.run(|client| async move { client.start().await.unwrap() });
    let callback = go_and_return(&first, &provider);
    let second = Page::in_tab(first.tab.clone(), &token_options("memory"));
    second.run(|client| async move { client.start().await.unwrap() });
    // What was in the memory of the page is gone.
    let mut tab = world.tab(&callback, false);
    tab.transactions = first.tab.transactions.clone();
    let third = Page::in_tab(tab, &token_options("memory"));
    let (arrived, error) = third.run(|client| async move { client.start().await.unwrap() });
    assert!(arrived.is_none());
    assert_eq!(error.unwrap().code, ErrorCode::CallbackReplayed);
    assert_eq!(provider.token_requests.get(), 1);
    assert_eq!(*third.tab.href.borrow(), "https://app.example/callback?keep=1#frag");
    invariants::hold(&world);
}

#[test]
fn f51_a_second_start_gets_what_the_first_got() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    let (arrived, _) = page.run(|client| async move { client.start().await.unwrap() });
    assert!(arrived.is_some());
    assert_eq!(provider.token_requests.get(), 1);
    invariants::hold(&world);
}

#[test]
fn a_foreign_code_and_state_are_left_alone() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let foreign = "https://app.example/callback?code=theirs&state=theirs";
    let page = Page::open(&world, foreign, &token_options("memory"));
    let (arrived, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!((arrived, error), (None, None));
    assert_eq!(*page.tab.href.borrow(), foreign);
    assert_eq!(provider.token_requests.get(), 0);
    invariants::hold(&world);
}

#[test]
fn a_callback_from_another_issuer_is_refused_before_its_code_is_sent() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = Page::open(&world, APP, &token_options("memory"));
    page.run(|client| async move { client.start().await.unwrap() });
    let callback = go_and_return(&page, &provider).replace("id.example", "evil.example");
    *page.tab.href.borrow_mut() = callback;
    let page = Page::in_tab(page.tab.clone(), &token_options("memory"));
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(error.unwrap().code, ErrorCode::IssuerMismatch);
    assert_eq!(provider.token_requests.get(), 0);
    invariants::hold(&world);
}

#[test]
fn an_id_token_for_another_sign_in_is_refused() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = Page::open(&world, APP, &token_options("memory"));
    page.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&page, &provider);
    *provider.nonce.borrow_mut() = "another".to_owned();
    let page = Page::in_tab(page.tab.clone(), &token_options("memory"));
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(error.unwrap().code, ErrorCode::IdTokenInvalid);
    assert_eq!(page.status(), "unauthenticated");
    invariants::hold(&world);
}

#[test]
fn a_thousand_calls_on_an_expired_token_make_one_token_request() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    world.jump(601_000);
    let before = provider.token_requests.get();
    let served = Rc::new(Cell::new(0));
    for _ in 0..1000 {
        let (client, served) = (page.client.clone(), Rc::clone(&served));
        world.start(async move {
            let (token, _) = client.access_token(MARGIN).await.unwrap();
            assert_eq!(token.expose(), "access-2");
            served.set(served.get() + 1);
        });
    }
    world.advance(Lifetime::from_seconds(2));
    assert_eq!(served.get(), 1000);
    assert_eq!(provider.token_requests.get() - before, 1);
    invariants::hold(&world);
}

#[test]
fn the_timer_renews_ahead_of_time_again_and_again() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    for round in 2..6 {
        world.advance(Lifetime::from_seconds(600));
        assert_eq!(provider.rotations.get(), round);
        assert_eq!(page.status(), "authenticated");
    }
    assert!(!provider.reused.get());
    invariants::hold(&world);
}

#[test]
fn a_lifetime_of_years_does_not_fire_at_once() {
    let provider = Provider::new();
    provider.lifetime.set(3 * 31_536_000);
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    world.advance(Lifetime::from_seconds(40 * 86_400));
    assert_eq!(provider.token_requests.get(), 1);
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn f23_after_a_sleep_of_nine_hours_no_request_carries_the_old_token() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    world.jump(9 * 3_600_000);
    let needed =
        page.run(|client| async move { client.authorize("https://api.example/x", "GET").await.unwrap().unwrap() });
    assert_eq!(needed.headers, [("authorization".to_owned(), "Bearer access-2".to_owned())]);
    invariants::hold(&world);
}

#[test]
fn a_transient_failure_keeps_the_session_and_the_token_until_its_end() {
    for fault in [
        || Reply::failure(HttpFailure::NetworkOrCors),
        || Reply::json(500, r#"{"error":"server_error"}"#),
        || Reply::json(429, "{}").header("retry-after", "7"),
        || Reply::with(200, "text/html", "<form>"),
        || Reply::json(200, r#"{"access_token":"#),
        || Reply::json(200, r#"{"access_token":"x"}"#),
    ] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, "memory");
        provider.faults.borrow_mut().push(fault());
        let error = page.run(|client| async move { client.renew().await.unwrap_err() });
        assert!(error.code.retryable(), "{error:?}");
        assert_eq!(page.status(), "authenticated");
        let (token, _) = page.run(|client| async move { client.access_token(MARGIN).await.unwrap() });
        assert_eq!(token.expose(), "access-1");
        // The timer makes it good.
        world.advance(Lifetime::from_seconds(120));
        let (token, _) = page.run(|client| async move { client.access_token(MARGIN).await.unwrap() });
        assert_eq!(token.expose(), "access-2", "{error:?}");
        assert!(!provider.reused.get());
        invariants::hold(&world);
    }
}

#[test]
fn a_dead_refresh_token_ends_the_session_once() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
    let error = page.run(|client| async move { client.renew().await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::SessionExpired);
    assert!(matches!(page.client.snapshot(), Snapshot::Unauthenticated(SignedOutReason::Expired, _)));
    assert_eq!(page.events(), ["SignedIn", "RefreshFailed", "SignedOut"]);
    world.advance(Lifetime::from_seconds(86_400));
    assert_eq!(provider.token_requests.get(), 2);
    invariants::hold(&world);
}

#[test]
fn a_renewed_token_of_another_user_is_discarded_and_revoked() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    *provider.sub.borrow_mut() = "bob".to_owned();
    let error = page.run(|client| async move { client.renew().await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::IdentityChanged);
    assert!(matches!(page.client.snapshot(), Snapshot::Unauthenticated(SignedOutReason::UserChanged, _)));
    invariants::hold(&world);
}

#[test]
fn f53_an_answer_that_comes_after_the_sign_out_is_discarded_and_its_token_revoked() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    let failed = Rc::new(RefCell::new(None));
    let (client, slot) = (page.client.clone(), Rc::clone(&failed));
    world.start(async move { *slot.borrow_mut() = client.renew().await.err() });
    world.run();
    page.run(|client| async move { client.logout(Ending::Revoke).await.unwrap() });
    world.advance(Lifetime::from_seconds(5));
    assert_eq!(page.status(), "unauthenticated");
    assert!(failed.borrow().is_some());
    let revoked = provider.revoked.borrow().join("\n");
    assert!(revoked.contains("refresh-1") && revoked.contains("refresh-2"), "{revoked}");
    invariants::hold(&world);
}

#[test]
fn signing_out_forgets_revokes_and_leaves_for_the_provider() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    assert!(page.tab.store.dump().contains("refresh-1"));
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    assert!(is_mark(&page.tab.store.dump()), "{}", page.tab.store.dump());
    assert_eq!(provider.revoked.borrow().len(), 2);
    let left_for = page.tab.navigations.borrow().last().cloned().unwrap();
    assert!(left_for.starts_with("https://id.example/logout?"), "{left_for}");
    assert_eq!(param(&left_for, "client_id"), "app");
    assert!(!param(&left_for, "id_token_hint").is_empty());
    invariants::hold(&world);
}

#[test]
fn a_page_leaves_for_the_provider_only_when_what_it_has_decided_is_stored_and_not_for_a_client_that_is_disposed_of() {
    for disposed in [false, true] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, "localStorage");
        world.write_takes.set(1_000);
        page.tab.navigations.borrow_mut().clear();
        let client = page.client.clone();
        world.start(async move { drop(client.logout(Ending::Provider).await) });
        world.advance(Lifetime::from_millis(900));
        assert_eq!(provider.revoked.borrow().len(), 2, "the provider is quicker than the medium");
        assert!(page.tab.navigations.borrow().is_empty());
        if disposed {
            page.client.dispose();
        }
        world.advance(secs(5));
        assert!(is_mark(&page.tab.store.dump()), "{}", page.tab.store.dump());
        assert_eq!(page.tab.navigations.borrow().is_empty(), disposed);
        invariants::hold(&world);
    }
}

#[test]
fn f54_signing_out_without_a_network_signs_out_all_the_same() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    world.serve(|_, _| Reply::failure(HttpFailure::NetworkOrCors));
    let error = page.run(|client| async move { client.logout(Ending::Revoke).await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::NetworkOrCors);
    assert_eq!(page.status(), "unauthenticated");
    assert!(is_mark(&page.tab.store.dump()), "{}", page.tab.store.dump());
    invariants::hold(&world);
}

#[test]
fn a_reload_finds_the_stored_session_without_asking_anybody() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.client.dispose();
    let before = world.requests.borrow().len();
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    assert_eq!(page.events(), ["SignedIn"]);
    assert_eq!(world.requests.borrow().len(), before);
    invariants::hold(&world);
}

#[test]
fn a_reload_after_the_token_expired_renews_it_before_it_says_who_is_signed_in() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.client.dispose();
    world.jump(3_600_000);
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    assert_eq!(provider.rotations.get(), 2);
    invariants::hold(&world);
}

#[test]
fn f45_a_reload_without_a_network_keeps_the_stored_session() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.client.dispose();
    world.jump(3_600_000);
    let server = Rc::clone(&provider);
    world.serve(|_, _| Reply::failure(HttpFailure::NetworkOrCors));
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(error.unwrap().code, ErrorCode::NetworkOrCors);
    assert_eq!(page.status(), "authenticated");
    world.serve(move |request, now| server.answer(request, now));
    world.advance(Lifetime::from_seconds(120));
    let (token, _) = page.run(|client| async move { client.access_token(MARGIN).await.unwrap() });
    assert_eq!(token.expose(), "access-2");
    invariants::hold(&world);
}

#[test]
fn f33_tabs_that_expire_together_make_one_token_request() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let others: Vec<Page> = (0..49).map(|_| Page::open(&world, APP, &token_options("localStorage"))).collect();
    for page in &others {
        page.run(|client| async move { client.start().await.unwrap() });
    }
    let before = provider.token_requests.get();
    world.jump(601_000);
    let served = Rc::new(Cell::new(0));
    for page in others.iter().chain([&first]) {
        let (client, served) = (page.client.clone(), Rc::clone(&served));
        world.start(async move {
            client.access_token(MARGIN).await.unwrap();
            served.set(served.get() + 1);
        });
    }
    world.advance(Lifetime::from_seconds(5));
    assert_eq!(served.get(), 50);
    assert_eq!(provider.token_requests.get() - before, 1);
    assert!(!provider.reused.get());
    assert_eq!(world.in_flight.borrow()["https://id.example/token"].1, 1);
    invariants::hold(&world);
}

#[test]
fn a_sign_in_and_a_sign_out_reach_the_other_tab() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let other = Page::open(&world, APP, &token_options("localStorage"));
    other.run(|client| async move { client.start().await.unwrap() });
    let page = signed_in(&world, &provider, "localStorage");
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(other.status(), "authenticated");
    assert_eq!(other.events(), ["SignedIn"]);
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.advance(Lifetime::from_seconds(1));
    assert!(matches!(other.client.snapshot(), Snapshot::Unauthenticated(SignedOutReason::LoggedOutElsewhere, _)));
    assert_eq!(other.events(), ["SignedIn", "SignedOut"]);
    invariants::hold(&world);
}

#[test]
fn f29_a_full_or_blocked_medium_degrades_to_memory_and_says_so_once() {
    for failure in [StoreFailure::Full, StoreFailure::Blocked] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, "localStorage");
        world.store_failure.set(Some(failure));
        page.run(|client| async move { client.renew().await.unwrap() });
        page.run(|client| async move { client.renew().await.unwrap() });
        assert_eq!(page.status(), "authenticated");
        assert_eq!(page.events().iter().filter(|name| *name == "StorageDegraded").count(), 1);
        let (token, _) = page.run(|client| async move { client.access_token(MARGIN).await.unwrap() });
        assert_eq!(token.expose(), "access-3");
        invariants::hold(&world);
    }
}

#[test]
fn f24_a_corrupt_record_signs_out_with_a_reason_and_nothing_else() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.client.dispose();
    for value in world.shared.borrow_mut().values_mut() {
        value.truncate(value.len() / 2);
    }
    let options = token_options("localStorage").replace(r#""storage""#, r#""restore":"refresh-token","storage""#);
    let page = Page::in_tab(page.tab.clone(), &options);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(error, None);
    assert!(matches!(page.client.snapshot(), Snapshot::Unauthenticated(SignedOutReason::StorageLost, _)));
    invariants::hold(&world);
}

#[test]
fn f66_a_generator_that_fails_refuses_the_sign_in_and_has_no_substitute() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = Page::open(&world, APP, &token_options("memory"));
    page.run(|client| async move { client.start().await.unwrap() });
    world.entropy_fails.set(true);
    let login = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
    let error = page.run(|client| async move { client.login(login).await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::InsecureContext);
    assert!(page.tab.navigations.borrow().is_empty());
    invariants::hold(&world);
}

#[test]
fn f50_a_page_that_comes_back_without_an_answer_is_signed_out_again() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = Page::open(&world, APP, &token_options("memory"));
    page.run(|client| async move { client.start().await.unwrap() });
    let failed = Rc::new(RefCell::new(None));
    let (client, slot) = (page.client.clone(), Rc::clone(&failed));
    let login = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
    world.start(async move { *slot.borrow_mut() = client.login(login).await.err() });
    world.advance(Lifetime::from_seconds(2));
    assert_eq!(page.status(), "authenticating");
    page.client.page_changed(authsafe::client::PageNews::Restored);
    world.run();
    assert_eq!(page.status(), "unauthenticated");
    assert_eq!(failed.borrow().as_ref().unwrap().code, ErrorCode::Aborted);
    invariants::hold(&world);
}

#[test]
fn f60_a_refused_token_is_renewed_once_and_the_request_replayed_once() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    let invalid = Some(r#"Bearer error="invalid_token""#);
    let first = credential(&page);
    assert!(page.run(move |client| async move { client.answered(first, 401, invalid).await }));
    assert_eq!(provider.rotations.get(), 2);
    // A late answer to the old token finds the new one there.
    assert!(page.run(move |client| async move { client.answered(first, 401, invalid).await }));
    // The new token is refused as well: then the token is not the reason.
    let second = credential(&page);
    assert!(!page.run(move |client| async move { client.answered(second, 401, invalid).await }));
    let other = Some(r#"Bearer error="insufficient_scope""#);
    assert!(!page.run(move |client| async move { client.answered(second, 403, other).await }));
    assert_eq!(provider.rotations.get(), 2);
    invariants::hold(&world);
}

#[test]
fn a_place_that_is_not_allowed_gets_no_credential() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    for url in [
        "https://api.example.evil.tld/",
        "https://evil.tld/",
        "http://api.example/",
        "https://api.example:8443/",
        "//api.example/",
    ] {
        assert_eq!(page.run(move |client| async move { client.authorize(url, "GET").await.unwrap() }), None, "{url}");
    }
    invariants::hold(&world);
}

#[test]
fn a_disposed_client_says_so_and_sends_nothing_more() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    page.client.dispose();
    let error = page.run(|client| async move { client.access_token(MARGIN).await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::Disposed);
    world.advance(Lifetime::from_seconds(86_400));
    assert_eq!(provider.token_requests.get(), 1);
    invariants::hold(&world);
}

#[test]
fn a_tab_without_a_session_stays_as_it_is_when_another_signs_out() {
    for storage in ["memory", "sessionStorage", "localStorage"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, storage);
        let other = Page::open(&world, APP, &token_options("memory"));
        other.run(|client| async move { client.start().await.unwrap() });
        page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
        world.advance(Lifetime::from_seconds(1));
        assert!(
            matches!(other.client.snapshot(), Snapshot::Unauthenticated(SignedOutReason::Never, None)),
            "{storage}"
        );
        assert!(other.events().is_empty());
        invariants::hold(&world);
    }
}

#[test]
fn a_sign_out_elsewhere_does_not_stop_a_sign_in_that_is_under_way_here() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    let other = Page::open(&world, APP, &token_options("memory"));
    other.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&other, &provider);
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(other.status(), "authenticating");
    invariants::hold(&world);
}
