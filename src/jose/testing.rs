//! Tokens for the tests. Their signature is a placeholder, except for those in `keys`.

#[cfg(feature = "jwt")]
pub(super) mod keys;

#[cfg(feature = "jwt")]
use super::{
    algs::{Algorithm, Allowed},
    jwks::JwkSet,
    verify::{Prepared, Verified, VerifiedBytes, accept, prepare},
};
use crate::types::{IdToken, Json};
use base64ct::{Base64UrlUnpadded, Encoding};

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
#[cfg(feature = "jwt")]
pub(super) fn key_set<T: AsRef<str>>(keys: &[T]) -> JwkSet {
    let keys: Vec<_> = keys.iter().map(AsRef::as_ref).collect();
    let set = JwkSet::parse(["{\"keys\":[", &keys.join(","), "]}"].concat().as_bytes()).unwrap();
    assert_eq!((set.keys().len(), set.skipped()), (keys.len(), 0), "{keys:?}");
    set
}

#[cfg(feature = "jwt")]
pub(super) fn everything() -> Allowed {
    Allowed::only(Algorithm::ALL).unwrap()
}

/// Says what a verifier would say if the signature were right.
#[cfg(feature = "jwt")]
pub(super) fn vouched(prepared: &Prepared) -> VerifiedBytes {
    let (algorithm, key) = (prepared.algorithm(), prepared.key());
    VerifiedBytes::dangerous_vouch(algorithm, key, prepared.signing_input(), prepared.signature())
}

/// A token with these claims, as if its signature were right.
#[cfg(feature = "jwt")]
pub(super) fn verified(algorithm: Algorithm, header: &[(&str, &str)], payload: &str) -> Verified {
    let (_, key, token) = keys::TOKENS.into_iter().find(|(name, ..)| *name == algorithm.as_str()).unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let header = changed(&["{\"alg\":\"", algorithm.as_str(), "\"}"].concat(), header);
    let token = [&encode(&header), ".", &encode(payload), ".", signature].concat();
    let prepared = prepare(&token, &key_set(&[key]), everything()).unwrap();
    let seen = vouched(&prepared);
    accept(prepared, &seen).unwrap()
}
