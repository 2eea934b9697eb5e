//! Runs the checker, and says what came of it.

use crate::story;
use crate::words::Value;
use crate::world::{Action, Bounds, State, World};
use stateright::{Checker, Expectation, Model};
use std::time::{Duration, Instant};

/// What came of a configuration.
pub struct Report {
    /// How many different states there are.
    pub states: usize,
    /// How many steps lead to the last of them.
    pub depth: usize,
    /// How many states of the machine were among them.
    pub minds: usize,
    /// How long it took.
    pub took: Duration,
    /// What does not hold, and what is not possible although it should be; with the way to where that shows.
    pub failures: Vec<(&'static str, Vec<String>)>,
    /// What is possible, and the way to it.
    pub examples: Vec<(&'static str, Vec<String>)>,
}

/// Visits every state.
#[must_use]
pub fn run(bounds: Bounds) -> Report {
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // With a bug in it, the shortest way is wanted; that takes one thread.
    let threads = if bounds.bug.is_some() { 1 } else { threads };
    let checker = World::new(bounds).checker().threads(threads).spawn_bfs().join();
    let took = began.elapsed();
    let mut found = checker.discoveries();
    let (mut failures, mut examples) = (Vec::new(), Vec::new());
    for property in checker.model().properties() {
        let way = found.remove(property.name).map(|path| story::tell(checker.model(), &path.into_vec()));
        match (property.expectation, way) {
            (Expectation::Always | Expectation::Eventually, Some(way)) => failures.push((property.name, way)),
            (Expectation::Always | Expectation::Eventually, None) => {}
            (Expectation::Sometimes, Some(way)) => examples.push((property.name, way)),
            (Expectation::Sometimes, None) => failures.push((property.name, vec!["never".to_owned()])),
        }
    }
    let minds = checker.model().brain.minds();
    Report { states: checker.unique_state_count(), depth: checker.max_depth(), minds, took, failures, examples }
}

/// A renewal in one tab, step by step; and for each step whether a crash after it loses the session at a strict server.
///
/// # Panics
/// Where nothing is ever renewed.
#[must_use]
pub fn window(bounds: Bounds) -> Vec<(String, bool)> {
    let world = World::new(Bounds { faults: 1, ..bounds });
    let mut state = world.begin();
    let mut lines = Vec::new();
    while !matches!(state.medium[0], Value::Record(rec) if rec.generation > 1) {
        let mut actions = Vec::new();
        world.possible(&state, &mut actions);
        let action = actions.into_iter().find(|action| is_progress(*action)).expect("the renewal goes on");
        let after = world.after(&state, action);
        let line = story::tell(&world, &[(state, Some(action))]).concat();
        let crashed = world.after(&after, Action::Crash(0));
        lines.push((line, !crashed.past.lost.is_empty() || is_taken_later(&world, &crashed)));
        state = after;
    }
    lines
}

/// Whether a request that is still under way makes the loss.
fn is_taken_later(world: &World, state: &State) -> bool {
    state.wire.iter().any(|request| !world.after(state, Action::Serve(*request)).past.lost.is_empty())
}

fn is_progress(action: Action) -> bool {
    match action {
        Action::Work(_) | Action::Claim(_) | Action::Ring(_) | Action::Wait | Action::Serve(_) | Action::Answer(_) => {
            true
        }
        Action::Open(_)
        | Action::Seize(_)
        | Action::See(_)
        | Action::Hear(..)
        | Action::Renew(_)
        | Action::Use(_)
        | Action::Logout(_)
        | Action::Login(_)
        | Action::Crash(_)
        | Action::Lose(_)
        | Action::Fail(_)
        | Action::GiveUp(_)
        | Action::Double(_)
        | Action::HearTwice(..)
        | Action::Refuse(_)
        | Action::Overtake(_) => false,
    }
}
