//! A user who goes away, on virtual time: one clock for all tabs, which nothing but the user moves.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::options::Config;
use authsafe::client::{PageNews, Report};
use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, Notice, SignedOutReason, Snapshot};
use authsafe::ports::StoreFailure;
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::http::HttpFailure;
use authsafe::types::{Json, Lifetime, UnixMillis, WebUrl};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::session::{FIRST_PARTY, OPTIONS, Server, first_party_world, password, reason};
use support::*;

/// Ten minutes, with a countdown of half of one.
fn idle(then: &str) -> String {
    format!(r#""idle":{{"timeoutSeconds":600,"warnSeconds":30,"onTimeout":"{then}"}},"allowedOrigins""#)
}

fn options(storage: &str, then: &str) -> String {
    token_options(storage).replace(r#""allowedOrigins""#, &idle(then))
}

fn session_options(then: &str) -> String {
    OPTIONS.replacen('{', &format!("{{{}:[\"https://app.example\"],", idle(then)), 1)
}

fn start(page: &Page) {
    page.run(|client| async move { client.start().await.unwrap() });
}

fn open(world: &Rc<World>, options: &str) -> Page {
    let page = Page::open(world, APP, options);
    start(&page);
    page
}

/// The same tab, loaded anew.
fn reload(page: &Page, options: &str) -> Page {
    page.tab.world.run();
    page.client.dispose();
    page.tab.world.mute(page.tab.id);
    *page.tab.href.borrow_mut() = APP.to_owned();
    let page = Page::in_tab(page.tab.clone(), options);
    start(&page);
    page
}

fn act(page: &Page) {
    page.client.page_changed(PageNews::Active);
    page.tab.world.run();
}

fn pass(page: &Page, seconds: i64) {
    page.tab.world.advance(secs(seconds));
}

fn token(page: &Page) -> Result<(), ErrorCode> {
    page.run(|client| async move { client.access_token(Lifetime::ZERO).await.map(drop).map_err(|error| error.code) })
}

fn warnings(page: &Page) -> Vec<i64> {
    let left = |report: &Report| match report {
        Report::Event(Notice::IdleWarning(left)) => Some(*left),
        Report::Event(_) | Report::State(_) => None,
    };
    page.reports.borrow().iter().filter_map(left).collect()
}

fn idle_end(page: &Page) -> Option<i64> {
    let Snapshot::Authenticated(_, facts, _) = page.client.snapshot() else { return None };
    facts.idle_expires_at.map(|end| (end.0.0 - START.0) / 1000)
}

const SHARED_OR_NOT: [&str; 4] = ["memory", "sessionStorage", "localStorage", "indexedDB"];

#[test]
fn a_user_who_goes_away_is_counted_down_and_signed_out_as_by_a_sign_out() {
    for storage in SHARED_OR_NOT {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options(storage, "logout"));
        page.tab.navigations.borrow_mut().clear();
        pass(&page, 590);
        assert_eq!(page.status(), "authenticated");
        assert_eq!(warnings(&page).first(), Some(&30));
        pass(&page, 20);
        assert_eq!(warnings(&page), (1..=30).rev().collect::<Vec<_>>());
        assert_eq!(reason(&page), Some(SignedOutReason::Idle));
        assert_eq!(page.events().last().unwrap(), "SignedOut");
        assert_eq!(token(&page), Err(ErrorCode::SessionExpired));
        assert!(provider.revoked.borrow().iter().any(|body| body.contains("token=refresh-")));
        assert!(page.tab.navigations.borrow().is_empty());
        // There is nothing left that a reload could take up, and the provider is not asked without the user.
        let page = reload(&page, &options(storage, "logout"));
        assert_eq!(page.status(), "unauthenticated");
        assert!(page.tab.navigations.borrow().is_empty());
        invariants::hold(&world);
    }
}

#[test]
fn renewals_and_requests_are_no_activity() {
    let provider = Provider::new();
    provider.lifetime.set(100);
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("memory", "logout"));
    let before = provider.token_requests.get();
    for _ in 0..11 {
        pass(&page, 55);
        assert!(matches!(token(&page), Ok(()) | Err(ErrorCode::SessionExpired)));
        page.client.page_changed(PageNews::Visible);
        page.client.page_changed(PageNews::Online);
    }
    assert!(provider.token_requests.get() > before + 3);
    assert_eq!(reason(&page), Some(SignedOutReason::Idle));
    invariants::hold(&world);
}

#[test]
fn activity_ends_the_countdown_and_the_state_says_so() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("memory", "logout"));
    let began = idle_end(&page).unwrap() - 600;
    pass(&page, 580 + began);
    let said = warnings(&page).len();
    assert!(said > 0);
    act(&page);
    assert!(idle_end(&page).unwrap() >= 1180);
    pass(&page, 500);
    assert_eq!((warnings(&page).len(), page.status()), (said, "authenticated"));
    pass(&page, 200);
    assert_eq!(reason(&page), Some(SignedOutReason::Idle));
    invariants::hold(&world);
}

#[test]
fn activity_is_noted_once_in_five_seconds_and_shown_once_in_a_minute() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("localStorage", "logout"));
    let notes = Rc::new(Cell::new(0));
    let heard = Rc::clone(&notes);
    world.listen(99, move |_| heard.set(heard.get() + 1));
    pass(&page, 5);
    let states = || page.reports.borrow().iter().filter(|report| matches!(report, Report::State(_))).count();
    let shown = states();
    for _ in 0..1200 {
        world.advance(Lifetime::from_millis(100));
        page.client.page_changed(PageNews::Active);
    }
    world.run();
    assert_eq!(notes.get(), 24);
    assert!(states() - shown <= 3, "{}", states() - shown);
    invariants::hold(&world);
}

#[test]
fn activity_in_one_tab_counts_in_all_of_them() {
    for storage in SHARED_OR_NOT {
        let provider = Provider::new();
        provider.lifetime.set(100_000);
        let world = world_of(&provider);
        let first = signed_in_with(&world, &provider, &options(storage, "logout"));
        let second = signed_in_with(&world, &provider, &options(storage, "logout"));
        for _ in 0..20 {
            pass(&first, 300);
            act(&first);
        }
        assert_eq!([first.status(), second.status()], ["authenticated"; 2], "{storage}");
        assert!(warnings(&second).is_empty());
        pass(&first, 610);
        assert_eq!([reason(&first), reason(&second)], [Some(SignedOutReason::Idle); 2], "{storage}");
        for page in [first, second] {
            let ends = page.events().iter().filter(|name| *name == "SignedOut").count();
            assert_eq!(ends, 1, "{storage}");
        }
        invariants::hold(&world);
    }
}

#[test]
fn a_tab_that_missed_every_note_looks_at_the_stamp_before_it_ends_anything() {
    for storage in SHARED_OR_NOT {
        let provider = Provider::new();
        provider.lifetime.set(100_000);
        let world = world_of(&provider);
        let first = signed_in_with(&world, &provider, &options(storage, "logout"));
        let deaf = signed_in_with(&world, &provider, &options(storage, "logout"));
        world.mute(deaf.tab.id);
        for _ in 0..4 {
            pass(&first, 400);
            act(&first);
        }
        assert_eq!(deaf.status(), "authenticated", "{storage}");
        assert_eq!(token(&deaf), Ok(()));
        world.advance(secs(600));
        assert_eq!(reason(&deaf), Some(SignedOutReason::Idle), "{storage}");
        invariants::hold(&world);
    }
}

#[test]
fn after_a_night_with_the_lid_closed_it_is_over_before_anything_is_handed_out() {
    for storage in SHARED_OR_NOT {
        let provider = Provider::new();
        provider.lifetime.set(100_000);
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options(storage, "logout"));
        world.jump(9 * 3600 * 1000);
        // The mouse is moved, and the application calls its API, before any timer has run.
        page.client.page_changed(PageNews::Active);
        assert_eq!(token(&page), Err(ErrorCode::SessionExpired), "{storage}");
        assert_eq!(reason(&page), Some(SignedOutReason::Idle));
        invariants::hold(&world);
    }
}

#[test]
fn a_reload_after_the_time_was_up_is_signed_out_and_revokes_what_was_stored() {
    for storage in ["sessionStorage", "localStorage", "indexedDB"] {
        let provider = Provider::new();
        provider.lifetime.set(100_000);
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options(storage, "logout"));
        page.client.dispose();
        world.jump(3600 * 1000);
        let page = reload(&page, &options(storage, "logout"));
        assert_eq!(page.client.snapshot(), Snapshot::Unauthenticated(SignedOutReason::Idle, None), "{storage}");
        assert_eq!(token(&page), Err(ErrorCode::SessionExpired));
        world.advance(secs(5));
        assert_eq!(provider.revoked.borrow().len(), 2);
        assert!(!page.tab.store.dump().contains("refresh-"));
        assert!(page.events().is_empty());
        invariants::hold(&world);
    }
}

#[test]
fn a_reload_is_no_activity_and_goes_on_with_the_clock_of_before() {
    let provider = Provider::new();
    provider.lifetime.set(100_000);
    let world = world_of(&provider);
    let mut page = signed_in_with(&world, &provider, &options("sessionStorage", "logout"));
    for _ in 0..4 {
        pass(&page, 140);
        page = reload(&page, &options("sessionStorage", "logout"));
        assert_eq!(page.status(), "authenticated");
    }
    pass(&page, 60);
    assert_eq!(reason(&page), Some(SignedOutReason::Idle));
    invariants::hold(&world);
}

#[test]
fn a_session_whose_clock_was_lost_gets_a_new_one() {
    for spoilt in ["", "soon", "-1", "99999999999999999999", "9000000000000000"] {
        let provider = Provider::new();
        provider.lifetime.set(100_000);
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options("localStorage", "logout"));
        page.client.dispose();
        for stamp in world.stamps.borrow_mut().values_mut() {
            *stamp = spoilt.to_owned();
        }
        let page = reload(&page, &options("localStorage", "logout"));
        // An instant before all others is one all the same.
        let over = spoilt == "-1";
        assert_eq!(page.status(), if over { "unauthenticated" } else { "authenticated" }, "{spoilt:?}");
        pass(&page, 610);
        assert_eq!(reason(&page), Some(SignedOutReason::Idle), "{spoilt:?}");
        invariants::hold(&world);
    }
}

#[test]
fn where_nothing_can_be_stored_each_tab_still_has_its_clock() {
    let provider = Provider::new();
    provider.lifetime.set(100_000);
    let world = world_of(&provider);
    let first = signed_in_with(&world, &provider, &options("memory", "logout"));
    let second = signed_in_with(&world, &provider, &options("memory", "logout"));
    world.store_failure.set(Some(StoreFailure::Blocked));
    pass(&first, 400);
    act(&first);
    pass(&first, 400);
    assert_eq!([first.status(), second.status()], ["authenticated"; 2]);
    pass(&first, 210);
    assert_eq!([reason(&first), reason(&second)], [Some(SignedOutReason::Idle); 2]);
    assert_eq!(first.events().iter().filter(|name| *name == "StorageDegraded").count(), 0);
    invariants::hold(&world);
}

#[test]
fn a_clock_that_is_set_back_gives_nobody_more_time() {
    let provider = Provider::new();
    provider.lifetime.set(100_000);
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("memory", "logout"));
    pass(&page, 300);
    world.jump(-3600 * 1000);
    // It is noticed within a minute.
    pass(&page, 361);
    assert_eq!(reason(&page), Some(SignedOutReason::Idle));
    invariants::hold(&world);
}

#[test]
fn a_locked_session_shows_its_user_and_hands_nothing_out() {
    for storage in SHARED_OR_NOT {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options(storage, "lock"));
        let before = provider.token_requests.get();
        world.jump(3600 * 1000);
        assert_eq!(token(&page), Err(ErrorCode::SessionLocked), "{storage}");
        assert_eq!(page.status(), "locked");
        let Snapshot::Locked(user) = page.client.snapshot() else { unreachable!() };
        assert_eq!(user.get("sub").and_then(Json::text), Some("alice"));
        assert_eq!(page.client.id_token_claims(), None);
        let error = page.run(|client| async move { client.renew().await.unwrap_err() });
        assert_eq!((error.code, error.code.as_str()), (ErrorCode::SessionLocked, "session_locked"));
        act(&page);
        pass(&page, 86_400);
        page.client.page_changed(PageNews::Visible);
        page.client.page_changed(PageNews::Online);
        page.client.page_changed(PageNews::Restored);
        pass(&page, 10);
        assert_eq!(page.status(), "locked");
        // Nothing was renewed behind the lock, and nothing was ended.
        assert_eq!(provider.token_requests.get(), before, "{storage}");
        assert!(provider.revoked.borrow().is_empty());
        assert!(!page.events().contains(&"SignedOut".to_owned()));
        invariants::hold(&world);
    }
}

#[test]
fn a_reload_does_not_unlock_and_neither_does_a_new_tab() {
    for storage in ["sessionStorage", "localStorage", "indexedDB"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let mut page = signed_in_with(&world, &provider, &options(storage, "lock"));
        pass(&page, 700);
        for _ in 0..2 {
            assert_eq!(page.status(), "locked", "{storage}");
            act(&page);
            page = reload(&page, &options(storage, "lock"));
        }
        if storage == "localStorage" {
            assert_eq!(open(&world, &options(storage, "lock")).status(), "locked");
        }
        assert_eq!(token(&page), Err(ErrorCode::SessionLocked));
        invariants::hold(&world);
    }
}

#[test]
fn a_sign_in_of_the_same_user_unlocks_every_tab() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let options = options("localStorage", "lock");
    let first = signed_in_with(&world, &provider, &options);
    let second = open(&world, &options);
    pass(&first, 700);
    assert_eq!([first.status(), second.status()], ["locked"; 2]);
    go_and_return(&first, &provider);
    first.client.dispose();
    world.mute(first.tab.id);
    let first = Page::in_tab(first.tab.clone(), &options);
    let (arrived, error) = first.run(|client| async move { client.start().await.unwrap() });
    assert!(arrived.is_some() && error.is_none());
    world.advance(secs(1));
    assert_eq!([first.status(), second.status()], ["authenticated"; 2]);
    assert_eq!([token(&first), token(&second)], [Ok(()); 2]);
    assert_eq!(second.events().last().unwrap(), "SignedIn");
    invariants::hold(&world);
}

#[test]
fn a_sign_in_that_comes_to_nothing_leaves_the_lock() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let options = options("localStorage", "lock");
    let page = signed_in_with(&world, &provider, &options);
    pass(&page, 700);
    go_and_return(&page, &provider);
    page.client.dispose();
    provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
    let page = Page::in_tab(page.tab.clone(), &options);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert!(error.is_some());
    assert_eq!(page.status(), "locked");
    assert_eq!(token(&page), Err(ErrorCode::SessionLocked));
    invariants::hold(&world);
}

#[test]
fn another_user_who_signs_in_at_a_locked_page_takes_it_over() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let options = options("localStorage", "lock");
    let first = signed_in_with(&world, &provider, &options);
    let second = open(&world, &options);
    pass(&first, 700);
    *provider.sub.borrow_mut() = "bob".to_owned();
    go_and_return(&first, &provider);
    first.client.dispose();
    world.mute(first.tab.id);
    let first = Page::in_tab(first.tab.clone(), &options);
    start(&first);
    world.advance(secs(1));
    for page in [&first, &second] {
        assert!(page.events().contains(&"UserChanged".to_owned()));
        assert_eq!(page.status(), "authenticated");
    }
    invariants::hold(&world);
}

#[test]
fn a_locked_user_can_sign_out() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("localStorage", "lock"));
    pass(&page, 700);
    assert_eq!(page.status(), "locked");
    page.run(|client| async move { client.logout(Ending::Revoke).await.unwrap() });
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOut));
    assert!(!provider.revoked.borrow().is_empty());
    let page = reload(&page, &options("localStorage", "lock"));
    assert_eq!(page.status(), "unauthenticated");
    invariants::hold(&world);
}

#[test]
fn a_renewal_that_was_under_way_is_kept_behind_the_lock() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let options = options("localStorage", "lock");
    let page = signed_in_with(&world, &provider, &options);
    let count = provider.rotations.get() + 1;
    let slow = Reply::json(
        200,
        &format!(
            r#"{{"access_token":"access-{count}","token_type":"Bearer","expires_in":600,"refresh_token":"late"}}"#
        ),
    );
    provider.faults.borrow_mut().push(Reply { after: secs(5), ..slow });
    let client = page.client.clone();
    let told = Rc::new(RefCell::new(None));
    let sink = Rc::clone(&told);
    world.start(async move { *sink.borrow_mut() = Some(client.renew().await) });
    world.run();
    world.jump(3600 * 1000);
    page.client.page_changed(PageNews::Visible);
    world.advance(secs(10));
    assert_eq!(page.status(), "locked");
    assert!(page.tab.store.dump().contains("late"));
    assert_eq!(told.borrow_mut().take().unwrap().unwrap_err().code, ErrorCode::SessionLocked);
    assert_eq!(token(&page), Err(ErrorCode::SessionLocked));
    assert!(provider.revoked.borrow().is_empty());
    invariants::hold(&world);
}

#[test]
fn where_the_application_only_wants_to_know_it_is_told_once_and_nothing_ends() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("memory", "event"));
    pass(&page, 2000);
    assert_eq!(warnings(&page), (0..=30).rev().collect::<Vec<_>>());
    assert_eq!((page.status(), token(&page)), ("authenticated", Ok(())));
    act(&page);
    pass(&page, 700);
    assert_eq!(warnings(&page).len(), 62);
    invariants::hold(&world);
}

#[test]
fn a_silent_sign_in_is_no_activity() {
    let provider = Provider::new();
    provider.lifetime.set(100_000);
    let world = world_of(&provider);
    let options = options("memory", "logout").replace(r#""storage""#, r#""restore":"auto","storage""#);
    let mut page = signed_in_with(&world, &provider, &options);
    for round in 0..2 {
        pass(&page, 250);
        // A reload leaves for the provider and comes back.
        page.client.dispose();
        *page.tab.href.borrow_mut() = APP.to_owned();
        let mut tab = page.tab.clone();
        tab.store = world.tab(APP, false).store;
        let asking = Page::in_tab(tab.clone(), &options);
        let client = asking.client.clone();
        world.start(async move { drop(client.start().await) });
        world.advance(secs(1));
        let left_for = asking.tab.navigations.borrow().last().cloned().unwrap();
        assert_eq!(param(&left_for, "prompt"), "none", "{round}");
        *provider.nonce.borrow_mut() = param(&left_for, "nonce");
        let issuer = ISSUER.replace(':', "%3A").replace('/', "%2F");
        let state = param(&left_for, "state");
        *tab.href.borrow_mut() = format!("https://app.example/callback?code=code-2&state={state}&iss={issuer}");
        asking.client.dispose();
        page = Page::in_tab(tab, &options);
        start(&page);
        assert_eq!(page.status(), "authenticated");
    }
    pass(&page, 110);
    assert_eq!(reason(&page), Some(SignedOutReason::Idle));
    invariants::hold(&world);
}

#[test]
fn after_the_time_was_up_the_provider_is_not_asked_without_the_user() {
    for (restore, then) in [("auto", "logout"), ("redirect", "logout"), ("auto", "lock"), ("redirect", "lock")] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let options = options("memory", then).replace(r#""storage""#, &format!(r#""restore":"{restore}","storage""#));
        let page = signed_in_with(&world, &provider, &options);
        page.client.dispose();
        world.jump(3600 * 1000);
        *page.tab.href.borrow_mut() = APP.to_owned();
        page.tab.navigations.borrow_mut().clear();
        let mut tab = page.tab.clone();
        tab.store = world.tab(APP, false).store;
        let page = Page::in_tab(tab, &options);
        start(&page);
        assert_eq!(reason(&page), Some(SignedOutReason::Idle), "{restore} {then}");
        assert!(page.tab.navigations.borrow().is_empty());
        invariants::hold(&world);
    }
}

#[test]
fn a_server_session_ends_at_the_server_too_and_in_every_tab() {
    let server = Server::new();
    let world = server.world();
    let options = session_options("logout");
    let first = open(&world, &options);
    first.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let second = open(&world, &options);
    server.lives_on();
    for page in [&first, &second] {
        page.run(|client| async move { client.check().await.unwrap() });
    }
    pass(&first, 300);
    act(&second);
    pass(&first, 400);
    assert_eq!([first.status(), second.status()], ["authenticated"; 2]);
    pass(&first, 210);
    assert_eq!([reason(&first), reason(&second)], [Some(SignedOutReason::Idle); 2]);
    assert_eq!(*server.user.borrow(), None);
    // The server has confirmed it; so a later visit does not begin with what is over.
    let page = reload(&first, &options);
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    invariants::hold(&world);
}

#[test]
fn a_server_session_that_was_left_to_itself_is_ended_by_the_next_page_load() {
    let server = Server::new();
    let world = server.world();
    let options = session_options("logout");
    let page = open(&world, &options);
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    server.ends_at.set(START.seconds() + 610);
    page.client.dispose();
    world.run();
    world.jump(605 * 1000);
    let page = reload(&page, &options);
    assert_eq!(page.client.snapshot(), Snapshot::Unauthenticated(SignedOutReason::Idle, None));
    world.advance(secs(5));
    assert_eq!(*server.user.borrow(), None);
    assert!(page.events().is_empty());
    invariants::hold(&world);
}

#[test]
fn a_server_that_cannot_be_told_is_told_by_the_next_page_load() {
    let server = Server::new();
    let world = server.world();
    let options = session_options("logout");
    let page = open(&world, &options);
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    // The lid is opened, and the network is not there yet.
    server.lives_on();
    *server.fault.borrow_mut() = Some(|| Reply::failure(HttpFailure::NetworkOrCors));
    world.jump(3600 * 1000);
    page.client.page_changed(PageNews::Active);
    world.advance(secs(5));
    assert_eq!(reason(&page), Some(SignedOutReason::Idle));
    *server.fault.borrow_mut() = None;
    page.client.page_changed(PageNews::Visible);
    page.client.page_changed(PageNews::Online);
    world.advance(secs(5));
    assert_eq!(reason(&page), Some(SignedOutReason::Idle));
    let page = reload(&page, &options);
    assert_eq!(reason(&page), Some(SignedOutReason::Idle));
    world.advance(secs(5));
    assert_eq!(*server.user.borrow(), None);
    invariants::hold(&world);
}

#[test]
fn a_server_session_that_began_after_the_time_was_up_is_another_one() {
    let server = Server::new();
    let world = server.world();
    let options = session_options("logout");
    let page = open(&world, &options);
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    page.client.dispose();
    world.run();
    world.jump(9 * 3600 * 1000);
    // The user has signed in on a page of the server's. It says when: 600 s before the end.
    server.ends_at.set(START.seconds() + 9 * 3600 + 500);
    let page = reload(&page, &options);
    assert_eq!(page.status(), "authenticated");
    assert!(*server.user.borrow() == Some("alice"));
    invariants::hold(&world);
}

#[test]
fn a_request_with_the_cookie_waits_until_it_is_known_whether_the_time_is_up() {
    let allowed = |then: &str| session_options(then);
    for (then, told) in
        [("logout", Err(ErrorCode::SessionExpired)), ("lock", Err(ErrorCode::SessionLocked)), ("event", Ok(true))]
    {
        let server = Server::new();
        let world = server.world();
        let page = open(&world, &allowed(then));
        page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
        let authorize = |page: &Page| {
            page.run(|client| async move {
                let needed = client.authorize("https://app.example/data", "GET").await;
                needed.map(|needed| needed.is_some()).map_err(|error| error.code)
            })
        };
        assert_eq!(authorize(&page), Ok(true), "{then}");
        server.lives_on();
        world.jump(3600 * 1000);
        assert_eq!(authorize(&page), told, "{then}");
        world.advance(secs(5));
        let later = if then == "lock" { told } else { Ok(true) };
        assert_eq!(authorize(&page), later, "{then}");
        invariants::hold(&world);
    }
}

#[test]
fn a_locked_server_session_is_unlocked_by_a_sign_in_and_by_nothing_else() {
    let server = Server::new();
    let world = server.world();
    let options = session_options("lock");
    let first = open(&world, &options);
    first.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let second = open(&world, &options);
    server.lives_on();
    for page in [&first, &second] {
        page.run(|client| async move { client.check().await.unwrap() });
    }
    pass(&first, 700);
    assert_eq!([first.status(), second.status()], ["locked"; 2]);
    for news in [PageNews::Active, PageNews::Visible, PageNews::Online, PageNews::Restored] {
        first.client.page_changed(news);
        pass(&first, 30);
    }
    first.run(|client| async move { client.check().await.unwrap() });
    let error = first.run(|client| async move { client.extend().await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::SessionLocked);
    let first = reload(&first, &options);
    assert_eq!([first.status(), second.status()], ["locked"; 2]);
    first.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    world.advance(secs(1));
    assert_eq!([first.status(), second.status()], ["authenticated"; 2]);
    pass(&first, 300);
    assert_eq!([first.status(), second.status()], ["authenticated"; 2]);
    invariants::hold(&world);
}

#[test]
fn a_locked_tab_that_missed_the_sign_in_elsewhere_finds_it_when_it_is_looked_at() {
    let server = Server::new();
    let world = server.world();
    let options = session_options("lock");
    let first = open(&world, &options);
    first.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let second = open(&world, &options);
    pass(&first, 599);
    for page in [&first, &second] {
        server.lives_on();
        page.run(|client| async move { client.check().await.unwrap() });
    }
    pass(&first, 10);
    world.mute(second.tab.id);
    first.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    assert_eq!([first.status(), second.status()], ["authenticated", "locked"]);
    second.client.page_changed(PageNews::Visible);
    world.advance(secs(1));
    assert_eq!(second.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn a_server_session_that_ends_behind_the_lock_is_over() {
    let server = Server::new();
    let world = server.world();
    let page = open(&world, &session_options("lock"));
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    server.lives_on();
    page.run(|client| async move { client.check().await.unwrap() });
    pass(&page, 700);
    assert_eq!(page.status(), "locked");
    *server.user.borrow_mut() = None;
    pass(&page, 200);
    assert_eq!(page.status(), "unauthenticated");
    invariants::hold(&world);
}

#[test]
fn what_an_http_only_cookie_holds_is_ended_by_the_next_page_load_and_not_renewed() {
    let (log, alive) = (Rc::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let options = FIRST_PARTY.replace("COOKIE", "true").replace(r#""allowedOrigins""#, &idle("logout"));
    let page = open(&world, &options);
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    page.client.dispose();
    world.run();
    world.jump(3600 * 1000);
    log.borrow_mut().clear();
    let page = reload(&page, &options);
    assert_eq!(reason(&page), Some(SignedOutReason::Idle));
    world.advance(secs(5));
    assert_eq!(*log.borrow(), ["/auth/logout {}"]);
    assert!(!alive.get());
    let page = reload(&page, &options);
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    invariants::hold(&world);
}

#[test]
fn without_the_option_nothing_is_counted_and_nothing_is_stored() {
    let provider = Provider::new();
    provider.lifetime.set(1_000_000);
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    act(&page);
    pass(&page, 86_400);
    assert_eq!((page.status(), idle_end(&page)), ("authenticated", None));
    assert!(world.stamps.borrow().is_empty());
    invariants::hold(&world);
}

#[test]
fn the_option_is_read_and_what_is_wrong_with_it_is_named() {
    let here = WebUrl::parse(APP).unwrap();
    let read = |text: &str| {
        let options =
            token_options("memory").replace(r#""allowedOrigins""#, &format!(r#""idle":{text},"allowedOrigins""#));
        Config::parse(&Json::parse(&options).unwrap(), &here).map(|config| config.idle.unwrap())
    };
    let policy = read(r#"{"timeoutSeconds":900}"#).unwrap();
    assert_eq!((policy.timeout, policy.warning), (secs(900), secs(60)));
    assert_eq!(read(r#"{"timeoutSeconds":40}"#).unwrap().warning, secs(10));
    for (text, named) in [
        ("900", "`idle` must be an object"),
        ("{}", "`idle.timeoutSeconds` is missing"),
        (r#"{"timeoutSeconds":9}"#, "`idle.timeoutSeconds` must be at least 10 seconds"),
        (r#"{"timeoutSeconds":"900"}"#, "`idle.timeoutSeconds` must be a number of seconds"),
        (r#"{"timeoutSeconds":900,"warnSeconds":900}"#, "`idle.warnSeconds` must be less than"),
        (r#"{"timeoutSeconds":900,"onTimeout":"sleep"}"#, "`idle.onTimeout` must be 'logout', 'lock', 'event'"),
        (
            r#"{"timeoutSeconds":900,"timeoutSecond":1}"#,
            "`idle.timeoutSecond` is no option; did you mean `timeoutSeconds`?",
        ),
    ] {
        let detail = read(text).unwrap_err().detail.clone();
        assert!(detail.starts_with(named), "{text}: {detail}");
    }
    let navigating =
        session_options("lock").replace(r#""login":"/login""#, r#""login":{"url":"/login","navigate":true}"#);
    let detail = Config::parse(&Json::parse(&navigating).unwrap(), &here).unwrap_err().detail.clone();
    assert!(detail.starts_with("`idle.onTimeout` must not be 'lock'"), "{detail}");
}

#[test]
fn the_stamp_is_a_time_and_nothing_else() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("localStorage", "logout"));
    let stamps: Vec<String> = world.stamps.borrow().values().cloned().collect();
    let at = UnixMillis(stamps[0].parse().unwrap());
    assert!(stamps.len() == 1 && at >= START);
    drop(page);
    invariants::hold(&world);
}

#[test]
fn a_sign_in_is_told_when_it_is_stored_that_somebody_is_here() {
    let server = Server::new();
    let world = server.world();
    let options = OPTIONS.replace(r#""mode":"session""#, r#""mode":"session","idle":{"timeoutSeconds":600}"#);
    let page = Page::open(&world, APP, &options);
    page.run(|client| async move { client.start().await.unwrap() });
    world.write_takes.set(1_000);
    let done = Rc::new(Cell::new(false));
    let (client, told) = (page.client.clone(), Rc::clone(&done));
    world.start(async move { told.set(client.login(password("wonderland")).await.is_ok()) });
    world.advance(Lifetime::from_millis(900));
    assert_eq!((page.status(), done.get()), ("authenticated", false));
    assert!(world.stamps.borrow().is_empty());
    world.advance(secs(1));
    assert!(done.get() && !world.stamps.borrow().is_empty());
    invariants::hold(&world);
}
