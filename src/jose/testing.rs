//! Tokens for the tests. Their signature is a placeholder, except for those in `keys`.

#[allow(dead_code, reason = "some are for tests of native arithmetic alone")]
pub(super) mod keys;

use super::id_token::Expected;
use super::{
    algs::{Algorithm, Allowed},
    jwks::JwkSet,
    verify::{Prepared, Verified, VerifiedBytes, accept, prepare},
};
use crate::types::{ClientId, IdToken, Issuer, Json, Lifetime, Nonce, UnixMillis};
use base64ct::{Base64UrlUnpadded, Encoding};

/// When the tests take place, in epoch seconds.
pub(super) const NOW: i64 = 1_700_000_000;

/// The claims of a good ID token.
pub(super) const CLAIMS: &str =
    r#"{"iss":"https://as.example","sub":"user-1","aud":"app","exp":1700000600,"iat":1700000000,"nonce":"n"}"#;

/// Whom a good token of the tests is for.
pub(super) struct Context {
    pub(super) issuer: Issuer,
    pub(super) client_id: ClientId,
    pub(super) nonce: Nonce,
}

pub(super) fn context() -> Context {
    Context {
        issuer: Issuer("https://as.example".to_owned()),
        client_id: ClientId("app".to_owned()),
        nonce: Nonce("n".to_owned()),
    }
}

impl Context {
    pub(super) fn expected(&self) -> Expected<'_> {
        Expected {
            issuer: &self.issuer,
            client_id: &self.client_id,
            nonce: Some(&self.nonce),
            max_age: None,
            leeway: Lifetime::from_seconds(60),
            now: UnixMillis(NOW * 1000),
            typ: None,
        }
    }
}

pub(super) fn encode(text: &str) -> String {
    Base64UrlUnpadded::encode_string(text.as_bytes())
}

/// A token in compact form from the texts of its header and payload.
pub(super) fn compact(header: &str, payload: &str) -> String {
    [&encode(header), ".", &encode(payload), ".", &encode("signature")].concat()
}

pub(super) fn id_token(header: &str, payload: &str) -> IdToken {
    IdToken::new(compact(header, payload)).unwrap()
}

/// `base` with members replaced, added or, where the value is empty, left out. Values are JSON text, taken as they are, so
/// that even what no writer would produce can be tried.
pub(super) fn changed(base: &str, changes: &[(&str, &str)]) -> String {
    let Json::Object(members) = Json::parse(base).unwrap() else { panic!("{base} is not an object") };
    let mut members: Vec<(String, String)> = members.into_iter().map(|(name, value)| (name, value.to_text())).collect();
    for (name, value) in changes {
        members.retain(|(known, _)| known != name);
        members.push(((*name).to_owned(), (*value).to_owned()));
    }
    members.retain(|(_, value)| !value.is_empty());
    let members: Vec<String> = members.iter().map(|(name, value)| ["\"", name, "\":", value].concat()).collect();
    ["{", &members.join(","), "}"].concat()
}

/// A set of these keys, all of which are good.
pub(super) fn key_set<T: AsRef<str>>(keys: &[T]) -> JwkSet {
    let keys: Vec<_> = keys.iter().map(AsRef::as_ref).collect();
    let set = JwkSet::parse(["{\"keys\":[", &keys.join(","), "]}"].concat().as_bytes()).unwrap();
    assert_eq!((set.keys().len(), set.skipped()), (keys.len(), 0), "{keys:?}");
    set
}

pub(super) fn everything() -> Allowed {
    Allowed::only(Algorithm::ALL).unwrap()
}

/// Says what a verifier would say if the signature were right.
pub(super) fn vouched(prepared: &Prepared) -> VerifiedBytes {
    let (algorithm, key) = (prepared.algorithm(), prepared.key());
    VerifiedBytes::dangerous_vouch(algorithm, key, prepared.signing_input(), prepared.signature())
}

/// A token with these claims, as if its signature were right.
pub(super) fn verified(algorithm: Algorithm, header: &[(&str, &str)], payload: &str) -> Verified {
    let (_, key, token) = keys::TOKENS.into_iter().find(|(name, ..)| *name == algorithm.as_str()).unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let header = changed(&["{\"alg\":\"", algorithm.as_str(), "\"}"].concat(), header);
    let token = [&encode(&header), ".", &encode(payload), ".", signature].concat();
    let prepared = prepare(&token, &key_set(&[key]), everything()).unwrap();
    let seen = vouched(&prepared);
    accept(prepared, &seen).unwrap()
}
