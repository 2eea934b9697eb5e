//! The idle timeout: one clock for all tabs, which only the user moves.
//!
//! Each tab knows when the user was last active anywhere, by notes of the others; a stamp that all tabs share tells a tab that
//! missed notes, and the next page load. A tab by whose knowledge the time is up hands nothing out, reads the stamp, and only
//! then acts. Every event looks at the clock before anything else: what wakes a machine that slept does not come in time.

use super::{
    Effect, Error, ErrorCode, Machine, Note, Notice, Outcome, Phase, Renewal, SignedOutReason, WaiterId, Wants,
};
use crate::policy::idle::OnIdle;
use crate::types::{ExpiresAt, Lifetime, Session, UnixMillis};

/// What is known of the user's presence.
#[derive(Debug, Default)]
pub(super) struct Idle {
    /// When the user was last active, as far as this tab knows.
    last: Option<UnixMillis>,
    /// The same, as the application was shown it.
    shown: Option<UnixMillis>,
    /// The countdown said this last.
    warned: Option<i64>,
    /// The time is up by what this tab knows; the stamp of all tabs is being read.
    asking: bool,
    /// The application was told that the time is up.
    told: bool,
    /// Nothing is handed out until somebody signs in.
    pub(super) locked: bool,
    /// Somebody has signed in elsewhere; the server is being asked who.
    pub(super) unlocking: bool,
}

impl Idle {
    /// The wall clock was set back.
    pub(super) fn shift_clock(&mut self, by: i64) {
        for at in [&mut self.last, &mut self.shown].into_iter().flatten() {
            *at = at.shifted(by);
        }
    }
}

impl Machine {
    /// Looks at the clock before an event is handled: whatever it asks for comes too late where the time is up.
    pub(super) fn look_at_idle_clock(&mut self) {
        let done = self.idle.asking || self.idle.locked || self.idle.told;
        if !done && self.current().is_some() && self.idle_over() {
            self.idle.asking = true;
            self.push(Effect::ReadActivity);
        }
    }

    /// What is due by this clock.
    pub(super) fn idle_due(&mut self) {
        let Some(policy) = self.settings.idle.filter(|_| self.session().is_some()) else { return };
        let Some(last) = self.idle.last else { return self.note_activity() };
        self.look_at_idle_clock();
        let left = policy.countdown(last, self.now);
        if let Some(seconds) = left.filter(|_| self.idle.warned != left) {
            self.idle.warned = left;
            self.notify(Notice::IdleWarning(seconds));
        }
    }

    /// When something is due by this clock.
    pub(super) fn idle_wake(&self) -> Option<UnixMillis> {
        let (policy, last) = self.settings.idle.zip(self.idle.last)?;
        self.session().map(|_| policy.next(last, self.now))
    }

    /// When the time is up, as the application is shown it.
    pub(super) fn idle_expires_at(&self) -> Option<ExpiresAt> {
        let (policy, shown) = self.settings.idle.zip(self.idle.shown)?;
        Some(ExpiresAt(policy.end(shown)))
    }

    /// Whether the time is up, by what this tab knows.
    fn idle_over(&self) -> bool {
        self.settings.idle.zip(self.idle.last).is_some_and(|(policy, last)| policy.end(last) <= self.now)
    }

    /// Whether the time is up and this is to follow from it.
    fn idle_means(&self, then: OnIdle) -> bool {
        self.settings.idle.is_some_and(|policy| policy.then == then) && self.idle_over()
    }

    /// Whether a credential may be handed out, as far as this clock goes.
    pub(super) fn hands_out(&self) -> bool {
        let waits = self.idle.asking && self.settings.idle.is_some_and(|policy| policy.then != OnIdle::Event);
        !waits && !self.idle.locked
    }

    /// The user did something, here.
    pub(super) fn active(&mut self) {
        let Some(policy) = self.settings.idle.filter(|_| self.current().is_some()) else { return };
        let recent = self.idle.last.is_some_and(|last| last.until(self.now) < policy.step());
        let late = self.idle.asking || self.idle.locked;
        if !late && (!recent || self.idle.warned.is_some()) {
            self.note_activity();
        }
    }

    /// The user is here: from now on the clock runs anew, in every tab.
    pub(super) fn note_activity(&mut self) {
        if self.settings.idle.is_some() {
            self.was_active(self.now);
            self.push(Effect::NoteActivity(Some(self.now)));
            self.push(Effect::Tell(Note::Active(self.now)));
        }
    }

    /// The user was active at this instant, somewhere.
    fn was_active(&mut self, at: UnixMillis) {
        let at = at.min(self.now);
        if self.idle.last.is_some_and(|last| at <= last) {
            return;
        }
        self.idle.last = Some(at);
        self.idle.told = false;
        let step = self.settings.idle.map_or(Lifetime::ZERO, |policy| policy.shown_step());
        let much = self.idle.shown.is_none_or(|shown| shown.until(at) >= step);
        if self.idle.warned.take().is_some() || much {
            self.idle.shown = Some(at);
        }
    }

    /// Another tab says that the user was active.
    pub(super) fn told_active(&mut self, at: UnixMillis) {
        if self.settings.idle.is_none() || self.current().is_none() {
            return;
        }
        if self.idle.locked {
            // There, somebody has signed in; the stamp says whether that is so.
            return self.push(Effect::ReadActivity);
        }
        self.was_active(at);
    }

    /// A locked tab that may have missed a sign-in elsewhere looks for it.
    pub(super) fn look_for_unlock(&mut self) {
        if self.idle.locked {
            self.push(Effect::ReadActivity);
        }
    }

    /// The stamp that all tabs share says this.
    pub(super) fn activity_read(&mut self, stamp: Option<UnixMillis>) {
        self.idle.asking = false;
        // What was written before the clock was set back says nothing.
        if let Some(at) = stamp.filter(|at| *at <= self.now.plus(super::wake::NOISE)) {
            self.was_active(at);
        }
        if self.current().is_none() {
            return;
        }
        if self.idle.locked {
            // Only a sign-in has moved it since.
            return if !self.idle_over() {
                self.unlock_by_what_is_stored();
            };
        }
        if self.idle_over() {
            return self.time_out();
        }
        if self.settings.server_session {
            self.serve_admissions();
        }
        self.serve_waiters();
    }

    fn unlock_by_what_is_stored(&mut self) {
        if self.settings.server_session {
            self.unlock_by_server();
        } else if self.settings.shared {
            self.read_medium();
        }
    }

    /// Somebody has signed in at the session server: who, it says itself.
    pub(super) fn unlock_by_server(&mut self) {
        self.idle.unlocking = self.idle.locked;
        self.check_told();
    }

    fn time_out(&mut self) {
        let Some(policy) = self.settings.idle else { return };
        match policy.then {
            OnIdle::Logout => self.end_idle(),
            OnIdle::Lock => self.lock(),
            OnIdle::Event => {
                self.idle.told = true;
                self.notify(Notice::IdleWarning(0));
                self.serve_waiters();
            }
        }
    }

    fn lock(&mut self) {
        self.idle.locked = true;
        self.idle.warned = None;
        // What was sent already is stored when it comes; the next renewal is that of the next sign-in.
        if matches!(self.renewal, Renewal::Locking | Renewal::Lagging | Renewal::Reaching) {
            self.abandon_renewal();
        }
        self.refuse_locked();
    }

    /// Nothing is handed out: whoever needs a credential is told so.
    pub(super) fn refuse_locked(&mut self) {
        self.settle_where(&|_, wants| match wants {
            Wants::Token(_) | Wants::Renewed | Wants::Extended => {
                Some(Outcome::Failed(ErrorCode::SessionLocked.into()))
            }
            Wants::Replay => Some(Outcome::Replay(false)),
            Wants::Started | Wants::SignedIn | Wants::SignedOut(_) | Wants::Checked => None,
        });
    }

    /// A request to the session server's application is about to be sent; the browser adds the cookie by itself.
    pub(super) fn admit(&mut self, id: WaiterId) {
        self.waiters.push((id, Wants::Token(Lifetime::ZERO)));
        self.serve_admissions();
    }

    fn serve_admissions(&mut self) {
        if self.idle.locked {
            return self.refuse_locked();
        }
        if !self.hands_out() {
            return;
        }
        // The server has not heard yet that the session is over.
        let ending = self.ending > 0 && matches!(self.phase, Phase::SignedOut(SignedOutReason::Idle, _));
        self.settle_where(&|_, wants| {
            let admitted = if ending { failed(ErrorCode::SessionExpired) } else { Outcome::Done };
            matches!(wants, Wants::Token(_)).then_some(admitted)
        });
    }

    /// A session that an earlier page load has left is taken up again. Whether it may be shown as one.
    pub(super) fn idle_admits(&mut self) -> bool {
        self.idle.locked = self.idle_means(OnIdle::Lock);
        !self.idle.locked
    }

    /// The time was up before this page load, and so the session of the earlier ones is to end.
    pub(super) fn overdue(&self) -> bool {
        self.idle_means(OnIdle::Logout)
    }

    /// Whether what was left by earlier page loads must not come back without the user.
    pub(super) fn away(&self) -> bool {
        self.overdue() || self.idle_means(OnIdle::Lock)
    }

    /// Whether the server's session is a newer one than that whose time was up: it began after that.
    pub(super) fn began_since(&self, session: &Session) -> bool {
        let end = self.settings.idle.zip(self.idle.last).map(|(policy, last)| policy.end(last));
        session.facts.issued_at.zip(end).is_some_and(|(began, end)| began >= end)
    }

    /// Somebody has just signed in: that was the user, unless it was done without.
    pub(super) fn idle_begins(&mut self, silent: bool) {
        let before = std::mem::take(&mut self.idle);
        if silent {
            (self.idle.last, self.idle.shown) = (before.last, before.shown);
        } else {
            self.note_activity();
        }
    }

    /// Somebody has signed in in another tab, which has said so on the stamp.
    pub(super) fn idle_adopts(&mut self) {
        self.idle = Idle::default();
        if self.settings.idle.is_some() {
            self.was_active(self.now);
        }
    }

    /// The session is over, and so is its clock. Where only a server knows whether there is one, it is told first: until then
    /// the stamp tells the next page load.
    pub(super) fn idle_ends(&mut self, reason: SignedOutReason) {
        self.idle = Idle::default();
        if reason != SignedOutReason::Idle {
            self.forget_activity();
        }
    }

    /// The stamp is of no use any more.
    pub(super) fn forget_activity(&mut self) {
        let by_server = self.settings.server_session || self.settings.refresh_cookie;
        if by_server && self.settings.idle.is_some() {
            self.push(Effect::NoteActivity(None));
        }
    }
}

fn failed(code: ErrorCode) -> Outcome {
    Outcome::Failed(Error::from(code))
}
