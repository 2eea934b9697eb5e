//! Why a token was not taken before its claims were looked at: its form, its key, its signature.
//!
//! RFC 7515 §5.2, RFC 7517 §5, RFC 8725 §3. What is wrong with claims is in `rules`.

use super::algs::Algorithm;
use crate::error::{Error, ErrorCode, printable};

/// What stands between a text and a token whose signature is right. In the order in which it is found out.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwtError {
    /// Not a signed token in compact form as it is read here; what. Server.
    Malformed(&'static str),
    /// `alg` is not one of those that are allowed (RFC 8725 §3.1). Configuration or attack.
    AlgorithmRefused {
        /// The header's.
        got: String,
    },
    /// The keys are no JWK Set, or too large a one (RFC 7517 §5); what. Server.
    KeysInvalid(&'static str),
    /// No key of the set fits the token. The set may be out of date, see [`may_be_outdated`](Self::may_be_outdated).
    KeyMissing {
        /// The header's.
        kid: Option<String>,
    },
    /// More than one key of the set fits the token, and guessing is no check. Server.
    KeyAmbiguous {
        /// The header's.
        kid: Option<String>,
    },
    /// Whoever computes signatures here cannot do it: an older browser, for EdDSA; a page that is no secure context. Nothing
    /// follows for the token.
    AlgorithmUnavailable(Algorithm),
    /// The signature is not that of the key. Attack, or a key that was changed under its name.
    SignatureInvalid,
}

impl JwtError {
    /// Whether newer keys could lead to another result. They are asked for once, and not often: see `cache`.
    #[must_use]
    pub fn may_be_outdated(&self) -> bool {
        match self {
            Self::KeyMissing { .. } | Self::KeyAmbiguous { .. } | Self::SignatureInvalid => true,
            Self::Malformed(_)
            | Self::AlgorithmRefused { .. }
            | Self::AlgorithmUnavailable(_)
            | Self::KeysInvalid(_) => false,
        }
    }
}

impl From<JwtError> for Error {
    fn from(error: JwtError) -> Self {
        let about = |kid: Option<String>| match kid {
            Some(kid) => ["`kid` is ", &printable(&kid), "."].concat(),
            None => "The token has no `kid`.".to_owned(),
        };
        match error {
            JwtError::Malformed(problem) => Self::new(ErrorCode::IdTokenMalformed, sentence(problem)),
            JwtError::AlgorithmRefused { got } => {
                Self::new(ErrorCode::IdTokenAlgorithmRefused, ["`alg` is ", &printable(&got), "."].concat())
            }
            JwtError::AlgorithmUnavailable(algorithm) => {
                let detail = ["This browser cannot verify ", algorithm.as_str(), "."].concat();
                Self::new(ErrorCode::IdTokenUnverifiable, detail)
            }
            JwtError::KeysInvalid(problem) => Self::new(ErrorCode::JwksInvalid, sentence(problem)),
            JwtError::KeyMissing { kid } => Self::new(ErrorCode::JwksKeyMissing, about(kid)),
            JwtError::KeyAmbiguous { kid } => Self::new(ErrorCode::JwksKeyAmbiguous, about(kid)),
            JwtError::SignatureInvalid => ErrorCode::IdTokenSignatureInvalid.into(),
        }
    }
}

/// A few words as a sentence.
fn sentence(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(rest).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_code_and_says_what_it_is_about() {
        let kid = || Some("key\n1".to_owned());
        let cases = [
            (JwtError::Malformed("it is not signed"), "id_token_malformed", "It is not signed."),
            (JwtError::AlgorithmRefused { got: "HS256".to_owned() }, "id_token_algorithm_refused", "`alg` is HS256."),
            (JwtError::KeysInvalid("there is no list of keys"), "jwks_invalid", "There is no list of keys."),
            (JwtError::KeyMissing { kid: kid() }, "jwks_key_missing", "`kid` is key?1."),
            (JwtError::KeyMissing { kid: None }, "jwks_key_missing", "The token has no `kid`."),
            (JwtError::KeyAmbiguous { kid: kid() }, "jwks_key_ambiguous", "`kid` is key?1."),
            (
                JwtError::AlgorithmUnavailable(Algorithm::EdDsa),
                "id_token_unverifiable",
                "This browser cannot verify EdDSA.",
            ),
            (JwtError::SignatureInvalid, "id_token_signature_invalid", ""),
        ];
        for (refusal, code, detail) in cases {
            let error = Error::from(refusal);
            assert_eq!((error.code.as_str(), error.detail.as_str()), (code, detail));
        }
    }

    #[test]
    fn newer_keys_are_worth_asking_for_only_where_they_could_help() {
        for (refusal, worth) in [
            (JwtError::Malformed("x"), false),
            (JwtError::AlgorithmRefused { got: "none".to_owned() }, false),
            (JwtError::KeysInvalid("x"), false),
            (JwtError::AlgorithmUnavailable(Algorithm::EdDsa), false),
            (JwtError::KeyMissing { kid: None }, true),
            (JwtError::KeyAmbiguous { kid: None }, true),
            (JwtError::SignatureInvalid, true),
        ] {
            assert_eq!(refusal.may_be_outdated(), worth, "{refusal:?}");
        }
    }
}
