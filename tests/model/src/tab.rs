//! A tab: the machine, and what `client::driver` keeps around it. The driver's little sister: the same queue, the same turns.

use crate::Bug;
use crate::brain::{Brain, Mind, NEW};
use crate::words::{Call, Grant, Millis, Note, Over, Rec, Shown, Told, Turn, Value, Want, Wrote};
use std::collections::BTreeSet;

/// One tab.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tab {
    /// The machine.
    pub mind: Mind,
    /// What the application sees.
    pub shown: Shown,
    /// Work on the medium, in order. The first has come as far as `reached`.
    pub jobs: Vec<Job>,
    /// How far the first job has come.
    pub reached: Reached,
    /// The lock that is held, or was until another tab took it away: the turn that acquired it, and which it is.
    pub guard: Option<(u8, u8)>,
    /// On the way to the turn that goes with this lock.
    pub claiming: Option<((u8, u8), Claiming)>,
    /// What the tabs knew when the lock was acquired.
    pub known: Option<Turn>,
    /// A turn that is over, but for a request that is under way; and its lock.
    pub trailing: Option<(Option<Turn>, u8)>,
    /// Counts acquisitions and releases.
    pub lock_turn: u8,
    /// When the alarm rings.
    pub alarm: Option<Millis>,
    next_promise: u8,
    /// Promises that were not settled.
    pub promises: BTreeSet<u8>,
    /// The sign-ins whose end by the user's wish this tab has had word of.
    pub knows_over: BTreeSet<u8>,
}

/// Work on the medium, or on the lock that orders it among tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// Read at start.
    Load,
    /// Read under the lock of this turn.
    ReadLocked(u8),
    /// Read without the lock.
    Reread,
    /// Write down that this generation of this sign-in is sent for the how-manieth time.
    Intend(u8, u8, u8),
    /// Make it durable.
    Commit(u8, Rec, Over),
    /// Put a mark in its place.
    Forget(Option<u8>, Over, Option<(u8, bool)>),
    /// Give back the lock of any turn before this one.
    Release(u8),
}

/// How a tab comes to its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claiming {
    /// It has the lock.
    Locked,
    /// There is no lock that would keep other tabs away.
    Free,
    /// It has taken the lock from a tab that hangs.
    Seized,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reached {
    /// It has not begun.
    Nothing,
    /// It still has the turn.
    InTurn,
    /// It has lost the turn.
    Overtaken,
    /// It has read this, which may be replaced.
    Seen(Value),
    /// It has told the tabs that the sign-in is over.
    Ending,
    /// It has written.
    Written,
    /// It has written, and meanwhile another tab has signed in or out, or taken the turn.
    TooLate,
    /// It is done, and its outcome is still to be told.
    Done(Outcome),
}

/// What is still to be told of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// What was read.
    Read(Value),
    /// Whether it was written down.
    Noted(bool),
    /// What was written.
    Wrote(Wrote),
    /// That the record is gone, or was not to be touched.
    Gone,
}

/// What a tab does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It waits for the lock, as this turn.
    Queue(u8),
    /// It sends a request of this epoch.
    Send(u8, Call),
    /// It speaks to the others.
    Tell(Note),
    /// It hands an access token to the application.
    Hand(Grant),
}

impl Tab {
    /// A tab whose client has not started.
    #[must_use]
    pub fn new() -> Self {
        Self {
            mind: NEW,
            shown: Shown::Starting,
            jobs: Vec::new(),
            reached: Reached::Nothing,
            guard: None,
            claiming: None,
            known: None,
            trailing: None,
            lock_turn: 0,
            alarm: None,
            next_promise: 0,
            promises: BTreeSet::new(),
            knows_over: BTreeSet::new(),
        }
    }

    /// A number for a promise that the application waits for.
    pub fn promise(&mut self) -> u8 {
        let id = self.next_promise;
        self.next_promise += 1;
        self.promises.insert(id);
        id
    }

    /// The machine makes one step, and what it wants is done or queued.
    pub fn tell(&mut self, brain: &Brain, bug: Option<Bug>, at: Millis, told: Told) -> Vec<Deed> {
        let (mind, wants) = brain.step(self.mind, at, told);
        self.mind = mind;
        let mut deeds = Vec::new();
        for want in wants.iter().copied() {
            match want {
                Want::Load => self.jobs.push(Job::Load),
                Want::AcquireLock => {
                    self.lock_turn += 1;
                    deeds.push(Deed::Queue(self.lock_turn));
                }
                Want::Intend(lineage, generation, tries) => self.jobs.push(Job::Intend(lineage, generation, tries)),
                Want::ReadAgain => self.jobs.push(Job::ReadLocked(self.lock_turn)),
                Want::ReleaseLock => {
                    self.lock_turn += 1;
                    self.jobs.push(Job::Release(self.lock_turn));
                }
                Want::Reread => self.jobs.push(Job::Reread),
                Want::Send(epoch, call) => deeds.push(Deed::Send(epoch, call)),
                Want::Commit(epoch, rec, over) => {
                    if bug == Some(Bug::CommitAfterRelease) {
                        self.jobs.push(Job::Release(u8::MAX));
                    }
                    self.jobs.push(Job::Commit(epoch, rec, over));
                }
                Want::Forget(id, over, mark) => self.jobs.push(Job::Forget(id, over, mark)),
                Want::WakeAt(alarm) => self.alarm = alarm,
                Want::Tell(note) => deeds.push(Deed::Tell(note)),
                Want::Settle(id, token) => {
                    self.promises.remove(&id);
                    deeds.extend(token.map(Deed::Hand));
                }
                Want::Show(shown) => self.shown = shown,
            }
        }
        if self.promises.is_empty() {
            self.next_promise = 0;
        }
        deeds
    }

    /// Whether a job is going to write these tokens, or something like them.
    #[must_use]
    pub fn is_writing(&self, kept: impl Fn(Grant) -> bool) -> bool {
        self.jobs.iter().any(|job| matches!(job, Job::Commit(_, rec, _) if kept(rec.grant)))
    }

    /// Whether the first job has written what it is to write.
    #[must_use]
    pub fn has_written(&self) -> bool {
        matches!(self.reached, Reached::Written | Reached::TooLate | Reached::Done(_))
    }

    /// What it knows of the turns.
    pub fn turns(&mut self) -> impl Iterator<Item = &mut Turn> {
        let trailing = self.trailing.as_mut().and_then(|(known, _)| known.as_mut());
        self.known.as_mut().into_iter().chain(trailing)
    }

    /// The locks that it has, or had.
    pub fn locks(&mut self) -> impl Iterator<Item = &mut u8> {
        let guard = self.guard.as_mut().map(|(_, lock)| lock);
        let claiming = self.claiming.as_mut().map(|((_, lock), _)| lock);
        let trailing = self.trailing.as_mut().map(|(_, lock)| lock);
        [guard, claiming, trailing].into_iter().flatten()
    }

    /// Turns of the lock are only compared with each other: the numbers of those that nobody knows any more are given again.
    /// `queued` are those that wait for the lock.
    pub fn renumber<'a>(&'a mut self, queued: impl Iterator<Item = &'a mut u8>) {
        let mut turns: Vec<&mut u8> = vec![&mut self.lock_turn];
        turns.extend(queued);
        turns.extend(self.guard.as_mut().map(|(turn, _)| turn));
        turns.extend(self.claiming.as_mut().map(|((turn, _), _)| turn));
        turns.extend(self.jobs.iter_mut().filter_map(|job| match job {
            Job::ReadLocked(turn) | Job::Release(turn) if *turn != u8::MAX => Some(turn),
            Job::ReadLocked(_)
            | Job::Release(_)
            | Job::Load
            | Job::Reread
            | Job::Intend(..)
            | Job::Commit(..)
            | Job::Forget(..) => None,
        }));
        renumber(&mut turns);
    }
}

/// Gives the lowest numbers in the same order.
pub(crate) fn renumber(numbers: &mut [&mut u8]) {
    let known: BTreeSet<u8> = numbers.iter().map(|number| **number).collect();
    for number in numbers {
        **number = known.iter().take_while(|each| **each < **number).count() as u8;
    }
}

impl Default for Tab {
    fn default() -> Self {
        Self::new()
    }
}
