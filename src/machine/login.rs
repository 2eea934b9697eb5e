//! Signing in: by leaving for the provider, or by user name and password.

use super::{
    Arrived, Call, CallKind, Departure, Effect, Error, ErrorCode, Login, Machine, Notice, Origin, Outcome, Over,
};
use super::{Phase, SignedOutReason, Via, WaiterId, Wants};
use crate::types::{Json, Lifetime, WebUrl};
use std::rc::Rc;

impl Machine {
    pub(super) fn login(&mut self, id: WaiterId, login: Box<Login>) {
        let via = match *login {
            Login::Redirect { .. } | Login::Restore { .. } => Via::Redirect,
            Login::Password { .. } => Via::Password,
        };
        // A sign-in that is already under way gives way to the newer wish of the user.
        self.settle_where(&|_, wants| matches!(wants, Wants::SignedIn).then(overtaken));
        let before = match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Authenticating(_, before) => before,
            Phase::Committing(_, arrived, before) => {
                // Its record is being written; it counts as signed in until the new sign-in says otherwise.
                drop(before);
                self.unannounced = true;
                Box::new(Phase::SignedIn(arrived.session))
            }
            Phase::Restoring(Some(session)) => {
                // Its renewal goes on: what the server has given out for it must not be lost.
                self.unshown = true;
                Box::new(Phase::SignedIn(session))
            }
            Phase::Idle | Phase::Restoring(None) => {
                // What the medium holds is looked at afterwards, if this comes to nothing.
                self.unread = self.settings.shared;
                self.abandon_renewal();
                Box::new(Phase::SignedOut(SignedOutReason::Never, None))
            }
            phase @ Phase::SignedOut(..) => {
                self.abandon_renewal();
                Box::new(phase)
            }
            phase @ (Phase::SignedIn(_) | Phase::Disposed) => Box::new(phase),
        };
        self.attempt += 1;
        self.leave_by = None;
        self.place = None;
        self.phase = Phase::Authenticating(via, before);
        self.waiters.push((id, Wants::SignedIn));
        self.settle_started();
        self.held = Some(login);
        self.send_held();
    }

    /// Sends a sign-in, unless the answer to a sign-out is still to come: it would take the new cookie away, and a provider that counts
    /// both to one grant would revoke the new tokens with the old.
    pub(super) fn send_held(&mut self) {
        if self.ending > 0 {
            return;
        }
        if let Some(login) = self.held.take() {
            self.send(CallKind::Login, Call::Login(login));
        }
    }

    /// The page is to leave. If it is still here after a while, something kept it.
    pub(super) fn leave(&mut self, url: Box<WebUrl>) {
        if self.settings.server_session {
            // The next page load finds a session that began on a page of the server's.
            self.note_activity();
        }
        self.push(Effect::Navigate(url, Departure::SignIn(self.attempt)));
        self.leave_by = Some(self.now.plus(PATIENCE));
    }

    /// The page did not leave, or came back without an answer.
    pub(super) fn stayed(&mut self, code: ErrorCode, detail: &str) {
        self.leave_by = None;
        self.attempt += 1;
        self.login_failed(Error::new(code, detail));
    }

    pub(super) fn login_failed(&mut self, error: Error) {
        if let Some(url) = self.place.take() {
            // The user has asked for nothing, and finds nothing at the callback address.
            return self.leave(url);
        }
        let Phase::Authenticating(_, before) = std::mem::replace(&mut self.phase, Phase::Idle) else { return };
        self.leave_by = None;
        let starting = self.waiters.iter().any(|(_, wants)| matches!(wants, Wants::Started));
        if starting {
            self.start_error = Some(error.clone());
        }
        // Whatever was valid before stays so.
        self.phase = match *before {
            Phase::SignedOut(reason, _) => Phase::SignedOut(reason, Some(error.clone())),
            Phase::SignedIn(session) if starting || std::mem::take(&mut self.unshown) => {
                self.settle_where(&|_, wants| matches!(wants, Wants::SignedIn).then(|| Outcome::Failed(error.clone())));
                return self.restore(session);
            }
            phase @ (Phase::Idle
            | Phase::Restoring(_)
            | Phase::Authenticating(..)
            | Phase::Committing(..)
            | Phase::SignedIn(_)
            | Phase::Disposed) => phase,
        };
        self.settle_where(&|_, wants| matches!(wants, Wants::SignedIn).then(|| Outcome::Failed(error.clone())));
        self.settle_started();
        self.serve_waiters();
    }

    /// The server knows the user. The promise waits until the session is durable.
    pub(super) fn signed_in(&mut self, arrived: Arrived) {
        let Phase::Authenticating(via, before) = std::mem::replace(&mut self.phase, Phase::Idle) else { return };
        let previous = if let Phase::SignedIn(session) = *before { Some(session) } else { None };
        self.place = None;
        self.unshown = false;
        self.next_epoch();
        self.idle_begins(arrived.silent);
        self.lineage = crate::types::text::hex(self.random);
        self.generation = 1;
        if !self.settings.server_session {
            self.commit(&arrived.session, self.generation, Over::Anything);
        }
        self.phase = Phase::Committing(via, Box::new(arrived), previous);
        if self.settings.server_session {
            self.sign_in_committed();
        }
    }

    pub(super) fn sign_in_committed(&mut self) {
        let Phase::Committing(_, arrived, previous) = std::mem::replace(&mut self.phase, Phase::Idle) else { return };
        let user = Rc::clone(&arrived.session.user);
        self.phase = Phase::SignedIn(arrived.session.clone());
        self.checked_at = Some(self.now);
        self.plan_renewal();
        match previous {
            Some(previous) if !previous.same_user(&arrived.session) => {
                self.notify(Notice::UserChanged(Rc::clone(&previous.user), Rc::clone(&user)));
            }
            Some(_) | None => {}
        }
        self.announce(user);
        self.leave_trace();
        if !self.waiters.iter().any(|(_, wants)| matches!(wants, Wants::SignedIn)) {
            self.arrived = Some(arrived.clone());
        }
        // What waited for an answer about the session of before does not get one any more.
        self.settle_where(&|_, wants| matches!(wants, Wants::Replay).then_some(Outcome::Replay(false)));
        if self.settings.server_session {
            self.settle_checked(Some(&arrived.session.facts));
        }
        let outcome = Outcome::SignedIn(arrived);
        self.settle_where(&|_, wants| matches!(wants, Wants::SignedIn).then(|| outcome.clone()));
        self.settle_started();
        self.serve_waiters();
    }

    /// A sign-in that another one has overtaken is durable now, and is what the other one falls back to.
    pub(super) fn announce_overtaken(&mut self) {
        let Some(user) = self.current().map(|session| Rc::clone(&session.user)) else { return };
        self.plan_renewal();
        self.announce(user);
    }

    fn announce(&mut self, user: Rc<Json>) {
        self.notify(Notice::SignedIn(user, Origin::ThisTab));
        self.tell_committed();
    }
}

fn overtaken() -> Outcome {
    Outcome::Failed(Error::new(ErrorCode::Aborted, "Another sign-in was begun."))
}

/// How long a page that was told to leave may take.
const PATIENCE: Lifetime = Lifetime::from_seconds(30);
