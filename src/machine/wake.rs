//! What a page finds when it looks up: clocks that were set or stood still, and what other tabs did while it slept, was hidden,
//! or lay in the back-forward cache.
//!
//! Instants are by the wall clock, because tabs share them and a reload must understand them. A running clock that nobody sets
//! tells how much time has passed at least. Where the wall clock shows less, it was set back, and every instant moves along:
//! nothing lives longer by it, and nobody waits for a time that has passed once. Where it shows more, either it was set ahead or
//! the machine slept and the running clock with it; the two cannot be told apart, so that much time has passed. At worst, a
//! credential is renewed once before its time.

use super::{Call, Effect, ErrorCode, Machine, Notice, Origin, Phase, Renewal, SignedOutReason};
use crate::policy::refresh;
use crate::policy::restore::Restore;
use crate::types::{Lifetime, Reading, Session, UnixMillis};
use std::rc::Rc;

impl Machine {
    /// What the clocks show at this event.
    pub(super) fn tell_time(&mut self, at: Reading) {
        let before = Reading { wall: self.now, ran: self.ran };
        (self.now, self.ran) = (at.wall, at.ran);
        let jump = at.jump(before);
        // A little is noise: events may be told in another order than they happened.
        if jump < -NOISE.millis() {
            self.clock_set_back(jump);
        }
        // No timer of ours is so late, unless everything stood still.
        if at.since(before) > NAP {
            self.look_again();
        }
    }

    fn clock_set_back(&mut self, by: i64) {
        let timers = [
            &mut self.renew_at,
            &mut self.retry_at,
            &mut self.turn_ends,
            &mut self.forced_at,
            &mut self.checked_at,
            &mut self.told_at,
            &mut self.leave_by,
            &mut self.reread_at,
            &mut self.warned,
            &mut self.looking,
        ];
        for at in timers.into_iter().flatten() {
            *at = at.shifted(by);
        }
        self.idle.shift_clock(by);
        if let Renewal::Committing(session) = &mut self.renewal {
            session.facts.shift_clock(by);
        }
        match &mut self.phase {
            Phase::SignedIn(session) | Phase::Restoring(Some(session)) => session.facts.shift_clock(by),
            Phase::Authenticating(_, before) => {
                if let Phase::SignedIn(session) = before.as_mut() {
                    session.facts.shift_clock(by);
                }
            }
            Phase::Committing(_, arrived, _) => arrived.session.facts.shift_clock(by),
            Phase::Idle | Phase::Restoring(None) | Phase::SignedOut(..) | Phase::Disposed => {}
        }
    }

    /// A session that was stored in what is the future now: the clock was set back since, by that much at least. How much of its
    /// life is left, nobody knows: it is renewed, or where that cannot be, as good as new.
    pub(super) fn correct_clock(&self, session: &mut Session) {
        let facts = &session.facts;
        let Some(issued) = facts.issued_at.filter(|at| *at > self.now.plus(NOISE)) else { return };
        let from = facts.expires_at.filter(|_| self.can_renew(session)).map_or(issued, |end| end.0.max(issued));
        session.facts.shift_clock(self.now.0.saturating_sub(from.0));
    }

    pub(super) fn visible(&mut self) {
        self.hidden = false;
        if self.settings.recheck_on_focus {
            self.check_soon();
        }
        self.look_again();
    }

    pub(super) fn online(&mut self) {
        let known = if let Phase::SignedOut(_, error) = &self.phase { error.as_ref() } else { self.failure.as_ref() };
        if self.settings.server_session
            && known.is_some_and(|error| matches!(error.code, ErrorCode::NetworkOrCors | ErrorCode::Timeout))
        {
            // What it waited for is here.
            self.retry_at = None;
            self.check_told();
        }
        if self.settings.recheck_on_online {
            self.check_soon();
        }
        self.look_again();
        let waiting = self.failure.is_some() && matches!(self.renewal, Renewal::None);
        let renewable = self.session().is_some_and(|session| self.can_renew(session)) || self.restorable();
        // A network that comes and goes all the time does not take what is allowed in a minute.
        if waiting && !self.settings.server_session && renewable && !self.pace.is_busy(self.ran) {
            // Spread over a second, so that the tabs of many machines do not all come at once.
            let pause = Lifetime::from_millis((self.random % 1000) as i64);
            self.renew_at = Some(self.now.plus(pause));
        }
    }

    /// Back from the back-forward cache: whatever was begun before leaving is over, and what is known is old. The user may have
    /// signed out on the page in between, so it is not shown before it was looked up again.
    pub(super) fn restored(&mut self) {
        if self.leave_by.is_some() {
            self.stayed(ErrorCode::Aborted, "The user came back without signing in.");
        }
        (self.left, self.back) = (true, true);
        if matches!(self.phase, Phase::SignedIn(_)) {
            self.ask(Call::Check);
        } else {
            self.check_soon();
        }
        self.look_again();
        if self.looking.is_none() && !self.checking {
            self.looked();
        }
    }

    /// Reads a shared medium again, because a message of another tab may have been missed. Nothing is handed out before that is
    /// done, or takes too long.
    pub(super) fn look_again(&mut self) {
        let looks = match &self.phase {
            Phase::SignedIn(_) => true,
            // Somebody may have signed in elsewhere.
            Phase::SignedOut(..) => self.settings.restore != Restore::Nothing,
            Phase::Idle | Phase::Restoring(_) | Phase::Authenticating(..) | Phase::Committing(..) | Phase::Disposed => {
                false
            }
        };
        if self.settings.shared && looks && (self.back || matches!(self.renewal, Renewal::None)) {
            self.looking = self.session().map(|_| self.now.plus(LOOK));
            self.read_medium();
        }
        self.look_for_unlock();
    }

    pub(super) fn read_medium(&mut self) {
        // One may have begun before what it is for happened. The next has not, and serves whatever happens until then.
        if self.reads < 2 {
            self.reads += 1;
            self.push(Effect::Reread);
        }
    }

    /// What happened meanwhile is known, or cannot be found out.
    pub(super) fn looked(&mut self) {
        self.looking = None;
        // While a page comes back, it may become visible first.
        self.left &= !std::mem::take(&mut self.back);
    }

    /// When the timer renews. A hidden tab leaves it to a visible one, which has told its success by then.
    pub(super) fn renews_at(&self) -> Option<UnixMillis> {
        let at = self.renew_at?;
        let others = self.settings.shared || self.settings.server_session;
        let end = self.session().and_then(|session| session.facts.expires_at).filter(|_| self.hidden && others);
        Some(end.map_or(at, |end| at.plus(refresh::deference(at.until(end.0)))))
    }

    /// When somebody does not count as signed in any longer, because the server could not be asked since the credential ended.
    pub(super) fn grace_ends_at(&self) -> Option<UnixMillis> {
        let end = self.current().and_then(|session| session.facts.expires_at)?;
        self.failure.as_ref()?;
        Some(end.0.plus(self.settings.refresh.grace?))
    }

    pub(super) fn is_outlasted(&self) -> bool {
        self.grace_ends_at().is_some_and(|end| end <= self.now)
    }

    /// The session is kept, so that it comes back with the server; only whether somebody counts as signed in changes.
    pub(super) fn count_grace(&mut self) {
        let outlasted = self.is_outlasted().then_some(self.epoch);
        match (std::mem::replace(&mut self.outlasted, outlasted), outlasted) {
            (None, Some(_)) => self.notify(Notice::SignedOut(SignedOutReason::Error, Origin::ThisTab)),
            // Whoever signed in or out meanwhile was announced by that.
            (Some(before), None) if before == self.epoch => {
                if let Some(user) = self.current().map(|session| Rc::clone(&session.user)) {
                    self.notify(Notice::SignedIn(user, Origin::Restored));
                }
            }
            (Some(_), _) | (None, None) => {}
        }
    }
}

/// A wall clock that goes back by less was not set.
pub(super) const NOISE: Lifetime = Lifetime::from_seconds(2);

/// After this long without an event, the page may have slept.
const NAP: Lifetime = Lifetime::from_seconds(150);

/// How long a request waits at most for what the medium holds.
const LOOK: Lifetime = Lifetime::from_seconds(2);
