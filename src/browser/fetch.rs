//! HTTP. Fetch standard §5.6, called as the realm's global `fetch`, so that what the page has put in its place is used.

use super::hooks::Hooks;
use super::{promise, reflect};
use crate::ports::Http;
use crate::protocol::http::{BodyKind, Credentials, HttpFailure, HttpRequest, HttpResponse, MAX_BODY};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortController;
use zeroize::Zeroizing;

/// Sends requests, and lets the application's hooks look at the answers.
#[derive(Default)]
pub struct Fetch {
    hooks: Hooks,
}

impl Fetch {
    /// With these hooks.
    #[must_use]
    pub fn new(hooks: Hooks) -> Self {
        Self { hooks }
    }
}

impl Http for Fetch {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let mut call = Call { abort: Some(AbortController::new().map_err(failed)?) };
        let purpose = request.purpose;
        // Nothing that the module of ID tokens asks for concerns the application, and the code for it weighs.
        let for_hooks = !cfg!(feature = "jwt-skin") && self.hooks.concern(purpose);
        let work = exchange(request, &call, for_hooks);
        let exchanged = promise::within(request.deadline, Box::pin(work)).await;
        let (mut response, copy) = exchanged.unwrap_or(Err(HttpFailure::Timeout))?;
        if let Some(copy) = copy.filter(|_| for_hooks) {
            // The hooks have a patience of their own: a slow hook is not a slow server.
            response.verdict = self.hooks.judge(purpose, response.status, &response.body, &copy).await;
        }
        call.abort = None;
        Ok(response)
    }
}

/// A call under way; aborted when it is dropped before it has ended.
struct Call {
    abort: Option<AbortController>,
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }
}

/// The answer with its whole body, and with a copy for the hooks where they want one.
async fn exchange(
    request: &HttpRequest,
    call: &Call,
    for_hooks: bool,
) -> Result<(HttpResponse, Option<JsValue>), HttpFailure> {
    let arguments = [request.url.as_str().into(), options(request, call)];
    let promise = reflect::call(&js_sys::global(), "fetch", &arguments).map_err(failed)?;
    let response = promise::settled(&promise).await.map_err(failed)?;
    let copy = if for_hooks { Some(reflect::call(&response, "clone", &[]).map_err(failed)?) } else { None };
    // 0 for a redirect that was not followed.
    let status = reflect::property(&response, "status").map_err(failed)?.as_f64().ok_or(HttpFailure::NetworkOrCors)?;
    let headers = readable_headers(&reflect::property(&response, "headers").map_err(failed)?);
    let body = read(reflect::property(&response, "body").map_err(failed)?).await?;
    Ok((HttpResponse { status: status as u16, headers, body, verdict: None }, copy))
}

/// `RequestInit`. Fetch standard §5.4.
fn options(request: &HttpRequest, call: &Call) -> JsValue {
    let headers = Array::new();
    let add = |name: &str, value: &str| headers.push(&reflect::list(&[name.into(), value.into()]));
    for (name, value) in &request.headers {
        add(name, value);
    }
    let mut body = JsValue::UNDEFINED;
    if let Some((kind, text)) = &request.body {
        add(
            "content-type",
            match kind {
                BodyKind::Form => "application/x-www-form-urlencoded;charset=UTF-8",
                BodyKind::Json => "application/json",
            },
        );
        body = JsValue::from_str(text);
    }
    let credentials = match request.credentials {
        Credentials::Omit => "omit",
        Credentials::SameOrigin => "same-origin",
        Credentials::Include => "include",
    };
    let signal = call.abort.as_ref().map_or(JsValue::UNDEFINED, |abort| abort.signal().into());
    reflect::record(&[
        ("method", request.method.as_str().into()),
        ("headers", headers.into()),
        ("body", body),
        ("credentials", credentials.into()),
        ("mode", if request.opaque { "no-cors" } else { "cors" }.into()),
        // Fetch standard §4.1: what is opaque must follow.
        ("redirect", if request.opaque { "follow" } else { "manual" }.into()),
        ("cache", "no-store".into()),
        ("referrerPolicy", "no-referrer".into()),
        ("keepalive", request.keepalive.into()),
        ("signal", signal),
    ])
    .into()
}

/// Whatever the browser lets script read. Names come in lower case (Fetch standard §2.2.2, "sort and combine").
fn readable_headers(headers: &JsValue) -> Vec<(String, String)> {
    let Ok(Some(entries)) = js_sys::try_iter(headers) else { return Vec::new() };
    // An exception ends the list; the headers that follow count as absent.
    entries
        .map_while(Result::ok)
        .filter_map(|entry| {
            let text = |at| js_sys::Reflect::get_u32(&entry, at).ok()?.as_string();
            Some((text(0)?, text(1)?))
        })
        .collect()
}

/// Reads a body to its end, or until it is too large; the call is aborted then, and the rest never arrives.
async fn read(body: JsValue) -> Result<Zeroizing<Vec<u8>>, HttpFailure> {
    let mut chunks = Vec::new();
    let mut size = 0;
    if let Some(body) = reflect::present(body) {
        let reader = reflect::call(&body, "getReader", &[]).map_err(failed)?;
        loop {
            let promise = reflect::call(&reader, "read", &[]).map_err(failed)?;
            let result = promise::settled(&promise).await.map_err(failed)?;
            if reflect::property(&result, "done").map_err(failed)?.is_truthy() {
                break;
            }
            let chunk: Uint8Array = reflect::property(&result, "value").and_then(JsCast::dyn_into).map_err(failed)?;
            size += chunk.length() as usize;
            if size > MAX_BODY {
                return Err(HttpFailure::TooLarge);
            }
            chunks.push(chunk);
        }
    }
    // Allocated once: a vector that grows leaves copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    for chunk in chunks {
        bytes.extend_from_slice(&Zeroizing::new(chunk.to_vec()));
    }
    Ok(bytes)
}

/// The browser tells script no more than that it failed. Fetch standard §2.2.6, "network error".
fn failed(_: JsValue) -> HttpFailure {
    HttpFailure::NetworkOrCors
}
