//! From judged answers to a [`Session`]. Pure.

use super::options::SessionConfig;
use crate::protocol::token::TokenResponse;
use crate::protocol::userinfo;
use crate::types::{Credential, Json, Scope, Session, Source, Tokens, UnixMillis};
use std::rc::Rc;

/// What a token answer and its ID-token claims make, on top of the session that was renewed.
pub(super) struct Parts<'a> {
    pub(super) response: TokenResponse,
    /// Claims that passed the rules, if the answer had an ID token.
    pub(super) claims: Option<Json>,
    /// What the UserInfo endpoint said about the user of these claims, if it was asked.
    pub(super) userinfo: Option<Json>,
    /// The user, where it comes from elsewhere than the ID token.
    pub(super) user: Option<Json>,
    pub(super) source: Source,
    /// When the answer arrived.
    pub(super) at: UnixMillis,
    /// Server minus device clock, milliseconds.
    pub(super) skew: i64,
    /// The session before, on renewal. What the answer does not say again stays. RFC 6749 §6.
    pub(super) previous: Option<&'a Session>,
}

impl Parts<'_> {
    pub(super) fn session(self) -> Session {
        let previous_tokens = self.previous.and_then(Session::tokens);
        let claims = self.claims.map(Rc::new);
        let userinfo = match (self.userinfo.map(Rc::new), previous_tokens, &claims) {
            (Some(told), _, _) => Some(told),
            (None, Some(Tokens { userinfo: Some(told), id_claims: Some(before), .. }), Some(claims)) => {
                Some(Rc::new(userinfo::beside(told, before, claims)))
            }
            (None, previous, _) => previous.and_then(|tokens| tokens.userinfo.clone()),
        };
        let known = match (&claims, &userinfo) {
            (Some(claims), Some(told)) => Some(Rc::new(userinfo::merged(claims, told))),
            (claims, _) => claims.clone(),
        };
        let user = match (self.user, known, self.previous) {
            (Some(user), _, _) => Rc::new(user),
            (None, Some(known), Some(previous)) if *previous.user == *known => Rc::clone(&previous.user),
            (None, Some(known), _) => known,
            (None, None, Some(previous)) => Rc::clone(&previous.user),
            (None, None, None) => Rc::new(Json::Object(Vec::new())),
        };
        let mut facts = self.previous.map(|previous| previous.facts.clone()).unwrap_or_default();
        let text = |name: &str| claims.as_deref().unwrap_or(&user).get(name).and_then(Json::text).map(str::to_owned);
        facts.sub = text("sub").or(facts.sub);
        facts.sid = text("sid").or(facts.sid);
        facts.acr = text("acr").or(facts.acr);
        if let Some(claims) = &claims {
            if let Some(methods) = claims.get("amr").and_then(Json::list) {
                facts.amr = methods.iter().filter_map(Json::text).map(str::to_owned).collect();
            }
            let auth_time = claims.get("auth_time").and_then(Json::number).and_then(UnixMillis::from_seconds);
            facts.auth_time = auth_time.map(|at| at.shifted(-self.skew)).or(facts.auth_time);
        }
        facts.issued_at = Some(self.at);
        facts.expires_at = self.response.expires_at;
        facts.refresh_expires_at = self.response.refresh_expires_at.or(facts.refresh_expires_at);
        facts.scope = self.response.scope.or(facts.scope);
        facts.skew = self.skew;
        let tokens = Tokens {
            access: self.response.access,
            refresh: self.response.refresh.or_else(|| previous_tokens.and_then(|tokens| tokens.refresh.clone())),
            id_token: self.response.id_token.or_else(|| previous_tokens.and_then(|tokens| tokens.id_token.clone())),
            id_claims: claims.or_else(|| previous_tokens.and_then(|tokens| tokens.id_claims.clone())),
            userinfo,
            source: self.source,
            binding: self.response.binding,
        };
        Session::new(user, facts, Credential::Tokens(tokens))
    }
}

/// The scope that a token covers when the answer does not say: the one that was asked for. RFC 6749 §5.1.
pub(super) fn with_scope(mut response: TokenResponse, asked: &Scope, previous: Option<&Session>) -> TokenResponse {
    if response.scope.is_none() && previous.is_none() {
        response.scope = Some(asked.clone());
    }
    response
}

/// What the server rendered into the page.
pub(super) fn initial_session(config: &SessionConfig) -> Option<Option<Session>> {
    let initial = config.initial_session.as_ref()?;
    let session = initial.as_ref().and_then(crate::protocol::session::parse_payload);
    Some(session.map(|answer| answer.session))
}
