//! Time: clocks that are wrong, jump or stand still, pages that sleep, and how often a server is asked; on virtual time.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a story whose setting fails has failed"
)]
#![allow(dead_code, reason = "what the stories share is larger than what each uses")]

mod support;

use authsafe::client::{Authorization, PageNews, Report};
use authsafe::error::{Error, ErrorCode};
use authsafe::machine::{Ending, Freshness, Notice, Origin, SignedOutReason, Snapshot};
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::http::{HttpFailure, HttpRequest};
use authsafe::types::{Lifetime, SessionFacts, UnixMillis};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use support::session::{self, Server};
use support::*;

const DAY: i64 = 86_400_000;
const API: &str = "https://api.example/things";

/// A provider that knows until when each of its tokens lives, by the true time.
struct Network {
    provider: Rc<Provider>,
    world: Rc<World>,
    ends: RefCell<BTreeMap<String, UnixMillis>>,
    /// How far the provider's clock is from the true time, in milliseconds.
    ahead: Cell<i64>,
    /// It lets script read `Date`.
    dated: Cell<bool>,
    cut: Cell<bool>,
    /// When token requests were made, by the running time.
    asked: RefCell<Vec<UnixMillis>>,
}

impl Network {
    fn new() -> Rc<Self> {
        let network = Rc::new(Self {
            provider: Provider::new(),
            world: World::new(START, |_, _| Reply::json(500, "")),
            ends: RefCell::default(),
            ahead: Cell::default(),
            dated: Cell::new(true),
            cut: Cell::default(),
            asked: RefCell::default(),
        });
        let server = Rc::clone(&network);
        network.world.serve(move |request, now| server.answer(request, now));
        network
    }

    fn answer(&self, request: &HttpRequest, now: UnixMillis) -> Reply {
        let is_token = request.url.path() == "/token";
        if is_token {
            self.asked.borrow_mut().push(now);
        }
        if self.cut.get() {
            return Reply::failure(HttpFailure::NetworkOrCors);
        }
        let by_server = now.shifted(self.ahead.get());
        let before = self.provider.rotations.get();
        let reply = self.provider.answer(request, by_server);
        if is_token && self.provider.rotations.get() > before {
            let end = now.plus(secs(self.provider.lifetime.get()));
            self.ends.borrow_mut().insert(format!("Bearer access-{}", self.provider.rotations.get()), end);
        }
        if self.dated.get() { reply.header("date", &http_date(by_server)) } else { reply }
    }

    fn sign_in(&self, storage: &str) -> Page {
        signed_in(&self.world, &self.provider, storage)
    }

    /// So many more pages of the same browser.
    fn others(&self, count: usize) -> Vec<Page> {
        (0..count).map(|_| another(&self.world)).collect()
    }

    fn requests(&self) -> u64 {
        self.provider.token_requests.get()
    }

    /// A request of the application's: the token that it is given lives, by the true time.
    fn use_api(&self, page: &Page) -> Result<String, Error> {
        let needed = page.run(|client| async move { client.authorize(API, "GET").await })?;
        let token = bearer(&needed.unwrap());
        let end = self.ends.borrow()[&token];
        assert!(end > self.world.true_time(), "{token} has ended");
        Ok(token)
    }

    /// The most token requests that were ever made within a minute; less a second, in which discovery may come before one.
    fn busiest_minute(&self) -> usize {
        let asked = self.asked.borrow();
        let within = |from: &UnixMillis| asked.iter().filter(|at| *at >= from && from.until(**at) < secs(59)).count();
        asked.iter().map(within).max().unwrap_or_default()
    }
}

fn bearer(needed: &Authorization) -> String {
    needed.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone()
}

/// IMF-fixdate, RFC 9110 §5.6.7; the day of the week is anybody's guess.
fn http_date(at: UnixMillis) -> String {
    let (days, seconds) = (at.seconds().div_euclid(86_400), at.seconds().rem_euclid(86_400));
    let (mut year, mut left) = (1970, days);
    let length = |year: i64| if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 };
    while left >= length(year) {
        left -= length(year);
        year += 1;
    }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let lengths = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("Mon, {:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT", left + 1, months[month])
}

fn facts(page: &Page) -> SessionFacts {
    let Snapshot::Authenticated(_, facts, _) = page.client.snapshot() else { panic!("{}", page.status()) };
    *facts
}

fn freshness(page: &Page) -> Freshness {
    let Snapshot::Authenticated(_, _, freshness) = page.client.snapshot() else { panic!("{}", page.status()) };
    freshness
}

fn reason(page: &Page) -> Option<SignedOutReason> {
    if let Snapshot::Unauthenticated(reason, _) = page.client.snapshot() { Some(reason) } else { None }
}

/// A page load in the same tab.
fn reload(page: Page, options: &str) -> (Page, Option<Error>) {
    page.client.dispose();
    page.tab.world.mute(page.tab.id);
    let page = Page::in_tab(page.tab.clone(), options);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    (page, error)
}

fn renew(page: &Page) -> Result<(), Error> {
    page.run(|client| async move { client.renew().await })
}

/// The states that a page showed since there were `seen` reports.
fn states(page: &Page, seen: usize) -> Vec<&'static str> {
    let name = |report: &Report| match report {
        Report::State(Snapshot::Initializing) => Some("initializing"),
        Report::State(Snapshot::Unauthenticated(..)) => Some("unauthenticated"),
        Report::State(Snapshot::Authenticating(_)) => Some("authenticating"),
        Report::State(Snapshot::Authenticated(..)) => Some("authenticated"),
        Report::State(Snapshot::Locked(_)) => Some("locked"),
        Report::Event(_) => None,
    };
    page.reports.borrow()[seen..].iter().filter_map(name).collect()
}

// ── clocks that are wrong ────────────────────────────────────────────────────

#[test]
fn f20_a_clock_that_is_a_day_ahead_at_the_start_costs_one_renewal() {
    for dated in [true, false] {
        let network = Network::new();
        network.dated.set(dated);
        let page = network.sign_in("localStorage");
        network.world.set_clock(DAY);
        let before = network.requests();
        let (page, error) = reload(page, &token_options("localStorage"));
        assert_eq!((error, page.status()), (None, "authenticated"));
        network.world.advance(secs(300));
        network.use_api(&page).unwrap();
        assert_eq!(network.requests() - before, 1);
        assert!((facts(&page).skew + DAY).abs() <= 1000, "{}", facts(&page).skew);
        // And from then on it is renewed when it is time to.
        network.world.advance(secs(3000));
        network.use_api(&page).unwrap();
        assert!((6..=8).contains(&(network.requests() - before)), "{}", network.requests() - before);
        invariants::hold(&network.world);
    }
}

#[test]
fn f20_a_session_of_a_server_lives_its_life_by_a_clock_that_is_a_day_off_where_only_the_header_tells() {
    for ahead in [-DAY, DAY] {
        let server = Server::new();
        server.ahead.set(ahead / 1000);
        let inner = Rc::clone(&server);
        let world = World::new(START, move |request, now| {
            let mut reply = inner.answer(request, now);
            if let Ok(response) = &mut reply.result {
                // This server's statements leave the time out.
                let body = String::from_utf8(response.body.to_vec()).unwrap();
                let told = body.find(r#","serverTime""#).unwrap_or(body.len());
                let end = if told < body.len() { "}" } else { "" };
                response.body = [&body[..told], end].concat().into_bytes().into();
            }
            reply.header("date", &http_date(now.shifted(ahead)))
        });
        let page = session::signed_in(&world);
        assert!((facts(&page).skew - ahead).abs() <= 1000, "{}", facts(&page).skew);
        world.advance(secs(500));
        assert_eq!((page.status(), freshness(&page)), ("authenticated", Freshness::Fresh));
        world.advance(secs(110));
        assert_eq!(reason(&page), Some(SignedOutReason::Expired));
        invariants::hold(&world);
    }
}

#[test]
fn f21_a_clock_that_is_a_day_behind_at_the_start_prolongs_no_token() {
    for slept in [10, 599, 3600] {
        let network = Network::new();
        let page = network.sign_in("localStorage");
        network.world.advance(secs(1));
        page.client.dispose();
        network.world.sleep(secs(slept), false);
        network.world.set_clock(-DAY);
        let (page, error) = reload(page, &token_options("localStorage"));
        assert_eq!((error, page.status()), (None, "authenticated"));
        for _ in 0..30 {
            network.use_api(&page).unwrap();
            network.world.advance(secs(60));
        }
        assert!((facts(&page).skew - DAY).abs() <= 1000, "{}", facts(&page).skew);
        assert!(network.busiest_minute() <= 2);
        invariants::hold(&network.world);
    }
}

#[test]
fn f21_a_token_that_cannot_be_renewed_survives_a_clock_that_is_a_day_behind() {
    let network = Network::new();
    let inner = Rc::clone(&network);
    network.world.serve(move |request, now| {
        let mut reply = inner.answer(request, now);
        if let Ok(response) = &mut reply.result {
            let body = String::from_utf8(response.body.to_vec()).unwrap().replace("refresh_token", "other");
            response.body = body.into_bytes().into();
        }
        reply
    });
    let page = network.sign_in("localStorage");
    network.world.set_clock(-DAY);
    let (page, _) = reload(page, &token_options("localStorage"));
    network.use_api(&page).unwrap();
    network.world.advance(secs(600));
    assert_eq!(reason(&page), Some(SignedOutReason::Expired), "and no longer than a token can live");
    invariants::hold(&network.world);
}

#[test]
fn f22_a_wall_clock_that_jumps_a_day_makes_no_storm_and_prolongs_no_token() {
    for by in [DAY, -DAY] {
        let network = Network::new();
        let page = network.sign_in("memory");
        network.world.advance(secs(100));
        let before = network.requests();
        network.world.set_clock(by);
        for _ in 0..40 {
            network.use_api(&page).unwrap();
            network.world.advance(secs(30));
        }
        // Twenty minutes of a token that lives ten.
        assert!((2..=4).contains(&(network.requests() - before)), "{by}: {}", network.requests() - before);
        assert_eq!(freshness(&page), Freshness::Fresh);
        assert!((facts(&page).skew + by).abs() <= 1000, "{}", facts(&page).skew);
        invariants::hold(&network.world);
    }
}

#[test]
fn f22_a_clock_that_is_set_right_again_leaves_everything_as_it_was() {
    for by in [DAY, -DAY, 90_000, -90_000] {
        let network = Network::new();
        let page = network.sign_in("memory");
        let before = network.requests();
        network.world.advance(secs(100));
        network.world.set_clock(by);
        page.client.page_changed(PageNews::Visible);
        network.world.advance(secs(1));
        network.world.set_clock(-by);
        page.client.page_changed(PageNews::Visible);
        network.world.advance(secs(300));
        network.use_api(&page).unwrap();
        assert!(network.requests() - before <= 1, "{by}: {}", network.requests() - before);
        network.world.advance(secs(3600));
        network.use_api(&page).unwrap();
        assert_eq!(freshness(&page), Freshness::Fresh, "{by}");
        invariants::hold(&network.world);
    }
}

#[test]
fn f22_a_clock_that_is_set_to_and_fro_all_the_time_makes_no_storm() {
    let network = Network::new();
    let page = network.sign_in("memory");
    for round in 0..300 {
        network.world.set_clock(if round % 2 == 0 { DAY } else { -DAY });
        match network.use_api(&page) {
            Ok(_) => {}
            Err(error) => assert_eq!((error.code, error.retry_after.is_some()), (ErrorCode::RateLimited, true)),
        }
        network.world.advance(secs(1));
    }
    assert!(network.busiest_minute() <= 10, "{}", network.busiest_minute());
    assert_eq!(page.status(), "authenticated");
    network.world.advance(secs(120));
    network.use_api(&page).unwrap();
    invariants::hold(&network.world);
}

#[test]
fn f22_a_step_of_ninety_seconds_costs_no_request_while_the_token_has_more_than_that() {
    for by in [90_000, -90_000] {
        let network = Network::new();
        let page = network.sign_in("memory");
        let before = network.requests();
        network.world.advance(secs(60));
        network.world.set_clock(by);
        network.world.advance(secs(60));
        network.use_api(&page).unwrap();
        assert_eq!(network.requests(), before, "{by}");
        invariants::hold(&network.world);
    }
}

#[test]
fn an_absurd_clock_of_the_server_breaks_no_session() {
    // The provider lives in 1970, in 2150, or right now.
    for ahead in [-START.0, 126 * 365 * DAY, 0] {
        for dated in [true, false] {
            let network = Network::new();
            network.ahead.set(ahead);
            network.dated.set(dated);
            let page = network.sign_in("localStorage");
            let before = network.requests();
            for _ in 0..40 {
                network.use_api(&page).unwrap();
                network.world.advance(secs(60));
            }
            assert!((3..=5).contains(&(network.requests() - before)), "{ahead}: {}", network.requests() - before);
            let (page, error) = reload(page, &token_options("localStorage"));
            assert_eq!((error, page.status(), freshness(&page)), (None, "authenticated", Freshness::Fresh));
            invariants::hold(&network.world);
        }
    }
}

#[test]
fn a_header_date_that_is_absurd_changes_nothing_that_the_server_says_itself() {
    for header in ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday", ""] {
        let network = Network::new();
        network.dated.set(false);
        let inner = Rc::clone(&network);
        network.world.serve(move |request, now| inner.answer(request, now).header("date", header));
        let page = network.sign_in("memory");
        network.world.advance(secs(3600));
        network.use_api(&page).unwrap();
        assert_eq!((facts(&page).skew, freshness(&page)), (0, Freshness::Fresh), "{header}");
        invariants::hold(&network.world);
    }
}

// ── machines that sleep, timers that stand still ─────────────────────────────

#[test]
fn f23_after_a_sleep_of_nine_hours_fifty_tabs_make_one_token_request_and_none_uses_the_old_token() {
    for runs in [true, false] {
        let network = Network::new();
        let first = network.sign_in("localStorage");
        let pages: Vec<Page> = network.others(49).into_iter().chain([first]).collect();
        let before = network.requests();
        network.world.sleep(secs(9 * 3600), runs);
        let tokens: Rc<RefCell<Vec<String>>> = Rc::default();
        for page in &pages {
            let (client, tokens) = (page.client.clone(), Rc::clone(&tokens));
            network.world.start(async move {
                let needed = client.authorize(API, "GET").await.unwrap().unwrap();
                tokens.borrow_mut().push(bearer(&needed));
            });
        }
        network.world.advance(secs(10));
        assert_eq!(network.requests() - before, 1, "the running clock runs: {runs}");
        assert_eq!(*tokens.borrow(), vec!["Bearer access-2".to_owned(); 50]);
        assert!(!network.provider.reused.get());
        invariants::hold(&network.world);
    }
}

#[test]
fn f23_a_sleep_during_which_the_clock_is_set_back_prolongs_no_token() {
    let network = Network::new();
    let page = network.sign_in("memory");
    network.world.sleep(secs(9 * 3600), true);
    network.world.set_clock(-9 * 3_600_000);
    network.use_api(&page).unwrap();
    assert_eq!(network.requests(), 2);
    invariants::hold(&network.world);
}

#[test]
fn f23_a_tab_that_slept_through_a_sign_out_hands_out_no_token_of_it() {
    for runs in [true, false] {
        let network = Network::new();
        network.provider.lifetime.set(86_400);
        let sleeper = network.sign_in("localStorage");
        let other = another(&network.world);
        network.world.mute(sleeper.tab.id);
        other.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
        network.world.sleep(secs(3600), runs);
        let error = network.use_api(&sleeper).unwrap_err();
        assert_eq!(
            (error.code, reason(&sleeper)),
            (ErrorCode::LoginRequired, Some(SignedOutReason::LoggedOutElsewhere))
        );
        invariants::hold(&network.world);
    }
}

#[test]
fn each_use_checks_although_no_timer_ever_rings() {
    let network = Network::new();
    let page = network.sign_in("localStorage");
    network.world.freeze_timers(true);
    for _ in 0..20 {
        network.world.advance(secs(240));
        network.use_api(&page).unwrap();
    }
    let before = network.requests();
    network.world.freeze_timers(false);
    network.world.advance(secs(1));
    assert!(network.requests() - before <= 1, "timers that ring late all at once are one renewal");
    invariants::hold(&network.world);
}

#[test]
fn timers_that_ring_once_a_minute_keep_a_token_alive() {
    let network = Network::new();
    let page = network.sign_in("memory");
    for _ in 0..60 {
        network.world.freeze_timers(true);
        network.world.advance(secs(59));
        network.world.freeze_timers(false);
        network.world.advance(secs(1));
        assert_eq!(freshness(&page), Freshness::Fresh);
    }
    invariants::hold(&network.world);
}

#[test]
fn a_request_after_a_look_at_the_page_waits_for_the_medium_but_not_for_ever() {
    let network = Network::new();
    let page = network.sign_in("localStorage");
    let other = another(&network.world);
    network.world.mute(page.tab.id);
    other.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    for news in [PageNews::Visible, PageNews::Online, PageNews::Restored] {
        page.client.page_changed(news);
    }
    assert_eq!(network.use_api(&page).unwrap_err().code, ErrorCode::LoginRequired);
    // A medium that takes its time holds a request up for two seconds.
    let page = sign_in_again(&other, &network.provider);
    network.world.write_takes.set(60_000);
    let client = page.client.clone();
    network.world.start(async move { drop(client.renew().await) });
    network.world.advance(secs(1));
    page.client.page_changed(PageNews::Visible);
    let from = network.world.true_time();
    network.use_api(&page).unwrap();
    assert!(from.until(network.world.true_time()) <= secs(2));
    invariants::hold(&network.world);
}

// ── pages that are left and come back ────────────────────────────────────────

#[test]
fn f39_a_page_that_is_restored_after_a_sign_out_elsewhere_never_shows_the_user_again() {
    let network = Network::new();
    let page = network.sign_in("localStorage");
    let other = another(&network.world);
    let seen = page.reports.borrow().len();
    page.client.page_changed(PageNews::Left);
    assert_eq!(page.status(), "initializing");
    network.world.mute(page.tab.id);
    other.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    network.world.sleep(secs(2 * 3600), false);
    page.client.page_changed(PageNews::Restored);
    assert_eq!(page.status(), "initializing");
    network.world.advance(secs(1));
    assert_eq!(states(&page, seen), ["initializing", "unauthenticated"]);
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOutElsewhere));
    invariants::hold(&network.world);
}

#[test]
fn f39_a_page_that_was_left_in_the_middle_of_a_renewal_looks_before_it_shows_the_user_again() {
    for ends in [true, false] {
        let network = Network::new();
        let page = network.sign_in("localStorage");
        let other = another(&network.world);
        network.world.mute(page.tab.id);
        let client = page.client.clone();
        network.world.start(async move { drop(client.renew().await) });
        network.world.advance(Lifetime::from_millis(20));
        assert_eq!(freshness(&page), Freshness::Refreshing);
        let seen = page.reports.borrow().len();
        page.client.page_changed(PageNews::Left);
        if ends {
            other.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
        }
        page.client.page_changed(PageNews::Restored);
        assert_eq!(page.status(), "initializing");
        network.world.advance(secs(1));
        let shown = if ends { "unauthenticated" } else { "authenticated" };
        assert_eq!(states(&page, seen)[..2], ["initializing", shown]);
        assert_eq!(page.status(), shown);
        invariants::hold(&network.world);
    }
}

#[test]
fn f39_a_page_that_becomes_visible_on_its_way_back_does_not_show_what_it_was() {
    let network = Network::new();
    let page = network.sign_in("localStorage");
    let other = another(&network.world);
    let seen = page.reports.borrow().len();
    // A read that is on its way when the page is left tells of before.
    network.world.mute(page.tab.id);
    network.world.write_takes.set(1000);
    let client = page.client.clone();
    network.world.start(async move { drop(client.renew().await) });
    network.world.advance(Lifetime::from_millis(500));
    page.client.page_changed(PageNews::Visible);
    for news in [PageNews::Left, PageNews::Hidden] {
        page.client.page_changed(news);
    }
    network.world.advance(secs(5));
    assert_eq!(page.status(), "initializing");
    other.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    page.client.page_changed(PageNews::Visible);
    network.world.advance(secs(5));
    assert_eq!(page.status(), "initializing");
    page.client.page_changed(PageNews::Restored);
    network.world.advance(secs(1));
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOutElsewhere));
    assert_eq!(states(&page, seen), ["authenticated", "initializing", "unauthenticated"]);
    invariants::hold(&network.world);
}

#[test]
fn f39_a_page_that_is_restored_after_two_hours_renews_before_it_hands_a_token_out() {
    for storage in ["localStorage", "memory"] {
        let network = Network::new();
        let page = network.sign_in(storage);
        let seen = page.reports.borrow().len();
        page.client.page_changed(PageNews::Left);
        network.world.sleep(secs(2 * 3600), false);
        page.client.page_changed(PageNews::Restored);
        assert_eq!(network.use_api(&page).unwrap(), "Bearer access-2");
        assert_eq!(states(&page, seen).first(), Some(&"initializing"));
        assert_eq!(states(&page, seen).last(), Some(&"authenticated"), "{storage}");
        assert!(!page.events().contains(&"SignedOut".to_owned()));
        invariants::hold(&network.world);
    }
}

#[test]
fn f39_a_restored_page_of_a_session_server_shows_nobody_before_the_server_has_answered() {
    for gone in [true, false] {
        let server = Server::new();
        let world = server.world();
        let page = session::signed_in(&world);
        let seen = page.reports.borrow().len();
        page.client.page_changed(PageNews::Left);
        if gone {
            *server.user.borrow_mut() = None;
        }
        // Back at once: within the time in which a question would not be repeated.
        page.client.page_changed(PageNews::Restored);
        assert_eq!(page.status(), "initializing");
        world.advance(secs(1));
        let end = if gone { "unauthenticated" } else { "authenticated" };
        assert_eq!(states(&page, seen), ["initializing", end]);
        invariants::hold(&world);
    }
}

#[test]
fn f39_a_restored_page_shows_what_it_knew_where_nothing_can_be_found_out() {
    let server = Server::new();
    let world = server.world();
    let page = session::signed_in(&world);
    page.client.page_changed(PageNews::Left);
    *server.fault.borrow_mut() = Some(|| Reply::failure(HttpFailure::NetworkOrCors));
    page.client.page_changed(PageNews::Restored);
    world.advance(secs(1));
    assert_eq!((page.status(), freshness(&page)), ("authenticated", Freshness::Offline));

    let network = Network::new();
    let page = network.sign_in("memory");
    for news in [PageNews::Left, PageNews::Restored] {
        page.client.page_changed(news);
    }
    assert_eq!(page.status(), "authenticated");
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    for news in [PageNews::Left, PageNews::Restored] {
        page.client.page_changed(news);
    }
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOut));
    invariants::hold(&world);
}

#[test]
fn f59_a_page_that_was_discarded_starts_with_what_it_stored_and_one_that_was_frozen_goes_on() {
    let network = Network::new();
    let page = network.sign_in("localStorage");
    // Frozen: nothing runs, and no event says so.
    network.world.freeze_timers(true);
    network.world.advance(secs(7200));
    network.world.freeze_timers(false);
    assert_eq!(network.use_api(&page).unwrap(), "Bearer access-2");
    // Discarded: nothing was told, either.
    network.world.mute(page.tab.id);
    network.world.sleep(secs(7200), false);
    let (page, error) = reload(page, &token_options("localStorage"));
    assert_eq!((error, page.status()), (None, "authenticated"));
    assert_eq!(network.use_api(&page).unwrap(), "Bearer access-3");
    assert!(!network.provider.reused.get());
    invariants::hold(&network.world);
}

// ── who renews, and when ─────────────────────────────────────────────────────

#[test]
fn a_hidden_tab_leaves_the_renewal_to_a_visible_one() {
    let network = Network::new();
    let hidden = network.sign_in("localStorage");
    let visible = another(&network.world);
    hidden.client.page_changed(PageNews::Hidden);
    for _ in 0..10 {
        let before = network.requests();
        network.world.advance(secs(545));
        assert_eq!(network.requests() - before, 1);
    }
    let renewed_here = |page: &Page| {
        let here = |report: &&Report| matches!(report, Report::Event(Notice::Refreshed(_, Origin::ThisTab)));
        page.reports.borrow().iter().filter(here).count()
    };
    assert_eq!((renewed_here(&hidden), renewed_here(&visible)), (0, 10));
    invariants::hold(&network.world);
}

#[test]
fn a_hidden_tab_renews_where_no_visible_one_did() {
    for storage in ["localStorage", "memory"] {
        let network = Network::new();
        let page = network.sign_in(storage);
        page.client.page_changed(PageNews::Hidden);
        for _ in 0..60 {
            network.world.advance(secs(60));
            assert_eq!(freshness(&page), Freshness::Fresh, "{storage}");
        }
        assert!(network.requests() >= 6);
        invariants::hold(&network.world);
    }
}

#[test]
fn a_tab_that_becomes_visible_renews_at_once_what_it_had_left_to_others() {
    let network = Network::new();
    let page = network.sign_in("localStorage");
    page.client.page_changed(PageNews::Hidden);
    network.world.advance(secs(541));
    assert_eq!(network.requests(), 1);
    page.client.page_changed(PageNews::Visible);
    network.world.advance(secs(1));
    assert_eq!(network.requests(), 2);
    invariants::hold(&network.world);
}

#[test]
fn a_token_that_lives_for_seconds_is_renewed_when_it_is_used() {
    let network = Network::new();
    network.provider.lifetime.set(20);
    let page = network.sign_in("memory");
    network.world.advance(secs(3600));
    assert_eq!(network.requests(), 1);
    network.use_api(&page).unwrap();
    assert_eq!(network.requests(), 2);
    invariants::hold(&network.world);
}

// ── no storm ─────────────────────────────────────────────────────────────────

#[test]
fn a_loop_of_explicit_renewals_makes_ten_token_requests_a_minute_and_hears_when_to_come_back() {
    let network = Network::new();
    let page = network.sign_in("memory");
    let mut refused = 0;
    for _ in 0..600 {
        if let Err(error) = renew(&page) {
            assert_eq!((error.code, error.code.retryable()), (ErrorCode::RateLimited, true));
            let wait = error.retry_after.unwrap();
            assert!(wait > Lifetime::ZERO && wait <= secs(60));
            refused += 1;
            network.use_api(&page).unwrap();
        }
        network.world.advance(secs(1));
    }
    assert_eq!(network.busiest_minute(), 10);
    assert!(refused > 400, "{refused}");
    assert_eq!(freshness(&page), Freshness::Fresh);
    assert!(!page.events().contains(&"RefreshFailed".to_owned()), "nothing has failed");
    invariants::hold(&network.world);
}

#[test]
fn renewals_of_many_tabs_count_together() {
    let network = Network::new();
    let first = network.sign_in("localStorage");
    let pages: Vec<Page> = network.others(9).into_iter().chain([first]).collect();
    for _ in 0..120 {
        for page in &pages {
            renew(page).ok();
        }
        network.world.advance(secs(1));
    }
    assert!(network.busiest_minute() <= 10, "{}", network.busiest_minute());
    invariants::hold(&network.world);
}

#[test]
fn f61_an_api_that_refuses_every_token_causes_one_renewal_a_minute() {
    let network = Network::new();
    let page = network.sign_in("memory");
    let before = network.requests();
    for _ in 0..120 {
        let needed = page.run(|client| async move { client.authorize(API, "GET").await.unwrap().unwrap() });
        let invalid = Some(r#"Bearer error="invalid_token""#);
        page.run(move |client| async move { client.answered(needed.credential, 401, invalid).await });
        network.world.advance(secs(1));
    }
    assert!(network.requests() - before <= 2, "{}", network.requests() - before);
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&network.world);
}

#[test]
fn tokens_that_are_born_expired_make_ten_requests_a_minute_and_an_error_that_says_when_to_come_back() {
    let network = Network::new();
    let page = network.sign_in("memory");
    network.provider.lifetime.set(0);
    network.world.advance(secs(700));
    let mut refused = None;
    for _ in 0..100 {
        let asked = page.run(|client| async move { client.access_token(secs(5)).await });
        refused = asked.err().or(refused);
        network.world.advance(Lifetime::from_millis(100));
    }
    let refused = refused.unwrap();
    assert_eq!((refused.code, refused.retry_after.is_some()), (ErrorCode::RateLimited, true));
    assert!(network.busiest_minute() <= 10);
    network.provider.lifetime.set(600);
    network.world.advance(secs(60));
    network.use_api(&page).unwrap();
    invariants::hold(&network.world);
}

#[test]
fn f5_a_server_that_asks_for_time_by_a_date_gets_it_by_its_own_clock() {
    // By how far the server's clock is off, and whether script may read it.
    for (ahead, dated) in [(0, true), (0, false), (DAY, true), (-DAY, true), (DAY, false)] {
        let network = Network::new();
        network.ahead.set(ahead);
        network.dated.set(dated);
        let page = network.sign_in("memory");
        let until = network.world.true_time().plus(secs(120));
        let refusal = Reply::json(503, "").header("retry-after", &http_date(until.shifted(ahead)));
        network.provider.faults.borrow_mut().push(refusal);
        let error = renew(&page).unwrap_err();
        let wait = error.retry_after.unwrap();
        assert!(wait >= secs(118) && wait <= secs(122), "{ahead} {dated}: {wait:?}");
        // The timer obeys.
        let before = network.requests();
        network.world.advance(secs(110));
        assert_eq!(network.requests(), before);
        network.world.advance(secs(40));
        assert_eq!(network.requests(), before + 1);
        invariants::hold(&network.world);
    }
}

#[test]
fn f5_a_wish_to_wait_that_is_absurd_is_cut_and_one_that_is_none_is_not_heard() {
    for (header, most) in [
        ("1000000000", 300),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 300),
        ("-5", 60),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 60),
        ("soon", 60),
        ("", 60),
    ] {
        let network = Network::new();
        let page = network.sign_in("memory");
        network.provider.faults.borrow_mut().push(Reply::json(429, "").header("retry-after", header));
        renew(&page).unwrap_err();
        let before = network.requests();
        network.world.advance(secs(most + 1));
        assert_eq!(network.requests() - before, 1, "{header}");
        invariants::hold(&network.world);
    }
}

// ── without a network ────────────────────────────────────────────────────────

/// Options with so many seconds of grace.
fn grace(seconds: i64) -> String {
    let refresh = format!(r#""refresh":{{"offlineGraceSeconds":{seconds}}},"storage""#);
    token_options("localStorage").replace(r#""storage""#, &refresh)
}

#[test]
fn f45_a_start_without_a_network_shows_the_user_whether_or_not_the_token_has_ended() {
    for (slept, expected) in [(100, Freshness::Fresh), (3600, Freshness::Offline)] {
        let network = Network::new();
        let page = network.sign_in("localStorage");
        network.cut.set(true);
        network.world.sleep(secs(slept), false);
        let (page, error) = reload(page, &token_options("localStorage"));
        assert_eq!((page.status(), freshness(&page)), ("authenticated", expected));
        assert_eq!(error.map(|error| error.code), (slept > 600).then_some(ErrorCode::NetworkOrCors));
        match network.use_api(&page) {
            Ok(_) => assert!(slept < 600),
            Err(error) => assert_eq!((error.code, slept), (ErrorCode::NetworkOrCors, 3600)),
        }
        // Without a limit, a weekend later too.
        network.world.advance(secs(3 * 86_400));
        assert_eq!((page.status(), freshness(&page)), ("authenticated", Freshness::Offline));
        network.cut.set(false);
        page.client.page_changed(PageNews::Online);
        network.world.advance(secs(3));
        assert_eq!(freshness(&page), Freshness::Fresh);
        network.use_api(&page).unwrap();
        invariants::hold(&network.world);
    }
}

#[test]
fn f45_the_grace_ends_after_the_time_that_the_application_allows_and_the_session_comes_back_with_the_network() {
    let network = Network::new();
    let page = signed_in_with(&network.world, &network.provider, &grace(3600));
    network.cut.set(true);
    network.world.advance(secs(600 + 3500));
    assert_eq!((page.status(), freshness(&page)), ("authenticated", Freshness::Offline));
    assert_eq!(network.use_api(&page).unwrap_err().code, ErrorCode::NetworkOrCors);
    network.world.advance(secs(200));
    let Snapshot::Unauthenticated(SignedOutReason::Error, Some(error)) = page.client.snapshot() else { panic!() };
    assert_eq!(error.code, ErrorCode::NetworkOrCors);
    assert_eq!(network.use_api(&page).unwrap_err().code, ErrorCode::NetworkOrCors);
    assert_eq!(page.client.id_token_claims(), None);
    network.cut.set(false);
    page.client.page_changed(PageNews::Online);
    network.world.advance(secs(3));
    assert_eq!((page.status(), freshness(&page)), ("authenticated", Freshness::Fresh));
    network.use_api(&page).unwrap();
    let told: Vec<String> = page.events().into_iter().filter(|name| name != "RefreshFailed").collect();
    assert_eq!(told, ["SignedIn", "SignedOut", "Refreshed", "SignedIn"]);
    assert!(!network.provider.reused.get());
    invariants::hold(&network.world);
}

#[test]
fn f45_a_start_without_a_network_beyond_the_grace_shows_nobody_and_keeps_the_session() {
    for allowed in [0, 1800] {
        let network = Network::new();
        let page = signed_in_with(&network.world, &network.provider, &grace(allowed));
        network.cut.set(true);
        network.world.sleep(secs(3600), false);
        let (page, error) = reload(page, &grace(allowed));
        assert_eq!((reason(&page), error.unwrap().code), (Some(SignedOutReason::Error), ErrorCode::NetworkOrCors));
        assert_eq!(page.events(), ["RefreshFailed"], "nobody was announced");
        network.cut.set(false);
        network.world.advance(secs(120));
        network.use_api(&page).unwrap();
        assert_eq!(page.events().iter().filter(|name| *name == "SignedIn").count(), 1);
        invariants::hold(&network.world);
    }
}

#[test]
fn f45_a_session_that_ends_beyond_the_grace_was_announced_by_that_and_is_not_announced_again() {
    for ends in [SignedOutReason::LoggedOut, SignedOutReason::Idle] {
        let network = Network::new();
        let idle = r#""idle":{"timeoutSeconds":1200,"onTimeout":"logout"},"storage""#;
        let options = grace(0).replace(r#""storage""#, idle);
        let page = signed_in_with(&network.world, &network.provider, &options);
        network.cut.set(true);
        network.world.advance(secs(700));
        assert_eq!(reason(&page), Some(SignedOutReason::Error));
        if ends == SignedOutReason::LoggedOut {
            page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
        }
        network.world.advance(secs(3600));
        assert_eq!((reason(&page), network.busiest_minute() <= 10), (Some(ends), true));
        assert_eq!(page.events().iter().filter(|name| *name == "SignedOut").count(), 1, "{ends:?}");
        assert!(is_mark(&page.tab.store.dump()));
        invariants::hold(&network.world);
    }
}

#[test]
fn f46_what_the_browser_says_of_the_network_is_a_hint_and_no_more() {
    let network = Network::new();
    let page = network.sign_in("memory");
    network.cut.set(true);
    network.world.advance(secs(560));
    assert_eq!(freshness(&page), Freshness::Offline);
    // It says that it is back, and it is not: one more attempt, and no storm.
    for _ in 0..100 {
        page.client.page_changed(PageNews::Online);
        network.world.advance(secs(2));
    }
    assert!(network.busiest_minute() <= 10, "{}", network.busiest_minute());
    // It never says that it is back, and it is.
    network.cut.set(false);
    network.world.advance(secs(61));
    network.use_api(&page).unwrap();
    invariants::hold(&network.world);
}
