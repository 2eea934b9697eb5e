//! Conversations with servers: one request after the other, each built and judged by `protocol` and `jose`.

use super::assemble::{Parts, skew_of, with_scope};
use super::driver::Inner;
use super::options::{Mode, SessionConfig, TokenConfig};
use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::jose::id_token::{Expected, peek_iat, verify_claims, verify_refreshed};
use crate::machine::{Answer, Arrived, Call, Ending, Login};
use crate::policy::csrf::{self, CsrfHeader};
use crate::ports::Ports;
use crate::protocol::authorization::{Randomness, Registration, authorization_request};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::metadata::Metadata;
use crate::protocol::token::TokenResponse;
use crate::protocol::{answer, callback, end_session, first_party, metadata, revocation, session, token};
use crate::types::{Csrf, Json, Lifetime, Nonce, Password, Session, Source, Tokens};
use std::pin::Pin;
use std::rc::Rc;

type Header = (String, String);

/// A conversation, or a part of one that several share. A future that holds another holds a copy of its whole state machine;
/// a boxed one is there once.
pub(super) type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

impl<P: Ports> Inner<P> {
    pub(super) fn talk(&self, call: Call) -> Work<'_, Answer> {
        match (&self.config.mode, call) {
            (Mode::Token(config), Call::Login(login)) => Box::pin(self.login_for_tokens(config, login)),
            (Mode::Token(config), Call::Exchange) => Box::pin(self.exchange(config)),
            (Mode::Token(config), Call::Refresh(session)) => Box::pin(self.refresh(config, session)),
            (Mode::Token(config), Call::End(session, ending)) => Box::pin(self.end_tokens(config, session, ending)),
            (Mode::Session(config), Call::Login(login)) => Box::pin(self.login_for_session(config, login)),
            (Mode::Session(config), Call::Check) => Box::pin(self.check(config)),
            (Mode::Session(config), Call::Extend) => Box::pin(self.extend(config)),
            (Mode::Session(config), Call::End(..)) => Box::pin(self.end_session(config)),
            (Mode::Token(_), Call::Check | Call::Extend) | (Mode::Session(_), Call::Exchange | Call::Refresh(_)) => {
                let error = Error::new(ErrorCode::ConfigInvalid, "The other mode has this call.");
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }

    #[inline(never)]
    fn send(&self, request: HttpRequest, phase: ErrorPhase) -> Work<'_, HttpResponse> {
        Box::pin(async move { self.ports.send(request).await.map_err(|failure| answer::failure(failure, phase)) })
    }

    #[inline(never)]
    fn metadata<'a>(&'a self, registration: &'a Registration) -> Work<'a, Rc<Metadata>> {
        Box::pin(self.find_metadata(registration))
    }

    /// The server's metadata: given, remembered from earlier, or fetched now.
    async fn find_metadata(&self, registration: &Registration) -> Result<Rc<Metadata>, Error> {
        if let Some(known) = self.metadata.borrow().as_ref() {
            return Ok(Rc::clone(known));
        }
        let found = match &registration.metadata {
            Some(given) => Metadata::from_json(&registration.issuer, given)?,
            None => {
                let request = metadata::discovery_request(&registration.issuer)?;
                let response = self.send(request, ErrorPhase::Discovery).await?;
                metadata::process_discovery(&registration.issuer, &response)?
            }
        };
        let found = Rc::new(found);
        *self.metadata.borrow_mut() = Some(Rc::clone(&found));
        Ok(found)
    }

    async fn login_for_tokens(&self, config: &TokenConfig, login: Box<Login>) -> Result<Answer, Error> {
        match *login {
            Login::Redirect { params, return_to, app_state } => {
                let registration = config.oidc.as_ref().ok_or_else(|| missing("oidc"))?;
                let metadata = self.metadata(registration).await?;
                let mut random = Randomness { state: [0; 32], nonce: [0; 32], verifier: [0; 32] };
                for part in [&mut random.state, &mut random.nonce, &mut random.verifier] {
                    let no_randomness =
                        |_| Error::new(ErrorCode::InsecureContext, "The browser gives no random numbers.");
                    self.ports.fill(part).map_err(no_randomness)?;
                }
                let now = self.ports.now();
                let (url, transaction) =
                    authorization_request(registration, &metadata, &params, &random, now, return_to, app_state)?;
                self.keep(transaction).await?;
                Ok(Answer::Leave(Box::new(url)))
            }
            Login::Password { username, password, extra, return_to, app_state } => {
                let backend = config.first_party.as_ref().ok_or_else(|| missing("firstParty"))?;
                let request = first_party::login_request(backend, &username, &password, extra.as_ref());
                let response = self.send(request, ErrorPhase::Login).await?;
                let at = self.ports.now();
                let mut tokens = first_party::process_tokens(&response, at, ErrorPhase::Login)?;
                let mut user = tokens.user.take();
                if user.is_none()
                    && let Some(request) = first_party::user_request(backend, &tokens.access)
                {
                    user = Some(first_party::process_user(&self.send(request, ErrorPhase::Login).await?)?);
                }
                let parts = Parts {
                    response: tokens,
                    claims: None,
                    user,
                    source: Source::FirstParty,
                    at,
                    skew: 0,
                    previous: None,
                };
                Ok(Answer::SignedIn(Arrived { session: parts.session(), return_to, app_state }))
            }
        }
    }

    /// Code for tokens. RFC 6749 §4.1.3, OpenID Connect Core §3.1.3.
    async fn exchange(&self, config: &TokenConfig) -> Result<Answer, Error> {
        let registration = config.oidc.as_ref().ok_or_else(|| missing("oidc"))?;
        let pending = self.callback.borrow_mut().take();
        let (response, transaction) = pending.ok_or(ErrorCode::CallbackReplayed)?;
        let metadata = self.metadata(registration).await?;
        let code = callback::judge(response, &transaction, &metadata)?;
        let request = token::exchange_request(registration, &metadata, code, &transaction);
        let answer = self.send(request, ErrorPhase::Token).await?;
        let at = self.ports.now();
        let tokens = token::process_token_response(&answer, at, ErrorPhase::Token)?;
        let tokens = with_scope(tokens, &registration.scope, None);
        // The sign-in's own `max_age`, where it had one, is the one that was sent.
        let sign_in = Some((&transaction.nonce, transaction.max_age));
        let session = judge_tokens(registration, tokens, sign_in, None, at)?;
        Ok(Answer::SignedIn(Arrived { session, return_to: transaction.return_to, app_state: transaction.app_state }))
    }

    /// RFC 6749 §6.
    async fn refresh(&self, config: &TokenConfig, session: Option<Box<Session>>) -> Result<Answer, Error> {
        let session = session.as_deref();
        let tokens = session.and_then(Session::tokens);
        let source = tokens.map_or(Source::FirstParty, |tokens| tokens.source);
        let refresh_token = tokens.and_then(|tokens| tokens.refresh.as_ref());
        match source {
            Source::Oidc => {
                let registration = config.oidc.as_ref().ok_or_else(|| missing("oidc"))?;
                let refresh_token = refresh_token.ok_or(ErrorCode::RefreshUnavailable)?;
                let metadata = self.metadata(registration).await?;
                let request = token::refresh_request(registration, &metadata, refresh_token);
                let answer = self.send(request, ErrorPhase::Refresh).await?;
                let at = self.ports.now();
                let response = token::process_token_response(&answer, at, ErrorPhase::Refresh)?;
                judge_tokens(registration, response, None, session, at).map(Answer::Renewed)
            }
            Source::FirstParty => {
                let backend = config.first_party.as_ref().ok_or_else(|| missing("firstParty"))?;
                let request =
                    first_party::refresh_request(backend, refresh_token).ok_or(ErrorCode::RefreshUnavailable)?;
                let answer = self.send(request, ErrorPhase::Refresh).await?;
                let at = self.ports.now();
                let mut response = first_party::process_tokens(&answer, at, ErrorPhase::Refresh)?;
                let mut user = response.user.take();
                if user.is_none()
                    && session.is_none()
                    && let Some(request) = first_party::user_request(backend, &response.access)
                {
                    user = Some(first_party::process_user(&self.send(request, ErrorPhase::Refresh).await?)?);
                }
                let parts = Parts { response, claims: None, user, source, at, skew: 0, previous: session };
                Ok(Answer::Renewed(parts.session()))
            }
        }
    }

    /// Revocation (RFC 7009), the backend's own logout, and the provider's page (RP-Initiated Logout 1.0).
    async fn end_tokens(
        &self,
        config: &TokenConfig,
        session: Option<Box<Session>>,
        ending: Ending,
    ) -> Result<Answer, Error> {
        let session = session.as_deref();
        let Some(tokens) = session.and_then(Session::tokens) else {
            return match (&config.first_party, ending) {
                // Only the server can end what an HttpOnly cookie holds.
                (Some(backend), Ending::Provider | Ending::Revoke) if backend.refresh_cookie => {
                    self.end_first_party(backend, None).await
                }
                (Some(_) | None, _) => Ok(Answer::Ended),
            };
        };
        match (tokens.source, ending) {
            (Source::FirstParty, ending) => {
                let backend = config.first_party.as_ref().ok_or_else(|| missing("firstParty"))?;
                // A refresh cookie outlives a local sign-out, so it is ended with any.
                if ending == Ending::Local && !backend.refresh_cookie {
                    return Ok(Answer::Ended);
                }
                self.end_first_party(backend, Some(tokens)).await
            }
            (Source::Oidc, Ending::Local) => Ok(Answer::Ended),
            (Source::Oidc, Ending::Provider | Ending::Revoke) => {
                let registration = config.oidc.as_ref().ok_or_else(|| missing("oidc"))?;
                let metadata = self.metadata(registration).await?;
                let revoked = self.revoke(registration, &metadata, tokens).await;
                if ending == Ending::Provider
                    && let Some(url) = end_session::end_session_url(registration, &metadata, tokens.id_token.as_ref())
                {
                    return Ok(Answer::Leave(Box::new(url)));
                }
                revoked.map(|()| Answer::Ended)
            }
        }
    }

    /// The refresh token first: it is the one that lives.
    async fn revoke(&self, registration: &Registration, metadata: &Metadata, tokens: &Tokens) -> Result<(), Error> {
        let Some(endpoint) = &metadata.revocation_endpoint else { return Ok(()) };
        let refresh = tokens.refresh.as_ref().map(|token| (token.expose(), "refresh_token"));
        let mut result = Ok(());
        for (token, hint) in refresh.into_iter().chain([(tokens.access.expose(), "access_token")]) {
            let request = revocation::revocation_request(&registration.client_id, endpoint, token, hint);
            match self.send(request, ErrorPhase::Logout).await {
                Ok(response) if revocation::is_done(&response) => {}
                Ok(response) => result = result.and(Err(answer::status_error(&response, ErrorPhase::Logout))),
                Err(error) => result = result.and(Err(error)),
            }
        }
        result
    }

    #[inline(never)]
    fn end_first_party<'a>(
        &'a self,
        backend: &'a first_party::FirstParty,
        tokens: Option<&'a Tokens>,
    ) -> Work<'a, Answer> {
        Box::pin(async move {
            let refresh = tokens.and_then(|tokens| tokens.refresh.as_ref());
            let Some(request) = first_party::logout_request(backend, refresh) else { return Ok(Answer::Ended) };
            let response = self.send(request, ErrorPhase::Logout).await?;
            // 401 says that there is nothing left to end.
            if (200..300).contains(&response.status) || response.status == 401 {
                return Ok(Answer::Ended);
            }
            Err(answer::status_error(&response, ErrorPhase::Logout))
        })
    }

    async fn login_for_session(&self, config: &SessionConfig, login: Box<Login>) -> Result<Answer, Error> {
        let endpoint = config.backend.login.as_ref().ok_or_else(|| missing("endpoints.login"))?;
        match *login {
            Login::Redirect { return_to, .. } if endpoint.navigate => {
                Ok(Answer::Leave(Box::new(session::navigation(endpoint, return_to.as_ref()))))
            }
            Login::Redirect { .. } => Err(Error::new(
                ErrorCode::ConfigInvalid,
                "`endpoints.login` has no `navigate`: sign in with `via: 'password'`.",
            )),
            Login::Password { username, password, extra, return_to, app_state } => {
                let session = self.password_session(config, &username, &password, extra.as_ref()).await?;
                Ok(Answer::SignedIn(Arrived { session, return_to, app_state }))
            }
        }
    }

    async fn password_session(
        &self,
        config: &SessionConfig,
        username: &str,
        password: &Password,
        extra: Option<&Json>,
    ) -> Result<Session, Error> {
        let build = |proof| {
            session::login_request(&config.backend, username, password, extra, proof)
                .ok_or_else(|| missing("endpoints.login"))
        };
        let response = self.send_proven(config, &build, ErrorPhase::Login).await?;
        // A server makes a new token with the new session.
        *self.csrf.borrow_mut() = None;
        if let Some(answer) = session::process_login(&response, self.ports.now(), &config.backend.csrf_kind)? {
            return Ok(self.take_csrf(answer));
        }
        let check: Work<'_, Answer> = Box::pin(self.check(config));
        match check.await? {
            Answer::Checked(Some(session)) => Ok(session),
            Answer::Checked(None) | Answer::SignedIn(_) | Answer::Renewed(_) | Answer::Leave(_) | Answer::Ended => {
                let detail =
                    "The login was answered well, but the session endpoint knows nobody; the cookie was not kept.";
                Err(Error::new(ErrorCode::ResponseInvalid, detail).during(ErrorPhase::Login))
            }
        }
    }

    fn take_csrf(&self, answer: session::SessionAnswer) -> Session {
        if let Some(token) = answer.csrf {
            *self.csrf.borrow_mut() = Some(token);
        }
        answer.session
    }

    async fn check(&self, config: &SessionConfig) -> Result<Answer, Error> {
        let response = self.send(session::check_request(&config.backend), ErrorPhase::Session).await?;
        let answer = session::process_session(&response, self.ports.now(), ErrorPhase::Session)?;
        Ok(Answer::Checked(answer.map(|answer| self.take_csrf(answer))))
    }

    async fn extend(&self, config: &SessionConfig) -> Result<Answer, Error> {
        let build = |proof| session::extend_request(&config.backend, proof).ok_or_else(|| missing("endpoints.extend"));
        let response = self.send_proven(config, &build, ErrorPhase::Refresh).await?;
        let answer = session::process_session(&response, self.ports.now(), ErrorPhase::Refresh)?;
        Ok(Answer::Checked(answer.map(|answer| self.take_csrf(answer))))
    }

    /// The cookie is the server's: a local sign-out cannot leave it behind, so every sign-out tells the server.
    async fn end_session(&self, config: &SessionConfig) -> Result<Answer, Error> {
        let Some(endpoint) = &config.backend.logout else { return Ok(Answer::Ended) };
        if endpoint.navigate {
            return Ok(Answer::Leave(Box::new(session::navigation(endpoint, None))));
        }
        let build = |proof| session::logout_request(&config.backend, proof).ok_or_else(|| missing("endpoints.logout"));
        let response = self.send_proven(config, &build, ErrorPhase::Logout).await?;
        *self.csrf.borrow_mut() = None;
        session::process_logout(&response).map(|()| Answer::Ended)
    }

    /// Sends what needs a CSRF proof. One that the server does not accept any more is fetched anew, once.
    #[inline(never)]
    fn send_proven<'a>(
        &'a self,
        config: &'a SessionConfig,
        build: &'a dyn Fn(Option<Header>) -> Result<HttpRequest, Error>,
        phase: ErrorPhase,
    ) -> Work<'a, HttpResponse> {
        Box::pin(async move {
            let response = self.send(build(self.csrf_header(config).await?)?, phase).await?;
            if !matches!(response.status, 403 | 419) || !self.forget_csrf(config) {
                return Ok(response);
            }
            self.send(build(self.csrf_header(config).await?)?, phase).await
        })
    }

    /// The header that proves where an unsafe request comes from; its token is fetched where it is not known yet.
    #[inline(never)]
    pub(super) fn csrf_header<'a>(&'a self, config: &'a SessionConfig) -> Work<'a, Option<Header>> {
        Box::pin(self.find_csrf_header(config))
    }

    async fn find_csrf_header(&self, config: &SessionConfig) -> Result<Option<Header>, Error> {
        let kind = &config.backend.csrf_kind;
        if let Some(header) = self.known_csrf(kind)? {
            return Ok(header);
        }
        match session::csrf_request(&config.backend) {
            Some(request) => {
                let response = self.send(request, ErrorPhase::Session).await?;
                if matches!(kind, Csrf::Synchronizer { .. }) {
                    *self.csrf.borrow_mut() = Some(session::process_csrf(&response)?);
                }
            }
            // Other backends tell the token together with the session, to those who have one.
            None => drop(self.check(config).await?),
        }
        self.known_csrf(kind)?.ok_or_else(|| Error::new(ErrorCode::CsrfUnavailable, "The server told no CSRF token."))
    }

    /// `None`: the token must be fetched first.
    fn known_csrf(&self, kind: &Csrf) -> Result<Option<Option<Header>>, Error> {
        let cookie = match kind {
            Csrf::DoubleSubmit { cookie_name, .. } => self.ports.cookie(cookie_name),
            Csrf::Off | Csrf::Synchronizer { .. } | Csrf::StaticHeader { .. } => None,
        };
        match csrf::header(kind, cookie, self.csrf.borrow().as_ref()) {
            CsrfHeader::None => Ok(Some(None)),
            CsrfHeader::Send { name, value } => Ok(Some(Some((name, value)))),
            CsrfHeader::Fetch => Ok(None),
            CsrfHeader::Unavailable => Err(ErrorCode::CsrfUnavailable.into()),
        }
    }

    /// A token that a server refused is not used again. Whether another can be fetched.
    pub(super) fn forget_csrf(&self, config: &SessionConfig) -> bool {
        let known = self.csrf.borrow_mut().take().is_some();
        known && matches!(config.backend.csrf_kind, Csrf::Synchronizer { .. })
    }
}

/// ID-token rules, then everything put together. The clock that judges is the server's, known from the token's own `iat`:
/// it came straight from the token endpoint, and the nonce ties it to this sign-in.
fn judge_tokens(
    registration: &Registration,
    response: TokenResponse,
    sign_in: Option<(&Nonce, Option<Lifetime>)>,
    previous: Option<&Session>,
    at: crate::types::UnixMillis,
) -> Result<Session, Error> {
    let previous_claims = previous.and_then(Session::tokens).and_then(|tokens| tokens.id_claims.as_deref());
    let known_skew = previous.map_or(0, |session| session.facts.skew);
    let skew = response.id_token.as_ref().map_or(known_skew, |token| skew_of(peek_iat(token), at));
    let expected = Expected {
        issuer: &registration.issuer,
        client_id: &registration.client_id,
        nonce: sign_in.map(|(nonce, _)| nonce),
        max_age: sign_in.and_then(|(_, max_age)| max_age),
        leeway: registration.leeway,
        now: at.shifted(skew),
    };
    let claims = match (&response.id_token, previous_claims) {
        (Some(token), Some(before)) => Some(verify_refreshed(token, before, &expected)?),
        (Some(token), None) => Some(verify_claims(token, &expected)?),
        (None, _) if previous.is_none() && registration.scope.contains("openid") => {
            return Err(ErrorCode::IdTokenMissing.into());
        }
        (None, _) => None,
    };
    Ok(Parts { response, claims, user: None, source: Source::Oidc, at, skew, previous }.session())
}

fn missing(option: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, ["`", option, "` is not set."].concat())
}
