//! Conversations with a session server. What changes something needs a CSRF proof first: known, or fetched now.

use super::{Header, Kept, Memory, Moment, Next, Step, Then, done, missing, other_mode};
use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::machine::{Answer, Call, Login};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::session::{
    SessionAnswer, SessionBackend, check_request, csrf_request, extend_request, login_request, logout_request,
    navigation, process_csrf, process_login, process_logout, process_session,
};
use crate::types::{Csrf, Json, Password};

/// What was asked.
pub(super) enum Waiting {
    /// A CSRF token, for this; `None` where it is the application that needs it.
    Csrf(Option<Proven>),
    /// This.
    Proven(Proven),
    /// Who is signed in.
    Check,
    /// Who is signed in, after a login whose answer did not say.
    CheckOfLogin(Kept),
}

/// A call that needs proof of where it comes from.
pub(super) struct Proven {
    wish: Wish,
    /// Its proof was refused once, and fetched anew.
    again: bool,
}

enum Wish {
    Login(Box<Typed>),
    Extend,
    Logout,
}

/// What the user typed.
struct Typed {
    username: String,
    password: Password,
    extra: Option<Json>,
    kept: Kept,
}

pub(super) fn begin<'a>(
    backend: &'a SessionBackend,
    call: Call,
    cookie: Option<String>,
    memory: &mut Memory,
) -> Step<'a> {
    match call {
        Call::Login(login) => begin_login(backend, *login, cookie, memory),
        Call::Check => Ok(check(backend, Waiting::Check)),
        Call::Extend => prove(backend, Wish::Extend.first(), cookie, memory),
        // The cookie is the server's: a local sign-out cannot leave it behind, so every sign-out tells the server.
        Call::End(..) => match &backend.logout {
            None => done(Answer::Ended),
            Some(endpoint) if endpoint.navigate => done(Answer::Leave(Box::new(navigation(endpoint, None)))),
            Some(_) => prove(backend, Wish::Logout.first(), cookie, memory),
        },
        Call::Exchange | Call::Refresh(_) | Call::Reach(_) => Err(other_mode()),
    }
}

fn begin_login<'a>(backend: &'a SessionBackend, login: Login, cookie: Option<String>, memory: &mut Memory) -> Step<'a> {
    let endpoint = backend.login.as_ref().ok_or_else(|| missing("endpoints.login"))?;
    match login {
        Login::Redirect { params, return_to, app_state } if endpoint.navigate => {
            // Neither would reach anybody: the server makes the authorization request, and its answer is not a callback.
            let refused = match (&app_state, params.is_empty()) {
                (Some(_), _) => "`appState` is not handed back where `endpoints.login` has `navigate`.",
                (None, false) => "`authorizationParams` are not sent where `endpoints.login` has `navigate`.",
                (None, true) => return done(Answer::Leave(Box::new(navigation(endpoint, return_to.as_ref())))),
            };
            Err(Error::new(ErrorCode::ConfigInvalid, refused))
        }
        Login::Restore { .. } => Err(other_mode()),
        Login::Redirect { .. } => {
            let detail = "`endpoints.login` has no `navigate`: sign in with `via: 'password'`.";
            Err(Error::new(ErrorCode::ConfigInvalid, detail))
        }
        Login::Password { username, password, extra, return_to, app_state } => {
            let typed = Typed { username, password, extra, kept: Kept { return_to, app_state, silent: false } };
            prove(backend, Wish::Login(Box::new(typed)).first(), cookie, memory)
        }
    }
}

pub(super) fn next<'a>(
    backend: &'a SessionBackend,
    waiting: Waiting,
    answer: &HttpResponse,
    moment: Moment,
    memory: &mut Memory,
) -> Step<'a> {
    match waiting {
        Waiting::Csrf(wanted) => {
            learn_csrf(backend, answer, &moment, memory)?;
            let Some(call) = wanted else { return done(Answer::Ended) };
            let proof = memory.told_proof(&backend.csrf_kind, moment.cookie)?;
            send_proven(backend, call, proof)
        }
        // A proof that the server does not accept any more is fetched anew, once.
        Waiting::Proven(Proven { wish, again: false })
            if matches!(answer.status, 403 | 419) && memory.csrf_refused(&backend.csrf_kind, memory.csrf_count) =>
        {
            prove(backend, Proven { wish, again: true }, moment.cookie, memory)
        }
        Waiting::Proven(Proven { wish, .. }) => judge(backend, wish, answer, &moment, memory),
        Waiting::Check => told(process_session(answer, ErrorPhase::Session)?, &moment, memory),
        Waiting::CheckOfLogin(kept) => {
            let answer = process_session(answer, ErrorPhase::Session)?.ok_or_else(|| {
                let detail =
                    "The login was answered well, but the session endpoint knows nobody; the cookie was not kept.";
                Error::new(ErrorCode::ResponseInvalid, detail).during(ErrorPhase::Login)
            })?;
            done(kept.with(memory.session_of(answer, &moment)))
        }
    }
}

/// Asks for a CSRF token. A backend without an endpoint for it tells the token together with the session, to those who have
/// one.
pub(super) fn fetch_csrf(backend: &SessionBackend, wanted: Option<Proven>) -> Next<'_> {
    let request = csrf_request(backend).unwrap_or_else(|| check_request(backend));
    send(backend, request, ErrorPhase::Session, Waiting::Csrf(wanted))
}

fn learn_csrf(
    backend: &SessionBackend,
    answer: &HttpResponse,
    moment: &Moment,
    memory: &mut Memory,
) -> Result<(), Error> {
    if backend.csrf.is_none() {
        let session = process_session(answer, ErrorPhase::Session)?;
        drop(session.map(|session| memory.session_of(session, moment)));
    } else if matches!(backend.csrf_kind, Csrf::Synchronizer { .. }) {
        memory.keep_csrf(process_csrf(answer)?);
    }
    Ok(())
}

fn prove<'a>(backend: &'a SessionBackend, call: Proven, cookie: Option<String>, memory: &Memory) -> Step<'a> {
    match memory.proof(&backend.csrf_kind, cookie)? {
        Some(proof) => send_proven(backend, call, proof),
        None => Ok(fetch_csrf(backend, Some(call))),
    }
}

fn send_proven(backend: &SessionBackend, call: Proven, proof: Option<Header>) -> Step<'_> {
    let (request, option, phase) = match &call.wish {
        Wish::Login(typed) => {
            let request = login_request(backend, &typed.username, &typed.password, typed.extra.as_ref(), proof);
            (request, "endpoints.login", ErrorPhase::Login)
        }
        Wish::Extend => (extend_request(backend, proof), "endpoints.extend", ErrorPhase::Refresh),
        Wish::Logout => (logout_request(backend, proof), "endpoints.logout", ErrorPhase::Logout),
    };
    Ok(send(backend, request.ok_or_else(|| missing(option))?, phase, Waiting::Proven(call)))
}

fn judge<'a>(
    backend: &'a SessionBackend,
    wish: Wish,
    answer: &HttpResponse,
    moment: &Moment,
    memory: &mut Memory,
) -> Step<'a> {
    match wish {
        Wish::Login(typed) => {
            // A server makes a new token with the new session.
            memory.forget_csrf();
            match process_login(answer, &backend.csrf_kind)? {
                Some(answer) => done(typed.kept.with(memory.session_of(answer, moment))),
                None => Ok(check(backend, Waiting::CheckOfLogin(typed.kept))),
            }
        }
        Wish::Extend => told(process_session(answer, ErrorPhase::Refresh)?, moment, memory),
        Wish::Logout => {
            memory.forget_csrf();
            process_logout(answer)?;
            done(Answer::Ended)
        }
    }
}

fn told<'a>(answer: Option<SessionAnswer>, moment: &Moment, memory: &mut Memory) -> Step<'a> {
    done(Answer::Checked(answer.map(|answer| memory.session_of(answer, moment))))
}

fn check(backend: &SessionBackend, waiting: Waiting) -> Next<'_> {
    send(backend, check_request(backend), ErrorPhase::Session, waiting)
}

fn send(backend: &SessionBackend, request: HttpRequest, phase: ErrorPhase, waiting: Waiting) -> Next<'_> {
    Next::Send(Box::new(request), phase, Then::Session(backend, waiting))
}

impl Wish {
    fn first(self) -> Proven {
        Proven { wish: self, again: false }
    }
}
