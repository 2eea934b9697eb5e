//! Whatever happens to a browser with one to four tabs, and in whatever order, the invariants hold.
//!
//! The sequences are the same in every run; `PROPTEST_RNG_SEED=7 PROPTEST_CASES=2000 cargo test --test properties` looks at
//! others. What fails is shrunk to the shortest sequence that does.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::panic, reason = "a broken invariant is a failed test")]

mod support;

use authsafe::client::PageNews;
use authsafe::machine::Ending;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};
use support::grants::Rotation;
use support::play::{Ailment, Hearing, Move, Setting, Trouble, play};

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![Just(Ending::Local), Just(Ending::Revoke), Just(Ending::Provider)]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::Reset),
        Just(Trouble::Lost),
        proptest::sample::select(vec![429, 500, 502, 503]).prop_map(Trouble::Status),
        Just(Trouble::Html),
        Just(Trouble::Garbage),
        (0..12_000_u16).prop_map(Trouble::Slow),
        Just(Trouble::Down),
        Just(Trouble::Up),
    ]
}

fn news() -> impl Strategy<Value = PageNews> {
    proptest::sample::select(vec![
        PageNews::Visible,
        PageNews::Hidden,
        PageNews::Online,
        PageNews::Restored,
        PageNews::Left,
    ])
}

fn millis() -> impl Strategy<Value = u32> {
    prop_oneof![0..200_u32, 200..20_000_u32, 20_000..700_000_u32]
}

/// What a user, an application and a server do that all works.
fn everyday() -> impl Strategy<Value = Move> {
    let tab = any::<u8>;
    prop_oneof![
        2 => Just(Move::Open),
        1 => tab().prop_map(Move::Close),
        2 => tab().prop_map(Move::Reload),
        4 => (tab(), any::<bool>()).prop_map(|(tab, second)| Move::Login(tab, second)),
        2 => (tab(), ending()).prop_map(|(tab, ending)| Move::Logout(tab, ending)),
        4 => tab().prop_map(Move::Renew),
        4 => tab().prop_map(Move::Call),
        1 => Just(Move::Refuse),
        8 => millis().prop_map(Move::Advance),
        2 => (tab(), news()).prop_map(|(tab, news)| Move::News(tab, news)),
    ]
}

/// What goes wrong on the way to the server and in tabs.
fn faults() -> impl Strategy<Value = Move> {
    let tab = any::<u8>;
    prop_oneof![
        6 => trouble().prop_map(Move::Server),
        2 => tab().prop_map(Move::Crash),
        2 => tab().prop_map(Move::Freeze),
        2 => Just(Move::Thaw),
        2 => (tab(), any::<u8>()).prop_map(|(tab, which)| Move::Hostile(tab, which)),
        1 => (0..3000_u16).prop_map(|millis| Move::Words(Hearing::Late(millis))),
        1 => Just(Move::Words(Hearing::Never)),
        1 => Just(Move::Words(Hearing::Well)),
        1 => (0..3000_u16).prop_map(|millis| Move::Medium(Ailment::Slow(millis))),
        1 => any::<bool>().prop_map(Move::Agreement),
        2 => (-90_000_000..90_000_000_i32).prop_map(Move::Jump),
    ]
}

/// What goes wrong with a medium. What one tab cannot store, no other can read: then they need to hear each other.
fn ailments() -> impl Strategy<Value = Move> {
    prop_oneof![
        Just(Ailment::None),
        Just(Ailment::Full),
        Just(Ailment::Blocked),
        (0..3000_u16).prop_map(Ailment::Slow),
        Just(Ailment::Cleared),
        Just(Ailment::Damaged),
    ]
    .prop_map(Move::Medium)
}

fn rotation() -> impl Strategy<Value = Rotation> {
    prop_oneof![Just(Rotation::Strict), Just(Rotation::Grace(30)), Just(Rotation::Never)]
}

fn check(storage: &'static str, moves: impl Strategy<Value = Move>) {
    let asked = ProptestConfig::default();
    let seed = if matches!(asked.rng_seed, RngSeed::Fixed(_)) { asked.rng_seed } else { RngSeed::Fixed(1) };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { 150 };
    let config = ProptestConfig { cases, rng_seed: seed, failure_persistence: None, max_shrink_iters: 5000, ..asked };
    let sequences = (rotation(), 1..=4_usize, any::<bool>(), proptest::collection::vec(moves, 1..40));
    let outcome = TestRunner::new(config).run(&sequences, |(rotation, most, locks, moves)| {
        let broken = play(&Setting { storage, rotation, most, locks }, &moves);
        if broken.is_empty() { Ok(()) } else { Err(TestCaseError::fail(broken.join("\n"))) }
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn nothing_is_lost_in_tabs_that_share_a_medium() {
    check("localStorage", everyday());
}

#[test]
fn nothing_is_lost_in_tabs_that_share_a_medium_whatever_fails_around_them() {
    check("localStorage", prop_oneof![2 => everyday(), 1 => faults()]);
}

#[test]
fn nothing_is_lost_in_tabs_whose_medium_fails() {
    check("localStorage", prop_oneof![3 => everyday(), 1 => ailments()]);
}

#[test]
fn nothing_is_lost_in_tabs_with_a_medium_of_their_own() {
    check("sessionStorage", prop_oneof![2 => everyday(), 1 => faults()]);
}

#[test]
fn nothing_is_lost_in_tabs_that_store_nothing() {
    check("memory", prop_oneof![2 => everyday(), 1 => faults()]);
}
