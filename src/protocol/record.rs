//! The stored form of a session: versioned JSON text.
//!
//! Written by one version of authsafe and read by another, after a crash, a downgrade, or somebody else's hand: whatever
//! is not exactly a record is a fault with a name, and never a panic. Instants are milliseconds of the device's clock, and
//! exact within ±2⁵³. The text holds secrets; it is wiped on drop and written without intermediate copies.

use super::endpoint::json_text;
use crate::types::{
    AccessToken, Binding, Credential, ExpiresAt, IdToken, Json, Members, RefreshToken, Scope, Session, SessionFacts,
    Source, Tokens, UnixMillis,
};
use std::rc::Rc;
use zeroize::Zeroizing;

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Names the sign-in that the session descends from.
    pub lineage: String,
    /// Counts the renewals of the lineage.
    pub generation: u64,
    /// The session.
    pub session: Session,
}

/// Why a text is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFault {
    /// It was one, and is damaged.
    Corrupt,
    /// A newer version wrote it.
    Newer,
    /// Something else wrote it.
    Foreign,
}

impl Record {
    /// The text to store.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let facts = &self.session.facts;
        let credential = match &self.session.credential {
            Credential::Cookie => None,
            Credential::Tokens(tokens) => Some(write_tokens(tokens)),
        };
        let amr = facts.amr.iter().map(|method| Json::from(method.as_str())).collect();
        json_text(&Zeroizing::new(
            Members::new()
                .number("v", Some(VERSION))
                .text("lineage", Some(&self.lineage))
                .number("generation", Some(self.generation.min(MOST) as f64))
                .value("user", Some((*self.session.user).clone()))
                .text("sub", facts.sub.as_deref())
                .text("sid", facts.sid.as_deref())
                .number("issued_at", write_instant(facts.issued_at))
                .number("expires_at", write_end(facts.expires_at))
                .number("refresh_expires_at", write_end(facts.refresh_expires_at))
                .number("absolute_expires_at", write_end(facts.absolute_expires_at))
                .text("acr", facts.acr.as_deref())
                .value("amr", Some(Json::List(amr)))
                .number("auth_time", write_instant(facts.auth_time))
                .text("scope", facts.scope.as_ref().map(Scope::as_str))
                .number("skew", write_instant(Some(UnixMillis(facts.skew))))
                .value("tokens", credential)
                .object(),
        ))
    }

    /// Reads a text that was stored.
    ///
    /// # Errors
    /// Says whose fault it is that the text is no record of this version.
    pub fn parse(text: &str) -> Result<Self, RecordFault> {
        let json = Zeroizing::new(Json::parse(text).ok_or(RecordFault::Corrupt)?);
        let version = json.get("v").and_then(Json::number).ok_or(RecordFault::Foreign)?;
        if version > VERSION {
            return Err(RecordFault::Newer);
        }
        let record = if version == VERSION { read(&json) } else { None };
        record.ok_or(RecordFault::Corrupt)
    }
}

/// What stands in the place of a record after its end: no secret, only the name of the sign-in that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The sign-in.
    pub lineage: String,
    /// The user signed out, which is not to be undone. Otherwise the session ended by itself.
    pub wished: bool,
}

impl Mark {
    /// The text to store.
    #[must_use]
    pub fn to_text(&self) -> String {
        [if self.wished { ENDED } else { LAPSED }, &self.lineage, "\"}"].concat()
    }

    /// Reads what [`to_text`](Self::to_text) wrote, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, wished) = match text.strip_prefix(ENDED) {
            Some(rest) => (rest, true),
            None => (text.strip_prefix(LAPSED)?, false),
        };
        let lineage = rest.strip_suffix("\"}")?;
        let plain = lineage.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then(|| Self { lineage: lineage.to_owned(), wished })
    }
}

const ENDED: &str = "{\"v\":1,\"ended\":\"";
const LAPSED: &str = "{\"v\":1,\"lapsed\":\"";

/// The mark of a sign-out of this sign-in, as text.
#[must_use]
pub fn ended_text(lineage: &str) -> String {
    Mark { lineage: lineage.to_owned(), wished: true }.to_text()
}

/// The sign-in that is over, if `text` is a mark.
#[must_use]
pub fn parse_ended(text: &str) -> Option<String> {
    Mark::parse(text).map(|mark| mark.lineage)
}

fn write_tokens(tokens: &Tokens) -> Json {
    let source = match tokens.source {
        Source::Oidc => OIDC,
        Source::FirstParty => FIRST_PARTY,
    };
    Members::new()
        .text("access", Some(tokens.access.expose()))
        .text("refresh", tokens.refresh.as_ref().map(RefreshToken::expose))
        .text("id_token", tokens.id_token.as_ref().map(IdToken::expose))
        .value("id_claims", tokens.id_claims.as_deref().cloned())
        .value("userinfo", tokens.userinfo.as_deref().cloned())
        .text("source", Some(source))
        .text("jkt", tokens.binding.as_ref().map(|binding| binding.jkt.as_str()))
        .value("bound", tokens.binding.as_ref().map(|binding| Json::Bool(binding.access)))
        .object()
}

fn write_instant(at: Option<UnixMillis>) -> Option<f64> {
    at.map(|at| at.0.clamp(-(MOST as i64), MOST as i64) as f64)
}

fn write_end(end: Option<ExpiresAt>) -> Option<f64> {
    write_instant(end.map(|end| end.0))
}

/// `None` for any member that is missing, of another type, or not of this version.
fn read(json: &Json) -> Option<Record> {
    if json.members()?.iter().any(|(name, _)| !MEMBERS.contains(&name.as_str())) {
        return None;
    }
    let user = json.get("user").filter(|user| user.members().is_some())?;
    let instant = |name| optional(json, name, integer).map(|at| at.map(UnixMillis));
    let end = |name| Some(instant(name)?.map(ExpiresAt));
    let facts = SessionFacts {
        sub: optional(json, "sub", owned)?,
        sid: optional(json, "sid", owned)?,
        issued_at: instant("issued_at")?,
        expires_at: end("expires_at")?,
        refresh_expires_at: end("refresh_expires_at")?,
        absolute_expires_at: end("absolute_expires_at")?,
        idle_expires_at: None,
        acr: optional(json, "acr", owned)?,
        amr: json.get("amr")?.list()?.iter().map(owned).collect::<Option<_>>()?,
        auth_time: instant("auth_time")?,
        scope: optional(json, "scope", owned)?.map(Scope),
        skew: integer(json.get("skew")?)?,
    };
    let credential = optional(json, "tokens", read_tokens)?.map_or(Credential::Cookie, Credential::Tokens);
    Some(Record {
        lineage: owned(json.get("lineage")?)?,
        generation: u64::try_from(integer(json.get("generation")?)?).ok()?,
        session: Session::new(Rc::new(user.clone()), facts, credential),
    })
}

fn read_tokens(json: &Json) -> Option<Tokens> {
    if json.members()?.iter().any(|(name, _)| !TOKEN_MEMBERS.contains(&name.as_str())) {
        return None;
    }
    let source = match json.get("source")?.text()? {
        OIDC => Source::Oidc,
        FIRST_PARTY => Source::FirstParty,
        _ => return None,
    };
    let claims = |name| optional(json, name, |claims| claims.members().map(|_| Rc::new(claims.clone())));
    Some(Tokens {
        access: AccessToken::new(owned(json.get("access")?)?)?,
        refresh: optional(json, "refresh", |token| RefreshToken::new(owned(token)?))?,
        id_token: optional(json, "id_token", |token| IdToken::new(owned(token)?))?,
        id_claims: claims("id_claims")?,
        userinfo: claims("userinfo")?,
        source,
        binding: match (optional(json, "jkt", owned)?, optional(json, "bound", flag)?) {
            (Some(jkt), Some(access)) => Some(Binding { jkt, access }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return None,
        },
    })
}

/// The outer `None` is a member that `read` refuses, the inner one a member that is absent.
fn optional<T>(json: &Json, name: &str, read: impl Fn(&Json) -> Option<T>) -> Option<Option<T>> {
    json.get(name).map_or(Some(None), |value| read(value).map(Some))
}

fn owned(json: &Json) -> Option<String> {
    json.text().map(str::to_owned)
}

fn flag(json: &Json) -> Option<bool> {
    if let Json::Bool(value) = json { Some(*value) } else { None }
}

fn integer(json: &Json) -> Option<i64> {
    let number = json.number()?;
    (number == number.trunc() && number.abs() <= MOST as f64).then_some(number as i64)
}

const VERSION: f64 = 1.0;

/// The largest integer up to which every integer is exact in JSON's numbers.
const MOST: u64 = 1 << 53;

const OIDC: &str = "oidc";
const FIRST_PARTY: &str = "first_party";

const MEMBERS: &[&str] = &[
    "v",
    "lineage",
    "generation",
    "user",
    "sub",
    "sid",
    "issued_at",
    "expires_at",
    "refresh_expires_at",
    "absolute_expires_at",
    "acr",
    "amr",
    "auth_time",
    "scope",
    "skew",
    "tokens",
];
const TOKEN_MEMBERS: &[&str] = &["access", "refresh", "id_token", "id_claims", "userinfo", "source", "jkt", "bound"];

#[cfg(test)]
mod tests;
