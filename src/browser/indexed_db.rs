//! IndexedDB as a keeper of texts. Indexed Database API 3.0 §2.1 (connections), §2.7 (transactions), §4.
//!
//! What one tab has written, every other tab reads at once, in whichever process it runs; Web Storage does not promise that.
//! A connection lives for one access: none stands in the way of a tab that deletes the database, and none can be lost.
//! Every access has a limit, because browsers have been seen never to answer.

use super::promise::{Signal, within};
use super::reflect;
use super::storage::failure;
use crate::ports::{Store, StoreFailure};
use crate::types::Lifetime;
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

/// Keeps texts in a database of the origin.
pub struct IndexedDb;

impl Store for IndexedDb {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        match reflect::present(access("readonly", "get", &[key.into()]).await?) {
            None => Ok(None),
            Some(value) => value.as_string().map(Some).ok_or(StoreFailure::Failed),
        }
    }

    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        access("readwrite", "put", &[text.into(), key.into()]).await.map(drop)
    }

    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        access("readwrite", "delete", &[key.into()]).await.map(drop)
    }
}

/// One call of an object store's method, in a transaction of its own; its result once the transaction is complete.
async fn access(mode: &str, method: &str, arguments: &[JsValue]) -> Result<JsValue, StoreFailure> {
    let work = async {
        let connection = open().await?;
        let transaction = call(&connection.database, "transaction", &[STORE.into(), mode.into()])?;
        let store = call(&transaction, "objectStore", &[STORE.into()])?;
        let request = call(&store, method, arguments)?;
        outcome(&transaction, "oncomplete", &["onabort", "onerror"]).await?;
        get(&request, "result")
    };
    within(PATIENCE, Box::pin(work)).await.unwrap_or(Err(StoreFailure::Failed))
}

/// Closed on drop.
struct Connection {
    database: JsValue,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Closing a connection that is closed already is no error, and nothing is left to do where it is one.
        let _ = reflect::call(&self.database, "close", &[]);
    }
}

async fn open() -> Result<Connection, StoreFailure> {
    let factory = get(&js_sys::global(), "indexedDB")?;
    let factory = reflect::present(factory).ok_or(StoreFailure::Blocked)?;
    let request = call(&factory, "open", &[DATABASE.into(), VERSION.into()])?;
    let fresh = request.clone();
    let create = Closure::wrap(Box::new(move || {
        // If this fails, the transaction that follows finds no object store, and says so.
        let _ = get(&fresh, "result").and_then(|database| call(&database, "createObjectStore", &[STORE.into()]));
    }) as Box<dyn Fn()>);
    let _created = Listener::set(&request, "onupgradeneeded", create);
    outcome(&request, "onsuccess", &["onerror"]).await?;
    Ok(Connection { database: get(&request, "result")? })
}

/// Waits for the event handler `good`, or for one of `bad`, whose reason is the target's `error`.
async fn outcome(target: &JsValue, good: &'static str, bad: &[&'static str]) -> Result<(), StoreFailure> {
    let (ended, failed) = (Signal::default(), Signal::default());
    let listen = |name, fails: bool| {
        let (ended, failed) = (ended.clone(), failed.clone());
        let hear = Closure::wrap(Box::new(move || {
            if fails {
                failed.give();
            }
            ended.give();
        }) as Box<dyn Fn()>);
        Listener::set(target, name, hear)
    };
    let _succeeds = listen(good, false);
    let _fails: Vec<Listener> = bad.iter().map(|name| listen(name, true)).collect();
    ended.wait().await;
    if failed.is_given() { Err(failure(&get(target, "error")?)) } else { Ok(()) }
}

/// An event handler; taken back on drop, because JavaScript must not call a closure that is gone.
struct Listener {
    target: JsValue,
    name: &'static str,
    _hear: Closure<dyn Fn()>,
}

impl Listener {
    fn set(target: &JsValue, name: &'static str, hear: Closure<dyn Fn()>) -> Self {
        // An event target takes any handler; one that does not leaves the wait to its limit.
        let _ = Reflect::set(target, &name.into(), hear.as_ref());
        Self { target: target.clone(), name, _hear: hear }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // As above.
        let _ = Reflect::set(&self.target, &self.name.into(), &JsValue::NULL);
    }
}

fn get(target: &JsValue, name: &str) -> Result<JsValue, StoreFailure> {
    reflect::property(target, name).map_err(|thrown| failure(&thrown))
}

fn call(target: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, StoreFailure> {
    reflect::call(target, method, arguments).map_err(|thrown| failure(&thrown))
}

const DATABASE: &str = "authsafe";
const VERSION: u32 = 1;
const STORE: &str = "texts";

/// How long an access may take.
const PATIENCE: Lifetime = Lifetime::from_seconds(2);
