//! What has to be known to judge an ID token: everything but the keys.
//!
//! OpenID Connect Core 1.0 §3.1.3.7, §12.2. It is judged where signatures are verified, which in the npm package is another
//! WebAssembly module than the one that has got the token; between the two of one build it travels as text.

use super::algs::Allowed;
#[cfg(feature = "jwt")]
use super::{
    id_token::Expected,
    judge::{Beside, IdClaims, judge, judge_refreshed, judge_unsigned},
    rules::IdTokenError,
    verify::Verified,
};
#[cfg(feature = "jwt")]
use crate::types::text::split_once;
use crate::types::{AccessToken, ClientId, IdToken, Issuer, Json, Lifetime, Members, Nonce, UnixMillis, WebUrl};
use std::rc::Rc;
use zeroize::Zeroizing;

/// An ID token, and what it is compared with.
#[derive(Clone, PartialEq)]
pub struct IdTokenCheck {
    /// As received.
    pub token: IdToken,
    /// The access token of the same answer, if there is one.
    pub access: Option<AccessToken>,
    /// The configured issuer.
    pub issuer: Issuer,
    /// Our own client id.
    pub client_id: ClientId,
    /// The nonce of the request; `None` where there was no request.
    pub nonce: Option<Nonce>,
    /// How long ago the user may have signed in actively.
    pub max_age: Option<Lifetime>,
    /// What was asked as `acr_values`; empty where nothing was.
    pub acr: Vec<String>,
    /// Tolerance of the time claims.
    pub leeway: Lifetime,
    /// The server's time, as well as it is known.
    pub now: UnixMillis,
    /// The claims before, where a refresh brought this token.
    pub previous: Option<Rc<Json>>,
    /// What `typ` of the header must be, where the token is another one than an ID token.
    pub typ: Option<String>,
    /// Where the provider's keys are, and by what the token may be signed. `None`: the application has TLS stand in for the
    /// signature (rule 6).
    pub signature: Option<(WebUrl, Allowed)>,
}

impl std::fmt::Debug for IdTokenCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdTokenCheck")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl IdTokenCheck {
    /// As text, wiped on drop: a JSON object, and in a line of its own the token, which has no line break in it.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let acr = self.acr.iter().map(|value| value.as_str().into()).collect();
        let check = Zeroizing::new(
            Members::new()
                .text("access", self.access.as_ref().map(AccessToken::expose))
                .text("iss", Some(self.issuer.as_str()))
                .text("aud", Some(self.client_id.as_str()))
                .text("nonce", self.nonce.as_ref().map(Nonce::as_str))
                .number("max_age", self.max_age.map(|max_age| max_age.millis() as f64))
                .value("acr", Some(Json::List(acr)))
                .number("leeway", Some(self.leeway.millis() as f64))
                .number("now", Some(self.now.0 as f64))
                .value("previous", self.previous.as_deref().cloned())
                .text("typ", self.typ.as_deref())
                .text("keys", self.signature.as_ref().map(|(keys, _)| keys.as_str()))
                .number("algs", self.signature.as_ref().map(|(_, allowed)| f64::from(allowed.bits())))
                .object(),
        );
        Zeroizing::new([&check.to_secret_text(), "\n", self.token.expose()].concat())
    }
}

#[cfg(feature = "jwt")]
impl IdTokenCheck {
    /// Reads what [`to_text`](Self::to_text) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (check, token) = split_once(text, "\n")?;
        let json = Zeroizing::new(Json::parse(check)?);
        let text = |value: &Json| value.text().map(str::to_owned);
        let millis = |value: &Json| value.number().map(|number| number as i64);
        let keys = match (json.get("keys"), json.get("algs")) {
            (None, None) => None,
            (keys, algs) => Some((WebUrl::parse(keys?.text()?)?, Allowed::from_bits(millis(algs?)?.try_into().ok()?)?)),
        };
        Some(Self {
            token: IdToken::new(token.to_owned())?,
            access: match json.get("access") {
                Some(access) => Some(AccessToken::new(text(access)?)?),
                None => None,
            },
            issuer: Issuer(text(json.get("iss")?)?),
            client_id: ClientId(text(json.get("aud")?)?),
            nonce: match json.get("nonce") {
                Some(nonce) => Some(Nonce(text(nonce)?)),
                None => None,
            },
            max_age: match json.get("max_age") {
                Some(max_age) => Some(Lifetime::from_millis(millis(max_age)?)),
                None => None,
            },
            acr: json.get("acr")?.list()?.iter().map(text).collect::<Option<_>>()?,
            leeway: Lifetime::from_millis(millis(json.get("leeway")?)?),
            now: UnixMillis(millis(json.get("now")?)?),
            previous: json.get("previous").cloned().map(Rc::new),
            typ: match json.get("typ") {
                Some(typ) => Some(text(typ)?),
                None => None,
            },
            signature: keys,
        })
    }

    /// Judges the token after its signature was found right.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn judge(&self, token: &Verified) -> Result<IdClaims, IdTokenError> {
        self.with(|expected, beside| match &self.previous {
            Some(previous) => judge_refreshed(token, previous, expected, beside),
            None => judge(token, expected, beside),
        })
    }

    /// Judges all but the signature.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn judge_unsigned(&self) -> Result<Json, IdTokenError> {
        self.with(|expected, beside| judge_unsigned(&self.token, self.previous.as_deref(), expected, beside))
    }

    fn with<T>(&self, judge: impl FnOnce(&Expected<'_>, &Beside<'_>) -> T) -> T {
        let expected = Expected {
            issuer: &self.issuer,
            client_id: &self.client_id,
            nonce: self.nonce.as_ref(),
            max_age: self.max_age,
            leeway: self.leeway,
            now: self.now,
            typ: self.typ.as_deref(),
        };
        let acr: Vec<&str> = self.acr.iter().map(String::as_str).collect();
        judge(&expected, &Beside { access: self.access.as_ref(), acr: &acr })
    }
}

#[cfg(feature = "jwt")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::testing::{CLAIMS, changed, context, id_token};

    fn check(signature: Option<(WebUrl, Allowed)>) -> IdTokenCheck {
        let context = context();
        IdTokenCheck {
            token: id_token(r#"{"alg":"RS256"}"#, CLAIMS),
            access: AccessToken::new("access-\"1\"".to_owned()),
            typ: Some("at+jwt".to_owned()),
            issuer: context.issuer.clone(),
            client_id: context.client_id.clone(),
            nonce: Some(context.nonce.clone()),
            max_age: Some(Lifetime::ZERO),
            acr: vec!["gold".to_owned(), "silver".to_owned()],
            leeway: Lifetime::from_seconds(60),
            now: context.expected().now,
            previous: Json::parse(CLAIMS).map(Rc::new),
            signature,
        }
    }

    #[test]
    fn a_check_survives_as_text() {
        let keys = WebUrl::parse("https://as.example/jwks").unwrap();
        for signature in [None, Some((keys, Allowed::default()))] {
            let whole = check(signature);
            assert_eq!(IdTokenCheck::parse(&whole.to_text()), Some(whole.clone()));
            let bare = IdTokenCheck {
                access: None,
                nonce: None,
                max_age: None,
                acr: Vec::new(),
                previous: None,
                typ: None,
                ..whole
            };
            assert_eq!(IdTokenCheck::parse(&bare.to_text()), Some(bare));
        }
    }

    #[test]
    fn a_check_prints_whom_it_is_for_and_no_token() {
        let check = IdTokenCheck { token: id_token(r#"{"alg":"RS256"}"#, r#"{"sub":"CANARY"}"#), ..check(None) };
        let printed = format!("{check:?}");
        assert!(printed.contains("https://as.example") && printed.contains("app"), "{printed}");
        let token = check.token.expose();
        assert!(!printed.contains(token) && !printed.contains("access-"), "{printed}");
    }

    #[test]
    fn what_is_no_check_is_not_taken_for_one_and_never_for_one_without_a_signature() {
        let keys = WebUrl::parse("https://as.example/jwks").unwrap();
        let text = check(Some((keys, Allowed::default()))).to_text();
        let (check, token) = text.split_once('\n').unwrap();
        for (name, value) in [
            ("keys", ""),
            ("keys", "\"http:\""),
            ("algs", ""),
            ("algs", "0"),
            ("algs", "65535"),
            ("algs", "-1"),
            ("access", "1"),
            ("typ", "1"),
            ("iss", ""),
            ("aud", "7"),
            ("now", ""),
            ("leeway", ""),
            ("acr", ""),
            ("acr", "[1]"),
            ("nonce", "1"),
            ("nonce", "null"),
            ("max_age", "\"1\""),
        ] {
            let changed = changed(check, &[(name, value)]);
            assert_eq!(IdTokenCheck::parse(&[&changed, "\n", token].concat()), None, "{name} {value}");
        }
        for text in ["[]", "", "\n", check, token, &[check, "\n"].concat(), &[check, token].concat()] {
            assert_eq!(IdTokenCheck::parse(text), None, "{text}");
        }
    }

    #[test]
    fn without_a_signature_all_other_rules_hold() {
        let first = IdTokenCheck { previous: None, max_age: None, acr: Vec::new(), typ: None, ..check(None) };
        assert_eq!(first.judge_unsigned().map(|claims| claims.to_text()), Ok(CLAIMS.to_owned()));
        let other = IdTokenCheck { nonce: Some(Nonce("m".to_owned())), ..first.clone() };
        assert_eq!(other.judge_unsigned(), Err(IdTokenError::NonceMismatch));
        let insists = IdTokenCheck { acr: vec!["gold".to_owned()], ..first.clone() };
        assert!(matches!(insists.judge_unsigned(), Err(IdTokenError::AcrMismatch { .. })));
        let swapped = changed(CLAIMS, &[("at_hash", "\"AAAAAAAAAAAAAAAAAAAAAA\"")]);
        let token = id_token(r#"{"alg":"RS256"}"#, &swapped);
        assert_eq!(IdTokenCheck { token, ..first.clone() }.judge_unsigned(), Err(IdTokenError::AccessTokenMismatch));
        let previous = Json::parse(&changed(CLAIMS, &[("sub", "\"user-2\"")])).map(Rc::new);
        assert_eq!(IdTokenCheck { previous, ..first }.judge_unsigned(), Err(IdTokenError::SubjectChanged));
    }
}
