//! What the network, the user, other tabs and the application do: F38, F39 and F45 to F66 of docs/faults.md, as far as they
//! need no browser.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::PageNews;
use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, Login, SignedOutReason};
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::http::HttpFailure;
use authsafe::types::Lifetime;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::session::reason;
use support::*;

fn story(storage: &str) -> (Rc<Provider>, Rc<World>, Page) {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, storage);
    (provider, world, page)
}

fn renew(page: &Page) -> Result<(), ErrorCode> {
    page.run(|client| async move { client.renew().await.map_err(|error| error.code) })
}

fn sub(page: &Page) -> Option<String> {
    page.client.inside().session?.facts.sub.clone()
}

fn offline(world: &World) {
    world.serve(|_, _| Reply::failure(HttpFailure::NetworkOrCors));
}

fn online(world: &World, provider: &Rc<Provider>) {
    let server = Rc::clone(provider);
    world.serve(move |request, now| server.answer(request, now));
}

#[test]
fn f38_where_tabs_cannot_hear_each_other_a_look_at_the_tab_is_enough() {
    let (provider, world, first) = story("localStorage");
    let second = another(&world);
    world.deaf.set(true);
    first.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    second.client.page_changed(PageNews::Visible);
    world.run();
    assert_eq!(reason(&second), Some(SignedOutReason::LoggedOutElsewhere));
    // And the other way round: a tab where nobody is signed in finds that somebody is.
    let first = sign_in_again(&first, &provider);
    second.client.page_changed(PageNews::Visible);
    world.run();
    assert_eq!((sub(&first), sub(&second)), (Some("alice".to_owned()), Some("alice".to_owned())));
    world.deaf.set(false);
    invariants::hold(&world);
}

#[test]
fn f38_a_tab_does_not_take_its_own_ended_session_up_again() {
    let (_, world, page) = story("localStorage");
    // The record of before is still, or again, in the medium.
    let before = world.shared.borrow().clone();
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.shared.borrow_mut().extend(before);
    page.client.page_changed(PageNews::Visible);
    world.advance(secs(5));
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOut));
    invariants::hold(&world);
}

#[test]
fn f39_a_page_that_comes_back_after_a_sign_out_elsewhere_is_signed_out_before_anything_else() {
    let (provider, world, first) = story("localStorage");
    let second = another(&world);
    world.freeze(second.tab.id);
    world.deaf.set(true);
    first.run(|client| async move { client.logout(Ending::Revoke).await.unwrap() });
    world.advance(secs(7200));
    world.deaf.set(false);
    let asked = provider.token_requests.get();
    second.client.page_changed(PageNews::Restored);
    world.thaw(second.tab.id);
    assert_eq!(reason(&second), Some(SignedOutReason::LoggedOutElsewhere));
    assert_eq!(provider.token_requests.get(), asked);
    invariants::hold(&world);
}

#[test]
fn f45_a_start_without_a_network_uses_a_token_that_lives_and_keeps_one_that_does_not() {
    for expired in [false, true] {
        let (provider, world, page) = story("localStorage");
        page.client.dispose();
        world.jump(if expired { 3_600_000 } else { 0 });
        offline(&world);
        let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
        page.run(|client| async move { client.start().await.unwrap() });
        assert_eq!(page.status(), "authenticated");
        let token = page.run(|client| async move { client.access_token(Lifetime::ZERO).await });
        assert_eq!(token.is_ok(), !expired);
        online(&world, &provider);
        page.client.page_changed(PageNews::Online);
        world.advance(secs(2));
        let token = page.run(|client| async move { client.access_token(Lifetime::ZERO).await.unwrap().0 });
        assert_eq!(token.expose(), if expired { "access-2" } else { "access-1" });
        invariants::hold(&world);
    }
}

#[test]
fn f46_what_the_browser_says_of_the_network_forbids_no_try_and_makes_no_storm() {
    let (provider, world, page) = story("localStorage");
    offline(&world);
    assert_eq!(renew(&page), Err(ErrorCode::NetworkOrCors));
    // It says that it is back, again and again, and is not.
    for _ in 0..100 {
        page.client.page_changed(PageNews::Online);
        world.advance(Lifetime::from_millis(500));
    }
    online(&world, &provider);
    // And it says nothing when it is; all that asking made is a minute that is full.
    world.advance(secs(60));
    assert_eq!(renew(&page), Ok(()));
    invariants::hold(&world);
}

#[test]
fn f50_a_callback_that_is_opened_again_while_somebody_is_signed_in_leaves_that_session() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let before = Page::open(&world, APP, &token_options("localStorage"));
    before.run(|client| async move { client.start().await.unwrap() });
    let callback = go_and_return(&before, &provider);
    for round in 0..3 {
        before.tab.href.replace(callback.clone());
        let page = Page::in_tab(before.tab.clone(), &token_options("localStorage"));
        let (arrived, error) = page.run(|client| async move { client.start().await.unwrap() });
        assert_eq!((arrived.is_some(), page.status()), (round == 0, "authenticated"));
        assert_eq!(error.map(|error| error.code), (round > 0).then_some(ErrorCode::CallbackReplayed));
        assert!(!page.tab.href.borrow().contains("code="));
        page.client.dispose();
    }
    assert_eq!(provider.token_requests.get(), 1);
    invariants::hold(&world);
}

#[test]
fn f51_a_button_that_is_clicked_twice_leaves_once_with_one_pending_sign_in() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = Page::open(&world, APP, &token_options("memory"));
    page.run(|client| async move { client.start().await.unwrap() });
    let codes: Rc<RefCell<Vec<ErrorCode>>> = Rc::default();
    for _ in 0..2 {
        let (client, sink) = (page.client.clone(), Rc::clone(&codes));
        let login = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
        world.start(async move {
            if let Err(error) = client.login(login).await {
                sink.borrow_mut().push(error.code);
            }
        });
    }
    world.advance(secs(2));
    assert_eq!(page.tab.navigations.borrow().len(), 1);
    assert_eq!(*codes.borrow(), [ErrorCode::Aborted], "the first gave way to the second");
    invariants::hold(&world);
}

#[test]
fn f51_two_clients_on_one_page_share_one_flight() {
    let (provider, world, first) = story("localStorage");
    let second = Page::in_tab(first.tab.clone(), &token_options("localStorage"));
    second.run(|client| async move { client.start().await.unwrap() });
    world.jump(601_000);
    let asked = provider.token_requests.get();
    for page in [&first, &second] {
        let client = page.client.clone();
        world.start(async move { drop(client.access_token(secs(5)).await) });
    }
    world.advance(secs(5));
    assert_eq!(provider.token_requests.get() - asked, 1);
    invariants::hold(&world);
}

#[test]
fn f52_of_two_sign_ins_in_two_tabs_the_last_one_counts_in_both() {
    let grants = grants::Grants::new(grants::Rotation::Strict);
    let mut game = play::Game::of(&grants, "localStorage", 2);
    for each in [
        play::Move::Open,
        play::Move::Open,
        play::Move::Login(0, false),
        play::Move::Login(1, true),
        play::Move::Advance(5000),
    ] {
        game.make(&each);
    }
    assert_eq!(game.pages.iter().map(sub).collect::<Vec<_>>(), [Some("bob".to_owned()), Some("bob".to_owned())]);
    let events = game.pages[0].events();
    assert!(events.contains(&"UserChanged".to_owned()), "{events:?}");
    assert_eq!(game.finish(), Vec::<String>::new());
}

#[test]
fn f54_a_sign_out_without_a_network_keeps_nothing_for_later() {
    let (_, world, page) = story("localStorage");
    offline(&world);
    assert!(page.run(|client| async move { client.logout(Ending::Revoke).await }).is_err());
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOut));
    let everything: String = world.shared.borrow().values().cloned().chain([page.tab.transactions.dump()]).collect();
    assert!(!everything.contains("refresh-1"), "{everything}");
    let asked = world.requests.borrow().len();
    page.client.page_changed(PageNews::Online);
    world.advance(secs(86_400));
    assert_eq!(world.requests.borrow().len(), asked);
    invariants::hold(&world);
}

#[test]
fn f58_a_renewal_whose_page_is_left_is_made_good_by_the_next_page() {
    for after in [10, 60, 110, 300] {
        let grants = grants::Grants::new(grants::Rotation::Grace(60));
        let mut game = play::Game::of(&grants, "localStorage", 1);
        for each in [
            play::Move::Open,
            play::Move::Login(0, false),
            play::Move::Advance(2000),
            play::Move::Server(play::Trouble::Slow(200)),
            play::Move::Renew(0),
            play::Move::Advance(after),
            play::Move::Reload(0),
            play::Move::Advance(2000),
            play::Move::Renew(0),
        ] {
            game.make(&each);
        }
        assert_eq!(game.finish(), Vec::<String>::new(), "{after}");
        assert_eq!(game.pages[0].status(), "authenticated", "{after}");
    }
}

#[test]
fn f60_of_two_hundred_calls_that_are_refused_each_is_made_once_more_after_one_renewal() {
    let grants = grants::Grants::new(grants::Rotation::Strict);
    let mut game = play::Game::of(&grants, "localStorage", 1);
    for each in [play::Move::Open, play::Move::Login(0, false), play::Move::Advance(2000), play::Move::Refuse] {
        game.make(&each);
    }
    game.world.log.borrow_mut().retain(|each| each.url.contains("/token"));
    for _ in 0..200 {
        game.make(&play::Move::Call(0));
    }
    game.make(&play::Move::Advance(5000));
    let log = game.world.log.borrow();
    let count = |what: &str, status| log.iter().filter(|each| each.url.contains(what) && each.status == status).count();
    assert_eq!((count("api.example", Some(401)), count("api.example", Some(200))), (200, 200));
    assert_eq!(log.iter().filter(|each| each.body.contains("grant_type=refresh_token")).count(), 1);
    drop(log);
    assert_eq!(game.finish(), Vec::<String>::new());
}

#[test]
fn f61_an_api_that_refuses_every_token_costs_one_renewal_a_minute() {
    let (provider, world, page) = story("localStorage");
    let asked = provider.token_requests.get();
    for _ in 0..120 {
        let given = page.run(|client| async move { client.authorize("https://api.example/", "GET").await.unwrap() });
        let (name, header) = (given.unwrap().credential, Some(r#"Bearer error="invalid_token""#));
        page.run(move |client| async move { client.answered(name, 401, header).await });
        world.advance(secs(1));
    }
    assert!(provider.token_requests.get() - asked <= 3, "{}", provider.token_requests.get() - asked);
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn f64_a_proxy_that_takes_the_proof_away_is_named_and_costs_no_session() {
    let (provider, world, page) = story("localStorage");
    provider
        .faults
        .borrow_mut()
        .push(Reply::json(400, r#"{"error":"invalid_dpop_proof","error_description":"no DPoP header"}"#));
    let error = page.run(|client| async move { client.renew().await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::TokenRequestRejected);
    assert_eq!(error.oauth.as_ref().map(|oauth| oauth.error.as_str()), Some("invalid_dpop_proof"));
    assert_eq!(page.status(), "authenticated");
    assert_eq!(renew(&page), Ok(()));
    invariants::hold(&world);
}

#[test]
fn f65_what_another_version_says_and_agreed_on_is_not_misread() {
    let (provider, world, page) = story("localStorage");
    for text in world.agreed.borrow_mut().values_mut() {
        *text = ["9 ", text.as_str(), " more"].concat();
    }
    for word in ["C 1 2 3", "c2 lineage 1", "{\"v\":9}", "o later_reason x 1"] {
        page.client.hear(word);
    }
    world.run();
    assert_eq!((page.status(), renew(&page)), ("authenticated", Ok(())));
    assert!(!provider.reused.get());
    invariants::hold(&world);
}

#[test]
fn f66_without_random_numbers_the_session_at_hand_goes_on() {
    let (_, world, page) = story("localStorage");
    world.entropy_fails.set(true);
    let left = Rc::new(Cell::new(None));
    let (client, slot) = (page.client.clone(), Rc::clone(&left));
    let login = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
    world.start(async move { slot.set(client.login(login).await.err().map(|error| error.code)) });
    world.advance(secs(2));
    assert_eq!(left.get(), Some(ErrorCode::InsecureContext));
    assert_eq!((page.status(), renew(&page)), ("authenticated", Ok(())));
    invariants::hold(&world);
}
