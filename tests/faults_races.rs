//! Orders of events that once lost, revived or mixed up a session, or left a promise waiting, each as a story.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::PageNews;
use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, Login, SignedOutReason};
use authsafe::ports::fake::{Reply, World};
use authsafe::types::Password;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::session::signed_in as signed_in_to_server;
use support::session::{FIRST_PARTY, OPTIONS, Server, first_party_world, open, password, reason};
use support::*;

const INVALID: Option<&str> = Some(r#"Bearer error="invalid_token""#);

/// A promise that is watched: `None` while it waits.
fn watch<T: 'static, F: Future<Output = T> + 'static>(world: &World, future: F) -> Rc<RefCell<Option<T>>> {
    let slot = Rc::new(RefCell::new(None));
    let into = Rc::clone(&slot);
    world.start(async move { *into.borrow_mut() = Some(future.await) });
    world.run();
    slot
}

#[test]
fn a_clock_that_is_set_back_after_quiet_minutes_loses_no_timer() {
    let provider = Provider::new();
    provider.lifetime.set(3600);
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    world.advance(secs(1800));
    world.jump(-600_000);
    world.advance(secs(7200));
    assert_eq!(page.status(), "authenticated");
    assert!(provider.rotations.get() > 1, "the timer never renewed");
    invariants::hold(&world);
}

#[test]
fn a_refused_request_is_not_sent_again_as_a_user_who_is_found_under_the_lock() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    let alices = credential(&first);
    world.mute(first.tab.id);
    *provider.sub.borrow_mut() = "bob".to_owned();
    sign_in_again(&second, &provider);
    assert!(!first.run(move |client| async move { client.answered(alices, 401, INVALID).await }));
    invariants::hold(&world);
}

#[test]
fn a_second_sign_out_leaves_the_mark_of_the_first() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    world.mute(first.tab.id);
    second.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    // Clicked twice.
    second.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    first.client.page_changed(PageNews::Visible);
    world.run();
    drop(first.run(|client| async move { client.renew().await }));
    assert_eq!(reason(&first), Some(SignedOutReason::LoggedOutElsewhere));
    assert!(!first.tab.store.dump().contains("access"), "{}", first.tab.store.dump());
    invariants::hold(&world);
}

#[test]
fn a_check_that_is_under_way_settles_when_a_sign_in_completes() {
    let server = Server::new();
    let inner = Rc::clone(&server);
    let world = World::new(START, move |request, now| {
        let slow = request.url.path() == "/session" && inner.user.borrow().is_none();
        let reply = inner.answer(request, now);
        if slow { Reply { after: secs(5), ..reply } } else { reply }
    });
    let page =
        Page::open(&world, APP, &OPTIONS.replace(r#","recheck":{"intervalSeconds":120}"#, r#","recheck":false"#));
    page.run(|client| async move { client.start().await.unwrap() });
    let client = page.client.clone();
    let check = watch(&world, async move { client.check().await.map(|facts| facts.is_some()) });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    world.advance(secs(60));
    assert!(check.borrow().is_some(), "check() hangs");
    invariants::hold(&world);
}

fn bob() -> Login {
    Login::Password {
        username: "bob".to_owned(),
        password: Password::new("builder".to_owned()).unwrap(),
        extra: None,
        return_to: None,
        app_state: None,
    }
}

#[test]
fn a_request_that_waits_for_a_renewal_settles_when_a_sign_in_completes() {
    let provider = Provider::new();
    let server = Rc::clone(&provider);
    let world = World::new(START, move |request, now| match request.url.path() {
        "/login" => Reply::json(
            200,
            r#"{"access_token":"access-b","token_type":"Bearer","expires_in":600,"user":{"sub":"bob"}}"#,
        ),
        _ => server.answer(request, now),
    });
    let page = signed_in_with(&world, &provider, &both_options("memory"));
    let alices = credential(&page);
    provider.faults.borrow_mut().push(Reply { after: secs(5), ..Reply::json(503, "") });
    let client = page.client.clone();
    let replay = watch(&world, async move { client.answered(alices, 401, INVALID).await });
    page.run(|client| async move { client.login(bob()).await.unwrap() });
    world.advance(secs(60));
    assert_eq!(*replay.borrow(), Some(false), "auth.fetch hangs");
    invariants::hold(&world);
}

#[test]
fn a_sign_out_elsewhere_reaches_the_record_of_a_renewal_that_is_being_written() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    world.write_takes.set(2000);
    let client = first.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.advance(secs(1));
    world.write_takes.set(0);
    second.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    assert_eq!(reason(&first), Some(SignedOutReason::LoggedOutElsewhere));
    world.advance(secs(10));
    assert!(!first.tab.store.dump().contains("access"), "{}", first.tab.store.dump());
    invariants::hold(&world);
}

#[test]
fn a_sign_out_elsewhere_reaches_a_sign_in_that_is_being_written() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    go_and_return(&first, &provider);
    first.client.dispose();
    let first = Page::in_tab(first.tab.clone(), &token_options("localStorage"));
    let client = first.client.clone();
    let started = watch(&world, async move { client.start().await.map(|(arrived, error)| (arrived.is_some(), error)) });
    world.write_takes.set(2000);
    world.advance(secs(1));
    assert!(started.borrow().is_none());
    world.write_takes.set(0);
    second.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.advance(secs(10));
    // Either is fine, but not a record that nobody shows.
    let stored = first.tab.store.dump().contains("access");
    assert_eq!(
        stored,
        first.status() == "authenticated",
        "{:?} {} {}",
        started.borrow(),
        first.status(),
        first.tab.store.dump()
    );
    invariants::hold(&world);
}

#[test]
fn a_duplicated_tab_with_a_refresh_cookie_goes_on_renewing() {
    let (log, alive) = (Rc::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let options = FIRST_PARTY.replace("COOKIE", "true").replace(
        r#""allowedOrigins""#,
        r#""storage":{"kind":"sessionStorage","dangerouslyPlaintext":true},"allowedOrigins""#,
    );
    let first = Page::open(&world, APP, &options);
    first.run(|client| async move { client.start().await.unwrap() });
    first.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let second = first.duplicate(&options);
    first.run(|client| async move { client.renew().await.unwrap() });
    assert_eq!(second.run(|client| async move { client.renew().await }).map_err(|error| error.code), Ok(()));
    invariants::hold(&world);
}

#[test]
fn a_session_whose_refresh_token_was_spent_elsewhere_ends_with_its_access_token() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "sessionStorage");
    let second = first.duplicate(&token_options("sessionStorage"));
    first.run(|client| async move { client.renew().await.unwrap() });
    world.advance(secs(3000));
    assert!(!provider.reused.get());
    assert_eq!(reason(&second), Some(SignedOutReason::Expired), "{:?}", second.client.snapshot());
    invariants::hold(&world);
}

#[test]
fn a_duplicated_tab_that_is_reloaded_does_not_spend_the_token_again() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "sessionStorage");
    let second = first.duplicate(&token_options("sessionStorage"));
    first.run(|client| async move { client.renew().await.unwrap() });
    second.client.dispose();
    let second = Page::in_tab(second.tab.clone(), &token_options("sessionStorage"));
    second.run(|client| async move { client.start().await.unwrap() });
    drop(second.run(|client| async move { client.renew().await }));
    assert!(!provider.reused.get());
    invariants::hold(&world);
}

#[test]
fn a_second_sign_out_asks_about_the_refresh_cookie_again() {
    let (log, alive) = (Rc::<RefCell<Vec<String>>>::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let page = Page::open(&world, APP, &FIRST_PARTY.replace("COOKIE", "true"));
    page.run(|client| async move { client.start().await.unwrap() });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    world.serve(|_, _| Reply::json(503, ""));
    assert!(page.run(|client| async move { client.logout(Ending::Local).await }).is_err());
    // The server is still down; the second try must not say that all is well.
    let again = page.run(|client| async move { client.logout(Ending::Local).await });
    assert!(again.is_err(), "the cookie stands, and nobody was asked: {again:?}");
    invariants::hold(&world);
}

#[test]
fn a_start_that_asks_about_a_refresh_cookie_heeds_a_sign_out_elsewhere() {
    let (log, alive) = (Rc::<RefCell<Vec<String>>>::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let options = FIRST_PARTY.replace("COOKIE", "true");
    let first = Page::open(&world, APP, &options);
    first.run(|client| async move { client.start().await.unwrap() });
    first.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let tokens = r#"{"access_token":"access-2","token_type":"bearer","expires_in":600,"user":{"sub":"alice"}}"#;
    world.serve(move |request, _| match request.url.path() {
        "/auth/refresh" => Reply { after: secs(2), ..Reply::json(200, tokens) },
        _ => Reply::json(204, ""),
    });
    let second = Page::open(&world, APP, &options);
    let client = second.client.clone();
    let started = watch(&world, async move { client.start().await.is_ok() });
    world.advance(secs(1));
    first.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    world.advance(secs(5));
    assert_eq!(*started.borrow(), Some(true));
    assert_eq!(second.status(), "unauthenticated");
    invariants::hold(&world);
}

#[test]
fn a_mark_without_a_name_does_not_hang_a_start() {
    let (log, alive) = (Rc::<RefCell<Vec<String>>>::default(), Rc::new(Cell::new(true)));
    let world = first_party_world(&log, &alive);
    let options = FIRST_PARTY.replace("COOKIE", "true").replace(
        r#""allowedOrigins""#,
        r#""storage":{"kind":"localStorage","dangerouslyPlaintext":true},"id":"x","allowedOrigins""#,
    );
    world.shared.borrow_mut().insert("authsafe.x.session".to_owned(), r#"{"v":1,"ended":""}"#.to_owned());
    let page = Page::open(&world, APP, &options);
    let client = page.client.clone();
    let started = watch(&world, async move { client.start().await.is_ok() });
    world.advance(secs(600));
    assert_eq!(*started.borrow(), Some(true), "init() hangs");
    invariants::hold(&world);
}

#[test]
fn two_requests_with_the_same_refused_csrf_token_are_both_sent_again() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in_to_server(&world);
    let given = [(); 2].map(|()| {
        let api = "https://app.example/api";
        page.run(move |client| async move { client.authorize(api, "POST").await.unwrap().unwrap().credential })
    });
    server.token.set(99);
    let again = given.map(|name| page.run(move |client| async move { client.answered(name, 403, None).await }));
    assert_eq!(again, [true, true]);
    // The one that was fetched in between is good, and stays.
    let good = page.run(|client| async move { client.authorize("https://app.example/api", "POST").await.unwrap() });
    let [late, _] = given;
    assert!(page.run(move |client| async move { client.answered(late, 403, None).await }));
    world.requests.borrow_mut().clear();
    let next = page.run(|client| async move { client.authorize("https://app.example/api", "POST").await.unwrap() });
    assert_eq!((next, world.requests.borrow().len()), (good, 0));
    invariants::hold(&world);
}

#[test]
fn a_renewal_that_is_superseded_after_a_dispose_is_revoked() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    provider.faults.borrow_mut().push(Reply {
        after: secs(5),
        ..Reply::json(
            200,
            r#"{"access_token":"access-late","token_type":"Bearer","expires_in":600,"refresh_token":"refresh-late"}"#,
        )
    });
    let client = first.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.run();
    first.client.dispose();
    second.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.advance(secs(10));
    assert!(is_mark(&first.tab.store.dump()), "{}", first.tab.store.dump());
    assert!(provider.revoked.borrow().iter().any(|body| body.contains("refresh-late")));
    invariants::hold(&world);
}

#[test]
fn a_sign_in_that_is_overtaken_while_it_is_written_is_announced_and_renewed() {
    let provider = Provider::new();
    let server = Rc::clone(&provider);
    let world = World::new(START, move |request, now| match request.url.path() {
        "/login" => Reply::json(401, "{}"),
        _ => server.answer(request, now),
    });
    let before = Page::open(&world, APP, &both_options("localStorage"));
    before.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&before, &provider);
    before.client.dispose();
    let page = Page::in_tab(before.tab.clone(), &both_options("localStorage"));
    let client = page.client.clone();
    world.start(async move { drop(client.start().await) });
    world.run();
    world.write_takes.set(2000);
    world.advance(secs(1));
    assert_eq!(provider.rotations.get(), 1);
    let error = page.run(|client| async move { client.login(bob()).await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::CredentialsRejected);
    world.write_takes.set(0);
    world.advance(secs(5));
    assert_eq!(page.status(), "authenticated");
    assert_eq!(page.events(), ["SignedIn"]);
    world.advance(secs(600));
    assert!(provider.rotations.get() > 1, "not renewed");
    invariants::hold(&world);
}

#[test]
fn a_request_that_waits_for_a_token_does_not_get_that_of_another_user() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    world.mute(first.tab.id);
    *provider.sub.borrow_mut() = "bob".to_owned();
    sign_in_again(&second, &provider);
    // Longer than the token lives: the tab must renew first, and finds Bob's session.
    let token = first.run(|client| async move { client.access_token(secs(599)).await.map(|(token, _)| token) });
    assert!(token.is_err(), "{}", token.unwrap().expose());
    invariants::hold(&world);
}

#[test]
fn a_sign_in_beside_a_restore_that_is_tried_again_reports_no_failure() {
    let (log, alive) = (Rc::<RefCell<Vec<String>>>::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    world.serve(|_, _| Reply::json(503, ""));
    let page = Page::open(&world, APP, &FIRST_PARTY.replace("COOKIE", "true"));
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(reason(&page), Some(SignedOutReason::Error));
    let tokens = r#"{"access_token":"access-2","token_type":"bearer","expires_in":600,"user":{"sub":"alice"}}"#;
    world.serve(move |request, _| match request.url.path() {
        "/auth/refresh" => Reply { after: secs(1), ..Reply::json(401, "{}") },
        _ => Reply { after: secs(3), ..Reply::json(200, tokens) },
    });
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.run();
    page.reports.borrow_mut().clear();
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    assert_eq!(page.events(), ["SignedIn"]);
    invariants::hold(&world);
}

#[test]
fn a_restore_that_succeeds_after_a_failed_sign_in_is_announced() {
    let (log, alive) = (Rc::<RefCell<Vec<String>>>::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    world.serve(|_, _| Reply::json(503, ""));
    let page = Page::open(&world, APP, &FIRST_PARTY.replace("COOKIE", "true"));
    page.run(|client| async move { client.start().await.unwrap() });
    let tokens = r#"{"access_token":"access-2","token_type":"bearer","expires_in":600,"user":{"sub":"alice"}}"#;
    world.serve(move |request, _| match request.url.path() {
        "/auth/refresh" => Reply { after: secs(1), ..Reply::json(200, tokens) },
        _ => Reply { after: secs(3), ..Reply::json(401, "{}") },
    });
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.run();
    page.reports.borrow_mut().clear();
    page.run(|client| async move { client.login(password("wrong")).await.unwrap_err() });
    let told = page.events().contains(&"SignedIn".to_owned());
    assert_eq!(page.status() == "authenticated", told, "{:?}", page.events());
    invariants::hold(&world);
}

#[test]
fn the_tokens_of_a_callback_do_not_come_back_after_a_sign_out() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    let (arrived, _) = page.run(|client| async move { client.start().await.unwrap() });
    assert!(arrived.is_none(), "the machine still holds {:?}", arrived.map(|a| a.session.tokens().is_some()));
    invariants::hold(&world);
}

#[test]
fn an_extension_that_is_under_way_settles_when_a_sign_in_completes() {
    let server = Server::new();
    let inner = Rc::clone(&server);
    let world = World::new(START, move |request, now| {
        let slow = request.url.path() == "/extend";
        let reply = inner.answer(request, now);
        if slow { Reply { after: secs(5), ..reply } } else { reply }
    });
    let page =
        Page::open(&world, APP, &OPTIONS.replace(r#","recheck":{"intervalSeconds":120}"#, r#","recheck":false"#));
    page.run(|client| async move { client.start().await.unwrap() });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let client = page.client.clone();
    let extended = watch(&world, async move { client.extend().await.is_ok() });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    world.advance(secs(60));
    assert!(extended.borrow().is_some(), "extend() hangs");
    invariants::hold(&world);
}

#[test]
fn a_sign_out_of_a_tab_that_knows_nobody_reaches_the_tab_that_does() {
    // The other tab heard nothing of the sign-out of a tab that had no session of its own any more.
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    second.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.mute(second.tab.id);
    let first = sign_in_again(&first, &provider);
    // The second tab still believes that nobody is signed in; the user signs out there.
    second.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.run();
    assert_eq!(reason(&first), Some(SignedOutReason::LoggedOutElsewhere), "{}", first.status());
    invariants::hold(&world);
}

#[test]
fn a_clock_that_is_set_back_by_a_minute_loses_no_timer() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    // Clock moved back by little while an alarm is about to ring.
    world.advance(secs(100));
    world.jump(-61_500);
    world.advance(secs(3000));
    assert_eq!(page.status(), "authenticated");
    assert!(provider.rotations.get() > 3, "{}", provider.rotations.get());
    invariants::hold(&world);
}

#[test]
fn a_tab_that_heard_of_a_sign_out_does_not_undo_it_by_asking_the_server() {
    for slow in [true, false] {
        let server = Server::new();
        let inner = Rc::clone(&server);
        let world = World::new(START, move |request, now| match (request.url.path(), slow) {
            ("/logout", true) => Reply { after: secs(5), ..Reply::json(204, "") },
            ("/logout", false) => Reply::json(503, ""),
            _ => inner.answer(request, now),
        });
        let first = signed_in_to_server(&world);
        let second = open(&world);
        assert_eq!(second.status(), "authenticated");
        world.advance(secs(20));
        let client = first.client.clone();
        world.start(async move { drop(client.logout(Ending::Provider).await) });
        world.advance(secs(1));
        assert_eq!(reason(&second), Some(SignedOutReason::LoggedOutElsewhere));
        second.client.page_changed(PageNews::Visible);
        world.advance(secs(1));
        assert_eq!(reason(&second), Some(SignedOutReason::LoggedOutElsewhere), "slow {slow}");
        invariants::hold(&world);
    }
}

#[test]
fn a_clock_that_is_set_back_while_a_renewal_is_written_prolongs_nothing() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    world.write_takes.set(2000);
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.advance(secs(1));
    world.jump(-3_600_000);
    page.client.page_changed(PageNews::Visible);
    world.advance(secs(5));
    let authsafe::machine::Snapshot::Authenticated(_, facts, _) = page.client.snapshot() else { panic!() };
    // Ten minutes from now, by the clock as it is now.
    let end = facts.expires_at.unwrap().0;
    assert!(end < START, "{end:?} is an hour late");
    invariants::hold(&world);
}

#[test]
fn a_body_of_an_endpoint_that_has_none_is_refused() {
    for options in [
        r#"{"mode":"session","endpoints":{"session":{"url":"/session","body":"form"}}}"#,
        r#"{"mode":"session","endpoints":{"session":"/session","login":{"url":"/login","navigate":true,"body":"form"}}}"#,
    ] {
        let here = authsafe::types::WebUrl::parse(APP).unwrap();
        let json = authsafe::types::Json::parse(options).unwrap();
        assert!(authsafe::client::options::Config::parse(&json, &here).is_err(), "{options}");
    }
}
