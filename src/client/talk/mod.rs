//! Conversations with servers: what is sent next, and what the answers come to.
//!
//! Sans-IO. A conversation is a chain of [`Next`]s: [`Inner::begin`] makes the first, and [`Then::next`] each further one from
//! the answer to the request before. They are plain functions; the one that waits and sends is the loop,
//! [`Inner::carry_out`]. `protocol` and `jose` build and judge the messages.
//!
//! | file | conversations |
//! |---|---|
//! | `token` | token mode: which of the two servers a call is for |
//! | `oidc` | with the provider: sign-in, exchange, renewal, sign-out; discovery comes first |
//! | `first_party` | with a backend that gives out tokens: sign-in, renewal, sign-out |
//! | `session` | with a session server: sign-in, check, extension, sign-out; the CSRF proof comes first |
//! | `memory` | what one conversation leaves to the next |
//! | `clock` | how far the server's clock is off |

mod clock;
mod first_party;
mod memory;
mod oidc;
mod session;
mod token;

pub(super) use clock::Told;
pub(super) use memory::Memory;

use super::driver::Inner;
use super::options::{Mode, Provider, SessionConfig};
use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::machine::{Answer, Arrived, Call, Ticket};
use crate::ports::Ports;
use crate::protocol::authorization::Randomness;
use crate::protocol::first_party::FirstParty;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::session::SessionBackend;
use crate::protocol::transaction::Transaction;
use crate::types::{Csrf, Json, Lifetime, Reading, ReturnTo, Session, UnixMillis, WebUrl};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

type Header = (String, String);

/// Work that is waited for. It is boxed: a future that holds another holds a copy of its whole state machine.
pub(super) type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

/// A move of a conversation. An error ends it.
type Step<'a> = Result<Next<'a>, Error>;

/// What comes next in a conversation.
enum Next<'a> {
    /// Send this, and hand what comes of it on. That no answer comes is an error of this phase.
    Send(Box<HttpRequest>, ErrorPhase, Then<'a>),
    /// Draw random numbers for this sign-in.
    Draw(Box<oidc::Leaving<'a>>),
    /// Make the pending sign-in durable, then leave for this address.
    Keep(Box<Transaction>, Box<WebUrl>),
    /// Have the ID token judged that has come.
    Judge(Box<oidc::Judging<'a>>),
    /// It is over.
    Done(Box<Answer>),
    /// It is over, and the ID token was left out of it: nobody could tell what it is worth.
    Unjudged(Box<Error>, Box<Answer>),
}

/// Who takes an answer: the conversation with this server, at this place of it.
enum Then<'a> {
    Oidc(&'a Provider, oidc::Waiting),
    FirstParty(&'a FirstParty, first_party::Waiting),
    Session(&'a SessionBackend, session::Waiting),
}

/// What the outside is when a move is made.
struct Moment {
    /// When the last answer was asked for.
    asked: Reading,
    now: Reading,
    /// The cookie that a double-submit proof repeats.
    cookie: Option<String>,
}

/// What is handed back with a completed sign-in.
struct Kept {
    return_to: Option<ReturnTo>,
    app_state: Option<Json>,
    /// Nobody asked for the sign-in but ourselves.
    silent: bool,
}

impl<P: Ports> Inner<P> {
    /// Until it is over, or nobody waits for it any more: then no credential is sent to the provider.
    /// Nor for longer than until `end`, when another tab may take its turn.
    pub(super) fn talk(&self, ticket: Ticket, call: Call, end: Option<UnixMillis>) -> Work<'_, Answer> {
        self.carry_out(self.begin(call), Some(ticket), end)
    }

    /// The header that proves where an unsafe request comes from; its token is fetched where it is not known yet.
    pub(super) fn csrf_header<'a>(&'a self, config: &'a SessionConfig) -> Work<'a, Option<Header>> {
        Box::pin(async move {
            let kind = &config.backend.csrf_kind;
            if let Some(known) = self.memory.borrow().proof(kind, self.cookie())? {
                return Ok(known);
            }
            self.carry_out(Ok(session::fetch_csrf(&config.backend, None)), None, None).await?;
            self.memory.borrow().told_proof(kind, self.cookie())
        })
    }

    /// Names the CSRF token in use, for [`csrf_refused`](Self::csrf_refused).
    pub(super) fn csrf_count(&self) -> u64 {
        self.memory.borrow().csrf_count
    }

    /// A server refused the token of this count. Whether there is another, or can be.
    pub(super) fn csrf_refused(&self, config: &SessionConfig, count: u64) -> bool {
        self.memory.borrow_mut().csrf_refused(&config.backend.csrf_kind, count)
    }

    fn begin(&self, call: Call) -> Step<'_> {
        let memory = &mut self.memory.borrow_mut();
        match &self.config.mode {
            Mode::Token(config) => {
                let returned = if matches!(call, Call::Exchange) { self.callback.borrow_mut().take() } else { None };
                token::begin(config, call, returned, memory)
            }
            Mode::Session(config) => session::begin(&config.backend, call, self.cookie(), memory),
        }
    }

    /// Does what comes next until it is over.
    fn carry_out<'a>(&'a self, begun: Step<'a>, ticket: Option<Ticket>, end: Option<UnixMillis>) -> Work<'a, Answer> {
        Box::pin(async move {
            let mut next = begun?;
            loop {
                let in_vain = ticket.is_some_and(|ticket| !self.expects(ticket));
                next = match next {
                    Next::Send(_, _, Then::Oidc(_, waiting)) if in_vain => oidc::unasked(waiting)?,
                    Next::Send(request, phase, then) => {
                        self.expect_id_token(&then);
                        let asked = self.ports.read();
                        let answer = self.send(request, phase, end).await;
                        let moment = Moment { asked, now: self.ports.read(), cookie: self.cookie() };
                        then.next(answer, moment, &mut self.memory.borrow_mut())?
                    }
                    Next::Draw(leaving) => {
                        let now = self.ports.now();
                        let jkt = match leaving.wants_key()? {
                            Some(policy) => self.bind(policy, now).await?,
                            None => None,
                        };
                        leaving.leave((&self.draw()?, jkt), now)?
                    }
                    Next::Keep(transaction, url) => {
                        self.keep(*transaction).await?;
                        return Ok(Answer::Leave(url));
                    }
                    Next::Judge(judging) => {
                        let left = end.map_or(Lifetime::from_millis(i64::MAX), |end| self.ports.now().until(end));
                        let patience = judging.patience().min(left);
                        let work = Box::pin(self.ports.verify(judging.check()));
                        let late = || Error::new(ErrorCode::Timeout, "The ID token could not be verified in time.");
                        let judged = self.within(patience, work).await.unwrap_or_else(|| Err(late()));
                        judging.judged(judged, &mut self.memory.borrow_mut())?
                    }
                    Next::Done(answer) => return Ok(*answer),
                    Next::Unjudged(error, answer) => {
                        self.history.id_token_skipped(&error, self.ports.now());
                        return Ok(*answer);
                    }
                };
            }
        })
    }

    /// What judges an ID token is loaded while the server makes it.
    fn expect_id_token(&self, then: &Then<'_>) {
        if let Then::Oidc(registration, waiting) = then {
            let memory = self.memory.borrow();
            if let Some(jwks_uri) = oidc::expects(registration, waiting, &memory) {
                self.ports.prepare(jwks_uri);
            }
        }
    }

    /// The outcome of `work`, unless `patience` has passed first.
    async fn within<T>(&self, patience: Lifetime, mut work: Work<'_, T>) -> Option<Result<T, Error>> {
        let mut end = Box::pin(self.ports.sleep(patience));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending => end.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// The cookie that a double-submit proof repeats.
    fn cookie(&self) -> Option<String> {
        match &self.config.mode {
            Mode::Session(SessionConfig { backend, .. }) => match &backend.csrf_kind {
                Csrf::DoubleSubmit { cookie_name, .. } => self.ports.cookie(cookie_name),
                Csrf::Off | Csrf::Synchronizer { .. } | Csrf::StaticHeader { .. } => None,
            },
            Mode::Token(_) => None,
        }
    }

    fn draw(&self) -> Result<Randomness, Error> {
        let mut random = Randomness { state: [0; 32], nonce: [0; 32], verifier: [0; 32] };
        for part in [&mut random.state, &mut random.nonce, &mut random.verifier] {
            self.fill(part)?;
        }
        Ok(random)
    }

    pub(super) fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let failed = |_| Error::new(ErrorCode::InsecureContext, "The browser gives no random numbers.");
        self.ports.fill(bytes).map_err(failed)
    }
}

impl<'a> Then<'a> {
    #[inline(never)]
    fn next(self, answer: Result<HttpResponse, Error>, moment: Moment, memory: &mut Memory) -> Step<'a> {
        match self {
            Self::Oidc(registration, waiting) => oidc::next(registration, waiting, answer, &moment, memory),
            Self::FirstParty(backend, waiting) => first_party::next(backend, waiting, &answer?, (moment.now, memory)),
            Self::Session(backend, waiting) => session::next(backend, waiting, &answer?, moment, memory),
        }
    }
}

impl Kept {
    fn with(self, session: Session) -> Answer {
        Answer::SignedIn(Arrived { session, return_to: self.return_to, app_state: self.app_state, silent: self.silent })
    }
}

fn done<'a>(answer: Answer) -> Step<'a> {
    Ok(Next::Done(Box::new(answer)))
}

fn missing(option: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, ["`", option, "` is not set."].concat())
}

fn other_mode() -> Error {
    Error::new(ErrorCode::ConfigInvalid, "The other mode has this call.")
}

#[cfg(test)]
mod tests;
