//! What each storage medium gives and risks.
//!
//! RFC 10017 §8 (storing tokens in the browser). The sentences are shown to developers, so they say what is true and not
//! what is reassuring.

/// Where a session is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// This page's memory.
    Memory,
    /// `sessionStorage`
    SessionStorage,
    /// `localStorage`
    LocalStorage,
    /// `indexedDB`
    IndexedDb,
    /// A cookie that authsafe writes.
    Cookie,
    /// An adapter of the application's.
    Custom,
}

/// What a storage choice gives and risks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageDescription {
    /// A reload keeps the session.
    pub survives_reload: bool,
    /// Other tabs of this origin have the same session.
    pub shared_across_tabs: bool,
    /// Script of this origin can read what is stored, without asking authsafe.
    pub readable_by_script: bool,
    /// The browser sends it along with requests by itself.
    pub sent_automatically: bool,
    /// Plain sentences.
    pub notes: &'static [&'static str],
}

impl Medium {
    /// Every medium.
    pub const ALL: &'static [Self] =
        &[Self::Memory, Self::SessionStorage, Self::LocalStorage, Self::IndexedDb, Self::Cookie, Self::Custom];

    /// The word that the option uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::SessionStorage => "sessionStorage",
            Self::LocalStorage => "localStorage",
            Self::IndexedDb => "indexedDB",
            Self::Cookie => "cookie",
            Self::Custom => "custom",
        }
    }

    /// Whether other tabs may see, and change, what this one writes. An adapter is taken to reach them: a needless look at
    /// the medium costs little, a refresh token used twice costs the session.
    #[must_use]
    pub fn is_shared(self) -> bool {
        match self {
            Self::LocalStorage | Self::IndexedDb | Self::Cookie | Self::Custom => true,
            Self::Memory | Self::SessionStorage => false,
        }
    }

    /// The medium that the option's word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|medium| medium.as_str() == word)
    }
}

/// What a medium gives and risks. `plaintext` tells whether tokens are written there as they are, and not sealed.
///
/// The first two notes of a medium that is written to are about that; the rest is the same either way.
#[must_use]
pub fn describe(medium: Medium, plaintext: bool) -> StorageDescription {
    let (sealed, plain) = match medium {
        Medium::Memory => (MEMORY, MEMORY),
        Medium::SessionStorage => (SESSION_STORAGE, SESSION_STORAGE_PLAIN),
        Medium::LocalStorage => (LOCAL_STORAGE, LOCAL_STORAGE_PLAIN),
        Medium::IndexedDb => (INDEXED_DB, INDEXED_DB_PLAIN),
        Medium::Cookie => (COOKIE, COOKIE_PLAIN),
        Medium::Custom => (CUSTOM, CUSTOM_PLAIN),
    };
    StorageDescription {
        survives_reload: medium != Medium::Memory,
        shared_across_tabs: medium.is_shared(),
        readable_by_script: medium != Medium::Memory,
        sent_automatically: medium == Medium::Cookie,
        notes: if plaintext { plain } else { sealed },
    }
}

macro_rules! notes {
    ($($name:ident $plain:ident [$($note:expr,)+];)+) => {$(
        const $name: &[&str] = &[SEALED, SEALED_COPIES, $($note,)+];
        const $plain: &[&str] = &[PLAIN, PLAIN_COPIES, $($note,)+];
    )+};
}

const SEALED: &str = "Tokens are sealed with a key that cannot be exported: who reads this medium alone has nothing, but script \
     in the page can have them opened.";
const SEALED_COPIES: &str = "A copy of the browser profile may hold the key, too.";
const PLAIN: &str = "Tokens are plain text: any script of this origin, an injected one too, can take them away.";
const PLAIN_COPIES: &str = "A copy of the browser profile, such as a backup, holds the tokens.";
const SHARED: &str = "All tabs share the session, and it survives a restart of the browser.";
const NEXT_PERSON: &str = "On a shared computer the next person finds the session.";

const MEMORY: &[&str] = &[
    "Nothing is written: a reload loses the tokens, and the provider is asked for others.",
    "Each tab has a session of its own.",
    "Injected script finds them in no store, but can act as the user; in page isolation, it may catch tokens, too.",
];

notes! {
    SESSION_STORAGE SESSION_STORAGE_PLAIN [
        "The session survives a reload and ends with the tab; some browsers restore both.",
        "Other tabs do not see it; of a duplicated tab, the first to renew leaves the other without a refresh token.",
        "While the tab lives, and where the browser saves tabs, it may also be on disk.",
    ];
    LOCAL_STORAGE LOCAL_STORAGE_PLAIN [
        SHARED,
        "It stays on disk until the user signs out or clears the site's storage.",
        NEXT_PERSON,
    ];
    INDEXED_DB INDEXED_DB_PLAIN [
        SHARED,
        "What one tab writes, every other tab reads at once, which localStorage does not promise.",
        "It stays on disk until the user signs out or clears the site's storage, or the browser runs out of room.",
        NEXT_PERSON,
    ];
    COOKIE COOKIE_PLAIN [
        "All tabs share the session. Without `maxAgeSeconds` it ends when the browser closes, unless that restores its tabs.",
        "The browser sends it to this host's servers with every request below `path`, and it can end up in their logs.",
        "Script cannot write HttpOnly cookies; see `firstParty.refreshCookie`.",
        "A site's cookies share a few kilobytes; large tokens make every request heavier.",
    ];
    CUSTOM CUSTOM_PLAIN [
        "authsafe cannot look inside the adapter; this is the worst of it.",
        "Who else can read it, and how long it is kept, is its own doing.",
        "If it fails, the session goes on in memory and ends with the page.",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_medium_is_described_by_what_browsers_do() {
        // survives a reload, shared across tabs, readable by script, sent automatically
        for (medium, expected) in [
            (Medium::Memory, [false, false, false, false]),
            (Medium::SessionStorage, [true, false, true, false]),
            (Medium::LocalStorage, [true, true, true, false]),
            (Medium::IndexedDb, [true, true, true, false]),
            (Medium::Cookie, [true, true, true, true]),
            (Medium::Custom, [true, true, true, false]),
        ] {
            for plaintext in [false, true] {
                let d = describe(medium, plaintext);
                let got = [d.survives_reload, d.shared_across_tabs, d.readable_by_script, d.sent_automatically];
                assert_eq!(got, expected, "{medium:?}");
            }
        }
    }

    #[test]
    fn the_notes_are_whole_sentences_and_promise_no_safety() {
        for medium in Medium::ALL {
            for plaintext in [false, true] {
                let notes = describe(*medium, plaintext).notes;
                assert!(notes.len() >= 3, "{medium:?}");
                for note in notes {
                    assert!(note.ends_with('.') && !note.contains("  "), "{note}");
                    let lower = note.to_lowercase();
                    for promise in ["xss-safe", "unhackable", "secure", "protects"] {
                        assert!(!lower.contains(promise), "{note}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_description_says_first_whether_tokens_are_sealed_and_is_the_same_otherwise() {
        for medium in Medium::ALL {
            let (sealed, plain) = (describe(*medium, false), describe(*medium, true));
            if *medium == Medium::Memory {
                assert_eq!(sealed, plain);
                continue;
            }
            assert_eq!((sealed.notes[0], plain.notes[0]), (SEALED, PLAIN), "{medium:?}");
            assert_eq!(sealed.notes[2..], plain.notes[2..], "{medium:?}");
        }
    }

    #[test]
    fn every_medium_has_a_word_of_its_own() {
        for medium in Medium::ALL {
            assert_eq!(Medium::from_word(medium.as_str()), Some(*medium));
        }
        for word in ["IndexedDB", "LocalStorage", "", "localstorage"] {
            assert_eq!(Medium::from_word(word), None, "{word}");
        }
    }
}
