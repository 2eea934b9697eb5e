//! When a credential is renewed, how long to wait after a failure, and what a failure means for the session.
//!
//! RFC 9700 §4.14.2 (rotation makes a needless refresh a risk), RFC 9110 §10.2.3 (`Retry-After`).

use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::types::{ExpiresAt, Lifetime, UnixMillis};

/// When an expiring credential is renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// Renew by a timer before the credential expires; otherwise on use.
    pub proactive: bool,
    /// How early, where the application has chosen.
    pub early: Option<Lifetime>,
    /// Attempts in a row before the timer leaves renewal to the next use.
    pub max_attempts: u32,
    /// How long after the credential's end somebody still counts as signed in while the server cannot be asked; `None`: until
    /// it can.
    pub grace: Option<Lifetime>,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self { proactive: true, early: None, max_attempts: 5, grace: None }
    }
}

/// What a failed renewal means for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is nothing left to renew, or it belongs to somebody else: the server says so, or the key for it is gone.
    EndSession,
    /// The credential is kept and used until its end; the timer tries again.
    KeepAndRetry,
    /// The credential is kept and used until its end; the same request would fail again, so only the next use tries.
    KeepAndStop,
}

/// When the timer renews a credential; `None` where it is renewed on use only.
///
/// The margin is the smaller of a minute and a tenth of the lifetime, or what the policy says, but never more than half
/// of the lifetime: a renewal that is due as soon as it is done would be a request storm. Up to a tenth of the margin
/// comes on top by chance, so that tabs and devices that signed in together do not renew together.
#[must_use]
pub fn refresh_at(
    issued_at: UnixMillis,
    expires_at: ExpiresAt,
    policy: &RefreshPolicy,
    random: u64,
) -> Option<UnixMillis> {
    let life = issued_at.until(expires_at.0);
    let margin = match policy.early {
        Some(early) => early.min(life.part(1, 2)),
        None if life <= SHORT => return None,
        None => LONGEST_MARGIN.min(life.part(1, 10)),
    };
    let early = margin.millis().saturating_add(jitter(margin.part(1, 10), random).millis());
    (policy.proactive && life > Lifetime::ZERO).then(|| expires_at.0.minus(Lifetime::from_millis(early)))
}

/// How long to wait after the failure number `attempt`, counted from 1.
///
/// Exponential with full jitter: anything up to 1, 2, 4, … 60 seconds. Where the server asks for a time, that is the least,
/// up to five minutes: a longer wish would outlive the credential, and the limit holds against a server that lies.
#[must_use]
pub fn backoff(attempt: u32, random: u64, retry_after: Option<Lifetime>) -> Lifetime {
    let ceiling = Lifetime::from_millis(BASE.millis() << attempt.saturating_sub(1).min(6)).min(CEILING);
    let wait = jitter(ceiling, random).max(FLOOR);
    match retry_after {
        None => wait,
        Some(asked) => {
            let asked = asked.min(LONGEST_RETRY_AFTER);
            let spread = jitter(asked.part(1, 10), random);
            Lifetime::from_millis(asked.millis().saturating_add(spread.millis())).max(wait).min(LONGEST_RETRY_AFTER)
        }
    }
}

/// How much longer a hidden tab waits before it renews, where `margin` is left until the end, so that a visible one goes first.
/// If there is none, it renews all the same.
#[must_use]
pub fn deference(margin: Lifetime) -> Lifetime {
    margin.part(1, 4).min(DEFERENCE)
}

/// What a failure of this code means for the session that was to be renewed.
#[must_use]
pub fn outcome(code: ErrorCode) -> Outcome {
    match code {
        // A token that the provider has not signed, or that breaks a rule, may come from anybody, and so may those beside it.
        ErrorCode::SessionExpired
        | ErrorCode::IdentityChanged
        | ErrorCode::IdTokenAlgorithmRefused
        | ErrorCode::IdTokenInvalid
        | ErrorCode::IdTokenMalformed
        | ErrorCode::IdTokenSignatureInvalid
        | ErrorCode::DpopKeyLost
        | ErrorCode::DpopNotBound => Outcome::EndSession,
        ErrorCode::NetworkOrCors
        | ErrorCode::Timeout
        | ErrorCode::RateLimited
        | ErrorCode::ServerError
        | ErrorCode::ResponseInvalid
        | ErrorCode::ResponseTooLarge
        | ErrorCode::RedirectRefused
        | ErrorCode::CsrfRejected
        | ErrorCode::IdTokenUnverifiable
        | ErrorCode::JwksUnavailable
        | ErrorCode::UserinfoUnavailable => Outcome::KeepAndRetry,
        ErrorCode::Aborted
        | ErrorCode::AccessDenied
        | ErrorCode::AuthenticationInsufficient
        | ErrorCode::AuthorizationFailed
        | ErrorCode::CallbackInvalid
        | ErrorCode::CallbackReplayed
        | ErrorCode::ConfigInvalid
        | ErrorCode::CoreLost
        | ErrorCode::CredentialsRejected
        | ErrorCode::CsrfUnavailable
        | ErrorCode::DiscoveryInvalid
        | ErrorCode::Disposed
        | ErrorCode::DpopNonceUnavailable
        | ErrorCode::DpopUnavailable
        | ErrorCode::IdTokenMissing
        | ErrorCode::InsecureContext
        | ErrorCode::IsolationUnavailable
        | ErrorCode::IssuerMismatch
        | ErrorCode::JwksInvalid
        | ErrorCode::JwksKeyAmbiguous
        | ErrorCode::JwksKeyMissing
        | ErrorCode::LoginRequired
        | ErrorCode::RefreshAmbiguous
        | ErrorCode::RefreshUnavailable
        | ErrorCode::RequestRefused
        | ErrorCode::ReturnToRefused
        | ErrorCode::SessionLocked
        | ErrorCode::StorageUnavailable
        | ErrorCode::TokenIsolated
        | ErrorCode::TokenRequestRejected
        | ErrorCode::TokenTypeUnsupported
        | ErrorCode::TransactionExpired
        | ErrorCode::UserinfoInvalid
        | ErrorCode::UserinfoSubjectMismatch
        | ErrorCode::WasmBlockedByCsp
        | ErrorCode::WasmLoadFailed
        | ErrorCode::WasmTrapped => Outcome::KeepAndStop,
    }
}

/// Whether a request for renewal that failed so may have renewed all the same: it was sent, and no usable answer came of it.
/// A refresh token that rotates may be spent then, and sending it again may be taken for theft. RFC 9700 §4.14.2.
#[must_use]
pub fn is_unknown(error: &Error) -> bool {
    let sent = error.phase == ErrorPhase::Refresh;
    let good = error.status.is_none_or(|status| (200..300).contains(&status));
    let unusable = matches!(
        error.code,
        ErrorCode::NetworkOrCors
            | ErrorCode::Timeout
            | ErrorCode::ResponseInvalid
            | ErrorCode::ResponseTooLarge
            | ErrorCode::TokenTypeUnsupported
            | ErrorCode::AuthenticationInsufficient
            | ErrorCode::IdTokenMissing
            | ErrorCode::IdTokenUnverifiable
            | ErrorCode::IssuerMismatch
            | ErrorCode::JwksInvalid
            | ErrorCode::JwksKeyAmbiguous
            | ErrorCode::JwksKeyMissing
            | ErrorCode::JwksUnavailable
    );
    sent && good && unusable
}

/// Whether a failure of this code leaves open what an ID token is worth: what judges it, or the keys for it, could not be had.
/// None of that is the user's doing, nor a reason to give up tokens that the server has just renewed.
#[must_use]
pub fn is_undecided(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DiscoveryInvalid
            | ErrorCode::IdTokenUnverifiable
            | ErrorCode::JwksInvalid
            | ErrorCode::JwksKeyAmbiguous
            | ErrorCode::JwksKeyMissing
            | ErrorCode::JwksUnavailable
            | ErrorCode::Timeout
            | ErrorCode::WasmBlockedByCsp
            | ErrorCode::WasmLoadFailed
            | ErrorCode::WasmTrapped
    )
}

/// How often a refresh token is sent without a usable answer: once, and once more after the server was seen to be there.
pub const MOST_TRIES: u32 = 2;

/// Between nothing and `most`, both included.
fn jitter(most: Lifetime, random: u64) -> Lifetime {
    // The modulo's bias is far below a millisecond's worth for durations of minutes.
    Lifetime::from_millis((random % (most.millis().unsigned_abs() + 1)) as i64)
}

/// A session makes at most this many token requests in [`SPAN`], whatever asks for them. One that renews by timer makes a few
/// in an hour.
pub const LIMIT: usize = 10;
/// See [`LIMIT`].
pub const SPAN: Lifetime = Lifetime::from_seconds(60);

/// Credentials that live no longer are renewed on use only.
const SHORT: Lifetime = Lifetime::from_seconds(30);
const LONGEST_MARGIN: Lifetime = Lifetime::from_seconds(60);
const DEFERENCE: Lifetime = Lifetime::from_seconds(10);
const BASE: Lifetime = Lifetime::from_seconds(1);
const CEILING: Lifetime = Lifetime::from_seconds(60);
/// Chance must not make "later" mean "at once".
const FLOOR: Lifetime = Lifetime::from_millis(100);
const LONGEST_RETRY_AFTER: Lifetime = Lifetime::from_seconds(300);

#[cfg(test)]
mod tests {
    use super::*;

    const DICE: [u64; 7] = [0, 1, 999, 1_000_003, u64::MAX / 3, u64::MAX - 1, u64::MAX];

    fn at(seconds: i64) -> UnixMillis {
        UnixMillis(seconds * 1000)
    }

    fn early(seconds: i64) -> RefreshPolicy {
        RefreshPolicy { early: Some(Lifetime::from_seconds(seconds)), ..RefreshPolicy::default() }
    }

    #[test]
    fn a_credential_is_renewed_a_minute_or_a_tenth_of_its_life_before_its_end() {
        let default = RefreshPolicy::default();
        // Issued at 1000; (end, policy, latest instant of renewal), all in seconds.
        for (end, policy, latest) in [
            (1000 + 3600, &default, Some(4540)),
            (1000 + 600, &default, Some(1540)),
            (1000 + 100, &default, Some(1090)),
            (1000 + 31, &default, Some(1027)),
            (1000 + 30, &default, None),
            (1000 + 1, &default, None),
            (1000, &default, None),
            (900, &default, None),
            (1000 + 3600, &early(300), Some(4300)),
            (1000 + 30, &early(5), Some(1025)),
            (1000 + 30, &early(30), Some(1015)),
            (1000 + 600, &early(100_000), Some(1300)),
            (1000, &early(5), None),
            (900, &early(5), None),
            (1000 + 600, &early(0), Some(1600)),
        ] {
            for random in DICE {
                let got = refresh_at(at(1000), ExpiresAt(at(end)), policy, random);
                let Some(latest) = latest else {
                    assert_eq!(got, None, "{end} {policy:?}");
                    continue;
                };
                let got = got.unwrap();
                let margin = at(end).0 - at(latest).0;
                assert!(got <= UnixMillis(at(latest).0 + 999), "{end} {policy:?} {random}: {got:?}");
                assert!(got.0 >= at(latest).0 - margin / 10, "{end} {policy:?} {random}: {got:?}");
                assert!(got > at(1000), "due before it was issued");
            }
        }
    }

    #[test]
    fn nothing_is_planned_where_renewal_happens_on_use() {
        let on_use = RefreshPolicy { proactive: false, ..early(60) };
        assert_eq!(refresh_at(at(0), ExpiresAt(at(3600)), &on_use, 7), None);
    }

    #[test]
    fn a_lifetime_without_end_does_not_overflow() {
        let end = ExpiresAt(UnixMillis(i64::MAX));
        for policy in [RefreshPolicy::default(), early(i64::MAX)] {
            assert!(refresh_at(UnixMillis(i64::MIN), end, &policy, u64::MAX).is_some());
        }
    }

    #[test]
    fn the_wait_grows_to_a_minute_and_never_is_nothing() {
        for (attempt, ceiling) in [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (u32::MAX, 60)] {
            let ceiling = Lifetime::from_seconds(ceiling);
            for random in DICE {
                let wait = backoff(attempt, random, None);
                assert!(wait >= FLOOR && wait <= ceiling, "{attempt} {random}: {wait:?}");
            }
            let most = backoff(attempt, ceiling.millis().unsigned_abs(), None);
            assert_eq!(most, ceiling, "the whole range is used");
        }
    }

    #[test]
    fn a_server_that_asks_for_time_gets_it_up_to_five_minutes() {
        for (asked, least, most) in [(0, 0, 60), (30, 30, 60), (120, 120, 132), (300, 300, 300), (86_400, 300, 300)] {
            for random in DICE {
                let wait = backoff(9, random, Some(Lifetime::from_seconds(asked)));
                let range = Lifetime::from_seconds(least)..=Lifetime::from_seconds(most);
                assert!(range.contains(&wait), "{asked} {random}: {wait:?}");
            }
        }
    }

    #[test]
    fn only_what_was_sent_and_not_answered_usably_leaves_the_outcome_unknown() {
        let during = |code: ErrorCode, phase, status| {
            let mut error = Error::from(code).during(phase);
            error.status = status;
            is_unknown(&error)
        };
        assert!(during(ErrorCode::NetworkOrCors, ErrorPhase::Refresh, None));
        assert!(during(ErrorCode::Timeout, ErrorPhase::Refresh, None));
        assert!(during(ErrorCode::ResponseInvalid, ErrorPhase::Refresh, None));
        assert!(!during(ErrorCode::IdTokenInvalid, ErrorPhase::Refresh, None), "the session has ended");
        assert!(
            !during(ErrorCode::JwksUnavailable, ErrorPhase::Discovery, None),
            "the keys were asked for, nothing else"
        );
        assert!(!during(ErrorCode::NetworkOrCors, ErrorPhase::Discovery, None), "the token was not sent");
        assert!(!during(ErrorCode::ResponseInvalid, ErrorPhase::Refresh, Some(403)), "refused");
        assert!(!during(ErrorCode::ServerError, ErrorPhase::Refresh, Some(503)));
        assert!(!during(ErrorCode::RateLimited, ErrorPhase::Refresh, Some(429)));
        assert!(!during(ErrorCode::SessionExpired, ErrorPhase::Refresh, Some(400)));
    }

    #[test]
    fn only_the_server_s_word_or_a_lost_key_ends_a_session_and_what_may_pass_is_tried_again() {
        for code in ErrorCode::ALL {
            match outcome(*code) {
                Outcome::EndSession => {
                    let by_server = matches!(
                        code,
                        ErrorCode::SessionExpired
                            | ErrorCode::IdentityChanged
                            | ErrorCode::IdTokenAlgorithmRefused
                            | ErrorCode::IdTokenInvalid
                            | ErrorCode::IdTokenMalformed
                            | ErrorCode::IdTokenSignatureInvalid
                            | ErrorCode::DpopNotBound
                    );
                    assert!(by_server || *code == ErrorCode::DpopKeyLost, "{code:?}");
                }
                Outcome::KeepAndRetry => assert!(code.retryable() || *code == ErrorCode::RedirectRefused, "{code:?}"),
                Outcome::KeepAndStop => {
                    let instance_is_gone =
                        matches!(code, ErrorCode::WasmTrapped | ErrorCode::WasmLoadFailed | ErrorCode::CoreLost);
                    assert!(!code.retryable() || instance_is_gone, "{code:?}");
                }
            }
        }
    }
}
