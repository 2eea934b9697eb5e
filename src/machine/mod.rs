//! The brain: what is known, and what follows from each event.
//!
//! [`step`] is pure: no clock, no randomness, no I/O; the same inputs give the same outputs. Both modes live in it: what
//! differs is only who is asked. Invariants I1 to I8 (README, "What holds") are kept here and nowhere else.
//!
//! | file | events |
//! |---|---|
//! | `start` | start, loaded |
//! | `login` | login, its answer and its commit |
//! | `renew` | renew, use, refused, lock, answer and commit of a renewal |
//! | `check` | check, extend and their answers |
//! | `leave` | logout and every other end of a session |
//! | `watch` | ticks, wake-ups, other tabs |
//! | `wake` | clocks that jump; pages that sleep, are hidden, left and restored |
//! | `pace` | none: how many token requests a minute takes |
//! | `idle` | what the user does, and the stamp of it that all tabs share |

mod check;
mod effect;
mod event;
mod idle;
mod leave;
mod login;
mod pace;
mod renew;
mod start;
mod wake;
mod watch;

pub use effect::{
    Call, CallKind, CredentialName, Departure, Effect, Freshness, Notice, Origin, Outcome, Over, Snapshot, Ticket, Via,
    WaiterId,
};
pub use event::{Answer, Arrival, Arrived, Commit, Ending, Event, EventKind, Login, Note, SignedOutReason, Stored};

use crate::error::{Error, ErrorCode};
use crate::policy::idle::IdlePolicy;
use crate::policy::refresh::RefreshPolicy;
use crate::policy::restore::Restore;
use crate::protocol::record::Record;
use crate::types::{Lifetime, Session, SessionFacts, Source, Tokens, UnixMillis, WebUrl};
use std::rc::Rc;

/// What the machine must know of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether a server keeps the session (and is asked), rather than the client the tokens.
    pub server_session: bool,
    /// When credentials are renewed.
    pub refresh: RefreshPolicy,
    /// The refresh token is an HttpOnly cookie: whether there is one, only the server can tell.
    pub refresh_cookie: bool,
    /// The session server can prolong sessions.
    pub extendable: bool,
    /// Other tabs see the same medium.
    pub shared: bool,
    /// Tokens of the provider are of no use unless they are bound to a key. RFC 9449 §5.
    pub bound: bool,
    /// How a page load gets its session back.
    pub restore: Restore,
    /// Ask the session server again after this long.
    pub recheck_interval: Option<Lifetime>,
    /// Ask the session server when the page becomes visible.
    pub recheck_on_focus: bool,
    /// Ask the session server when the network comes back.
    pub recheck_on_online: bool,
    /// But not within this time of the last answer.
    pub recheck_min_interval: Lifetime,
    /// When the user counts as away.
    pub idle: Option<IdlePolicy>,
    /// What the server rendered into the page: a session, or that there is none.
    pub initial: Option<Option<Session>>,
}

/// Everything that a client knows.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    phase: Phase,
    /// Grows with every sign-in and sign-out. An answer to a question of an older epoch is discarded.
    epoch: u64,
    /// Counts attempts to sign in.
    attempt: u64,
    /// Names the sign-in that the current session descends from.
    lineage: String,
    /// Counts the renewals of the lineage.
    generation: u64,
    /// The newest commit that another tab spoke of: lineage and generation.
    heard: Option<(String, u64)>,
    /// The newest commit that was heard of where each tab has a medium of its own: another client of this tab may have made it, or
    /// a duplicated tab with its copy.
    copied: Option<(String, u64)>,
    /// Another tab spoke while this one could not look: it looks as soon as it can.
    unread: bool,
    /// The medium held the record of this session when it was last read or written.
    stored: bool,
    /// What this session's sign-in was called, and its last renewal, where the session has ended here; and by wish.
    over: Option<(String, u64, bool)>,
    /// The session that a sign-in is tried beside was being restored, and has not been announced.
    unshown: bool,
    /// A sign-in whose commit is under way was overtaken by another, and has not been announced.
    unannounced: bool,
    /// How often the refresh token of this generation was sent without an answer that says what came of it.
    tries: u32,
    /// Another tab has spent the refresh token of this one, and what it got for it cannot be read here.
    spent: bool,
    renewal: Renewal,
    /// The failure of a request that was answered after other tabs took this one for gone. It is told unless one of them has renewed.
    overtaken: Option<Error>,
    /// When other tabs take this one for gone, which has the turn.
    turn_ends: Option<UnixMillis>,
    /// When to renew by timer.
    renew_at: Option<UnixMillis>,
    /// Renewals that failed in a row, the last error, and when the next may be made.
    failures: u32,
    failure: Option<Error>,
    retry_at: Option<UnixMillis>,
    /// When a renewal was last made because a server refused the token.
    forced_at: Option<UnixMillis>,
    /// The session server is being asked; and when it last answered.
    checking: bool,
    /// What is being asked is to prolong the session.
    extending: bool,
    checked_at: Option<UnixMillis>,
    /// Another tab has said something that the server was not asked about since.
    told: bool,
    /// When it was last asked because of that.
    told_at: Option<UnixMillis>,
    /// When a page that was told to leave is taken to have stayed.
    leave_by: Option<UnixMillis>,
    /// Reads of the medium that were older than what another tab spoke of.
    stale_reads: u32,
    reread_at: Option<UnixMillis>,
    /// `expiring` was said about the credential that ends at this instant.
    warned: Option<UnixMillis>,
    idle: idle::Idle,
    waiters: Vec<(WaiterId, Wants)>,
    /// Sign-outs that the server has not answered.
    ending: u32,
    /// A sign-in that waits for their answers, where these could take its cookie away.
    held: Option<Box<Login>>,
    /// What is tried where the start finds nobody signed in.
    last_resort: Option<Box<Login>>,
    /// Where the page goes back to, if the callback of a sign-in that the user did not ask for comes to nothing.
    place: Option<Box<WebUrl>>,
    /// The failure by which the last event ended a session.
    blame: Option<Error>,
    /// What `Start` will settle with.
    arrived: Option<Box<Arrived>>,
    start_error: Option<Error>,
    shown: Snapshot,
    wake_at: Option<UnixMillis>,
    /// Nobody looks at the page.
    hidden: bool,
    /// The page is in the back-forward cache, or was and does not know yet what happened meanwhile.
    left: bool,
    /// It is back from there.
    back: bool,
    /// Reads of the medium that are under way.
    reads: u32,
    /// What slept reads the medium again before it hands anything out; until when at the latest.
    looking: Option<UnixMillis>,
    /// The server could not be asked for longer than the application allows; during this epoch.
    outlasted: Option<u64>,
    now: UnixMillis,
    /// How long the realm had run then.
    ran: Lifetime,
    /// The token requests of the last minute.
    pace: pace::Pace,
    random: u64,
    effects: Vec<Effect>,
}

#[derive(Debug)]
enum Phase {
    Idle,
    /// Reading, asking, or renewing what was read.
    Restoring(Option<Session>),
    SignedOut(SignedOutReason, Option<Error>),
    /// A sign-in is under way; what was before comes back if it fails.
    Authenticating(Via, Box<Phase>),
    /// A sign-in is being made durable.
    Committing(Via, Box<Arrived>, Option<Session>),
    SignedIn(Session),
    Disposed,
}

/// A renewal under way.
#[derive(Debug)]
enum Renewal {
    None,
    /// Waiting for the lock.
    Locking,
    /// Holding the lock, waiting for a medium that lags behind.
    Lagging,
    /// Holding the lock: an earlier request may have been carried out, so whether the server is there is found out first.
    Reaching,
    /// Holding the lock, writing down that the refresh token is sent.
    Intending,
    /// Holding the lock, waiting for the server.
    Requesting,
    /// Holding the lock, making the new credential durable.
    Committing(Session),
}

/// What a waiting promise wants.
#[derive(Debug)]
enum Wants {
    Started,
    SignedIn,
    /// Settles once the record is gone and the server has answered.
    SignedOut(Box<Parting>),
    Renewed,
    Token(Lifetime),
    Replay,
    Checked,
    Extended,
}

/// How far a sign-out has come.
#[derive(Debug)]
struct Parting {
    forgotten: bool,
    /// What the other tabs are told once more when the record is gone: a page may have begun with it meanwhile.
    note: Option<Note>,
    outcome: Option<Outcome>,
}

impl Machine {
    /// A client that has not started.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            phase: Phase::Idle,
            epoch: 0,
            attempt: 0,
            lineage: String::new(),
            generation: 0,
            heard: None,
            unread: false,
            copied: None,
            stored: false,
            over: None,
            unshown: false,
            unannounced: false,
            tries: 0,
            spent: false,
            renewal: Renewal::None,
            overtaken: None,
            turn_ends: None,
            renew_at: None,
            failures: 0,
            failure: None,
            retry_at: None,
            forced_at: None,
            checking: false,
            extending: false,
            checked_at: None,
            told: false,
            told_at: None,
            leave_by: None,
            stale_reads: 0,
            reread_at: None,
            warned: None,
            idle: idle::Idle::default(),
            waiters: Vec::new(),
            ending: 0,
            held: None,
            last_resort: None,
            place: None,
            blame: None,
            arrived: None,
            start_error: None,
            shown: Snapshot::Initializing,
            wake_at: None,
            hidden: false,
            left: false,
            back: false,
            reads: 0,
            looking: None,
            outlasted: None,
            now: UnixMillis(0),
            ran: Lifetime::ZERO,
            pace: pace::Pace::default(),
            random: 0,
            effects: Vec::new(),
        }
    }

    /// What the application sees.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shown.clone()
    }

    /// The failure by which the last event ended a session, if there was one.
    #[must_use]
    pub fn blame(&self) -> Option<&Error> {
        self.blame.as_ref()
    }

    /// How often the credential was renewed since the sign-in, which counts as the first; none where nobody is signed in.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The session, if somebody is signed in and it is not locked.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        if self.idle.locked {
            return None;
        }
        if let Phase::SignedIn(session) = &self.phase { Some(session) } else { None }
    }

    /// Whether it was disposed of.
    #[must_use]
    pub fn is_disposed(&self) -> bool {
        matches!(self.phase, Phase::Disposed)
    }

    fn view(&self) -> Snapshot {
        if self.left && !matches!(self.phase, Phase::Disposed) {
            return Snapshot::Initializing;
        }
        match &self.phase {
            Phase::Idle | Phase::Restoring(_) => Snapshot::Initializing,
            Phase::SignedOut(reason, error) => Snapshot::Unauthenticated(*reason, error.clone()),
            Phase::Authenticating(via, _) | Phase::Committing(via, _, _) => Snapshot::Authenticating(*via),
            Phase::SignedIn(session) if self.idle.locked => Snapshot::Locked(Rc::clone(&session.user)),
            Phase::SignedIn(_) if self.outlasted.is_some() => {
                Snapshot::Unauthenticated(SignedOutReason::Error, self.failure.clone())
            }
            Phase::SignedIn(session) => {
                Snapshot::Authenticated(Rc::clone(&session.user), self.facts(session), self.freshness())
            }
            Phase::Disposed => self.shown.clone(),
        }
    }

    /// What the application may know of a session.
    fn facts(&self, session: &Session) -> Box<SessionFacts> {
        Box::new(SessionFacts { idle_expires_at: self.idle_expires_at(), ..session.facts.clone() })
    }

    fn freshness(&self) -> Freshness {
        match (&self.renewal, &self.failure) {
            (
                Renewal::Locking
                | Renewal::Lagging
                | Renewal::Reaching
                | Renewal::Intending
                | Renewal::Requesting
                | Renewal::Committing(_),
                _,
            ) => Freshness::Refreshing,
            (Renewal::None, Some(error)) if matches!(error.code, ErrorCode::NetworkOrCors | ErrorCode::Timeout) => {
                Freshness::Offline
            }
            (Renewal::None, Some(_)) => Freshness::Stale,
            (Renewal::None, None) if self.expired() => Freshness::Stale,
            (Renewal::None, None) => Freshness::Fresh,
        }
    }

    fn expired(&self) -> bool {
        self.session()
            .and_then(|session| session.facts.expires_at)
            .is_some_and(|end| end.within(Lifetime::ZERO, self.now))
    }

    fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn notify(&mut self, notice: Notice) {
        self.push(Effect::Notify(notice));
    }

    fn settle(&mut self, id: WaiterId, outcome: Outcome) {
        self.push(Effect::Settle(id, outcome));
    }

    /// Settles every waiter for which `answer` has an outcome; the others go on waiting.
    fn settle_where(&mut self, answer: &dyn Fn(&Self, &Wants) -> Option<Outcome>) {
        for (id, wants) in std::mem::take(&mut self.waiters) {
            match answer(self, &wants) {
                Some(outcome) => self.settle(id, outcome),
                None => self.waiters.push((id, wants)),
            }
        }
    }

    /// Makes a session durable, as this generation of the lineage.
    fn commit(&mut self, session: &Session, generation: u64, over: Over) {
        let record = Record { lineage: self.lineage.clone(), generation, session: session.clone() };
        self.push(Effect::Commit(self.epoch, Box::new(record), over));
    }

    fn tell_committed(&mut self) {
        self.push(Effect::Tell(Note::Committed(self.lineage.clone(), self.generation)));
    }

    /// The records that descend from this session's sign-in, as far as this tab knows them.
    fn own(&self) -> Over {
        if !self.settings.shared {
            return Over::Anything;
        }
        Over::Own { lineage: self.lineage.clone(), generation: self.generation, stored: self.stored }
    }

    fn handle(&mut self, kind: EventKind) {
        if matches!(self.phase, Phase::Disposed) {
            return self.after_dispose(kind);
        }
        match kind {
            EventKind::Start(id) => self.start(id),
            EventKind::Login(id, login) => self.login(id, login),
            EventKind::Logout(id, ending) => self.logout(id, ending),
            EventKind::Renew(id) => self.renew(id),
            EventKind::Use(id, margin) => self.use_token(id, margin),
            EventKind::Refused(id, credential) => self.refused(id, credential),
            EventKind::KeyLost(credential) => self.key_lost(credential),
            EventKind::Check(id) => self.check(id, Wants::Checked),
            EventKind::Extend(id) => self.extend(id, Wants::Extended),
            EventKind::Dispose => self.dispose(),
            EventKind::Loaded(stored, arrival) => self.loaded(stored, arrival),
            EventKind::LockGranted(stored, known) => self.lock_granted(stored, known),
            EventKind::LockRefused => self.lock_refused(),
            EventKind::Intended(done) => self.intended(done),
            EventKind::Reread(stored) => self.reread(stored),
            EventKind::Answered(epoch, answer) => self.answered(epoch, *answer),
            EventKind::Committed(epoch, commit) => self.committed(epoch, commit),
            EventKind::Forgotten(id, failure) => self.forgotten(id, failure),
            // The alarm has rung, so the driver needs the next wish even if it is the same.
            EventKind::Tick => self.wake_at = None,
            EventKind::Active => self.active(),
            EventKind::ActivityRead(stamp) => self.activity_read(stamp),
            EventKind::Visible => self.visible(),
            EventKind::Hidden => self.hidden = true,
            EventKind::Left => self.left = true,
            EventKind::Online => self.online(),
            EventKind::Restored => self.restored(),
            EventKind::Told(note) => self.told(note),
        }
    }

    /// Whether an answer with this ticket would be heeded.
    #[must_use]
    pub fn expects(&self, ticket: Ticket) -> bool {
        match ticket.kind {
            CallKind::Login => self.attempt == ticket.epoch && matches!(self.phase, Phase::Authenticating(..)),
            CallKind::Refresh => self.epoch == ticket.epoch && matches!(self.renewal, Renewal::Requesting),
            CallKind::Reach => self.epoch == ticket.epoch && matches!(self.renewal, Renewal::Reaching),
            CallKind::Check => self.epoch == ticket.epoch && self.checking,
            CallKind::End(_) => true,
        }
    }

    /// Whether the page is still to leave: what waited for the medium may have been overtaken by another wish meanwhile.
    #[must_use]
    pub fn leaves(&self, departure: Departure) -> bool {
        match departure {
            Departure::SignIn(attempt) => attempt == self.attempt && !self.is_disposed(),
            Departure::SignOut => matches!(self.phase, Phase::SignedOut(..)),
        }
    }

    fn answered(&mut self, ticket: Ticket, answer: Result<Answer, Error>) {
        if !self.expects(ticket) {
            return self.late(answer);
        }
        if let CallKind::End(_) = ticket.kind {
            self.ending = self.ending.saturating_sub(1);
        }
        match answer {
            Ok(Answer::SignedIn(arrived)) => self.signed_in(arrived),
            Ok(Answer::Renewed(session)) => self.renewed(session),
            Ok(Answer::Checked(session)) => self.checked(session),
            Ok(Answer::Reached) => self.intend(),
            Ok(Answer::Leave(url)) => match ticket.kind {
                CallKind::End(id) => self.leave_signed_out(id, url),
                CallKind::Login | CallKind::Refresh | CallKind::Reach | CallKind::Check => self.leave(url),
            },
            Ok(Answer::Ended) => {
                if let CallKind::End(id) = ticket.kind {
                    self.ended(id, Outcome::Done);
                }
            }
            Err(error) => match ticket.kind {
                CallKind::Login => self.login_failed(error),
                CallKind::Refresh => self.request_failed(error),
                CallKind::Reach => self.renewal_failed(error),
                CallKind::Check => self.check_failed(error),
                CallKind::End(id) => self.ended(id, Outcome::Failed(error)),
            },
        }
    }

    /// An answer that nobody waits for any more: after a sign-out, or overtaken by another sign-in. What it brings is not
    /// used, and its tokens are revoked so that nobody else can use them either.
    fn late(&mut self, answer: Result<Answer, Error>) {
        let session = match answer {
            Ok(Answer::SignedIn(arrived)) => arrived.session,
            Ok(Answer::Renewed(session)) => session,
            Ok(Answer::Checked(_) | Answer::Reached | Answer::Leave(_) | Answer::Ended) | Err(_) => return,
        };
        let Some(tokens) = session.tokens() else { return };
        // What an HttpOnly cookie holds can only be ended by that cookie, which may be the newer session's by now.
        let over = matches!(self.phase, Phase::SignedOut(..) | Phase::Disposed);
        if over || !self.by_cookie(tokens) {
            self.send_end(None, Some(session), Ending::Revoke);
        }
    }

    /// Whether an HttpOnly cookie holds what renews these tokens; it is the same one in every tab.
    fn by_cookie(&self, tokens: &Tokens) -> bool {
        self.settings.refresh_cookie && tokens.source == Source::FirstParty
    }

    fn send_end(&mut self, id: Option<WaiterId>, session: Option<Session>, ending: Ending) {
        self.ending += 1;
        self.send(CallKind::End(id), Call::End(session, ending));
    }

    fn send(&mut self, kind: CallKind, call: Call) {
        if matches!(call, Call::Exchange | Call::Refresh(_) | Call::Reach(_)) {
            self.pace.count(self.ran);
        }
        let epoch = if kind == CallKind::Login { self.attempt } else { self.epoch };
        self.push(Effect::Send(Ticket { kind, epoch }, call));
    }

    /// The session, also while another sign-in is being tried beside it.
    fn current(&self) -> Option<&Session> {
        match &self.phase {
            Phase::SignedIn(session) | Phase::Restoring(Some(session)) => Some(session),
            Phase::Authenticating(_, before) => match before.as_ref() {
                Phase::SignedIn(session) => Some(session),
                Phase::Idle
                | Phase::Restoring(_)
                | Phase::SignedOut(..)
                | Phase::Authenticating(..)
                | Phase::Committing(..)
                | Phase::Disposed => None,
            },
            Phase::Idle | Phase::Restoring(None) | Phase::SignedOut(..) | Phase::Committing(..) | Phase::Disposed => {
                None
            }
        }
    }

    /// Puts a newer form of the session where [`current`](Self::current) finds it.
    fn replace(&mut self, session: Session) {
        match &mut self.phase {
            Phase::Authenticating(_, before) => **before = Phase::SignedIn(session),
            Phase::Idle
            | Phase::Restoring(_)
            | Phase::SignedOut(..)
            | Phase::Committing(..)
            | Phase::SignedIn(_)
            | Phase::Disposed => self.phase = Phase::SignedIn(session),
        }
    }

    /// From here on, answers to earlier questions come too late.
    fn next_epoch(&mut self) {
        self.epoch += 1;
        self.looked();
        self.checking = false;
        self.extending = false;
        self.heard = None;
        self.copied = None;
        self.stored = false;
        self.unannounced = false;
        self.tries = 0;
        self.spent = false;
        self.stale_reads = 0;
        self.abandon_renewal();
        self.renew_at = None;
        self.retry_at = None;
        self.failures = 0;
        self.failure = None;
        self.forced_at = None;
        self.warned = None;
        self.reread_at = None;
    }

    fn committed(&mut self, epoch: u64, commit: Commit) {
        // The commit of a session that is over by now; what followed it is in the queue already.
        if epoch != self.epoch {
            return;
        }
        let again = !self.stored && self.settings.shared;
        self.stored = matches!(commit, Commit::Done);
        match commit {
            Commit::Superseded(stored) if matches!(self.renewal, Renewal::Committing(_)) => {
                return self.renewal_superseded(stored);
            }
            Commit::Superseded(_) => self.unread = true,
            Commit::Failed(Some(cause)) => self.notify(Notice::StorageDegraded(cause)),
            Commit::Failed(None) | Commit::Done => {}
        }
        if std::mem::take(&mut self.unannounced) {
            return self.announce_overtaken();
        }
        match (&self.phase, &self.renewal) {
            (Phase::Committing(..), _) => self.sign_in_committed(),
            (_, Renewal::Committing(_)) => self.renewal_committed(),
            // The medium has not taken it before.
            (Phase::SignedIn(_), Renewal::None) if self.stored && again => self.tell_committed(),
            (
                Phase::Idle
                | Phase::Restoring(_)
                | Phase::SignedOut(..)
                | Phase::Authenticating(..)
                | Phase::SignedIn(_)
                | Phase::Disposed,
                Renewal::None
                | Renewal::Locking
                | Renewal::Lagging
                | Renewal::Reaching
                | Renewal::Intending
                | Renewal::Requesting,
            ) => {}
        }
    }

    fn finish(&mut self) {
        self.count_grace();
        let view = self.view();
        if view != self.shown {
            self.shown = view.clone();
            // Before everything else: whoever is woken by a later effect sees the new state.
            self.effects.insert(0, Effect::Show(view));
        }
        let wake_at = self.next_wake();
        if wake_at != self.wake_at {
            self.wake_at = wake_at;
            self.push(Effect::WakeAt(wake_at));
        }
    }
}

/// One move. Pure: time and randomness come in the event.
#[must_use]
pub fn step(mut machine: Machine, event: Event) -> (Machine, Vec<Effect>) {
    machine.random = event.random;
    machine.tell_time(event.at);
    machine.blame = None;
    machine.look_at_idle_clock();
    machine.handle(event.kind);
    machine.due();
    machine.finish();
    let effects = std::mem::take(&mut machine.effects);
    (machine, effects)
}
