//! The skin of the second module: it judges ID tokens for the first, and is loaded when one comes.

use crate::browser::Judge;
use crate::error::{Error, ErrorCode};
use crate::jose::check::IdTokenCheck;
use crate::jose::provider;
use crate::ports::Verifier;
use crate::types::WebUrl;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

/// What judges, with the keys that it has fetched: one for all clients of the page.
#[wasm_bindgen]
pub struct Jwt {
    judge: Judge,
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jwt(…)")
    }
}

#[wasm_bindgen]
impl Jwt {
    /// Without keys.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default, reason = "JavaScript calls it")]
    pub fn new() -> Self {
        // Nobody else uses `jsonwebtoken` in this module. Where it were not so, tokens would be verified all the same.
        let _ = provider::install();
        Self { judge: Judge::default() }
    }

    /// A token of the provider whose keys are there will come soon.
    pub fn prepare(&self, jwks_uri: Option<String>) {
        self.judge.prepare(jwks_uri.as_deref().and_then(WebUrl::parse).as_ref());
    }

    /// The verdict on what `IdTokenCheck` wrote, as JSON: an object of claims, or an error as a list.
    pub fn verify(&self, check: String) -> Promise {
        let judge = self.judge.clone();
        future_to_promise(async move {
            let verdict = match IdTokenCheck::parse(&check) {
                Some(check) => judge.verify(&check).await,
                None => Err(Error::new(ErrorCode::WasmTrapped, "The check is none.")),
            };
            let verdict = verdict.unwrap_or_else(|error| error.pack());
            Ok(verdict.to_text().into())
        })
    }
}
