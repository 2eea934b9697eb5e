//! Which rule an ID token can break, and what a developer is told about it.
//!
//! OpenID Connect Core 1.0 §3.1.3.7, whose numbers are cited, and §12.2.

use crate::error::{Error, ErrorCode, printable};
use crate::types::{ClientId, Issuer, Lifetime, UnixMillis};

/// Which rule an ID token breaks. In the order in which they are checked.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum IdTokenError {
    /// Not a signed token in compact form, or a claim is missing or of the wrong type; which. Server.
    Malformed(&'static str),
    /// `typ` says that this is another kind of token (RFC 8725 §3.11). Server or attack.
    TypeRefused,
    /// `iss` is not the issuer (rule 2). Configuration or attack.
    IssuerMismatch {
        /// The configured issuer.
        expected: Issuer,
        /// The claim.
        got: String,
    },
    /// `aud` lacks our client id (rule 3). Configuration or attack.
    AudienceMismatch {
        /// Our client id.
        expected: ClientId,
        /// The claim.
        got: Vec<String>,
    },
    /// `azp` is not our client id, or is missing although there are several audiences (rules 4 and 5).
    AuthorizedPartyMismatch {
        /// Our client id.
        expected: ClientId,
        /// The claim.
        got: Option<String>,
    },
    /// `exp` has passed, beyond the tolerance (rule 9).
    Expired {
        /// The claim.
        exp: UnixMillis,
        /// The server's time.
        now: UnixMillis,
        /// By how much they may differ.
        tolerance: Lifetime,
    },
    /// `iat` or `nbf` is in the future, beyond the tolerance (rule 10). Usually a wrong clock.
    NotYetValid {
        /// The later of the claims.
        from: UnixMillis,
        /// The server's time.
        now: UnixMillis,
        /// By how much they may differ.
        tolerance: Lifetime,
    },
    /// `nonce` is missing or is not the one that was sent (rule 11; §12.2). Replay or attack.
    NonceMismatch,
    /// `auth_time` is missing although `max_age` was sent (§2).
    AuthTimeMissing,
    /// The user signed in longer ago than `max_age` (rule 13).
    AuthTimeTooOld {
        /// The claim.
        auth_time: UnixMillis,
        /// What was asked for.
        max_age: Lifetime,
        /// The server's time.
        now: UnixMillis,
    },
    /// `acr` is none of the values that the application insists on (rule 12; RFC 9470 §6.2). The user must sign in again.
    AcrMismatch {
        /// What was asked for.
        expected: Vec<String>,
        /// The claim.
        got: Option<String>,
    },
    /// `at_hash` is not that of the access token beside it (§3.1.3.8). Attack.
    AccessTokenMismatch,
    /// A refresh brought the token of another user (§12.2).
    SubjectChanged,
    /// A refresh changed a claim that must stay the same (§12.2); which.
    ClaimChanged(&'static str),
}

impl From<IdTokenError> for Error {
    /// Names the rule. Values that tell of the user (`sub`) or of the request (`nonce`) are left out.
    fn from(error: IdTokenError) -> Self {
        let seconds = |instant: UnixMillis| instant.seconds().to_string();
        let detail = match error {
            IdTokenError::SubjectChanged => return ErrorCode::IdentityChanged.into(),
            IdTokenError::Malformed(problem) => ["Malformed: ", problem, "."].concat(),
            IdTokenError::TypeRefused => "`typ` is that of another kind of token.".to_owned(),
            IdTokenError::IssuerMismatch { expected, got } => differs("iss", expected.as_str(), &got),
            IdTokenError::AudienceMismatch { expected, got } => differs("aud", expected.as_str(), &list(&got, " ")),
            IdTokenError::AuthorizedPartyMismatch { expected, got } => {
                differs("azp", expected.as_str(), got.as_deref().unwrap_or("nothing"))
            }
            IdTokenError::Expired { exp, now, tolerance: _ } => {
                ["`exp` ", &seconds(exp), " has passed at ", &seconds(now), "."].concat()
            }
            IdTokenError::NotYetValid { from, now, tolerance: _ } => {
                ["`iat` or `nbf` ", &seconds(from), " lies in the future at ", &seconds(now), "."].concat()
            }
            IdTokenError::NonceMismatch => "`nonce` is not the one that was sent.".to_owned(),
            IdTokenError::AuthTimeMissing => "`auth_time` is missing although `max_age` was sent.".to_owned(),
            IdTokenError::AuthTimeTooOld { auth_time, max_age, now } => [
                "`auth_time` ",
                &seconds(auth_time),
                " is more than ",
                &(max_age.millis() / 1000).to_string(),
                " s before ",
                &seconds(now),
                ".",
            ]
            .concat(),
            IdTokenError::AcrMismatch { expected, got } => {
                let detail = differs("acr", &list(&expected, " or "), got.as_deref().unwrap_or("nothing"));
                return Self::new(ErrorCode::AuthenticationInsufficient, detail);
            }
            IdTokenError::AccessTokenMismatch => "`at_hash` is not that of the access token.".to_owned(),
            IdTokenError::ClaimChanged(name) => ["A refresh changed `", name, "`."].concat(),
        };
        Self::new(ErrorCode::IdTokenInvalid, detail)
    }
}

/// Not by `join`, whose code is larger than both messages.
fn list(texts: &[String], between: &str) -> String {
    texts.iter().fold(String::new(), |mut all, text| {
        if !all.is_empty() {
            all.push_str(between);
        }
        all.push_str(text);
        all
    })
}

fn differs(claim: &str, expected: &str, got: &str) -> String {
    ["`", claim, "` should be ", &printable(expected), " and is ", &printable(got), "."].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
    const MINUTE: Lifetime = Lifetime::from_seconds(60);

    fn client() -> ClientId {
        ClientId("app".to_owned())
    }

    #[test]
    fn every_broken_rule_is_one_error_that_names_the_claim() {
        for (broken, claim) in [
            (IdTokenError::Malformed("`exp` is missing"), "exp"),
            (IdTokenError::TypeRefused, "typ"),
            (
                IdTokenError::IssuerMismatch { expected: Issuer("https://a".to_owned()), got: "https://b".to_owned() },
                "iss",
            ),
            (IdTokenError::AudienceMismatch { expected: client(), got: vec!["api".to_owned()] }, "aud"),
            (IdTokenError::AuthorizedPartyMismatch { expected: client(), got: None }, "azp"),
            (IdTokenError::Expired { exp: NOW, now: NOW, tolerance: MINUTE }, "exp"),
            (IdTokenError::NotYetValid { from: NOW, now: NOW, tolerance: MINUTE }, "iat"),
            (IdTokenError::NonceMismatch, "nonce"),
            (IdTokenError::AuthTimeMissing, "auth_time"),
            (IdTokenError::AuthTimeTooOld { auth_time: NOW, max_age: MINUTE, now: NOW }, "auth_time"),
            (IdTokenError::AccessTokenMismatch, "at_hash"),
            (IdTokenError::ClaimChanged("azp"), "azp"),
        ] {
            let error = Error::from(broken);
            assert_eq!(error.code, ErrorCode::IdTokenInvalid, "{claim}");
            assert!(
                error.detail.contains(&["`", claim, "`"].concat()) && error.detail.ends_with('.'),
                "{}",
                error.detail
            );
        }
    }

    #[test]
    fn another_users_token_is_an_error_of_its_own() {
        assert_eq!(Error::from(IdTokenError::SubjectChanged), ErrorCode::IdentityChanged.into());
    }

    #[test]
    fn a_sign_in_that_was_too_weak_is_an_error_of_its_own() {
        let expected = vec!["2".to_owned(), "phr".to_owned()];
        let error = Error::from(IdTokenError::AcrMismatch { expected, got: None });
        assert_eq!(
            error,
            Error::new(ErrorCode::AuthenticationInsufficient, "`acr` should be 2 or phr and is nothing.")
        );
    }

    #[test]
    fn expected_and_got_are_told_and_foreign_text_is_cut() {
        let got = ["https://evil.example/<script>\n\"", &"x".repeat(1000)].concat();
        let error = Error::from(IdTokenError::IssuerMismatch { expected: Issuer("https://a".to_owned()), got });
        assert!(
            error.detail.starts_with("`iss` should be https://a and is https://evil.example/<script>??x"),
            "{}",
            error.detail
        );
        assert!(error.detail.len() < 300);
        let error = Error::from(IdTokenError::Expired { exp: UnixMillis(1_000), now: NOW, tolerance: MINUTE });
        assert_eq!(error.detail, "`exp` 1 has passed at 1700000000.");
        let old = IdTokenError::AuthTimeTooOld { auth_time: UnixMillis(1_000), max_age: MINUTE, now: NOW };
        assert_eq!(Error::from(old).detail, "`auth_time` 1 is more than 60 s before 1700000000.");
    }
}
