//! Tokens for the tests. Their signature is a placeholder: nothing here verifies one yet.

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
