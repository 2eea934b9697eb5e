//! Session mode: asking the server who is signed in, and prolonging the session.

use super::{
    Call, CallKind, Error, ErrorCode, Machine, Notice, Origin, Outcome, Phase, SignedOutReason, WaiterId, Wants,
};
use crate::policy::refresh;
use crate::types::{Lifetime, Session, SessionFacts, UnixMillis};
use std::rc::Rc;

impl Machine {
    pub(super) fn check(&mut self, id: WaiterId, wants: Wants) {
        self.waiters.push((id, wants));
        self.ask(Call::Check);
    }

    pub(super) fn extend(&mut self, id: WaiterId, wants: Wants) {
        if self.session().is_none() {
            let why = if self.idle.locked {
                ErrorCode::SessionLocked
            } else if self.settings.extendable {
                ErrorCode::LoginRequired
            } else {
                ErrorCode::RefreshUnavailable
            };
            return self.settle(id, Outcome::Failed(why.into()));
        }
        if !self.settings.extendable {
            return self
                .settle(id, Outcome::Failed(Error::new(ErrorCode::ConfigInvalid, "`endpoints.extend` is not set.")));
        }
        self.waiters.push((id, wants));
        if self.extending {
            return;
        }
        self.prolong();
    }

    /// Has the server prolong the session.
    pub(super) fn prolong(&mut self) {
        if self.checking {
            // A check that is under way answers what the session is, not that it was prolonged.
            self.checking = false;
            self.epoch += 1;
        }
        self.ask(Call::Extend);
        self.extending = true;
    }

    /// Asks, unless the server is being asked already.
    pub(super) fn ask(&mut self, call: Call) {
        if !self.settings.server_session || self.checking {
            return;
        }
        self.checking = true;
        self.send(CallKind::Check, call);
    }

    /// Asks because something gave reason to, but not more often than the configured interval.
    pub(super) fn check_soon(&mut self) {
        let recent = self.checked_at.is_some_and(|at| at.until(self.now) < self.settings.recheck_min_interval);
        let worth = match &self.phase {
            Phase::SignedIn(_) => true,
            // Somebody may have signed in by other ways than this page. A sign-out of this tab is not undone by asking: where
            // its server could not be told, the cookie still stands.
            Phase::SignedOut(reason, _) => !matches!(
                reason,
                SignedOutReason::LoggedOut | SignedOutReason::LoggedOutElsewhere | SignedOutReason::Idle
            ),
            Phase::Idle | Phase::Restoring(_) | Phase::Authenticating(..) | Phase::Committing(..) | Phase::Disposed => {
                false
            }
        };
        if worth && !recent && !self.must_wait() {
            self.ask(Call::Check);
        }
    }

    /// Another tab said something: the server is asked, and after these words, as a question that is under way does not know of
    /// them. Anybody may have said it, so not at any pace.
    pub(super) fn check_told(&mut self) {
        self.told = self.settings.server_session;
    }

    /// When that is.
    pub(super) fn told_due(&self) -> Option<UnixMillis> {
        let again = self.told_at.map(|at| at.plus(TOLD_INTERVAL));
        let at = [Some(self.now), again, self.retry_at].into_iter().flatten().max();
        at.filter(|_| self.told && !self.checking && !matches!(self.phase, Phase::Disposed))
    }

    pub(super) fn checked(&mut self, session: Option<Session>) {
        self.looked();
        self.checking = false;
        self.extending = false;
        self.checked_at = Some(self.now);
        self.failures = 0;
        self.failure = None;
        self.retry_at = None;
        match session {
            Some(session) => self.session_stands(session),
            None => self.session_gone(),
        }
    }

    fn session_stands(&mut self, mut session: Session) {
        let facts = session.facts.clone();
        let user = Rc::clone(&session.user);
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Restoring(_) if self.overdue() && !self.began_since(&session) => {
                self.end_overdue(Some(session));
                self.stay_signed_out(SignedOutReason::Idle, None);
                return self.settle_checked(None);
            }
            Phase::Restoring(_) => {
                if self.began_since(&session) {
                    self.note_activity();
                }
                self.phase = Phase::SignedIn(session);
                self.restored_session();
            }
            Phase::SignedIn(previous) => {
                let changed = !previous.same_user(&session);
                let end = session.facts.server_end();
                let prolonged = previous.facts.server_end() < end;
                // The same claims keep their reference, so that the application sees a change only where there is one.
                let unlocks = std::mem::take(&mut self.idle.unlocking) || changed;
                let unlocked = unlocks && self.idle.locked;
                let user = if previous.user == session.user { Rc::clone(&previous.user) } else { user };
                session.user = Rc::clone(&user);
                self.phase = Phase::SignedIn(session);
                if changed {
                    self.next_epoch();
                    self.idle_begins(false);
                    self.notify(Notice::UserChanged(Rc::clone(&previous.user), user));
                } else if unlocked {
                    self.idle_adopts();
                    self.notify(Notice::SignedIn(user, Origin::OtherTab));
                } else if prolonged {
                    self.warned = None;
                    self.notify(Notice::Refreshed(end, Origin::ThisTab));
                }
            }
            Phase::SignedOut(..) | Phase::Idle => {
                self.phase = Phase::SignedIn(session);
                self.next_epoch();
                self.idle_adopts();
                self.notify(Notice::SignedIn(user, Origin::OtherTab));
            }
            Phase::Authenticating(via, _) => {
                self.phase = Phase::Authenticating(via, Box::new(Phase::SignedIn(session)))
            }
            phase @ (Phase::Committing(..) | Phase::Disposed) => self.phase = phase,
        }
        self.plan_renewal();
        self.settle_checked(Some(&facts));
    }

    fn session_gone(&mut self) {
        match &self.phase {
            Phase::SignedIn(_) => self.end(SignedOutReason::Expired, Origin::Server),
            Phase::Restoring(_) => {
                let reason = if self.away() { SignedOutReason::Idle } else { SignedOutReason::Never };
                self.forget_activity();
                self.stay_signed_out(reason, None);
            }
            Phase::SignedOut(SignedOutReason::Error, _) => self.phase = Phase::SignedOut(SignedOutReason::Never, None),
            Phase::Authenticating(_, before) if matches!(before.as_ref(), Phase::SignedIn(_)) => {
                self.end(SignedOutReason::Expired, Origin::Server);
            }
            Phase::Idle
            | Phase::SignedOut(..)
            | Phase::Authenticating(..)
            | Phase::Committing(..)
            | Phase::Disposed => {}
        }
        self.settle_checked(None);
    }

    pub(super) fn settle_checked(&mut self, facts: Option<&SessionFacts>) {
        let boxed = || facts.cloned().map(Box::new);
        self.settle_where(&|_, wants| match wants {
            Wants::Checked => Some(Outcome::Session(boxed())),
            Wants::Extended | Wants::Renewed => {
                Some(facts.map_or(Outcome::Failed(ErrorCode::SessionExpired.into()), |_| Outcome::Session(boxed())))
            }
            Wants::Started | Wants::SignedIn | Wants::SignedOut(_) | Wants::Token(_) | Wants::Replay => None,
        });
    }

    /// The server could not say. Nobody is signed out by that.
    pub(super) fn check_failed(&mut self, error: Error) {
        self.looked();
        self.checking = false;
        let extending = std::mem::take(&mut self.extending);
        let verdict = refresh::outcome(error.code);
        if let refresh::Outcome::EndSession = verdict {
            self.blame = Some(error);
            return self.session_gone();
        }
        self.failures += 1;
        let wait = refresh::backoff(self.failures, self.random, error.retry_after);
        // Also where the application is told that a retry is of no use: without a pause there would be a storm.
        self.retry_at = Some(self.now.plus(wait));
        // What was to prolong the session is tried again as such: a check would only tell that it still stands.
        if extending && self.timer_retries(verdict) {
            self.renew_at = self.retry_at;
        }
        if matches!(self.phase, Phase::Restoring(_)) {
            self.start_error = Some(error.clone());
            self.stay_signed_out(SignedOutReason::Error, Some(error.clone()));
        } else if self.session().is_some() {
            self.failure = Some(error.clone());
            self.notify(Notice::RefreshFailed(error.clone(), self.retry_at, false));
        }
        self.settle_where(&|_, wants| {
            matches!(wants, Wants::Checked | Wants::Extended | Wants::Renewed).then(|| Outcome::Failed(error.clone()))
        });
    }
}

/// At least this long between two questions that other tabs gave reason to.
const TOLD_INTERVAL: Lifetime = Lifetime::from_seconds(2);
