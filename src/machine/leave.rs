//! Every way in which a session ends. The local session is gone first, whatever the network does.

use super::{Answer, Call, CallKind, Effect, Ending, Error, ErrorCode, EventKind, Machine, Note, Notice, Origin};
use super::{Outcome, Phase, Renewal, SignedOutReason, Ticket, WaiterId, Wants};
use crate::types::Session;

impl Machine {
    pub(super) fn logout(&mut self, id: WaiterId, ending: Ending) {
        let session = self.take_session();
        let had_one = session.is_some();
        self.sign_out(SignedOutReason::LoggedOut, Origin::ThisTab, had_one);
        self.push(Effect::Tell(Note::SignedOut(SignedOutReason::LoggedOut)));
        self.waiters.push((id, Wants::SignedOut));
        self.send(CallKind::End, Call::End(session.map(Box::new), ending));
    }

    /// The server has been told, or could not be.
    pub(super) fn ended(&mut self, outcome: Outcome) {
        self.settle_where(|_, wants| matches!(wants, Wants::SignedOut).then(|| outcome.clone()));
    }

    /// The session ended without anybody's wish: by the server's word, or by time.
    pub(super) fn end(&mut self, reason: SignedOutReason, origin: Origin) {
        let had_one = self.take_session().is_some();
        self.sign_out(reason, origin, had_one);
        self.push(Effect::Tell(Note::SignedOut(reason)));
    }

    /// Another tab says that the session ended.
    pub(super) fn told_signed_out(&mut self, reason: SignedOutReason) {
        if self.current().is_none() && !matches!(self.phase, Phase::Committing(..)) {
            return;
        }
        let Some(session) = self.take_session() else { return };
        let reason = match reason {
            SignedOutReason::LoggedOut => SignedOutReason::LoggedOutElsewhere,
            SignedOutReason::Never
            | SignedOutReason::LoggedOutElsewhere
            | SignedOutReason::Expired
            | SignedOutReason::Revoked
            | SignedOutReason::StorageLost
            | SignedOutReason::UserChanged
            | SignedOutReason::Error => reason,
        };
        self.sign_out(reason, Origin::OtherTab, true);
        if !self.settings.shared && session.tokens().is_some() {
            // These tokens are this tab's own: the other tab could not revoke them.
            self.send(CallKind::End, Call::End(Some(Box::new(session)), Ending::Revoke));
        }
    }

    fn take_session(&mut self) -> Option<Session> {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::SignedIn(session) | Phase::Restoring(Some(session)) => Some(session),
            Phase::Committing(_, arrived, _) => Some(arrived.session),
            Phase::Authenticating(_, before) => {
                self.attempt += 1;
                if let Phase::SignedIn(session) = *before { Some(session) } else { None }
            }
            Phase::Idle | Phase::Restoring(None) | Phase::SignedOut(..) | Phase::Disposed => None,
        }
    }

    fn sign_out(&mut self, reason: SignedOutReason, origin: Origin, had_one: bool) {
        self.next_epoch();
        self.leave_by = None;
        self.phase = Phase::SignedOut(reason, None);
        self.generation = 0;
        self.lineage.clear();
        // The tab that says it has forgotten the record of all; there may be a newer one by now.
        let forgotten = origin == Origin::OtherTab && self.settings.shared;
        if !self.settings.server_session && !forgotten {
            self.push(Effect::Forget);
        }
        if had_one {
            self.notify(Notice::SignedOut(reason, origin));
        }
        let aborted = || Outcome::Failed(Error::new(ErrorCode::Aborted, "Signed out meanwhile."));
        self.settle_where(|_, wants| matches!(wants, Wants::SignedIn).then(aborted));
        self.settle_started();
        self.refuse_waiters();
    }

    /// A renewal that is under way keeps its lock until its outcome is stored: another client of this browser would spend
    /// the same refresh token otherwise.
    pub(super) fn dispose(&mut self) {
        if !matches!(self.renewal, Renewal::Requesting | Renewal::Committing(_)) {
            self.abandon_renewal();
        }
        self.leave_by = None;
        self.shown = self.view();
        self.phase = Phase::Disposed;
        self.settle_where(|_, _| Some(Outcome::Failed(ErrorCode::Disposed.into())));
    }

    /// A disposed client answers every wish with `disposed`, and leaves no token of a late answer alive.
    pub(super) fn after_dispose(&mut self, kind: EventKind) {
        match kind {
            EventKind::Start(id)
            | EventKind::Login(id, _)
            | EventKind::Logout(id, _)
            | EventKind::Renew(id)
            | EventKind::Use(id, _)
            | EventKind::Refused(id, _)
            | EventKind::Check(id)
            | EventKind::Extend(id) => self.settle(id, Outcome::Failed(ErrorCode::Disposed.into())),
            EventKind::Answered(ticket, answer) => self.answered_after_dispose(ticket, *answer),
            EventKind::Committed(_) => self.abandon_renewal(),
            EventKind::Dispose
            | EventKind::Loaded(..)
            | EventKind::LockGranted(_)
            | EventKind::LockRefused
            | EventKind::Reread(_)
            | EventKind::Tick
            | EventKind::Visible
            | EventKind::Online
            | EventKind::Restored
            | EventKind::Told(_) => {}
        }
    }

    fn answered_after_dispose(&mut self, ticket: Ticket, answer: Result<Answer, Error>) {
        let ours = ticket.kind == CallKind::Refresh
            && ticket.epoch == self.epoch
            && matches!(self.renewal, Renewal::Requesting);
        match answer {
            // A renewed record that was never committed would leave the stored one spent.
            Ok(Answer::Renewed(session)) if ours => {
                self.generation += 1;
                let record = self.record(&session);
                self.renewal = Renewal::Committing(Box::new(session));
                self.push(Effect::Commit(record));
            }
            Err(_) if ours => self.abandon_renewal(),
            answer => self.late(answer),
        }
    }
}
