//! Tokens that are bound to a key, against a provider that checks every proof, on virtual time. RFC 9449.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::{Authorization, PageNews};
use authsafe::error::{Error, ErrorCode};
use authsafe::machine::{Ending, Login, SignedOutReason, Snapshot};
use authsafe::ports::StoreFailure;
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::dpop::PublicKey;
use authsafe::protocol::http::HttpRequest;
use authsafe::types::{Json, UnixMillis};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::*;

const API: &str = "https://api.example/things?page=1";
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// A provider that binds tokens to keys, and takes no proof that it has not checked.
struct Binding {
    provider: Rc<Provider>,
    /// It lists ES256 in its metadata.
    offered: Cell<bool>,
    /// What it calls the tokens.
    token_type: Cell<&'static str>,
    /// It wants this in every proof.
    nonce: RefCell<Option<&'static str>>,
    /// It tells the nonce where script can read it.
    exposed: Cell<bool>,
    /// It is never content with a nonce.
    insatiable: Cell<bool>,
    /// Its clock is ahead of the device's by so many milliseconds.
    ahead: Cell<i64>,
    /// How far a proof may be from its clock, in seconds.
    patience: Cell<i64>,
    /// The proofs so far; `None` for a token request without one.
    proofs: RefCell<Vec<Option<Proof>>>,
}

/// A proof, taken apart.
#[derive(Clone, Debug, PartialEq)]
struct Proof {
    header: Json,
    claims: Json,
    signature: String,
}

impl Proof {
    fn parse(text: &str) -> Self {
        let parts: Vec<&str> = text.split('.').collect();
        assert_eq!(parts.len(), 3, "{text}");
        let json = |part: &str| Json::parse_bytes(&unencoded(part)).unwrap();
        Self { header: json(parts[0]), claims: json(parts[1]), signature: parts[2].to_owned() }
    }

    fn text(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Json::text).unwrap_or_default()
    }

    fn iat(&self) -> i64 {
        self.claims.get("iat").and_then(Json::number).unwrap() as i64
    }

    fn jkt(&self) -> String {
        let jwk = self.header.get("jwk").unwrap();
        let coordinates: Vec<u8> =
            ["x", "y"].iter().flat_map(|name| unencoded(jwk.get(name).and_then(Json::text).unwrap())).collect();
        PublicKey::new(&coordinates.try_into().unwrap()).thumbprint()
    }
}

impl Binding {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            provider: Provider::new(),
            offered: Cell::new(true),
            token_type: Cell::new("DPoP"),
            nonce: RefCell::default(),
            exposed: Cell::new(true),
            insatiable: Cell::default(),
            ahead: Cell::default(),
            patience: Cell::new(5),
            proofs: RefCell::default(),
        })
    }

    fn world(self: &Rc<Self>) -> Rc<World> {
        let server = Rc::clone(self);
        World::new(START, move |request, now| server.answer(request, now))
    }

    fn answer(&self, request: &HttpRequest, now: UnixMillis) -> Reply {
        let now = now.shifted(self.ahead.get());
        match request.url.path() {
            DISCOVERY if self.offered.get() => {
                let offer = r#","dpop_signing_alg_values_supported":["ES256"]}"#;
                rewritten(self.provider.answer(request, now), |body| [body.trim_end_matches('}'), offer].concat())
            }
            "/token" => {
                let proof = header(&request.headers, "dpop").map(|text| Proof::parse(&text));
                self.proofs.borrow_mut().push(proof.clone());
                let Some(proof) = proof else { return self.provider.answer(request, now) };
                if let Some(nonce) = *self.nonce.borrow()
                    && (proof.text("nonce") != nonce || self.insatiable.get())
                {
                    self.provider.token_requests.set(self.provider.token_requests.get() + 1);
                    let refusal = Reply::json(400, r#"{"error":"use_dpop_nonce"}"#);
                    return if self.exposed.get() { refusal.header("dpop-nonce", nonce) } else { refusal };
                }
                self.check(&proof, now);
                let token_type = self.token_type.get();
                rewritten(self.provider.answer(request, now), |body| body.replace("Bearer", token_type))
            }
            // A resource of the provider's: it says in a challenge what it wants. RFC 9449 §9.
            "/userinfo" => {
                let proof = header(&request.headers, "dpop").map(|text| Proof::parse(&text));
                self.proofs.borrow_mut().push(proof.clone());
                let Some(proof) = proof else { return self.provider.answer(request, now) };
                if let Some(nonce) = *self.nonce.borrow()
                    && (proof.text("nonce") != nonce || self.insatiable.get())
                {
                    let refusal = Reply::json(401, "{}").header("www-authenticate", r#"DPoP error="use_dpop_nonce""#);
                    return if self.exposed.get() { refusal.header("dpop-nonce", nonce) } else { refusal };
                }
                self.check_of(&proof, ("GET", "https://id.example/userinfo"), now);
                self.provider.answer(request, now)
            }
            _ => self.provider.answer(request, now),
        }
    }

    fn check(&self, proof: &Proof, now: UnixMillis) {
        self.check_of(proof, ("POST", "https://id.example/token"), now);
    }

    fn check_of(&self, proof: &Proof, request: (&str, &str), now: UnixMillis) {
        assert_eq!(proof.header.get("typ").and_then(Json::text), Some("dpop+jwt"));
        assert_eq!((proof.text("htm"), proof.text("htu")), request);
        assert_eq!(proof.signature.len(), 86);
        assert!((proof.iat() - now.seconds()).abs() <= self.patience.get(), "{} {}", proof.iat(), now.seconds());
    }

    /// The proofs of the token requests, each of which had one.
    fn proofs(&self) -> Vec<Proof> {
        self.proofs.borrow().iter().cloned().map(Option::unwrap).collect()
    }
}

fn rewritten(mut reply: Reply, change: impl Fn(&str) -> String) -> Reply {
    let response = reply.result.as_mut().unwrap();
    let body = change(std::str::from_utf8(&response.body).unwrap());
    response.body = zeroize::Zeroizing::new(body.into_bytes());
    reply
}

fn header(headers: &[(String, String)], name: &str) -> Option<String> {
    headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.clone())
}

fn options(storage: &str, dpop: &str) -> String {
    token_options(storage).replacen('{', &format!(r#"{{"dpop":"{dpop}","restore":"refresh-token","#), 1)
}

fn authorize(page: &Page) -> Result<Authorization, Error> {
    page.run(|client| async move { client.authorize(API, "GET").await.map(Option::unwrap) })
}

fn renew(page: &Page) -> Result<(), Error> {
    page.run(|client| async move { client.renew().await })
}

/// The proof of a request to the API, and the scheme that its token goes by.
fn api_proof(page: &Page) -> (Option<Proof>, String) {
    let authorization = authorize(page).unwrap();
    let scheme = header(&authorization.headers, "authorization").unwrap().split(' ').next().unwrap().to_owned();
    (header(&authorization.headers, "dpop").map(|text| Proof::parse(&text)), scheme)
}

/// Loads the page anew; what `start` said went wrong.
fn reload(page: &Page, options: &str) -> (Page, Option<ErrorCode>) {
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), options);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    (page, error.map(|error| error.code))
}

fn reason(page: &Page) -> Option<SignedOutReason> {
    if let Snapshot::Unauthenticated(reason, _) = page.client.snapshot() { Some(reason) } else { None }
}

fn login(page: &Page) -> ErrorCode {
    let wish = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
    page.run(|client| async move { client.login(wish).await.unwrap_err().code })
}

#[test]
fn code_tokens_and_calls_are_bound_to_one_key_from_the_first_request_on() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    let jkt = param(&page.tab.navigations.borrow()[0], "dpop_jkt");
    assert_eq!(jkt.len(), 43);
    let (proof, scheme) = api_proof(&page);
    let proof = proof.unwrap();
    assert_eq!((scheme.as_str(), proof.jkt()), ("DPoP", jkt.clone()));
    assert_eq!((proof.text("htm"), proof.text("htu")), ("GET", "https://api.example/things"));
    assert_eq!(proof.text("ath").len(), 43);
    assert!(authorize(&page).unwrap().refuse_redirects, "browsers hand a proof on to another origin");
    renew(&page).unwrap();
    assert_eq!(server.proofs().iter().map(Proof::jkt).collect::<Vec<_>>(), [jkt.clone(), jkt]);
    invariants::hold(&world);
}

#[test]
fn no_two_proofs_have_the_same_name() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    let mut names: Vec<String> = (0..50).map(|_| api_proof(&page).0.unwrap().text("jti").to_owned()).collect();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), names[0].len()), (50, 22));
    invariants::hold(&world);
}

#[test]
fn proofs_are_dated_by_the_clock_of_the_server_once_that_is_known() {
    let server = Binding::new();
    server.ahead.set(3_600_000);
    // A server that judged the first proof so strictly would want a nonce in it.
    server.patience.set(3600);
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    server.patience.set(2);
    renew(&page).unwrap();
    let proof = api_proof(&page).0.unwrap();
    let now = world.block_on({
        let tab = page.tab.clone();
        async move { authsafe::ports::Clock::now(&tab) }
    });
    assert!((proof.iat() - now.seconds() - 3600).abs() <= 2);
    invariants::hold(&world);
}

#[test]
fn f62_a_nonce_that_the_token_endpoint_wants_costs_one_more_request_and_is_known_from_then_on() {
    let server = Binding::new();
    *server.nonce.borrow_mut() = Some("n-1");
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    let proofs = server.proofs();
    assert_eq!(proofs.iter().map(|proof| proof.text("nonce")).collect::<Vec<_>>(), ["", "n-1"]);
    assert_ne!(proofs[0].text("jti"), proofs[1].text("jti"));
    renew(&page).unwrap();
    assert_eq!(server.proofs().len(), 3);
    *server.nonce.borrow_mut() = Some("n-2");
    renew(&page).unwrap();
    assert_eq!(server.proofs().last().unwrap().text("nonce"), "n-2");
    assert_eq!(server.proofs().len(), 5);
    // The API is another server.
    assert_eq!(api_proof(&page).0.unwrap().text("nonce"), "");
    assert!(!server.provider.reused.get());
    invariants::hold(&world);
}

#[test]
fn f62_a_server_that_is_never_content_with_a_nonce_is_asked_twice_and_no_more() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    *server.nonce.borrow_mut() = Some("n-1");
    server.insatiable.set(true);
    let before = server.proofs().len();
    let error = renew(&page).unwrap_err();
    assert_eq!(error.code, ErrorCode::TokenRequestRejected);
    assert_eq!(error.oauth.as_ref().map(|oauth| oauth.error.as_str()), Some("use_dpop_nonce"));
    assert_eq!((server.proofs().len() - before, page.status()), (2, "authenticated"));
    invariants::hold(&world);
}

fn userinfo_options(dpop: &str) -> String {
    options("memory", dpop).replace(r#""clientId":"app""#, r#""clientId":"app","userInfo":true"#)
}

/// Comes back from a sign-in whose user is asked about; what went wrong.
fn arrive(world: &Rc<World>, server: &Binding, options: &str) -> (Page, Option<Error>) {
    let page = Page::open(world, APP, options);
    page.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&page, &server.provider);
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), options);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    (page, error)
}

/// The headers Authorization of the requests for UserInfo.
fn shown(world: &World) -> Vec<String> {
    let log = world.log.borrow();
    log.iter().filter(|each| each.url.ends_with("/userinfo")).filter_map(|each| each.authorization.clone()).collect()
}

#[test]
fn the_endpoint_for_the_user_gets_a_proof_of_its_own_that_names_the_token() {
    let server = Binding::new();
    let world = server.world();
    let (page, error) = arrive(&world, &server, &userinfo_options("always"));
    assert_eq!((error, page.status()), (None, "authenticated"));
    assert_eq!(shown(&world), ["DPoP access-1"]);
    let [of_token, of_user] = <[Proof; 2]>::try_from(server.proofs()).unwrap();
    assert_eq!((of_token.jkt(), of_token.text("ath")), (of_user.jkt(), ""));
    // The base64url of the SHA-256 of the token, as the API gets it. RFC 9449 §4.2.
    assert_eq!(of_user.text("ath"), api_proof(&page).0.unwrap().text("ath"));
    assert_ne!(of_user.text("jti"), of_token.text("jti"));
    invariants::hold(&world);
}

#[test]
fn a_nonce_that_the_endpoint_for_the_user_wants_costs_one_more_request() {
    let server = Binding::new();
    let world = server.world();
    // The token endpoint wants none, so that the first one to want it is this.
    let own = Rc::clone(&server);
    world.serve(move |request, now| {
        *own.nonce.borrow_mut() = (request.url.path() == "/userinfo").then_some("n-1");
        own.answer(request, now)
    });
    let (page, error) = arrive(&world, &server, &userinfo_options("auto"));
    assert_eq!((error, page.status()), (None, "authenticated"));
    let proofs = server.proofs();
    assert_eq!(proofs.iter().map(|proof| proof.text("nonce")).collect::<Vec<_>>(), ["", "", "n-1"]);
    assert_ne!(proofs[1].text("jti"), proofs[2].text("jti"));
    assert_eq!(proofs[1].text("ath"), proofs[2].text("ath"));
    assert_eq!(shown(&world), ["DPoP access-1", "DPoP access-1"]);
    invariants::hold(&world);
}

#[test]
fn an_endpoint_for_the_user_that_is_never_content_with_a_nonce_is_asked_twice_and_signs_nobody_in() {
    for (exposed, times, code) in [(true, 2, ErrorCode::UserinfoInvalid), (false, 1, ErrorCode::DpopNonceUnavailable)] {
        let server = Binding::new();
        server.exposed.set(exposed);
        let world = server.world();
        let own = Rc::clone(&server);
        world.serve(move |request, now| {
            let about_the_user = request.url.path() == "/userinfo";
            *own.nonce.borrow_mut() = about_the_user.then_some("n-1");
            own.insatiable.set(about_the_user);
            own.answer(request, now)
        });
        let (page, error) = arrive(&world, &server, &userinfo_options("auto"));
        assert_eq!((error.map(|error| error.code), page.status()), (Some(code), "unauthenticated"));
        assert_eq!(shown(&world).len(), times);
        invariants::hold(&world);
    }
}

#[test]
fn the_endpoint_for_the_user_gets_no_proof_with_a_token_that_is_not_bound() {
    let server = Binding::new();
    server.token_type.set("Bearer");
    let world = server.world();
    let (page, error) = arrive(&world, &server, &userinfo_options("auto"));
    assert_eq!((error, page.status()), (None, "authenticated"));
    assert_eq!(shown(&world), ["Bearer access-1"]);
    assert_eq!(server.proofs.borrow().last(), Some(&None));
    invariants::hold(&world);
}

#[test]
fn a_nonce_that_script_may_not_read_is_an_error_that_names_the_remedy() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    *server.nonce.borrow_mut() = Some("n-1");
    server.exposed.set(false);
    let before = server.proofs().len();
    let error = renew(&page).unwrap_err();
    assert_eq!((error.code, error.status), (ErrorCode::DpopNonceUnavailable, Some(400)));
    assert!(error.code.hint().contains("Access-Control-Expose-Headers"));
    assert_eq!((server.proofs().len() - before, page.status()), (1, "authenticated"));
    invariants::hold(&world);
}

#[test]
fn a_bearer_token_is_taken_where_binding_was_only_tried_and_refused_where_it_was_required() {
    let server = Binding::new();
    server.token_type.set("Bearer");
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    assert_eq!(api_proof(&page), (None, "Bearer".to_owned()));
    // The refresh token may be bound all the same.
    renew(&page).unwrap();
    assert_eq!(server.proofs().len(), 2);

    let always = options("memory", "always");
    let page = Page::open(&world, APP, &always);
    page.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&page, &server.provider);
    let (page, error) = reload(&page, &always);
    assert_eq!((error, page.status()), (Some(ErrorCode::DpopNotBound), "unauthenticated"));
    invariants::hold(&world);
}

#[test]
fn a_server_that_stops_binding_required_tokens_ends_the_session() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "always"));
    server.token_type.set("Bearer");
    assert_eq!(renew(&page).unwrap_err().code, ErrorCode::DpopNotBound);
    assert_eq!(page.status(), "unauthenticated");
    assert_eq!(authorize(&page).unwrap_err().code, ErrorCode::SessionExpired);
    invariants::hold(&world);
}

#[test]
fn without_an_offer_tokens_are_bearer_tokens_or_there_are_none() {
    let server = Binding::new();
    server.offered.set(false);
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    assert_eq!(param(&page.tab.navigations.borrow()[0], "dpop_jkt"), "");
    assert_eq!(*server.proofs.borrow(), [None]);
    let page = Page::open(&world, APP, &options("memory", "always"));
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(login(&page), ErrorCode::DpopUnavailable);
    assert!(page.tab.navigations.borrow().is_empty());
    invariants::hold(&world);
}

#[test]
fn an_application_that_wants_no_proofs_sends_none() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "never"));
    assert_eq!(param(&page.tab.navigations.borrow()[0], "dpop_jkt"), "");
    assert_eq!(*server.proofs.borrow(), [None]);
    assert_eq!(api_proof(&page), (None, "Bearer".to_owned()));
    assert!(!authorize(&page).unwrap().refuse_redirects);
    invariants::hold(&world);
}

#[test]
fn a_browser_that_keeps_no_keys_gets_bearer_tokens_or_an_error() {
    let server = Binding::new();
    let world = server.world();
    world.keys_fail.set(Some(StoreFailure::Blocked));
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    assert_eq!(param(&page.tab.navigations.borrow()[0], "dpop_jkt"), "");
    assert_eq!(api_proof(&page), (None, "Bearer".to_owned()));
    let page = Page::open(&world, APP, &options("memory", "always"));
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(login(&page), ErrorCode::DpopUnavailable);
    invariants::hold(&world);
}

#[test]
fn a_key_is_on_disk_only_on_the_way_to_the_provider_unless_the_tokens_are() {
    let server = Binding::new();
    let world = server.world();
    let page = Page::open(&world, APP, &options("memory", "auto"));
    page.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&page, &server.provider);
    assert_eq!(world.keys.borrow().len(), 1);
    let (page, _) = reload(&page, &options("memory", "auto"));
    assert_eq!((page.status(), world.keys.borrow().len()), ("authenticated", 0));
    renew(&page).unwrap();
    assert_eq!(world.keys.borrow().len(), 0);

    let stored = options("localStorage", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    let jkt = api_proof(&page).0.unwrap().jkt();
    let names: Vec<String> = world.keys.borrow().keys().cloned().collect();
    assert_eq!(names.len(), 1);
    assert!(names[0].contains(".dpop.") && names[0].ends_with(&jkt), "{names:?}");
    let (page, error) = reload(&page, &stored);
    assert_eq!((error, page.status()), (None, "authenticated"));
    assert_eq!(api_proof(&page).0.unwrap().jkt(), jkt);
    renew(&page).unwrap();
    invariants::hold(&world);
}

#[test]
fn every_tab_of_a_shared_session_proves_with_the_same_key() {
    let server = Binding::new();
    let world = server.world();
    let first = signed_in_with(&world, &server.provider, &options("localStorage", "auto"));
    let second = another(&world);
    assert_eq!(api_proof(&second).0.unwrap().jkt(), api_proof(&first).0.unwrap().jkt());
    renew(&second).unwrap();
    world.advance(secs(1));
    renew(&first).unwrap();
    assert!(!server.provider.reused.get());
    invariants::hold(&world);
}

#[test]
fn a_lost_key_ends_in_one_new_sign_in_and_no_request() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    world.keys.borrow_mut().clear();
    let before = world.requests.borrow().len();
    let (page, error) = reload(&page, &stored);
    assert_eq!((error, reason(&page)), (Some(ErrorCode::DpopKeyLost), Some(SignedOutReason::StorageLost)));
    assert_eq!(authorize(&page).unwrap_err().code, ErrorCode::LoginRequired);
    world.advance(secs(3600));
    assert_eq!(world.requests.borrow().len(), before);
    let (page, error) = reload(&page, &stored);
    assert_eq!((error, reason(&page)), (None, Some(SignedOutReason::Never)));
    go_and_return(&page, &server.provider);
    let (page, error) = reload(&page, &stored);
    assert_eq!((error, page.status()), (None, "authenticated"));
    renew(&page).unwrap();
    invariants::hold(&world);
}

#[test]
fn where_a_page_load_may_ask_the_provider_that_is_the_one_new_sign_in() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto").replace("refresh-token", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    world.keys.borrow_mut().clear();
    page.client.dispose();
    *page.tab.href.borrow_mut() = APP.to_owned();
    let page = Page::in_tab(page.tab.clone(), &stored);
    let client = page.client.clone();
    world.start(async move { drop(client.start().await) });
    world.advance(secs(1));
    let left_for = page.tab.navigations.borrow().last().cloned().unwrap();
    assert_eq!((param(&left_for, "prompt").as_str(), param(&left_for, "dpop_jkt").len()), ("none", 43));
    assert_eq!((server.proofs().len(), world.keys.borrow().len()), (1, 1));
    // The provider knows nobody: nothing is left of the attempt.
    let answer = ["https://app.example/callback?error=login_required&state=", &param(&left_for, "state")].concat();
    *page.tab.href.borrow_mut() = [&answer, "&iss=https%3A%2F%2Fid.example"].concat();
    page.client.dispose();
    let back = Page::in_tab(page.tab.clone(), &stored);
    let client = back.client.clone();
    world.start(async move { drop(client.start().await) });
    world.advance(secs(1));
    assert_eq!((server.proofs().len(), world.keys.borrow().len()), (1, 0));
    invariants::hold(&world);
}

#[test]
fn a_key_that_is_found_lost_on_use_ends_the_session_at_once() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto");
    let first = signed_in_with(&world, &server.provider, &stored);
    // This tab can read the record and, for a while, no key.
    world.keys_fail.set(Some(StoreFailure::Failed));
    let second = another(&world);
    assert_eq!(second.status(), "authenticated");
    assert_eq!(authorize(&second).unwrap_err().code, ErrorCode::StorageUnavailable);
    assert_eq!(second.status(), "authenticated");
    world.keys_fail.set(None);
    world.keys.borrow_mut().clear();
    let before = world.requests.borrow().len();
    assert_eq!(authorize(&second).unwrap_err().code, ErrorCode::DpopKeyLost);
    assert_eq!(reason(&second), Some(SignedOutReason::StorageLost));
    assert_eq!(world.requests.borrow().len(), before);
    world.advance(secs(1));
    assert_eq!(first.status(), "unauthenticated");
    invariants::hold(&world);
}

#[test]
fn a_key_that_is_lost_on_the_way_to_the_provider_costs_that_sign_in_and_no_request() {
    let server = Binding::new();
    let world = server.world();
    let options = options("memory", "auto");
    let page = Page::open(&world, APP, &options);
    page.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&page, &server.provider);
    world.keys.borrow_mut().clear();
    let (page, error) = reload(&page, &options);
    assert_eq!((error, page.status()), (Some(ErrorCode::DpopKeyLost), "unauthenticated"));
    assert_eq!(server.provider.token_requests.get(), 0);
    invariants::hold(&world);
}

#[test]
fn another_key_in_the_place_of_the_right_one_is_not_used() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    for key in world.keys.borrow_mut().values_mut() {
        *key = 200;
    }
    let (_, error) = reload(&page, &stored);
    assert_eq!(error, Some(ErrorCode::DpopKeyLost));
    invariants::hold(&world);
}

#[test]
fn a_sign_out_forgets_the_key_and_so_does_the_end_of_the_session() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto");
    for end in [Some(Ending::Local), Some(Ending::Provider), Some(Ending::Revoke), None] {
        let page = signed_in_with(&world, &server.provider, &stored);
        assert_eq!(world.keys.borrow().len(), 1);
        match end {
            Some(ending) => drop(page.run(|client| async move { client.logout(ending).await })),
            None => {
                server.provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
                assert_eq!(renew(&page).unwrap_err().code, ErrorCode::SessionExpired);
            }
        }
        world.advance(secs(1));
        assert_eq!(world.keys.borrow().len(), 0, "{end:?}");
    }
    invariants::hold(&world);
}

#[test]
fn a_new_sign_in_has_a_new_key_and_the_old_one_is_forgotten() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    let first = api_proof(&page).0.unwrap().jkt();
    go_and_return(&page, &server.provider);
    let (page, error) = reload(&page, &stored);
    assert_eq!(error, None);
    let second = api_proof(&page).0.unwrap().jkt();
    assert_ne!(first, second);
    let names: Vec<String> = world.keys.borrow().keys().cloned().collect();
    assert!(names.len() == 1 && names[0].ends_with(&second), "{names:?}");
    invariants::hold(&world);
}

#[test]
fn a_sign_in_that_fails_leaves_the_session_of_before_with_its_key() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    let jkt = api_proof(&page).0.unwrap().jkt();
    go_and_return(&page, &server.provider);
    server.provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
    let (page, error) = reload(&page, &stored);
    assert_eq!((error, page.status()), (Some(ErrorCode::AuthorizationFailed), "authenticated"));
    assert_eq!(api_proof(&page).0.unwrap().jkt(), jkt);
    let (page, error) = reload(&page, &stored);
    assert_eq!((error, page.status()), (None, "authenticated"));
    assert_eq!(api_proof(&page).0.unwrap().jkt(), jkt);
    invariants::hold(&world);
}

#[test]
fn an_id_token_that_is_refused_says_nothing_about_the_clock_of_the_session_before() {
    fn of_another_decade(_: String) -> String {
        keys::signed(r#"{"iss":"https://evil.example","aud":"app","sub":"alice","iat":2115360000,"exp":2115363600}"#)
    }
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    go_and_return(&page, &server.provider);
    server.provider.spoils.set(Some(of_another_decade));
    let (page, error) = reload(&page, &stored);
    assert_eq!((error, page.status()), (Some(ErrorCode::IdTokenInvalid), "authenticated"));
    let now = authsafe::ports::Clock::now(&page.tab);
    assert!((api_proof(&page).0.unwrap().iat() - now.seconds()).abs() <= 2);
    invariants::hold(&world);
}

#[test]
fn keys_of_sign_ins_that_nobody_came_back_from_are_forgotten_at_the_next_one_after_ten_minutes() {
    let server = Binding::new();
    let world = server.world();
    let page = Page::open(&world, APP, &options("memory", "auto"));
    page.run(|client| async move { client.start().await.unwrap() });
    for (minutes, kept) in [(0, 1), (5, 2), (6, 2), (20, 1)] {
        world.advance(secs(minutes * 60));
        go_and_return(&page, &server.provider);
        assert_eq!(world.keys.borrow().len(), kept, "after {minutes} minutes more");
    }
    invariants::hold(&world);
}

#[test]
fn f62_an_api_that_wants_a_nonce_has_the_request_again_and_every_answer_may_bring_the_next() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    let learn = |status, challenge, nonce| page.client.learn(API, status, challenge, nonce);
    let wants = Some(r#"DPoP error="use_dpop_nonce""#);
    assert_eq!(learn(401, wants, Some("a-1")), Ok(true));
    assert_eq!(api_proof(&page).0.unwrap().text("nonce"), "a-1");
    assert_eq!(learn(200, None, Some("a-2")), Ok(false));
    assert_eq!(api_proof(&page).0.unwrap().text("nonce"), "a-2");
    // A server that hides its reasons, too: only what is new can have been missing.
    assert_eq!(learn(401, None, Some("a-3")), Ok(true));
    assert_eq!(learn(401, None, Some("a-3")), Ok(false));
    assert_eq!(learn(401, Some(r#"DPoP error="invalid_token""#), Some("a-4")), Ok(false));
    let hidden = learn(401, wants, None).unwrap_err();
    assert_eq!((hidden.code, hidden.status), (ErrorCode::DpopNonceUnavailable, Some(401)));
    renew(&page).unwrap();
    assert_eq!(server.proofs().last().unwrap().text("nonce"), "");
    invariants::hold(&world);
}

#[test]
fn a_bound_token_that_an_api_refuses_is_renewed_once() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    let challenge = Some(r#"DPoP algs="ES256", error="invalid_token""#);
    for expected in [true, false] {
        let name = authorize(&page).unwrap().credential;
        let again = page.run(|client| async move { client.answered(name, 401, challenge).await });
        assert_eq!(again, expected);
    }
    assert_eq!(server.provider.rotations.get(), 2);
    invariants::hold(&world);
}

#[test]
fn without_random_numbers_there_is_no_proof() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    world.entropy_fails.set(true);
    assert_eq!(authorize(&page).unwrap_err().code, ErrorCode::InsecureContext);
    invariants::hold(&world);
}

#[test]
fn a_page_that_loads_while_another_signs_out_does_not_take_the_key_for_lost() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto").replace("refresh-token", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    let other = Page::open(&world, APP, &stored);
    other.run(|client| async move { client.start().await.unwrap() });
    other.client.dispose();
    world.mute(other.tab.id);
    world.write_takes.set(1000);
    let client = page.client.clone();
    world.start(async move { drop(client.logout(Ending::Local).await) });
    world.advance(authsafe::types::Lifetime::from_millis(500));
    let other = Page::in_tab(other.tab.clone(), &stored);
    let client = other.client.clone();
    world.start(async move { drop(client.start().await) });
    world.advance(secs(10));
    assert!(other.tab.navigations.borrow().is_empty());
    assert_eq!(world.keys.borrow().len(), 0);
    invariants::hold(&world);
}

#[test]
fn a_page_that_loads_while_a_new_sign_in_is_stored_finds_the_session_of_before_or_the_new_one() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    let other = another(&world);
    go_and_return(&page, &server.provider);
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), &stored);
    // The pending sign-in is written after one second, and the record after another.
    world.write_takes.set(1000);
    let client = page.client.clone();
    world.start(async move { drop(client.start().await) });
    world.advance(authsafe::types::Lifetime::from_millis(1500));
    assert_eq!(server.proofs().len(), 2);
    *other.tab.href.borrow_mut() = APP.to_owned();
    let (other, error) = reload(&other, &stored);
    assert_eq!((error, page.status(), other.status()), (None, "authenticating", "authenticated"));
    world.advance(secs(10));
    assert_eq!((page.status(), other.status()), ("authenticated", "authenticated"));
    assert_eq!(api_proof(&other).0.unwrap().jkt(), api_proof(&page).0.unwrap().jkt());
    assert_eq!(world.keys.borrow().len(), 1);
    invariants::hold(&world);
}

#[test]
fn a_page_that_finds_a_key_lost_removes_no_record_that_another_has_written_meanwhile() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("localStorage", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    let other = another(&world);
    go_and_return(&page, &server.provider);
    // Only the key of the pending sign-in is left.
    world.keys.borrow_mut().retain(|name, _| name.contains(".dpop-pending."));
    page.client.dispose();
    other.client.dispose();
    world.key_takes.set(3000);
    *other.tab.href.borrow_mut() = APP.to_owned();
    let other = Page::in_tab(other.tab.clone(), &stored);
    let client = other.client.clone();
    world.start(async move { drop(client.start().await) });
    world.advance(secs(1));
    world.key_takes.set(0);
    let page = Page::in_tab(page.tab.clone(), &stored);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    world.advance(secs(10));
    assert_eq!(other.status(), "authenticated");
    let (page, error) = reload(&page, &stored);
    assert_eq!((error, page.status()), (None, "authenticated"));
    invariants::hold(&world);
}

#[test]
fn a_sign_out_elsewhere_leaves_the_key_of_a_sign_in_that_is_under_way() {
    let server = Binding::new();
    let world = server.world();
    let stored = options("sessionStorage", "auto");
    let page = signed_in_with(&world, &server.provider, &stored);
    let other = Page::open(&world, APP, &stored);
    other.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&page, &server.provider);
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), &stored);
    let client = page.client.clone();
    world.start(async move { drop(client.start().await) });
    // The metadata is there, and the tokens are not.
    world.advance(authsafe::types::Lifetime::from_millis(60));
    assert_eq!((server.proofs().len(), page.status()), (2, "authenticating"));
    other.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    world.advance(secs(1));
    assert_eq!(page.status(), "authenticated");
    renew(&page).unwrap();
    let (page, error) = reload(&page, &stored);
    assert_eq!((error, page.status()), (None, "authenticated"));
    assert_eq!(world.keys.borrow().len(), 1);
    invariants::hold(&world);
}

#[test]
fn a_stored_session_that_is_not_bound_is_over_where_binding_is_required() {
    let server = Binding::new();
    let world = server.world();
    for token_type in ["Bearer", "DPoP"] {
        server.token_type.set(token_type);
        let before = if token_type == "DPoP" { "never" } else { "auto" };
        let page = signed_in_with(&world, &server.provider, &options("localStorage", before));
        assert_eq!(api_proof(&page).1, "Bearer");
        let requests = server.provider.token_requests.get();
        *page.tab.href.borrow_mut() = APP.to_owned();
        let (page, error) = reload(&page, &options("localStorage", "always"));
        assert_eq!((error, reason(&page)), (None, Some(SignedOutReason::Expired)));
        assert_eq!(server.provider.token_requests.get(), requests);
        assert!(world.shared.borrow().values().all(|text| is_mark(text)));
    }
}

#[test]
fn a_session_of_another_tab_that_is_not_bound_is_not_taken_up_where_binding_is_required() {
    for missed in [false, true] {
        let server = Binding::new();
        let world = server.world();
        let bound = signed_in_with(&world, &server.provider, &options("localStorage", "always"));
        assert_eq!(api_proof(&bound).1, "DPoP");
        let unbound = signed_in_with(&world, &server.provider, &options("localStorage", "never"));
        if missed {
            // The renewal finds it before the word of the other tab comes.
            assert_eq!(renew(&bound).map_err(|error| error.code), Err(ErrorCode::SessionExpired));
        }
        world.advance(secs(1));
        assert_eq!(reason(&bound), Some(SignedOutReason::Expired), "{missed}");
        assert_eq!(authorize(&bound).unwrap_err().code, ErrorCode::SessionExpired);
        // The word of later renewals changes nothing for it, and the other tab goes on.
        renew(&unbound).unwrap();
        world.advance(secs(1));
        bound.run(|client| async move { client.page_changed(PageNews::Visible) });
        world.advance(secs(1));
        assert_eq!(reason(&bound), Some(SignedOutReason::Expired), "{missed}");
        assert_eq!(api_proof(&unbound).1, "Bearer");
        assert!(!server.provider.reused.get());
    }
}

#[test]
fn where_a_page_load_may_ask_the_provider_it_asks_for_a_session_that_is_bound() {
    let server = Binding::new();
    let world = server.world();
    let page =
        signed_in_with(&world, &server.provider, &options("localStorage", "never").replace("refresh-token", "auto"));
    page.client.dispose();
    *page.tab.href.borrow_mut() = APP.to_owned();
    let page = Page::in_tab(page.tab.clone(), &options("localStorage", "always").replace("refresh-token", "auto"));
    let client = page.client.clone();
    world.start(async move { drop(client.start().await) });
    world.advance(secs(1));
    let left_for = page.tab.navigations.borrow().last().cloned().unwrap();
    assert_eq!((param(&left_for, "prompt").as_str(), param(&left_for, "dpop_jkt").len()), ("none", 43));
    invariants::hold(&world);
}

#[test]
fn tokens_of_a_sign_in_that_was_begun_without_a_key_are_refused_where_binding_is_required() {
    let server = Binding::new();
    let world = server.world();
    let page = Page::open(&world, APP, &options("memory", "never"));
    page.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&page, &server.provider);
    let (page, error) = reload(&page, &options("memory", "always"));
    assert_eq!((error, page.status()), (Some(ErrorCode::DpopNotBound), "unauthenticated"));
    invariants::hold(&world);
}

#[test]
fn an_api_that_hides_its_reasons_behind_ever_new_nonces_gets_a_new_token_after_a_new_nonce() {
    let server = Binding::new();
    let world = server.world();
    let page = signed_in_with(&world, &server.provider, &options("memory", "auto"));
    let learn = |status, nonce| page.client.learn(API, status, None, Some(nonce)).unwrap();
    let name = authorize(&page).unwrap().credential;
    assert!(learn(401, "a-1"), "the proof may have lacked it");
    assert!(!learn(401, "a-2"), "the proof had it");
    assert!(page.run(|client| async move { client.answered(name, 401, None).await }));
    assert_eq!(server.provider.rotations.get(), 2);
    assert_eq!(api_proof(&page).0.unwrap().text("nonce"), "a-2");
    // What was good once, or long ago, may lack a nonce again.
    assert!(!learn(200, "a-3"));
    assert!(learn(401, "a-4"));
    world.advance(secs(60));
    assert!(learn(401, "a-5"));
    invariants::hold(&world);
}

#[test]
fn keys_of_tabs_that_were_closed_are_forgotten_at_a_sign_in_after_half_a_year_and_those_in_use_are_not() {
    let server = Binding::new();
    let world = server.world();
    let tab = options("sessionStorage", "auto");
    let days = |n: i64| secs(n * 24 * 3600);
    let closed = signed_in_with(&world, &server.provider, &tab);
    closed.client.dispose();
    // The provider of these stories knows one refresh token at a time: that of the second tab.
    let kept = |world: &World| {
        let keys = world.keys.borrow();
        keys.values().collect::<std::collections::BTreeSet<_>>().len()
    };
    let page = signed_in_with(&world, &server.provider, &tab);
    let jkt = api_proof(&page).0.unwrap().jkt();
    page.client.dispose();
    assert_eq!(kept(&world), 2);
    world.advance(days(80));
    let (page, error) = reload(&page, &tab);
    assert_eq!((error, page.status(), kept(&world)), (None, "authenticated", 2));
    page.client.dispose();
    world.advance(days(110));
    let another = signed_in_with(&world, &server.provider, &tab);
    another.client.dispose();
    assert_eq!(kept(&world), 2);
    assert!(world.keys.borrow().keys().any(|name| name.ends_with(&jkt)));
    invariants::hold(&world);
}

#[test]
fn a_tab_that_takes_over_what_another_has_renewed_dates_its_proofs_by_what_that_one_knows_of_the_clock() {
    let server = Binding::new();
    server.patience.set(7200);
    let world = server.world();
    let first = signed_in_with(&world, &server.provider, &options("localStorage", "auto"));
    let second = another(&world);
    renew(&second).unwrap();
    world.advance(secs(60));
    // The server's clock is set right, and only one tab hears it.
    server.ahead.set(3_600_000);
    renew(&first).unwrap();
    world.advance(secs(1));
    let now = world.true_time().seconds();
    for page in [&first, &second] {
        let proof = api_proof(page).0.unwrap();
        assert!((proof.iat() - now - 3600).abs() <= 2, "{}", proof.iat() - now);
    }
    invariants::hold(&world);
}
