//! Renewal of tokens: at most one at a time in the whole browser, committed before anybody is told.
//!
//! lock → read the medium again → adopt what a sibling stored, or write down that the token is sent → ask the server →
//! commit → release → tell. Where an answer was lost, nobody knows whether the token is spent: it is sent once more, after
//! the server was seen to be there, and then not again. RFC 6749 §6; RFC 9700 §4.14.2 on rotation.

use super::{Answer, Call, CallKind, CredentialName, Effect, Error, ErrorCode, Machine, Notice, Origin, Outcome};
use super::{Phase, Renewal, SignedOutReason, Stored, WaiterId, Wants};
use crate::policy::refresh::{self, Outcome as Verdict};
use crate::protocol::coordination::Coordination;
use crate::protocol::record::Record;
use crate::types::{Lifetime, Session, Tokens, UnixMillis};
use std::rc::Rc;

impl Machine {
    pub(super) fn renew(&mut self, id: WaiterId) {
        if self.settings.server_session {
            return if self.settings.extendable {
                self.extend(id, Wants::Renewed)
            } else {
                self.check(id, Wants::Renewed)
            };
        }
        self.waiters.push((id, Wants::Renewed));
        self.want_renewal();
    }

    /// A request needs a token. Most find one and are served at once.
    pub(super) fn use_token(&mut self, id: WaiterId, margin: Lifetime) {
        if self.settings.server_session {
            return self.admit(id);
        }
        self.waiters.push((id, Wants::Token(margin)));
        self.serve_waiters();
    }

    /// A server refused a credential.
    pub(super) fn refused(&mut self, id: WaiterId, credential: CredentialName) {
        if self.settings.server_session {
            // The answer goes to the application; whether the session is really gone, the session server says.
            self.settle(id, Outcome::Replay(false));
            return self.check_soon();
        }
        // A request of an earlier sign-in may be another user's: it is not sent with the credential of this one.
        if credential.epoch != self.epoch {
            return self.settle(id, Outcome::Replay(false));
        }
        if credential.generation < self.generation {
            return self.settle(id, Outcome::Replay(true));
        }
        let just_forced = self.forced_at.is_some_and(|at| at.until(self.now) < FORCED_INTERVAL);
        let renewable = self.session().is_some_and(|session| self.can_renew(session));
        let renewing = !matches!(self.renewal, Renewal::None);
        if !renewable || (just_forced && !renewing) || (self.must_wait() && !renewing) {
            return self.settle(id, Outcome::Replay(false));
        }
        self.waiters.push((id, Wants::Replay));
        if !renewing {
            self.forced_at = Some(self.now);
            self.begin_renewal();
        }
    }

    /// Gives every waiter what the session has for it, and starts a renewal for those who need one.
    pub(super) fn serve_waiters(&mut self) {
        match &self.phase {
            Phase::SignedOut(..) | Phase::Disposed => return self.refuse_waiters(),
            Phase::Idle => return self.refuse_waiters(),
            Phase::Restoring(_) | Phase::Committing(..) => return,
            // The session of before serves until another takes its place; it is not renewed meanwhile.
            Phase::Authenticating(..) => return self.serve_tokens(),
            Phase::SignedIn(_) if self.idle.locked => return self.refuse_locked(),
            // Whether anything may be handed out is being found out.
            Phase::SignedIn(_) if !self.hands_out() => return,
            // What another tab did while this one slept is found out first.
            Phase::SignedIn(_) if self.looking.is_some() => return,
            Phase::SignedIn(_) => {}
        }
        let renewal_wanted = self.waiters.iter().any(|(_, wants)| matches!(wants, Wants::Renewed));
        if renewal_wanted && !self.settings.server_session && matches!(self.renewal, Renewal::None) {
            self.want_renewal();
        }
        self.serve_tokens();
        if !self.waiters.iter().any(|(_, wants)| matches!(wants, Wants::Token(_)))
            || !matches!(self.renewal, Renewal::None)
        {
            return;
        }
        if self.session().is_some_and(|session| !self.can_renew(session)) {
            if self.expired() {
                return self.end(SignedOutReason::Expired, Origin::Server);
            }
            // It lives, only shorter than wished, and there is no longer one to be had.
            return self.settle_where(&|machine, wants| {
                matches!(wants, Wants::Token(_)).then(|| machine.token(Lifetime::ZERO)).flatten()
            });
        }
        if self.must_wait() {
            return self.serve_or_fail(self.failure.clone());
        }
        self.begin_renewal();
    }

    fn serve_tokens(&mut self) {
        self.settle_where(&|machine, wants| {
            if let Wants::Token(margin) = wants { machine.token(*margin) } else { None }
        });
    }

    fn token(&self, margin: Lifetime) -> Option<Outcome> {
        let session = self.current().filter(|_| self.hands_out())?;
        let tokens = session.tokens()?;
        let short = session.facts.expires_at.is_some_and(|end| end.within(margin, self.now));
        (!short).then(|| self.token_of(session, tokens))
    }

    fn token_of(&self, session: &Session, tokens: &Tokens) -> Outcome {
        let bound = tokens.binding.as_ref().is_some_and(|binding| binding.access);
        let prover = if bound { session.prover() } else { None };
        Outcome::Token(tokens.access.clone(), self.credential(), prover)
    }

    /// The key that the tokens are bound to is gone, and with it their use. RFC 9449 §5.
    pub(super) fn key_lost(&mut self, credential: CredentialName) {
        if credential.epoch == self.epoch && self.current().is_some() {
            self.blame = Some(ErrorCode::DpopKeyLost.into());
            self.end(SignedOutReason::StorageLost, Origin::ThisTab);
        }
    }

    fn credential(&self) -> CredentialName {
        CredentialName { epoch: self.epoch, generation: self.generation }
    }

    /// After a failed renewal: the current token until its real end, and an error from then on.
    pub(super) fn serve_or_fail(&mut self, error: Option<Error>) {
        let error = error.unwrap_or_else(|| ErrorCode::LoginRequired.into());
        self.settle_where(&|machine, wants| match wants {
            Wants::Token(_) => Some(machine.token(Lifetime::ZERO).unwrap_or_else(|| Outcome::Failed(error.clone()))),
            Wants::Renewed => Some(Outcome::Failed(error.clone())),
            Wants::Replay => Some(Outcome::Replay(false)),
            Wants::Started | Wants::SignedIn | Wants::SignedOut(_) | Wants::Checked | Wants::Extended => None,
        });
    }

    /// Nobody is signed in: whoever needs a credential is told so.
    pub(super) fn refuse_waiters(&mut self) {
        let why = match &self.phase {
            Phase::SignedOut(SignedOutReason::Expired | SignedOutReason::Idle | SignedOutReason::Revoked, _) => {
                ErrorCode::SessionExpired
            }
            Phase::Disposed => ErrorCode::Disposed,
            Phase::Idle
            | Phase::Restoring(_)
            | Phase::SignedOut(..)
            | Phase::Authenticating(..)
            | Phase::Committing(..)
            | Phase::SignedIn(_) => ErrorCode::LoginRequired,
        };
        self.settle_where(&|_, wants| match wants {
            Wants::Token(_) | Wants::Renewed | Wants::Extended => Some(Outcome::Failed(why.into())),
            Wants::Replay => Some(Outcome::Replay(false)),
            Wants::Checked => Some(Outcome::Session(None)),
            Wants::Started | Wants::SignedIn | Wants::SignedOut(_) => None,
        });
    }

    /// An explicit wish: not held back by an earlier failure.
    fn want_renewal(&mut self) {
        let renewable = self.session().map(|session| self.can_renew(session));
        match (renewable, &self.renewal) {
            (Some(true), Renewal::None) => self.begin_renewal(),
            (Some(true), _) => {}
            (Some(false), _) => self.cannot_renew(),
            (None, Renewal::None) if self.restorable() => self.begin_renewal(),
            (None, _) if self.restorable() => {}
            (None, _) => self.serve_waiters(),
        }
    }

    /// Whoever waits for a new token waits in vain; the one at hand serves until its end.
    pub(super) fn cannot_renew(&mut self) {
        if matches!(self.phase, Phase::Restoring(_)) {
            return self.end(SignedOutReason::StorageLost, Origin::Restored);
        }
        self.settle_where(&|machine, wants| match wants {
            Wants::Token(_) => machine.token(Lifetime::ZERO),
            Wants::Renewed => Some(Outcome::Failed(ErrorCode::RefreshUnavailable.into())),
            Wants::Replay => Some(Outcome::Replay(false)),
            Wants::Started | Wants::SignedIn | Wants::SignedOut(_) | Wants::Checked | Wants::Extended => None,
        });
        if self.expired() {
            self.end(SignedOutReason::Expired, Origin::Server);
        }
    }

    pub(super) fn can_renew(&self, session: &Session) -> bool {
        session.tokens().is_some_and(|tokens| tokens.refresh.is_some() || self.by_cookie(tokens))
    }

    /// What renews this session was spent by another tab.
    pub(super) fn is_spent(&self) -> bool {
        self.spent && !self.current().and_then(Session::tokens).is_some_and(|tokens| self.by_cookie(tokens))
    }

    pub(super) fn must_wait(&self) -> bool {
        self.retry_at.is_some_and(|at| self.now < at)
    }

    pub(super) fn begin_renewal(&mut self) {
        if let Some(wait) = self.pace.wait(self.ran) {
            return self.hold_back(wait);
        }
        self.renewal = Renewal::Locking;
        self.overtaken = None;
        self.renew_at = None;
        self.push(Effect::AcquireLock);
    }

    pub(super) fn abandon_renewal(&mut self) {
        if !matches!(self.renewal, Renewal::None) {
            self.renewal = Renewal::None;
            self.push(Effect::ReleaseLock);
        }
    }

    pub(super) fn lock_granted(&mut self, stored: Stored, known: Option<Coordination>) {
        self.mention_failure(&stored);
        if !matches!(self.renewal, Renewal::Locking | Renewal::Lagging) {
            return;
        }
        self.looked();
        self.turn_ends = known.as_ref().and_then(|known| known.until);
        if let Some(known) = known.filter(|known| !known.lineage.is_empty()) {
            if known.lineage == self.lineage && known.generation == self.generation {
                self.tries = known.tries;
                if self.settings.shared && !known.ended && known.tries == 0 {
                    // Whatever was said: nobody has sent this token.
                    (self.heard, self.spent) = (None, false);
                }
            }
            if self.settings.shared && known.ended && known.lineage == self.lineage {
                // Whatever the medium shows.
                return self.signed_out_elsewhere();
            }
            if self.settings.shared && !known.ended && self.is_newer(&known.lineage, known.generation) {
                self.heard = Some((known.lineage, known.generation));
            }
        }
        if self.lags(&stored) {
            // Another tab spoke of a newer token than this medium shows yet. Using the old one now would spend it twice.
            self.renewal = Renewal::Lagging;
            return;
        }
        match stored {
            Stored::Record(record) if self.is_news(&record) => {
                self.abandon_renewal();
                self.adopt(*record);
                return self.serve_waiters();
            }
            Stored::Ended(mark) if self.is_over(&mark.lineage) => return self.signed_out_elsewhere(),
            Stored::Record(_)
            | Stored::Ended(_)
            | Stored::Empty
            | Stored::Corrupt
            | Stored::KeyLost
            | Stored::Unreadable(_) => {}
        }
        if self.is_spent() {
            self.abandon_renewal();
            return self.cannot_renew();
        }
        if let Some(error) = self.overtaken.take() {
            return self.renewal_failed(error);
        }
        match (self.at_stake(), self.tries) {
            (None, _) => self.request(),
            (Some(_), 0) => self.intend(),
            (Some(session), 1) => {
                self.renewal = Renewal::Reaching;
                self.send(CallKind::Reach, Call::Reach(session));
            }
            (Some(_), _) => self.renewal_failed(ErrorCode::RefreshAmbiguous.into()),
        }
    }

    /// The session, where sending its refresh token is a risk. What an HttpOnly cookie holds, the server itself keeps up.
    fn at_stake(&self) -> Option<Session> {
        self.current().filter(|session| session.tokens().is_some_and(|tokens| !self.by_cookie(tokens))).cloned()
    }

    /// The token is sent only after it is written down that it is.
    pub(super) fn intend(&mut self) {
        self.renewal = Renewal::Intending;
        self.note_tries(self.tries + 1);
    }

    pub(super) fn note_tries(&mut self, tries: u32) {
        self.push(Effect::Intend(self.lineage.clone(), self.generation, tries));
    }

    pub(super) fn intended(&mut self, done: bool) {
        if !matches!(self.renewal, Renewal::Intending) {
            return;
        }
        let late = self.turn_is_over();
        if done && late {
            // It is not sent: another tab may be about to, or have done so.
            self.note_tries(self.tries);
        }
        if !done || late {
            return self.queue_again();
        }
        self.tries += 1;
        self.request();
    }

    /// Whether other tabs take this one for gone.
    fn turn_is_over(&self) -> bool {
        self.turn_ends.is_some_and(|end| end <= self.now)
    }

    /// Another tab took this one for gone. What it made of it is found out behind it.
    fn queue_again(&mut self) {
        self.abandon_renewal();
        self.begin_renewal();
    }

    fn request(&mut self) {
        self.renewal = Renewal::Requesting;
        let session = self.current().cloned();
        self.send(CallKind::Refresh, Call::Refresh(session));
    }

    /// The server was asked, and gave no session.
    pub(super) fn request_failed(&mut self, error: Error) {
        self.note_outcome(&error);
        if self.turn_is_over() {
            self.queue_again();
            self.overtaken = Some(error);
            return;
        }
        if refresh::is_unknown(&error) && self.tries >= refresh::MOST_TRIES {
            let mut last = Error::from(ErrorCode::RefreshAmbiguous);
            last.detail = ["The last failure was ", error.code.as_str(), "."].concat();
            return self.renewal_failed(last);
        }
        self.renewal_failed(error);
    }

    /// An answer that says that nothing was renewed takes the try back.
    pub(super) fn note_outcome(&mut self, error: &Error) {
        let over = refresh::outcome(error.code) == Verdict::EndSession;
        if self.tries > 0 && !over && !refresh::is_unknown(error) {
            self.tries -= 1;
            self.note_tries(self.tries);
        }
    }

    pub(super) fn lock_refused(&mut self) {
        if matches!(self.renewal, Renewal::Locking) {
            let held = || Error::new(ErrorCode::Timeout, "Another tab holds the renewal lock.");
            let error = self.overtaken.take().unwrap_or_else(held);
            self.renewal_failed(error);
        }
    }

    /// Whether the medium shows less than another tab spoke of; then it is read again after a pause. Tabs in different
    /// processes may read stale values from Web Storage, even under a lock.
    pub(super) fn lags(&mut self, stored: &Stored) -> bool {
        let Some((lineage, generation)) = &self.heard else { return false };
        let reached = |line: &str, count: u64| line == lineage && count >= *generation;
        let shown = matches!(stored, Stored::Record(record) if reached(&record.lineage, record.generation));
        let readable = !matches!(stored, Stored::Unreadable(_) | Stored::Corrupt | Stored::KeyLost);
        let same_lineage = *lineage == self.lineage;
        if shown || reached(&self.lineage, self.generation) || !readable || self.stale_reads >= STALE_READS {
            // The one that it was renewed to is nowhere to be read: the other tab could not store it.
            self.spent = same_lineage && !shown && !reached(&self.lineage, self.generation);
            self.heard = None;
            self.stale_reads = 0;
            return false;
        }
        self.stale_reads += 1;
        self.reread_at = Some(self.now.plus(stale_pause(self.stale_reads)));
        true
    }

    /// Whether the mark of a sign-out of `lineage` means the session of this tab, or one that took its place.
    pub(super) fn is_over(&self, lineage: &str) -> bool {
        self.stored || (lineage == self.lineage && !lineage.is_empty())
    }

    /// Whether a record supersedes what this tab holds.
    pub(super) fn is_news(&self, record: &Record) -> bool {
        self.is_newer(&record.lineage, record.generation)
    }

    fn is_newer(&self, lineage: &str, generation: u64) -> bool {
        lineage != self.lineage || generation > self.generation
    }

    /// Takes over what a sibling stored. It has taken the place of what was here; where it must be bound to a key and is not, nobody
    /// is signed in, as after a page load.
    pub(super) fn adopt(&mut self, record: Record) {
        if self.settings.bound && record.session.is_unbound() {
            return self.told_signed_out(SignedOutReason::Expired);
        }
        let previous = self.current().cloned();
        let renewed = previous.is_some() && record.lineage == self.lineage;
        if renewed {
            self.count_sibling(&record);
        }
        if !renewed {
            self.next_epoch();
            self.idle_adopts();
        }
        (self.lineage, self.generation) = (record.lineage, record.generation);
        self.stored = true;
        self.tries = 0;
        self.spent = false;
        self.recovered();
        let user = Rc::clone(&record.session.user);
        let end = record.session.facts.server_end();
        let restoring = matches!(self.phase, Phase::Restoring(_));
        let changed = previous.filter(|previous| !previous.same_user(&record.session));
        let other_user = changed.is_some();
        self.replace(record.session);
        self.plan_renewal();
        if restoring {
            return self.restored_session();
        }
        if let Some(previous) = changed {
            self.notify(Notice::UserChanged(Rc::clone(&previous.user), user));
        } else if renewed {
            self.notify(Notice::Refreshed(end, Origin::OtherTab));
        } else {
            self.notify(Notice::SignedIn(user, Origin::OtherTab));
        }
        self.settle_where(&|_, wants| match wants {
            Wants::Replay => Some(Outcome::Replay(renewed)),
            // A request that was begun as another user is not made as this one.
            Wants::Token(_) if other_user => {
                Some(Outcome::Failed(Error::new(ErrorCode::IdentityChanged, "Another user signed in meanwhile.")))
            }
            Wants::Token(_)
            | Wants::Renewed
            | Wants::Started
            | Wants::SignedIn
            | Wants::SignedOut(_)
            | Wants::Checked
            | Wants::Extended => answer_renewed(wants),
        });
    }

    /// The server renewed the credential. Nobody is told before it is durable.
    pub(super) fn renewed(&mut self, session: Session) {
        // Without a subject on either side, the refresh token is what ties the answer to the user.
        if let Some(previous) = self.current()
            && (previous.facts.sub.is_some() || session.facts.sub.is_some())
            && !previous.same_user(&session)
        {
            let error = Error::new(ErrorCode::IdentityChanged, "The renewed token belongs to another user.");
            self.late(Ok(Answer::Renewed(session)));
            return self.renewal_failed(error);
        }
        self.commit_renewal(session);
    }

    /// Another tab may have signed in or out while the server was asked; then the medium keeps what that tab made of it.
    pub(super) fn commit_renewal(&mut self, session: Session) {
        let over = self.own();
        if self.generation == 0 {
            self.lineage = crate::types::text::hex(self.random);
        }
        self.commit(&session, self.generation + 1, over);
        self.renewal = Renewal::Committing(session);
    }

    /// What was renewed is not wanted any more.
    pub(super) fn renewal_superseded(&mut self, stored: Stored) {
        let Renewal::Committing(session) = std::mem::replace(&mut self.renewal, Renewal::None) else { return };
        self.push(Effect::ReleaseLock);
        match stored {
            // Another tab took this one for gone and renews now: what comes of it is found out behind it.
            Stored::Record(record) if !self.is_news(&record) => return self.begin_renewal(),
            // A renewal of the same sign-in: revoking this one would end that one too.
            Stored::Record(record) if record.lineage == self.lineage => self.adopt(*record),
            // The same user has signed in again: a provider that counts both sign-ins to one grant would revoke the new one, too.
            Stored::Record(record) if record.session.same_user(&session) => self.adopt(*record),
            Stored::Record(record) => {
                self.adopt(*record);
                self.late(Ok(Answer::Renewed(session)));
            }
            Stored::Ended(_) | Stored::Empty | Stored::Corrupt | Stored::KeyLost | Stored::Unreadable(_) => {
                self.signed_out_elsewhere();
                self.late(Ok(Answer::Renewed(session)));
            }
        }
        self.serve_waiters();
    }

    pub(super) fn renewal_committed(&mut self) {
        let Renewal::Committing(session) = std::mem::replace(&mut self.renewal, Renewal::None) else { return };
        self.generation += 1;
        self.tries = 0;
        self.push(Effect::ReleaseLock);
        self.tell_committed();
        let end = session.facts.server_end();
        let restoring = matches!(self.phase, Phase::Restoring(_) | Phase::SignedOut(..));
        self.replace(session);
        self.recovered();
        self.plan_renewal();
        self.notify(Notice::Refreshed(end, Origin::ThisTab));
        if restoring {
            self.restored_session();
        }
        // A new token serves even those who wished for a longer life than the server gives, and be it none at all: asking
        // again at once would bring the same.
        self.settle_where(&|machine, wants| match wants {
            Wants::Token(_) if machine.hands_out() => {
                machine.current().and_then(|session| Some(machine.token_of(session, session.tokens()?)))
            }
            Wants::Token(_) => None,
            Wants::Renewed
            | Wants::Replay
            | Wants::Started
            | Wants::SignedIn
            | Wants::SignedOut(_)
            | Wants::Checked
            | Wants::Extended => answer_renewed(wants),
        });
    }

    pub(super) fn renewal_failed(&mut self, error: Error) {
        self.abandon_renewal();
        let verdict = refresh::outcome(error.code);
        if let Verdict::EndSession = verdict {
            return self.renewal_ended(error);
        }
        self.failures += 1;
        let wait = refresh::backoff(self.failures, self.random, error.retry_after);
        let retry_at = self.now.plus(wait);
        self.retry_at = Some(retry_at);
        self.renew_at = self.timer_retries(verdict).then_some(retry_at);
        self.failure = Some(error.clone());
        self.notify(Notice::RefreshFailed(error.clone(), self.renew_at, false));
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            // The stored session may well be alive; only the server could not be asked.
            Phase::Restoring(Some(session)) => {
                self.phase = Phase::SignedIn(session);
                self.start_error = Some(error.clone());
                let renew_at = self.renew_at;
                self.restored_session();
                self.renew_at = renew_at;
            }
            Phase::Restoring(None) => {
                self.start_error = Some(error.clone());
                self.stay_signed_out(SignedOutReason::Error, Some(error.clone()));
            }
            phase @ (Phase::Idle
            | Phase::SignedOut(..)
            | Phase::Authenticating(..)
            | Phase::Committing(..)
            | Phase::SignedIn(_)
            | Phase::Disposed) => self.phase = phase,
        }
        self.serve_or_fail(Some(error));
    }

    /// The server says that there is nothing left to renew.
    fn renewal_ended(&mut self, error: Error) {
        self.blame = Some(error.clone());
        let reason = if error.code == ErrorCode::IdentityChanged {
            SignedOutReason::UserChanged
        } else if is_about_id_token(error.code) {
            SignedOutReason::Error
        } else if error.code == ErrorCode::DpopKeyLost {
            SignedOutReason::StorageLost
        } else {
            SignedOutReason::Expired
        };
        if matches!(self.phase, Phase::Restoring(None)) || self.restorable() {
            // No cookie, no session: that is an answer, not a failure.
            self.renew_at = None;
            return self.stay_signed_out(SignedOutReason::Never, None);
        }
        self.notify(Notice::RefreshFailed(error.clone(), None, true));
        self.settle_where(&|_, wants| match wants {
            Wants::Token(_) | Wants::Renewed => Some(Outcome::Failed(error.clone())),
            Wants::Replay
            | Wants::Started
            | Wants::SignedIn
            | Wants::SignedOut(_)
            | Wants::Checked
            | Wants::Extended => None,
        });
        self.end(reason, Origin::Server);
    }

    /// The last renewal succeeded, here or elsewhere.
    fn recovered(&mut self) {
        self.failures = 0;
        self.failure = None;
        self.retry_at = None;
    }

    /// Whether the timer tries again after a failure that means this for the session.
    pub(super) fn timer_retries(&self, verdict: Verdict) -> bool {
        let policy = &self.settings.refresh;
        verdict == Verdict::KeepAndRetry && policy.proactive && self.failures < policy.max_attempts
    }

    /// When the timer renews, from the lifetime of the session in force.
    pub(super) fn plan_renewal(&mut self) {
        let plan = self.current().filter(|session| self.renews_itself(session)).and_then(|session| {
            let (issued, end) = (session.facts.issued_at?, session.facts.expires_at?);
            refresh::refresh_at(issued, end, &self.settings.refresh, self.random)
        });
        if self.settings.server_session {
            // A session that its server did not prolong any further is not asked about again and again; but an attempt that
            // failed, and is due later, stays due.
            let later = |at: &UnixMillis| *at > self.now;
            self.renew_at = plan.filter(later).or(self.renew_at.filter(later));
        } else {
            self.renew_at = plan;
        }
    }

    /// Whether the timer renews, so that nobody needs to be warned.
    pub(super) fn renews_itself(&self, session: &Session) -> bool {
        let renewable = if self.settings.server_session { self.settings.extendable } else { self.can_renew(session) };
        renewable && self.settings.refresh.proactive
    }
}

fn answer_renewed(wants: &Wants) -> Option<Outcome> {
    match wants {
        Wants::Renewed => Some(Outcome::Done),
        Wants::Replay => Some(Outcome::Replay(true)),
        Wants::Token(_) | Wants::Started | Wants::SignedIn | Wants::SignedOut(_) | Wants::Checked | Wants::Extended => {
            None
        }
    }
}

/// What came in the place of the user's tokens is not the provider's, or not for here.
fn is_about_id_token(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::IdTokenAlgorithmRefused
            | ErrorCode::IdTokenInvalid
            | ErrorCode::IdTokenMalformed
            | ErrorCode::IdTokenSignatureInvalid
    )
}

/// A medium that lags behind is read again after 20, 40, 80, 160, 320 ms.
fn stale_pause(reads: u32) -> Lifetime {
    Lifetime::from_millis(10_i64 << reads.min(6))
}

/// How often a lagging medium is read before it is taken at its word.
const STALE_READS: u32 = 5;

/// A token that was just renewed because a server refused it, and is refused again, is not the reason.
const FORCED_INTERVAL: Lifetime = Lifetime::from_seconds(60);
