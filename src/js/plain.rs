//! Values between Rust and JavaScript: everything crosses as plain data.
//!
//! serde-wasm-bindgen makes the JavaScript values; [`Json`] is the only type it meets, so its code is paid for once. They
//! are read by hand: its reader comes with all of Rust's text formatting, for messages that nobody would see.

use crate::error::Error;
use crate::machine::{Arrived, Notice, Outcome, Snapshot};
use crate::types::{ExpiresAt, Json, MAX_DEPTH, Members, ReturnTo, SessionFacts, UnixMillis};
use js_sys::{Array, ArrayBuffer, Map, Object, Symbol};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use wasm_bindgen::{JsCast, JsValue};

/// Plain data: null, booleans, numbers, texts, lists, and objects by their own enumerable members. `None` for anything
/// else, and for data that is nested too deeply (a cycle is).
pub(super) fn from_js(value: JsValue) -> Option<Json> {
    if value.is_undefined() {
        return None;
    }
    read(&value, 0)
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
                // The serializer assigns, and this assignment would set the prototype: a claim must not bring methods.
                for (name, value) in members.iter().filter(|(name, _)| name != "__proto__") {
                    object.serialize_entry(name, &Out(value))?;
                }
                object.end()
            }
        }
    }
}

/// Reads a value that lies `depth` levels deep. A `Map` counts as an object; other iterables are not plain data.
fn read(value: &JsValue, depth: u8) -> Option<Json> {
    if depth > MAX_DEPTH {
        return None;
    }
    if value.is_null() || value.is_undefined() {
        return Some(Json::Null);
    }
    if let Some(value) = value.as_bool() {
        return Some(Json::Bool(value));
    }
    if let Some(value) = value.as_f64() {
        return Some(Json::Number(value));
    }
    if let Some(value) = value.as_string() {
        return Some(Json::Text(value));
    }
    if Array::is_array(value) {
        let (list, mut items) = (value.unchecked_ref::<Array>(), Vec::new());
        for at in 0..list.length() {
            items.push(read(&list.get(at), depth + 1)?);
        }
        return Some(Json::List(items));
    }
    let iterable = value.is_object() && Symbol::iterator().js_in(value);
    let entries = match (iterable, value.is_instance_of::<Map>()) {
        _ if !value.is_object() || value.is_instance_of::<ArrayBuffer>() => return None,
        (false, _) => Object::entries(value.unchecked_ref()),
        (true, true) => Array::from(value),
        (true, false) => return None,
    };
    let mut members = Vec::new();
    for at in 0..entries.length() {
        let entry: Array = entries.get(at).unchecked_into();
        let value = read(&entry.get(1), depth + 1)?;
        if let Some(name) = entry.get(0).as_string() {
            members.push((name, value));
        }
    }
    Some(Json::Object(members))
}

/// `AuthState`, with the user's raw claims and the error as plain data.
pub(super) fn snapshot(snapshot: &Snapshot) -> Json {
    let mut members = Members::new();
    match snapshot {
        Snapshot::Initializing => members.text("status", Some("initializing")),
        Snapshot::Unauthenticated(reason, error) => members
            .text("status", Some("unauthenticated"))
            .text("reason", Some(reason.as_str()))
            .value("error", error.as_ref().map(Error::to_json)),
        Snapshot::Authenticating(via) => members.text("status", Some("authenticating")).text("via", Some(via.as_str())),
        Snapshot::Authenticated(user, known, freshness) => members
            .text("status", Some("authenticated"))
            .value("user", Some(Json::clone(user)))
            .value("session", Some(facts(known)))
            .text("freshness", Some(freshness.as_str())),
        Snapshot::Locked(user) => members.text("status", Some("locked")).value("user", Some(Json::clone(user))),
    };
    members.object()
}

/// An event's name and detail. `wanted` is the medium that was configured.
pub(super) fn notice(notice: &Notice, wanted: &'static str) -> (&'static str, Json) {
    let mut detail = Members::new();
    let name = match notice {
        Notice::SignedIn(user, origin) => {
            detail.value("user", Some(Json::clone(user))).text("origin", Some(origin.as_str()));
            "signedIn"
        }
        Notice::SignedOut(reason, origin) => {
            detail.text("reason", Some(reason.as_str())).text("origin", Some(origin.as_str()));
            "signedOut"
        }
        Notice::UserChanged(previous, current) => {
            detail.value("previous", Some(Json::clone(previous))).value("current", Some(Json::clone(current)));
            "userChanged"
        }
        Notice::Refreshed(expires_at, by) => {
            detail.number("expiresAt", expires_at.map(seconds)).text("by", Some(by.as_str()));
            "refreshed"
        }
        Notice::RefreshFailed(error, retry_at, fatal) => {
            detail
                .value("error", Some(error.to_json()))
                .number("willRetryAt", retry_at.map(seconds))
                .value("fatal", Some(Json::Bool(*fatal)));
            "refreshFailed"
        }
        Notice::Expiring(left) => {
            detail.number("secondsLeft", Some(*left as f64));
            "expiring"
        }
        Notice::IdleWarning(left) => {
            detail.number("secondsLeft", Some(*left as f64));
            "idleWarning"
        }
        Notice::StorageDegraded(cause) => {
            detail.text("wanted", Some(wanted)).text("using", Some("memory")).text("cause", Some(cause));
            "storageDegraded"
        }
    };
    (name, detail.object())
}

/// What a promise is settled with.
pub(super) fn outcome(outcome: Outcome) -> JsValue {
    let json = match outcome {
        Outcome::Started(callback, error) => Members::new()
            .value("callback", callback.map(|callback| arrived(&callback)))
            .value("error", error.map(|error| error.to_json()))
            .object(),
        Outcome::SignedIn(whom) => arrived(&whom),
        Outcome::Session(Some(known)) => facts(&known),
        Outcome::Session(None) => Json::Null,
        Outcome::Replay(again) => Json::Bool(again),
        Outcome::Token(token, _, _) => return token.expose().into(),
        // The driver has made an error of a failure.
        Outcome::Done | Outcome::Left | Outcome::Failed(_) => return JsValue::UNDEFINED,
    };
    to_js(&json)
}

/// `LoginResult`, with the user's raw claims.
fn arrived(arrived: &Arrived) -> Json {
    Members::new()
        .value("user", Some(Json::clone(&arrived.session.user)))
        .value("session", Some(facts(&arrived.session.facts)))
        .text("returnTo", arrived.return_to.as_ref().map(ReturnTo::as_str))
        .value("appState", arrived.app_state.clone())
        .object()
}

/// `SessionInfo`: instants by the server's clock.
fn facts(facts: &SessionFacts) -> Json {
    let instant = |at: Option<UnixMillis>| at.map(|at| seconds(at.shifted(facts.skew)));
    let end = |end: Option<ExpiresAt>| instant(end.map(|end| end.0));
    let amr: Vec<Json> = facts.amr.iter().map(|each| each.as_str().into()).collect();
    Members::new()
        .text("sub", facts.sub.as_deref())
        .text("sid", facts.sid.as_deref())
        .number("issuedAt", instant(facts.issued_at))
        .number("expiresAt", end(facts.expires_at))
        .number("refreshExpiresAt", end(facts.refresh_expires_at))
        .number("absoluteExpiresAt", end(facts.absolute_expires_at))
        .number("idleExpiresAt", end(facts.idle_expires_at))
        .text("acr", facts.acr.as_deref())
        .value("amr", (!amr.is_empty()).then_some(Json::List(amr)))
        .number("authTime", instant(facts.auth_time))
        .value("scope", facts.scope.as_ref().map(|scope| Json::List(scope.values().map(Json::from).collect())))
        .number("clockSkew", Some((facts.skew as f64 / 1000.0).round()))
        .object()
}

fn seconds(at: UnixMillis) -> f64 {
    at.seconds() as f64
}
