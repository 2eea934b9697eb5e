//! The driver: runs the machine's effects through the ports, and feeds what comes of them back as events.
//!
//! No decision is made here. `driver` runs effects, `talk` holds the conversations with servers (`protocol` builds and
//! judges their messages), `medium` reads and writes records, `turn` what tabs agree
//! on, and this file is what an application calls.

mod assemble;
mod diagnosis;
mod driver;
mod history;
mod medium;
pub mod options;
mod presence;
mod proof;
mod talk;
mod turn;

use crate::error::{Error, ErrorCode};
use crate::machine::{Ending, EventKind, Login, Note, Notice, Outcome, Snapshot, WaiterId};
use crate::policy;
use crate::policy::replay::Refusal;
use crate::ports::Ports;
use crate::protocol::dpop;
use crate::protocol::http::Credentials;
use crate::types::{AccessToken, Json, Lifetime, ReturnTo, SessionFacts, WebUrl};
use driver::Inner;
use options::{Config, Mode};
use std::rc::Rc;

pub use diagnosis::{Check, Diagnosis};

pub use crate::machine::{Arrived, CredentialName, Freshness, Origin, SignedOutReason, Via};

/// What a client tells its owner.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The state changed.
    State(Snapshot),
    /// Something happened.
    Event(Notice),
}

/// What the page can tell a client about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageNews {
    /// It became visible.
    Visible,
    /// It is not visible any more.
    Hidden,
    /// It is being left, and may come back as it is: from the back-forward cache.
    Left,
    /// The network came back.
    Online,
    /// It came back from the back-forward cache.
    Restored,
    /// The user did something on it.
    Active,
}

/// What a request of the application's needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Authorization {
    /// Headers to set.
    pub headers: Vec<(String, String)>,
    /// The credentials mode to use, in session mode.
    pub credentials: Option<Credentials>,
    /// A redirect must fail: the credential would travel along to where it may not go.
    pub refuse_redirects: bool,
    /// Names the credential; hand it to [`Client::answered`].
    pub credential: CredentialName,
    /// A proof goes along, for this request alone; hand the answer to [`Client::learn`] first.
    pub proven: bool,
}

/// A client of one application for one server, in either mode.
pub struct Client<P: Ports> {
    inner: Rc<Inner<P>>,
}

impl<P: Ports> Clone for Client<P> {
    fn clone(&self) -> Self {
        Self { inner: Rc::clone(&self.inner) }
    }
}

impl<P: Ports> std::fmt::Debug for Client<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.inner.config.id).finish()
    }
}

/// What a client holds, and no application sees.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
#[derive(Debug)]
pub struct Inside {
    /// The session in force, with its tokens.
    pub session: Option<crate::types::Session>,
    /// Promises that wait.
    pub promises: usize,
    /// Keys of tokens in memory.
    pub keys: usize,
    /// It was disposed of.
    pub disposed: bool,
}

impl<P: Ports> Client<P> {
    /// A client that has not started. `listener` hears every report, in order.
    pub fn new(config: Config, ports: P, listener: impl Fn(Report) + 'static) -> Self {
        Self { inner: Inner::new(config, ports, Box::new(listener)) }
    }

    /// Consumes a callback address, restores the session, starts timers. Does not fail because nobody is signed in: the
    /// second part says what went wrong on the way.
    ///
    /// # Errors
    /// `disposed`.
    pub async fn start(&self) -> Result<(Option<Box<Arrived>>, Option<Error>), Error> {
        let outcome = self.ask(EventKind::Start).await?;
        if let Outcome::Started(arrived, error) = outcome { Ok((arrived, error)) } else { Err(unexpected()) }
    }

    /// Signs in. By redirect it only returns if the page could not leave.
    ///
    /// # Errors
    /// Those of the phases `discovery`, `login` and `token`; `aborted` where another sign-in or a sign-out came between.
    pub async fn login(&self, login: Login) -> Result<Box<Arrived>, Error> {
        let outcome = self.ask(|id| EventKind::Login(id, Box::new(login))).await?;
        if let Outcome::SignedIn(arrived) = outcome { Ok(arrived) } else { Err(unexpected()) }
    }

    /// Signs out here at once, and at the server as far as `ending` says. Returns whether the page leaves for the server.
    ///
    /// # Errors
    /// The server could not be told; here, nobody is signed in all the same.
    pub async fn logout(&self, ending: Ending) -> Result<bool, Error> {
        self.ask(|id| EventKind::Logout(id, ending)).await.map(|outcome| outcome == Outcome::Left)
    }

    /// Renews the credential now.
    ///
    /// # Errors
    /// `login_required`, `refresh_unavailable`, `session_expired`, and those of the network.
    pub async fn renew(&self) -> Result<(), Error> {
        self.ask(EventKind::Renew).await.map(drop)
    }

    /// The access token, renewed first where it would not live as long as `margin`; and its name.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    pub async fn access_token(&self, margin: Lifetime) -> Result<(AccessToken, CredentialName), Error> {
        let outcome = self.ask(|id| EventKind::Use(id, margin)).await?;
        if let Outcome::Token(token, name, _) = outcome { Ok((token, name)) } else { Err(unexpected()) }
    }

    /// Asks the session server who is signed in.
    ///
    /// # Errors
    /// The server could not say.
    pub async fn check(&self) -> Result<Option<Box<SessionFacts>>, Error> {
        self.ask(EventKind::Check).await.map(facts)
    }

    /// Prolongs the session.
    ///
    /// # Errors
    /// `login_required`, `session_expired`, `config_invalid` without an endpoint for it, and those of the network.
    pub async fn extend(&self) -> Result<Option<Box<SessionFacts>>, Error> {
        self.ask(EventKind::Extend).await.map(facts)
    }

    /// The claims of the ID token of this session.
    #[must_use]
    pub fn id_token_claims(&self) -> Option<Rc<Json>> {
        // Who is not shown has no claims either, although the session is kept.
        if matches!(self.snapshot(), Snapshot::Unauthenticated(..)) {
            return None;
        }
        self.inner.session()?.tokens()?.id_claims.clone()
    }

    /// The current state.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.inner.snapshot()
    }

    /// What a request to `url` needs; `None` where it must carry no credential of ours.
    ///
    /// # Errors
    /// `login_required` and `session_expired` in token mode, `csrf_unavailable` in session mode; in both `session_locked`.
    pub async fn authorize(&self, url: &str, method: &str) -> Result<Option<Authorization>, Error> {
        let allowed = &self.inner.config.allowed_origins;
        let Some(url) = WebUrl::parse(url).filter(|url| policy::origins::may_attach(allowed, url)) else {
            return Ok(None);
        };
        let Mode::Session(config) = &self.inner.config.mode else {
            let outcome = self.ask(|id| EventKind::Use(id, MARGIN)).await?;
            let Outcome::Token(token, credential, prover) = outcome else { return Err(unexpected()) };
            let proof = match prover {
                Some(prover) => {
                    let proof = self.inner.prove(&prover, method, &url, Some(&token)).await;
                    if matches!(&proof, Err(error) if error.code == ErrorCode::DpopKeyLost) {
                        // Nothing but another sign-in helps.
                        self.inner.dispatch(EventKind::KeyLost(credential));
                    }
                    Some(proof?)
                }
                None => None,
            };
            let proven = proof.is_some();
            let scheme = if proven { dpop::SCHEME } else { "Bearer " };
            let mut headers = vec![("authorization".to_owned(), [scheme, token.expose()].concat())];
            if let Some(proof) = proof {
                headers.push(("dpop".to_owned(), proof));
            }
            // A proof is for one address, and browsers would hand it on to another origin.
            let refuse_redirects = proven || !policy::origins::may_follow(allowed, &url);
            return Ok(Some(Authorization { headers, credentials: None, refuse_redirects, credential, proven }));
        };
        if self.inner.config.idle.is_some() {
            self.ask(|id| EventKind::Use(id, Lifetime::ZERO)).await?;
        }
        let header = if policy::csrf::needed(method) { self.inner.csrf_header(config).await? } else { None };
        let secret = header.is_some() && !matches!(config.backend.csrf_kind, crate::types::Csrf::StaticHeader { .. });
        Ok(Some(Authorization {
            headers: header.into_iter().collect(),
            credentials: Some(config.backend.credentials),
            refuse_redirects: secret,
            credential: CredentialName { epoch: 0, generation: self.inner.csrf_count() },
            proven: false,
        }))
    }

    /// Takes along what the answer to a request with a proof says about the next one: its header `DPoP-Nonce`. Whether the
    /// same request should be sent once more because of it.
    ///
    /// # Errors
    /// `dpop_nonce_unavailable`: the server wants a nonce, and the browser does not let script read it.
    pub fn learn(
        &self,
        url: &str,
        status: u16,
        www_authenticate: Option<&str>,
        nonce: Option<&str>,
    ) -> Result<bool, Error> {
        self.learn_from(url, status, policy::replay::refusal(status, www_authenticate), nonce)
    }

    /// As [`learn`](Self::learn), with what the answer says already read.
    pub(crate) fn learn_from(
        &self,
        url: &str,
        status: u16,
        refusal: Refusal,
        nonce: Option<&str>,
    ) -> Result<bool, Error> {
        WebUrl::parse(url).map_or(Ok(false), |url| self.inner.learn(&url, status, refusal, nonce))
    }

    /// A server answered a request with `status`. Whether the same request should be sent once more, with the credential
    /// that [`authorize`](Self::authorize) gives then.
    pub async fn answered(&self, credential: CredentialName, status: u16, www_authenticate: Option<&str>) -> bool {
        match self.judge(credential, status, policy::replay::refusal(status, www_authenticate)) {
            Some(again) => again,
            None => matches!(self.ask(|id| EventKind::Refused(id, credential)).await, Ok(Outcome::Replay(true))),
        }
    }

    /// What [`answered`](Self::answered) says at once; `None` where the credential was refused, and the machine knows more.
    pub(crate) fn judge(&self, credential: CredentialName, status: u16, refusal: Refusal) -> Option<bool> {
        let refused = match &self.inner.config.mode {
            Mode::Token(_) => matches!(refusal, Refusal::Token | Refusal::Hidden),
            Mode::Session(config) => {
                if matches!(status, 403 | 419) && self.inner.csrf_refused(config, credential.generation) {
                    return Some(true);
                }
                matches!(status, 401 | 419)
            }
        };
        (!refused).then_some(false)
    }

    /// The ports, for whoever listens to the outside on the client's behalf.
    #[must_use]
    pub fn ports(&self) -> &P {
        &self.inner.ports
    }

    /// Leaves for a path of this origin.
    pub fn go(&self, path: &ReturnTo) {
        self.inner.ports.navigate(path.as_str());
    }

    /// Another tab spoke.
    pub fn hear(&self, text: &str) {
        if let Some(note) = Note::parse(text) {
            self.inner.dispatch(EventKind::Told(note));
        }
    }

    /// The page changed.
    pub fn page_changed(&self, news: PageNews) {
        self.inner.dispatch(match news {
            PageNews::Visible => EventKind::Visible,
            PageNews::Hidden => EventKind::Hidden,
            PageNews::Left => EventKind::Left,
            PageNews::Online => EventKind::Online,
            PageNews::Restored => EventKind::Restored,
            PageNews::Active => EventKind::Active,
        });
    }

    /// Stops everything. The stored session stays.
    pub fn dispose(&self) {
        self.inner.dispatch(EventKind::Dispose);
    }

    /// What an application cannot see, for tests that must.
    #[cfg(not(target_arch = "wasm32"))]
    #[doc(hidden)]
    #[must_use]
    pub fn inside(&self) -> Inside {
        self.inner.inside()
    }

    /// Puts a wish to the machine: the one way of all of the above.
    pub(crate) fn ask(&self, event: impl FnOnce(WaiterId) -> EventKind) -> talk::Work<'static, Outcome> {
        self.inner.ask(event)
    }
}

fn facts(outcome: Outcome) -> Option<Box<SessionFacts>> {
    if let Outcome::Session(facts) = outcome { facts } else { None }
}

/// The machine settles each promise with an outcome of its kind; anything else is a fault of ours.
fn unexpected() -> Error {
    Error::new(ErrorCode::WasmTrapped, "A promise was settled with another's outcome.")
}

/// A token that is handed to a request should outlive the request.
const MARGIN: Lifetime = Lifetime::from_seconds(5);
