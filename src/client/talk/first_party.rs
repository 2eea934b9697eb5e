//! Conversations with a backend of the application's own that gives out tokens.

use super::{Kept, Memory, Next, Step, Then, done};
use crate::client::assemble::Parts;
use crate::error::{ErrorCode, ErrorPhase};
use crate::machine::Answer;
use crate::protocol::answer::status_error;
use crate::protocol::first_party::{
    FirstParty, login_request, logout_request, process_tokens, process_user, refresh_request, user_request,
};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::token::TokenResponse;
use crate::types::{Json, Password, Reading, RefreshToken, Session, Source};

/// What was asked.
pub(super) enum Waiting {
    /// Tokens.
    Tokens(Purpose),
    /// The user, with these tokens, which came at this time.
    User(Purpose, Box<TokenResponse>, Reading),
    /// Anything.
    Reach,
    /// The end.
    Logout,
}

/// What tokens are for.
pub(super) enum Purpose {
    SignIn(Kept),
    /// Of this session; `None` where only an HttpOnly cookie tells that there is one.
    Renewal(Option<Session>),
}

impl Purpose {
    fn phase(&self) -> ErrorPhase {
        match self {
            Self::SignIn(_) => ErrorPhase::Login,
            Self::Renewal(_) => ErrorPhase::Refresh,
        }
    }
}

pub(super) fn login<'a>(
    backend: &'a FirstParty,
    username: &str,
    password: &Password,
    extra: Option<&Json>,
    kept: Kept,
) -> Next<'a> {
    let purpose = Purpose::SignIn(kept);
    send(backend, login_request(backend, username, password, extra), purpose.phase(), Waiting::Tokens(purpose))
}

pub(super) fn refresh(backend: &FirstParty, session: Option<Session>) -> Step<'_> {
    let refresh_token = session.as_ref().and_then(Session::tokens).and_then(|tokens| tokens.refresh.as_ref());
    let request = refresh_request(backend, refresh_token).ok_or(ErrorCode::RefreshUnavailable)?;
    let purpose = Purpose::Renewal(session);
    Ok(send(backend, request, purpose.phase(), Waiting::Tokens(purpose)))
}

pub(super) fn reach(backend: &FirstParty) -> Step<'_> {
    let refresh = backend.refresh.as_ref().ok_or(ErrorCode::RefreshUnavailable)?;
    Ok(send(backend, HttpRequest::knock(&refresh.url), ErrorPhase::Refresh, Waiting::Reach))
}

pub(super) fn logout<'a>(backend: &'a FirstParty, refresh_token: Option<&RefreshToken>) -> Step<'a> {
    match logout_request(backend, refresh_token) {
        Some(request) => Ok(send(backend, request, ErrorPhase::Logout, Waiting::Logout)),
        None => done(Answer::Ended),
    }
}

pub(super) fn next<'a>(
    backend: &'a FirstParty,
    waiting: Waiting,
    answer: &HttpResponse,
    (now, memory): (Reading, &Memory),
) -> Step<'a> {
    match waiting {
        Waiting::Tokens(purpose) => {
            let phase = purpose.phase();
            let mut tokens = process_tokens(answer, now.wall, phase)?;
            let user = tokens.user.take();
            // A session that is renewed has its user already.
            let unknown = user.is_none() && !matches!(purpose, Purpose::Renewal(Some(_)));
            match unknown.then(|| user_request(backend, &tokens.access)).flatten() {
                Some(request) => Ok(send(backend, request, phase, Waiting::User(purpose, Box::new(tokens), now))),
                None => finish(purpose, tokens, user, (now, memory)),
            }
        }
        Waiting::User(purpose, tokens, at) => finish(purpose, *tokens, Some(process_user(answer)?), (at, memory)),
        Waiting::Reach => done(Answer::Reached),
        // 401 says that there is nothing left to end.
        Waiting::Logout if matches!(answer.status, 200..=299 | 401) => done(Answer::Ended),
        Waiting::Logout => Err(status_error(answer, ErrorPhase::Logout)),
    }
}

fn send(backend: &FirstParty, request: HttpRequest, phase: ErrorPhase, waiting: Waiting) -> Next<'_> {
    Next::Send(Box::new(request), phase, Then::FirstParty(backend, waiting))
}

/// `now` is when the tokens came.
fn finish<'a>(
    purpose: Purpose,
    response: TokenResponse,
    user: Option<Json>,
    (now, memory): (Reading, &Memory),
) -> Step<'a> {
    let previous = if let Purpose::Renewal(session) = &purpose { session.as_ref() } else { None };
    let source = Source::FirstParty;
    let skew = memory.skew(previous, now);
    let at = now.wall;
    let session = Parts { response, claims: None, userinfo: None, user, source, at, skew, previous }.session();
    done(match purpose {
        Purpose::SignIn(kept) => kept.with(session),
        Purpose::Renewal(_) => Answer::Renewed(session),
    })
}
