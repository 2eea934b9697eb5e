//! base64url without padding, RFC 7515 §2 and appendix C, with one spelling for the same bytes: no padding, no whitespace, no
//! stray bits at the end.
//!
//! Where tokens are verified it is done by tables: `jsonwebtoken` brings that crate anyway, and on a token of a kilobyte it takes a
//! fifth of the time. Elsewhere by the smaller crate.

#[cfg(feature = "jwt")]
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
#[cfg(not(feature = "jwt"))]
use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

/// `None` for what is none.
#[cfg(feature = "jwt")]
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok().map(Zeroizing::new)
}

/// `None` for what is none.
#[cfg(not(feature = "jwt"))]
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    Base64UrlUnpadded::decode_vec(text).ok().map(Zeroizing::new)
}

/// As text.
#[cfg(feature = "jwt")]
pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(feature = "jwt")]
#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64UrlUnpadded, Encoding};

    #[test]
    fn both_crates_take_the_same_texts_for_the_same_bytes() {
        let letters = ["A", "B", "P", "Q", "g", "w", "z", "0", "9", "-", "_", "+", "/", "=", " ", "\n", ".", "é", "\0"];
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            let longer = |text: &String| letters.map(|letter| [text, letter].concat());
            texts = texts.iter().flat_map(longer).chain([String::new()]).collect();
            for text in &texts {
                let theirs = Base64UrlUnpadded::decode_vec(text).ok();
                assert_eq!(decode(text).map(|bytes| bytes.to_vec()), theirs, "{text:?}");
                // Where it is taken, it is the one spelling.
                assert!(theirs.is_none_or(|bytes| encode(&bytes) == *text), "{text:?}");
            }
        }
    }
}
