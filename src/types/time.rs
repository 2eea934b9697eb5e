//! Instants and durations. Milliseconds inside, so that nothing is rounded twice; all arithmetic saturates.

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub i64);

/// A duration in milliseconds, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime(i64);

/// What the two clocks of a device show at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock. Whoever sets it makes it jump, either way.
    pub wall: UnixMillis,
    /// The running time of this page or worker, by a clock that nobody sets. It may stand still while the machine sleeps, and
    /// begins anew with each of them.
    pub ran: Lifetime,
}

/// The instant from which a credential is no longer accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpiresAt(pub UnixMillis);

impl UnixMillis {
    /// From a NumericDate (RFC 7519 §2). `None` where it is not a finite instant within ±10⁵ years.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        // The comparison is false for NaN, and the cast is exact enough far below 2⁵³ milliseconds.
        (seconds.abs() < 3.2e12).then_some(Self((seconds * 1000.0) as i64))
    }

    /// Whole seconds, rounded towards the past.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant, later by `lifetime`.
    #[must_use]
    pub fn plus(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_add(lifetime.0))
    }

    /// This instant, earlier by `lifetime`.
    #[must_use]
    pub fn minus(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_sub(lifetime.0))
    }

    /// How long until `later`; zero when it has passed.
    #[must_use]
    pub fn until(self, later: Self) -> Lifetime {
        Lifetime(later.0.saturating_sub(self.0).max(0))
    }

    /// This instant moved by `skew` milliseconds, either way.
    #[must_use]
    pub fn shifted(self, skew: i64) -> Self {
        Self(self.0.saturating_add(skew))
    }
}

impl Lifetime {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From milliseconds; a negative number counts as zero.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < 0 { 0 } else { millis })
    }

    /// From whole seconds; a negative number counts as zero.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    /// In milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// A part of it: `self × numerator / denominator`, without overflow.
    #[must_use]
    pub fn part(self, numerator: i64, denominator: i64) -> Self {
        Self((i128::from(self.0) * i128::from(numerator) / i128::from(denominator.max(1))).clamp(0, i64::MAX.into())
            as i64)
    }
}

impl Reading {
    /// How much time has passed since: by the clock that says more. The running clock may have stood still while the machine
    /// slept, and the wall clock may have been set back; neither shows time that did not pass, unless somebody set the wall
    /// clock ahead. Then a credential seems older than it is, and is renewed too early: that is safe, the opposite is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Lifetime {
        earlier.wall.until(self.wall).max(Lifetime::from_millis(self.ran.0 - earlier.ran.0))
    }

    /// How far the wall clock jumped since, against the running clock: ahead, or back where it is negative. A machine that slept
    /// looks like one whose clock was set ahead.
    #[must_use]
    pub fn jump(self, earlier: Self) -> i64 {
        let ran = self.ran.0.saturating_sub(earlier.ran.0);
        self.wall.0.saturating_sub(earlier.wall.0).saturating_sub(ran)
    }
}

impl ExpiresAt {
    /// Whether less than `margin` is left at `now`.
    #[must_use]
    pub fn within(self, margin: Lifetime, now: UnixMillis) -> bool {
        now.plus(margin) >= self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_at_the_ends_of_time_saturates() {
        assert_eq!(UnixMillis(i64::MAX).plus(Lifetime::from_seconds(1)), UnixMillis(i64::MAX));
        assert_eq!(Lifetime::from_seconds(i64::MAX), Lifetime::from_millis(i64::MAX));
        assert_eq!(UnixMillis(5).until(UnixMillis(3)), Lifetime::ZERO);
        assert_eq!(Lifetime::from_millis(i64::MAX).part(1, 10), Lifetime::from_millis(i64::MAX / 10));
    }

    #[test]
    fn a_numeric_date_that_is_no_instant_is_refused() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e18, -1e18] {
            assert_eq!(UnixMillis::from_seconds(odd), None, "{odd}");
        }
        assert_eq!(UnixMillis::from_seconds(1.5), Some(UnixMillis(1500)));
        assert_eq!(UnixMillis(-1).seconds(), -1);
    }

    #[test]
    fn a_credential_is_within_its_margin_from_the_first_millisecond_on() {
        let end = ExpiresAt(UnixMillis(10_000));
        assert!(!end.within(Lifetime::from_seconds(5), UnixMillis(4_999)));
        assert!(end.within(Lifetime::from_seconds(5), UnixMillis(5_000)));
    }
}
