//! Who judges ID tokens in a browser: this module, where it can, or the other one, which the page or the worker loads for it.

#[cfg(feature = "jwt")]
use super::{Fetch, WebCrypto, clock};
#[cfg(not(feature = "jwt"))]
use super::{promise, reflect};
use crate::error::Error;
#[cfg(not(feature = "jwt"))]
use crate::error::ErrorCode;
use crate::jose::check::IdTokenCheck;
#[cfg(feature = "jwt-skin")]
use crate::jose::jwks::JwkSet;
#[cfg(feature = "jwt")]
use crate::jose::{
    error::JwtError,
    verify::{Prepared, VerifiedBytes},
};
use crate::ports::Verifier;
#[cfg(feature = "jwt")]
use crate::ports::{
    Clock, Http,
    notary::{Notary, Signatures},
};
#[cfg(feature = "jwt")]
use crate::protocol::http::{HttpFailure, HttpRequest, HttpResponse};
use crate::types::{Json, WebUrl};
#[cfg(feature = "jwt")]
use crate::types::{Lifetime, UnixMillis};
#[cfg(feature = "jwt")]
use std::rc::Rc;
#[cfg(not(feature = "jwt"))]
use wasm_bindgen::JsValue;

/// The other module, which is loaded when it is needed: an object with `prepare(jwksUri?)`, and with `verify(check)`, which
/// promises a verdict. All that passes is text. It may reject with why the module cannot be loaded.
#[cfg(not(feature = "jwt"))]
#[derive(Clone)]
pub struct Judge(JsValue);

#[cfg(not(feature = "jwt"))]
impl Judge {
    /// The member `judge` of what the owner of the core gave. What is missing shows at the first use.
    #[must_use]
    pub fn of(host: &JsValue) -> Self {
        Self(reflect::property(host, "judge").unwrap_or(JsValue::UNDEFINED))
    }
}

#[cfg(not(feature = "jwt"))]
impl Default for Judge {
    fn default() -> Self {
        Self(JsValue::UNDEFINED)
    }
}

#[cfg(not(feature = "jwt"))]
impl Verifier for Judge {
    fn prepare(&self, jwks_uri: Option<&WebUrl>) {
        let jwks_uri = jwks_uri.map_or(JsValue::UNDEFINED, |jwks_uri| jwks_uri.as_str().into());
        // That it fails is told when a token is to be judged.
        let _ = reflect::call(&self.0, "prepare", &[jwks_uri]);
    }

    async fn verify(&self, check: &IdTokenCheck) -> Result<Json, Error> {
        let promise = reflect::call(&self.0, "verify", &[check.to_text().as_str().into()]);
        let verdict = match promise {
            Ok(promise) => promise::settled(&promise).await,
            Err(thrown) => Err(thrown),
        };
        let verdict = verdict.map_err(|fault| unavailable(&fault))?;
        let verdict = verdict.as_string().as_deref().and_then(Json::parse);
        let verdict = verdict.ok_or_else(|| Error::new(ErrorCode::WasmLoadFailed, "It gave no verdict."))?;
        match Error::unpack(&verdict) {
            Some(error) => Err(error),
            None => Ok(verdict),
        }
    }
}

/// Why the other module is not there.
#[cfg(not(feature = "jwt"))]
fn unavailable(fault: &JsValue) -> Error {
    let text = |name| reflect::property(fault, name).ok().and_then(|value| value.as_string()).unwrap_or_default();
    let blocked = text("code") == ErrorCode::WasmBlockedByCsp.as_str();
    Error::new(if blocked { ErrorCode::WasmBlockedByCsp } else { ErrorCode::WasmLoadFailed }, text("detail"))
}

/// This module.
#[cfg(feature = "jwt")]
#[derive(Clone, Default)]
pub struct Judge(Rc<Here>);

#[cfg(feature = "jwt")]
#[derive(Default)]
struct Here {
    http: Fetch,
    signatures: WebCrypto,
    notary: Notary,
}

#[cfg(feature = "jwt")]
impl Http for Here {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.http.send(request).await
    }
}

#[cfg(feature = "jwt")]
impl Clock for Here {
    fn now(&self) -> UnixMillis {
        clock::now()
    }

    fn running(&self) -> Lifetime {
        clock::running()
    }
}

#[cfg(feature = "jwt")]
impl Signatures for Here {
    fn vouch(&self, prepared: &Prepared) -> impl Future<Output = Result<VerifiedBytes, JwtError>> {
        self.signatures.vouch(prepared)
    }
}

#[cfg(feature = "jwt-skin")]
impl Judge {
    /// As [`Verifier::verify`], by these keys, if there are any.
    pub(crate) async fn verify_by(&self, check: &IdTokenCheck, keys: Option<&JwkSet>) -> Result<Json, Error> {
        self.0.notary.verify(&*self.0, check, keys).await
    }
}

#[cfg(feature = "jwt")]
impl Verifier for Judge {
    fn prepare(&self, jwks_uri: Option<&WebUrl>) {
        let (here, Some(jwks_uri)) = (Rc::clone(&self.0), jwks_uri.cloned()) else { return };
        wasm_bindgen_futures::spawn_local(async move { here.notary.prepare(&*here, &jwks_uri).await });
    }

    async fn verify(&self, check: &IdTokenCheck) -> Result<Json, Error> {
        self.0.notary.verify(&*self.0, check, None).await
    }
}
