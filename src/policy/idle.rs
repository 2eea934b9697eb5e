//! When a user counts as away, and what happens then.
//!
//! ASVS 5.0 §7.3.1 (inactivity timeout). What counts as activity is the user's own doing; neither a renewal nor a request is.

use crate::types::{Lifetime, UnixMillis};

/// What the application wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdlePolicy {
    /// How long nothing may happen.
    pub timeout: Lifetime,
    /// How long before that the countdown begins.
    pub warning: Lifetime,
    /// What happens then.
    pub then: OnIdle,
}

/// What happens when the time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnIdle {
    /// The session ends.
    Logout,
    /// It stands, and nothing of it is handed out until its user signs in again.
    Lock,
    /// The application is told, and does what it likes.
    Event,
}

impl OnIdle {
    /// The words of the option, in this order.
    pub const WORDS: [&str; 3] = ["logout", "lock", "event"];

    /// Which word it was.
    #[must_use]
    pub fn of_word(at: usize) -> Self {
        match at {
            0 => Self::Logout,
            1 => Self::Lock,
            _ => Self::Event,
        }
    }
}

impl IdlePolicy {
    /// A countdown of a minute, or of a quarter of a short time.
    #[must_use]
    pub fn usual_warning(timeout: Lifetime) -> Lifetime {
        Lifetime::from_seconds(60).min(timeout.part(1, 4))
    }

    /// When the time is up, if the user was last active at `last`.
    #[must_use]
    pub fn end(self, last: UnixMillis) -> UnixMillis {
        last.plus(self.timeout)
    }

    /// Activity within this time of the last one is not noted: it would cost more than it tells.
    #[must_use]
    pub fn step(self) -> Lifetime {
        Lifetime::from_seconds(5).min(self.timeout.part(1, 10))
    }

    /// The application is shown a later end only where it is later by this: each showing may paint the page anew.
    #[must_use]
    pub fn shown_step(self) -> Lifetime {
        Lifetime::from_seconds(60).min(self.timeout.part(1, 10))
    }

    /// The seconds of the countdown at `now`, begun ones included; `None` before and after it.
    #[must_use]
    pub fn countdown(self, last: UnixMillis, now: UnixMillis) -> Option<i64> {
        let left = now.until(self.end(last));
        (left > Lifetime::ZERO && left <= self.warning).then(|| seconds_begun(left))
    }

    /// When there is something to say next; the time being up included.
    #[must_use]
    pub fn next(self, last: UnixMillis, now: UnixMillis) -> UnixMillis {
        let end = self.end(last);
        match self.countdown(last, now) {
            Some(seconds) => end.minus(Lifetime::from_seconds(seconds - 1)),
            None => Some(end.minus(self.warning)).filter(|at| *at > now).unwrap_or(end),
        }
    }
}

fn seconds_begun(left: Lifetime) -> i64 {
    left.millis().saturating_add(999).div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: UnixMillis = UnixMillis(1_000_000);

    fn after(millis: i64) -> UnixMillis {
        LAST.plus(Lifetime::from_millis(millis))
    }

    fn policy(seconds: i64, warning: i64) -> IdlePolicy {
        let (timeout, warning) = (Lifetime::from_seconds(seconds), Lifetime::from_seconds(warning));
        IdlePolicy { timeout, warning, then: OnIdle::Logout }
    }

    #[test]
    fn the_countdown_says_each_second_once_and_is_over_at_the_end() {
        let policy = policy(100, 3);
        let (mut now, mut said) = (LAST, Vec::new());
        while now < policy.end(LAST) {
            now = policy.next(LAST, now);
            said.push((now.0 - LAST.0, policy.countdown(LAST, now)));
        }
        assert_eq!(said, [(97_000, Some(3)), (98_000, Some(2)), (99_000, Some(1)), (100_000, None)]);
    }

    #[test]
    fn a_countdown_that_begins_late_begins_with_what_is_left() {
        assert_eq!(policy(100, 60).countdown(LAST, after(70_500)), Some(30));
        assert_eq!(policy(100, 60).next(LAST, after(70_500)), after(71_000));
        assert_eq!(policy(100, 60).countdown(LAST, after(100_000)), None);
        assert_eq!(policy(100, 60).countdown(LAST, after(32_400_000)), None);
    }

    #[test]
    fn without_a_countdown_the_next_thing_is_the_end() {
        assert_eq!(policy(100, 0).next(LAST, after(1)), after(100_000));
        assert_eq!(policy(100, 0).countdown(LAST, after(99_999)), None);
    }

    #[test]
    fn the_words_of_the_option_stand_in_the_order_of_their_meanings() {
        let meant = [OnIdle::Logout, OnIdle::Lock, OnIdle::Event];
        assert_eq!([0, 1, 2].map(OnIdle::of_word), meant);
    }
}
