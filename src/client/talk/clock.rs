//! How far the server's clock is from the device's.
//!
//! A server tells its time with an answer: in the header `Date` (RFC 9110 §6.6.1), or in what it states itself (`iat` of an ID
//! token, `serverTime` of a session). The answer was made between the moment when it was asked for and the one when it was
//! there, so the difference of the clocks is known to half of that, and to half of the second that was told.

use crate::types::{Reading, UnixMillis};

/// A time that a server told, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum Told {
    /// The header `Date`: perhaps by a proxy or a cache on the way.
    Header(UnixMillis),
    /// A statement of the server itself.
    Statement(UnixMillis),
}

/// What is known of the server's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::client) struct ServerClock {
    known: Option<Estimate>,
}

#[derive(Clone, Copy, Debug)]
struct Estimate {
    /// Server minus device clock, milliseconds.
    offset: i64,
    /// By how much it may be wrong, either way.
    within: i64,
    stated: bool,
    heard: Reading,
}

impl ServerClock {
    /// Takes along what an answer told that was `asked` for and `heard` at these moments.
    ///
    /// The tighter estimate stays. One that an earlier estimate excludes shows that a clock was set, and takes its place; but
    /// a header that contradicts the server itself is somebody else's, and is not heard.
    pub(in crate::client) fn learn(&mut self, told: Told, asked: Reading, heard: Reading) {
        let (told, stated) = match told {
            Told::Header(at) => (at, false),
            Told::Statement(at) => (at, true),
        };
        let took = heard.since(asked).millis();
        let within = took.saturating_add(RESOLUTION) / 2;
        // The middle of the second that was told, against the middle of the round trip.
        let offset = told.0.saturating_sub(heard.wall.0).saturating_add(within);
        let new = Estimate { offset, within, stated, heard };
        let replaces = self.at(heard).is_none_or(|old| {
            let agree = old.offset.saturating_sub(new.offset).saturating_abs() <= old.within.saturating_add(new.within);
            if agree { new.within <= old.within } else { new.stated || !old.stated }
        });
        if replaces {
            self.known = Some(new);
        }
    }

    /// Server minus device clock in milliseconds, a whole number of seconds; `None` where it is not known.
    ///
    /// What may as well be nothing is nothing. So is what is less than two seconds: taken for real, it would move every instant
    /// a little with every answer.
    #[must_use]
    pub(in crate::client) fn skew(&self, now: Reading) -> Option<i64> {
        let Estimate { offset, .. } = self.at(now)?;
        let within = self.known?.within.max(NOISE);
        Some(if offset.saturating_abs() <= within { 0 } else { offset.saturating_add(500).div_euclid(1000) * 1000 })
    }

    /// The same, where a session came with `skew`, which somebody else may have found out `known_at` that time: the newer counts.
    #[must_use]
    pub(in crate::client) fn skew_beside(&self, skew: i64, known_at: Option<UnixMillis>, now: Reading) -> i64 {
        let newer = |own: Estimate| known_at.is_some_and(|at| at.0.saturating_sub(own.heard.wall.0) > NOISE);
        if self.known.is_some_and(newer) { skew } else { self.skew(now).unwrap_or(skew) }
    }

    /// The estimate as it is worth now. A device clock that was set back is behind by that much more. One that ran ahead of the
    /// running clock was set, or the machine slept: that cannot be told apart, so nothing is known until the next answer.
    fn at(&self, now: Reading) -> Option<Estimate> {
        let mut known = self.known?;
        let jump = now.jump(known.heard);
        if jump > NOISE {
            return None;
        }
        if jump < -NOISE {
            known.offset = known.offset.saturating_sub(jump);
        }
        // No clock drifts by more than a thousandth.
        known.within = known.within.saturating_add(now.since(known.heard).part(1, 1000).millis());
        Some(known)
    }
}

/// The unit in which servers tell the time.
const RESOLUTION: i64 = 1000;

/// A clock that is off by less, or jumps by less, is not worth a word.
const NOISE: i64 = 2000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Lifetime;

    fn at(wall: i64, ran: i64) -> Reading {
        Reading { wall: UnixMillis(wall * 1000), ran: Lifetime::from_seconds(ran) }
    }

    fn header(seconds: i64) -> Told {
        Told::Header(UnixMillis(seconds * 1000))
    }

    fn statement(seconds: i64) -> Told {
        Told::Statement(UnixMillis(seconds * 1000))
    }

    /// What is known after these, told in turn: when it was asked for, heard, and what was told.
    fn known(told: &[(Reading, Reading, Told)], now: Reading) -> Option<i64> {
        let mut clock = ServerClock::default();
        for (asked, heard, told) in told {
            clock.learn(*told, *asked, *heard);
        }
        clock.skew(now).map(|skew| skew / 1000)
    }

    #[test]
    fn nothing_is_known_before_a_server_has_told() {
        assert_eq!(known(&[], at(1000, 0)), None);
    }

    #[test]
    fn a_difference_is_known_to_half_a_round_trip_and_half_a_second() {
        // Asked at 1000, heard at the second instant; what was told; the difference, in seconds.
        for (heard, told, skew) in [
            (1000, 1000, 0),
            (1001, 1000, 0),
            (1000, 1002, 3),
            (1000, 997, -2),
            (1000, 1001, 0),
            (1010, 1010, 0),
            // Between the two, the server may have had any of these.
            (1010, 999, 0),
            (1010, 1004, 0),
            (1010, 1015, 11),
            (1000, 87_400, 86_401),
            (1000, -85_400, -86_399),
        ] {
            let known = known(&[(at(1000, 0), at(heard, heard - 1000), header(told))], at(heard, heard - 1000));
            assert_eq!(known, Some(skew), "{heard} {told}");
        }
    }

    #[test]
    fn the_tighter_of_two_estimates_stays() {
        let loose = (at(1000, 0), at(1010, 10), header(1040));
        let tight = (at(1020, 20), at(1020, 20), header(1058));
        let now = at(1021, 21);
        assert_eq!(known(&[loose], now), Some(36));
        assert_eq!(known(&[tight], now), Some(39));
        assert_eq!(known(&[loose, tight], now), Some(39));
        assert_eq!(known(&[tight, (at(1020, 20), at(1030, 30), header(1060))], now), Some(39));
    }

    #[test]
    fn an_estimate_that_is_old_gives_way_to_a_looser_one() {
        let old = (at(1000, 0), at(1000, 0), header(1010));
        let day = 86_400;
        let looser = (at(1000 + day, day), at(1004 + day, 4 + day), header(1040 + day));
        assert_eq!(known(&[old, looser], at(1004 + day, 4 + day)), Some(39));
    }

    #[test]
    fn a_header_that_contradicts_the_server_itself_is_not_heard() {
        let (now, token) = (at(1000, 0), (at(1000, 0), at(1000, 0), statement(1100)));
        assert_eq!(known(&[token, (now, now, header(4_000_000_000))], now), Some(101));
        assert_eq!(known(&[(now, now, header(4_000_000_000)), token], now), Some(101));
        // The server itself may have been set right.
        assert_eq!(known(&[token, (now, now, statement(1000))], now), Some(0));
    }

    #[test]
    fn a_clock_that_is_set_back_is_behind_by_that_much_more() {
        let right = (at(100_000, 0), at(100_000, 0), header(100_000));
        assert_eq!(known(&[right], at(100_010 - 86_400, 10)), Some(86_401));
        assert_eq!(known(&[right], at(100_009, 10)), Some(0), "a little is noise");
    }

    #[test]
    fn after_a_jump_ahead_or_a_sleep_nothing_is_known_until_the_next_answer() {
        let right = (at(1000, 0), at(1000, 0), header(1000));
        let later = at(87_410, 10);
        assert_eq!(known(&[right], later), None);
        assert_eq!(known(&[right, (later, later, header(1010))], later), Some(-86_399));
        assert_eq!(known(&[right, (later, later, header(87_410))], later), Some(0));
    }

    #[test]
    fn what_came_with_a_session_counts_where_it_is_newer() {
        let mut clock = ServerClock::default();
        let now = at(1100, 100);
        assert_eq!(clock.skew_beside(60_000, None, now), 60_000);
        clock.learn(header(1030), at(1000, 0), at(1000, 0));
        let found = |known_at: Option<i64>| clock.skew_beside(60_000, known_at.map(|at| UnixMillis(at * 1000)), now);
        assert_eq!(
            [None, Some(900), Some(1001), Some(1003)].map(|at| found(at) / 1000),
            [31, 31, 31, 60],
            "a second is within what the same answer may have taken"
        );
    }

    #[test]
    fn a_clock_of_another_age_neither_overflows_nor_ends_anything() {
        for told in [i64::MIN, i64::MIN / 2, 0, i64::MAX / 2, i64::MAX] {
            for wall in [i64::MIN, -1, i64::MAX] {
                let now = Reading { wall: UnixMillis(wall), ran: Lifetime::from_millis(i64::MAX) };
                let mut clock = ServerClock::default();
                clock.learn(Told::Header(UnixMillis(told)), at(0, 0), now);
                clock.learn(Told::Statement(UnixMillis(told)), now, at(0, 0));
                assert_eq!(clock.skew(now).unwrap_or_default() % 1000, 0);
            }
        }
    }
}
