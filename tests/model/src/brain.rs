//! The machine of the crate, as a table: which state it is in is a number, and each step is made once.
//!
//! A machine cannot be copied, and holds handles for one thread; but `step` is pure, so the events that led to a state make
//! that state again. Two machines are one state if they print alike: everything they know is in that text, secrets by their
//! name (see `words`), except the dice of the last event, which the next event replaces; and its time, where so little passes
//! altogether that no machine can take it for sleep, which is all that it asks the time of the last event for.

use crate::words::{Millis, Told, Want};
use authsafe::machine::{Event, Machine, Settings, step};
use authsafe::policy::refresh::RefreshPolicy;
use authsafe::policy::restore::Restore;
use authsafe::types::{Lifetime, Reading, UnixMillis};
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// Names a state of the machine.
pub type Mind = u32;

/// The state of a client that has not started.
pub const NEW: Mind = 0;

type Wants = Arc<[Want]>;

/// What has been found out about the machine.
pub struct Brain {
    shared: bool,
    /// The time of the last event is part of the state.
    timed: bool,
    table: RwLock<Table>,
}

#[derive(Default)]
struct Table {
    minds: HashMap<String, Mind>,
    /// By the number of the state: the earliest step that led to it.
    origins: Vec<Option<(Mind, Millis, Told)>>,
    steps: HashMap<(Mind, Millis, Told), (Mind, Wants)>,
}

impl Brain {
    /// Nothing is known yet. Tabs share the medium, or not; and so much time passes.
    #[must_use]
    pub fn new(shared: bool, span: Millis) -> Self {
        let timed = span > NAP;
        let mut table = Table::default();
        table.minds.insert(print(&Machine::new(settings(shared)), timed), NEW);
        table.origins.push(None);
        Self { shared, timed, table: RwLock::new(table) }
    }

    /// How many states of the machine were met.
    ///
    /// # Panics
    /// Where another thread has.
    #[must_use]
    pub fn minds(&self) -> usize {
        self.table.read().expect("no thread has panicked").origins.len()
    }

    /// One step. Time never goes back.
    ///
    /// # Panics
    /// Where the machine does, or mixes two sessions.
    #[must_use]
    pub fn step(&self, mind: Mind, at: Millis, told: Told) -> (Mind, Wants) {
        let key = (mind, at, told);
        if let Some((next, wants)) = self.table.read().expect("no thread has panicked").steps.get(&key) {
            return (*next, Arc::clone(wants));
        }
        let (machine, effects) = make(self.remember(mind), at, told);
        let wants: Wants = effects.iter().filter_map(Want::of).collect();
        let mut table = self.table.write().expect("no thread has panicked");
        let next = table.mind(print(&machine, self.timed), key);
        table.steps.insert(key, (next, Arc::clone(&wants)));
        (next, wants)
    }

    /// The machine in this state.
    fn remember(&self, mind: Mind) -> Machine {
        let mut events = Vec::new();
        let table = self.table.read().expect("no thread has panicked");
        let mut at = mind;
        while let Some((before, time, told)) = table.origins[at as usize] {
            events.push((time, told));
            at = before;
        }
        drop(table);
        let new = Machine::new(settings(self.shared));
        events.into_iter().rev().fold(new, |machine, (time, told)| make(machine, time, told).0)
    }
}

impl Table {
    fn mind(&mut self, text: String, origin: (Mind, Millis, Told)) -> Mind {
        if let Some(mind) = self.minds.get(&text) {
            // A machine that remembers a later time would take the next event for a clock that was set back.
            if let Some(known) = &mut self.origins[*mind as usize]
                && origin.1 < known.1
            {
                *known = origin;
            }
            return *mind;
        }
        let mind = Mind::try_from(self.origins.len()).expect("fewer than four billion states");
        self.minds.insert(text, mind);
        self.origins.push(Some(origin));
        mind
    }
}

/// Token mode, with a provider.
fn settings(shared: bool) -> Settings {
    Settings {
        server_session: false,
        refresh: RefreshPolicy::default(),
        refresh_cookie: false,
        extendable: false,
        shared,
        bound: false,
        restore: Restore::Record,
        recheck_interval: None,
        recheck_on_focus: false,
        recheck_on_online: false,
        recheck_min_interval: Lifetime::ZERO,
        idle: None,
        initial: None,
    }
}

fn make(machine: Machine, at: Millis, told: Told) -> (Machine, Vec<authsafe::machine::Effect>) {
    // Without a running clock, the machine believes the wall clock, which nobody sets here.
    let at = Reading { wall: UnixMillis(at), ran: Lifetime::ZERO };
    step(machine, Event { at, random: told.random(), kind: told.kind() })
}

/// What the machine knows. The time and the dice of its last event are its last members but the effects.
fn print(machine: &Machine, timed: bool) -> String {
    let mut text = format!("{machine:?}");
    assert!(text.ends_with(", effects: [] }"), "the machine keeps nothing behind its dice");
    let member = if timed { ", random: " } else { ", now: UnixMillis(" };
    text.truncate(text.rfind(member).expect("the machine prints its last event"));
    // The settings are the same for all.
    text.split_off(text.find("phase: ").expect("the machine prints its phase"))
}

/// After this long without an event, a machine looks whether it has slept: as in `machine::wake`.
const NAP: Millis = 150_000;
