//! What happened to a client, for whoever looks into why somebody was signed out.
//!
//! The last transitions and events, without anything that is said about a user: no token, no claim, no text of a server. They
//! are kept with the tab, so that a reload does not take away what led to it. Where that fails, they are kept in memory only.

use super::driver::Inner;
use crate::error::Error;
use crate::machine::{Effect, Machine, Notice, Snapshot};
use crate::ports::{Ports, Store};
use crate::types::{Json, Members, UnixMillis};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Entries as plain data, oldest first.
#[derive(Default)]
pub(super) struct History {
    entries: RefCell<Vec<Json>>,
    /// What earlier page loads have left is among them.
    loaded: Cell<bool>,
    /// Something is to be written, and somebody is at it.
    dirty: Cell<bool>,
    writing: Cell<bool>,
}

impl History {
    /// Adds what is worth it. Whether there was anything.
    fn add(&self, effects: &[Effect], machine: &Machine, at: UnixMillis) -> bool {
        let news: Vec<Json> = effects
            .iter()
            .filter_map(|effect| {
                if let Effect::Show(snapshot) = effect {
                    Some(state(snapshot, machine))
                } else if let Effect::Notify(notice) = effect {
                    event(notice, machine)
                } else {
                    None
                }
            })
            .map(|mut entry| {
                let generation = machine.generation();
                let generation = (generation > 0).then_some(generation as f64);
                entry.number("generation", generation).number("at", Some(at.seconds() as f64)).object()
            })
            .collect();
        let some = !news.is_empty();
        self.put(news);
        some
    }

    /// Tokens were renewed, and the ID token among them could not be judged. That they were is noted next, and written down then.
    pub(super) fn id_token_skipped(&self, error: &Error, at: UnixMillis) {
        let mut entry = Members::new();
        because(entry.text("event", Some("idTokenSkipped")), Some(error));
        self.put(vec![entry.number("at", Some(at.seconds() as f64)).object()]);
    }

    fn put(&self, news: Vec<Json>) {
        let mut entries = self.entries.borrow_mut();
        entries.extend(news);
        let excess = entries.len().saturating_sub(MOST);
        entries.drain(..excess);
    }

    /// Puts what was stored before what happened since; and between them, that a core was `lost`, where nobody has told that yet.
    fn load(&self, text: &str, lost: Option<UnixMillis>) {
        let since = std::mem::take(&mut *self.entries.borrow_mut());
        let before = if text.len() > LONGEST { None } else { Json::parse(text) };
        let before = before.as_ref().and_then(Json::list).unwrap_or_default();
        let mut all: Vec<Json> = before.iter().filter_map(reread).collect();
        all.extend(lost.and_then(|at| core_lost(at.seconds() as f64, &all)));
        self.put(all.into_iter().chain(since).collect());
        self.loaded.set(true);
    }

    fn to_text(&self) -> String {
        Json::List(self.entries.borrow().clone()).to_secret_text().to_string()
    }
}

fn state(snapshot: &Snapshot, machine: &Machine) -> Members {
    let mut entry = Members::new();
    match snapshot {
        Snapshot::Initializing => entry.text("status", Some("initializing")),
        Snapshot::Unauthenticated(reason, error) => {
            entry.text("status", Some("unauthenticated")).text("reason", Some(reason.as_str()));
            because(&mut entry, error.as_ref().or(machine.blame()))
        }
        Snapshot::Authenticating(via) => entry.text("status", Some("authenticating")).text("via", Some(via.as_str())),
        Snapshot::Authenticated(_, _, freshness) => {
            entry.text("status", Some("authenticated")).text("freshness", Some(freshness.as_str()))
        }
        Snapshot::Locked(_) => entry.text("status", Some("locked")),
    };
    entry
}

/// The seconds of a countdown are no news.
fn event(notice: &Notice, machine: &Machine) -> Option<Members> {
    let mut entry = Members::new();
    let mut named = |name| std::mem::take(entry.text("event", Some(name)));
    Some(match notice {
        Notice::SignedIn(_, origin) => std::mem::take(named("signedIn").text("origin", Some(origin.as_str()))),
        Notice::SignedOut(reason, origin) => {
            let mut entry = named("signedOut");
            entry.text("reason", Some(reason.as_str())).text("origin", Some(origin.as_str()));
            because(&mut entry, machine.blame());
            entry
        }
        Notice::UserChanged(..) => named("userChanged"),
        Notice::Refreshed(_, by) => std::mem::take(named("refreshed").text("origin", Some(by.as_str()))),
        Notice::RefreshFailed(error, _, _) => std::mem::take(because(&mut named("refreshFailed"), Some(error))),
        Notice::Expiring(_) => named("expiring"),
        Notice::IdleWarning(0) => named("idleWarning"),
        Notice::IdleWarning(_) => return None,
        Notice::StorageDegraded(cause) => std::mem::take(named("storageDegraded").text("reason", Some(cause))),
    })
}

fn because<'a>(entry: &'a mut Members, error: Option<&Error>) -> &'a mut Members {
    let Some(error) = error else { return entry };
    entry.text("code", Some(error.code.as_str())).text("phase", Some(error.phase.as_str()));
    entry.number("httpStatus", error.status.map(f64::from))
}

/// An entry that was stored, as far as it could be one of ours: somebody else may have written there.
fn reread(stored: &Json) -> Option<Json> {
    let mut entry = Members::new();
    for name in TEXTS {
        let text = stored.get(name).and_then(Json::text);
        entry.text(name, text.filter(|text| text.len() <= LONGEST_WORD && text.bytes().all(is_of_a_word)));
    }
    for name in ["httpStatus", "generation"] {
        entry.number(name, stored.get(name).and_then(Json::number));
    }
    let at = stored.get("at").and_then(Json::number)?;
    Some(entry.number("at", Some(at)).object())
}

/// A core that stopped cannot tell it itself. What came after it was told by another, which has seen this.
fn core_lost(at: f64, told: &[Json]) -> Option<Json> {
    let number = |entry: &Json| entry.get("at").and_then(Json::number);
    let known = |entry: &Json| number(entry) == Some(at) && entry.get("event").and_then(Json::text) == Some(CORE_LOST);
    let older = told.last().and_then(number).is_none_or(|last| last <= at);
    (older && !told.iter().any(known))
        .then(|| Members::new().text("event", Some(CORE_LOST)).number("at", Some(at)).object())
}

fn is_of_a_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-')
}

impl<P: Ports> Inner<P> {
    fn history_key(&self) -> String {
        ["authsafe.", &self.config.id, ".history"].concat()
    }

    /// Notes what follows from an event; writes it down in the background.
    pub(super) fn note(self: &Rc<Self>, effects: &[Effect], machine: &Machine, at: UnixMillis) {
        if !self.history.add(effects, machine, at) {
            return;
        }
        self.history.dirty.set(true);
        if self.history.writing.replace(true) {
            return;
        }
        let this = Rc::clone(self);
        self.ports.spawn(Box::pin(async move {
            this.load_history().await;
            while this.history.dirty.replace(false) {
                let text = this.history.to_text();
                // It is for looking things up, and nobody's session depends on it.
                this.ports.traces().write(&this.history_key(), &text).await.ok();
            }
            this.history.writing.set(false);
        }));
    }

    async fn load_history(&self) {
        if !self.history.loaded.get() {
            let store = self.ports.traces();
            let stored = store.read(&self.history_key()).await;
            let lost = store.read(LOST).await.ok().flatten();
            let lost = lost.and_then(|text| text.parse().ok()).map(UnixMillis).filter(|at| *at <= self.ports.now());
            self.history.load(stored.ok().flatten().as_deref().unwrap_or_default(), lost);
        }
    }

    /// Everything that is known of what happened.
    pub(super) async fn history(&self) -> Vec<Json> {
        self.load_history().await;
        self.history.entries.borrow().clone()
    }
}

/// Where pkg/ts/life.ts writes when a core was lost last, in epoch milliseconds.
const LOST: &str = "authsafe.lost";
const CORE_LOST: &str = "coreLost";

/// So many are kept.
const MOST: usize = 50;

/// No fifty entries of ours are longer.
const LONGEST: usize = 20_000;

const TEXTS: [&str; 8] = ["event", "status", "freshness", "reason", "origin", "via", "code", "phase"];
const LONGEST_WORD: usize = 32;
