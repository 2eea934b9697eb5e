//! What happens to a client: asked for by the application, answered by a server, noticed in the browser.

use super::effect::{CredentialName, Ticket, WaiterId};
use crate::error::Error;
use crate::policy::restore::Trace;
use crate::protocol::coordination::Coordination;
use crate::protocol::record::{Mark, Record};
use crate::types::{Json, Lifetime, Password, Reading, ReturnTo, Session, UnixMillis, WebUrl};

/// Something happened. It carries its time and its randomness; the machine has neither of its own.
#[derive(Debug)]
pub struct Event {
    /// When, by the device's clocks.
    pub at: Reading,
    /// Fresh random bits, for jitter and names.
    pub random: u64,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug)]
pub enum EventKind {
    /// The application starts the client.
    Start(WaiterId),
    /// The application signs somebody in.
    Login(WaiterId, Box<Login>),
    /// The application signs out.
    Logout(WaiterId, Ending),
    /// The application wants the credential renewed now.
    Renew(WaiterId),
    /// A request needs an access token that lives at least this long.
    Use(WaiterId, Lifetime),
    /// A server refused this credential.
    Refused(WaiterId, CredentialName),
    /// The key is gone without which this credential cannot be used.
    KeyLost(CredentialName),
    /// The application wants the session server asked now.
    Check(WaiterId),
    /// The application wants the session prolonged.
    Extend(WaiterId),
    /// The application is done with the client.
    Dispose,
    /// What the medium and the address held at start.
    Loaded(Stored, Arrival),
    /// The lock is ours, this is what the medium holds now, and this is what the tabs know of the session's renewals; `None`
    /// where they have no place to agree.
    LockGranted(Stored, Option<Coordination>),
    /// The lock could not be had in time.
    LockRefused,
    /// What was intended is written down; or, if not, another tab has taken the turn.
    Intended(bool),
    /// What the medium holds now, read because another tab said that it changed.
    Reread(Stored),
    /// The call of this ticket has an answer.
    Answered(Ticket, Box<Result<Answer, Error>>),
    /// What became of the commit of this epoch.
    Committed(u64, Commit),
    /// The record is gone, or could not be removed (a word for the cause); and who waits for that.
    Forgotten(Option<WaiterId>, Option<&'static str>),
    /// The time asked for with `WakeAt` has come, or something else is a reason to look at the clock.
    Tick,
    /// The user did something.
    Active,
    /// When the user was last active in any tab, as the shared stamp has it.
    ActivityRead(Option<UnixMillis>),
    /// The page became visible.
    Visible,
    /// The page is not visible any more.
    Hidden,
    /// The page is being left, and may come back as it is: from the back-forward cache.
    Left,
    /// The network came back.
    Online,
    /// The page came back from the back-forward cache.
    Restored,
    /// Another tab speaks.
    Told(Note),
}

/// A sign-in to make.
#[derive(Debug)]
pub enum Login {
    /// At the provider, by leaving the page.
    Redirect {
        /// Extra parameters of the authorization request.
        params: Vec<(String, String)>,
        /// Where to go afterwards.
        return_to: Option<ReturnTo>,
        /// Handed back to the application.
        app_state: Option<Json>,
    },
    /// At the provider, by leaving the page, if it knows the user and has nothing to ask.
    Restore {
        /// Where the page is.
        return_to: Option<ReturnTo>,
    },
    /// At the application's own backend.
    Password {
        /// As typed.
        username: String,
        /// As typed.
        password: Password,
        /// Further members of the body.
        extra: Option<Json>,
        /// Where to go afterwards.
        return_to: Option<ReturnTo>,
        /// Handed back to the application.
        app_state: Option<Json>,
    },
}

/// How far a sign-out goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// On this device only.
    Local,
    /// At the server too, with the page going to the provider where it has an `end_session_endpoint`.
    Provider,
    /// The tokens at the server, without a navigation.
    Revoke,
}

/// What a medium holds.
#[derive(Debug)]
pub enum Stored {
    /// A record.
    Record(Box<Record>),
    /// Nothing: nobody signed in, or the site's storage was cleared.
    Empty,
    /// The mark that this sign-in is over.
    Ended(Mark),
    /// Something that is not a record of ours; it was removed.
    Corrupt,
    /// Tokens whose key is lost, so that nobody can use them; they were removed.
    KeyLost,
    /// It cannot be read (a word for the cause), or is not shared: what is in memory counts.
    Unreadable(Option<&'static str>),
}

/// What became of a commit.
#[derive(Debug)]
pub enum Commit {
    /// The record is durable.
    Done,
    /// The medium failed, and holds no record now; a word for the cause, where it is news.
    Failed(Option<&'static str>),
    /// The medium holds this, which must not be replaced.
    Superseded(Stored),
}

/// What the address at start was.
#[derive(Debug)]
pub enum Arrival {
    /// An address like any other; and what earlier page loads of the tab have left.
    Plain(Trace, Option<ReturnTo>),
    /// The callback of a sign-in of ours: its code is yet to be exchanged. If that fails and the sign-in was not the user's
    /// doing, the page goes back to where it was.
    Callback(Option<Box<WebUrl>>),
    /// A callback of ours that cannot be used.
    Failed(Error),
    /// The provider was asked without the user's doing, and knows nobody, or failed. The page goes back to where it was.
    Declined(Option<Box<WebUrl>>, Option<Error>),
}

/// An answer, judged by `protocol`.
#[derive(Debug)]
pub enum Answer {
    /// Somebody has signed in.
    SignedIn(Arrived),
    /// The credential was renewed.
    Renewed(Session),
    /// What the session server says now.
    Checked(Option<Session>),
    /// The server can be reached.
    Reached,
    /// What was asked for is to be had at this address: the page must go there.
    Leave(Box<WebUrl>),
    /// The server has ended the session.
    Ended,
}

/// A completed sign-in, with what was kept for its return.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// Who, until when, by what.
    pub session: Session,
    /// Where to go.
    pub return_to: Option<ReturnTo>,
    /// Handed back to the application.
    pub app_state: Option<Json>,
    /// It was made without the user.
    pub silent: bool,
}

/// What tabs tell each other. No secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Somebody has signed in, or the credential was renewed: generation `1` of `0`.
    Committed(String, u64),
    /// The session ended, by this reason: as far as generation `2` of `1`.
    SignedOut(SignedOutReason, String, u64),
    /// The user was active, at this instant.
    Active(UnixMillis),
}

/// Why nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOutReason {
    /// Nobody was.
    Never,
    /// The user signed out here.
    LoggedOut,
    /// The user signed out in another tab.
    LoggedOutElsewhere,
    /// The session's time was up.
    Expired,
    /// The user was away for too long.
    Idle,
    /// The server no longer accepts it.
    Revoked,
    /// The stored session was lost or damaged.
    StorageLost,
    /// Another user signed in.
    UserChanged,
    /// It could not be found out.
    Error,
}

impl SignedOutReason {
    const WORDS: [(Self, &'static str); 9] = [
        (Self::Never, "never"),
        (Self::LoggedOut, "logged_out"),
        (Self::LoggedOutElsewhere, "logged_out_elsewhere"),
        (Self::Expired, "expired"),
        (Self::Idle, "idle"),
        (Self::Revoked, "revoked"),
        (Self::StorageLost, "storage_lost"),
        (Self::UserChanged, "user_changed"),
        (Self::Error, "error"),
    ];

    /// The word that JavaScript sees.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(reason, _)| *reason == self).map_or("error", |(_, word)| word)
    }

    /// The reason that `word` names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, each)| *each == word).map(|(reason, _)| *reason)
    }
}

impl Note {
    /// As it travels between tabs.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Committed(lineage, generation) => ["c ", lineage, " ", &generation.to_string()].concat(),
            Self::SignedOut(reason, lineage, generation) => {
                ["o ", reason.as_str(), " ", lineage, " ", &generation.to_string()].concat()
            }
            Self::Active(at) => ["a ", &at.0.to_string()].concat(),
        }
    }

    /// `None` for whatever no tab of ours would say.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 100 {
            return None;
        }
        let mut words = text.split(' ');
        let kind = words.next()?;
        if kind == "a" {
            let at = UnixMillis(words.next()?.parse().ok()?);
            return words.next().is_none().then_some(Self::Active(at));
        }
        let reason = if kind == "o" { Some(SignedOutReason::parse(words.next()?)?) } else { None };
        let (lineage, generation) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        let note = match (kind, reason) {
            ("c", None) => Self::Committed(lineage, generation),
            (_, Some(reason)) => Self::SignedOut(reason, lineage, generation),
            _ => return None,
        };
        words.next().is_none().then_some(note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_survives_its_way_and_nothing_else_is_taken_for_one() {
        for note in [
            Note::Committed("a1".to_owned(), 7),
            Note::SignedOut(SignedOutReason::LoggedOut, "a1".to_owned(), 7),
            Note::SignedOut(SignedOutReason::Expired, String::new(), 0),
            Note::SignedOut(SignedOutReason::Idle, "a1".to_owned(), 7),
            Note::Active(UnixMillis(1_800_000_000_000)),
        ] {
            assert_eq!(Note::parse(&note.to_text()), Some(note));
        }
        for text in [
            "",
            "c",
            "c a",
            "c a -1",
            "c a 1 x",
            "o",
            "o what a 1",
            "o expired",
            "x y",
            "x y 1",
            "{}",
            "a",
            "a x",
            "a 1 2",
        ] {
            assert_eq!(Note::parse(text), None, "{text:?}");
        }
        assert_eq!(Note::parse(&["c ", &"a".repeat(100), " 1"].concat()), None);
    }
}
