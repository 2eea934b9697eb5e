//! Every way in which a session ends. The local session is gone first, whatever the network does.

use super::{
    Answer, CallKind, Commit, Departure, Effect, Ending, Error, ErrorCode, EventKind, Machine, Note, Notice, Origin,
    Outcome, Stored,
};
use super::{Over, Parting, Phase, Renewal, SignedOutReason, Ticket, WaiterId, Wants};
use crate::error::ErrorPhase;
use crate::protocol::record::Mark;
use crate::types::{Session, WebUrl};

impl Machine {
    pub(super) fn logout(&mut self, id: WaiterId, ending: Ending) {
        // The user's wish concerns whatever is stored, and a sign-in that is under way too.
        let note = self.farewell(SignedOutReason::LoggedOut);
        let again = self.settings.shared.then(|| note.clone());
        let parting = Parting { forgotten: self.settings.server_session, note: again, outcome: None };
        self.waiters.push((id, Wants::SignedOut(Box::new(parting))));
        self.forget(Some(id), Over::Anything, true);
        let session = self.take_session(SignedOutReason::LoggedOut);
        if matches!(self.phase, Phase::Authenticating(..)) {
            self.call_off();
        }
        self.sign_out(SignedOutReason::LoggedOut, Origin::ThisTab, session.is_some());
        self.trace_sign_out();
        self.push(Effect::Tell(note));
        self.send_end(Some(id), session, ending);
    }

    /// The server has been told, or could not be.
    pub(super) fn ended(&mut self, id: Option<WaiterId>, outcome: Outcome) {
        self.send_held();
        let done = !matches!(outcome, Outcome::Failed(_));
        if done && self.settings.server_session {
            // A page that has begun meanwhile may have been told of the session by the server itself. It asks once more.
            self.push(Effect::Tell(self.farewell(SignedOutReason::Expired)));
        }
        if done && matches!(self.phase, Phase::SignedOut(SignedOutReason::Idle, _)) {
            self.forget_activity();
        }
        self.part(id, |parting| parting.outcome = parting.outcome.take().or(Some(outcome)));
    }

    /// The medium has been told, or could not be.
    pub(super) fn forgotten(&mut self, id: Option<WaiterId>, failure: Option<&'static str>) {
        if let Some(cause) = failure {
            self.notify(Notice::StorageDegraded(cause));
        }
        let mut note = None;
        self.part(id, |parting| {
            parting.forgotten = true;
            note = parting.note.take();
            if let Some(cause) = failure {
                // This weighs more than what the server says: a reload would sign the user in again.
                let detail = ["The stored session could not be removed: ", cause, "."].concat();
                let error = Error::new(ErrorCode::StorageUnavailable, detail).during(ErrorPhase::Logout);
                parting.outcome = Some(Outcome::Failed(error));
            }
        });
        if let Some(note) = note {
            self.push(Effect::Tell(note));
        }
    }

    /// Notes how far the sign-out of this promise has come, and settles it at its end.
    fn part(&mut self, id: Option<WaiterId>, note: impl FnOnce(&mut Parting)) {
        let Some(at) = self.waiters.iter().position(|(each, _)| Some(*each) == id) else { return };
        let Some((id, Wants::SignedOut(parting))) = self.waiters.get_mut(at) else { return };
        note(parting);
        if parting.forgotten
            && let Some(outcome) = parting.outcome.take()
        {
            let id = *id;
            self.waiters.remove(at);
            self.settle(id, outcome);
        }
    }

    /// The server ends the session on a page of its own. Not any more, where somebody has begun to sign in meanwhile.
    pub(super) fn leave_signed_out(&mut self, id: Option<WaiterId>, url: Box<WebUrl>) {
        if !matches!(self.phase, Phase::SignedOut(..)) {
            return self.ended(id, Outcome::Done);
        }
        self.push(Effect::Navigate(url, Departure::SignOut));
        self.ended(id, Outcome::Left);
    }

    /// The session ended without anybody's wish: by the server's word, or by time. A sign-in that is under way goes on.
    pub(super) fn end(&mut self, reason: SignedOutReason, origin: Origin) {
        // While it is being restored, there may be another way to get it back; then nobody is told here that it is lost.
        let restoring = matches!(self.phase, Phase::Restoring(_));
        let shown = !restoring || self.last_resort.is_none();
        // What renews it is held by another tab, which may not have been able to store it: nothing in the medium is this tab's.
        if !self.spent || !self.settings.shared {
            self.forget(None, self.own(), false);
        }
        let note = self.farewell(reason);
        let had_one = self.take_session(reason).is_some();
        self.clear_session(reason, origin, shown && had_one);
        self.push(Effect::Tell(note));
        if restoring {
            return self.stay_signed_out(reason, None);
        }
        self.settle_signed_out();
    }

    /// The user was away for too long. The session ends as by a sign-out, but the page does not leave for the provider.
    pub(super) fn end_idle(&mut self) {
        let reason = SignedOutReason::Idle;
        let shown = !matches!(self.phase, Phase::Restoring(_));
        self.last_resort = None;
        self.forget_whatever_it_became();
        let note = self.farewell(reason);
        let session = self.take_session(reason);
        self.clear_session(reason, Origin::ThisTab, shown && session.is_some());
        self.trace_sign_out();
        self.push(Effect::Tell(note));
        self.send_end(None, session, Ending::Revoke);
        self.settle_signed_out();
    }

    /// The same before the session was taken up: an earlier page load has left it.
    pub(super) fn end_overdue(&mut self, session: Option<Session>) {
        self.forget_whatever_it_became();
        self.trace_sign_out();
        self.send_end(None, session, Ending::Revoke);
    }

    /// Renewals do not stand against the end of their sign-in.
    fn forget_whatever_it_became(&mut self) {
        let over = match self.own() {
            Over::Anything => Over::Anything,
            Over::Own { lineage, stored, .. } => Over::Own { lineage, generation: u64::MAX, stored },
        };
        self.forget(None, over, true);
    }

    /// Another tab says that the session ended, or has left a medium without it.
    pub(super) fn told_signed_out(&mut self, reason: SignedOutReason) {
        let by_cookie = matches!(self.phase, Phase::Restoring(None)) && !matches!(self.renewal, Renewal::None);
        let writing = matches!(self.phase, Phase::Committing(..)) || matches!(self.renewal, Renewal::Committing(_));
        if self.current().is_none() && !writing && !by_cookie {
            // There may have been a session here before.
            return self.trace_told(reason);
        }
        let reason = match reason {
            SignedOutReason::LoggedOut => SignedOutReason::LoggedOutElsewhere,
            SignedOutReason::Never
            | SignedOutReason::LoggedOutElsewhere
            | SignedOutReason::Expired
            | SignedOutReason::Idle
            | SignedOutReason::Revoked
            | SignedOutReason::StorageLost
            | SignedOutReason::UserChanged
            | SignedOutReason::Error => reason,
        };
        // The tab that says it has forgotten the record of all; there may be a newer one by now.
        if !self.settings.shared {
            self.forget(None, self.own(), is_wish(reason));
        } else if writing {
            // That tab did not see what is being written now.
            let (lineage, generation) = (self.lineage.clone(), self.generation + 1);
            self.forget(None, Over::Own { lineage, generation, stored: self.stored }, is_wish(reason));
        }
        // A session that was about to be restored has not been shown to anybody.
        let shown = !matches!(self.phase, Phase::Restoring(_));
        let taken = self.take_session(reason);
        self.sign_out(reason, Origin::OtherTab, shown && taken.is_some());
        self.trace_told(reason);
        let Some(session) = taken else { return };
        // These tokens are this tab's own: the other tab could not revoke them. A cookie it has ended already.
        if !self.settings.shared && session.tokens().is_some_and(|tokens| !self.by_cookie(tokens)) {
            self.send_end(None, Some(session), Ending::Revoke);
        }
    }

    fn trace_told(&mut self, reason: SignedOutReason) {
        if is_wish(reason) {
            return self.trace_sign_out();
        }
        self.leave_trace();
    }

    /// The shared medium says that the session is over: a tab signed out, and this one missed its word.
    pub(super) fn signed_out_elsewhere(&mut self) {
        self.told_signed_out(SignedOutReason::LoggedOut);
    }

    /// What the other tabs are told: which session it is that ended.
    fn farewell(&self, reason: SignedOutReason) -> Note {
        Note::SignedOut(reason, self.lineage.clone(), self.generation)
    }

    pub(super) fn forget(&mut self, id: Option<WaiterId>, over: Over, wished: bool) {
        // A tab that misses the word of this sign-out must not take the empty place for cleared storage.
        let mark = self.settings.shared.then(|| Mark { lineage: self.lineage.clone(), wished });
        if !self.settings.server_session {
            self.push(Effect::Forget(id, over, mark));
        }
    }

    /// Takes the session away. A sign-in that is being tried beside it stays, and falls back to nobody if it fails.
    fn take_session(&mut self, reason: SignedOutReason) -> Option<Session> {
        let after = Phase::SignedOut(reason, None);
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::SignedIn(session) | Phase::Restoring(Some(session)) => {
                self.phase = after;
                Some(session)
            }
            Phase::Committing(_, arrived, _) => {
                self.phase = after;
                Some(arrived.session)
            }
            Phase::Authenticating(via, before) => {
                let session = if let Phase::SignedIn(session) = *before { Some(session) } else { None };
                self.phase = Phase::Authenticating(via, Box::new(after));
                session
            }
            Phase::Idle | Phase::Restoring(None) | Phase::SignedOut(..) | Phase::Disposed => {
                self.phase = after;
                None
            }
        }
    }

    /// A sign-in that is under way is not wanted any more.
    fn call_off(&mut self) {
        self.attempt += 1;
        self.leave_by = None;
        self.place = None;
        self.held = None;
        if let Phase::Authenticating(_, before) = std::mem::replace(&mut self.phase, Phase::Idle) {
            self.phase = *before;
        }
    }

    fn sign_out(&mut self, reason: SignedOutReason, origin: Origin, had_one: bool) {
        self.clear_session(reason, origin, had_one);
        self.settle_signed_out();
    }

    fn clear_session(&mut self, reason: SignedOutReason, origin: Origin, had_one: bool) {
        self.next_epoch();
        self.told = false;
        if !self.lineage.is_empty() {
            self.over = Some((std::mem::take(&mut self.lineage), self.generation, is_wish(reason)));
        }
        self.generation = 0;
        self.arrived = None;
        self.idle_ends(reason);
        // Who did not count as signed in any longer was announced by that.
        if had_one && self.outlasted.take().is_none() {
            self.notify(Notice::SignedOut(reason, origin));
        }
    }

    fn settle_signed_out(&mut self) {
        if !matches!(self.phase, Phase::Authenticating(..)) {
            let aborted = || Outcome::Failed(Error::new(ErrorCode::Aborted, "Signed out meanwhile."));
            self.settle_where(&|_, wants| matches!(wants, Wants::SignedIn).then(aborted));
        }
        self.settle_started();
        self.refuse_waiters();
    }

    /// A renewal that is under way keeps its lock until its outcome is stored: another client of this browser would spend
    /// the same refresh token otherwise.
    pub(super) fn dispose(&mut self) {
        if matches!(self.renewal, Renewal::Intending) {
            self.note_tries(self.tries);
        }
        if !matches!(self.renewal, Renewal::Requesting | Renewal::Committing(_)) {
            self.abandon_renewal();
        }
        (self.leave_by, self.reread_at) = (None, None);
        self.shown = self.view();
        self.phase = Phase::Disposed;
        self.arrived = None;
        self.held = None;
        self.settle_where(&|_, _| Some(Outcome::Failed(ErrorCode::Disposed.into())));
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
            EventKind::Committed(_, commit) => self.committed_after_dispose(commit),
            EventKind::Dispose
            | EventKind::Active
            | EventKind::ActivityRead(_)
            | EventKind::KeyLost(_)
            | EventKind::Loaded(..)
            | EventKind::Forgotten(..)
            | EventKind::LockGranted(..)
            | EventKind::LockRefused
            | EventKind::Intended(_)
            | EventKind::Reread(_)
            | EventKind::Tick
            | EventKind::Visible
            | EventKind::Hidden
            | EventKind::Left
            | EventKind::Online
            | EventKind::Restored
            | EventKind::Told(_) => {}
        }
    }

    fn committed_after_dispose(&mut self, commit: Commit) {
        let own = matches!(&commit, Commit::Superseded(Stored::Record(record)) if record.lineage == self.lineage);
        let refused = matches!(commit, Commit::Superseded(_)) && !own;
        if let Renewal::Committing(session) = std::mem::replace(&mut self.renewal, Renewal::None) {
            self.push(Effect::ReleaseLock);
            if refused {
                self.late(Ok(Answer::Renewed(session)));
            }
        }
    }

    fn answered_after_dispose(&mut self, ticket: Ticket, answer: Result<Answer, Error>) {
        let ours = ticket.kind == CallKind::Refresh
            && ticket.epoch == self.epoch
            && matches!(self.renewal, Renewal::Requesting);
        match answer {
            // A renewed record that was never committed would leave the stored one spent.
            Ok(Answer::Renewed(session)) if ours => self.commit_renewal(session),
            Err(error) if ours => {
                self.note_outcome(&error);
                self.abandon_renewal();
            }
            answer => self.late(answer),
        }
    }
}

/// Whether it is the user's doing, or the lack of it: then it is not to be undone without the user.
fn is_wish(reason: SignedOutReason) -> bool {
    matches!(reason, SignedOutReason::LoggedOut | SignedOutReason::LoggedOutElsewhere | SignedOutReason::Idle)
}
