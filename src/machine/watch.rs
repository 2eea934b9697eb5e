//! Time and the world: ticks, other tabs. Correctness never depends on a timer: every event looks at the clock.

use super::{Call, Effect, ErrorCode, Machine, Note, Notice, Origin, Phase, Renewal, SignedOutReason, Stored};
use crate::protocol::record::Record;
use crate::types::{Lifetime, UnixMillis};

impl Machine {
    /// Does what is due. Called at the end of every event, whatever it was.
    pub(super) fn due(&mut self) {
        let now = self.now;
        let is_due = |at: Option<UnixMillis>| at.is_some_and(|at| at <= now);
        if is_due(self.reread_at) {
            self.reread_at = None;
            let lagging = matches!(self.renewal, Renewal::Lagging);
            if lagging {
                self.push(Effect::ReadAgain);
            } else {
                self.read_medium();
            }
        }
        if self.unread && self.can_look() {
            self.unread = false;
            self.read_medium();
        }
        if is_due(self.leave_by) {
            self.stayed(ErrorCode::Timeout, "The page did not leave.");
        }
        let renewable = self.session().is_some() || self.restorable();
        if is_due(self.looking) {
            self.looked();
            self.serve_waiters();
        }
        if is_due(self.renews_at()) && matches!(self.renewal, Renewal::None) && renewable {
            self.renew_at = None;
            if self.settings.server_session {
                self.prolong();
            } else {
                self.begin_renewal();
            }
        }
        if is_due(self.expiring_at()) {
            self.warn();
        }
        if is_due(self.ends_at()) {
            self.time_is_up();
        }
        if is_due(self.recheck_at()) {
            self.ask(Call::Check);
        }
        if is_due(self.told_due()) {
            (self.told, self.told_at) = (false, Some(now));
            self.ask(Call::Check);
        }
        self.idle_due();
    }

    /// The next instant at which something is due.
    pub(super) fn next_wake(&self) -> Option<UnixMillis> {
        if matches!(self.phase, Phase::Disposed) {
            return None;
        }
        // The freshness that the application sees changes at the end of the token, even where nothing else does.
        let stale_at =
            self.session().and_then(|session| session.facts.expires_at).map(|end| end.0).filter(|at| *at > self.now);
        // What is due and was not done waits for something else than time.
        let own = [self.reread_at, self.leave_by, self.looking, self.told_due(), self.idle_wake()];
        [self.renews_at(), self.expiring_at(), self.ends_at(), self.recheck_at(), stale_at, self.grace_ends_at()]
            .into_iter()
            .chain(own)
            .flatten()
            .filter(|at| *at > self.now)
            .min()
    }

    /// When the session in force ends by itself, because nothing renews it.
    fn ends_at(&self) -> Option<UnixMillis> {
        let session = self.session()?;
        if (self.can_renew(session) && !self.is_spent()) || self.checking {
            return None;
        }
        let end = [session.facts.expires_at, session.facts.absolute_expires_at].into_iter().flatten().min()?;
        // A server that could not be asked is asked again after the pause, and not before.
        if !self.settings.server_session {
            return Some(end.0);
        }
        // A server that says of an ended session that it stands is asked again, but not without a pause.
        let again =
            self.checked_at.filter(|at| *at >= end.0).map(|at| at.plus(self.settings.recheck_min_interval.max(PAUSE)));
        [Some(end.0), self.retry_at, again].into_iter().flatten().max()
    }

    fn time_is_up(&mut self) {
        if self.settings.server_session {
            // Another tab, or the server itself, may have prolonged it.
            self.ask(Call::Check);
        } else if self.is_spent() && self.session().is_some_and(|session| self.can_renew(session)) {
            // What was said of another tab's renewal, and could not be read then, is looked at once more.
            if matches!(self.renewal, Renewal::None) && !self.must_wait() {
                self.begin_renewal();
            }
        } else {
            self.end(SignedOutReason::Expired, Origin::Server);
        }
    }

    /// When to say that the credential ends soon.
    fn expiring_at(&self) -> Option<UnixMillis> {
        let session = self.session()?;
        let renewed_by_itself = self.renews_itself(session);
        let end = session.facts.expires_at.filter(|end| !renewed_by_itself && self.warned != Some(end.0))?;
        let life = session.facts.issued_at.map_or(Lifetime::ZERO, |at| at.until(end.0));
        (end.0 > self.now).then(|| end.0.minus(life.part(1, 10).min(WARNING)))
    }

    fn warn(&mut self) {
        let Some(end) = self.session().and_then(|session| session.facts.expires_at) else { return };
        self.warned = Some(end.0);
        let left = self.now.until(end.0).millis().div_euclid(1000);
        self.notify(Notice::Expiring(left));
    }

    /// When the session server is asked again without a reason.
    fn recheck_at(&self) -> Option<UnixMillis> {
        if !self.settings.server_session || self.checking {
            return None;
        }
        match &self.phase {
            Phase::SignedIn(_) => {
                let by_interval = self.checked_at.zip(self.settings.recheck_interval).map(|(at, every)| at.plus(every));
                match (self.retry_at, by_interval) {
                    (Some(retry), Some(at)) => Some(retry.max(at)),
                    (None, at) => at,
                    // After a failure it is asked again even where no interval is set.
                    (retry, None) => retry,
                }
            }
            Phase::SignedOut(SignedOutReason::Error, _) => self.retry_at,
            Phase::Idle
            | Phase::Restoring(_)
            | Phase::SignedOut(..)
            | Phase::Authenticating(..)
            | Phase::Committing(..)
            | Phase::Disposed => None,
        }
    }

    pub(super) fn told(&mut self, note: Note) {
        match note {
            Note::SignedOut(reason, lineage, generation) => self.told_over(reason, &lineage, generation),
            Note::Active(at) => self.told_active(at),
            Note::Committed(..) if self.settings.server_session => self.unlock_by_server(),
            Note::Committed(lineage, generation) => {
                if lineage == self.lineage && generation <= self.generation {
                    return;
                }
                if !self.settings.shared {
                    self.copied = Some((lineage, generation));
                    return self.read_medium();
                }
                self.heard = Some((lineage, generation));
                self.stale_reads = 0;
                self.unread = true;
            }
        }
    }

    /// Somebody has signed in or renewed. What this tab's own medium has of it was stored by another client of this tab; what it
    /// has not, a duplicated tab has renewed from a copy, and this one's refresh token is spent by that.
    fn reread_own(&mut self, lineage: &str, generation: u64, stored: Stored) {
        let newer = lineage != self.lineage || generation > self.generation;
        match stored {
            Stored::Record(record) if record.lineage == lineage && record.generation >= generation => {
                // Whoever waits for the lock finds it there, and the answer to a renewal that is under way says more.
                let settled = matches!(self.phase, Phase::SignedIn(_) | Phase::SignedOut(..));
                if newer && settled && matches!(self.renewal, Renewal::None) {
                    self.adopt(*record);
                    self.serve_waiters();
                }
            }
            Stored::Record(_)
            | Stored::Ended(_)
            | Stored::Empty
            | Stored::Corrupt
            | Stored::KeyLost
            | Stored::Unreadable(_) => {
                if newer && lineage == self.lineage {
                    self.lose_refresh_token();
                }
            }
        }
    }

    /// A duplicated tab has spent the refresh token. It goes from the medium too, or a reload would spend it again.
    fn lose_refresh_token(&mut self) {
        // The answer to a renewal that is under way says more.
        if !matches!(self.phase, Phase::SignedIn(_)) || !matches!(self.renewal, Renewal::None | Renewal::Locking) {
            self.spent = true;
            return;
        }
        let Phase::SignedIn(session) = &mut self.phase else { return };
        let crate::types::Credential::Tokens(tokens) = &mut session.credential else { return };
        if tokens.refresh.take().is_some() {
            let session = session.clone();
            self.commit(&session, self.generation, super::Over::Anything);
            self.abandon_renewal();
            self.plan_renewal();
            self.cannot_renew();
        }
    }

    /// Another tab says that a session ended. It may not be this one any more.
    fn told_over(&mut self, reason: SignedOutReason, lineage: &str, generation: u64) {
        // Where each tab has tokens of its own, its own clock ends them, which is that of all tabs.
        let idle = reason == SignedOutReason::Idle && (self.settings.server_session || self.settings.shared);
        let wished = reason == SignedOutReason::LoggedOut || idle;
        if self.settings.server_session && (self.checking || (!wished && self.current().is_some())) {
            // Whether it is gone, the server says; this tab's cookie is the same. What is being answered now may be of before.
            self.check_told();
        }
        if self.settings.server_session && !wished {
            return;
        }
        if self.settings.server_session || !self.settings.shared {
            // Where each tab has tokens of its own, only the user's wish concerns all of them.
            return if wished {
                self.told_signed_out(reason)
            };
        }
        if lineage == self.lineage {
            // A tab that could not get at the newest tokens knows nothing about them.
            if wished || generation >= self.generation {
                self.told_signed_out(reason);
            }
        } else if self.stored {
            self.look_again();
        } else if wished {
            self.told_signed_out(reason);
        }
    }

    /// A medium that has just become unreadable is worth an event.
    pub(super) fn mention_failure(&mut self, stored: &Stored) {
        if let Stored::Unreadable(Some(cause)) = stored {
            self.notify(Notice::StorageDegraded(cause));
        }
    }

    /// Whether what the medium holds can be taken up now. A tab that waits for its turn may find what it waits for.
    fn can_look(&self) -> bool {
        matches!(self.phase, Phase::SignedIn(_) | Phase::SignedOut(..))
            && matches!(self.renewal, Renewal::None | Renewal::Locking)
    }

    pub(super) fn reread(&mut self, stored: Stored) {
        self.mention_failure(&stored);
        self.reads = self.reads.saturating_sub(1);
        if self.copied.is_some() && self.reads > 0 {
            // This read may have begun before what was heard of was stored.
            return;
        }
        if let Some((lineage, generation)) = self.copied.take() {
            return self.reread_own(&lineage, generation, stored);
        }
        if self.back && matches!(self.phase, Phase::SignedIn(_)) && !self.can_look() {
            return self.reread_back(stored);
        }
        if !self.can_look() {
            self.unread = true;
            // Where a renewal waits for its server, what the medium holds was read when it got its lock.
            if !matches!(self.phase, Phase::SignedIn(_) | Phase::SignedOut(..)) {
                self.looked();
            }
            return;
        }
        if self.lags(&stored) {
            return;
        }
        // A look that began before the page slept may have seen what was before.
        if self.reads == 0 {
            self.looked();
        }
        self.take_note(stored);
        self.serve_waiters();
    }

    /// The page is back, and was left in the middle of a renewal, whose answer says the rest. Who is signed in by now is found out
    /// before anybody is shown.
    fn reread_back(&mut self, stored: Stored) {
        match stored {
            Stored::Ended(mark) if self.is_over(&mark.lineage) => self.signed_out_elsewhere(),
            Stored::Record(record) if record.lineage != self.lineage && !self.has_ended(&record) => self.adopt(*record),
            Stored::Record(_)
            | Stored::Ended(_)
            | Stored::Empty
            | Stored::Corrupt
            | Stored::KeyLost
            | Stored::Unreadable(_) => self.unread = true,
        }
        self.looked();
        self.serve_waiters();
    }

    fn take_note(&mut self, stored: Stored) {
        match stored {
            // A session that was signed out here is not taken up again, unless another tab signed in since.
            Stored::Record(record) if self.is_news(&record) && !self.has_ended(&record) => {
                self.abandon_renewal();
                self.adopt(*record);
            }
            Stored::Ended(mark) if self.is_over(&mark.lineage) => self.signed_out_elsewhere(),
            // The medium did not take it, and may by now.
            Stored::Empty if !self.stored && !self.spent => {
                if let Some(session) = self.session().cloned() {
                    self.commit(&session, self.generation, self.own());
                }
            }
            Stored::Record(_)
            | Stored::Ended(_)
            | Stored::Empty
            | Stored::Corrupt
            | Stored::KeyLost
            | Stored::Unreadable(_) => {}
        }
    }

    /// Whether a record is of the session that ended here last, and could not be removed. Another tab may have renewed what
    /// ended by itself.
    fn has_ended(&self, record: &Record) -> bool {
        self.over.as_ref().is_some_and(|(lineage, generation, wished)| {
            record.lineage == *lineage && (*wished || record.generation <= *generation)
        })
    }
}

/// At least this long between two questions about a session that should have ended.
const PAUSE: Lifetime = Lifetime::from_seconds(10);

/// At most this long before the end, `expiring` is said.
const WARNING: Lifetime = Lifetime::from_seconds(60);
