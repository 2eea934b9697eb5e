//! A signed-in user, in the same shape for both modes.

use super::{AccessToken, ExpiresAt, IdToken, Json, RefreshToken, Scope, UnixMillis};
use std::rc::Rc;

/// Who is signed in, until when, and by what credential.
///
/// One pointer wide, because sessions are handed on in very many places of the WebAssembly module.
#[derive(Clone, Debug, PartialEq)]
pub struct Session(Box<SessionParts>);

/// What a [`Session`] holds; reached through it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionParts {
    /// Claims about the user: an object, as the server sent it.
    pub user: Rc<Json>,
    /// What is known besides.
    pub facts: SessionFacts,
    /// What proves it to servers.
    pub credential: Credential,
}

/// What is known of a session besides the user. Instants are by the device's clock; `skew` leads to the server's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionFacts {
    /// Subject identifier.
    pub sub: Option<String>,
    /// Session identifier at the server; not a credential.
    pub sid: Option<String>,
    /// When the credential was issued.
    pub issued_at: Option<UnixMillis>,
    /// When the credential in use ends.
    pub expires_at: Option<ExpiresAt>,
    /// When the refresh token ends, if the server says so.
    pub refresh_expires_at: Option<ExpiresAt>,
    /// When the session ends whatever happens.
    pub absolute_expires_at: Option<ExpiresAt>,
    /// When the user counts as away, if nothing happens. It is not stored: the clock that it goes by is another.
    pub idle_expires_at: Option<ExpiresAt>,
    /// Authentication context class. OpenID Connect Core §2.
    pub acr: Option<String>,
    /// Authentication methods. OpenID Connect Core §2.
    pub amr: Vec<String>,
    /// When the user last signed in actively.
    pub auth_time: Option<UnixMillis>,
    /// What the access token covers.
    pub scope: Option<Scope>,
    /// Server minus device clock, milliseconds.
    pub skew: i64,
}

/// What proves the session.
#[derive(Clone, Debug, PartialEq)]
pub enum Credential {
    /// A cookie that script never sees.
    Cookie,
    /// Tokens that the client keeps.
    Tokens(Tokens),
}

/// The tokens of one session.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// Sent to the resource server.
    pub access: AccessToken,
    /// Obtains the next access token; `None` where there is none, or where it is an HttpOnly cookie.
    pub refresh: Option<RefreshToken>,
    /// As received, for `id_token_hint`.
    pub id_token: Option<IdToken>,
    /// Its claims, after they passed the rules.
    pub id_claims: Option<Rc<Json>>,
    /// What the UserInfo endpoint said when the user signed in, as far as no ID token has said anything newer since.
    pub userinfo: Option<Rc<Json>>,
    /// Who issued them, and so who renews them.
    pub source: Source,
    /// The key that they are bound to, if they are.
    pub binding: Option<Binding>,
}

/// That tokens are of no use without a key. RFC 9449 §5 and §6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The thumbprint of the public key.
    pub jkt: String,
    /// The access token is sent with a proof. Where the server gave a bearer token all the same, only renewal is.
    pub access: bool,
}

/// Whose proof goes along with a request, and by which clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prover {
    /// Names the key.
    pub jkt: String,
    /// Server minus device clock, milliseconds, as whoever got the tokens knew it.
    pub skew: i64,
    /// When that was.
    pub known_at: Option<UnixMillis>,
}

/// Which of the configured servers issued the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The OpenID provider.
    Oidc,
    /// The application's own backend.
    FirstParty,
}

impl SessionFacts {
    /// When the credential ends, by the server's clock: that does not move with the estimate of the skew.
    #[must_use]
    pub fn server_end(&self) -> Option<UnixMillis> {
        self.expires_at.map(|end| end.0.shifted(self.skew))
    }

    /// The device's clock was moved by so many milliseconds: the same instants, as it shows them now.
    pub fn shift_clock(&mut self, by: i64) {
        for at in [&mut self.issued_at, &mut self.auth_time].into_iter().flatten() {
            *at = at.shifted(by);
        }
        for end in [&mut self.expires_at, &mut self.refresh_expires_at, &mut self.absolute_expires_at] {
            *end = end.map(|end| ExpiresAt(end.0.shifted(by)));
        }
        self.skew = self.skew.saturating_sub(by);
    }
}

impl std::ops::Deref for Session {
    type Target = SessionParts;

    fn deref(&self) -> &SessionParts {
        &self.0
    }
}

impl std::ops::DerefMut for Session {
    fn deref_mut(&mut self) -> &mut SessionParts {
        &mut self.0
    }
}

impl Session {
    /// Puts the parts together.
    #[must_use]
    pub fn new(user: Rc<Json>, facts: SessionFacts, credential: Credential) -> Self {
        Self(Box::new(SessionParts { user, facts, credential }))
    }

    /// Whether both belong to one user: the same subject. Two sessions without a subject are the same if their claims are.
    #[must_use]
    pub fn same_user(&self, other: &Self) -> bool {
        match (&self.facts.sub, &other.facts.sub) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, None) => self.user == other.user,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// What proves that the key of these tokens is here, where they are bound to one.
    #[must_use]
    pub fn prover(&self) -> Option<Prover> {
        let binding = self.tokens()?.binding.as_ref()?;
        Some(Prover { jkt: binding.jkt.clone(), skew: self.facts.skew, known_at: self.facts.issued_at })
    }

    /// Whether it has an access token of the provider that whoever holds it can use.
    #[must_use]
    pub fn is_unbound(&self) -> bool {
        let bound = |tokens: &Tokens| tokens.binding.as_ref().is_some_and(|binding| binding.access);
        self.tokens().is_some_and(|tokens| tokens.source == Source::Oidc && !bound(tokens))
    }

    /// The tokens, in token mode.
    #[must_use]
    pub fn tokens(&self) -> Option<&Tokens> {
        if let Credential::Tokens(tokens) = &self.credential { Some(tokens) } else { None }
    }
}
