//! The media in a real browser: memory, sessionStorage, localStorage and adapters of the application's own.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod browser_support;

use authsafe::browser::{BrowserStore, CookieOptions, Medium};
use authsafe::ports::{Store, StoreFailure};
use browser_support::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const ODD_TEXT: &str = "{\"a\":\"ü 漢 🦀; , % %41 \\\\ = \n\",\"b\":[1]}";

fn media() -> Vec<(&'static str, Medium)> {
    let sync = js("const texts = new Map();
        return { get: (key) => texts.get(key) ?? null, set: (key, text) => void texts.set(key, text), \
                 remove: (key) => texts.delete(key) };");
    let late = js("const texts = new Map();
        return { get: async (key) => texts.get(key), set: async (key, text) => void texts.set(key, text), \
                 remove: async (key) => void texts.delete(key) };");
    vec![
        ("memory", Medium::Memory),
        ("sessionStorage", Medium::SessionStorage),
        ("localStorage", Medium::LocalStorage),
        ("indexedDB", Medium::IndexedDb),
        ("cookie", Medium::Cookie(CookieOptions { secure: false, ..CookieOptions::default() })),
        ("custom, values", Medium::Custom(sync)),
        ("custom, promises", Medium::Custom(late)),
    ]
}

#[wasm_bindgen_test]
async fn every_medium_keeps_replaces_and_removes_a_text() {
    for (name, medium) in media() {
        let store = BrowserStore::new(medium);
        assert_eq!(store.read("contract").await, Ok(None), "{name}: nothing yet");
        assert_eq!(store.remove("contract").await, Ok(()), "{name}: removing nothing");
        for text in ["first", ODD_TEXT, ""] {
            assert_eq!(store.write("contract", text).await, Ok(()), "{name}: {text}");
            assert_eq!(store.read("contract").await, Ok(Some(text.to_owned())), "{name}: {text}");
        }
        assert_eq!(store.write("contract.other:key", "neighbour").await, Ok(()), "{name}");
        assert_eq!(store.remove("contract").await, Ok(()), "{name}: removing");
        assert_eq!(store.read("contract").await, Ok(None), "{name}: removed");
        assert_eq!(store.read("contract.other:key").await, Ok(Some("neighbour".to_owned())), "{name}: another key");
        assert_eq!(store.remove("contract.other:key").await, Ok(()), "{name}");
    }
}

#[wasm_bindgen_test]
async fn a_persistent_medium_shows_what_another_page_load_wrote_and_memory_does_not() {
    let cases = [
        (Medium::Memory, None),
        (Medium::SessionStorage, Some("kept".to_owned())),
        (Medium::LocalStorage, Some("kept".to_owned())),
        (Medium::IndexedDb, Some("kept".to_owned())),
        (Medium::Cookie(CookieOptions { secure: false, ..CookieOptions::default() }), Some("kept".to_owned())),
    ];
    for (medium, expected) in cases {
        let earlier = BrowserStore::new(medium.clone());
        earlier.write("reload", "kept").await.unwrap();
        assert_eq!(BrowserStore::new(medium.clone()).read("reload").await, Ok(expected), "{medium:?}");
        earlier.remove("reload").await.unwrap();
    }
}

#[wasm_bindgen_test]
async fn storage_holds_the_bare_text_and_nothing_else() {
    js("localStorage.clear(); sessionStorage.clear();");
    let store = BrowserStore::new(Medium::LocalStorage);
    store.write("record", "{\"a\":1}").await.unwrap();
    assert_eq!(js_text("JSON.stringify(Object.entries(localStorage))"), r#"[["record","{\"a\":1}"]]"#);
    assert_eq!(js_text("JSON.stringify(Object.entries(sessionStorage))"), "[]");
    store.remove("record").await.unwrap();
}

#[wasm_bindgen_test]
async fn storage_that_the_browser_withholds_is_an_error_and_not_a_panic() {
    let denied = "throw new DOMException('denied', 'SecurityError');";
    let cases = [
        (denied, StoreFailure::Blocked),
        ("return null;", StoreFailure::Blocked),
        ("return undefined;", StoreFailure::Blocked),
        ("return { getItem() { return 'forged'; } };", StoreFailure::Blocked),
        ("throw 'not even an error';", StoreFailure::Failed),
    ];
    for (name, medium) in [("localStorage", Medium::LocalStorage), ("sessionStorage", Medium::SessionStorage)] {
        for (body, failure) in cases {
            let store = BrowserStore::new(medium.clone());
            let _withheld = replace_getter("window", name, body);
            assert_eq!(store.read("key").await, Err(failure), "{name}: {body}");
            assert_eq!(store.write("key", "text").await, Err(failure), "{name}: {body}");
            assert_eq!(store.remove("key").await, Err(failure), "{name}: {body}");
        }
    }
}

#[wasm_bindgen_test]
async fn storage_that_refuses_to_be_written_shows_it_at_the_first_read() {
    let _refusing = replace("Storage.prototype", "setItem", "() => { throw new DOMException('no', 'SecurityError'); }");
    let store = BrowserStore::new(Medium::LocalStorage);
    assert_eq!(store.read("key").await, Err(StoreFailure::Blocked));
}

#[wasm_bindgen_test]
async fn a_full_storage_says_so_and_still_gives_what_it_holds() {
    let store = BrowserStore::new(Medium::LocalStorage);
    store.write("before", "kept").await.unwrap();
    let huge = "x".repeat(16 * 1024 * 1024);
    assert_eq!(store.write("before", &huge).await, Err(StoreFailure::Full));
    assert_eq!(store.read("before").await, Ok(Some("kept".to_owned())));

    let _full = replace("Storage.prototype", "setItem", "() => { throw new DOMException('', 'QuotaExceededError'); }");
    let reloaded = BrowserStore::new(Medium::LocalStorage);
    assert_eq!(reloaded.read("before").await, Ok(Some("kept".to_owned())));
    assert_eq!(reloaded.write("before", "new").await, Err(StoreFailure::Full));
    assert_eq!(reloaded.remove("before").await, Ok(()));
}

#[wasm_bindgen_test]
async fn whatever_goes_wrong_in_an_adapter_is_a_failure_of_the_medium() {
    for adapter in [
        "null",
        "undefined",
        "5",
        "({})",
        "({ get: 'text', set: 'text', remove: 'text' })",
        "({ get() { throw new Error('x'); }, set() { throw null; }, remove() { throw 1; } })",
        "({ get: async () => { throw 1; }, set: () => Promise.reject(), remove: () => Promise.reject(new Error()) })",
        "new Proxy({}, { get() { throw new Error('getter'); } })",
        "(() => { const odd = () => ({ get then() { throw new Error('then'); } }); \
          return { get: odd, set: odd, remove: odd }; })()",
    ] {
        let store = BrowserStore::new(Medium::Custom(js(&format!("return {adapter};"))));
        assert_eq!(store.read("key").await, Err(StoreFailure::Failed), "{adapter}");
        assert_eq!(store.write("key", "text").await, Err(StoreFailure::Failed), "{adapter}");
        assert_eq!(store.remove("key").await, Err(StoreFailure::Failed), "{adapter}");
    }
}

#[wasm_bindgen_test]
async fn an_adapter_must_return_a_text_or_nothing() {
    for (returned, expected) in [
        ("'text'", Ok(Some("text".to_owned()))),
        ("null", Ok(None)),
        ("undefined", Ok(None)),
        ("Promise.resolve(null)", Ok(None)),
        ("{ then(yes, no) { yes('once'); yes('twice'); no(); } }", Ok(Some("once".to_owned()))),
        (
            "Object.defineProperty(Promise.resolve('odd'), 'constructor', { get() { throw new Error('x'); } })",
            Err(StoreFailure::Failed),
        ),
        ("7", Err(StoreFailure::Failed)),
        ("{}", Err(StoreFailure::Failed)),
        ("new String('text')", Err(StoreFailure::Failed)),
    ] {
        let store = BrowserStore::new(Medium::Custom(js(&format!("return {{ get: () => ({returned}) }};"))));
        assert_eq!(store.read("key").await, expected, "{returned}");
    }
}

#[wasm_bindgen_test]
async fn an_adapter_is_called_as_a_method_of_its_object() {
    let adapter = js("return { prefix: 'mine:', get(key) { return this.prefix + key; } };");
    let store = BrowserStore::new(Medium::Custom(adapter));
    assert_eq!(store.read("key").await, Ok(Some("mine:key".to_owned())));
}

#[wasm_bindgen_test]
async fn an_adapter_that_never_settles_fails_when_its_time_is_up() {
    let _hurry = replace("window", "setTimeout", "(callback) => before(callback, 0)");
    let never = js("const never = () => new Promise(() => {}); return { get: never, set: never, remove: never };");
    let store = BrowserStore::new(Medium::Custom(never));
    assert_eq!(store.read("key").await, Err(StoreFailure::Failed));
    assert_eq!(store.write("key", "text").await, Err(StoreFailure::Failed));
    assert_eq!(store.remove("key").await, Err(StoreFailure::Failed));
}

#[wasm_bindgen_test]
async fn a_database_that_the_browser_withholds_is_an_error_and_not_a_panic() {
    let denied = "throw new DOMException('denied', 'SecurityError');";
    let cases = [
        (denied, StoreFailure::Blocked),
        ("return undefined;", StoreFailure::Blocked),
        ("return { open() { throw new DOMException('denied', 'SecurityError'); } };", StoreFailure::Blocked),
        ("return { open() { throw new TypeError('broken'); } };", StoreFailure::Failed),
        ("return {};", StoreFailure::Failed),
    ];
    for (body, failure) in cases {
        let store = BrowserStore::new(Medium::IndexedDb);
        let _withheld = replace_getter("window", "indexedDB", body);
        assert_eq!(store.read("key").await, Err(failure), "{body}");
        assert_eq!(store.write("key", "text").await, Err(failure), "{body}");
        assert_eq!(store.remove("key").await, Err(failure), "{body}");
    }
}

#[wasm_bindgen_test]
async fn a_database_that_never_answers_is_given_up() {
    let _silent = replace_getter("window", "indexedDB", "return { open() { return {}; } };");
    assert_eq!(BrowserStore::new(Medium::IndexedDb).read("key").await, Err(StoreFailure::Failed));
}

#[wasm_bindgen_test]
async fn a_transaction_that_is_aborted_tells_a_full_disk_from_other_reasons() {
    let store = BrowserStore::new(Medium::IndexedDb);
    store.write("before", "kept").await.unwrap();
    for (name, failure) in [("QuotaExceededError", StoreFailure::Full), ("UnknownError", StoreFailure::Failed)] {
        let abort = format!(
            "function (value, key) {{
               const request = before.call(this, value, key);
               Object.defineProperty(this.transaction, 'error', {{ value: new DOMException('no room', '{name}') }});
               this.transaction.abort();
               return request;
             }}"
        );
        let _full = replace("IDBObjectStore.prototype", "put", &abort);
        assert_eq!(store.write("before", "lost").await, Err(failure), "{name}");
    }
    assert_eq!(store.read("before").await, Ok(Some("kept".to_owned())));
    store.remove("before").await.unwrap();
}

#[wasm_bindgen_test]
async fn a_database_can_be_deleted_while_it_is_in_use_and_is_made_anew() {
    let store = BrowserStore::new(Medium::IndexedDb);
    store.write("gone", "text").await.unwrap();
    js_promise(
        "new Promise((done, failed) => {
           const request = indexedDB.deleteDatabase('authsafe');
           request.onsuccess = done;
           request.onblocked = request.onerror = failed;
         })",
    )
    .await;
    assert_eq!(store.read("gone").await, Ok(None));
    store.write("gone", "again").await.unwrap();
    assert_eq!(store.read("gone").await, Ok(Some("again".to_owned())));
    store.remove("gone").await.unwrap();
}
