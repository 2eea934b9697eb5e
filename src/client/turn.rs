//! What the tabs of a browser agree on about renewals, where there is a place for it: see `protocol::coordination`.

use super::driver::{Inner, LOCK_PATIENCE, Turn};
use super::options::Mode;
use crate::machine::Over;
use crate::policy::storage::Medium;
use crate::ports::{Ports, Register, Store, StoreFailure};
use crate::protocol::coordination::Coordination;
use crate::protocol::record::Record;
use crate::types::UnixMillis;
use std::cell::Cell;
use std::rc::Rc;

/// Where it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Where all tabs see it.
    Register,
    /// In this tab, for its next page load.
    Tab,
    /// Nowhere: a page load keeps nothing that could be renewed.
    Nowhere,
}

/// What is made of what is known, if anything.
type Change = Box<dyn Fn(&Coordination) -> Option<Coordination>>;

/// What became of a change.
enum Agreed {
    /// This is known now.
    On(Coordination),
    /// Nothing was to be changed.
    Not,
    /// There is no place for it.
    Nowhere,
    /// The place did not answer as it should.
    Unknown,
}

impl<P: Ports> Inner<P> {
    fn turn_key(&self) -> String {
        ["authsafe.", &self.config.id, ".turn"].concat()
    }

    fn place(&self) -> Place {
        let Mode::Token(tokens) = &self.config.mode else { return Place::Nowhere };
        match tokens.storage.medium {
            medium if medium.is_shared() => Place::Register,
            Medium::Memory => Place::Nowhere,
            Medium::SessionStorage | Medium::LocalStorage | Medium::IndexedDb | Medium::Cookie | Medium::Custom => {
                Place::Tab
            }
        }
    }

    /// What the tabs of this browser know, as far as it can be read.
    async fn known(&self) -> Coordination {
        let text = self.ports.register().read(&self.turn_key()).await.ok().flatten();
        Coordination::parse(&text.unwrap_or_default())
    }

    async fn agree(&self, change: Change) -> Agreed {
        let key = self.turn_key();
        let apply = move |found: Option<String>| {
            change(&Coordination::parse(&found.unwrap_or_default())).map(|known| known.to_text())
        };
        let put = match self.place() {
            Place::Register => self.ports.register().update(&key, Box::new(apply)).await,
            Place::Tab => {
                let store = self.ports.traces();
                match store.read(&key).await.map(apply) {
                    Ok(Some(text)) => store.write(&key, &text).await.map(|()| Some(text)),
                    other => other,
                }
            }
            Place::Nowhere => return Agreed::Nowhere,
        };
        match put {
            Ok(Some(text)) => Agreed::On(Coordination::parse(&text)),
            Ok(None) => Agreed::Not,
            Err(StoreFailure::Blocked) => Agreed::Nowhere,
            Err(StoreFailure::Full | StoreFailure::Failed) => Agreed::Unknown,
        }
    }

    pub(super) fn fence(&self) -> Option<u64> {
        self.turn.borrow().as_ref().and_then(|(_, turn)| turn.known.as_ref()).map(|known| known.fence)
    }

    /// Whether the tab that has the turn hangs, if any has it.
    ///
    /// # Errors
    /// When its turn is to be over.
    pub(super) async fn overdue(&self) -> Result<(), UnixMillis> {
        if self.place() != Place::Register {
            return Ok(());
        }
        let now = self.ports.now();
        self.known().await.claim(now, now.plus(LOCK_PATIENCE), false).map(drop)
    }

    /// Takes the turn; `None` where there is nothing to take. A lock that keeps other tabs away says that nobody has it, unless
    /// it was `seized`.
    ///
    /// # Errors
    /// When the turn of another tab is to be over; or now, where the lock is lost meanwhile.
    pub(super) async fn claim(&self, lock: &Rc<P::Guard>, seized: bool) -> Result<Option<Coordination>, UnixMillis> {
        let now = self.ports.now();
        let busy = Rc::new(Cell::new(None));
        let (told, lock) = (Rc::clone(&busy), Rc::clone(lock));
        // In one tab, the lock of this page is enough.
        let alone = (P::spans_tabs(&lock) && !seized) || self.place() == Place::Tab;
        let claimed = self.agree(Box::new(move |known| {
            if P::is_lost(&lock) {
                // Who took it may be renewing.
                told.set(Some(now));
                return None;
            }
            let claimed = known.claim(now, now.plus(LOCK_PATIENCE), alone);
            claimed.map_err(|until| told.set(Some(until))).ok()
        }));
        match claimed.await {
            Agreed::On(known) => Ok(Some(known)),
            Agreed::Not => busy.get().map_or(Ok(None), Err),
            // Without a lock, another tab may have the turn.
            Agreed::Unknown if !alone => Err(now.plus(LOCK_PATIENCE)),
            Agreed::Unknown | Agreed::Nowhere => Ok(None),
        }
    }

    /// Notes that a refresh token is sent. Whether this client still has the turn.
    pub(super) async fn intend(&self, fence: Option<u64>, lineage: String, generation: u64, tries: u32) -> bool {
        let Some(fence) = fence else { return true };
        let locked = self.turn.borrow().as_ref().is_some_and(|(_, turn)| P::spans_tabs(&turn.guard));
        match self.agree(Box::new(move |known| known.intend(fence, &lineage, generation, tries))).await {
            Agreed::On(_) | Agreed::Nowhere => true,
            Agreed::Not => false,
            Agreed::Unknown => locked || self.place() == Place::Tab,
        }
    }

    /// Whether another client has taken the turn that this one held.
    pub(super) async fn is_overtaken(&self) -> bool {
        let (Some(fence), Place::Register) = (self.fence(), self.place()) else { return false };
        let text = self.ports.register().read(&self.turn_key()).await;
        text.is_ok_and(|text| text.is_some_and(|text| !Coordination::parse(&text).is_held(fence)))
    }

    /// The record is durable, or will be. Whether nobody has signed in or out, or taken the turn meanwhile.
    pub(super) async fn agree_on(&self, record: &Record, over: &Over) -> bool {
        let (lineage, generation) = (record.lineage.clone(), record.generation);
        let fence = self.fence().filter(|_| *over != Over::Anything);
        if *over != Over::Anything && fence.is_none() {
            return true;
        }
        // A renewal that cannot be noted is found in the medium all the same.
        let agreed = self.agree(Box::new(move |known| match fence {
            Some(fence) => known.commit(fence, &lineage, generation),
            None => Some(known.begin(&lineage, generation)),
        }));
        !matches!(agreed.await, Agreed::Not)
    }

    /// Whether every tab's agreement begins with this commit, and does not only end with it: a sign-in, after which nobody stores
    /// what was before.
    pub(super) fn begins(&self, over: &Over) -> bool {
        *over == Over::Anything && self.place() == Place::Register
    }

    /// Whether a tab has signed out of this.
    pub(super) async fn has_ended(&self, lineage: &str) -> bool {
        if self.place() != Place::Register {
            return false;
        }
        let known = self.known().await;
        known.ended && known.lineage == lineage
    }

    /// The sign-in is over. Whether it is the one that the tabs know, and not a newer renewal than this tab has.
    pub(super) async fn agree_on_end(&self, over: &Over) -> bool {
        if self.place() == Place::Tab {
            // Nothing is left to renew; what stays would name a sign-in that nobody knows.
            self.ports.traces().remove(&self.turn_key()).await.ok();
            return true;
        }
        let (lineage, generation) = match over {
            Over::Own { lineage, generation, .. } => (lineage.clone(), *generation),
            Over::Anything => (String::new(), u64::MAX),
        };
        !matches!(self.agree(Box::new(move |known| known.end(&lineage, generation))).await, Agreed::Not)
    }

    /// The turn is over, unless a request of it is under way. A lock says so by itself.
    pub(super) async fn let_go(&self, turn: Option<Rc<Turn<P>>>) {
        let Some(turn) = turn.and_then(Rc::into_inner) else { return };
        let locked = P::spans_tabs(&turn.guard) && !P::is_lost(&turn.guard);
        if let Some(fence) = turn.known.as_ref().map(|known| known.fence).filter(|_| !locked) {
            self.agree(Box::new(move |known| known.release(fence))).await;
        }
    }
}
