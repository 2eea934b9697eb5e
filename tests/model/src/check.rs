//! What must hold, and what must be possible.

use crate::server::{End, Rotation};
use crate::tab::Tab;
use crate::words::{Call, Grant, Millis, Reply, Shown, Value};
use crate::world::{Action, Faults, State, World};
use stateright::{Model, Property};

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.begin()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.possible(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(self.after(state, action)).filter(|after| after != state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = vec![
            Property::always(KEPT, |world: &Self, state| {
                world.families(state).all(|family| world.is_kept(state, family))
            }),
            Property::always(NOT_REVOKED, |world: &Self, state| {
                world.families(state).all(|family| world.is_cleanly_ended(state, family))
            }),
            Property::always(ONE_REQUEST, |world: &Self, state| {
                world.families(state).all(|family| requests(state, family) <= 1)
            }),
            Property::always(NOT_AGAIN, |_: &Self, state: &State| state.past.sent.values().all(|times| *times <= 2)),
            Property::always(NOT_USED, |_: &Self, state: &State| !state.past.misused),
            Property::always(NOT_RESURRECTED, |_: &Self, state: &State| {
                let over = |value: &Value| matches!(value, Value::Record(rec) if state.past.signed_out.contains(&rec.grant.family));
                let at_rest = state.tabs.iter().flatten().all(|tab| tab.jobs.is_empty());
                !(at_rest && state.medium.iter().any(over))
            }),
            Property::always(NO_HANG, |_: &Self, state: &State| {
                !(0..).zip(&state.tabs).any(|(index, tab)| tab.as_ref().is_some_and(|tab| hangs(state, index, tab)))
            }),
            Property::sometimes(RENEWS, |_: &Self, state: &State| {
                state.medium.iter().any(|value| matches!(value, Value::Record(rec) if rec.generation > 1))
            }),
        ];
        if self.bounds.tabs > 1 && self.bounds.shared() {
            all.push(Property::sometimes(ADOPTS, |_: &Self, state: &State| state.past.adopted));
        }
        let any = self.bounds.possible == Faults::ANY;
        if self.bounds.faults > 0 && (!any || self.bounds.rotation == Rotation::Strict) {
            all.push(Property::sometimes(WINDOW, |world: &Self, state| {
                world.families(state).any(|family| ended(state, family) == Some(End::Reuse))
            }));
        }
        all
    }
}

/// I1.
pub const KEPT: &str = "the refresh token last issued is stored, or about to be";
/// I1.
pub const NOT_REVOKED: &str = "a session ends by the user's wish, or by a loss that cannot be prevented";
/// I2.
pub const ONE_REQUEST: &str = "at most one token request per session is in flight";
/// I1, where an answer was lost.
pub const NOT_AGAIN: &str = "a refresh token is sent once, and once more at most where nobody knows what came of it";
/// I5.
pub const NOT_USED: &str = "no credential is used after a sign-out";
/// I5.
pub const NOT_RESURRECTED: &str = "a session that was signed out does not come back";
/// I3.
pub const NO_HANG: &str = "nobody waits for nothing";
/// The model does something.
pub const RENEWS: &str = "tokens are renewed";
/// The model does something.
pub const ADOPTS: &str = "a tab takes over what another one stored";
/// What cannot be prevented.
pub const WINDOW: &str = "strict reuse detection ends a session";

impl World {
    fn families(&self, state: &State) -> impl Iterator<Item = u8> + use<> {
        1..=state.server.sign_ins()
    }

    /// Tokens that the server takes are in the medium, or will be: a tab is writing them, or waits for the answer that they
    /// are in. Not any more where the user wanted it so, or where the one loss has happened that cannot be prevented.
    fn is_kept(&self, state: &State, family: u8) -> bool {
        let taken = |grant: Grant| grant.family == family && state.server.accepts(grant, self.bounds.rotation);
        let stored = |value: &Value| matches!(value, Value::Record(rec) if taken(rec.grant));
        ended(state, family).is_some()
            || state.past.wished.contains(&family)
            || self.is_lost(state, family)
            || state.medium.iter().any(stored)
            || state.tabs.iter().flatten().any(|tab| tab.is_writing(taken))
            || state.wire.iter().any(
                |request| matches!(request.reply, Some(Reply::Renewed(grant) | Reply::SignedIn(grant)) if taken(grant)),
            )
    }

    fn is_cleanly_ended(&self, state: &State, family: u8) -> bool {
        match ended(state, family) {
            None => true,
            Some(End::Reuse) => self.is_lost(state, family) || state.past.wished.contains(&family),
            Some(End::Revoked) => state.past.wished.contains(&family),
        }
    }

    fn is_lost(&self, state: &State, family: u8) -> bool {
        let past = match self.bounds.rotation {
            Rotation::Never => return false,
            Rotation::Grace => &state.past.stray,
            Rotation::Strict => &state.past.lost,
        };
        past.contains(&family)
    }
}

fn ended(state: &State, family: u8) -> Option<End> {
    state.server.family(family).and_then(|family| family.end)
}

/// Those that somebody still waits for: a tab that is gone, or has given up, cannot call its request back.
fn requests(state: &State, family: u8) -> usize {
    let one = |call: &Call| matches!(call, Call::Refresh(grant) if grant.family == family);
    state.wire.iter().filter(|request| request.owner.is_some() && !request.overtaken && one(&request.call)).count()
}

/// A tab waits, for a server, a lock or the medium, but nothing of it is under way; and its alarm will not ring soon.
fn hangs(state: &State, index: u8, tab: &Tab) -> bool {
    let waits = !tab.promises.is_empty()
        || tab.guard.is_some()
        || matches!(tab.shown, Shown::Starting | Shown::SigningIn | Shown::Renewing(_));
    let under_way = !tab.jobs.is_empty()
        || tab.claiming.is_some()
        || state.queue.iter().any(|waiting| waiting.tab == index)
        || state.wire.iter().any(|request| request.owner == Some(index));
    let soon = tab.alarm.is_some_and(|at| at <= state.now + SOON);
    waits && !under_way && !soon
}

const SOON: Millis = 1000;
