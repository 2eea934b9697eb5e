//! Judges ID tokens by the keys that their provider publishes. What every [`Verifier`](super::Verifier) has in common; only the
//! computation of the signature differs.
//!
//! OpenID Connect Core 1.0 §3.1.3.7, §10.1.1. Keys are fetched when `jose::cache` says so; whoever needs them while they are on
//! their way waits for the same request. A provider that cannot be reached takes nothing away: the keys that are there serve.

use super::{Clock, Http};
use crate::error::{Error, ErrorCode};
use crate::jose::algs::Allowed;
use crate::jose::cache::KeyCache;
use crate::jose::check::IdTokenCheck;
use crate::jose::error::JwtError;
use crate::jose::jwks::JwkSet;
use crate::jose::verify::{Prepared, Verified, VerifiedBytes, accept, prepare};
use crate::protocol::http::{HttpFailure, HttpRequest};
use crate::types::{Json, Reading, WebUrl};
use futures_channel::oneshot;
use std::cell::RefCell;
use std::rc::Rc;

/// Computes signatures.
pub trait Signatures {
    /// Whether the signature is right; vouches for exactly what it was given. Where somebody else computes, they have begun when
    /// this returns, if they could.
    fn vouch(&self, prepared: &Prepared) -> impl Future<Output = Result<VerifiedBytes, JwtError>>;
}

/// The keys of all providers that tokens came from.
#[derive(Debug, Default)]
pub struct Notary {
    providers: RefCell<Vec<Rc<Provider>>>,
}

/// One provider.
#[derive(Debug)]
struct Provider {
    jwks_uri: WebUrl,
    keys: RefCell<KeyCache>,
    /// Who waits for the keys that are on their way, if they are.
    waiting: RefCell<Option<Vec<Seat>>>,
}

/// Hears what came of a request.
type Seat = oneshot::Sender<Result<(), Error>>;

impl Notary {
    /// Fetches the provider's keys, if they are needed for the next token. That they cannot be had is told by that token.
    pub async fn prepare(&self, outside: &(impl Http + Clock), jwks_uri: &WebUrl) {
        // Whoever verifies asks again, and reports.
        let _ = self.provider(jwks_uri).current(outside).await;
    }

    /// The claims of a token that passes every rule, and whose signature is right unless the application does without. Where
    /// keys are `given`, nobody is asked for others.
    ///
    /// # Errors
    /// Why it is not taken: `id_token_…`, `identity_changed`, `authentication_insufficient`; `jwks_…` where it cannot be told.
    pub async fn verify(
        &self,
        outside: &(impl Http + Clock + Signatures),
        check: &IdTokenCheck,
        given: Option<&JwkSet>,
    ) -> Result<Json, Error> {
        let Some((jwks_uri, allowed)) = &check.signature else { return Ok(check.judge_unsigned()?) };
        if let Some(keys) = given {
            return Ok(check.judge(&seen(outside, check, keys, *allowed).await?)?.into_json());
        }
        let provider = self.provider(jwks_uri);
        let keys = provider.current(outside).await?;
        let verified = match seen(outside, check, &keys, *allowed).await {
            Err(error) if error.may_be_outdated() => {
                provider.renew_again(outside).await?;
                let newer = provider.known(outside.read());
                if Rc::ptr_eq(&newer, &keys) {
                    return Err(error.into());
                }
                seen(outside, check, &newer, *allowed).await?
            }
            verdict => verdict?,
        };
        Ok(check.judge(&verified)?.into_json())
    }

    fn provider(&self, jwks_uri: &WebUrl) -> Rc<Provider> {
        let mut providers = self.providers.borrow_mut();
        if let Some(known) = providers.iter().find(|each| each.jwks_uri == *jwks_uri) {
            return Rc::clone(known);
        }
        let new =
            Rc::new(Provider { jwks_uri: jwks_uri.clone(), keys: RefCell::default(), waiting: RefCell::default() });
        providers.push(Rc::clone(&new));
        new
    }
}

impl Provider {
    fn known(&self, now: Reading) -> Rc<JwkSet> {
        self.keys.borrow().keys(now).cloned().unwrap_or_default()
    }

    /// The keys for a token that is going to be looked at. An error only where none are left.
    async fn current(&self, outside: &(impl Http + Clock)) -> Result<Rc<JwkSet>, Error> {
        let mut now = outside.read();
        let due = self.keys.borrow().is_due(now);
        let mut fetched = Ok(());
        if due {
            fetched = self.fetch(outside).await;
            now = outside.read();
        }
        self.keys.borrow().keys(now).map_or_else(|| fetched.map(|()| Rc::default()), |keys| Ok(Rc::clone(keys)))
    }

    /// After a token that the keys do not verify.
    ///
    /// # Errors
    /// There may be newer ones, and they cannot be had: nobody knows what the token is worth.
    async fn renew_again(&self, outside: &(impl Http + Clock)) -> Result<(), Error> {
        let under_way = self.waiting.borrow().is_some();
        if under_way {
            return self.fetch(outside).await;
        }
        if self.keys.borrow().may_ask_again(outside.read()) {
            self.keys.borrow_mut().ask_again(outside.read());
            return self.fetch(outside).await;
        }
        if self.keys.borrow().is_failing() { Err(ErrorCode::JwksUnavailable.into()) } else { Ok(()) }
    }

    /// One request, however many want it.
    async fn fetch(&self, outside: &(impl Http + Clock)) -> Result<(), Error> {
        while let Some(arrives) = self.join() {
            // Where whoever asked was dropped, it is the next one's turn.
            if let Ok(fetched) = arrives.await {
                return fetched;
            }
        }
        let turn = Turn(self);
        self.keys.borrow_mut().ask(outside.read());
        let fetched = ask(outside, &self.jwks_uri).await;
        let fetched = fetched.map(|keys| self.keys.borrow_mut().learn(keys, outside.read()));
        turn.end(&fetched);
        fetched
    }

    /// A seat among those who wait; `None` for the first, whose turn it is to ask.
    fn join(&self) -> Option<oneshot::Receiver<Result<(), Error>>> {
        let mut waiting = self.waiting.borrow_mut();
        let Some(seats) = &mut *waiting else {
            *waiting = Some(Vec::new());
            return None;
        };
        let (sender, receiver) = oneshot::channel();
        seats.push(sender);
        Some(receiver)
    }
}

/// The turn to ask; given back when it is dropped.
struct Turn<'a>(&'a Provider);

impl Turn<'_> {
    fn end(&self, fetched: &Result<(), Error>) {
        for seat in self.0.waiting.borrow_mut().take().unwrap_or_default() {
            // One who does not wait any more misses nothing.
            let _ = seat.send(fetched.clone());
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.waiting.borrow_mut().take();
    }
}

async fn seen(
    outside: &impl Signatures,
    check: &IdTokenCheck,
    keys: &JwkSet,
    allowed: Allowed,
) -> Result<Verified, JwtError> {
    let prepared = prepare(check.token.expose(), keys, allowed)?;
    let vouched = outside.vouch(&prepared);
    // In the time that the signature takes.
    prepared.read()?;
    let vouched = vouched.await?;
    accept(prepared, &vouched)
}

async fn ask(outside: &impl Http, jwks_uri: &WebUrl) -> Result<JwkSet, Error> {
    let answer = outside.send(&HttpRequest::new("GET", jwks_uri.clone())).await;
    let answer = answer.map_err(|failure| match failure {
        HttpFailure::NetworkOrCors => ErrorCode::JwksUnavailable.into(),
        HttpFailure::Timeout => Error::new(ErrorCode::JwksUnavailable, "There was no answer in time."),
        HttpFailure::TooLarge => Error::from(JwtError::KeysInvalid("the document is larger than 256 KiB")),
    })?;
    match answer.status {
        200 => Ok(JwkSet::parse(&answer.body)?),
        0 => Err(Error::new(ErrorCode::JwksUnavailable, "`jwks_uri` redirects.")),
        status => Err(Error::from(ErrorCode::JwksUnavailable).with_status(status)),
    }
}
