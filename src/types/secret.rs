//! Values that must not be seen: they do not print, and their memory is wiped when the last handle is dropped.
//!
//! A clone is a second handle to the same bytes, never a copy of them. Handles are for one thread, as the browser is.

use std::rc::Rc;
use zeroize::Zeroizing;

macro_rules! secret {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        ///
        /// Debug prints the name only; read it with [`expose`](Self::expose).
        #[derive(Clone)]
        pub struct $name(Rc<Zeroizing<String>>);

        impl $name {
            /// Takes the text over. `None` for the empty string, which is never a credential.
            #[must_use]
            pub fn new(text: impl Into<Zeroizing<String>>) -> Option<Self> {
                let text = text.into();
                (!text.is_empty()).then(|| Self(Rc::new(text)))
            }

            /// The text itself. Each use of this word is a place to look at in a review.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl PartialEq for $name {
            /// Takes the same time wherever two texts of one length differ.
            fn eq(&self, other: &Self) -> bool {
                same_text(self.expose(), other.expose())
            }
        }

        impl Eq for $name {}
    )+};
}

secret! {
    /// Credential for the resource server. RFC 6749 §1.4.
    AccessToken
    /// Credential that obtains access tokens. RFC 6749 §1.5.
    RefreshToken
    /// ID token as received, kept for `id_token_hint` (OpenID Connect RP-Initiated Logout 1.0 §2).
    IdToken
    /// One-time code of an authorization response. RFC 6749 §4.1.2.
    AuthorizationCode
    /// PKCE secret of one transaction. RFC 7636 §4.1.
    CodeVerifier
    /// Proof that a request comes from the application's own page.
    CsrfToken
    /// What a user typed into a password field.
    Password
}

impl CodeVerifier {
    /// Takes over the encoding of random bytes, which is never empty.
    pub(crate) fn of_encoding(text: Zeroizing<String>) -> Self {
        Self(Rc::new(text))
    }
}

/// Compares without an early exit, so that timing does not tell where two texts differ.
pub(crate) fn same_text(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |seen, (x, y)| seen | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_its_name_and_nothing_of_its_value() {
        let token = AccessToken::new("CANARY-1".to_owned()).unwrap();
        assert_eq!(format!("{token:?}"), "AccessToken(…)");
    }

    #[test]
    fn the_empty_string_is_not_a_credential() {
        assert!(RefreshToken::new(String::new()).is_none());
    }

    #[test]
    fn texts_are_the_same_only_when_every_byte_is() {
        for (a, b, same) in [("abc", "abc", true), ("abc", "abd", false), ("abc", "ab", false), ("", "", true)] {
            assert_eq!(same_text(a, b), same, "{a} {b}");
        }
    }
}
