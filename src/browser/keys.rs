//! Keys that tokens are bound to. Web Cryptography API §23 (ECDSA), Indexed Database API 3.0 (structured clones of keys).
//!
//! A private key is made `extractable: false` in the realm of this core, and no message carries it anywhere. IndexedDB belongs to
//! the whole origin, though: what is kept there, any script of the origin can use, and hand on within this browser.

use super::indexed_db::{Table, delete_between, get, put};
use super::{reflect, subtle};
use crate::ports::{ProofKeys, StoreFailure};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

/// Keys for ES256, each an object of the private `CryptoKey` and the public point.
pub struct Keys;

impl ProofKeys for Keys {
    type Key = JsValue;

    async fn make(&self) -> Result<JsValue, StoreFailure> {
        let curve = [("name", "ECDSA".into()), ("namedCurve", "P-256".into())];
        let usages = reflect::list(&["sign".into()]).into();
        let pair = subtle::call("generateKey", &[reflect::record(&curve).into(), false.into(), usages]).await?;
        let point = subtle::call("exportKey", &["raw".into(), part(&pair, "publicKey")?]).await?;
        Ok(reflect::record(&[("privateKey", part(&pair, "privateKey")?), ("point", point)]).into())
    }

    fn public(&self, key: &JsValue) -> Option<[u8; 64]> {
        // SEC 1 §2.3.3: an uncompressed point is the byte 4 and both coordinates.
        let point: [u8; 65] = bytes(&part(key, "point").ok()?)?;
        point.strip_prefix(&[4])?.try_into().ok()
    }

    async fn sign(&self, key: &JsValue, input: &[u8]) -> Result<[u8; 64], StoreFailure> {
        let algorithm = reflect::record(&[("name", "ECDSA".into()), ("hash", "SHA-256".into())]);
        let arguments = [algorithm.into(), part(key, "privateKey")?, Uint8Array::from(input).into()];
        bytes(&subtle::call("sign", &arguments).await?).ok_or(StoreFailure::Failed)
    }

    async fn keep(&self, name: &str, key: &JsValue) -> Result<(), StoreFailure> {
        put(Table::Keys, name, key).await
    }

    async fn load(&self, name: &str) -> Result<Option<JsValue>, StoreFailure> {
        get(Table::Keys, name).await
    }

    async fn forget(&self, first: &str, last: &str) -> Result<(), StoreFailure> {
        delete_between(Table::Keys, first, last).await
    }
}

fn part(key: &JsValue, name: &str) -> Result<JsValue, StoreFailure> {
    reflect::property(key, name).map_err(|_| StoreFailure::Failed)
}

/// What an `ArrayBuffer` of this very length holds. Nothing else is given to a constructor, which could throw.
fn bytes<const N: usize>(buffer: &JsValue) -> Option<[u8; N]> {
    let view = Uint8Array::new(buffer.dyn_ref::<ArrayBuffer>()?);
    let mut bytes = [0; N];
    (view.length() as usize == N).then(|| view.copy_to(&mut bytes))?;
    Some(bytes)
}
