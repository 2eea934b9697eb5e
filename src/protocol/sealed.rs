//! The stored form of a sealed text: which key sealed it, the how-manieth it is, and the ciphertext. Seals nothing itself.
//!
//! NIST SP 800-38D §5.2 (AES-GCM: initialisation vector, associated data). The associated data bind the ciphertext to its
//! place, so that it opens nowhere else: not for another origin, client, record, key or counter. The counter only grows, and
//! the highest that was seen is kept beside the key, so that an older text put back is told from the last one.

use super::record::RecordFault;
use crate::types::{Json, Lifetime, UnixMillis};
use base64ct::{Base64UrlUnpadded, Encoding};

/// A sealed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Names the key.
    pub kid: String,
    /// Grows with every text that is sealed for the same place.
    pub counter: u64,
    /// Never used twice with one key.
    pub iv: [u8; IV_BYTES],
    /// With the authentication tag at its end.
    pub ciphertext: Vec<u8>,
}

/// What a stored text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// It was sealed.
    Sealed(Sealed),
    /// It is of the version before, which wrote plain text.
    Plain,
}

impl Form {
    /// Reads a text that was stored.
    ///
    /// # Errors
    /// Says whose fault it is that the text is of no form that this version knows.
    pub fn parse(text: &str) -> Result<Self, RecordFault> {
        let json = zeroize::Zeroizing::new(Json::parse(text).ok_or(RecordFault::Corrupt)?);
        let version = json.get("v").and_then(Json::number).ok_or(RecordFault::Foreign)?;
        if version > VERSION {
            return Err(RecordFault::Newer);
        }
        if version < VERSION {
            return Ok(Self::Plain);
        }
        // There is one way to write it, so whatever is added, respelt or left out shows here.
        let sealed = read(&json).filter(|sealed| sealed.to_text() == text);
        sealed.map(Self::Sealed).ok_or(RecordFault::Corrupt)
    }
}

impl Sealed {
    /// The text to store.
    #[must_use]
    pub fn to_text(&self) -> String {
        let encode = Base64UrlUnpadded::encode_string;
        let parts = [
            "{\"v\":2,\"kid\":\"",
            &self.kid,
            "\",\"n\":",
            &self.counter.to_string(),
            ",\"iv\":\"",
            &encode(&self.iv),
            "\",\"ct\":\"",
            &encode(&self.ciphertext),
            "\"}",
        ];
        parts.concat()
    }
}

fn read(json: &Json) -> Option<Sealed> {
    let decode = |name| Base64UrlUnpadded::decode_vec(json.get(name)?.text()?).ok();
    let kid = json.get("kid")?.text()?;
    let plain = kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let counter = json.get("n")?.number().filter(|n| plain && (1.0..=MOST).contains(n) && *n == n.trunc())?;
    Some(Sealed {
        kid: kid.to_owned(),
        counter: counter as u64,
        iv: decode("iv")?.try_into().ok()?,
        ciphertext: decode("ct")?,
    })
}

/// What a sealed text is bound to, besides its key: `record` names it among all of this origin. Each part is preceded by its
/// length, so that no two lists of parts give the same bytes.
#[must_use]
pub fn associated_data(origin: &str, client: &str, record: &str, kid: &str, counter: u64) -> String {
    let mut out = String::new();
    for part in ["authsafe sealed 2", origin, client, record, kid, &counter.to_string()] {
        out.push_str(&part.len().to_string());
        out.push(':');
        out.push_str(part);
    }
    out
}

/// What is known of the texts that were sealed for one place. A counter is spent before its text is written, and confirmed
/// after: whatever is cut off in between, the text that is there is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The highest counter that is known to be written.
    pub last: u64,
    /// The highest counter that was spent.
    pub spent: u64,
    /// The counter that the key in use began with.
    pub first: u64,
    /// When that key was made.
    pub made_at: UnixMillis,
}

impl Ledger {
    /// That of a place where nothing was sealed yet.
    #[must_use]
    pub fn new(now: UnixMillis) -> Self {
        Self { last: 0, spent: 0, first: 0, made_at: now }
    }

    /// The counter of the next text.
    pub fn spend(&mut self) -> u64 {
        self.spent += 1;
        self.spent
    }

    /// The text of this counter is written, or was found.
    pub fn confirm(&mut self, counter: u64) {
        self.last = self.last.max(counter);
        self.spent = self.spent.max(counter);
    }

    /// Whether a text of this counter is no older than what was there before.
    #[must_use]
    pub fn admits(&self, counter: u64) -> bool {
        counter >= self.last
    }

    /// Whether the key has sealed enough, or for long enough. A clock that was set back is no reason to keep it.
    #[must_use]
    pub fn is_worn(&self, now: UnixMillis) -> bool {
        let age = self.made_at.until(now).max(now.until(self.made_at));
        age > KEY_AGE || self.spent.saturating_sub(self.first) >= KEY_TEXTS
    }
}

/// 96 bits, the length that AES-GCM is made for. NIST SP 800-38D §5.2.1.1.
pub const IV_BYTES: usize = 12;

/// How long a key seals.
const KEY_AGE: Lifetime = Lifetime::from_seconds(30 * 24 * 3600);

/// How many texts it seals: far below the 2³² of random initialisation vectors. NIST SP 800-38D §8.3.
const KEY_TEXTS: u64 = 1 << 20;

/// That of the plain form is 1.
const VERSION: f64 = 2.0;

/// The largest integer up to which every integer is exact in JSON's numbers.
const MOST: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn sealed() -> Sealed {
        Sealed { kid: "0f3a.1".to_owned(), counter: 7, iv: [9; IV_BYTES], ciphertext: vec![0xfb, 0xff, 1, 2, 3] }
    }

    const TEXT: &str = r#"{"v":2,"kid":"0f3a.1","n":7,"iv":"CQkJCQkJCQkJCQkJ","ct":"-_8BAgM"}"#;

    #[test]
    fn a_sealed_text_reads_back_as_it_was_written() {
        assert_eq!(sealed().to_text(), TEXT);
        assert_eq!(Form::parse(TEXT), Ok(Form::Sealed(sealed())));
        for counter in [1, 1 << 53] {
            let one = Sealed { counter, ..sealed() };
            assert_eq!(Form::parse(&one.to_text()), Ok(Form::Sealed(one)));
        }
    }

    #[test]
    fn no_other_spelling_is_the_same_sealed_text() {
        for (at, _) in TEXT.char_indices() {
            for part in ["", " ", "0", "A", "\"", "-", ".", ","] {
                for removed in 0..2 {
                    let text = [&TEXT[..at], part, TEXT.get(at + removed..).unwrap_or_default()].concat();
                    if text != TEXT {
                        assert_ne!(Form::parse(&text), Ok(Form::Sealed(sealed())), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_text_that_is_none_says_whose_fault_it_is() {
        let with = |old: &str, new: &str| TEXT.replace(old, new);
        for (text, fault) in [
            (String::new(), RecordFault::Corrupt),
            (TEXT[..TEXT.len() / 2].to_owned(), RecordFault::Corrupt),
            ("{}".to_owned(), RecordFault::Foreign),
            (r#"{"hello":"world"}"#.to_owned(), RecordFault::Foreign),
            (with("\"v\":2", "\"v\":3"), RecordFault::Newer),
            (with("\"v\":2", "\"v\":2.5"), RecordFault::Newer),
            (with("\"v\":2", "\"v\":\"2\""), RecordFault::Foreign),
            (with("\"n\":7", "\"n\":0"), RecordFault::Corrupt),
            (with("\"n\":7", "\"n\":-7"), RecordFault::Corrupt),
            (with("\"n\":7", "\"n\":7.5"), RecordFault::Corrupt),
            (with("\"n\":7", "\"n\":9007199254740993"), RecordFault::Corrupt),
            (with("\"n\":7", "\"n\":\"7\""), RecordFault::Corrupt),
            (with("0f3a.1", "0f3a/1"), RecordFault::Corrupt),
            (with("CQkJCQkJCQkJCQkJ", "CQkJCQkJCQkJCQk"), RecordFault::Corrupt),
            (with("CQkJCQkJCQkJCQkJ", "CQkJCQkJCQkJCQkJCQkJ"), RecordFault::Corrupt),
            (with("-_8BAgM", "-_8BAgN"), RecordFault::Corrupt),
            (with("-_8BAgM", "+/8BAgM"), RecordFault::Corrupt),
            (with(",\"ct\"", ",\"more\":1,\"ct\""), RecordFault::Corrupt),
        ] {
            assert_eq!(Form::parse(&text), Err(fault), "{text}");
        }
    }

    #[test]
    fn the_texts_of_the_version_before_are_plain() {
        for text in
            [r#"{"v":1,"lineage":"x"}"#, r#"{"v":1,"pending":[],"over":[]}"#, &crate::protocol::record::ended_text("x")]
        {
            assert_eq!(Form::parse(text), Ok(Form::Plain), "{text}");
        }
    }

    #[test]
    fn associated_data_differ_wherever_one_part_does_and_however_the_parts_are_cut() {
        let given = [
            ("https://a.example", "client", "authsafe.x.session", "k.1", 1),
            ("https://b.example", "client", "authsafe.x.session", "k.1", 1),
            ("https://a.example", "other", "authsafe.x.session", "k.1", 1),
            ("https://a.example", "client", "authsafe.x.transactions", "k.1", 1),
            ("https://a.example", "client", "authsafe.x.session", "k.2", 1),
            ("https://a.example", "client", "authsafe.x.session", "k.1", 2),
            ("https://a.example", "clienta", "uthsafe.x.session", "k.1", 1),
            ("https://a.example", "client18:", "authsafe.x.session", "k.1", 1),
            ("https://a.example", "", "clientauthsafe.x.session", "k.1", 1),
            ("https://a.example", "client", "authsafe.x.session", "k.", 11),
        ];
        let made: HashSet<String> = given
            .iter()
            .map(|(origin, client, record, kid, n)| associated_data(origin, client, record, kid, *n))
            .collect();
        assert_eq!(made.len(), given.len());
    }

    #[test]
    fn a_counter_is_never_spent_twice_whatever_is_cut_off() {
        let mut ledger = Ledger::new(UnixMillis(0));
        assert_eq!((ledger.spend(), ledger.spend()), (1, 2));
        ledger.confirm(2);
        assert_eq!(ledger.spend(), 3);
        // A ledger that was restored from an older copy learns from the text that it finds.
        ledger.confirm(9);
        assert_eq!(ledger.spend(), 10);
    }

    #[test]
    fn whatever_step_a_write_is_cut_off_after_the_text_that_is_there_is_admitted_and_no_older_one() {
        let mut ledger = Ledger::new(UnixMillis(0));
        let first = ledger.spend();
        ledger.confirm(first);
        // Spent, not written: the text of before is still there.
        let second = ledger.spend();
        assert!(ledger.admits(first));
        // Written, not confirmed.
        assert!(ledger.admits(second));
        // Confirmed.
        ledger.confirm(second);
        assert!(ledger.admits(second) && !ledger.admits(first));
        // A late confirmation of an older one changes nothing.
        ledger.confirm(first);
        assert!(ledger.admits(second) && !ledger.admits(first));
    }

    #[test]
    fn a_key_is_worn_after_thirty_days_or_a_million_texts_and_by_a_clock_that_jumps() {
        let day = 24 * 3600 * 1000;
        let ledger = Ledger { made_at: UnixMillis(100 * day), first: 5, spent: 5, last: 5 };
        for (at, spent, worn) in [
            (100, 5, false),
            (130, 5, false),
            (131, 5, true),
            (70, 5, false),
            (69, 5, true),
            (100, 5 + (1 << 20) - 1, false),
            (100, 5 + (1 << 20), true),
        ] {
            assert_eq!(Ledger { spent, ..ledger }.is_worn(UnixMillis(at * day)), worn, "{at} {spent}");
        }
    }
}
