//! When a provider's keys are fetched, and until when they count. Pure: fetches nothing, and knows no clock.
//!
//! OpenID Connect Core 1.0 §10.1.1. Keys are fetched when there are none, when they are old, and once more when a token calls
//! for one that is not among them: that is how a provider changes keys. Such tokens can be made by anybody, so the last of
//! these happens once in a minute. A provider that cannot be reached takes nothing away: what is there serves on for a day, and
//! only tokens that are new wait. That several ask at once is the caller's to join.

use super::jwks::JwkSet;
use crate::types::{Lifetime, Reading};
use std::rc::Rc;

/// The keys of one provider, and when they were asked for.
#[derive(Clone, Debug, Default)]
pub struct KeyCache {
    held: Option<Held>,
    /// The last request for keys has not brought any yet.
    failing: bool,
    /// When keys were asked for last, whatever came of it.
    asked: Option<Reading>,
    /// When that was because of a token.
    called: Option<Reading>,
}

#[derive(Clone, Debug)]
struct Held {
    keys: Rc<JwkSet>,
    at: Reading,
}

impl KeyCache {
    /// The keys that count now, if there are any.
    #[must_use]
    pub fn keys(&self, now: Reading) -> Option<&Rc<JwkSet>> {
        self.held.as_ref().filter(|held| now.since(held.at) < LONGEST).map(|held| &held.keys)
    }

    /// Whether to fetch before a token is looked at: there is nothing that counts, or it is old and was not asked for just now.
    #[must_use]
    pub fn is_due(&self, now: Reading) -> bool {
        let fresh = |held: &Held| now.since(held.at) < FRESH;
        self.keys(now).is_none() || (!self.held.as_ref().is_some_and(fresh) && has_cooled(self.asked, now))
    }

    /// Whether to fetch once more for a token that these keys do not verify, where newer ones could
    /// ([`may_be_outdated`](super::error::JwtError::may_be_outdated)).
    #[must_use]
    pub fn may_ask_again(&self, now: Reading) -> bool {
        has_cooled(self.called, now)
    }

    /// Keys are being fetched because of such a token. A provider may have changed its key since the last regular fetch, however
    /// short a time ago that was.
    pub fn ask_again(&mut self, now: Reading) {
        self.called = Some(now);
        self.ask(now);
    }

    /// Keys were asked for and did not come: what those that are there do not verify, newer ones might.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing
    }

    /// Keys are being fetched.
    pub fn ask(&mut self, now: Reading) {
        self.asked = Some(now);
        self.failing = true;
    }

    /// They have come, and take the place of those before: a key that is gone from the set is not trusted any more.
    pub fn learn(&mut self, keys: JwkSet, now: Reading) {
        self.held = Some(Held { keys: Rc::new(keys), at: now });
        self.failing = false;
    }
}

fn has_cooled(asked: Option<Reading>, now: Reading) -> bool {
    asked.is_none_or(|asked| now.since(asked) >= COOLDOWN)
}

/// Keys of this age are fetched anew: for so long, a key that was withdrawn still counts.
const FRESH: Lifetime = Lifetime::from_seconds(600);

/// Keys of this age no longer count, even if no others can be had.
const LONGEST: Lifetime = Lifetime::from_seconds(24 * 3600);

/// Between two requests that a token causes.
const COOLDOWN: Lifetime = Lifetime::from_seconds(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::UnixMillis;

    fn at(seconds: i64) -> Reading {
        Reading { wall: UnixMillis(seconds * 1000), ran: Lifetime::from_seconds(seconds) }
    }

    fn set() -> JwkSet {
        JwkSet::parse(b"{\"keys\":[]}").unwrap()
    }

    fn other() -> JwkSet {
        JwkSet::parse(b"{\"keys\":[{}]}").unwrap()
    }

    fn filled(seconds: i64) -> KeyCache {
        let mut cache = KeyCache::default();
        cache.ask(at(seconds));
        cache.learn(set(), at(seconds));
        cache
    }

    #[test]
    fn the_first_token_asks_for_keys_and_the_next_ones_use_them() {
        let cache = KeyCache::default();
        assert!(cache.is_due(at(0)));
        assert_eq!(cache.keys(at(0)), None);
        let cache = filled(0);
        assert!(!cache.is_due(at(0)));
        assert!(!cache.is_due(at(599)));
        assert_eq!(cache.keys(at(599)).map(Rc::as_ref), Some(&set()));
    }

    #[test]
    fn keys_of_ten_minutes_are_asked_for_anew_and_serve_meanwhile() {
        let mut cache = filled(0);
        assert!(cache.is_due(at(600)));
        cache.ask(at(600));
        assert!(!cache.is_due(at(659)), "just asked for");
        assert_eq!(cache.keys(at(659)).map(Rc::as_ref), Some(&set()));
        cache.learn(other(), at(660));
        assert_eq!(cache.keys(at(660)).map(Rc::as_ref), Some(&other()));
        assert!(!cache.is_due(at(1259)));
        assert!(cache.is_due(at(1260)));
    }

    #[test]
    fn a_thousand_unknown_keys_are_asked_for_once_a_minute() {
        let mut cache = filled(0);
        let mut requests = Vec::new();
        for second in 0..1000 {
            if cache.may_ask_again(at(second)) {
                cache.ask_again(at(second));
                cache.learn(set(), at(second));
                requests.push(second);
            }
        }
        assert_eq!(requests, (0..17).map(|minute| minute * 60).collect::<Vec<_>>());
    }

    #[test]
    fn an_outage_takes_no_key_away_for_a_day() {
        let mut cache = filled(0);
        for minute in 10..1440 {
            let now = at(minute * 60);
            assert_eq!(cache.keys(now).map(Rc::as_ref), Some(&set()), "{minute}");
            assert!(cache.is_due(now), "{minute}");
            cache.ask(now);
        }
        assert_eq!(cache.keys(at(86_399)).map(Rc::as_ref), Some(&set()));
        assert_eq!(cache.keys(at(86_400)), None);
    }

    #[test]
    fn an_outage_lasts_from_a_request_until_keys_come() {
        let mut cache = filled(0);
        assert!(!cache.is_failing());
        cache.ask(at(600));
        assert!(cache.is_failing());
        cache.learn(set(), at(601));
        assert!(!cache.is_failing());
    }

    #[test]
    fn where_there_are_no_keys_every_sign_in_may_ask() {
        let mut cache = KeyCache::default();
        cache.ask(at(0));
        assert!(cache.is_due(at(1)), "the first request has failed");
    }

    #[test]
    fn keys_that_came_without_being_asked_for_are_asked_for_when_one_is_missing() {
        let mut cache = KeyCache::default();
        cache.learn(set(), at(0));
        assert!(cache.may_ask_again(at(0)));
        assert!(!cache.is_due(at(599)));
        assert!(cache.is_due(at(600)));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_keys_young() {
        let cache = filled(10_000);
        let later = Reading { wall: UnixMillis(0), ran: Lifetime::from_seconds(10_600) };
        assert!(cache.is_due(later));
        assert!(cache.may_ask_again(later));
        let much_later = Reading { wall: UnixMillis(0), ran: Lifetime::from_seconds(10_000 + 86_400) };
        assert_eq!(cache.keys(much_later), None);
    }
}
