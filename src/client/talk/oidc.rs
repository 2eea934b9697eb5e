//! Conversations with an OpenID provider. Its metadata comes first: given, remembered, or fetched now.
//!
//! RFC 6749 §4.1.3 and §6, OpenID Connect Core 1.0 §3.1 and §5.3, RFC 7009, RP-Initiated Logout 1.0. ID tokens are judged
//! elsewhere, see `ports::Verifier`.

use super::{Kept, Memory, Moment, Next, Step, Then, done};
use crate::client::assemble::{Parts, with_scope};
use crate::client::options::Provider;
use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::jose::algs::Allowed;
use crate::jose::check::IdTokenCheck;
use crate::jose::compact::peek_iat;
use crate::machine::{Answer, Ending};
use crate::policy::refresh;
use crate::protocol::authorization::{Randomness, authorization_request};
use crate::protocol::callback::AuthorizationResponse;
use crate::protocol::dpop::{self, Policy};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::metadata::{Metadata, discovery_request, process_discovery};
use crate::protocol::token::TokenResponse;
use crate::protocol::transaction::Transaction;
use crate::protocol::{answer, callback, end_session, revocation, token, userinfo};
use crate::types::{Json, Lifetime, Nonce, Prover, Reading, RefreshToken, Session, Source, Tokens, UnixMillis, WebUrl};
use std::rc::Rc;

/// What the metadata is needed for.
pub(super) enum Task {
    /// Leave for the provider.
    SignIn(SignIn),
    /// Code for tokens.
    Exchange(Box<(AuthorizationResponse, Transaction)>),
    /// The next tokens of this session.
    Refresh(Session, RefreshToken),
    /// To see whether it is there.
    Reach,
    /// Revocation, and the provider's own page.
    End(Box<Tokens>, Ending),
}

/// A sign-in to begin.
pub(super) struct SignIn {
    pub(super) params: Vec<(String, String)>,
    pub(super) kept: Kept,
}

/// What was asked.
pub(super) enum Waiting {
    /// The metadata, for this.
    Metadata(Task),
    /// The tokens of this sign-in.
    Exchange(Box<Transaction>),
    /// The next tokens of this session.
    Refresh(Session),
    /// What is known about the user whose ID token has these claims.
    UserInfo(Box<(Made, Json)>),
    /// Anything.
    Reach,
    /// To forget this token.
    Revocation(Box<SignOut>, Revoked),
}

/// A sign-out under way.
pub(super) struct SignOut {
    metadata: Rc<Metadata>,
    tokens: Box<Tokens>,
    ending: Ending,
    /// The first thing that went wrong.
    failure: Option<Error>,
}

/// Which token is revoked.
#[derive(Clone, Copy)]
pub(super) enum Revoked {
    Refresh,
    Access,
}

/// A sign-in that lacks nothing but its random numbers.
pub(super) struct Leaving<'a> {
    registration: &'a Provider,
    metadata: Rc<Metadata>,
    sign_in: SignIn,
}

pub(super) fn begin<'a>(registration: &'a Provider, task: Task, memory: &mut Memory) -> Step<'a> {
    match (&memory.metadata, &registration.metadata) {
        (Some(known), _) => go_on(registration, task, Rc::clone(known)),
        (None, Some(given)) => {
            let found = Metadata::from_json(&registration.issuer, given)?;
            go_on(registration, task, remember(found, memory))
        }
        (None, None) => {
            let request = discovery_request(&registration.issuer)?;
            Ok(send(registration, request, ErrorPhase::Discovery, Waiting::Metadata(task)))
        }
    }
}

/// That a revocation fails does not end the conversation; any other failure does.
pub(super) fn next<'a>(
    registration: &'a Provider,
    waiting: Waiting,
    answer: Result<HttpResponse, Error>,
    moment: &Moment,
    memory: &mut Memory,
) -> Step<'a> {
    let at = moment.now.wall;
    match waiting {
        Waiting::Metadata(task) => {
            let found = process_discovery(&registration.issuer, &answer?)?;
            if matches!(task, Task::SignIn(_)) {
                // Not remembered, as the provider may mend it.
                suffices(registration, &found)?;
            }
            go_on(registration, task, remember(found, memory))
        }
        Waiting::Exchange(transaction) => {
            let key = (transaction.jkt.as_deref(), registration.dpop);
            let tokens = token::process_token_response(&answer?, at, ErrorPhase::Token, key)?;
            let tokens = with_scope(tokens, &registration.scope, None);
            judge(registration, tokens, Purpose::SignIn(transaction), (moment, memory))
        }
        Waiting::Refresh(session) => {
            let prover = session.prover();
            let key = (prover.as_ref().map(|prover| prover.jkt.as_str()), registration.dpop);
            let tokens = token::process_token_response(&answer?, at, ErrorPhase::Refresh, key)?;
            judge(registration, tokens, Purpose::Renewal(session), (moment, memory))
        }
        Waiting::UserInfo(judged) => {
            let (made, claims) = *judged;
            let told = answer.and_then(|response| userinfo::process_userinfo(&response, &claims));
            done(made.finish(Some(claims), Some(told.map_err(userinfo::coded)?)))
        }
        Waiting::Reach => answer.and_then(|_| done(Answer::Reached)),
        Waiting::Revocation(sign_out, which) => revoked(registration, sign_out, which, answer),
    }
}

/// Nobody waits any more for what was to be asked. What has brought tokens goes on to its end: they are revoked then.
pub(super) fn unasked<'a>(waiting: Waiting) -> Step<'a> {
    match waiting {
        Waiting::UserInfo(judged) => {
            let (made, claims) = *judged;
            done(made.finish(Some(claims), None))
        }
        Waiting::Metadata(_)
        | Waiting::Exchange(_)
        | Waiting::Refresh(_)
        | Waiting::Reach
        | Waiting::Revocation(..) => Err(ErrorCode::Aborted.into()),
    }
}

fn send(registration: &Provider, request: HttpRequest, phase: ErrorPhase, waiting: Waiting) -> Next<'_> {
    Next::Send(Box::new(request), phase, Then::Oidc(registration, waiting))
}

fn remember(found: Metadata, memory: &mut Memory) -> Rc<Metadata> {
    let found = Rc::new(found);
    memory.metadata = Some(Rc::clone(&found));
    found
}

/// The metadata is known.
fn go_on(registration: &Provider, task: Task, metadata: Rc<Metadata>) -> Step<'_> {
    match task {
        Task::SignIn(sign_in) => {
            suffices(registration, &metadata)?;
            Ok(Next::Draw(Box::new(Leaving { registration, metadata, sign_in })))
        }
        Task::Exchange(returned) => {
            let (response, transaction) = *returned;
            let code = callback::judge(response, &transaction, &metadata)?;
            let request = token::exchange_request(registration, &metadata, code, &transaction);
            Ok(send(registration, request, ErrorPhase::Token, Waiting::Exchange(Box::new(transaction))))
        }
        Task::Refresh(session, refresh_token) => {
            let request = token::refresh_request(registration, &metadata, &refresh_token, session.prover());
            Ok(send(registration, request, ErrorPhase::Refresh, Waiting::Refresh(session)))
        }
        Task::Reach => {
            let request = HttpRequest::knock(&metadata.token_endpoint);
            Ok(send(registration, request, ErrorPhase::Refresh, Waiting::Reach))
        }
        Task::End(tokens, ending) => {
            // The refresh token first: it is the one that lives.
            let first = if tokens.refresh.is_some() { Revoked::Refresh } else { Revoked::Access };
            revoke(registration, Box::new(SignOut { metadata, tokens, ending, failure: None }), first)
        }
    }
}

impl<'a> Leaving<'a> {
    /// Whether a key must be made first, and how much depends on it.
    pub(super) fn wants_key(&self) -> Result<Option<Policy>, Error> {
        let policy = self.registration.dpop;
        Ok(dpop::wanted(policy, self.metadata.dpop_es256)?.then_some(policy))
    }

    pub(super) fn leave(self, random: (&Randomness, Option<String>), now: UnixMillis) -> Step<'a> {
        let SignIn { params, kept } = self.sign_in;
        let (url, mut transaction) = authorization_request(
            self.registration,
            &self.metadata,
            &params,
            random,
            now,
            kept.return_to,
            kept.app_state,
        )?;
        transaction.silent = kept.silent;
        Ok(Next::Keep(Box::new(transaction), Box::new(url)))
    }
}

fn revoke(registration: &Provider, sign_out: Box<SignOut>, which: Revoked) -> Step<'_> {
    let Some(endpoint) = &sign_out.metadata.revocation_endpoint else { return leave(registration, *sign_out) };
    let (token, hint) = match (which, &sign_out.tokens.refresh) {
        (Revoked::Refresh, Some(refresh)) => (refresh.expose(), "refresh_token"),
        (Revoked::Refresh, None) | (Revoked::Access, _) => (sign_out.tokens.access.expose(), "access_token"),
    };
    let request = revocation::revocation_request(&registration.client_id, endpoint, token, hint);
    Ok(send(registration, request, ErrorPhase::Logout, Waiting::Revocation(sign_out, which)))
}

fn revoked(
    registration: &Provider,
    mut sign_out: Box<SignOut>,
    which: Revoked,
    answer: Result<HttpResponse, Error>,
) -> Step<'_> {
    let failure = match answer {
        Ok(response) if revocation::is_done(&response) => None,
        Ok(response) => Some(answer::status_error(&response, ErrorPhase::Logout)),
        Err(error) => Some(error),
    };
    sign_out.failure = sign_out.failure.or(failure);
    match which {
        Revoked::Refresh => revoke(registration, sign_out, Revoked::Access),
        Revoked::Access => leave(registration, *sign_out),
    }
}

/// The provider's page, where there is one and it is wanted: it ends the session even if the revocation failed.
fn leave(registration: &Provider, sign_out: SignOut) -> Step<'_> {
    let SignOut { metadata, tokens, ending, failure } = sign_out;
    if ending == Ending::Provider
        && let Some(url) = end_session::end_session_url(registration, &metadata, tokens.id_token.as_ref())
    {
        return done(Answer::Leave(Box::new(url)));
    }
    match failure {
        None => done(Answer::Ended),
        Some(error) => Err(error),
    }
}

/// What tokens are for.
enum Purpose {
    SignIn(Box<Transaction>),
    Renewal(Session),
}

/// Tokens that have come, and what is made of them once the ID token among them is judged.
pub(super) struct Judging<'a> {
    registration: &'a Provider,
    check: IdTokenCheck,
    made: Made,
    /// Where to ask about the user then, where that is wanted.
    userinfo: Option<WebUrl>,
    /// What the ID token says about the server's clock.
    clock: Issued,
}

/// When an ID token was issued, by its own word, and between which instants that was.
struct Issued {
    at: Option<UnixMillis>,
    asked: Reading,
    now: Reading,
    /// How far the server's clock is off then.
    skew: i64,
}

/// Tokens that have come, and what of them is judged.
pub(super) struct Made {
    response: TokenResponse,
    purpose: Purpose,
    at: UnixMillis,
    skew: i64,
}

/// The clock that judges is the server's, known from the token's own `iat`: it came straight from the token endpoint, and the
/// nonce ties it to this sign-in. For anything else it counts from when the token was judged right.
fn judge<'a>(
    registration: &'a Provider,
    response: TokenResponse,
    purpose: Purpose,
    (moment, memory): (&Moment, &Memory),
) -> Step<'a> {
    let previous = if let Purpose::Renewal(session) = &purpose { Some(session) } else { None };
    let (at, skew) = (moment.now.wall, memory.skew(previous, moment.now));
    let Some(token) = response.id_token.clone() else {
        if previous.is_none() && registration.scope.contains("openid") {
            return Err(ErrorCode::IdTokenMissing.into());
        }
        return done(Made { response, purpose, at, skew }.finish(None, None));
    };
    // Tokens came from an endpoint of it.
    let metadata = memory.metadata.as_deref().ok_or(ErrorCode::DiscoveryInvalid)?;
    let signature = match signature(registration, metadata) {
        Err(error) => return Made { response, purpose, at, skew }.refused(error),
        Ok(signature) => signature,
    };
    let issued = peek_iat(&token);
    let told = memory.skew_if(issued, previous, moment);
    let userinfo = if previous.is_none() { userinfo_endpoint(registration, metadata)?.cloned() } else { None };
    let check = IdTokenCheck {
        token,
        access: Some(response.access.clone()),
        typ: None,
        issuer: registration.issuer.clone(),
        client_id: registration.client_id.clone(),
        leeway: registration.leeway,
        now: at.shifted(told),
        previous: previous.and_then(Session::tokens).and_then(|tokens| tokens.id_claims.clone()),
        signature: signature.map(|(keys, allowed)| (keys.clone(), allowed)),
        nonce: purpose.nonce(),
        // The sign-in's own `max_age`, where it had one, is the one that was sent.
        max_age: if let Purpose::SignIn(transaction) = &purpose { transaction.max_age } else { None },
        acr: if let Purpose::SignIn(transaction) = &purpose { transaction.acr.clone() } else { Vec::new() },
    };
    let made = Made { response, purpose, at, skew };
    let clock = Issued { at: issued, asked: moment.asked, now: moment.now, skew: told };
    Ok(Next::Judge(Box::new(Judging { registration, check, made, userinfo, clock })))
}

impl Purpose {
    fn nonce(&self) -> Option<Nonce> {
        if let Self::SignIn(transaction) = self { Some(transaction.nonce.clone()) } else { None }
    }
}

/// Whether the metadata have what a sign-in needs: better known before the user has left than after.
fn suffices(registration: &Provider, metadata: &Metadata) -> Result<(), Error> {
    if registration.scope.contains("openid") {
        signature(registration, metadata)?;
    }
    userinfo_endpoint(registration, metadata).map(drop)
}

/// Where to ask about the user; `None` where nobody asks.
fn userinfo_endpoint<'a>(registration: &Provider, metadata: &'a Metadata) -> Result<Option<&'a WebUrl>, Error> {
    match (&metadata.userinfo_endpoint, registration.user_info) {
        (_, false) => Ok(None),
        (Some(endpoint), true) => Ok(Some(endpoint)),
        (None, true) => Err(Error::new(ErrorCode::DiscoveryInvalid, NO_USERINFO)),
    }
}

/// Where the keys are, and by what tokens may be signed; `None` where nobody verifies.
fn signature<'a>(registration: &Provider, metadata: &'a Metadata) -> Result<Option<(&'a WebUrl, Allowed)>, Error> {
    let Some(allowed) = registration.algs else { return Ok(None) };
    let keys = metadata.jwks_uri.as_ref().ok_or_else(|| Error::new(ErrorCode::DiscoveryInvalid, NO_KEYS))?;
    Ok(Some((keys, allowed)))
}

const NO_KEYS: &str = "`jwks_uri` is missing, and ID tokens cannot be verified without it.";
const NO_USERINFO: &str = "`userinfo_endpoint` is missing, and `oidc.userInfo` is set.";

impl<'a> Judging<'a> {
    pub(super) fn check(&self) -> &IdTokenCheck {
        &self.check
    }

    /// How long it may take. While a renewed session waits for it, its new tokens are stored nowhere.
    pub(super) fn patience(&self) -> Lifetime {
        match self.made.purpose {
            Purpose::SignIn(_) => Lifetime::from_seconds(60),
            Purpose::Renewal(_) => Lifetime::from_seconds(5),
        }
    }

    pub(super) fn judged(self, claims: Result<Json, Error>, memory: &mut Memory) -> Step<'a> {
        let Self { registration, mut made, userinfo, clock, .. } = self;
        if claims.is_ok() {
            memory.learn_issued(clock.at, clock.asked, clock.now);
            made.skew = clock.skew;
        }
        match (claims, userinfo) {
            (Ok(claims), Some(endpoint)) => {
                let request = userinfo::userinfo_request(&endpoint, &made.response.access, made.prover());
                let waiting = Waiting::UserInfo(Box::new((made, claims)));
                Ok(send(registration, request, ErrorPhase::Token, waiting))
            }
            (Ok(claims), None) => done(made.finish(Some(claims), None)),
            (Err(error), _) => made.refused(error),
        }
    }
}

impl Made {
    /// The key of the access token, where it has one.
    fn prover(&self) -> Option<Prover> {
        let binding = self.response.binding.as_ref().filter(|binding| binding.access)?;
        Some(Prover { jkt: binding.jkt.clone(), skew: self.skew, known_at: Some(self.at) })
    }

    /// The ID token is not worth anything, or nobody knows what.
    fn refused<'a>(mut self, error: Error) -> Step<'a> {
        match &self.purpose {
            // The server has rotated the refresh token for these: only the ID token is left out, and the one before stays.
            Purpose::Renewal(_) if refresh::is_undecided(error.code) => {
                self.response.id_token = None;
                let answer = Box::new(self.finish(None, None));
                Ok(Next::Unjudged(Box::new(error.during(ErrorPhase::Refresh)), answer))
            }
            Purpose::Renewal(_) => Err(error.during(ErrorPhase::Refresh)),
            Purpose::SignIn(_) => Err(error),
        }
    }

    fn finish(self, claims: Option<Json>, userinfo: Option<Json>) -> Answer {
        let Self { response, purpose, at, skew } = self;
        let (user, source) = (None, Source::Oidc);
        match purpose {
            Purpose::SignIn(transaction) => {
                let session = Parts { response, claims, userinfo, user, source, at, skew, previous: None }.session();
                let Transaction { return_to, app_state, silent, .. } = *transaction;
                Kept { return_to, app_state, silent }.with(session)
            }
            Purpose::Renewal(session) => {
                let previous = Some(&session);
                let session = Parts { response, claims, userinfo, user, source, at, skew, previous }.session();
                Answer::Renewed(session)
            }
        }
    }
}

/// The provider's keys, where an ID token is to be expected from what is sent for it. The outer `None`: it is not.
pub(super) fn expects<'a>(
    registration: &Provider,
    waiting: &Waiting,
    memory: &'a Memory,
) -> Option<Option<&'a WebUrl>> {
    let comes = match waiting {
        Waiting::Exchange(_) => registration.scope.contains("openid"),
        Waiting::Refresh(session) => session.tokens().is_some_and(|tokens| tokens.id_token.is_some()),
        Waiting::Metadata(_) | Waiting::UserInfo(_) | Waiting::Reach | Waiting::Revocation(..) => false,
    };
    let metadata = memory.metadata.as_deref().filter(|_| comes)?;
    Some(signature(registration, metadata).ok()?.map(|(keys, _)| keys))
}
