//! From nothing to a known state: callback, stored record, or the server's word.

use super::{
    Answer, Arrival, Call, CallKind, Effect, Error, ErrorCode, Login, Machine, Notice, Origin, Outcome, Phase,
    SignedOutReason,
};
use super::{Stored, Via, WaiterId, Wants};
use crate::policy::restore::{Restore, Trace};
use crate::protocol::record::Record;
use crate::types::{Session, Source};
use std::rc::Rc;

impl Machine {
    pub(super) fn start(&mut self, id: WaiterId) {
        self.waiters.push((id, Wants::Started));
        if matches!(self.phase, Phase::Idle) {
            self.phase = Phase::Restoring(None);
            if self.settings.idle.is_some() {
                self.push(Effect::ReadActivity);
            }
            self.push(Effect::Load);
        } else {
            self.settle_started();
        }
    }

    pub(super) fn loaded(&mut self, stored: Stored, arrival: Arrival) {
        if !matches!(self.phase, Phase::Restoring(None)) {
            return;
        }
        self.mention_failure(&stored);
        let (stored, reason) = self.without_overdue(stored);
        match arrival {
            Arrival::Plain(trace, here) => {
                let asks = self.settings.restore.asks(trace);
                self.last_resort = asks.then(|| Box::new(Login::Restore { return_to: here }));
            }
            Arrival::Failed(error) => {
                // The address was opened once more, or gone back to. What it was for is done, if somebody is signed in.
                let done = error.code == ErrorCode::CallbackReplayed
                    && self.settings.restore != Restore::Nothing
                    && matches!(stored, Stored::Record(_));
                self.start_error = Some(error).filter(|_| !done);
            }
            Arrival::Declined(Some(url), _) => {
                self.begin_leaving();
                return self.leave(url);
            }
            Arrival::Declined(None, error) => self.start_error = error,
            Arrival::Callback(place) => {
                self.place = place;
                let before = match stored {
                    Stored::Record(record) => Phase::SignedIn(self.take_up(*record)),
                    Stored::Ended(_) | Stored::Empty | Stored::Corrupt | Stored::KeyLost | Stored::Unreadable(_) => {
                        Phase::SignedOut(reason, None)
                    }
                };
                self.idle_admits();
                self.attempt += 1;
                self.phase = Phase::Authenticating(Via::Redirect, Box::new(before));
                return self.send(CallKind::Login, Call::Exchange);
            }
        }
        match stored {
            Stored::Record(_) if self.settings.restore == Restore::Nothing => {
                self.stay_signed_out(SignedOutReason::Never, None);
            }
            Stored::Record(record) => {
                let session = self.take_up(*record);
                self.restore(session);
            }
            Stored::Corrupt => self.restored_to_nothing(SignedOutReason::StorageLost),
            Stored::KeyLost => {
                self.start_error = Some(ErrorCode::DpopKeyLost.into());
                self.restored_to_nothing(SignedOutReason::StorageLost);
            }
            Stored::Ended(mark) => {
                if mark.wished {
                    // This tab may have missed the sign-out, which is not to be undone here.
                    self.last_resort = None;
                    self.trace_sign_out();
                }
                self.restored_to_nothing(SignedOutReason::Never);
            }
            Stored::Empty | Stored::Unreadable(_) => self.restored_to_nothing(reason),
        }
    }

    /// Nobody is signed in, and whether that stays so is found out elsewhere.
    fn begin_leaving(&mut self) {
        self.attempt += 1;
        let before = Phase::SignedOut(SignedOutReason::Never, None);
        self.phase = Phase::Authenticating(Via::Redirect, Box::new(before));
    }

    /// Whether the next page load of this tab may ask the provider.
    pub(super) fn leave_trace(&mut self) {
        let known = self.session().and_then(Session::tokens).is_some_and(|tokens| tokens.source == Source::Oidc);
        self.trace(if known { Trace::Known } else { Trace::Nothing });
    }

    /// The next page load does not undo the wish to be signed out.
    pub(super) fn trace_sign_out(&mut self) {
        self.trace(self.settings.restore.after_sign_out());
    }

    fn trace(&mut self, trace: Trace) {
        if self.settings.restore.leaves_trace() {
            self.push(Effect::Trace(trace));
        }
    }

    fn take_up(&mut self, record: Record) -> Session {
        self.count_sibling(&record);
        (self.lineage, self.generation, self.stored) = (record.lineage, record.generation, true);
        record.session
    }

    /// A stored session: used as it is while its token lives, renewed first where it does not. One that must be bound to a key
    /// and is not has ended.
    pub(super) fn restore(&mut self, mut session: Session) {
        self.correct_clock(&mut session);
        if !self.idle_admits() {
            self.phase = Phase::SignedIn(session);
            return self.restored_locked();
        }
        let unusable = self.settings.bound && session.is_unbound();
        self.phase = Phase::SignedIn(session);
        if !unusable && !self.expired() {
            return self.restored_session();
        }
        let Phase::SignedIn(session) = std::mem::replace(&mut self.phase, Phase::Restoring(None)) else { return };
        if unusable || !self.can_renew(&session) {
            self.forget(None, self.own(), false);
            return self.stay_signed_out(SignedOutReason::Expired, None);
        }
        self.phase = Phase::Restoring(Some(session));
        if matches!(self.renewal, super::Renewal::None) {
            self.begin_renewal();
        }
    }

    /// Without a stored session the server may still know one: by its cookie.
    fn restored_to_nothing(&mut self, reason: SignedOutReason) {
        if self.away() && self.last_resort.take().is_some() {
            // The provider would sign the user in again, who is not here.
            self.trace_sign_out();
            return self.stay_signed_out(SignedOutReason::Idle, None);
        }
        if !self.settings.server_session {
            if self.settings.refresh_cookie && reason != SignedOutReason::Idle {
                return self.begin_renewal();
            }
            return self.stay_signed_out(reason, None);
        }
        match self.settings.initial.take() {
            None => self.ask(Call::Check),
            Some(known) => {
                self.checking = true;
                self.answered_check(known);
            }
        }
    }

    fn answered_check(&mut self, session: Option<Session>) {
        let ticket = super::Ticket { kind: CallKind::Check, epoch: self.epoch };
        self.answered(ticket, Ok(Answer::Checked(session)));
    }

    /// The session that an earlier page load has left ends here, if its user was away for too long; and why nobody is signed in
    /// if there is nothing else.
    fn without_overdue(&mut self, stored: Stored) -> (Stored, SignedOutReason) {
        // Only the server knows what its cookie holds.
        let by_cookie = matches!(stored, Stored::Empty | Stored::Unreadable(_)) && self.settings.refresh_cookie;
        if !self.overdue() || !(by_cookie || matches!(stored, Stored::Record(_))) {
            return (stored, SignedOutReason::Never);
        }
        let session = if let Stored::Record(record) = stored { Some(self.take_up(*record)) } else { None };
        self.end_overdue(session);
        self.stored = false;
        self.lineage.clear();
        self.generation = 0;
        (Stored::Empty, SignedOutReason::Idle)
    }

    fn restored_locked(&mut self) {
        self.settle_started();
        self.serve_waiters();
    }

    /// A session from an earlier page load, or from the server's cookie, is in force.
    pub(super) fn restored_session(&mut self) {
        if !self.idle_admits() {
            return self.restored_locked();
        }
        if let Some(user) = self.session().map(|session| Rc::clone(&session.user)) {
            self.plan_renewal();
            if self.is_outlasted() {
                self.outlasted = Some(self.epoch);
            } else {
                self.notify(Notice::SignedIn(user, Origin::Restored));
            }
        }
        self.leave_trace();
        self.settle_started();
        self.serve_waiters();
    }

    /// The start could not find out whether a refresh cookie holds a session. It is tried again.
    pub(super) fn restorable(&self) -> bool {
        let failed = matches!(self.phase, Phase::SignedOut(SignedOutReason::Error, _));
        failed && self.settings.refresh_cookie && !self.settings.server_session
    }

    /// The start found nobody signed in.
    pub(super) fn stay_signed_out(&mut self, reason: SignedOutReason, error: Option<Error>) {
        if let Some(login) = self.last_resort.take()
            && error.is_none()
        {
            self.begin_leaving();
            return self.send(CallKind::Login, Call::Login(login));
        }
        self.phase = Phase::SignedOut(reason, error);
        self.settle_started();
        self.refuse_waiters();
    }

    /// Settles `init()` once it is known who is signed in.
    pub(super) fn settle_started(&mut self) {
        let known = match &self.phase {
            Phase::Idle | Phase::Restoring(_) | Phase::Committing(..) => false,
            // A sign-in that began after the start does not hold the start up.
            Phase::Authenticating(..) => self.waiters.iter().any(|(_, wants)| matches!(wants, Wants::SignedIn)),
            Phase::SignedOut(..) | Phase::SignedIn(_) | Phase::Disposed => true,
        };
        if !known {
            return;
        }
        let outcome = Outcome::Started(self.arrived.clone(), self.start_error.clone());
        self.settle_where(&|_, wants| matches!(wants, Wants::Started).then(|| outcome.clone()));
    }
}
