//! What the model says in a few bytes, and the same in the words of the crate.
//!
//! States are compared and hashed by the million, and cross threads; the crate's own types hold secrets that do not print and
//! handles for one thread. Every token of the model has a name that stands in its session as well (`sid`), so that two machines
//! whose sessions differ only in a secret do not print alike.

use authsafe::error::ErrorPhase;
use authsafe::machine::{self, Answer, Arrived, Ending, EventKind, Login, SignedOutReason, Stored, WaiterId};
use authsafe::protocol::coordination::Coordination;
use authsafe::protocol::record::{Mark, Record};
use authsafe::types::{
    AccessToken, Credential, ExpiresAt, Lifetime, Password, RefreshToken, Session, SessionFacts, Source, Tokens,
    UnixMillis,
};
use authsafe::types::{Json, Members};
use authsafe::{Error, ErrorCode};
use std::rc::Rc;

/// Milliseconds since the model began.
pub type Millis = i64;

/// How long an access token lives.
pub const LIFE: Millis = 600_000;

/// The tokens of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// Which sign-in they descend from; counts from 1.
    pub family: u8,
    /// Which refresh token of it; counts from 1.
    pub refresh: u8,
    /// Which access token of it; counts from 1.
    pub access: u8,
    /// The refresh token is still there.
    pub renewable: bool,
    /// When the client got them.
    pub at: Millis,
}

/// A session as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rec {
    /// The sign-in, by the client's name for it.
    pub lineage: u8,
    /// How often it was renewed.
    pub generation: u8,
    /// The tokens.
    pub grant: Grant,
}

/// What stands in a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Nothing.
    Empty,
    /// A session.
    Record(Rec),
    /// The mark that this sign-in is over, and whether the user wanted it.
    Ended(u8, bool),
    /// It is not shared.
    Unreadable,
}

/// What a commit may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Over {
    /// Whatever is there.
    Anything,
    /// What descends from this sign-in, up to this generation; whether the tab has seen it stored.
    Own(u8, u8, bool),
}

/// What tabs tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Note {
    /// This generation of this sign-in is stored.
    Committed(u8, u8),
    /// This sign-in is over, by the user's wish or not, as far as this generation.
    Over(Reason, u8, u8),
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The user wanted it.
    Wished,
    /// Anything else.
    Other,
}

/// What the tabs know of the renewals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Turn {
    /// Numbers the turns.
    pub fence: u8,
    /// Of which sign-in.
    pub lineage: u8,
    /// What is durable of it.
    pub generation: u8,
    /// How often that was sent.
    pub tries: u8,
    /// It is over.
    pub ended: bool,
    /// When the turn is to be over.
    pub until: Option<Millis>,
}

/// How a commit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wrote {
    /// It is durable.
    Done,
    /// This was there, and stays.
    Superseded(Value),
}

/// What a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Sign in.
    Login,
    /// Renew these tokens.
    Refresh(Grant),
    /// Is it there? Asked before these tokens are sent.
    Reach(Grant),
    /// Revoke these tokens, if there are any; for the promise of this number.
    End(Option<Grant>, Option<u8>),
}

/// What a server says, or that nothing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reply {
    /// Somebody has signed in.
    SignedIn(Grant),
    /// These are the new tokens.
    Renewed(Grant),
    /// The session is over at the server.
    Ended,
    /// It is there.
    Reached,
    /// `invalid_grant`
    Refused,
    /// It could do nothing just now.
    Unavailable,
    /// The network failed.
    Nothing,
}

/// What a tab's machine is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// The application starts the client.
    Start(u8),
    /// The application signs somebody in.
    Login(u8),
    /// The application signs out.
    Logout(u8),
    /// The application wants new tokens.
    Renew(u8),
    /// The application needs an access token.
    Use(u8),
    /// What the medium held at start.
    Loaded(Value),
    /// The lock is held, this is what the medium holds, and this is what the tabs know.
    Granted(Value, Option<Turn>),
    /// The lock could not be had.
    LockRefused,
    /// Whether what was intended is written down.
    Intended(bool),
    /// What the medium holds.
    Reread(Value),
    /// What came of a call of this epoch.
    Answered(Call, u8, Reply),
    /// What came of the commit of this epoch.
    Committed(u8, Wrote),
    /// The record is gone, for the promise of this number.
    Forgotten(Option<u8>),
    /// The alarm rings.
    Tick,
    /// Another tab speaks.
    Note(Note),
}

/// What a tab's machine wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// Read the medium at start.
    Load,
    /// Wait for the lock.
    AcquireLock,
    /// Read again under the lock.
    ReadAgain,
    /// Write down that this generation of this sign-in is sent for the how-manieth time.
    Intend(u8, u8, u8),
    /// Give the lock back.
    ReleaseLock,
    /// Read without the lock.
    Reread,
    /// Ask a server, in this epoch.
    Send(u8, Call),
    /// Make this durable, in this epoch.
    Commit(u8, Rec, Over),
    /// Remove what may be, and leave this mark.
    Forget(Option<u8>, Over, Option<(u8, bool)>),
    /// Ring then.
    WakeAt(Option<Millis>),
    /// Tell the others.
    Tell(Note),
    /// Settle a promise; with the access token of these, where it is about one.
    Settle(u8, Option<Grant>),
    /// The application sees this.
    Show(Shown),
}

/// What the application sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shown {
    /// Not known yet.
    Starting,
    /// Nobody is signed in.
    Nobody,
    /// A sign-in is under way.
    SigningIn,
    /// Signed in, by this sign-in.
    SignedIn(u8),
    /// The same, and the tokens are being renewed.
    Renewing(u8),
}

impl Grant {
    /// The session that these tokens make.
    fn session(self) -> Session {
        let name = format!("{}.{}.{}", self.family, self.refresh, self.access);
        let tokens = Tokens {
            access: AccessToken::new(format!("access {name}")).expect("not empty"),
            refresh: RefreshToken::new(format!("refresh {}.{}", self.family, self.refresh)).filter(|_| self.renewable),
            id_token: None,
            id_claims: None,
            userinfo: None,
            source: Source::Oidc,
            binding: None,
        };
        let facts = SessionFacts {
            sub: Some(format!("user {}", self.family)),
            sid: Some(name),
            issued_at: Some(UnixMillis(self.at)),
            expires_at: Some(ExpiresAt(UnixMillis(self.at + LIFE))),
            ..SessionFacts::default()
        };
        Session::new(Rc::new(Members::new().object()), facts, Credential::Tokens(tokens))
    }

    /// The name of the tokens of a session, which must be as [`session`](Self::session) made them.
    fn of(session: &Session) -> Self {
        let name: Vec<u8> =
            session.facts.sid.as_deref().unwrap_or_default().split('.').filter_map(|part| part.parse().ok()).collect();
        let [family, refresh, access] = name[..] else { panic!("a session without a name: {session:?}") };
        let renewable = session.tokens().is_some_and(|tokens| tokens.refresh.is_some());
        let grant = Self { family, refresh, access, renewable, at: session.facts.issued_at.map_or(0, |at| at.0) };
        assert_eq!(*session, grant.session(), "the machine mixed two sessions");
        grant
    }

    /// As an access token names them: the other members are not in it.
    fn of_access(token: &AccessToken) -> Self {
        let name: Vec<u8> =
            token.expose().trim_start_matches("access ").split('.').filter_map(|part| part.parse().ok()).collect();
        let [family, refresh, access] = name[..] else { panic!("an access token of nobody") };
        Self { family, refresh, access, renewable: false, at: 0 }
    }
}

impl Rec {
    fn record(self) -> Record {
        Record {
            lineage: lineage_text(self.lineage),
            generation: self.generation.into(),
            session: self.grant.session(),
        }
    }

    fn of(record: &Record) -> Self {
        Self {
            lineage: lineage_of(&record.lineage),
            generation: small(record.generation),
            grant: Grant::of(&record.session),
        }
    }
}

impl Value {
    /// In the crate's words.
    #[must_use]
    pub fn stored(self) -> Stored {
        match self {
            Self::Empty => Stored::Empty,
            Self::Record(rec) => Stored::Record(Box::new(rec.record())),
            Self::Ended(lineage, wished) => Stored::Ended(Mark { lineage: lineage_text(lineage), wished }),
            Self::Unreadable => Stored::Unreadable(None),
        }
    }
}

impl Over {
    /// Whether `value` may be replaced: the crate's own judgement.
    #[must_use]
    pub fn covers(self, value: Value) -> bool {
        let over = match self {
            Self::Anything => machine::Over::Anything,
            Self::Own(lineage, generation, stored) => {
                machine::Over::Own { lineage: lineage_text(lineage), generation: generation.into(), stored }
            }
        };
        over.covers(&value.stored())
    }

    fn of(over: &machine::Over) -> Self {
        match over {
            machine::Over::Anything => Self::Anything,
            machine::Over::Own { lineage, generation, stored } => {
                Self::Own(lineage_of(lineage), small(*generation), *stored)
            }
        }
    }
}

impl Turn {
    /// In the crate's words, so that the crate's own rules apply.
    #[must_use]
    pub fn known(self) -> Coordination {
        Coordination {
            fence: self.fence.into(),
            lineage: lineage_text(self.lineage),
            generation: self.generation.into(),
            tries: self.tries.into(),
            ended: self.ended,
            until: self.until.map(UnixMillis),
        }
    }

    /// Back from them.
    #[must_use]
    pub fn of(known: &Coordination) -> Self {
        Self {
            fence: small(known.fence),
            lineage: lineage_of(&known.lineage),
            generation: small(known.generation),
            tries: small(known.tries.into()),
            ended: known.ended,
            until: known.until.map(|until| until.0),
        }
    }
}

impl Note {
    fn note(self) -> machine::Note {
        match self {
            Self::Committed(lineage, generation) => machine::Note::Committed(lineage_text(lineage), generation.into()),
            Self::Over(reason, lineage, generation) => {
                let reason = match reason {
                    Reason::Wished => SignedOutReason::LoggedOut,
                    Reason::Other => SignedOutReason::Expired,
                };
                machine::Note::SignedOut(reason, lineage_text(lineage), generation.into())
            }
        }
    }

    fn of(note: &machine::Note) -> Self {
        match note {
            machine::Note::Committed(lineage, generation) => Self::Committed(lineage_of(lineage), small(*generation)),
            machine::Note::SignedOut(reason, lineage, generation) => {
                let wished = *reason == SignedOutReason::LoggedOut;
                let reason = if wished { Reason::Wished } else { Reason::Other };
                Self::Over(reason, lineage_of(lineage), small(*generation))
            }
            machine::Note::Active(_) => panic!("nobody looks for activity here"),
        }
    }
}

impl Call {
    fn kind(self) -> machine::CallKind {
        match self {
            Self::Login => machine::CallKind::Login,
            Self::Refresh(_) => machine::CallKind::Refresh,
            Self::Reach(_) => machine::CallKind::Reach,
            Self::End(_, id) => machine::CallKind::End(id.map(waiter)),
        }
    }

    fn of(kind: machine::CallKind, call: &machine::Call) -> Self {
        match (kind, call) {
            (_, machine::Call::Login(_)) => Self::Login,
            (_, machine::Call::Refresh(Some(session))) => Self::Refresh(Grant::of(session)),
            (_, machine::Call::Reach(session)) => Self::Reach(Grant::of(session)),
            (machine::CallKind::End(id), machine::Call::End(session, _)) => {
                Self::End(session.as_ref().map(Grant::of), id.map(|id| small(id.0)))
            }
            (
                _,
                machine::Call::Refresh(None)
                | machine::Call::Exchange
                | machine::Call::Check
                | machine::Call::Extend
                | machine::Call::End(..),
            ) => panic!("the model has no server for {call:?}"),
        }
    }
}

impl Reply {
    fn answer(self) -> Result<Answer, Error> {
        match self {
            Self::SignedIn(grant) => Ok(Answer::SignedIn(Arrived {
                session: grant.session(),
                return_to: None,
                app_state: None,
                silent: false,
            })),
            Self::Renewed(grant) => Ok(Answer::Renewed(grant.session())),
            Self::Ended => Ok(Answer::Ended),
            Self::Reached => Ok(Answer::Reached),
            Self::Refused => Err(Error::from(ErrorCode::SessionExpired).during(ErrorPhase::Refresh).with_status(400)),
            Self::Unavailable => Err(Error::from(ErrorCode::ServerError).during(ErrorPhase::Refresh).with_status(503)),
            Self::Nothing => Err(Error::from(ErrorCode::NetworkOrCors).during(ErrorPhase::Refresh)),
        }
    }
}

impl Told {
    /// In the crate's words.
    #[must_use]
    pub fn kind(self) -> EventKind {
        match self {
            Self::Start(id) => EventKind::Start(waiter(id)),
            Self::Login(id) => EventKind::Login(waiter(id), Box::new(sign_in())),
            Self::Logout(id) => EventKind::Logout(waiter(id), Ending::Revoke),
            Self::Renew(id) => EventKind::Renew(waiter(id)),
            Self::Use(id) => EventKind::Use(waiter(id), Lifetime::ZERO),
            Self::Loaded(value) => {
                let trace = authsafe::policy::restore::Trace::Nothing;
                EventKind::Loaded(value.stored(), machine::Arrival::Plain(trace, None))
            }
            Self::Granted(value, turn) => EventKind::LockGranted(value.stored(), turn.map(Turn::known)),
            Self::LockRefused => EventKind::LockRefused,
            Self::Intended(done) => EventKind::Intended(done),
            Self::Reread(value) => EventKind::Reread(value.stored()),
            Self::Answered(call, epoch, reply) => {
                let ticket = machine::Ticket { kind: call.kind(), epoch: epoch.into() };
                EventKind::Answered(ticket, Box::new(reply.answer()))
            }
            Self::Committed(epoch, wrote) => {
                let commit = match wrote {
                    Wrote::Done => machine::Commit::Done,
                    Wrote::Superseded(value) => machine::Commit::Superseded(value.stored()),
                };
                EventKind::Committed(epoch.into(), commit)
            }
            Self::Forgotten(id) => EventKind::Forgotten(id.map(waiter), None),
            Self::Tick => EventKind::Tick,
            Self::Note(note) => EventKind::Told(note.note()),
        }
    }

    /// The bits that come with the event: a sign-in is named by them, and everything else waits the least that chance allows.
    #[must_use]
    pub fn random(self) -> u64 {
        if let Self::Answered(_, _, Reply::SignedIn(grant)) = self { grant.family.into() } else { 0 }
    }
}

impl Want {
    /// `None` for what changes nothing outside of the application.
    #[must_use]
    pub fn of(effect: &machine::Effect) -> Option<Self> {
        use machine::Effect;
        Some(match effect {
            Effect::Load => Self::Load,
            Effect::AcquireLock => Self::AcquireLock,
            Effect::Intend(lineage, generation, tries) => {
                Self::Intend(lineage_of(lineage), small(*generation), small((*tries).into()))
            }
            Effect::ReadAgain => Self::ReadAgain,
            Effect::ReleaseLock => Self::ReleaseLock,
            Effect::Reread => Self::Reread,
            Effect::Send(ticket, call) => Self::Send(small(ticket.epoch), Call::of(ticket.kind, call)),
            Effect::Commit(epoch, record, over) => Self::Commit(small(*epoch), Rec::of(record), Over::of(over)),
            Effect::Forget(id, over, mark) => {
                let mark = mark.as_ref().map(|mark| (lineage_of(&mark.lineage), mark.wished));
                Self::Forget(id.map(|id| small(id.0)), Over::of(over), mark)
            }
            Effect::WakeAt(at) => Self::WakeAt(at.map(|at| at.0)),
            Effect::Tell(note) => Self::Tell(Note::of(note)),
            Effect::Settle(id, outcome) => {
                let token = if let machine::Outcome::Token(access, ..) = outcome { Some(access) } else { None };
                Self::Settle(small(id.0), token.map(Grant::of_access))
            }
            Effect::Show(snapshot) => Self::Show(Shown::of(snapshot)),
            Effect::Trace(_)
            | Effect::NoteActivity(_)
            | Effect::ReadActivity
            | Effect::Navigate(..)
            | Effect::Notify(_) => return None,
        })
    }
}

impl Shown {
    fn of(snapshot: &machine::Snapshot) -> Self {
        match snapshot {
            machine::Snapshot::Initializing => Self::Starting,
            machine::Snapshot::Unauthenticated(..) | machine::Snapshot::Locked(_) => Self::Nobody,
            machine::Snapshot::Authenticating(_) => Self::SigningIn,
            machine::Snapshot::Authenticated(_, facts, freshness) => {
                let family = facts.sid.as_deref().and_then(|name| name.split('.').next()?.parse().ok());
                let family = family.expect("every session has a name");
                let renewing = *freshness == machine::Freshness::Refreshing;
                if renewing { Self::Renewing(family) } else { Self::SignedIn(family) }
            }
        }
    }
}

fn sign_in() -> Login {
    Login::Password {
        username: String::new(),
        password: Password::new("typed".to_owned()).expect("not empty"),
        extra: None::<Json>,
        return_to: None,
        app_state: None,
    }
}

fn waiter(id: u8) -> WaiterId {
    WaiterId(id.into())
}

fn small(number: u64) -> u8 {
    u8::try_from(number).expect("the model is small")
}

/// The client names a sign-in by sixteen hexadecimal digits; none at all names no sign-in.
#[must_use]
pub fn lineage_text(lineage: u8) -> String {
    if lineage == 0 { String::new() } else { format!("{lineage:016x}") }
}

fn lineage_of(text: &str) -> u8 {
    if text.is_empty() { 0 } else { u8::from_str_radix(text, 16).expect("a lineage of the model") }
}
