//! The keys that tokens are bound to, and the proofs that are made with them. RFC 9449.
//!
//! A key is made for one sign-in, and kept in the browser's database on the way to the provider and back: the code is bound to
//! it (§10). After that it is there for as long as the tokens are stored, and in memory where those are in memory.

use super::driver::Inner;
use super::options::Mode;
use super::talk::{Told, Work};
use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::policy::replay::{Refusal, refusal};
use crate::policy::storage::Medium;
use crate::ports::{Ports, ProofKeys, StoreFailure};
use crate::protocol::answer;
use crate::protocol::dpop::{self, Claims, Policy, PublicKey};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::transaction::TTL;
use crate::types::{AccessToken, Lifetime, Prover, Reading, UnixMillis, WebUrl};
use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

/// A key in use.
pub(super) struct Held<K> {
    jkt: String,
    public: PublicKey,
    key: K,
    /// Of a sign-in whose tokens are still to come.
    pending: Cell<bool>,
}

/// What a key is looked up for, or kept.
type Access<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreFailure>> + 'a>>;

pub(super) type HeldKey<P> = Rc<Held<<<P as Ports>::Keys as ProofKeys>::Key>>;

impl<P: Ports> Inner<P> {
    /// Makes the key of a sign-in that begins at `at`, and keeps it until the callback. Returns its thumbprint.
    ///
    /// Where the browser keeps no keys, a sign-in that may do without one does: it asks for bearer tokens from the start.
    pub(super) fn bind(&self, policy: Policy, at: UnixMillis) -> Work<'_, Option<String>> {
        Box::pin(async move {
            match self.make_key(at).await {
                Ok(jkt) => Ok(Some(jkt)),
                Err(_) if policy != Policy::Always => Ok(None),
                Err(failure) => {
                    let detail = ["This browser keeps no keys: IndexedDB or crypto.subtle is ", failure.as_str(), "."];
                    Err(Error::new(ErrorCode::DpopUnavailable, detail.concat()))
                }
            }
        })
    }

    async fn make_key(&self, at: UnixMillis) -> Result<String, StoreFailure> {
        let keys = self.ports.keys();
        // Of sign-ins that nobody came back from.
        let old = at.minus(TTL).minus(Lifetime::from_millis(1));
        keys.forget(&self.pending_name(UnixMillis(0), ""), &self.pending_name(old, "~")).await?;
        // Of tabs that were closed.
        keys.forget(&self.key_name(0, ""), &self.key_name(self.season() - 2, "~")).await?;
        let key = keys.make().await?;
        let jkt = keys.public(&key).map(|point| PublicKey::new(&point).thumbprint()).ok_or(StoreFailure::Failed)?;
        keys.keep(&self.pending_name(at, &jkt), &key).await?;
        Ok(jkt)
    }

    /// The key of this thumbprint. That of a sign-in that was `begun` then is taken back into memory: from here on it is kept as
    /// the tokens are.
    ///
    /// # Errors
    /// `dpop_key_lost`; `storage_unavailable` where the browser does not say whether it is.
    pub(super) fn key<'a>(&'a self, jkt: &'a str, begun: Option<UnixMillis>) -> Work<'a, HeldKey<P>> {
        Box::pin(async move {
            if let Some(known) = self.held.borrow().iter().find(|held| held.jkt == jkt) {
                return Ok(Rc::clone(known));
            }
            let found = match begun {
                Some(at) => {
                    let (keys, name) = (self.ports.keys(), self.pending_name(at, jkt));
                    let found = keys.load(&name).await;
                    // Where it cannot be forgotten now, a sign-in after ten minutes does it.
                    keys.forget(&name, &name).await.ok();
                    found
                }
                None if self.keeps_keys() => self.load_kept(jkt).await,
                None => Ok(None),
            };
            self.hold(jkt, found.map_err(unusable)?, begun.is_some()).ok_or_else(|| ErrorCode::DpopKeyLost.into())
        })
    }

    /// A key that is kept for this season, or was for another one and is from now on for this.
    async fn load_kept(&self, jkt: &str) -> Result<Option<<P::Keys as ProofKeys>::Key>, StoreFailure> {
        let keys = self.ports.keys();
        for name in self.key_names(jkt) {
            if let Some(key) = keys.load(&name).await? {
                if name != self.key_name(self.season(), jkt) {
                    // Where it fails, the next page load does it.
                    keys.keep(&self.key_name(self.season(), jkt), &key).await.ok();
                }
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Takes a key that was loaded into use.
    fn hold(&self, jkt: &str, key: Option<<P::Keys as ProofKeys>::Key>, pending: bool) -> Option<HeldKey<P>> {
        let key = key?;
        let public = PublicKey::new(&self.ports.keys().public(&key)?);
        // Whoever put another key there gets no proof with it.
        if public.thumbprint() != jkt {
            return None;
        }
        let held = Rc::new(Held { jkt: jkt.to_owned(), public, key, pending: Cell::new(pending) });
        self.held.borrow_mut().push(Rc::clone(&held));
        Some(held)
    }

    /// Makes the key of these tokens as durable as they are about to be.
    pub(super) fn keep_key<'a>(&'a self, jkt: Option<&'a str>) -> Access<'a, ()> {
        Box::pin(async move {
            let Some(jkt) = jkt else { return Ok(()) };
            let held = self.key(jkt, None).await;
            if let Ok(held) = &held {
                held.pending.set(false);
            }
            if !self.keeps_keys() {
                return Ok(());
            }
            let held = held.map_err(|_| StoreFailure::Failed)?;
            self.ports.keys().keep(&self.key_name(self.season(), jkt), &held.key).await
        })
    }

    /// Forgets the keys that are in use, except for this one. What cannot be removed is a key that nobody has a use for.
    pub(super) async fn drop_others(&self, jkt: Option<&str>) {
        self.drop_keys(&|held| Some(held.jkt.as_str()) != jkt).await;
    }

    /// Forgets the keys of sessions. That of a sign-in which is under way is not one of them.
    pub(super) async fn drop_ended(&self) {
        self.drop_keys(&|held| !held.pending.get()).await;
    }

    async fn drop_keys(&self, which: &dyn Fn(&HeldKey<P>) -> bool) {
        while let Some(key) = self.drop_key(which) {
            if self.keeps_keys() {
                for name in self.key_names(&key.jkt) {
                    self.ports.keys().forget(&name, &name).await.ok();
                }
            }
        }
    }

    /// Lets go of one key.
    fn drop_key(&self, which: &dyn Fn(&HeldKey<P>) -> bool) -> Option<HeldKey<P>> {
        let mut held = self.held.borrow_mut();
        let at = held.iter().position(which)?;
        Some(held.swap_remove(at))
    }

    /// A proof for one request. RFC 9449 §4.
    ///
    /// # Errors
    /// Those of [`key`](Self::key); `storage_unavailable` where the browser does not sign.
    pub(super) fn prove<'a>(
        &'a self,
        prover: &'a Prover,
        method: &'a str,
        url: &'a WebUrl,
        access: Option<&'a AccessToken>,
    ) -> Work<'a, String> {
        Box::pin(async move {
            let held = self.key(&prover.jkt, None).await?;
            let input = self.signing_input(&held.public, prover, method, url, access)?;
            let signature = self.ports.keys().sign(&held.key, input.as_bytes()).await.map_err(unusable)?;
            Ok(dpop::proof(&input, &signature))
        })
    }

    fn signing_input(
        &self,
        key: &PublicKey,
        prover: &Prover,
        method: &str,
        url: &WebUrl,
        access: Option<&AccessToken>,
    ) -> Result<String, Error> {
        let mut jti = [0; 16];
        self.fill(&mut jti)?;
        let (memory, now) = (self.memory.borrow(), self.ports.read());
        let at = now.wall.shifted(memory.clock.skew_beside(prover.skew, prover.known_at, now));
        Ok(key.signing_input(&Claims { method, url, jti: &jti, at, access, nonce: memory.nonces.of(url) }))
    }

    /// Sends a request, with a proof where it needs one, and then once more where the server wants a nonce in it. RFC 9449 §8.
    /// Each time within what is left until `end`.
    pub(super) fn send(
        &self,
        mut request: Box<HttpRequest>,
        phase: ErrorPhase,
        end: Option<UnixMillis>,
    ) -> Work<'_, HttpResponse> {
        Box::pin(async move {
            let (plain, mut once) = (request.headers.len(), request.prover.is_some());
            let access = dpop::bound_token(&request);
            loop {
                if let Some(prover) = &request.prover {
                    let proof = self.prove(prover, &request.method, &request.url, access.as_ref()).await;
                    request.headers.push(("dpop".to_owned(), proof.map_err(|error| error.during(phase))?));
                }
                let asked = self.ports.read();
                if let Some(left) = end.map(|end| asked.wall.until(end)) {
                    if left <= Lifetime::ZERO {
                        // It is not sent; what was sent before was refused.
                        return Err(Error::from(ErrorCode::Timeout).during(ErrorPhase::Discovery));
                    }
                    request.deadline = request.deadline.min(left);
                }
                let sent = self.ports.send(&request).await;
                let mut answer = sent.map_err(|failure| answer::failure(failure, phase))?;
                self.learn_time(&mut answer, phase, asked);
                let again =
                    self.wants_nonce(&request.url, &answer, access.is_some()).map_err(|error| error.during(phase))?;
                if !again || !std::mem::take(&mut once) {
                    return Ok(answer);
                }
                request.headers.truncate(plain);
            }
        })
    }

    /// Takes along what an answer says of the server's clock, and counts a date in it by that clock.
    fn learn_time(&self, answer: &mut HttpResponse, phase: ErrorPhase, asked: Reading) {
        let (now, clock) = (self.ports.read(), &mut self.memory.borrow_mut().clock);
        // Metadata may have lain in a cache.
        if let Some(told) = answer::date(answer).filter(|_| phase != ErrorPhase::Discovery) {
            clock.learn(Told::Header(told), asked, now);
        }
        answer::count_retry_after(answer, now.wall.shifted(clock.skew(now).unwrap_or_default()));
    }

    /// Takes the nonce of an answer along. Whether the server wants the request again because of it. `shown`: an access token was.
    fn wants_nonce(&self, url: &WebUrl, answer: &HttpResponse, shown: bool) -> Result<bool, Error> {
        let nonce = answer.header("dpop-nonce");
        if shown {
            // A resource says so in a challenge, and one of an authorization server also as that does. RFC 9449 §9.
            let challenge = answer.header("www-authenticate");
            let why = if dpop::wants_nonce(answer) { Refusal::Nonce } else { refusal(answer.status, challenge) };
            return self.learn(url, answer.status, why, nonce);
        }
        self.memory.borrow_mut().nonces.learn(url, nonce);
        let wanted = dpop::wants_nonce(answer);
        if wanted && nonce.is_none() { Err(dpop::nonce_unavailable().with_status(answer.status)) } else { Ok(wanted) }
    }

    /// Takes the nonce along that the answer to a request of the application's brings. Whether the same request should be sent
    /// once more because of it. RFC 9449 §9.
    pub(super) fn learn(
        &self,
        url: &WebUrl,
        status: u16,
        refusal: Refusal,
        nonce: Option<&str>,
    ) -> Result<bool, Error> {
        let nonces = &mut self.memory.borrow_mut().nonces;
        let news = nonces.learn(url, nonce);
        match refusal {
            Refusal::Nonce if nonce.is_none() => Err(dpop::nonce_unavailable().with_status(status)),
            Refusal::Nonce => Ok(true),
            // A nonce that was not in the request may be the reason.
            Refusal::Hidden => Ok(news && nonces.blame(url, self.ports.now())),
            Refusal::No => {
                nonces.acquit(url);
                Ok(false)
            }
            Refusal::Token => Ok(false),
        }
    }

    fn keeps_keys(&self) -> bool {
        matches!(&self.config.mode, Mode::Token(tokens) if tokens.storage.medium != Medium::Memory)
    }

    /// Every name that a key in use may be kept under. A clock that was ahead may have been set back.
    fn key_names(&self, jkt: &str) -> [String; 3] {
        [0, -1, 1].map(|by| self.key_name(self.season() + by, jkt))
    }

    /// By the season that it was last used in, so that those are found that nobody uses.
    fn key_name(&self, season: i64, jkt: &str) -> String {
        // Three digits last until the year 2216.
        let season = season.clamp(0, 999) + 1000;
        ["authsafe.", &self.config.id, ".dpop.", &season.to_string(), ".", jkt].concat()
    }

    fn season(&self) -> i64 {
        self.ports.now().0 / SEASON.millis()
    }

    /// Names stand in the order of time: 13 digits last until the year 2286.
    fn pending_name(&self, at: UnixMillis, jkt: &str) -> String {
        let digits = at.0.max(0).to_string();
        let zeros = "0000000000000".get(digits.len()..).unwrap_or_default();
        ["authsafe.", &self.config.id, ".dpop-pending.", zeros, &digits, ".", jkt].concat()
    }
}

fn unusable(failure: StoreFailure) -> Error {
    let detail = ["The key of the tokens cannot be used: ", failure.as_str(), "."].concat();
    Error::new(ErrorCode::StorageUnavailable, detail)
}

/// A key that was used neither in this time nor in the one before is forgotten.
const SEASON: Lifetime = Lifetime::from_seconds(90 * 24 * 3600);
