//! Token mode: which of the two servers a call is for.

use super::oidc::{self, SignIn, Task};
use super::{Kept, Memory, Step, done, first_party, missing, other_mode};
use crate::client::options::{Provider, TokenConfig};
use crate::error::{Error, ErrorCode};
use crate::machine::{Answer, Call, Ending, Login};
use crate::protocol::callback::AuthorizationResponse;
use crate::protocol::first_party::FirstParty;
use crate::protocol::transaction::Transaction;
use crate::types::{Session, Source};

/// `returned` is the callback that the address at start was, and the sign-in that it belongs to.
pub(super) fn begin<'a>(
    config: &'a TokenConfig,
    call: Call,
    returned: Option<(AuthorizationResponse, Transaction)>,
    memory: &mut Memory,
) -> Step<'a> {
    match call {
        Call::Login(login) => match *login {
            Login::Redirect { params, return_to, app_state } => {
                let task = Task::SignIn(SignIn { params, kept: Kept { return_to, app_state, silent: false } });
                oidc::begin(registration(config)?, task, memory)
            }
            Login::Restore { return_to } => {
                let params = vec![("prompt".to_owned(), "none".to_owned())];
                let task = Task::SignIn(SignIn { params, kept: Kept { return_to, app_state: None, silent: true } });
                oidc::begin(registration(config)?, task, memory)
            }
            Login::Password { username, password, extra, return_to, app_state } => {
                let kept = Kept { return_to, app_state, silent: false };
                Ok(first_party::login(backend(config)?, &username, &password, extra.as_ref(), kept))
            }
        },
        Call::Exchange => {
            let registration = registration(config)?;
            let returned = returned.ok_or(ErrorCode::CallbackReplayed)?;
            oidc::begin(registration, Task::Exchange(Box::new(returned)), memory)
        }
        Call::Refresh(session) => refresh(config, session, memory),
        Call::Reach(session) => reach(config, &session, memory),
        Call::End(session, ending) => end(config, session, ending, memory),
        Call::Check | Call::Extend => Err(other_mode()),
    }
}

/// RFC 6749 §6. Whoever issued the tokens renews them.
fn refresh<'a>(config: &'a TokenConfig, session: Option<Session>, memory: &mut Memory) -> Step<'a> {
    match session {
        Some(session) if session.tokens().is_some_and(|tokens| tokens.source == Source::Oidc) => {
            let registration = registration(config)?;
            let token = session.tokens().and_then(|tokens| tokens.refresh.clone());
            let token = token.ok_or(ErrorCode::RefreshUnavailable)?;
            oidc::begin(registration, Task::Refresh(session, token), memory)
        }
        session => first_party::refresh(backend(config)?, session),
    }
}

/// Whatever the server says shows that it is there.
fn reach<'a>(config: &'a TokenConfig, session: &Session, memory: &mut Memory) -> Step<'a> {
    match session.tokens().map(|tokens| tokens.source) {
        Some(Source::Oidc) => oidc::begin(registration(config)?, Task::Reach, memory),
        Some(Source::FirstParty) | None => first_party::reach(backend(config)?),
    }
}

fn end<'a>(config: &'a TokenConfig, session: Option<Session>, ending: Ending, memory: &mut Memory) -> Step<'a> {
    match (session.as_ref().and_then(Session::tokens).cloned(), ending) {
        (Some(tokens), _) if tokens.source == Source::FirstParty => {
            let backend = backend(config)?;
            // A refresh cookie outlives a local sign-out, so it is ended with any.
            if ending == Ending::Local && !backend.refresh_cookie {
                return done(Answer::Ended);
            }
            first_party::logout(backend, tokens.refresh.as_ref())
        }
        (Some(tokens), Ending::Provider | Ending::Revoke) => {
            oidc::begin(registration(config)?, Task::End(Box::new(tokens), ending), memory)
        }
        (None, _) => match &config.first_party {
            // Only the server can end what an HttpOnly cookie holds.
            Some(backend) if backend.refresh_cookie => first_party::logout(backend, None),
            Some(_) | None => done(Answer::Ended),
        },
        (Some(_), Ending::Local) => done(Answer::Ended),
    }
}

fn registration(config: &TokenConfig) -> Result<&Provider, Error> {
    config.oidc.as_ref().ok_or_else(|| missing("oidc"))
}

fn backend(config: &TokenConfig) -> Result<&FirstParty, Error> {
    config.first_party.as_ref().ok_or_else(|| missing("firstParty"))
}
