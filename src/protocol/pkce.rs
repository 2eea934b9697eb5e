//! Proof Key for Code Exchange: verifier and challenge, always S256.
//!
//! RFC 7636 §4.1, §4.2; RFC 9700 §2.1.1. Randomness comes from the caller.

use crate::types::CodeVerifier;
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The verifier of one transaction: 256 random bits as 43 characters. RFC 7636 §4.1.
#[must_use]
pub fn code_verifier(random: &[u8; 32]) -> CodeVerifier {
    CodeVerifier::of_encoding(Zeroizing::new(random_text(random)))
}

/// The challenge that goes with it: BASE64URL(SHA256(ASCII(code_verifier))). RFC 7636 §4.2.
#[must_use]
pub fn challenge(verifier: &CodeVerifier) -> String {
    hashed(verifier.expose())
}

/// BASE64URL(SHA256(ASCII(text))).
#[must_use]
#[inline(never)]
pub(super) fn hashed(text: &str) -> String {
    random_text(&Sha256::digest(text.as_bytes()))
}

/// Random bytes as base64url without padding, for `state` and `nonce`.
#[must_use]
pub fn random_text(random: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(random)
}

/// Whether a text that comes back from storage can be a verifier: 43 to 128 unreserved characters. RFC 7636 §4.1.
pub(crate) fn is_code_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifier_and_challenge_are_those_of_rfc_7636_appendix_b() {
        let random = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
            240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = code_verifier(&random);
        assert_eq!(verifier.expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn whatever_the_random_bytes_are_the_verifier_is_one() {
        for byte in 0..=255 {
            let verifier = code_verifier(&[byte; 32]);
            assert_eq!(verifier.expose().len(), 43);
            assert!(is_code_verifier(verifier.expose()), "{byte}");
        }
    }

    #[test]
    fn a_text_that_is_no_verifier_is_recognised() {
        for text in ["", "short", &"a".repeat(42), &"a".repeat(129), &["\"", &"a".repeat(43)].concat(), &"é".repeat(30)]
        {
            assert!(!is_code_verifier(text), "{text}");
        }
        assert!(is_code_verifier(&"~".repeat(128)));
    }

    #[test]
    fn a_verifier_does_not_print() {
        assert_eq!(format!("{:?}", code_verifier(&[7; 32])), "CodeVerifier(…)");
    }
}
