//! A week of use in a few seconds: what must not grow does not.
//!
//! Thousands of renewals; tabs that are opened, closed, reloaded and crash; sign-ins and sign-outs; faults now and then. What a
//! browser holds at the same point of each day is the same, and so is what is allocated.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::PageNews;
use authsafe::machine::Ending;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use support::grants::{Grants, Rotation};
use support::play::{Ailment, Game, Move, Trouble};
use support::{invariants, secs};

/// Counts what is allocated and not freed.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// From this minute on, every so many minutes, this happens.
type Habit = (i64, i64, fn() -> Move);

const HABITS: &[Habit] = &[
    (5, 7, || Move::Call(0)),
    (6, 11, || Move::Call(1)),
    (9, 23, || Move::News(0, PageNews::Visible)),
    (13, 31, || Move::Open),
    (17, 37, || Move::Crash(2)),
    (19, 41, || Move::Open),
    (29, 61, || Move::Close(1)),
    (33, 67, || Move::Reload(1)),
    (40, 97, || Move::Server(Trouble::Status(503))),
    (43, 131, || Move::Server(Trouble::Lost)),
    (47, 149, || Move::Server(Trouble::Html)),
    (53, 173, || Move::News(1, PageNews::Online)),
    (59, 211, || Move::Refuse),
    (61, 227, || Move::Hostile(0, 3)),
    (101, 251, || Move::Medium(Ailment::Full)),
    (104, 251, || Move::Medium(Ailment::None)),
    (111, 283, || Move::Freeze(1)),
    (113, 283, || Move::Thaw),
    (200, 480, || Move::Logout(0, Ending::Revoke)),
    (201, 480, || Move::Login(0, false)),
    (399, 480, || Move::Login(1, true)),
];

const DAY: i64 = 24 * 60;

#[test]
fn a_week_of_use_leaves_no_more_behind_than_a_day() {
    let grants = Grants::new(Rotation::Grace(60));
    grants.lifetime.set(200);
    let mut game = Game::of(&grants, "localStorage", 3);
    game.make(&Move::Open);
    game.make(&Move::Login(0, false));
    let mut days = Vec::new();
    let mut renewals = 0;
    for minute in 1..=7 * DAY {
        game.world.advance(secs(60));
        for (from, every, what) in HABITS {
            if minute % DAY >= *from && (minute % DAY - from) % every == 0 {
                game.make(&what());
            }
        }
        // Who finds that nobody is signed in, signs in.
        if minute % 20 == 0 && game.pages.first().is_some_and(|page| page.status() == "unauthenticated") {
            game.make(&Move::Login(0, false));
        }
        if minute % 60 == 0 {
            assert_eq!(invariants::violations(&game.world), Vec::<String>::new(), "hour {}", minute / 60);
            let log = game.world.log.borrow();
            renewals += log.iter().filter(|each| each.body.contains("grant_type=refresh_token")).count();
            drop(log);
            // What tests keep of the past is no part of what is measured.
            invariants::forget(&game.world);
            game.world.in_flight.borrow_mut().clear();
            grants.tidy(game.world.running());
        }
        if minute % DAY == 0 {
            days.push(state_of_the_day(&mut game));
        }
    }
    assert!(renewals > 2000, "{renewals}");
    let second = days.get(1).unwrap();
    for (day, (counts, live)) in days.iter().enumerate().skip(1) {
        assert_eq!(counts, &second.0, "day {}", day + 1);
        // The rig remembers the number of every tab and grant that there was, which is a few kilobytes a day. A hundred bytes
        // that each renewal leaves behind would be ten times as much.
        let (more, most) = (live.saturating_sub(second.1), 32 * 1024);
        assert!(more < most, "day {}: {more} bytes more than on day 2; {:?}", day + 1, days);
    }
}

/// The day ends as it began: one tab, signed in, and quiet. What there is then.
fn state_of_the_day(game: &mut Game) -> (String, usize) {
    game.grants.faults.borrow_mut().clear();
    game.make(&Move::Medium(Ailment::None));
    game.make(&Move::Thaw);
    while game.pages.len() > 1 {
        game.make(&Move::Close(1));
    }
    game.make(&Move::Login(0, false));
    game.world.advance(secs(200));
    assert_eq!(invariants::violations(&game.world), Vec::<String>::new());
    invariants::forget(&game.world);
    game.world.in_flight.borrow_mut().clear();
    game.grants.tidy(game.world.running() + 86_400_000);
    let inside = game.pages.first().unwrap().client.inside();
    let counts = format!("{:?} promises {} keys {}", game.world.counts(), inside.promises, inside.keys);
    let stats = ALLOCATOR.stats();
    (counts, stats.bytes_allocated.saturating_sub(stats.bytes_deallocated))
}
