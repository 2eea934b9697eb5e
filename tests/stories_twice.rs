//! What happens twice: two clients of one page, a callback that is opened again, sign-ins beside one another, news that is none.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::{PageNews, Report};
use authsafe::error::{Error, ErrorCode};
use authsafe::machine::{Arrived, Ending, SignedOutReason, Snapshot};
use authsafe::ports::fake::{Tab, World};
use authsafe::types::Lifetime;
use std::cell::RefCell;
use std::rc::Rc;
use support::session::{OPTIONS, Server, password, reason};
use support::*;

type Started = (Option<Box<Arrived>>, Option<Error>);

/// Two clients of the page in this tab, both started before either has finished.
fn both(tab: &Tab, options: &str, at_once: bool) -> [(Page, Started); 2] {
    let started = |tab: Tab| {
        let page = Page::in_tab(tab.clone(), options);
        let slot: Rc<RefCell<Option<Started>>> = Rc::default();
        let (client, sink) = (page.client.clone(), Rc::clone(&slot));
        tab.world.start(async move { *sink.borrow_mut() = client.start().await.ok() });
        (page, slot)
    };
    // The second may look at the address before the first has cleaned it.
    let second = Tab { href: Rc::new(RefCell::new(tab.href.borrow().clone())), ..beside(tab, options) };
    let pages = [started(tab.clone()), started(if at_once { second } else { beside(tab, options) })];
    tab.world.advance(secs(20));
    pages.map(|(page, slot)| (page, slot.borrow_mut().take().unwrap()))
}

/// The same page, for another client: what one says, the other hears. What is in memory, each has for itself.
fn beside(tab: &Tab, options: &str) -> Tab {
    let fresh = tab.world.tab(APP, false);
    let store = if options.contains("memory") { fresh.store } else { tab.store.clone() };
    Tab { id: fresh.id, store, ..tab.clone() }
}

/// A tab that is back from the provider.
fn returned(world: &Rc<World>, provider: &Provider, options: &str) -> Tab {
    let page = Page::open(world, APP, options);
    page.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&page, provider);
    page.client.dispose();
    world.mute(page.tab.id);
    page.tab.clone()
}

fn token(page: &Page) -> Result<(), ErrorCode> {
    page.run(|client| async move {
        client.access_token(Lifetime::from_seconds(5)).await.map(drop).map_err(|error| error.code)
    })
}

fn reload(page: &Page, options: &str) -> Page {
    page.tab.world.run();
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), options);
    page.run(|client| async move { client.start().await.unwrap() });
    page
}

#[test]
fn two_clients_of_one_page_exchange_the_code_once_and_are_both_signed_in() {
    for (storage, at_once) in
        [("sessionStorage", true), ("sessionStorage", false), ("localStorage", true), ("localStorage", false)]
    {
        let provider = Provider::new();
        let world = world_of(&provider);
        // Nothing in a browser answers at once.
        world.write_takes.set(20);
        let tab = returned(&world, &provider, &token_options(storage));
        let pages = both(&tab, &token_options(storage), at_once);
        assert_eq!(provider.token_requests.get(), 1, "{storage}");
        let arrived = pages.iter().filter(|(_, (arrived, _))| arrived.is_some()).count();
        assert_eq!(arrived, 1, "{storage}");
        for (page, (_, error)) in &pages {
            assert_eq!((page.status(), error), ("authenticated", &None), "{storage}");
            assert_eq!(page.events(), ["SignedIn"]);
            assert_eq!(token(page), Ok(()));
        }
    }
}

#[test]
fn where_nothing_is_stored_the_client_that_came_second_says_why_nobody_is_signed_in() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let tab = returned(&world, &provider, &token_options("memory"));
    let [(first, (arrived, none)), (second, (_, error))] = both(&tab, &token_options("memory"), true);
    assert!(arrived.is_some() && none.is_none());
    assert_eq!([first.status(), second.status()], ["authenticated", "unauthenticated"]);
    assert_eq!(error.unwrap().code, ErrorCode::CallbackReplayed);
    assert_eq!(provider.token_requests.get(), 1);
    assert!(tab.navigations.borrow().len() == 1, "{:?}", tab.navigations.borrow());
}

#[test]
fn two_clients_of_one_page_renew_once_for_each_expiry() {
    for storage in ["sessionStorage", "localStorage"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        world.write_takes.set(20);
        let tab = returned(&world, &provider, &token_options(storage));
        let [(first, _), (second, _)] = both(&tab, &token_options(storage), true);
        for round in 1..=5 {
            let before = provider.token_requests.get();
            world.advance(secs(595));
            assert_eq!([token(&first), token(&second)], [Ok(()); 2], "{storage} {round}");
            assert_eq!(provider.token_requests.get(), before + 1, "{storage} {round}");
        }
        // Also where both are asked to at once.
        let before = provider.token_requests.get();
        for page in [&first, &second] {
            let client = page.client.clone();
            world.start(async move { drop(client.renew().await) });
        }
        world.advance(secs(5));
        assert!(provider.token_requests.get() <= before + 2);
        assert!(!provider.reused.get(), "{storage}");
        // What is stored is the newest.
        second.client.dispose();
        let page = reload(&first, &token_options(storage));
        assert_eq!((page.status(), token(&page)), ("authenticated", Ok(())), "{storage}");
        page.run(|client| async move { client.renew().await.unwrap() });
        assert!(!provider.reused.get(), "{storage}");
    }
}

#[test]
fn two_clients_that_find_an_expired_session_renew_it_once() {
    for storage in ["sessionStorage", "localStorage"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, storage);
        page.client.dispose();
        world.mute(page.tab.id);
        world.jump(3600 * 1000);
        let before = provider.token_requests.get();
        let pages = both(&page.tab, &token_options(storage), true);
        assert_eq!(provider.token_requests.get(), before + 1, "{storage}");
        for (page, (_, error)) in &pages {
            assert_eq!((page.status(), error), ("authenticated", &None), "{storage}");
        }
    }
}

#[test]
fn a_sign_out_of_one_client_is_one_of_the_other_too() {
    for storage in ["sessionStorage", "localStorage"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let tab = returned(&world, &provider, &token_options(storage));
        let [(first, _), (second, _)] = both(&tab, &token_options(storage), true);
        first.run(|client| async move { client.logout(Ending::Revoke).await.unwrap() });
        world.advance(secs(1));
        assert_eq!(reason(&second), Some(SignedOutReason::LoggedOutElsewhere), "{storage}");
    }
}

#[test]
fn a_callback_that_is_opened_again_while_somebody_is_signed_in_is_no_failure() {
    for storage in ["sessionStorage", "localStorage"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let tab = returned(&world, &provider, &token_options(storage));
        let callback = tab.href.borrow().clone();
        let page = Page::in_tab(tab, &token_options(storage));
        page.run(|client| async move { client.start().await.unwrap() });
        for expired in [false, true] {
            page.client.dispose();
            *page.tab.href.borrow_mut() = callback.clone();
            if expired {
                world.jump(550 * 1000);
            }
            let again = Page::in_tab(page.tab.clone(), &token_options(storage));
            let (arrived, error) = again.run(|client| async move { client.start().await.unwrap() });
            assert_eq!((arrived, error, again.status()), (None, None, "authenticated"), "{storage}");
            assert_eq!(*again.tab.href.borrow(), "https://app.example/callback?keep=1#frag");
            again.client.dispose();
        }
    }
}

#[test]
fn a_callback_that_is_opened_again_after_the_sign_out_says_so() {
    for storage in ["memory", "sessionStorage", "localStorage"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let tab = returned(&world, &provider, &token_options(storage));
        let callback = tab.href.borrow().clone();
        let page = Page::in_tab(tab, &token_options(storage));
        page.run(|client| async move { client.start().await.unwrap() });
        page.run(|client| async move { client.logout(Ending::Revoke).await.unwrap() });
        page.client.dispose();
        *page.tab.href.borrow_mut() = callback;
        let again = Page::in_tab(page.tab.clone(), &token_options(storage));
        let (arrived, error) = again.run(|client| async move { client.start().await.unwrap() });
        assert!(arrived.is_none());
        assert_eq!(error.unwrap().code, ErrorCode::CallbackReplayed, "{storage}");
        assert_eq!(again.status(), "unauthenticated");
    }
}

#[test]
fn a_sign_in_that_took_too_long_says_so_and_ends_no_session() {
    let provider = Provider::new();
    let world = world_of(&provider);
    provider.lifetime.set(100_000);
    let page = signed_in(&world, &provider, "localStorage");
    go_and_return(&page, &provider);
    page.client.dispose();
    world.jump(700 * 1000);
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    let (arrived, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert!(arrived.is_none());
    assert_eq!(error.unwrap().code, ErrorCode::TransactionExpired);
    assert_eq!((page.status(), token(&page)), ("authenticated", Ok(())));
}

#[test]
fn of_two_users_who_sign_in_in_two_tabs_at_once_the_later_is_signed_in_in_both() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let options = token_options("localStorage");
    let tabs = ["alice", "bob"].map(|_| {
        let page = Page::open(&world, APP, &options);
        page.run(|client| async move { client.start().await.unwrap() });
        page
    });
    let mut nonces = Vec::new();
    for page in &tabs {
        go_and_return(page, &provider);
        nonces.push(provider.nonce.borrow().clone());
        page.client.dispose();
        world.mute(page.tab.id);
    }
    let mut pages = Vec::new();
    for (at, name) in ["alice", "bob"].into_iter().enumerate() {
        *provider.sub.borrow_mut() = name.to_owned();
        *provider.nonce.borrow_mut() = nonces[at].clone();
        let page = Page::in_tab(tabs[at].tab.clone(), &options);
        page.run(|client| async move { client.start().await.unwrap() });
        pages.push(page);
    }
    world.advance(secs(1));
    for page in &pages {
        let Snapshot::Authenticated(_, facts, _) = page.client.snapshot() else { panic!("nobody is signed in") };
        assert_eq!(facts.sub.as_deref(), Some("bob"));
    }
    assert_eq!(pages[0].events(), ["SignedIn", "UserChanged"]);
    invariants::hold(&world);
}

#[test]
fn what_changes_nothing_is_told_to_nobody() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let tokens = signed_in(&world, &provider, "localStorage");
    let server = Server::new();
    let other = server.world();
    let session = Page::open(&other, APP, &OPTIONS.replace(r#""intervalSeconds":120"#, r#""minIntervalSeconds":0"#));
    session.run(|client| async move { client.start().await.unwrap() });
    session.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    for page in [&tokens, &session] {
        page.tab.world.advance(secs(1));
        let seen: Rc<RefCell<Vec<Report>>> = Rc::clone(&page.reports);
        let before = seen.borrow().len();
        for news in [PageNews::Visible, PageNews::Online, PageNews::Restored, PageNews::Active].repeat(5) {
            page.client.page_changed(news);
            page.tab.world.advance(secs(1));
        }
        assert_eq!(seen.borrow()[before..], [], "{:?}", page.client);
    }
    assert!(server.seen_tokens.borrow().len() > 1 || other.requests.borrow().len() > 10);
}
