//! No storm: how many token requests a session makes in a minute, whatever asks for them.

use super::{Error, ErrorCode, Machine, Phase};
use crate::error::ErrorPhase;
use crate::policy::refresh::{LIMIT, SPAN};
use crate::protocol::record::Record;
use crate::types::Lifetime;
use std::collections::VecDeque;

/// The token requests of the last minute, by the running clock: a wall clock that jumps ahead again and again would make room
/// each time.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    made: VecDeque<Lifetime>,
}

impl Pace {
    /// A request is made when the clock has run so long.
    pub(super) fn count(&mut self, ran: Lifetime) {
        self.made.push_back(ran);
        if self.made.len() > LIMIT {
            self.made.pop_front();
        }
    }

    /// How long until there is room for another; `None` where there is.
    pub(super) fn wait(&self, ran: Lifetime) -> Option<Lifetime> {
        // A realm without such a clock has no minute either.
        let full = self.made.len() >= LIMIT && ran > Lifetime::ZERO;
        let oldest = self.made.front().filter(|_| full)?;
        let room = oldest.millis().saturating_add(SPAN.millis()).saturating_sub(ran.millis());
        (room > 0).then(|| Lifetime::from_millis(room).min(SPAN))
    }
}

impl Machine {
    /// A sibling, or an earlier page load, has renewed the session: where that was just now, it counts as a request of this
    /// minute. So what is allowed is allowed to all tabs together.
    pub(super) fn count_sibling(&mut self, record: &Record) {
        if record.session.facts.issued_at.is_some_and(|at| at.until(self.now) < SPAN) {
            self.pace.count(self.ran);
        }
    }

    /// There is no room for another token request. The token at hand serves until its end, and the timer tries again.
    pub(super) fn hold_back(&mut self, wait: Lifetime) {
        let detail = "The client itself makes no more than ten token requests a minute.";
        let mut error = Error::new(ErrorCode::RateLimited, detail).during(ErrorPhase::Refresh);
        error.retry_after = Some(wait);
        if matches!(self.phase, Phase::Restoring(_)) || self.current().is_none() {
            // Nothing serves meanwhile: whoever waits for the start learns that it could not be found out.
            return self.renewal_failed(error);
        }
        let renews_itself = self.current().is_some_and(|session| self.renews_itself(session));
        self.renew_at = renews_itself.then(|| self.now.plus(wait));
        self.serve_or_fail(Some(error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: i64) -> Lifetime {
        Lifetime::from_seconds(n)
    }

    #[test]
    fn ten_requests_fit_into_any_minute_and_no_more() {
        let mut pace = Pace::default();
        let (mut made, mut clock) = (Vec::new(), 1);
        while clock < 600 {
            match pace.wait(secs(clock)) {
                None => {
                    pace.count(secs(clock));
                    made.push(clock);
                }
                Some(wait) => {
                    assert!(wait > Lifetime::ZERO && wait <= SPAN);
                    clock += wait.millis() / 1000;
                }
            }
        }
        for start in 0..600 {
            assert!(made.iter().filter(|at| (start..start + 60).contains(*at)).count() <= LIMIT, "from {start}");
        }
        assert_eq!(made.len(), 100);
    }

    #[test]
    fn requests_that_are_spread_out_are_never_held_back() {
        let mut pace = Pace::default();
        for at in 0..1000 {
            assert_eq!(pace.wait(secs(at * 6)), None);
            pace.count(secs(at * 6));
        }
    }
}
