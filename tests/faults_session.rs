//! Faults in session mode that once broke something, each as a story.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::PageNews;
use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, SignedOutReason};
use authsafe::ports::fake::{Reply, World};
use authsafe::types::Lifetime;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::invariants;
use support::session::*;
use support::{APP, Page, START};

fn count(world: &World, what: &str) -> usize {
    world.requests.borrow().iter().filter(|r| r.contains(what)).count()
}

#[test]
fn a_session_endpoint_that_redirects_is_asked_at_a_measured_pace() {
    let server = Server::new();
    let world = server.world();
    let page = Page::open(&world, APP, &OPTIONS.replace(r#","recheck":{"intervalSeconds":120}"#, ""));
    page.run(|client| async move { client.start().await.unwrap() });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    *server.fault.borrow_mut() = Some(|| Reply::with(0, "text/html", ""));
    world.requests.borrow_mut().clear();
    world.advance(Lifetime::from_seconds(660));
    assert!(count(&world, "/session") < 20);
    invariants::hold(&world);
}

#[test]
fn a_session_that_ended_by_this_clock_only_is_asked_about_at_a_measured_pace() {
    let world = World::new(START, |_, now| {
        let now = now.seconds() - 3600;
        Reply::json(200, &format!(r#"{{"user":{{"sub":"a"}},"expiresAt":{}}}"#, now + 1800))
    });
    let page = Page::open(&world, APP, r#"{"mode":"session","endpoints":{"session":"/session"}}"#);
    page.run(|client| async move { client.start().await.unwrap() });
    world.advance(Lifetime::from_seconds(60));
    assert!(count(&world, "/session") < 20);
    invariants::hold(&world);
}

#[test]
fn extensions_at_the_same_time_share_one_request() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    page.run(|c| async move { c.extend().await.unwrap() });
    world.requests.borrow_mut().clear();
    for _ in 0..50 {
        let c = page.client.clone();
        world.start(async move {
            let _ = c.renew().await;
        });
    }
    world.advance(Lifetime::from_seconds(5));
    assert_eq!(count(&world, "/extend"), 1);
    invariants::hold(&world);
}

#[test]
fn a_user_without_a_subject_may_change_by_a_renewal() {
    let n = Rc::new(Cell::new(0_u64));
    let world = World::new(START, move |request, _| {
        n.set(n.get() + 1);
        match request.url.path() {
            "/auth/logout" => Reply::json(204, ""),
            _ => Reply::json(
                200,
                &format!(
                    r#"{{"access_token":"a","refresh_token":"r","token_type":"bearer","expires_in":600,"user":{{"id":1,"seen":{}}}}}"#,
                    n.get()
                ),
            ),
        }
    });
    let page = Page::open(&world, APP, &FIRST_PARTY.replace("COOKIE", "false"));
    page.run(|client| async move { client.start().await.unwrap() });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let r = page.run(|c| async move { c.renew().await });
    assert!(r.is_ok());
    invariants::hold(&world);
}

#[test]
fn a_csrf_token_that_the_server_no_longer_accepts_is_replaced_and_the_call_made_once_more() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    page.run(|client| async move { client.extend().await.unwrap() });
    server.token.set(7);
    page.run(|client| async move { client.extend().await.unwrap() });
    server.token.set(8);
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    assert_eq!(*server.user.borrow(), None);
    assert_eq!(*server.seen_tokens.borrow(), ["csrf-1", "csrf-2", "csrf-2", "csrf-7", "csrf-7", "csrf-8"]);
    invariants::hold(&world);
}

#[test]
fn a_server_that_refuses_every_csrf_token_is_asked_twice_and_no_more() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    page.run(|client| async move { client.extend().await.unwrap() });
    world.serve(|request, _| match request.method.as_str() {
        "GET" => Reply::json(200, r#"{"csrfToken":"any"}"#),
        _ => Reply::json(403, r#"{"error":"csrf"}"#),
    });
    world.requests.borrow_mut().clear();
    let error = page.run(|client| async move { client.extend().await.unwrap_err() });
    assert_eq!(error.code.as_str(), "csrf_rejected");
    assert_eq!(count(&world, "/extend"), 2);
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn a_csrf_token_that_only_the_session_tells_is_had_from_there() {
    let told = Rc::new(Cell::new(1));
    let seen: Rc<RefCell<Vec<String>>> = Rc::default();
    let (server, log) = (Rc::clone(&told), Rc::clone(&seen));
    let world = World::new(START, move |request, now| {
        let token = request.headers.iter().find(|(name, _)| name == "x-csrf-token").map(|(_, value)| value.clone());
        let good = token == Some(format!("t-{}", server.get()));
        log.borrow_mut().extend(token);
        if request.method == "POST" && !good {
            return Reply::json(403, "{}");
        }
        let (end, token) = (now.seconds() + 600, server.get());
        Reply::json(200, &format!(r#"{{"user":{{"sub":"a"}},"expiresAt":{end},"csrfToken":"t-{token}"}}"#))
    });
    let page = Page::open(&world, APP, &OPTIONS.replace(r#","csrf":"/csrf""#, ""));
    page.run(|client| async move { client.start().await.unwrap() });
    told.set(2);
    page.run(|client| async move { client.extend().await.unwrap() });
    assert_eq!(*seen.borrow(), ["t-1", "t-2"]);
    invariants::hold(&world);
}

#[test]
fn an_extension_by_timer_that_failed_is_tried_again_as_an_extension() {
    let server = Server::new();
    let world = server.world();
    let page = Page::open(&world, APP, &OPTIONS.replace(r#""mode""#, r#""refresh":{"proactive":true},"mode""#));
    page.run(|client| async move { client.start().await.unwrap() });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    world.advance(Lifetime::from_seconds(530));
    *server.fault.borrow_mut() = Some(|| Reply::json(503, "{}").header("retry-after", "25"));
    world.advance(Lifetime::from_seconds(20));
    assert!(page.events().contains(&"RefreshFailed".to_owned()), "{:?}", page.events());
    *server.fault.borrow_mut() = None;
    // A look at the session in between finds it standing, and prolongs nothing.
    page.run(|client| async move { client.check().await.unwrap() });
    world.requests.borrow_mut().clear();
    world.advance(Lifetime::from_seconds(40));
    assert_eq!(count(&world, "/extend"), 1);
    world.advance(Lifetime::from_seconds(300));
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn a_late_answer_does_not_end_the_newer_session_of_the_same_cookie() {
    let (log, alive) = (Rc::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let page = Page::open(&world, APP, &FIRST_PARTY.replace("COOKIE", "true"));
    page.run(|client| async move { client.start().await.unwrap() });
    for _ in 0..2 {
        let client = page.client.clone();
        world.start(async move { drop(client.login(password("wonderland")).await) });
    }
    world.advance(Lifetime::from_seconds(5));
    assert_eq!(page.status(), "authenticated");
    assert!(alive.get(), "{:?}", log.borrow());
    // After a sign-out, a late answer leaves no cookie behind.
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    world.advance(Lifetime::from_seconds(5));
    assert!(!alive.get(), "{:?}", log.borrow());
    invariants::hold(&world);
}

#[test]
fn a_late_word_of_a_sign_out_does_not_end_the_newer_session_of_the_same_refresh_cookie() {
    let (log, alive) = (Rc::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let options = FIRST_PARTY.replace("COOKIE", "true");
    let words: Rc<RefCell<Vec<String>>> = Rc::default();
    let sink = Rc::clone(&words);
    world.listen(0, move |text| sink.borrow_mut().push(text.to_owned()));
    let pages = [(); 2].map(|()| Page::open(&world, APP, &options));
    for page in &pages {
        page.run(|client| async move { client.start().await.unwrap() });
        page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    }
    let [first, second] = pages;
    world.mute(second.tab.id);
    first.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    first.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let word = words.borrow().iter().find(|text| text.starts_with("o logged_out")).unwrap().clone();
    second.client.hear(&word);
    world.advance(Lifetime::from_seconds(5));
    assert_eq!((first.status(), second.status()), ("authenticated", "unauthenticated"));
    assert!(alive.get(), "{:?}", log.borrow());
    invariants::hold(&world);
}

#[test]
fn a_sign_in_waits_for_the_answer_to_a_sign_out_that_would_take_its_cookie_away() {
    let server = Server::new();
    let slow = Rc::clone(&server);
    let world = World::new(START, move |request, now| {
        let reply = slow.answer(request, now);
        if request.url.path() == "/logout" { Reply { after: Lifetime::from_seconds(3), ..reply } } else { reply }
    });
    let page = signed_in(&world);
    let client = page.client.clone();
    world.start(async move { drop(client.logout(Ending::Provider).await) });
    world.advance(Lifetime::from_seconds(1));
    world.requests.borrow_mut().clear();
    let client = page.client.clone();
    world.start(async move { drop(client.login(password("wonderland")).await) });
    world.advance(Lifetime::from_seconds(1));
    assert_eq!((page.status(), count(&world, "/login")), ("authenticating", 0));
    world.advance(Lifetime::from_seconds(5));
    assert_eq!((page.status(), count(&world, "/login")), ("authenticated", 1));
    invariants::hold(&world);
}

#[test]
fn a_signed_out_tab_looks_again_when_it_becomes_visible_but_does_not_undo_its_own_sign_out() {
    let server = Server::new();
    let world = server.world();
    let page = open(&world);
    // Somebody signs in by other ways than authsafe: on a page of the server's own, say.
    *server.user.borrow_mut() = Some("alice");
    server.ends_at.set(START.seconds() + 6000);
    world.advance(Lifetime::from_seconds(60));
    page.client.page_changed(PageNews::Visible);
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(page.status(), "authenticated");
    *server.fault.borrow_mut() = Some(|| Reply::json(503, "{}"));
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap_err() });
    *server.fault.borrow_mut() = None;
    world.advance(Lifetime::from_seconds(60));
    page.client.page_changed(PageNews::Visible);
    world.advance(Lifetime::from_seconds(60));
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOut));
    invariants::hold(&world);
}

#[test]
fn a_refresh_cookie_that_could_not_be_asked_about_at_start_is_asked_about_again() {
    for by_hand in [false, true] {
        let (log, alive) = (Rc::default(), Rc::new(Cell::new(true)));
        let world = first_party_world(&log, &alive);
        let down = Rc::new(Cell::new(true));
        let (is_down, cookie) = (Rc::clone(&down), Rc::clone(&alive));
        world.serve(move |_, _| match (is_down.get(), cookie.get()) {
            (true, _) => Reply::json(503, "{}"),
            (false, false) => Reply::json(401, "{}"),
            (false, true) => Reply::json(
                200,
                r#"{"access_token":"access-1","token_type":"Bearer","expires_in":600,"user":{"sub":"alice"}}"#,
            ),
        });
        let page = Page::open(&world, APP, &FIRST_PARTY.replace("COOKIE", "true"));
        let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
        assert_eq!(error.unwrap().code, ErrorCode::ServerError);
        assert_eq!(reason(&page), Some(SignedOutReason::Error));
        down.set(false);
        if by_hand {
            page.run(|client| async move { client.renew().await.unwrap() });
        } else {
            world.advance(Lifetime::from_seconds(60));
        }
        assert_eq!((page.status(), page.events().contains(&"SignedIn".to_owned())), ("authenticated", true));
        invariants::hold(&world);
    }
}

#[test]
fn a_session_that_ends_while_a_sign_in_is_tried_beside_it_does_not_come_back_when_that_fails() {
    let server = Server::new();
    let slow = Rc::clone(&server);
    let world = World::new(START, move |request, now| {
        let reply = slow.answer(request, now);
        if request.url.path() == "/login" { Reply { after: Lifetime::from_seconds(3), ..reply } } else { reply }
    });
    let page = signed_in(&world);
    *server.user.borrow_mut() = None;
    let client = page.client.clone();
    world.start(async move { drop(client.login(password("wrong")).await) });
    world.advance(Lifetime::from_seconds(1));
    page.run(|client| async move { client.check().await.unwrap() });
    assert_eq!(page.status(), "authenticating");
    world.advance(Lifetime::from_seconds(5));
    assert_eq!(reason(&page), Some(SignedOutReason::Expired));
    assert_eq!(page.events().iter().filter(|name| *name == "SignedOut").count(), 1);
    invariants::hold(&world);
}
