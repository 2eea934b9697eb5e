//! What the tabs of a browser agree on about renewals, where there is a place for it: see `protocol::coordination`.

use super::driver::{Inner, LOCK_PATIENCE};
use super::options::Mode;
use crate::machine::Over;
use crate::policy::storage::Medium;
use crate::ports::{Ports, Register, Store};
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
    /// There is no place, or it failed.
    Nowhere,
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
            Err(_) => Agreed::Nowhere,
        }
    }

    fn fence(&self) -> Option<u64> {
        self.known.borrow().as_ref().map(|known| known.fence)
    }

    /// Takes the turn; `None` where there is nothing to take. With `alone`, a lock keeps the other tabs away.
    ///
    /// # Errors
    /// When the turn of another tab is to be over.
    pub(super) async fn claim(&self, alone: bool) -> Result<Option<Coordination>, UnixMillis> {
        let now = self.ports.now();
        let busy = Rc::new(Cell::new(None));
        let told = Rc::clone(&busy);
        // In one tab, the lock of this page is enough.
        let alone = alone || self.place() == Place::Tab;
        let claimed = self.agree(Box::new(move |known| {
            let claimed = known.claim(now, now.plus(LOCK_PATIENCE), alone);
            claimed.map_err(|until| told.set(Some(until))).ok()
        }));
        match claimed.await {
            Agreed::On(known) => Ok(Some(known)),
            Agreed::Not => busy.get().map_or(Ok(None), Err),
            Agreed::Nowhere => Ok(None),
        }
    }

    /// Notes that a refresh token is sent. Whether this client still has the turn.
    pub(super) async fn intend(&self, lineage: String, generation: u64, tries: u32) -> bool {
        let Some(fence) = self.fence() else { return true };
        !matches!(
            self.agree(Box::new(move |known| known.intend(fence, &lineage, generation, tries))).await,
            Agreed::Not
        )
    }

    /// Whether another client has taken the turn that this one held.
    pub(super) async fn is_overtaken(&self) -> bool {
        let (Some(fence), Place::Register) = (self.fence(), self.place()) else { return false };
        let text = self.ports.register().read(&self.turn_key()).await;
        text.is_ok_and(|text| text.is_some_and(|text| !Coordination::parse(&text).is_held(fence)))
    }

    /// The record is durable.
    pub(super) async fn agree_on(&self, record: &Record, over: &Over) {
        let (lineage, generation) = (record.lineage.clone(), record.generation);
        let fence = self.fence().filter(|_| *over != Over::Anything);
        if *over != Over::Anything && fence.is_none() {
            return;
        }
        // A renewal that cannot be noted is found in the medium all the same.
        self.agree(Box::new(move |known| match fence {
            Some(fence) => known.commit(fence, &lineage, generation),
            None => Some(known.begin(&lineage, generation)),
        }))
        .await;
    }

    /// The sign-in is over.
    pub(super) async fn agree_on_end(&self, over: &Over) {
        if self.place() == Place::Tab {
            // Nothing is left to renew; what stays would name a sign-in that nobody knows.
            self.ports.traces().remove(&self.turn_key()).await.ok();
            return;
        }
        let lineage = if let Over::Own { lineage, .. } = over { lineage.clone() } else { String::new() };
        self.agree(Box::new(move |known| known.end(&lineage))).await;
    }

    /// The turn is over. A lock says so by itself.
    pub(super) async fn release(&self, locked: bool) {
        let Some(fence) = self.fence() else { return };
        if !locked {
            self.agree(Box::new(move |known| known.release(fence))).await;
        }
        *self.known.borrow_mut() = None;
    }
}
