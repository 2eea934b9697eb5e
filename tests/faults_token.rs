//! Faults in token mode that once broke something, each as a story.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story whose setting fails has failed")]
#![allow(dead_code, reason = "what the stories share is larger than what each uses")]

mod support;

use authsafe::client::Client;
use authsafe::client::options::Config;
use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, Login};
use authsafe::ports::StoreFailure;
use authsafe::ports::fake::Reply;
use authsafe::types::{Json, WebUrl};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::*;

fn redirect() -> Login {
    Login::Redirect { params: Vec::new(), return_to: None, app_state: None }
}

#[test]
fn a_token_that_is_born_expired_makes_no_storm_and_no_promise_hang() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    let before = provider.token_requests.get();
    provider.lifetime.set(0);
    world.advance(secs(700));
    let settled = Rc::new(Cell::new(false));
    let s = Rc::clone(&settled);
    let c = page.client.clone();
    world.start(async move {
        let _ = c.access_token(secs(5)).await;
        s.set(true)
    });
    world.advance(secs(60));
    assert!(settled.get());
    assert!(provider.token_requests.get() - before < 10);
    invariants::hold(&world);
}

#[test]
fn a_request_during_a_sign_in_that_fails_is_served_by_the_session_of_before() {
    let provider = Provider::new();
    let server = Rc::clone(&provider);
    let world = authsafe::ports::fake::World::new(START, move |r, now| {
        if r.url.path() == "/login" {
            return Reply::json(401, "{\"error\":\"no\"}");
        }
        server.answer(r, now)
    });
    let page = signed_in_with(&world, &provider, &both_options("memory"));
    assert_eq!(page.status(), "authenticated");
    let c = page.client.clone();
    world.start(async move {
        let r = c
            .login(Login::Password {
                username: "a".into(),
                password: authsafe::types::Password::new("x".to_owned()).unwrap(),
                extra: None,
                return_to: None,
                app_state: None,
            })
            .await;
        assert!(r.is_err());
    });
    world.run();
    let settled = Rc::new(Cell::new(0));
    let (s, c) = (Rc::clone(&settled), page.client.clone());
    world.start(async move {
        let _ = c.access_token(secs(5)).await;
        s.set(s.get() + 1)
    });
    let (s, c) = (Rc::clone(&settled), page.client.clone());
    world.start(async move {
        let _ = c.renew().await;
        s.set(s.get() + 10)
    });
    world.advance(secs(30));
    assert_eq!(page.status(), "authenticated");
    assert_eq!(settled.get(), 11);
    invariants::hold(&world);
}

#[test]
fn a_page_that_cannot_leave_says_so_although_a_renewal_is_due() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    world.advance(secs(525));
    let c = page.client.clone();
    let settled = Rc::new(Cell::new(false));
    let s = Rc::clone(&settled);
    world.start(async move {
        let _ = c.login(redirect()).await;
        s.set(true)
    });
    world.advance(secs(3600));
    assert!(settled.get());
    invariants::hold(&world);
}

#[test]
fn a_session_that_was_signed_out_does_not_come_back_by_a_dispose() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    let c = page.client.clone();
    world.start(async move {
        let _ = c.renew().await;
    });
    world.run();
    let c = page.client.clone();
    world.start(async move {
        let _ = c.logout(Ending::Local).await;
    });
    world.run();
    page.client.dispose();
    world.advance(secs(10));
    assert!(is_mark(&page.tab.store.dump()), "{}", page.tab.store.dump());
    invariants::hold(&world);
}

#[test]
fn a_renewal_that_still_reads_the_metadata_sends_no_token_after_a_sign_out() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.client.dispose();
    // A page that has just been loaded does not know the metadata.
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    page.run(|client| async move { client.start().await.unwrap() });
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.run();
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.advance(secs(5));
    assert_eq!(provider.token_requests.get(), 1);
    invariants::hold(&world);
}

#[test]
fn f51_a_disposed_client_and_its_successor_spend_a_refresh_token_once() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    world.advance(secs(1));
    let c = page.client.clone();
    world.start(async move {
        let _ = c.renew().await;
    });
    world.run();
    page.client.dispose();
    let again = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    let c = again.client.clone();
    world.start(async move {
        let _ = c.start().await;
        let _ = c.renew().await;
    });
    world.advance(secs(10));
    assert!(!provider.reused.get());
    invariants::hold(&world);
}

fn deaf(tab: authsafe::ports::fake::Tab, options: &str) -> Client<authsafe::ports::fake::Tab> {
    let here = WebUrl::parse(&tab.href.borrow()).unwrap();
    let config = Config::parse(&Json::parse(options).unwrap(), &here).unwrap();
    Client::new(config, tab, |_| {})
}

#[test]
fn a_late_word_of_a_sign_out_does_not_delete_a_newer_record() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    let frozen = deaf(world.tab(APP, true), &token_options("localStorage"));
    let c = frozen.clone();
    world.block_on(async move { c.start().await.unwrap() });
    let words: Rc<RefCell<Vec<String>>> = Rc::default();
    let sink = Rc::clone(&words);
    world.listen(0, move |text| sink.borrow_mut().push(text.to_owned()));
    // A signs out and in again while B is frozen
    page.run(|c| async move {
        let _ = c.logout(Ending::Local).await;
    });
    go_and_return(&page, &provider);
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    page.run(|c| async move { c.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    assert_ne!(page.tab.store.dump(), "");
    let words = words.borrow();
    let late = words.iter().find(|text| text.starts_with("o logged_out")).unwrap();
    frozen.hear(late);
    world.run();
    assert_ne!(page.tab.store.dump(), "", "record of the new sign-in is gone");
    invariants::hold(&world);
}

#[test]
fn tabs_with_tokens_of_their_own_end_one_by_one() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let a = signed_in(&world, &provider, "memory");
    let b = signed_in(&world, &provider, "memory");
    provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
    a.run(|c| async move {
        let _ = c.renew().await;
    });
    world.advance(secs(5));
    assert_eq!(b.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn the_max_age_of_a_single_sign_in_is_checked() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let before = Page::open(&world, APP, &token_options("memory"));
    before.run(|c| async move { c.start().await.unwrap() });
    let c = before.client.clone();
    world.start(async move {
        let _ = c
            .login(Login::Redirect { params: vec![("max_age".into(), "60".into())], return_to: None, app_state: None })
            .await;
    });
    world.advance(secs(1));
    let left = before.tab.navigations.borrow().last().cloned().unwrap();
    *provider.nonce.borrow_mut() = param(&left, "nonce");
    let state = param(&left, "state");
    *before.tab.href.borrow_mut() =
        format!("https://app.example/callback?code=code-1&state={state}&iss=https%3A%2F%2Fid.example");
    before.client.dispose();
    let page = Page::in_tab(before.tab.clone(), &token_options("memory"));
    let (arrived, _) = page.run(|c| async move { c.start().await.unwrap() });
    assert!(arrived.is_none(), "no auth_time in the ID token, max_age=60 was asked");
    invariants::hold(&world);
}

#[test]
fn a_sign_out_whose_record_cannot_be_removed_says_so() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    let stored = page.tab.store.dump();
    world.writes_fail.set(Some(StoreFailure::Failed));
    let error = page.run(|client| async move { client.logout(Ending::Provider).await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::StorageUnavailable);
    assert!(error.detail.contains("could not be removed"), "{}", error.detail);
    assert_eq!(page.status(), "unauthenticated");
    assert!(page.events().contains(&"StorageDegraded".to_owned()), "{:?}", page.events());
    assert_eq!(page.tab.store.dump(), stored);
    // The server was told all the same, so what is left there is of no use.
    assert!(provider.revoked.borrow().iter().any(|body| body.contains("refresh-1")));
    invariants::hold(&world);
}

#[test]
fn each_sign_out_settles_with_its_own_outcome() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    let settled: Rc<RefCell<Vec<&str>>> = Rc::default();
    for (name, ending) in [("first", Ending::Revoke), ("second", Ending::Local)] {
        let (client, log) = (page.client.clone(), Rc::clone(&settled));
        world.start(async move {
            client.logout(ending).await.unwrap();
            log.borrow_mut().push(name);
        });
    }
    world.run();
    assert_eq!(*settled.borrow(), ["second"]);
    world.advance(secs(5));
    assert_eq!(*settled.borrow(), ["second", "first"]);
    invariants::hold(&world);
}

#[test]
fn f22_a_clock_that_is_set_back_neither_blocks_a_renewal_nor_prolongs_a_token() {
    for before in [None, Some(Reply::json(503, "{}"))] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, "memory");
        let failed = before.is_some();
        provider.faults.borrow_mut().extend(before);
        let invalid = Some(r#"Bearer error="invalid_token""#);
        let first = credential(&page);
        page.run(move |client| async move { client.answered(first, 401, invalid).await });
        let requests = provider.token_requests.get();
        world.jump(-86_400_000);
        world.advance(secs(120));
        // Nobody waits for a day to come again.
        let second = credential(&page);
        assert!(page.run(move |client| async move { client.answered(second, 401, invalid).await }));
        assert!(provider.token_requests.get() > requests);
        // And the token ends when it would have ended.
        world.advance(secs(500));
        let token = page.run(|client| async move { client.access_token(secs(5)).await.unwrap().0 });
        let newest = format!("access-{}", provider.rotations.get());
        assert_eq!(token.expose(), newest, "after a failure: {failed}");
        assert!(provider.rotations.get() >= 3);
        invariants::hold(&world);
    }
}

#[test]
fn a_callback_that_failed_beside_a_stored_session_restores_that_session_as_any_start_does() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    go_and_return(&page, &provider);
    let href = page.tab.href.borrow().replace("code=code-1", "error=access_denied");
    *page.tab.href.borrow_mut() = href;
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    let (arrived, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert!(arrived.is_none());
    assert_eq!(error.unwrap().code, ErrorCode::AccessDenied);
    assert_eq!((page.status(), page.events()), ("authenticated", vec!["SignedIn".to_owned()]));
    invariants::hold(&world);
}

#[test]
fn a_credential_that_may_go_to_one_path_only_follows_no_redirect() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let options =
        token_options("memory").replace("https://api.example", "https://api.example/v1\",\"https://other.example");
    let before = Page::open(&world, APP, &options);
    before.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&before, &provider);
    before.client.dispose();
    let page = Page::in_tab(before.tab.clone(), &options);
    page.run(|client| async move { client.start().await.unwrap() });
    for (url, refuses) in [("https://api.example/v1/items", true), ("https://other.example/items", false)] {
        let needed = page.run(move |client| async move { client.authorize(url, "GET").await.unwrap().unwrap() });
        assert_eq!(needed.refuse_redirects, refuses, "{url}");
    }
    invariants::hold(&world);
}
