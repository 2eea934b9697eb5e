//! A tab's work on the medium, the lock and what the tabs know: as `client::driver`, `client::medium` and `client::turn` do it,
//! one access after the other.

use crate::Bug;
use crate::tab::{Claiming, Job, Outcome, Reached, Tab};
use crate::words::{Call, Over, Shown, Told, Turn, Value, Wrote, lineage_text};
use crate::world::{Medium, PATIENCE, Request, State, Waiting, World, at, over_by_wish};
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
                Reached::Done(Outcome::Read(if self.bounds.medium == Medium::Memory {
                    Value::Unreadable
                } else {
                    found
                }))
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
                if over.covers(found) {
                    Reached::Seen(found)
                } else {
                    Reached::Done(Outcome::Wrote(Wrote::Superseded(found)))
                }
            }
            (Job::Commit(_, rec, Over::Anything), Reached::Nothing) if self.bounds.shared() => {
                // A sign-in: from here on, nobody stores what was before.
                let (lineage, generation) = (lineage_text(rec.lineage), rec.generation.into());
                self.agree(state, index, |known| Some(known.begin(&lineage, generation)));
                Reached::InTurn
            }
            (Job::Commit(_, rec, over), Reached::Written) => {
                let (lineage, generation) = (lineage_text(rec.lineage), rec.generation.into());
                let agreed = match (over, fence) {
                    (Over::Anything, _) if self.bounds.shared() => true,
                    (Over::Anything, _) => self.agree(state, index, |known| Some(known.begin(&lineage, generation))),
                    (Over::Own(..), None) => true,
                    (Over::Own(..), Some(fence)) => {
                        self.agree(state, index, |known| known.commit(fence.into(), &lineage, generation))
                    }
                };
                if agreed { Reached::Done(Outcome::Wrote(Wrote::Done)) } else { Reached::TooLate }
            }
            (Job::Commit(_, rec, _), Reached::TooLate) => {
                if !(turn.ended && turn.lineage == rec.lineage) {
                    return Reached::Overtaken;
                }
                self.write(state, index, Value::Ended(rec.lineage, true));
                state.past.signed_out.insert(rec.lineage);
                Reached::Overtaken
            }
            (Job::Commit(_, rec, _), _) => {
                self.write(state, index, Value::Record(rec));
                Reached::Written
            }
            (Job::Forget(_, over @ Over::Own(..), _), Reached::Nothing) => {
                if over.covers(found) {
                    Reached::Seen(found)
                } else {
                    Reached::Done(Outcome::Gone)
                }
            }
            (Job::Forget(_, _, mark), Reached::Ending) => {
                let ended = mark_of(mark, found);
                self.write(state, index, ended);
                state.past.signed_out.extend(over_by_wish(ended));
                Reached::Done(Outcome::Gone)
            }
            (Job::Forget(_, over, _), _) => {
                let (lineage, generation) = match over {
                    Over::Own(lineage, generation, _) => (lineage, generation.into()),
                    Over::Anything => (0, u64::MAX),
                };
                if !self.bounds.shared() {
                    state.register[self.place(index)] = Turn::default();
                } else if !self.agree(state, index, |known| known.end(&lineage_text(lineage), generation)) {
                    return Reached::Done(Outcome::Gone);
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

    /// What the turn of this tab would begin with. With `alone`, a lock says that nobody has it.
    fn claimed(&self, state: &State, index: u8, alone: bool) -> Option<Coordination> {
        let now = UnixMillis(state.now);
        let known = state.register[self.place(index)].known();
        known.claim(now, UnixMillis(state.now + PATIENCE), alone || !self.bounds.shared()).ok()
    }

    /// A tab that has the turn, for all it knows, and is not this one.
    pub(crate) fn in_turn(&self, state: &State, index: u8) -> Option<u8> {
        let fence = state.register[self.place(index)].fence;
        let has = |known: Option<Turn>| known.is_some_and(|known| known.fence == fence);
        let holds = |tab: &Tab| has(tab.known) || has(tab.trailing.and_then(|(known, _)| known));
        let mut tabs = (0..).zip(&state.tabs).filter_map(|(other, tab)| Some((other, tab.as_ref()?)));
        tabs.find(|(other, tab)| *other != index && holds(tab)).map(|(other, _)| other).filter(|_| self.bounds.shared())
    }

    /// Whether this tab can go on on its way to its turn; and whether it takes it from one that hangs.
    pub(crate) fn may_claim(&self, state: &State, index: u8, lock: u8, how: Claiming) -> Option<bool> {
        let respects = how != Claiming::Locked && !self.is_taken(state, lock);
        let free = !respects || self.claimed(state, index, false).is_some();
        // Whose lock was taken away has lost its turn by that.
        free.then(|| respects && how != Claiming::Seized && self.in_turn(state, index).is_some())
    }

    /// Whether nobody has the turn, or only a tab that hangs.
    pub(crate) fn is_overdue(&self, state: &State, index: u8) -> bool {
        self.claimed(state, index, false).is_some()
    }

    /// The turn of this tab begins; or it finds that its lock was taken away, and waits for it again.
    pub(crate) fn claim(&self, state: &mut State, index: u8) {
        let Some(((turn, lock), how)) = at(state, index).and_then(|tab| tab.claiming.take()) else { return };
        let wanted = at(state, index).is_some_and(|tab| tab.lock_turn == turn);
        if !wanted {
            return self.give_back(state, lock);
        }
        if self.is_taken(state, lock) {
            let until = state.now + PATIENCE;
            return state.queue.push(Waiting { tab: index, turn, until });
        }
        let mut known = None;
        if self.bounds.medium != Medium::Memory {
            if how != Claiming::Locked
                && let Some(slow) = self.in_turn(state, index)
            {
                self.leave_behind(state, slow);
            }
            known = self.claimed(state, index, how == Claiming::Locked).as_ref().map(Turn::of);
            if let Some(claimed) = known {
                state.register[self.place(index)] = claimed;
            }
        }
        let Some(tab) = at(state, index) else { return };
        tab.guard = Some((turn, lock));
        tab.known = known;
        tab.jobs.push(Job::ReadLocked(turn));
    }

    /// A new lock for this tab, in this turn of it.
    pub(crate) fn lock(&self, state: &mut State, index: u8, turn: u8, how: Claiming) {
        let known = state.tabs.iter_mut().flatten().flat_map(Tab::locks).map(|lock| *lock);
        let lock = known.chain(state.holder).max().map_or(0, |last| last + 1);
        if how != Claiming::Free {
            state.holder = Some(lock);
        }
        if let Some(tab) = at(state, index) {
            tab.claiming = Some(((turn, lock), how));
        }
    }

    /// Whether another tab has taken this lock away. One that keeps nobody away, nobody takes.
    fn is_taken(&self, state: &State, lock: u8) -> bool {
        self.bounds.locks && self.bounds.bug != Some(Bug::NoLock) && state.holder != Some(lock)
    }

    fn give_back(&self, state: &mut State, lock: u8) {
        state.holder = state.holder.filter(|held| *held != lock);
    }

    /// Gives back the lock, where that is the next job; and that of a turn whose last request was answered.
    pub(crate) fn release(&self, state: &mut State, index: u8) {
        let renews = |request: &Request| request.owner == Some(index) && matches!(request.call, Call::Refresh(_));
        let under_way = state.wire.iter().any(renews);
        while let Some(tab) = at(state, index)
            && let Some(Job::Release(turn)) = tab.jobs.first().copied()
        {
            tab.jobs.remove(0);
            let Some((_, lock)) = tab.guard.take_if(|(acquired, _)| *acquired < turn) else { continue };
            let known = tab.known.take();
            if under_way && tab.trailing.is_none() {
                tab.trailing = Some((known, lock));
            } else {
                self.end_turn(state, index, known, lock);
            }
        }
        if !under_way && let Some((known, lock)) = at(state, index).and_then(|tab| tab.trailing.take()) {
            self.end_turn(state, index, known, lock);
        }
    }

    fn end_turn(&self, state: &mut State, index: u8, known: Option<Turn>, lock: u8) {
        let locked = self.bounds.locks && !self.is_taken(state, lock);
        self.give_back(state, lock);
        if let Some(known) = known.filter(|_| !locked) {
            self.agree(state, index, |now| now.release(known.fence.into()));
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
