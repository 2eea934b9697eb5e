//! A tab's work on the medium, the lock and what the tabs know: as `client::driver`, `client::medium` and `client::turn` do it,
//! one access after the other.

use crate::tab::{Claiming, Job, Outcome, Reached, Tab};
use crate::words::{Over, Shown, Told, Turn, Value, Wrote, lineage_text};
use crate::world::{Medium, PATIENCE, State, World, at, over_by_wish};
use authsafe::protocol::coordination::Coordination;
use authsafe::types::UnixMillis;

impl World {
    /// One step of the first job of a tab; all of it, where jobs are not interrupted.
    pub(crate) fn work(&self, state: &mut State, index: u8) {
        loop {
            let Some(tab) = at(state, index) else { return };
            let Some(job) = tab.jobs.first().copied() else { return };
            if let Reached::Done(outcome) = tab.reached {
                tab.jobs.remove(0);
                tab.reached = Reached::Nothing;
                return self.report(state, index, job, outcome);
            }
            let reached = tab.reached;
            let reached = self.go_on(state, index, job, reached);
            let Some(tab) = at(state, index) else { return };
            tab.reached = reached;
            if self.bounds.split {
                return;
            }
        }
    }

    fn go_on(&self, state: &mut State, index: u8, job: Job, reached: Reached) -> Reached {
        let found = self.read(state, index);
        let turn = state.register[self.place(index)];
        let fence = state.tabs[usize::from(index)].as_ref().and_then(|tab| tab.known).map(|known| known.fence);
        match (job, reached) {
            (Job::Load, _) => Reached::Done(Outcome::Read(found)),
            (Job::ReadLocked(_) | Job::Reread, _) => {
                Reached::Done(Outcome::Read(if self.bounds.shared() { found } else { Value::Unreadable }))
            }
            (Job::Intend(lineage, generation, tries), _) => Reached::Done(Outcome::Noted(match fence {
                None => true,
                Some(fence) => self.agree(state, index, |known| {
                    known.intend(fence.into(), &lineage_text(lineage), generation.into(), tries.into())
                }),
            })),
            (Job::Commit(_, _, Over::Own(..)), Reached::Nothing) => {
                let overtaken = self.bounds.shared() && fence.is_some_and(|fence| fence != turn.fence);
                if overtaken { Reached::Overtaken } else { Reached::InTurn }
            }
            (Job::Commit(..), Reached::Overtaken) => Reached::Done(Outcome::Wrote(Wrote::Superseded(found))),
            (Job::Commit(_, _, over @ Over::Own(..)), Reached::InTurn) => {
                if over.covers(found) { Reached::Seen(found) } else { Reached::Done(Outcome::Wrote(Wrote::Superseded(found))) }
            }
            (Job::Commit(_, rec, over), Reached::Written) => {
                let (lineage, generation) = (lineage_text(rec.lineage), rec.generation.into());
                match (over, fence) {
                    (Over::Anything, _) => drop(self.agree(state, index, |known| Some(known.begin(&lineage, generation)))),
                    (Over::Own(..), Some(fence)) => {
                        self.agree(state, index, |known| known.commit(fence.into(), &lineage, generation));
                    }
                    (Over::Own(..), None) => {}
                }
                Reached::Done(Outcome::Wrote(Wrote::Done))
            }
            (Job::Commit(_, rec, _), _) => {
                self.write(state, index, Value::Record(rec));
                Reached::Written
            }
            (Job::Forget(_, over @ Over::Own(..), _), Reached::Nothing) => {
                if over.covers(found) { Reached::Seen(found) } else { Reached::Done(Outcome::Gone) }
            }
            (Job::Forget(_, _, mark), Reached::Ending) => {
                let ended = mark_of(mark, found);
                self.write(state, index, ended);
                state.past.signed_out.extend(over_by_wish(ended));
                Reached::Done(Outcome::Gone)
            }
            (Job::Forget(_, over, _), _) => {
                let lineage = if let Over::Own(lineage, ..) = over { lineage } else { 0 };
                if self.bounds.shared() {
                    self.agree(state, index, |known| known.end(&lineage_text(lineage)));
                } else {
                    state.register[self.place(index)] = Turn::default();
                }
                Reached::Ending
            }
            (Job::Release(_), _) => Reached::Nothing,
        }
    }

    fn report(&self, state: &mut State, index: u8, job: Job, outcome: Outcome) {
        let Some(tab) = at(state, index) else { return };
        let told = match (job, outcome) {
            (Job::Load, Outcome::Read(value)) => Told::Loaded(value),
            (Job::ReadLocked(turn), Outcome::Read(value)) if tab.lock_turn == turn => Told::Granted(value, tab.known),
            (Job::Reread, Outcome::Read(value)) => Told::Reread(value),
            (Job::Intend(..), Outcome::Noted(done)) => Told::Intended(done),
            (Job::Commit(epoch, ..), Outcome::Wrote(wrote)) => Told::Committed(epoch, wrote),
            (Job::Forget(id, ..), Outcome::Gone) => Told::Forgotten(id),
            (
                Job::Load
                | Job::ReadLocked(_)
                | Job::Reread
                | Job::Intend(..)
                | Job::Commit(..)
                | Job::Forget(..)
                | Job::Release(_),
                _,
            ) => return,
        };
        let before = tab.shown;
        self.tell(state, index, told);
        let Some(tab) = at(state, index) else { return };
        let read = matches!(told, Told::Granted(Value::Record(_), _) | Told::Reread(Value::Record(_)));
        state.past.adopted |= read && matches!((before, tab.shown), (Shown::Renewing(_), Shown::SignedIn(_)));
    }

    /// Changes what the tabs know, in one step. Whether there was something to change.
    fn agree(&self, state: &mut State, index: u8, change: impl FnOnce(&Coordination) -> Option<Coordination>) -> bool {
        if self.bounds.medium == Medium::Memory {
            return true;
        }
        let known = &mut state.register[self.place(index)];
        let Some(changed) = change(&known.known()) else { return false };
        *known = Turn::of(&changed);
        true
    }

    /// What the turn of this tab would begin with. With `alone`, a lock keeps the other tabs away.
    fn claimed(&self, state: &State, index: u8, alone: bool) -> Option<Coordination> {
        let now = UnixMillis(state.now);
        let known = state.register[self.place(index)].known();
        known.claim(now, UnixMillis(state.now + PATIENCE), alone).ok()
    }

    /// A tab that has the turn, for all it knows, and is not this one.
    pub(crate) fn in_turn(&self, state: &State, index: u8) -> Option<u8> {
        let fence = state.register[self.place(index)].fence;
        let holds = |tab: &Option<Tab>| tab.as_ref().and_then(|tab| tab.known).is_some_and(|known| known.fence == fence);
        (0..).zip(&state.tabs).find(|(other, tab)| *other != index && holds(tab)).map(|(other, _)| other)
    }

    /// Whether the turn of this tab can begin: nobody has it who could still do something with it.
    pub(crate) fn may_claim(&self, state: &State, index: u8, how: Claiming) -> bool {
        match how {
            Claiming::Locked | Claiming::Seizing(_) => true,
            Claiming::Free if !self.bounds.shared() => true,
            Claiming::Free => self.claimed(state, index, false).is_some() && self.in_turn(state, index).is_none(),
        }
    }

    /// Whether the tab whose turn it is has taken too long.
    pub(crate) fn may_overtake(&self, state: &State, index: u8) -> bool {
        self.claimed(state, index, false).is_some()
    }

    /// The turn of this tab begins.
    pub(crate) fn claim(&self, state: &mut State, index: u8) {
        let Some((turn, how)) = at(state, index).and_then(|tab| tab.claiming) else { return };
        let known = match how {
            Claiming::Seizing(known) => {
                state.holder = Some(index);
                known
            }
            Claiming::Locked | Claiming::Free => self.take_turn(state, index, how == Claiming::Locked),
        };
        self.begin_turn(state, index, turn, known);
    }

    /// The turn is taken from a tab that hangs.
    pub(crate) fn overtake(&self, state: &mut State, index: u8, turn: u8) {
        if let Some(slow) = self.in_turn(state, index) {
            self.leave_behind(state, slow);
        }
        let known = self.take_turn(state, index, false);
        if self.bounds.locks {
            if let Some(tab) = at(state, index) {
                tab.claiming = Some((turn, Claiming::Seizing(known)));
            }
        } else {
            self.begin_turn(state, index, turn, known);
        }
    }

    fn take_turn(&self, state: &mut State, index: u8, locked: bool) -> Option<Turn> {
        if self.bounds.medium == Medium::Memory {
            return None;
        }
        let claimed = self.claimed(state, index, locked || !self.bounds.shared()).as_ref().map(Turn::of)?;
        state.register[self.place(index)] = claimed;
        Some(claimed)
    }

    fn begin_turn(&self, state: &mut State, index: u8, turn: u8, known: Option<Turn>) {
        let Some(tab) = at(state, index) else { return };
        tab.claiming = None;
        if tab.lock_turn == turn {
            tab.guard = Some(turn);
            tab.known = known;
            tab.jobs.push(Job::ReadLocked(turn));
        } else if state.holder == Some(index) {
            state.holder = None;
        }
    }

    /// Gives back the lock, where that is the next job.
    pub(crate) fn release(&self, state: &mut State, index: u8) {
        while let Some(tab) = at(state, index)
            && let Some(Job::Release(turn)) = tab.jobs.first().copied()
        {
            tab.jobs.remove(0);
            if tab.guard.take_if(|acquired| *acquired < turn).is_none() {
                continue;
            }
            let known = tab.known.take();
            if state.holder == Some(index) {
                state.holder = None;
            }
            if let Some(known) = known.filter(|_| !self.bounds.locks) {
                self.agree(state, index, |now| now.release(known.fence.into()));
            }
        }
    }

    fn read(&self, state: &State, tab: u8) -> Value {
        let stale = self.bounds.medium == Medium::Stale;
        if stale { state.views[usize::from(tab)] } else { state.medium[self.place(tab)] }
    }

    fn write(&self, state: &mut State, tab: u8, value: Value) {
        state.medium[self.place(tab)] = value;
        if self.bounds.medium == Medium::Stale {
            state.views[usize::from(tab)] = value;
        }
    }
}

/// What is left in the place of a record. A tab without a session marks whatever sign-in is there, and leaves a mark that stands.
fn mark_of(mark: Option<(u8, bool)>, found: Value) -> Value {
    match (mark, found) {
        (None, _) | (Some((0, _)), Value::Empty | Value::Unreadable) => Value::Empty,
        (Some((0, wished)), Value::Record(rec)) => Value::Ended(rec.lineage, wished),
        (Some((0, wished)), Value::Ended(lineage, stands)) => Value::Ended(lineage, stands || wished),
        (Some((lineage, wished)), _) => Value::Ended(lineage, wished),
    }
}
