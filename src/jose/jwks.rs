//! The set of keys that a provider publishes.
//!
//! RFC 7517 §5; OpenID Connect Core 1.0 §10.1. Keys that cannot be used here are left out, as §5 asks: one that nobody
//! understands must not cost the others. Fetches nothing: see `cache` for when that is due.

use super::error::JwtError;
use super::jwk::Jwk;
use crate::types::Json;
use std::rc::Rc;

/// The keys of a provider, as far as they can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<Rc<Jwk>>,
    skipped: usize,
}

impl JwkSet {
    /// Reads a document.
    ///
    /// # Errors
    /// [`JwtError::KeysInvalid`] where it is none, or larger than any honest one.
    pub fn parse(document: &[u8]) -> Result<Self, JwtError> {
        if document.len() > MOST_BYTES {
            return Err(JwtError::KeysInvalid("the document is larger than 256 KiB"));
        }
        Self::read(&Json::parse_bytes(document).ok_or(JwtError::KeysInvalid("the document is not JSON"))?)
    }

    /// Reads a document that was parsed already, or that the application gave.
    ///
    /// # Errors
    /// As of [`parse`](Self::parse).
    pub fn read(document: &Json) -> Result<Self, JwtError> {
        let all =
            document.get("keys").and_then(Json::list).ok_or(JwtError::KeysInvalid("there is no list of `keys`"))?;
        if all.len() > MOST_KEYS {
            return Err(JwtError::KeysInvalid("there are more than 100 keys"));
        }
        let keys: Vec<_> = all.iter().filter_map(Jwk::read).map(Rc::new).collect();
        Ok(Self { skipped: all.len() - keys.len(), keys })
    }

    /// Those that can be used.
    #[must_use]
    pub fn keys(&self) -> &[Rc<Jwk>] {
        &self.keys
    }

    /// How many were left out.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

const MOST_BYTES: usize = 256 * 1024;
const MOST_KEYS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn set(keys: &[&str]) -> Result<JwkSet, JwtError> {
        JwkSet::parse(["{\"keys\":[", &keys.join(","), "]}"].concat().as_bytes())
    }

    #[test]
    fn keys_that_cannot_be_used_are_left_out_and_counted_and_the_others_stay() {
        let shared = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
        let set = set(&[shared, GOOD, "{}", "null", "[]", "7", r#"{"kty":"future"}"#, GOOD]).unwrap();
        assert_eq!((set.keys().len(), set.skipped()), (2, 6));
        assert_eq!(set.keys().first().map(Rc::as_ref), Jwk::read(&Json::parse(GOOD).unwrap()).as_ref());
    }

    #[test]
    fn a_set_may_be_empty_and_may_say_more_than_its_keys() {
        let set = JwkSet::parse(br#"{"keys":[],"next":{"keys":[{}]}}"#).unwrap();
        assert_eq!((set.keys(), set.skipped()), (&[][..], 0));
    }

    #[test]
    fn what_is_no_set_of_keys_is_refused() {
        for (text, problem) in [
            ("", "the document is not JSON"),
            ("<html>", "the document is not JSON"),
            ("{\"keys\":[],\"keys\":[]}", "the document is not JSON"),
            ("{\"keys\":[{\"kty\":\"RSA\",\"kty\":\"EC\"}]}", "the document is not JSON"),
            ("\u{feff}{\"keys\":[]}", "the document is not JSON"),
            ("{}", "there is no list of `keys`"),
            ("[]", "there is no list of `keys`"),
            ("null", "there is no list of `keys`"),
            ("{\"keys\":{}}", "there is no list of `keys`"),
            ("{\"keys\":null}", "there is no list of `keys`"),
            ("{\"Keys\":[]}", "there is no list of `keys`"),
        ] {
            assert_eq!(JwkSet::parse(text.as_bytes()), Err(JwtError::KeysInvalid(problem)), "{text}");
        }
        assert!(JwkSet::parse(b"{\"keys\":[],\"x\":\"\xff\"}").is_err());
    }

    #[test]
    fn no_set_is_larger_than_an_honest_one() {
        assert_eq!(set(&[GOOD; 100]).map(|set| set.keys().len()), Ok(100));
        assert_eq!(set(&[GOOD; 101]), Err(JwtError::KeysInvalid("there are more than 100 keys")));
        let padded = |size: usize| [" ".repeat(size - 11), "{\"keys\":[]}".to_owned()].concat();
        assert!(JwkSet::parse(padded(MOST_BYTES).as_bytes()).is_ok());
        let error = JwkSet::parse(padded(MOST_BYTES + 1).as_bytes());
        assert_eq!(error, Err(JwtError::KeysInvalid("the document is larger than 256 KiB")));
    }
}
