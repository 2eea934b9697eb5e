//! IndexedDB as a keeper of texts and of keys. Indexed Database API 3.0 §2.1 (connections), §2.7 (transactions), §4.
//!
//! What one tab has written, every other tab reads at once, in whichever process it runs; Web Storage does not promise that.
//! A connection lives for one access: none stands in the way of a tab that deletes the database, and none can be lost.
//! Every access has a limit, because browsers have been seen never to answer.

use super::promise::{Signal, within};
use super::reflect;
use super::storage::failure;
use crate::ports::{self, Register, Store, StoreFailure};
use crate::types::Lifetime;
use js_sys::Reflect;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

/// Keeps texts in a database of the origin.
pub struct IndexedDb;

impl Store for IndexedDb {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        match get(Table::Texts, key).await? {
            None => Ok(None),
            Some(value) => value.as_string().map(Some).ok_or(StoreFailure::Failed),
        }
    }

    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        put(Table::Texts, key, &text.into()).await
    }

    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        delete(Table::Texts, key).await
    }
}

impl Register for IndexedDb {
    async fn update(&self, key: &str, change: ports::Change) -> Result<Option<String>, StoreFailure> {
        let change = move |found: Option<JsValue>| change(found.and_then(|text| text.as_string())).map(JsValue::from);
        let put = update(Table::Texts, key, Box::new(change)).await?;
        Ok(put.and_then(|text| text.as_string()))
    }
}

/// What the database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Records, as texts.
    Texts,
    /// What holds keys that cannot be exported: structured clones of objects with `CryptoKey`s.
    Keys,
}

impl Table {
    const ALL: [Self; 2] = [Self::Texts, Self::Keys];

    fn name(self) -> &'static str {
        match self {
            Self::Texts => "texts",
            Self::Keys => "keys",
        }
    }
}

/// An access under way, and what comes of it.
pub(super) type Access = Pin<Box<dyn Future<Output = Result<Option<JsValue>, StoreFailure>>>>;

/// The value, or `None` where there is none.
pub(super) fn get(table: Table, key: &str) -> Access {
    transact(table, "readonly", "get", [key.into()].into(), None)
}

/// The first value whose key is one of these two or stands between them. Indexed Database API 3.0 §4.7.
pub(super) fn first_between(table: Table, first: &str, last: &str) -> Access {
    transact(table, "readonly", "get", range(first, last), None)
}

/// Replaces the value. Durable when it returns.
pub(super) fn put(table: Table, key: &str, value: &JsValue) -> impl Future<Output = Result<(), StoreFailure>> + use<> {
    done(transact(table, "readwrite", "put", [value.clone(), key.into()].into(), None))
}

/// What to put in the place of a value, if anything.
pub(super) type Change = Box<dyn Fn(Option<JsValue>) -> Option<JsValue>>;

/// Puts what `change` makes of the value, with no access of another tab in between; what was put.
pub(super) fn update(table: Table, key: &str, change: Change) -> Access {
    transact(table, "readwrite", "get", [key.into()].into(), Some(change))
}

/// Removes the value; no error where there is none.
pub(super) fn delete(table: Table, key: &str) -> impl Future<Output = Result<(), StoreFailure>> + use<> {
    done(transact(table, "readwrite", "delete", [key.into()].into(), None))
}

/// Removes every value whose key is one of these two or stands between them.
pub(super) fn delete_between(
    table: Table,
    first: &str,
    last: &str,
) -> impl Future<Output = Result<(), StoreFailure>> + use<> {
    done(transact(table, "readwrite", "delete", range(first, last), None))
}

async fn done(access: Access) -> Result<(), StoreFailure> {
    access.await.map(drop)
}

/// As the only argument of a call; where it cannot be made, the call fails.
fn range(first: &str, last: &str) -> Vec<JsValue> {
    let ranges = reflect::global("IDBKeyRange").unwrap_or_default();
    call(&ranges, "bound", &[first.into(), last.into()]).into_iter().collect()
}

/// One call of an object store's method, in a transaction of its own; its result once the transaction is complete. With a
/// `change`, that is put in the place of what the argument names, in the same transaction, and is the result.
fn transact(
    table: Table,
    mode: &'static str,
    method: &'static str,
    given: Vec<JsValue>,
    change: Option<Change>,
) -> Access {
    let work = async move {
        let connection = open().await?;
        let transaction = call(&connection.database, "transaction", &[table.name().into(), mode.into()])?;
        let store = call(&transaction, "objectStore", &[table.name().into()])?;
        let request = call(&store, method, &given)?;
        let put = Rc::new(RefCell::new(Ok(JsValue::UNDEFINED)));
        let heard = change.map(|change| {
            let (source, put) = (request.clone(), Rc::clone(&put));
            let hear = move || *put.borrow_mut() = replace(&source, &store, given.first(), &change);
            Listener::set(&request, "onsuccess", Closure::wrap(Box::new(hear)))
        });
        outcome(&transaction, "oncomplete", &["onabort", "onerror"]).await?;
        let result =
            if heard.is_some() { put.replace(Err(StoreFailure::Failed)) } else { property(&request, "result") };
        result.map(reflect::present)
    };
    let work = within(PATIENCE, Box::pin(work));
    Box::pin(async { work.await.unwrap_or(Err(StoreFailure::Failed)) })
}

/// Puts what `change` makes of a value that was found.
fn replace(found: &JsValue, store: &JsValue, name: Option<&JsValue>, change: &Change) -> Result<JsValue, StoreFailure> {
    let found = property(found, "result")?;
    let Some((value, name)) = change(reflect::present(found)).zip(name) else { return Ok(JsValue::UNDEFINED) };
    call(store, "put", &[value.clone(), name.clone()])?;
    Ok(value)
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
    let factory = property(&js_sys::global(), "indexedDB")?;
    let factory = reflect::present(factory).ok_or(StoreFailure::Blocked)?;
    let request = call(&factory, "open", &[DATABASE.into(), VERSION.into()])?;
    let fresh = request.clone();
    let create = Closure::wrap(Box::new(move || {
        let Ok(database) = property(&fresh, "result") else { return };
        for table in Table::ALL {
            // It fails where an older version made it. If it fails otherwise, the transaction that follows says so.
            let _ = call(&database, "createObjectStore", &[table.name().into()]);
        }
    }) as Box<dyn Fn()>);
    let created = Listener::set(&request, "onupgradeneeded", create);
    let mut opening = Opening { request: request.clone(), created: Some(created) };
    outcome(&request, "onsuccess", &["onerror"]).await?;
    opening.created = None;
    Ok(Connection { database: property(&request, "result")? })
}

/// A connection that nobody may be waiting for any more. The browser may still open it later, and make the database anew for
/// it: then the database gets its tables all the same, or it would have none for ever, and the connection is closed.
struct Opening {
    request: JsValue,
    /// `None` once somebody has the connection.
    created: Option<Listener>,
}

impl Drop for Opening {
    fn drop(&mut self) {
        let Some(created) = self.created.take() else { return };
        std::mem::forget(created);
        let request = self.request.clone();
        let close = move || drop(property(&request, "result").map(|database| Connection { database }));
        // An event target takes any handler.
        let _ = Reflect::set(&self.request, &"onsuccess".into(), &Closure::once_into_js(close));
    }
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
    if failed.is_given() { Err(failure(&property(target, "error")?)) } else { Ok(()) }
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

fn property(target: &JsValue, name: &str) -> Result<JsValue, StoreFailure> {
    reflect::property(target, name).map_err(|thrown| failure(&thrown))
}

fn call(target: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, StoreFailure> {
    reflect::call(target, method, arguments).map_err(|thrown| failure(&thrown))
}

const DATABASE: &str = "authsafe";
const VERSION: u32 = 2;

/// How long an access may take.
const PATIENCE: Lifetime = Lifetime::from_seconds(2);
