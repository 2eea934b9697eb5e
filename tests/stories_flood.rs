//! Words that come faster than they can be acted upon, and wishes that are overtaken by others while the medium is slow.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::PageNews;
use authsafe::machine::{Ending, Login};
use authsafe::ports::fake::Reply;
use authsafe::types::Lifetime;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::{Page, Provider, another, invariants, secs, session, sign_in_again, signed_in, token_options, world_of};

fn begin_login(page: &Page) {
    let client = page.client.clone();
    let login = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
    page.tab.world.start(async move { drop(client.login(login).await) });
}

#[test]
fn a_flood_of_words_about_renewals_has_the_medium_read_no_more_often_than_it_answers() {
    for storage in ["localStorage", "sessionStorage"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, storage);
        world.reads.set(0);
        world.read_takes.set(100);
        for count in 0..1_000 {
            page.client.hear(&format!("c {count:032x} {count}"));
        }
        world.advance(secs(10));
        // A word of something that the medium does not show yet has it read again, five times.
        assert!(world.reads.get() <= 7, "{storage}: {} reads", world.reads.get());
        assert_eq!(page.status(), "authenticated");
        page.run(|client| async move { client.renew().await.unwrap() });
        invariants::hold(&world);
    }
}

#[test]
fn a_flood_of_visits_has_the_medium_read_no_more_often_than_it_answers() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    world.reads.set(0);
    world.read_takes.set(100);
    for _ in 0..1_000 {
        page.client.page_changed(PageNews::Visible);
    }
    world.advance(secs(10));
    assert!(world.reads.get() <= 2, "{} reads", world.reads.get());
    assert_eq!(page.run(|client| async move { client.access_token(secs(5)).await.map(drop) }), Ok(()));
    invariants::hold(&world);
}

#[test]
fn what_was_stored_while_the_medium_was_being_read_is_read_afterwards() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    let other = another(&world);
    world.read_takes.set(100);
    for _ in 0..3 {
        other.client.page_changed(PageNews::Visible);
    }
    world.advance(Lifetime::from_millis(50));
    page.run(|client| async move { client.renew().await.unwrap() });
    world.advance(secs(2));
    let token = |page: &Page| {
        page.run(|client| async move { client.access_token(Lifetime::ZERO).await.unwrap().0.expose().to_owned() })
    };
    assert_eq!(token(&other), token(&page));
    assert_eq!(other.events().iter().filter(|name| *name == "Refreshed").count(), 1);
    invariants::hold(&world);
}

#[test]
fn a_flood_of_words_in_session_mode_asks_the_server_at_a_measured_pace_and_misses_nothing() {
    let server = session::Server::new();
    let world = server.world();
    let page = session::open(&world);
    page.run(|client| async move { client.login(session::password("wonderland")).await.unwrap() });
    world.requests.borrow_mut().clear();
    for at in 0..600 {
        page.client.hear(&format!("c {at:032x} {at}"));
        page.client.hear(&format!("o expired {at:032x} {at}"));
        world.advance(Lifetime::from_millis(100));
    }
    let asked = world.requests.borrow().iter().filter(|request| request.contains("/session")).count();
    assert!((10..=31).contains(&asked), "{asked} in a minute");
    // Another user signs in while the last question is being answered.
    world.advance(secs(5));
    page.client.hear("c 0 1");
    *server.user.borrow_mut() = Some("bob");
    page.client.hear("c 0 2");
    world.advance(secs(5));
    assert!(page.events().contains(&"UserChanged".to_owned()), "{:?}", page.events());
    invariants::hold(&world);
}

#[test]
fn words_do_not_undo_a_sign_out_of_this_tab_later_on() {
    let server = session::Server::new();
    let world = server.world();
    let page = session::open(&world);
    page.run(|client| async move { client.login(session::password("wonderland")).await.unwrap() });
    page.client.hear("c 0 1");
    page.client.hear("c 0 2");
    *server.fault.borrow_mut() = Some(|| Reply::with(503, "text/plain", ""));
    page.run(|client| async move { drop(client.logout(Ending::Provider).await) });
    *server.fault.borrow_mut() = None;
    world.advance(secs(60));
    assert_eq!(page.status(), "unauthenticated", "the server could not be told, and its cookie still stands");
}

#[test]
fn a_server_that_asks_to_wait_beyond_the_turn_is_not_asked_again_at_once() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    // The answer comes when the turn is over, as the tab stood still meanwhile.
    let (served, tab) = (Rc::clone(&provider), page.tab.id);
    let asked: Rc<RefCell<Vec<i64>>> = Rc::default();
    let seen = Rc::clone(&asked);
    let busy = Rc::new(Cell::new(true));
    let while_busy = Rc::clone(&busy);
    world.serve(move |request, now| {
        if request.url.path() == "/token" && request.method == "POST" {
            seen.borrow_mut().push(now.seconds());
            if while_busy.get() {
                return Reply::json(429, "{}").header("retry-after", "120");
            }
        }
        served.answer(request, now)
    });
    let outcome = Rc::new(Cell::new(None));
    let (client, told) = (page.client.clone(), Rc::clone(&outcome));
    world.start(async move { told.set(Some(client.renew().await.map_err(|error| error.code))) });
    world.advance(Lifetime::from_millis(20));
    world.freeze(tab);
    world.advance(secs(20));
    busy.set(false);
    world.thaw(tab);
    world.advance(secs(60));
    assert_eq!(asked.borrow().len(), 1, "it asked to wait: {:?}", asked.borrow());
    assert_eq!(outcome.take(), Some(Err(authsafe::error::ErrorCode::RateLimited)));
    assert!(page.events().contains(&"RefreshFailed".to_owned()));
    world.advance(secs(120));
    assert_eq!(asked.borrow().len(), 2, "and by then it is asked again");
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn a_page_that_was_to_leave_for_the_provider_stays_where_the_user_signs_out_before_it_does() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.tab.navigations.borrow_mut().clear();
    world.write_takes.set(3_000);
    // The record of a renewal is being written when the sign-in is ready to leave, which waits for it.
    let server = Rc::clone(&provider);
    world.serve(move |request, now| server.answer(request, now).slow(secs(2)));
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.advance(Lifetime::from_millis(10));
    begin_login(&page);
    world.advance(secs(4));
    let client = page.client.clone();
    world.start(async move { drop(client.logout(Ending::Local).await) });
    world.advance(secs(30));
    assert_eq!(*page.tab.navigations.borrow(), Vec::<String>::new());
    assert_eq!(page.status(), "unauthenticated");
    invariants::hold(&world);
}

#[test]
fn a_page_that_was_to_leave_for_a_sign_out_stays_where_the_user_signs_in_before_it_does() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.tab.navigations.borrow_mut().clear();
    world.write_takes.set(3_000);
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.advance(secs(1));
    let client = page.client.clone();
    world.start(async move { drop(client.logout(Ending::Provider).await) });
    world.advance(secs(1));
    begin_login(&page);
    world.advance(secs(30));
    let left_for = page.tab.navigations.borrow().clone();
    assert!(left_for.iter().all(|url| url.contains("/authorize")), "{left_for:?}");
    assert_eq!(left_for.len(), 1, "{left_for:?}");
    invariants::hold(&world);
}

#[test]
fn a_second_click_on_sign_out_does_not_keep_the_page_from_the_provider_s() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.tab.navigations.borrow_mut().clear();
    world.write_takes.set(3_000);
    for _ in 0..2 {
        let client = page.client.clone();
        world.start(async move { drop(client.logout(Ending::Provider).await) });
        world.advance(secs(1));
    }
    world.advance(secs(30));
    let left_for = page.tab.navigations.borrow().clone();
    assert!(left_for.iter().any(|url| url.contains("id_token_hint=")), "{left_for:?}");
    invariants::hold(&world);
}

#[test]
fn a_read_that_began_before_another_client_of_the_tab_had_stored_its_renewal_costs_no_refresh_token() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "sessionStorage");
    let twin = Page::in_tab(page.tab.clone(), &token_options("sessionStorage"));
    twin.run(|client| async move { client.start().await.unwrap() });
    world.read_takes.set(1_000);
    twin.client.hear("c somebody 5");
    world.run();
    world.read_takes.set(0);
    let said = world.said.borrow().len();
    page.run(|client| async move { client.renew().await.unwrap() });
    let word = world.said.borrow().get(said).unwrap().1.clone();
    twin.client.hear(&word);
    world.advance(secs(2));
    assert!(page.tab.store.dump().contains("refresh-2"), "{}", page.tab.store.dump());
    assert_eq!(twin.run(|client| async move { client.renew().await }), Ok(()));
    assert!(!provider.reused.get());
    invariants::hold(&world);
}

/// A page of session mode on which somebody is signed in, and what its server is asked from then on.
fn session_page() -> (Rc<session::Server>, Rc<authsafe::ports::fake::World>, Page) {
    let server = session::Server::new();
    let world = server.world();
    let page = session::open(&world);
    page.run(|client| async move { client.login(session::password("wonderland")).await.unwrap() });
    world.advance(secs(5));
    world.requests.borrow_mut().clear();
    (server, world, page)
}

fn asked(world: &authsafe::ports::fake::World) -> usize {
    world.requests.borrow().iter().filter(|request| request.ends_with("/session")).count()
}

fn sub(page: &Page) -> Option<String> {
    let authsafe::machine::Snapshot::Authenticated(user, ..) = page.client.snapshot() else { return None };
    user.get("sub").and_then(authsafe::types::Json::text).map(str::to_owned)
}

#[test]
fn a_word_that_waited_for_a_server_is_acted_upon_as_soon_as_that_answers() {
    let (server, world, page) = session_page();
    *server.fault.borrow_mut() = Some(|| Reply::json(429, "{}").header("retry-after", "300"));
    page.run(|client| async move { client.check().await.unwrap_err() });
    page.client.hear("c 0 1");
    world.advance(secs(5));
    *server.fault.borrow_mut() = None;
    page.run(|client| async move { client.check().await.unwrap() });
    *server.user.borrow_mut() = Some("bob");
    page.client.hear("c 0 2");
    world.advance(secs(5));
    assert!(page.events().contains(&"UserChanged".to_owned()), "{:?}", page.events());
    invariants::hold(&world);
}

#[test]
fn a_word_that_comes_during_an_answer_about_somebody_else_is_not_lost() {
    let (server, world, page) = session_page();
    *server.user.borrow_mut() = Some("bob");
    page.client.hear("c 0 1");
    world.advance(Lifetime::from_millis(10));
    *server.user.borrow_mut() = Some("carol");
    page.client.hear("c 0 2");
    world.advance(secs(5));
    assert_eq!(sub(&page).as_deref(), Some("carol"));
    invariants::hold(&world);
}

#[test]
fn a_server_that_asks_to_wait_is_not_asked_because_of_words_calls_or_looks() {
    let (server, world, page) = session_page();
    *server.fault.borrow_mut() = Some(|| Reply::json(429, "{}").header("retry-after", "120").slow(secs(1)));
    page.client.hear("c 0 1");
    world.advance(Lifetime::from_millis(500));
    page.client.hear("c 0 2");
    for _ in 0..60 {
        world.advance(secs(1));
        page.client.hear("c 0 3");
        page.client.page_changed(PageNews::Visible);
        page.run(|client| async move { client.answered(session::ANY, 401, None).await });
    }
    assert_eq!(asked(&world), 1);
    world.advance(secs(120));
    assert!(asked(&world) >= 2, "and by then it is");
    assert_eq!(page.status(), "authenticated");
}

#[test]
fn a_network_that_comes_back_is_no_reason_to_go_on_waiting() {
    let (server, world, page) = session_page();
    *server.fault.borrow_mut() = Some(|| Reply::failure(authsafe::protocol::http::HttpFailure::NetworkOrCors));
    for _ in 0..6 {
        page.run(|client| async move { client.check().await.unwrap_err() });
    }
    *server.fault.borrow_mut() = None;
    world.requests.borrow_mut().clear();
    page.client.page_changed(PageNews::Online);
    world.advance(Lifetime::from_millis(100));
    assert_eq!(asked(&world), 1);
    invariants::hold(&world);
}

#[test]
fn a_client_that_was_disposed_of_asks_nobody_about_a_word() {
    let (_server, world, page) = session_page();
    page.client.hear("c 0 1");
    world.advance(Lifetime::from_millis(10));
    page.client.hear("c 0 2");
    page.client.dispose();
    world.advance(secs(60));
    assert_eq!(asked(&world), 1);
}

#[test]
fn a_page_that_was_told_of_a_session_while_another_signed_out_learns_of_that() {
    // Before the server has ended it, and after.
    for early in [true, false] {
        let (server, world, page) = session_page();
        let late = Rc::clone(&server);
        world.serve(move |request, now| {
            let reply = late.answer(request, now);
            if request.url.path() == "/logout" || request.url.path() == "/session" {
                reply.slow(secs(2))
            } else {
                reply
            }
        });
        let other = Page::open(&world, support::APP, session::OPTIONS);
        let begin = || {
            let client = other.client.clone();
            world.start(async move { drop(client.start().await) });
        };
        let logout = || {
            let client = page.client.clone();
            world.start(async move { drop(client.logout(Ending::Provider).await) });
        };
        if early {
            begin();
            world.advance(Lifetime::from_millis(100));
            logout();
        } else {
            // The server takes its time: the new page is answered as if nothing had happened.
            let user = *server.user.borrow();
            logout();
            world.advance(Lifetime::from_millis(100));
            *server.user.borrow_mut() = user;
            begin();
            world.advance(Lifetime::from_millis(100));
            *server.user.borrow_mut() = None;
        }
        world.advance(secs(20));
        assert_eq!(other.status(), "unauthenticated", "{early}");
        invariants::hold(&world);
    }
}

#[test]
fn a_renewal_that_comes_after_the_same_user_signed_in_again_revokes_nothing_of_that() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    let other = another(&world);
    let server = Rc::clone(&provider);
    let slow = Rc::new(Cell::new(true));
    let takes = Rc::clone(&slow);
    world.serve(move |request, now| {
        let reply = server.answer(request, now);
        if takes.get() && request.url.path() == "/token" { reply.slow(secs(5)) } else { reply }
    });
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.advance(secs(1));
    slow.set(false);
    let other = sign_in_again(&other, &provider);
    provider.revoked.borrow_mut().clear();
    world.advance(secs(10));
    assert_eq!(*provider.revoked.borrow(), Vec::<String>::new());
    assert_eq!((page.status(), other.status()), ("authenticated", "authenticated"));
    page.run(|client| async move { client.renew().await.unwrap() });
    invariants::hold(&world);
}
