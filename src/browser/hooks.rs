//! The application's own readers of an answer: `parseTokens`, `parseSession`, `isSessionExpired`.
//!
//! They get JavaScript values and the `Response` itself, so they are called here, where there are any. What they return is
//! taken as JSON and judged like an answer of the server; what they throw is not kept, it could quote the body.

use super::{promise, reflect};
use crate::protocol::http::{Purpose, Verdict};
use crate::types::{Json, Lifetime};
use js_sys::{Function, JSON, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use zeroize::Zeroizing;

/// The functions that the application configured.
#[derive(Clone, Default)]
pub struct Hooks {
    /// Reads a backend's own token format from a 2xx answer.
    pub parse_tokens: Option<Function>,
    /// Reads a backend's own session format from a 2xx answer; `null` says that nobody is signed in.
    pub parse_session: Option<Function>,
    /// Sees every answer that concerns the session, and says whether the session is gone.
    pub is_session_expired: Option<Function>,
}

impl Hooks {
    /// Whether any of them looks at answers of this kind.
    pub(super) fn concern(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Protocol => false,
            Purpose::Tokens => self.parse_tokens.is_some(),
            Purpose::Session => self.parse_session.is_some() || self.is_session_expired.is_some(),
        }
    }

    /// What they make of an answer. `response` is a copy of it that nobody has read.
    pub(super) async fn judge(
        &self,
        purpose: Purpose,
        status: u16,
        body: &[u8],
        response: &JsValue,
    ) -> Option<Verdict> {
        let parse = match purpose {
            Purpose::Protocol => return None,
            Purpose::Tokens => &self.parse_tokens,
            Purpose::Session => {
                match self.expired(response).await {
                    Ok(false) => {}
                    Ok(true) => return Some(Verdict::Gone),
                    Err(Threw) => return Some(Verdict::Failed),
                }
                &self.parse_session
            }
        };
        let parse = parse.as_ref().filter(|_| (200..300).contains(&status))?;
        Some(match ask(parse, &[readable(body), response.clone()]).await {
            Ok(value) if value.is_null() && purpose == Purpose::Session => Verdict::Gone,
            Ok(value) => own_format(&value).map_or(Verdict::Failed, Verdict::Parsed),
            Err(Threw) => Verdict::Failed,
        })
    }

    async fn expired(&self, response: &JsValue) -> Result<bool, Threw> {
        let Some(hook) = &self.is_session_expired else { return Ok(false) };
        // A copy of its own: the parser that comes next may want to read the body too.
        let copy = reflect::call(response, "clone", &[]).map_err(|_| Threw)?;
        Ok(ask(hook, &[copy]).await?.is_truthy())
    }
}

/// The hook threw, rejected, or did not come to an end.
struct Threw;

/// Calls a hook and waits for what it returns, be it a promise or not.
async fn ask(hook: &Function, arguments: &[JsValue]) -> Result<JsValue, Threw> {
    let returned = Reflect::apply(hook, &JsValue::UNDEFINED, &reflect::list(arguments)).map_err(|_| Threw)?;
    promise::within(PATIENCE, Box::pin(promise::settled(&returned))).await.and_then(Result::ok).ok_or(Threw)
}

/// The body as a hook wants it: the value of the JSON text, or the text where it is none.
fn readable(body: &[u8]) -> JsValue {
    let text = String::from_utf8_lossy(body);
    JSON::parse(&text).unwrap_or_else(|_| JsValue::from_str(&text))
}

/// What a parser returned, as plain data: an object or nothing.
fn own_format(value: &JsValue) -> Option<Json> {
    let text = Zeroizing::new(String::from(JSON::stringify(value).ok()?.dyn_ref::<js_sys::JsString>()?));
    Json::parse(&text).filter(|json| json.members().is_some())
}

/// How long a hook may take.
const PATIENCE: Lifetime = Lifetime::from_seconds(5);
