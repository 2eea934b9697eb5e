//! Values that the tests of several files share.

use super::authorization::{Randomness, Registration};
use super::dpop::Policy;
use super::http::HttpResponse;
use super::metadata::Metadata;
use super::pkce::{code_verifier, random_text};
use super::transaction::Transaction;
use crate::types::{ClientId, Issuer, Lifetime, Nonce, Scope, State, UnixMillis, WebUrl};
use zeroize::Zeroizing;

pub(crate) fn url(text: &str) -> WebUrl {
    WebUrl::parse(text).unwrap()
}

pub(crate) fn answer(status: u16, content_type: &str, body: &str) -> HttpResponse {
    HttpResponse {
        status,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: Zeroizing::new(body.as_bytes().to_vec()),
        verdict: None,
    }
}

pub(crate) fn registration() -> Registration {
    Registration {
        issuer: Issuer("https://as.example".to_owned()),
        client_id: ClientId("app".to_owned()),
        redirect_uri: url("https://app.example/cb"),
        post_logout_redirect_uri: Some(url("https://app.example/bye")),
        scope: Scope("openid profile".to_owned()),
        authorization_params: Vec::new(),
        token_params: Vec::new(),
        leeway: Lifetime::from_seconds(60),
        max_age: None,
        metadata: None,
        dpop: Policy::Auto,
    }
}

pub(crate) fn metadata() -> Metadata {
    Metadata {
        issuer: Issuer("https://as.example".to_owned()),
        authorization_endpoint: url("https://as.example/auth"),
        token_endpoint: url("https://as.example/token"),
        revocation_endpoint: Some(url("https://as.example/revoke")),
        end_session_endpoint: Some(url("https://as.example/logout")),
        jwks_uri: Some(url("https://as.example/jwks")),
        userinfo_endpoint: Some(url("https://as.example/userinfo")),
        iss_parameter_supported: true,
        dpop_es256: false,
    }
}

pub(crate) fn randomness(seed: u8) -> Randomness {
    Randomness { state: [seed; 32], nonce: [seed ^ 0x55; 32], verifier: [seed ^ 0xaa; 32] }
}

pub(crate) fn transaction(seed: u8, created_at: UnixMillis) -> Transaction {
    let random = randomness(seed);
    Transaction {
        state: State(random_text(&random.state)),
        nonce: Nonce(random_text(&random.nonce)),
        code_verifier: code_verifier(&random.verifier),
        issuer: registration().issuer,
        client_id: registration().client_id,
        redirect_uri: registration().redirect_uri,
        created_at,
        max_age: None,
        return_to: None,
        app_state: None,
        silent: false,
        acr: Vec::new(),
        jkt: None,
    }
}
