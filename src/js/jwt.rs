//! The skin of the second module: it judges ID tokens for the first, and is loaded when one comes. For applications it judges
//! other tokens, too: `authsafe/jwt` of the npm package.

use crate::browser::Judge;
use crate::error::{Error, ErrorCode};
use crate::jose::check::IdTokenCheck;
use crate::jose::jwks::JwkSet;
use crate::jose::{provider, verify};
use crate::ports::Verifier as _;
use crate::types::{Json, Members, WebUrl};
use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

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

    /// `done` gets the verdict on what `IdTokenCheck` wrote, as JSON: an object of claims, or an error as a list. With a JWK Set, its keys are
    /// those that count, and the address in the check is not asked.
    ///
    /// Of a token instead of a check, what it says: an object of its `header` and its `claims`. Nobody has verified it.
    pub fn verify(&self, check: String, jwks: Option<String>, done: Function) {
        let judge = self.judge.clone();
        spawn_local(async move {
            let verdict = verdict(&judge, &check, jwks.as_deref()).await;
            let verdict = verdict.unwrap_or_else(|error| error.pack()).to_text();
            // What resolves a promise does not throw.
            let _ = done.call1(&JsValue::UNDEFINED, &verdict.into());
        });
    }
}

async fn verdict(judge: &Judge, check: &str, jwks: Option<&str>) -> Result<Json, Error> {
    if !check.starts_with('{') {
        let found = verify::decode_unverified(check)?;
        let (header, claims) = (found.header().clone(), found.claims().clone());
        return Ok(Members::new().value("header", Some(header)).value("claims", Some(claims)).object());
    }
    let check = IdTokenCheck::parse(check).ok_or_else(|| Error::new(ErrorCode::ConfigInvalid, "The check is none."))?;
    let keys = jwks.map(|jwks| JwkSet::parse(jwks.as_bytes())).transpose()?;
    judge.verify_by(&check, keys.as_ref()).await
}
