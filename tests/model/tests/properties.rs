//! The model within small bounds; `make model` goes further.

use authsafe_model::Bug;
use authsafe_model::check::{KEPT, NOT_REVOKED, ONE_REQUEST, WINDOW};
use authsafe_model::configurations::{Size, all};
use authsafe_model::run::{Report, run, window};
use authsafe_model::server::Rotation;
use authsafe_model::world::{Bounds, Fault, Faults};

/// Every configuration at such a server.
fn holds(rotation: Rotation) {
    let mut failed = Vec::new();
    for configuration in all(Size::Small).into_iter().filter(|each| each.bounds.rotation == rotation) {
        let report = run(configuration.bounds);
        println!("{}: {} states in {:.1?}", configuration.name, report.states, report.took);
        for (property, way) in report.failures {
            failed.push(format!("{}: {property}\n{}", configuration.name, way.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn broken(report: &Report, property: &str) -> bool {
    report.failures.iter().any(|(name, _)| *name == property)
}

#[test]
fn everything_holds_at_a_server_that_does_not_rotate() {
    holds(Rotation::Never);
}

#[test]
fn everything_holds_at_a_server_that_rotates_with_grace() {
    holds(Rotation::Grace);
}

#[test]
fn everything_holds_at_a_server_that_takes_reuse_for_theft_but_for_the_one_loss_that_is_documented() {
    holds(Rotation::Strict);
}

#[test]
fn without_the_lock_two_requests_are_found_to_be_in_flight() {
    let report = run(Bounds { bug: Some(Bug::NoLock), split: false, ..Bounds::new(2, Rotation::Strict) });
    assert!(broken(&report, ONE_REQUEST));
    assert!(broken(&report, KEPT) || broken(&report, NOT_REVOKED));
}

#[test]
fn a_commit_after_the_release_is_found_to_end_the_session() {
    let report = run(Bounds { bug: Some(Bug::CommitAfterRelease), split: false, ..Bounds::new(2, Rotation::Strict) });
    assert!(broken(&report, NOT_REVOKED));
}

#[test]
fn at_a_strict_server_a_session_is_lost_only_where_an_answer_is_and_with_grace_not_even_there() {
    for (fault, strict) in [
        (Fault::Crash, true),
        (Fault::LostRequest, false),
        (Fault::LostAnswer, true),
        (Fault::Failure, false),
        (Fault::Late, true),
        (Fault::Doubled, true),
        (Fault::Echo, false),
        (Fault::Refusal, false),
        (Fault::Hang, true),
    ] {
        for rotation in [Rotation::Never, Rotation::Grace, Rotation::Strict] {
            let possible = Faults::only(fault);
            let report = run(Bounds { faults: 1, possible, starts: 1, split: false, ..Bounds::new(2, rotation) });
            let lost = report.examples.iter().any(|(name, _)| *name == WINDOW);
            assert_eq!(lost, strict && rotation == Rotation::Strict, "{fault:?}, {rotation:?}");
        }
    }
}

#[test]
fn the_window_opens_when_the_request_leaves_and_closes_when_the_new_tokens_are_stored() {
    let steps = window(Bounds::new(1, Rotation::Strict));
    let lost: Vec<&str> = steps.iter().filter(|(_, lost)| *lost).map(|(line, _)| line.trim()).collect();
    let expected = [
        "tab A: goes on: it is written down: true",
        "server: takes the renewal by R1.1 of tab A",
        "tab A gets R1.2",
        "tab A: looks whether generation 2 with R1.2 may be stored",
        "tab A: looks whether generation 2 with R1.2 may be stored",
    ];
    let ends: Vec<&str> = lost.iter().map(|line| line.split("  ").last().unwrap_or_default()).collect();
    assert_eq!(ends, expected, "{steps:#?}");
}
