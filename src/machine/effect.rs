//! What the machine wants done. The driver does it and reports back by events; it decides nothing.

use super::event::{Arrived, Ending, Login, Note, SignedOutReason, Stored};
use crate::error::Error;
use crate::policy::restore::Trace;
use crate::protocol::record::{Mark, Record};
use crate::types::{AccessToken, Json, Prover, Session, SessionFacts, UnixMillis, WebUrl};
use std::rc::Rc;

/// Names a promise of the application's that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaiterId(pub u64);

/// Something to do. Those that touch the medium or the lock are done one after the other, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Read the address and the medium; report `Loaded`.
    Load,
    /// Wait for the renewal lock, then read the medium; report `LockGranted` or `LockRefused`.
    AcquireLock,
    /// The lock is held: read the medium again; report `LockGranted`.
    ReadAgain,
    /// Write down, where every tab and the next page load find it, that the refresh token of this generation of this sign-in
    /// is sent for the how-manieth time; report `Intended`.
    Intend(String, u64, u32),
    /// Give the lock back.
    ReleaseLock,
    /// Read the medium without the lock; report `Reread`.
    Reread,
    /// Talk to a server; report `Answered` with this ticket.
    Send(Ticket, Call),
    /// Make the record durable, if the medium holds what may be replaced; report `Committed` with this epoch.
    Commit(u64, Box<Record>, Over),
    /// Remove the record, if it is one of these, and leave a mark that this sign-in is over, where other tabs need one;
    /// report `Forgotten` with the promise that waits for it.
    Forget(Option<WaiterId>, Over, Option<Mark>),
    /// Leave this trace for the next page load of this tab.
    Trace(Trace),
    /// Keep when the user was last active, where all tabs see it; or forget it.
    NoteActivity(Option<UnixMillis>),
    /// Read that; report `ActivityRead`.
    ReadActivity,
    /// Leave for this address, unless [`leaves`](super::Machine::leaves) says by then that this is not wanted any more.
    Navigate(Box<WebUrl>, Departure),
    /// Report `Tick` at this instant or soon after. Replaces the wish before; `None` takes it back.
    WakeAt(Option<UnixMillis>),
    /// Tell the other tabs.
    Tell(Note),
    /// Tell the application.
    Notify(Notice),
    /// The state that the application sees is now this one.
    Show(Snapshot),
    /// Settle a promise.
    Settle(WaiterId, Outcome),
}

/// What a commit may replace, and a sign-out may remove. What another tab has stored meanwhile is not undone by an older wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// Whatever is there: the user has just signed in or out.
    Anything,
    /// What descends from this sign-in and is no newer.
    Own {
        /// The sign-in.
        lineage: String,
        /// The newest renewal of it that this tab knows.
        generation: u64,
        /// This tab has seen its record there: a mark that a sign-in is over is about this one.
        stored: bool,
    },
}

impl Over {
    /// Whether what the medium holds may be replaced.
    #[must_use]
    pub fn covers(&self, found: &Stored) -> bool {
        let Self::Own { lineage, generation, stored } = self else { return true };
        match found {
            Stored::Record(record) => record.lineage == *lineage && record.generation <= *generation,
            Stored::Ended(mark) => !stored && (mark.lineage.is_empty() || mark.lineage != *lineage),
            Stored::Empty | Stored::Corrupt | Stored::KeyLost | Stored::Unreadable(_) => true,
        }
    }
}

/// Names the credential that a request was given, so that an answer is judged against that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialName {
    /// During which session of this client.
    pub epoch: u64,
    /// Which renewal of it.
    pub generation: u64,
}

impl CredentialName {
    /// As it travels to the page and back.
    #[must_use]
    pub fn to_text(self) -> String {
        [self.epoch.to_string(), self.generation.to_string()].join(".")
    }

    /// `None` for whatever [`to_text`](Self::to_text) did not write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, generation) = text.split_once('.')?;
        Some(Self { epoch: epoch.parse().ok()?, generation: generation.parse().ok()? })
    }
}

/// Tells which question an answer belongs to. An answer whose ticket is no longer expected comes too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What was asked.
    pub kind: CallKind,
    /// During which session, or for which attempt to sign in.
    pub epoch: u64,
}

/// What is asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// [`Call::Login`] or [`Call::Exchange`]
    Login,
    /// [`Call::Refresh`]
    Refresh,
    /// [`Call::Reach`]
    Reach,
    /// [`Call::Check`] or [`Call::Extend`]
    Check,
    /// [`Call::End`], for the promise that waits for it, if any does.
    End(Option<WaiterId>),
}

/// A conversation with a server. `protocol` builds the requests and judges the answers.
#[derive(Debug)]
pub enum Call {
    /// Sign in.
    Login(Box<Login>),
    /// Exchange the code that the address at start carried.
    Exchange,
    /// Renew the tokens of this session; `None` where only an HttpOnly cookie can tell whether there is one.
    Refresh(Option<Session>),
    /// Find out whether the server that renews this session can be reached, without a credential.
    Reach(Session),
    /// Ask the session server.
    Check,
    /// Prolong the session.
    Extend,
    /// End this session at the server.
    End(Option<Session>, Ending),
}

/// What a promise settles with.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The client has started; a callback was completed, or something failed on the way.
    Started(Option<Box<Arrived>>, Option<Error>),
    /// Somebody has signed in.
    SignedIn(Box<Arrived>),
    /// It is done.
    Done,
    /// It is done, and the page is leaving.
    Left,
    /// The access token, its name, and whose proof must go along with it.
    Token(AccessToken, CredentialName, Option<Prover>),
    /// Whether the refused request should be sent once more.
    Replay(bool),
    /// What is known of the session; `None` where there is none.
    Session(Option<Box<SessionFacts>>),
    /// It failed.
    Failed(Error),
}

/// Where something began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Here.
    ThisTab,
    /// In another tab.
    OtherTab,
    /// In an earlier page load.
    Restored,
    /// At the server.
    Server,
}

impl Origin {
    /// The word that JavaScript sees.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ThisTab => "this-tab",
            Self::OtherTab => "other-tab",
            Self::Restored => "restored",
            Self::Server => "server",
        }
    }
}

/// An event for the application.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// `signedIn`
    SignedIn(Rc<Json>, Origin),
    /// `signedOut`
    SignedOut(SignedOutReason, Origin),
    /// `userChanged`: previous and current.
    UserChanged(Rc<Json>, Rc<Json>),
    /// `refreshed`: the new end, by the server's clock.
    Refreshed(Option<UnixMillis>, Origin),
    /// `refreshFailed`: when it is tried again, and whether the session has ended.
    RefreshFailed(Error, Option<UnixMillis>, bool),
    /// `expiring`: whole seconds left.
    Expiring(i64),
    /// `idleWarning`: seconds left; none where the time is up and the application wants no more than to know.
    IdleWarning(i64),
    /// `storageDegraded`: the cause.
    StorageDegraded(&'static str),
}

/// How current the credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Valid.
    Fresh,
    /// Being renewed.
    Refreshing,
    /// The last renewal failed; another will be tried.
    Stale,
    /// As stale, because the server was out of reach.
    Offline,
}

impl Freshness {
    /// The word that JavaScript sees.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Refreshing => "refreshing",
            Self::Stale => "stale",
            Self::Offline => "offline",
        }
    }
}

/// How a sign-in is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// By leaving for the provider and coming back.
    Redirect,
    /// By user name and password.
    Password,
}

impl Via {
    /// The word that JavaScript sees.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Password => "password",
        }
    }
}

/// The state that the application sees.
#[derive(Clone, Debug, PartialEq)]
pub enum Snapshot {
    /// Not known yet.
    Initializing,
    /// Nobody is signed in.
    Unauthenticated(SignedOutReason, Option<Error>),
    /// A sign-in is under way.
    Authenticating(Via),
    /// Somebody is signed in.
    Authenticated(Rc<Json>, Box<SessionFacts>, Freshness),
    /// The user was away for too long; nothing is handed out until somebody signs in.
    Locked(Rc<Json>),
}

/// What the page leaves for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// To sign in, by this attempt.
    SignIn(u64),
    /// To end the session at the server, too.
    SignOut,
}
