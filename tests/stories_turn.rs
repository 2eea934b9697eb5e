//! A refresh token is spent once: turns, intents, and outcomes that nobody knows.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::PageNews;
use authsafe::error::{ErrorCode, ErrorRecovery};
use authsafe::ports::StoreFailure;
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::http::{HttpFailure, HttpRequest};
use authsafe::types::{Lifetime, UnixMillis};
use std::cell::Cell;
use std::rc::Rc;
use support::{Page, Provider, START, another, invariants, secs, signed_in, token_options};

/// What becomes of an answer of the token endpoint on its way.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Clear,
    /// The server does what it is asked, and the answer is lost.
    AnswersLost,
    /// Nothing arrives.
    Down,
    /// Only token requests are lost on the way there.
    RequestsLost,
    /// The server takes no refresh token.
    Refused,
}

struct Net {
    provider: Rc<Provider>,
    way: Cell<Way>,
    /// Token requests that were sent, whether or not they arrived.
    sent: Cell<u32>,
    knocks: Cell<u32>,
    /// How long an answer of the token endpoint takes, in milliseconds, and one of the metadata.
    takes: Cell<i64>,
    metadata_takes: Cell<i64>,
}

fn net() -> (Rc<Net>, Rc<World>) {
    let net = Rc::new(Net {
        provider: Provider::new(),
        way: Cell::new(Way::Clear),
        sent: Cell::new(0),
        knocks: Cell::new(0),
        takes: Cell::new(50),
        metadata_takes: Cell::new(50),
    });
    let server = Rc::clone(&net);
    let world = World::new(START, move |request, now| server.answer(request, now));
    (net, world)
}

impl Net {
    fn answer(&self, request: &HttpRequest, now: UnixMillis) -> Reply {
        let lost = || Reply::failure(HttpFailure::NetworkOrCors);
        let token = request.url.path() == "/token";
        if token && request.method == "HEAD" {
            self.knocks.set(self.knocks.get() + 1);
        } else if token {
            self.sent.set(self.sent.get() + 1);
        }
        match self.way.get() {
            Way::Down => lost(),
            Way::RequestsLost if token && request.method == "POST" => lost(),
            Way::AnswersLost if token && request.method == "POST" => {
                self.provider.answer(request, now);
                lost()
            }
            Way::Refused if token && request.method == "POST" => Reply::json(400, r#"{"error":"invalid_grant"}"#),
            Way::Clear | Way::AnswersLost | Way::RequestsLost | Way::Refused => {
                let mut reply = self.provider.answer(request, now);
                if token && request.method == "POST" {
                    reply.after = Lifetime::from_millis(self.takes.get());
                } else if request.url.path().contains("/.well-known/") {
                    reply.after = Lifetime::from_millis(self.metadata_takes.get());
                }
                reply
            }
        }
    }
}

fn renew(page: &Page) -> Result<(), ErrorCode> {
    page.run(|client| async move { client.renew().await.map(drop).map_err(|error| error.code) })
}

fn reload(page: &Page, storage: &str) -> Page {
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), &token_options(storage));
    page.run(|client| async move { client.start().await.unwrap() });
    page
}

#[test]
fn a_request_whose_answer_was_lost_is_made_once_more_and_then_not_again() {
    for storage in ["memory", "sessionStorage", "localStorage"] {
        let (net, world) = net();
        let page = signed_in(&world, &net.provider, storage);
        net.sent.set(0);
        net.way.set(Way::RequestsLost);
        assert_eq!(renew(&page), Err(ErrorCode::NetworkOrCors), "{storage}");
        assert_eq!(renew(&page), Err(ErrorCode::RefreshAmbiguous), "{storage}");
        for _ in 0..20 {
            world.advance(secs(60));
            assert_eq!(renew(&page), Err(ErrorCode::RefreshAmbiguous), "{storage}");
        }
        assert_eq!(net.sent.get(), 2, "{storage}: with one token, sent twice at most");
        assert_eq!(page.status(), "authenticated", "{storage}: a network fault ends no session");
        assert_eq!(ErrorCode::RefreshAmbiguous.recovery(), ErrorRecovery::Login);
        invariants::hold(&world);
    }
}

#[test]
fn while_the_server_cannot_be_reached_the_token_is_not_sent_again() {
    let (net, world) = net();
    let page = signed_in(&world, &net.provider, "localStorage");
    net.sent.set(0);
    net.way.set(Way::Down);
    for _ in 0..30 {
        assert_eq!(renew(&page), Err(ErrorCode::NetworkOrCors));
        world.advance(secs(10));
    }
    assert_eq!(net.sent.get(), 1);
    let knocks = net.knocks.get();
    assert!(knocks >= 29);
    net.way.set(Way::Clear);
    assert_eq!(renew(&page), Ok(()), "back, and nothing is lost");
    assert_eq!(net.sent.get(), 2);
    assert_eq!(renew(&page), Ok(()));
    assert_eq!(net.knocks.get(), knocks + 1, "a renewal after a good one asks nobody whether the server is there");
    assert!(!net.provider.reused.get());
    invariants::hold(&world);
}

#[test]
fn a_strict_server_that_rotated_and_was_not_heard_ends_the_session_once() {
    let (net, world) = net();
    let page = signed_in(&world, &net.provider, "localStorage");
    net.sent.set(0);
    net.way.set(Way::AnswersLost);
    assert_eq!(renew(&page), Err(ErrorCode::NetworkOrCors));
    net.way.set(Way::Clear);
    assert_eq!(renew(&page), Err(ErrorCode::SessionExpired));
    world.advance(secs(3600));
    assert_eq!(net.sent.get(), 2);
    assert_eq!(page.events().iter().filter(|name| *name == "SignedOut").count(), 1);
    invariants::hold(&world);
}

#[test]
fn a_server_s_error_is_an_answer_and_does_not_use_the_second_try_up() {
    let (net, world) = net();
    let page = signed_in(&world, &net.provider, "sessionStorage");
    for _ in 0..5 {
        net.provider.faults.borrow_mut().push(Reply::json(503, "{}"));
        assert_eq!(renew(&page), Err(ErrorCode::ServerError));
    }
    assert_eq!(net.knocks.get(), 0);
    assert_eq!(renew(&page), Ok(()));
    let reloaded = reload(&page, "sessionStorage");
    assert_eq!(renew(&reloaded), Ok(()));
    assert_eq!(net.knocks.get(), 0);
    invariants::hold(&world);
}

#[test]
fn f34_a_tab_that_dies_after_it_sent_the_token_leaves_word_of_it() {
    for storage in ["sessionStorage", "localStorage"] {
        let (net, world) = net();
        let page = signed_in(&world, &net.provider, storage);
        net.sent.set(0);
        net.takes.set(5_000);
        let client = page.client.clone();
        world.start(async move { drop(client.renew().await) });
        world.advance(secs(1));
        assert_eq!(net.sent.get(), 1);
        world.crash(page.tab.id);
        net.takes.set(50);
        // The provider has rotated: strict as it is, the second try ends the session, and there is no third.
        let mut tab = world.tab(support::APP, storage == "localStorage");
        (tab.store, tab.traces) = (page.tab.store.clone(), page.tab.traces.clone());
        let after = Page::in_tab(tab, &token_options(storage));
        after.run(|client| async move { client.start().await.unwrap() });
        assert_eq!(renew(&after), Err(ErrorCode::SessionExpired), "{storage}");
        assert_eq!((net.sent.get(), net.knocks.get()), (2, 1), "{storage}: not before it knocked");
        invariants::hold(&world);
    }
}

#[test]
fn f35_a_tab_that_hangs_with_the_lock_is_overtaken_and_its_late_commit_is_refused() {
    let (net, world) = net();
    let page = signed_in(&world, &net.provider, "localStorage");
    let other = another(&world);
    net.takes.set(1_000);
    let client = page.client.clone();
    world.start(async move { drop(client.renew().await) });
    world.advance(Lifetime::from_millis(500));
    // The answer comes, and the tab does not go on.
    world.freeze(page.tab.id);
    assert_eq!(net.provider.rotations.get(), 2, "rotated, and not stored");
    net.takes.set(50);
    net.provider.grace.set(true);
    assert_eq!(renew(&other), Ok(()));
    assert_eq!(net.provider.rotations.get(), 3);
    let stored = world.shared.borrow().values().cloned().collect::<String>();
    world.thaw(page.tab.id);
    world.advance(secs(60));
    assert_eq!(world.shared.borrow().values().cloned().collect::<String>(), stored, "the late commit changed nothing");
    assert_eq!((page.status(), other.status()), ("authenticated", "authenticated"));
    invariants::hold(&world);
}

#[test]
fn whoever_waits_in_a_tab_that_was_overtaken_gets_what_the_other_tab_renewed_whatever_its_own_request_came_to() {
    for (way, failed) in [(Way::AnswersLost, "network"), (Way::RequestsLost, "network"), (Way::Refused, "refused")] {
        let (net, world) = net();
        let page = signed_in(&world, &net.provider, "localStorage");
        let other = another(&world);
        net.provider.grace.set(true);
        net.way.set(way);
        net.sent.set(0);
        let served = Rc::new(Cell::new(None));
        let (client, outcome) = (page.client.clone(), Rc::clone(&served));
        world.start(async move { outcome.set(Some(client.renew().await.map(drop).map_err(|error| error.code))) });
        world.advance(Lifetime::from_millis(20));
        assert_eq!(net.sent.get(), 1, "{failed}");
        world.freeze(page.tab.id);
        net.way.set(Way::Clear);
        assert_eq!(renew(&other), Ok(()), "{failed}");
        net.sent.set(0);
        world.thaw(page.tab.id);
        world.advance(secs(5));
        assert_eq!(served.take(), Some(Ok(())), "{failed}");
        assert_eq!(net.sent.get(), 0, "{failed}: it is there already");
        let token = |page: &Page| {
            page.run(|client| async move { client.access_token(Lifetime::ZERO).await.unwrap().0.expose().to_owned() })
        };
        assert_eq!(token(&page), token(&other), "{failed}");
        invariants::hold(&world);
    }
}

#[test]
fn a_slow_provider_s_answers_are_not_waited_for_longer_than_the_turn() {
    // Each request within its own time, and together beyond the turn.
    for (metadata, token) in [(9_000, 9_000), (9_900, 9_900)] {
        let (net, world) = net();
        net.provider.grace.set(true);
        let other = signed_in(&world, &net.provider, "localStorage");
        world.jump(700_000);
        net.metadata_takes.set(metadata);
        net.takes.set(token);
        // It knows nothing of the provider yet.
        let page = Page::in_tab(world.tab(support::APP, true), &token_options("localStorage"));
        let client = page.client.clone();
        world.start(async move { drop(client.start().await) });
        world.advance(secs(1));
        let client = other.client.clone();
        world.start(async move { drop(client.renew().await) });
        world.advance(secs(60));
        let log = world.log.borrow();
        let sent: Vec<(i64, i64)> = log
            .iter()
            .filter(|each| each.method == "POST" && each.url.ends_with("/token"))
            .map(|each| (each.at, each.until))
            .collect();
        assert!(sent.len() > 1, "{metadata}, {token}");
        // So slow a provider is of no use; but it never sees two requests at once.
        assert!(sent.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{metadata}, {token}: {sent:?}");
    }
}

#[test]
fn of_fifty_tabs_that_wait_for_a_tab_that_hangs_one_overtakes_it() {
    let (net, world) = net();
    let page = signed_in(&world, &net.provider, "localStorage");
    let others: Vec<Page> = (0..49).map(|_| another(&world)).collect();
    net.sent.set(0);
    net.takes.set(1_000);
    world.jump(700_000);
    let ask = |page: &Page| {
        let client = page.client.clone();
        world.start(async move { drop(client.access_token(secs(5)).await) });
    };
    ask(&page);
    world.advance(Lifetime::from_millis(500));
    assert_eq!(net.sent.get(), 1);
    world.freeze(page.tab.id);
    net.takes.set(50);
    net.provider.grace.set(true);
    others.iter().for_each(ask);
    world.advance(secs(20));
    assert_eq!(net.sent.get(), 2);
    for each in &others {
        let token = each.run(|client| async move { client.access_token(Lifetime::ZERO).await.unwrap().0 });
        assert_eq!(token.expose(), "access-3");
    }
    invariants::hold(&world);
}

#[test]
fn f37_without_locks_tabs_that_expire_together_make_one_request_all_the_same() {
    let (net, world) = net();
    world.has_locks.set(false);
    let first = signed_in(&world, &net.provider, "localStorage");
    let mut tabs: Vec<Page> = (0..49).map(|_| another(&world)).collect();
    tabs.push(first);
    for round in 1..4 {
        net.sent.set(0);
        world.jump(700_000);
        let served = Rc::new(Cell::new(0));
        for tab in &tabs {
            let (client, served) = (tab.client.clone(), Rc::clone(&served));
            world.start(async move {
                if client.access_token(secs(5)).await.is_ok() {
                    served.set(served.get() + 1);
                }
            });
        }
        world.advance(secs(30));
        assert_eq!((net.sent.get(), served.get()), (1, 50), "round {round}");
    }
    invariants::hold(&world);
}

#[test]
fn without_locks_a_place_that_does_not_answer_is_no_leave_to_renew() {
    let (net, world) = net();
    world.has_locks.set(false);
    let page = signed_in(&world, &net.provider, "localStorage");
    let tabs = [page, another(&world), another(&world)];
    net.sent.set(0);
    world.register_fails.set(Some(StoreFailure::Failed));
    for tab in &tabs {
        let client = tab.client.clone();
        world.start(async move { drop(client.renew().await) });
    }
    world.advance(secs(10));
    assert_eq!(net.sent.get(), 0);
    world.register_fails.set(None);
    world.advance(secs(10));
    assert_eq!(net.sent.get(), 1);
    assert!(tabs.iter().all(|tab| tab.status() == "authenticated"));
    invariants::hold(&world);
}

#[test]
fn a_medium_that_shows_an_old_record_is_not_believed_even_by_a_tab_that_missed_every_word() {
    let (net, world) = net();
    let page = signed_in(&world, &net.provider, "localStorage");
    let deaf = another(&world);
    world.mute(deaf.tab.id);
    let before = world.shared.borrow().clone();
    assert_eq!(renew(&page), Ok(()));
    let after = world.shared.replace(before);
    net.sent.set(0);
    let client = deaf.client.clone();
    let done = Rc::new(Cell::new(None));
    let told = Rc::clone(&done);
    world.start(async move { told.set(Some(client.renew().await.is_ok())) });
    world.advance(Lifetime::from_millis(100));
    *world.shared.borrow_mut() = after;
    world.advance(secs(2));
    assert_eq!((done.get(), net.sent.get()), (Some(true), 0), "adopted, not sent again");
    assert!(!net.provider.reused.get());
    invariants::hold(&world);
}

#[test]
fn a_sign_out_that_the_medium_does_not_show_yet_is_kept_all_the_same() {
    let (net, world) = net();
    let page = signed_in(&world, &net.provider, "localStorage");
    let deaf = another(&world);
    world.mute(deaf.tab.id);
    let before = world.shared.borrow().clone();
    page.run(|client| async move { client.logout(authsafe::machine::Ending::Revoke).await.unwrap() });
    *world.shared.borrow_mut() = before;
    net.sent.set(0);
    assert_eq!(another(&world).status(), "unauthenticated", "a page that begins with it");
    assert!(renew(&deaf).is_err());
    assert_eq!((deaf.status(), net.sent.get()), ("unauthenticated", 0));
    invariants::hold(&world);
}

#[test]
fn a_word_of_a_renewal_that_nobody_made_ends_no_session() {
    let (net, world) = net();
    let page = signed_in(&world, &net.provider, "localStorage");
    let other = another(&world);
    let turn = world.agreed.borrow().values().find(|text| text.starts_with("1 ")).cloned().unwrap();
    let lineage = turn.split(' ').nth(2).unwrap().to_owned();
    for tab in [&page, &other] {
        tab.client.hear(&["c ", &lineage, " 999"].concat());
    }
    world.advance(secs(900));
    for tab in [&page, &other] {
        assert_eq!(renew(tab), Ok(()));
        assert_eq!(tab.status(), "authenticated");
    }
    invariants::hold(&world);
}

#[test]
fn where_tabs_have_no_place_to_agree_renewal_works_by_the_lock_and_the_medium() {
    let (net, world) = net();
    world.register_fails.set(Some(StoreFailure::Failed));
    let page = signed_in(&world, &net.provider, "localStorage");
    let other = another(&world);
    net.sent.set(0);
    for tab in [&page, &other] {
        let client = tab.client.clone();
        world.start(async move { drop(client.renew().await) });
    }
    world.advance(secs(5));
    assert!(!net.provider.reused.get());
    page.client.page_changed(PageNews::Visible);
    assert_eq!(renew(&other), Ok(()));
    assert_eq!((page.status(), other.status()), ("authenticated", "authenticated"));
    invariants::hold(&world);
}
