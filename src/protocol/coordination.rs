//! Who renews a session of this browser, and with which generation of its refresh token: a small text that every tab reads
//! and changes in one step. It carries no secret.
//!
//! RFC 9700 §4.14.2: a refresh token that is used twice ends the session at a server that looks for it. What tabs share
//! besides is not enough to prevent that: Web Storage may show one tab what another has long replaced, and a lock says
//! nothing about a tab that held it and died. So, before a refresh token is sent, its generation and that it is sent are
//! written here; and whoever takes the lock gets a number, the fence, that ends the right of those before to store anything.

use crate::types::UnixMillis;

/// What is known of the renewals of one client's session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coordination {
    /// Grows with every turn, and with every sign-in and sign-out.
    pub fence: u64,
    /// Names the sign-in; empty where none is known.
    pub lineage: String,
    /// The newest renewal of it that is durable.
    pub generation: u64,
    /// How often the refresh token of this generation was sent without an answer that says what came of it.
    pub tries: u32,
    /// The sign-in is over.
    pub ended: bool,
    /// When whoever has the turn is taken to hang.
    pub until: Option<UnixMillis>,
}

impl Coordination {
    /// Reads the text. What cannot be read counts as nothing known: the medium of the record alone decides then.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::read(text).unwrap_or_default()
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next();
        if word()? != VERSION {
            return None;
        }
        let fence = word()?.parse().ok()?;
        let lineage = word()?.to_owned();
        let generation = word()?.parse().ok()?;
        let tries = word()?.parse().ok()?;
        let ended = match word()? {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        let until = match word()? {
            "-" => None,
            at => Some(UnixMillis(at.parse().ok()?)),
        };
        word().is_none().then_some(Self { fence, lineage, generation, tries, ended, until })
    }

    /// As it is stored.
    #[must_use]
    pub fn to_text(&self) -> String {
        let until = self.until.map_or_else(|| "-".to_owned(), |at| at.0.to_string());
        [
            VERSION,
            &self.fence.to_string(),
            &self.lineage,
            &self.generation.to_string(),
            &self.tries.to_string(),
            if self.ended { "1" } else { "0" },
            &until,
        ]
        .join(" ")
    }

    /// A turn begins at `now`, and is to be over by `end`. With `alone`, a lock keeps other tabs away, and who had the turn
    /// before is gone. Otherwise a turn that is not overdue is respected.
    ///
    /// # Errors
    /// When the other tab's turn is to be over.
    pub fn claim(&self, now: UnixMillis, end: UnixMillis, alone: bool) -> Result<Self, UnixMillis> {
        // Tabs wait for each other between the look at the clock and this one, so a turn may well have begun after it. One that
        // ends much later was given by a clock that has been set since.
        let latest = end.plus(now.until(end));
        if let Some(taken) = self.until.filter(|taken| !alone && now < *taken && *taken <= latest) {
            return Err(taken);
        }
        Ok(Self { fence: self.fence.saturating_add(1), until: Some(end), ..self.clone() })
    }

    /// The refresh token of this generation is about to be sent for the how-manieth time. `None` where another tab has
    /// taken the turn, or has stored a newer one.
    #[must_use]
    pub fn intend(&self, fence: u64, lineage: &str, generation: u64, tries: u32) -> Option<Self> {
        let older = lineage == self.lineage && generation < self.generation;
        let lineage = lineage.to_owned();
        (self.is_held(fence) && !older).then(|| Self { lineage, generation, tries, ended: false, ..self.clone() })
    }

    /// This generation is durable. `None` where another tab has taken the turn.
    #[must_use]
    pub fn commit(&self, fence: u64, lineage: &str, generation: u64) -> Option<Self> {
        self.intend(fence, lineage, generation, 0)
    }

    /// Somebody has signed in: whoever has the turn renews what is over.
    #[must_use]
    pub fn begin(&self, lineage: &str, generation: u64) -> Self {
        let fence = self.fence.saturating_add(1);
        Self { fence, lineage: lineage.to_owned(), generation, tries: 0, ended: false, until: None }
    }

    /// The sign-in of this name, or whatever it is where there is no name, is over, as far as this generation. `None` where
    /// another sign-in, or a newer renewal, is known.
    #[must_use]
    pub fn end(&self, lineage: &str, generation: u64) -> Option<Self> {
        let known = lineage == self.lineage && self.generation <= generation;
        let same = lineage.is_empty() || self.lineage.is_empty() || known;
        let named = if lineage.is_empty() { &self.lineage } else { lineage };
        same.then(|| Self { ended: true, ..self.begin(named, self.generation) })
    }

    /// The turn is over.
    #[must_use]
    pub fn release(&self, fence: u64) -> Option<Self> {
        (self.is_held(fence) && self.until.is_some()).then(|| Self { until: None, ..self.clone() })
    }

    /// Whether the turn of this number is the last that was given.
    #[must_use]
    pub fn is_held(&self, fence: u64) -> bool {
        self.fence == fence
    }
}

const VERSION: &str = "1";

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn known() -> Coordination {
        Coordination { fence: 7, lineage: "a".to_owned(), generation: 3, tries: 1, ended: false, until: None }
    }

    const END: UnixMillis = UnixMillis(NOW.0 + 15_000);

    fn turn() -> Coordination {
        known().claim(NOW, END, true).unwrap()
    }

    #[test]
    fn a_text_survives_its_way_and_what_is_none_counts_as_nothing_known() {
        for each in [Coordination::default(), known(), known().end("a", 3).unwrap(), turn()] {
            assert_eq!(Coordination::parse(&each.to_text()), each);
        }
        for text in
            ["", "1", "2 7 a 3 1 0 -", "1 7 a 3 1 2 -", "1 x a 3 1 0 -", "1 7 a 3 1 0 - x", "{}", "1 7 a 3 -1 0 -"]
        {
            assert_eq!(Coordination::parse(text), Coordination::default(), "{text:?}");
        }
    }

    #[test]
    fn each_turn_ends_the_right_of_the_one_before_to_store_anything() {
        let first = turn();
        assert_eq!((first.fence, first.tries), (8, 1), "what the one before has sent is known");
        let second = first.claim(NOW, END, true).unwrap();
        assert_eq!(second.intend(first.fence, "a", 3, 2), None);
        assert_eq!(second.commit(first.fence, "a", 4), None);
        assert_eq!(second.release(first.fence), None);
        let committed = second.commit(second.fence, "a", 4).unwrap();
        assert_eq!((committed.generation, committed.tries), (4, 0));
        assert_eq!(committed.intend(committed.fence, "a", 3, 0), None, "what is stored is not forgotten again");
    }

    #[test]
    fn a_sign_in_and_a_sign_out_end_the_turn_too() {
        let turn = turn();
        assert_eq!(turn.begin("b", 1).commit(turn.fence, "a", 4), None);
        assert_eq!(turn.end("a", 3).unwrap().commit(turn.fence, "a", 4), None);
        let over = turn.end("", u64::MAX).unwrap();
        assert_eq!((over.lineage.as_str(), over.ended), ("a", true));
        assert_eq!(turn.begin("b", 1).end("a", 3), None, "an older sign-in than the one that is there");
    }

    #[test]
    fn a_turn_keeps_those_without_a_lock_away_until_it_is_overdue_or_given_back() {
        let held = turn();
        let later = |at: UnixMillis| UnixMillis(at.0 + 15_000);
        assert_eq!(held.claim(NOW, END, false), Err(END));
        let just_before = UnixMillis(END.0 - 1);
        assert_eq!(held.claim(just_before, later(just_before), false), Err(END));
        assert!(held.claim(END, later(END), false).is_ok());
        assert!(held.release(held.fence).unwrap().claim(NOW, END, false).is_ok());
        assert!(held.claim(NOW, END, true).is_ok(), "whoever has the lock does not ask");
        let set_back = UnixMillis(NOW.0 - 86_400_000);
        assert!(held.claim(set_back, later(set_back), false).is_ok(), "not for a day");
    }

    #[test]
    fn a_turn_that_began_after_another_tab_looked_at_its_clock_keeps_that_tab_away_too() {
        let held = turn();
        for earlier in [1, 20, 2_000] {
            let looked = UnixMillis(NOW.0 - earlier);
            assert_eq!(held.claim(looked, UnixMillis(looked.0 + 15_000), false), Err(END), "{earlier}");
        }
    }
}
