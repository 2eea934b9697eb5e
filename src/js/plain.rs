//! Values between Rust and JavaScript: everything crosses as plain data.
//!
//! serde-wasm-bindgen walks the JavaScript values; [`Json`] is the only type it meets, so its code is paid for once.

use crate::machine::{Arrived, Notice, Snapshot, Via};
use crate::types::{Json, MAX_DEPTH, SessionFacts, UnixMillis};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use wasm_bindgen::JsValue;

/// Plain data: null, booleans, numbers, texts, lists, and objects by their own enumerable members. `None` for anything
/// else, and for data that is nested too deeply (a cycle is).
pub(super) fn from_js(value: JsValue) -> Option<Json> {
    if value.is_undefined() {
        return None;
    }
    Seed(0).deserialize(serde_wasm_bindgen::Deserializer::from(value)).ok()
}

/// A fresh JavaScript value.
pub(super) fn to_js(value: &Json) -> JsValue {
    // Serialising into JavaScript values cannot fail for this type.
    Out(value).serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::UNDEFINED)
}

struct Out<'a>(&'a Json);

impl Serialize for Out<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(value) => serializer.serialize_f64(*value),
            Json::Text(value) => serializer.serialize_str(value),
            Json::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Out(item))?;
                }
                list.end()
            }
            Json::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    object.serialize_entry(name, &Out(value))?;
                }
                object.end()
            }
        }
    }
}

/// How deep the value to read lies.
#[derive(Clone, Copy)]
struct Seed(u8);

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Json;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        if self.0 > MAX_DEPTH {
            return Err(D::Error::custom("too deep"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Json;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("plain data")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::from(value))
    }
    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }
    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Seed(self.0 + 1))? {
            items.push(item);
        }
        Ok(Json::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = object.next_key_seed(Seed(MAX_DEPTH))? {
            let value = object.next_value_seed(Seed(self.0 + 1))?;
            if let Json::Text(name) = name {
                members.push((name, value));
            }
        }
        Ok(Json::Object(members))
    }
}

/// `AuthState`, with the user's raw claims and the error as plain data.
pub(super) fn snapshot(snapshot: &Snapshot) -> Json {
    match snapshot {
        Snapshot::Initializing => Json::object([("status", Some("initializing".into()))]),
        Snapshot::Unauthenticated(reason, error) => Json::object([
            ("status", Some("unauthenticated".into())),
            ("reason", Some(reason.as_str().into())),
            ("error", error.as_ref().map(crate::error::Error::to_json)),
        ]),
        Snapshot::Authenticating(via) => {
            let via = match via {
                Via::Redirect => "redirect",
                Via::Password => "password",
            };
            Json::object([("status", Some("authenticating".into())), ("via", Some(via.into()))])
        }
        Snapshot::Authenticated(user, known, freshness) => Json::object([
            ("status", Some("authenticated".into())),
            ("user", Some(Json::clone(user))),
            ("session", Some(facts(known))),
            ("freshness", Some(freshness.as_str().into())),
        ]),
    }
}

/// An event's name and detail. `wanted` is the medium that was configured.
pub(super) fn notice(notice: &Notice, wanted: &'static str) -> (&'static str, Json) {
    match notice {
        Notice::SignedIn(user, origin) => {
            ("signedIn", Json::object([("user", Some(Json::clone(user))), ("origin", Some(origin.as_str().into()))]))
        }
        Notice::SignedOut(reason, origin) => (
            "signedOut",
            Json::object([("reason", Some(reason.as_str().into())), ("origin", Some(origin.as_str().into()))]),
        ),
        Notice::UserChanged(previous, current) => (
            "userChanged",
            Json::object([("previous", Some(Json::clone(previous))), ("current", Some(Json::clone(current)))]),
        ),
        Notice::Refreshed(expires_at, by) => {
            ("refreshed", Json::object([("expiresAt", expires_at.map(seconds)), ("by", Some(by.as_str().into()))]))
        }
        Notice::RefreshFailed(error, retry_at, fatal) => (
            "refreshFailed",
            Json::object([
                ("error", Some(error.to_json())),
                ("willRetryAt", retry_at.map(seconds)),
                ("fatal", Some(Json::Bool(*fatal))),
            ]),
        ),
        Notice::Expiring(left) => ("expiring", Json::object([("secondsLeft", Some(Json::Number(*left as f64)))])),
        Notice::StorageDegraded(cause) => (
            "storageDegraded",
            Json::object([
                ("wanted", Some(wanted.into())),
                ("using", Some("memory".into())),
                ("cause", Some((*cause).into())),
            ]),
        ),
    }
}

/// `LoginResult`, with the user's raw claims.
pub(super) fn arrived(arrived: &Arrived) -> Json {
    Json::object([
        ("user", Some(Json::clone(&arrived.session.user))),
        ("session", Some(facts(&arrived.session.facts))),
        ("returnTo", arrived.return_to.as_ref().map(|path| path.as_str().into())),
        ("appState", arrived.app_state.clone()),
    ])
}

/// `SessionInfo`: instants by the server's clock.
pub(super) fn facts(facts: &SessionFacts) -> Json {
    let instant = |at: UnixMillis| seconds(at.shifted(facts.skew));
    let list = |items: Vec<Json>| (!items.is_empty()).then_some(Json::List(items));
    let text = |value: &Option<String>| value.clone().map(Json::Text);
    Json::object([
        ("sub", text(&facts.sub)),
        ("sid", text(&facts.sid)),
        ("issuedAt", facts.issued_at.map(instant)),
        ("expiresAt", facts.expires_at.map(|at| instant(at.0))),
        ("refreshExpiresAt", facts.refresh_expires_at.map(|at| instant(at.0))),
        ("absoluteExpiresAt", facts.absolute_expires_at.map(|at| instant(at.0))),
        ("acr", text(&facts.acr)),
        ("amr", list(facts.amr.iter().map(|each| each.as_str().into()).collect())),
        ("authTime", facts.auth_time.map(instant)),
        ("scope", facts.scope.as_ref().map(|scope| Json::List(scope.values().map(Json::from).collect()))),
        ("clockSkew", Some(Json::Number((facts.skew as f64 / 1000.0).round()))),
    ])
}

fn seconds(at: UnixMillis) -> Json {
    Json::Number(at.seconds() as f64)
}
