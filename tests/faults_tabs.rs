//! Several tabs in token mode: what one does must never undo what another did later.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::PageNews;
use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, Login, SignedOutReason, Snapshot};
use authsafe::ports::StoreFailure;
use authsafe::ports::fake::{Reply, World};
use authsafe::types::Password;
use std::cell::RefCell;
use std::rc::Rc;
use support::session::reason;
use support::*;

const INVALID: Option<&str> = Some(r#"Bearer error="invalid_token""#);

fn sub(page: &Page) -> String {
    let snapshot = page.client.snapshot();
    if let Snapshot::Authenticated(_, facts, _) = snapshot { facts.sub.unwrap() } else { format!("{snapshot:?}") }
}

/// A renewal of `page` is under way; the server's answer is `reply`, after 5 seconds.
fn slow_renewal(page: &Page, provider: &Provider, reply: Reply) {
    provider.faults.borrow_mut().push(Reply { after: secs(5), ..reply });
    let client = page.client.clone();
    page.tab.world.start(async move { drop(client.renew().await) });
    page.tab.world.run();
}

fn tokens(name: &str) -> Reply {
    Reply::json(
        200,
        &format!(
            r#"{{"access_token":"access-{name}","token_type":"Bearer","expires_in":600,"refresh_token":"refresh-{name}"}}"#
        ),
    )
}

#[test]
fn a_renewal_that_answers_after_another_user_signed_in_elsewhere_does_not_replace_that_session() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    slow_renewal(&first, &provider, tokens("late"));
    *provider.sub.borrow_mut() = "bob".to_owned();
    let second = sign_in_again(&second, &provider);
    world.advance(secs(10));
    assert_eq!((sub(&first), sub(&second)), ("bob".to_owned(), "bob".to_owned()));
    assert!(!second.tab.store.dump().contains("late"), "{}", second.tab.store.dump());
    assert!(provider.revoked.borrow().iter().any(|body| body.contains("refresh-late")));
    assert!(first.events().contains(&"UserChanged".to_owned()), "{:?}", first.events());
    invariants::hold(&world);
}

#[test]
fn a_renewal_that_fails_for_good_does_not_end_the_session_that_began_elsewhere_meanwhile() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    slow_renewal(&first, &provider, Reply::json(400, r#"{"error":"invalid_grant"}"#));
    *provider.sub.borrow_mut() = "bob".to_owned();
    let second = sign_in_again(&second, &provider);
    world.advance(secs(10));
    assert_eq!((sub(&first), sub(&second)), ("bob".to_owned(), "bob".to_owned()));
    assert!(second.tab.store.dump().contains("bob"));
    invariants::hold(&world);
}

#[test]
fn f53_a_renewal_that_answers_after_a_sign_out_elsewhere_leaves_nobody_signed_in() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    // The first tab does not hear the second one.
    world.mute(first.tab.id);
    slow_renewal(&first, &provider, tokens("late"));
    second.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.advance(secs(10));
    assert_eq!(reason(&first), Some(SignedOutReason::LoggedOutElsewhere));
    assert!(is_mark(&first.tab.store.dump()), "{}", first.tab.store.dump());
    assert!(provider.revoked.borrow().iter().any(|body| body.contains("refresh-late")));
    invariants::hold(&world);
}

#[test]
fn f38_a_tab_that_missed_a_sign_out_finds_out_before_it_renews_and_when_it_becomes_visible() {
    for visible in [false, true] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let first = signed_in(&world, &provider, "localStorage");
        let second = another(&world);
        world.mute(first.tab.id);
        second.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
        assert_eq!(first.status(), "authenticated");
        let before = provider.token_requests.get();
        if visible {
            first.client.page_changed(PageNews::Visible);
            world.run();
        } else {
            let error = first.run(|client| async move { client.renew().await.unwrap_err() });
            assert_eq!(error.code, ErrorCode::LoginRequired);
        }
        assert_eq!(reason(&first), Some(SignedOutReason::LoggedOutElsewhere));
        assert_eq!(provider.token_requests.get(), before);
        invariants::hold(&world);
    }
}

#[test]
fn a_request_that_was_refused_is_not_sent_again_with_the_credential_of_another_user() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    first.run(|client| async move { client.renew().await.unwrap() });
    let alices = credential(&first);
    *provider.sub.borrow_mut() = "bob".to_owned();
    sign_in_again(&second, &provider);
    world.advance(secs(5));
    assert_eq!(sub(&first), "bob");
    assert!(!first.run(move |client| async move { client.answered(alices, 401, INVALID).await }));
    let bobs = credential(&first);
    assert!(first.run(move |client| async move { client.answered(bobs, 401, INVALID).await }));
    invariants::hold(&world);
}

#[test]
fn a_renewal_that_fails_for_good_does_not_call_off_a_sign_in_that_is_under_way() {
    let provider = Provider::new();
    let server = Rc::clone(&provider);
    let world = World::new(START, move |request, now| match request.url.path() {
        "/login" => Reply {
            after: secs(8),
            ..Reply::json(
                200,
                r#"{"access_token":"access-b","token_type":"Bearer","expires_in":600,"user":{"sub":"bob"}}"#,
            )
        },
        _ => server.answer(request, now),
    });
    let page = signed_in_with(&world, &provider, &both_options("localStorage"));
    slow_renewal(&page, &provider, Reply::json(400, r#"{"error":"invalid_grant"}"#));
    let login = Login::Password {
        username: "bob".to_owned(),
        password: Password::new("builder".to_owned()).unwrap(),
        extra: None,
        return_to: None,
        app_state: None,
    };
    let arrived = page.run(|client| async move { client.login(login).await.unwrap() });
    assert_eq!(arrived.session.facts.sub.as_deref(), Some("bob"));
    assert_eq!(sub(&page), "bob");
    assert!(page.tab.store.dump().contains("access-b"));
    invariants::hold(&world);
}

#[test]
fn f28_a_tab_does_not_spend_a_refresh_token_that_another_has_spent_but_could_not_store_the_successor_of() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    world.store_failure.set(Some(StoreFailure::Full));
    first.run(|client| async move { client.renew().await.unwrap() });
    world.store_failure.set(None);
    let before = provider.token_requests.get();
    let error = second.run(|client| async move { client.renew().await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::RefreshUnavailable);
    assert_eq!(provider.token_requests.get(), before);
    assert!(!provider.reused.get());
    // Its own token serves until its end, and the other tab goes on.
    assert_eq!(second.run(|client| async move { client.access_token(secs(5)).await.unwrap().0 }).expose(), "access-1");
    first.run(|client| async move { client.renew().await.unwrap() });
    assert_eq!(sub(&first), "alice");
    // That renewal could be stored again, and so the second tab is whole again.
    second.run(|client| async move { client.renew().await.unwrap() });
    assert!(!provider.reused.get());
    invariants::hold(&world);
}

#[test]
fn a_sign_in_that_is_called_off_during_discovery_does_not_leave_the_page() {
    for dispose in [false, true] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = Page::open(&world, APP, &token_options("memory"));
        page.run(|client| async move { client.start().await.unwrap() });
        let outcome: Rc<RefCell<Option<ErrorCode>>> = Rc::default();
        let (client, slot) = (page.client.clone(), Rc::clone(&outcome));
        let login = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
        world.start(async move { *slot.borrow_mut() = client.login(login).await.err().map(|error| error.code) });
        world.run();
        if dispose {
            page.client.dispose();
        } else {
            page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
        }
        world.advance(secs(10));
        assert_eq!(*page.tab.navigations.borrow(), Vec::<String>::new());
        let expected = if dispose { ErrorCode::Disposed } else { ErrorCode::Aborted };
        assert_eq!(*outcome.borrow(), Some(expected));
        invariants::hold(&world);
    }
}

#[test]
fn a_sign_out_page_is_not_gone_to_once_somebody_signs_in_again() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    page.tab.navigations.borrow_mut().clear();
    let client = page.client.clone();
    world.start(async move { drop(client.logout(Ending::Provider).await) });
    world.run();
    let client = page.client.clone();
    let login = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
    world.start(async move { drop(client.login(login).await) });
    world.advance(secs(2));
    let left_for = page.tab.navigations.borrow().clone();
    assert_eq!(left_for.len(), 1, "{left_for:?}");
    assert!(left_for.iter().all(|url| url.contains("/authorize")), "{left_for:?}");
    invariants::hold(&world);
}

#[test]
fn what_is_written_last_is_what_was_decided_last_however_slow_the_medium_is() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    // Each write takes two seconds: the record of the renewal is still being written when the user signs out.
    world.write_takes.set(2000);
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.advance(secs(1));
    assert_eq!(provider.rotations.get(), 2);
    let client = page.client.clone();
    world.start(async move { drop(client.logout(Ending::Local).await) });
    world.advance(secs(10));
    assert!(is_mark(&page.tab.store.dump()), "{}", page.tab.store.dump());
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOut));
    invariants::hold(&world);
}

#[test]
fn f32_storage_that_was_cleared_is_no_sign_out_and_the_next_renewal_writes_it_anew() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    world.shared.borrow_mut().clear();
    page.client.page_changed(PageNews::Visible);
    page.run(|client| async move { client.renew().await.unwrap() });
    assert_eq!(sub(&page), "alice");
    assert!(page.tab.store.dump().contains("access-2"));
    invariants::hold(&world);
}

#[test]
fn a_page_that_begins_while_the_record_is_still_being_removed_does_not_take_it_up() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    world.write_takes.set(2000);
    let client = first.client.clone();
    world.start(async move { drop(client.logout(Ending::Local).await) });
    world.advance(secs(1));
    let second = another(&world);
    assert_eq!(second.status(), "unauthenticated");
    world.advance(secs(5));
    assert_eq!(second.status(), "unauthenticated");
    assert_eq!(second.events(), Vec::<String>::new());
    invariants::hold(&world);
}

#[test]
fn the_mark_of_a_sign_out_is_nobody_signed_in_at_the_next_start() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    let later = another(&world);
    assert_eq!(reason(&later), Some(SignedOutReason::Never));
    assert_eq!(later.events(), Vec::<String>::new());
    let later = sign_in_again(&later, &provider);
    assert!(later.tab.store.dump().contains("access-2"));
    invariants::hold(&world);
}

#[test]
fn the_duplicate_of_a_tab_does_not_spend_the_refresh_token_that_the_other_has_spent() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "sessionStorage");
    let second = first.duplicate(&token_options("sessionStorage"));
    assert_eq!(sub(&second), "alice");
    first.run(|client| async move { client.renew().await.unwrap() });
    let error = second.run(|client| async move { client.renew().await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::RefreshUnavailable);
    assert!(!provider.reused.get());
    first.run(|client| async move { client.renew().await.unwrap() });
    assert_eq!((sub(&first), sub(&second)), ("alice".to_owned(), "alice".to_owned()));
    invariants::hold(&world);
}
