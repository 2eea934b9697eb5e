//! Sealed media in a real browser: its own AES-GCM, its own database, and what happens when either is not there.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

mod browser_support;

use authsafe::browser::{BrowserStore, CookieOptions, Medium, PlainTexts, Sealing};
use authsafe::ports::{Store, StoreFailure};
use authsafe::protocol::record::ended_text;
use browser_support::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const PLAIN: &str = r#"{"v":1,"lineage":"CANARY"}"#;

fn sealing(shared: bool, plain: PlainTexts) -> Sealing {
    Sealing { origin: "https://app.example".to_owned(), client: "client".to_owned(), shared, plain }
}

fn sealed(medium: Medium, sealing: Sealing) -> BrowserStore {
    BrowserStore::new(Medium::Sealed(Box::new(medium), sealing))
}

/// In localStorage, as the session record of a client is.
fn store() -> BrowserStore {
    sealed(Medium::LocalStorage, sealing(true, PlainTexts::Migrated))
}

/// A map, as what one tab has for itself.
fn map() -> Medium {
    Medium::Custom(js("const texts = new Map();
        return { get: (key) => texts.get(key), set: (key, text) => void texts.set(key, text), \
                 remove: (key) => texts.delete(key) };"))
}

/// As a page load in the tab of this medium has it.
fn load(medium: &Medium) -> BrowserStore {
    sealed(medium.clone(), sealing(false, PlainTexts::MigratedByTab))
}

/// In a map of its own, as a tab has one.
fn tab() -> (BrowserStore, BrowserStore) {
    let medium = map();
    (load(&medium), BrowserStore::new(medium))
}

/// A tab with a text, and its duplicate.
async fn duplicated(key: &str) -> (Medium, Medium) {
    let (original, copy) = (map(), map());
    load(&original).write(key, "both").await.unwrap();
    let text = BrowserStore::new(original.clone()).read(key).await.unwrap().unwrap();
    BrowserStore::new(copy.clone()).write(key, &text).await.unwrap();
    (original, copy)
}

async fn text_in(medium: &Medium, key: &str) -> String {
    BrowserStore::new(medium.clone()).read(key).await.unwrap().unwrap()
}

/// How many places of a record there are.
async fn places(key: &str) -> JsValue {
    with_keys("readonly", &format!("keys.count(IDBKeyRange.bound('sealing.{key}:', 'sealing.{key}:~'))")).await
}

fn stored(key: &str) -> String {
    js_text(&format!("localStorage.getItem('{key}') ?? ''"))
}

fn put_back(key: &str, text: &str) {
    js(&format!("localStorage.setItem('{key}', '{text}')"));
}

/// What an expression makes of the database's table of keys.
async fn with_keys(mode: &str, expression: &str) -> JsValue {
    js_promise(&format!(
        "new Promise((done, failed) => {{
           const request = indexedDB.open('authsafe');
           request.onerror = failed;
           request.onsuccess = () => {{
             const database = request.result, keys = database.transaction('keys', '{mode}').objectStore('keys');
             const asked = {expression};
             asked.onerror = failed;
             asked.onsuccess = () => {{ database.close(); done(asked.result); }};
           }};
         }})"
    ))
    .await
}

async fn destroy_key(place: &str) {
    with_keys("readwrite", &format!("keys.delete('sealing.{place}')")).await;
}

/// Something of what is kept of a place, as a text.
async fn entry(place: &str, expression: &str) -> String {
    let entry = with_keys("readonly", &format!("keys.get('sealing.{place}:')")).await;
    js_sys::Reflect::set(&js_sys::global(), &"entry".into(), &entry).unwrap();
    js("window.sealingKey = entry[5];");
    js_text(&format!("(([slot, last, spent, first, made_at, key, old]) => String({expression}))(entry)"))
}

fn refused() -> Result<Option<String>, StoreFailure> {
    Ok(Some(String::new()))
}

fn read_as(text: &str) -> Result<Option<String>, StoreFailure> {
    Ok(Some(text.to_owned()))
}

/// What would be waited for less than a second is not waited for.
fn hurried() -> Replaced {
    replace("window", "setTimeout", "(callback, delay) => before(callback, delay < 1000 ? 0 : delay)")
}

/// Nothing is waited for.
fn rushed() -> Replaced {
    replace("window", "setTimeout", "(callback) => before(callback, 0)")
}

/// An exception from where a write of the database would be, in the place of the so-manieth.
fn fail_put(number: u32, name: &str) -> Replaced {
    js("window.puts = 0;");
    let body = format!(
        "function (...given) {{
           if (++window.puts === {number}) throw new DOMException('cut off', '{name}');
           return before.apply(this, given);
         }}"
    );
    replace("IDBObjectStore.prototype", "put", &body)
}

#[wasm_bindgen_test]
async fn every_medium_keeps_a_sealed_text_and_shows_nothing_of_it() {
    let cookie = Medium::Cookie(CookieOptions { secure: false, ..CookieOptions::default() });
    for medium in [Medium::SessionStorage, Medium::LocalStorage, Medium::IndexedDb, cookie] {
        for shared in [true, false] {
            let key = format!("every.{shared}");
            let (store, bare) =
                (sealed(medium.clone(), sealing(shared, PlainTexts::Refused)), BrowserStore::new(medium.clone()));
            assert_eq!(store.read(&key).await, Ok(None), "{medium:?}");
            for text in [PLAIN, "{\"ü\":\"漢 🦀\"}", ""] {
                assert_eq!(store.write(&key, text).await, Ok(()), "{medium:?}");
                assert_eq!(store.read(&key).await, read_as(text), "{medium:?}");
                // As another page load sees it.
                let again = sealed(medium.clone(), sealing(shared, PlainTexts::Refused));
                assert_eq!(again.read(&key).await, read_as(text), "{medium:?}");
                let seen = bare.read(&key).await.unwrap().unwrap();
                assert!(seen.starts_with("{\"v\":2,") && !seen.contains("CANARY"), "{medium:?}: {seen}");
            }
            assert_eq!(store.remove(&key).await, Ok(()), "{medium:?}");
            assert_eq!(store.read(&key).await, Ok(None), "{medium:?}");
            assert_eq!(bare.read(&key).await, Ok(None), "{medium:?}");
        }
    }
}

#[wasm_bindgen_test]
async fn the_key_cannot_be_exported_and_seals_and_opens_and_does_nothing_else() {
    store().write("export", PLAIN).await.unwrap();
    assert_eq!(entry("export", "key.extractable").await, "false");
    assert_eq!(entry("export", "key.usages.toSorted()").await, "decrypt,encrypt");
    assert_eq!(entry("export", "key.algorithm.name + key.algorithm.length").await, "AES-GCM256");
    for form in ["raw", "jwk"] {
        let tried = format!("crypto.subtle.exportKey('{form}', sealingKey).then(() => 'out', (error) => error.name)");
        assert_eq!(js_promise(&tried).await, "InvalidAccessError", "{form}");
    }
}

#[wasm_bindgen_test]
async fn f25_each_write_has_a_vector_of_its_own_and_a_higher_counter() {
    js("window.seen = [];");
    for _ in 0..20 {
        store().write("fresh", PLAIN).await.unwrap();
        js("seen.push(JSON.parse(localStorage.getItem('fresh')));");
    }
    assert!(js_is("new Set(seen.map(({ iv }) => iv)).size === 20 && seen.every(({ iv }) => iv.length === 16)"));
    assert!(js_is("new Set(seen.map(({ ct }) => ct)).size === 20"));
    assert!(js_is("seen.every(({ n }, at) => n === seen[0].n + at)"));
    assert!(js_is("new Set(seen.map(({ kid }) => kid)).size === 1"));
}

#[wasm_bindgen_test]
async fn a_text_opens_for_its_own_client_origin_and_record_only_and_the_others_stay() {
    let _hurried = hurried();
    let other = |change: fn(&mut Sealing)| {
        let mut sealing = sealing(true, PlainTexts::Migrated);
        change(&mut sealing);
        sealed(Medium::LocalStorage, sealing)
    };
    for stranger in [
        other(|sealing| sealing.client = "other".to_owned()),
        other(|sealing| sealing.origin = "https://other.example".to_owned()),
    ] {
        store().write("bound", PLAIN).await.unwrap();
        assert_eq!(stranger.read("bound").await, refused());
        assert_eq!(stored("bound"), "", "of no use to anybody");
    }
    store().write("first.session", "one").await.unwrap();
    store().write("second.session", "two").await.unwrap();
    put_back("second.session", &stored("first.session"));
    assert_eq!(store().read("second.session").await, refused());
    assert_eq!(store().read("first.session").await, read_as("one"));
    store().write("second.session", "three").await.unwrap();
    assert_eq!(store().read("second.session").await, read_as("three"));
}

#[wasm_bindgen_test]
async fn f25_whatever_is_changed_in_a_sealed_text_it_is_refused_and_removed() {
    let _hurried = hurried();
    for change in [
        "one.kid = one.kid.replace(/.$/, '9')",
        "one.n += 1",
        "one.n += 1e6",
        "one.iv = one.iv.replace(/^./, (c) => c === 'A' ? 'B' : 'A')",
        "one.ct = one.ct.replace(/^./, (c) => c === 'A' ? 'B' : 'A')",
        "one.ct = one.ct.slice(0, -4)",
        "one.ct = ''",
        "delete one.iv",
        "one.more = true",
        "text = text.slice(0, -1)",
        "text = ' ' + text",
        "text = '{ nonsense'",
        "text = '{\"hello\":\"world\"}'",
        "text = ''",
    ] {
        store().write("changed", PLAIN).await.unwrap();
        store().write("neighbour", "kept").await.unwrap();
        js(&format!(
            "let text, one = JSON.parse(localStorage.getItem('changed'));
             text = localStorage.getItem('changed'); {change};
             if (!`{change}`.startsWith('text')) text = JSON.stringify(one);
             localStorage.setItem('changed', text);"
        ));
        assert_eq!(store().read("changed").await, refused(), "{change}");
        assert_eq!(store().read("changed").await, Ok(None), "{change}");
        assert_eq!(store().read("neighbour").await, read_as("kept"), "{change}");
    }
}

#[wasm_bindgen_test]
async fn an_older_text_that_is_put_back_is_refused_also_after_a_sign_in_or_a_sign_out() {
    let _hurried = hurried();
    store().write("rolled", "one").await.unwrap();
    let first = stored("rolled");
    store().write("rolled", "two").await.unwrap();
    let second = stored("rolled");
    put_back("rolled", &first);
    assert_eq!(store().read("rolled").await, refused());
    assert_eq!(stored("rolled"), "");
    // The last one is still the last one.
    put_back("rolled", &second);
    assert_eq!(store().read("rolled").await, read_as("two"));
    js("localStorage.clear();");
    store().write("rolled", "three").await.unwrap();
    put_back("rolled", &second);
    assert_eq!(store().read("rolled").await, refused());
    for sign_out in [true, false] {
        store().write("rolled", "four").await.unwrap();
        let last = stored("rolled");
        if sign_out {
            store().write("rolled", &ended_text("x")).await.unwrap();
            assert_eq!(store().read("rolled").await, read_as(&ended_text("x")));
        } else {
            store().remove("rolled").await.unwrap();
        }
        put_back("rolled", &last);
        assert_eq!(store().read("rolled").await, refused(), "its key is destroyed");
    }
}

#[wasm_bindgen_test]
async fn tabs_with_media_of_their_own_do_not_disturb_each_other() {
    let _hurried = hurried();
    let ((first, of_first), (second, _)) = (tab(), tab());
    first.write("tabs", "one").await.unwrap();
    second.write("tabs", "two").await.unwrap();
    second.write("tabs", "three").await.unwrap();
    assert_eq!(first.read("tabs").await, read_as("one"));
    let old = of_first.read("tabs").await.unwrap().unwrap();
    first.write("tabs", "four").await.unwrap();
    of_first.write("tabs", &old).await.unwrap();
    assert_eq!(first.read("tabs").await, refused());
    assert_eq!(second.read("tabs").await, read_as("three"));
    second.remove("tabs").await.unwrap();
    assert_eq!(second.read("tabs").await, Ok(None));
}

#[wasm_bindgen_test]
async fn a_copy_of_a_tab_that_falls_behind_loses_its_own_text_and_not_that_of_the_other() {
    let _hurried = hurried();
    let ((original, of_original), (copy, of_copy)) = (tab(), tab());
    original.write("copy", "one").await.unwrap();
    of_copy.write("copy", &of_original.read("copy").await.unwrap().unwrap()).await.unwrap();
    original.write("copy", "two").await.unwrap();
    assert_eq!(copy.read("copy").await, refused());
    // As the client does with a record that it cannot use.
    copy.remove("copy").await.unwrap();
    assert_eq!(original.read("copy").await, read_as("two"));
    copy.write("copy", "three").await.unwrap();
    assert_eq!(original.read("copy").await, read_as("two"));
    assert_eq!(copy.read("copy").await, read_as("three"));
}

#[wasm_bindgen_test]
async fn of_a_tab_and_its_duplicate_the_one_that_writes_later_does_not_take_the_text_of_the_other() {
    let _hurried = hurried();
    for later in ["written", "ended", "removed"] {
        let key = format!("later.{later}");
        let (original, copy) = duplicated(&key).await;
        let behind = text_in(&copy, &key).await;
        load(&original).write(&key, "first").await.unwrap();
        // It has not read what it has, as a tab that is told that its token is spent.
        match later {
            "written" => load(&copy).write(&key, "second").await.unwrap(),
            "ended" => load(&copy).write(&key, &ended_text("x")).await.unwrap(),
            _ => load(&copy).remove(&key).await.unwrap(),
        }
        assert_eq!(load(&original).read(&key).await, read_as("first"), "{later}");
        if later == "written" {
            assert_eq!(load(&copy).read(&key).await, read_as("second"));
        }
        // From here on, neither knows of the other.
        for round in ["third", "fourth"] {
            for tab in [&copy, &original] {
                load(tab).write(&key, round).await.unwrap();
            }
        }
        for tab in [&copy, &original] {
            assert_eq!(load(tab).read(&key).await, read_as("fourth"), "{later}");
            let last = text_in(tab, &key).await;
            BrowserStore::new(tab.clone()).write(&key, &behind).await.unwrap();
            assert_eq!(load(tab).read(&key).await, refused(), "{later}: what both began with is over in both");
            BrowserStore::new(tab.clone()).write(&key, &last).await.unwrap();
        }
        load(&copy).remove(&key).await.unwrap();
        assert_eq!(load(&original).read(&key).await, read_as("fourth"), "{later}");
    }
}

#[wasm_bindgen_test]
async fn a_text_that_a_duplicate_was_cut_off_after_writing_is_not_taken_from_it() {
    let _hurried = hurried();
    let (original, copy) = duplicated("unconfirmed").await;
    let behind = text_in(&original, "unconfirmed").await;
    {
        // The counter, and then the confirmation.
        let _cut = fail_put(2, "UnknownError");
        load(&copy).write("unconfirmed", "first").await.unwrap();
    }
    load(&original).write("unconfirmed", "second").await.unwrap();
    assert_eq!(load(&copy).read("unconfirmed").await, read_as("first"));
    assert_eq!(load(&original).read("unconfirmed").await, read_as("second"));
    BrowserStore::new(original.clone()).write("unconfirmed", &behind).await.unwrap();
    assert_eq!(load(&original).read("unconfirmed").await, refused());
}

#[wasm_bindgen_test]
async fn a_tab_whose_write_was_cut_off_goes_on_and_what_it_had_before_is_over() {
    let _hurried = hurried();
    let medium = Medium::SessionStorage;
    load(&medium).write("full", "old").await.unwrap();
    let old = text_in(&medium, "full").await;
    for _ in 0..3 {
        let _full =
            replace("Storage.prototype", "setItem", "() => { throw new DOMException('', 'QuotaExceededError'); }");
        assert_eq!(load(&medium).write("full", "lost").await, Err(StoreFailure::Full));
        assert_eq!(load(&medium).read("full").await, read_as("old"));
    }
    assert_eq!(places("full").await, 1, "no key is left of what was not written");
    load(&medium).write("full", "new").await.unwrap();
    assert_eq!(load(&medium).read("full").await, read_as("new"));
    BrowserStore::new(medium.clone()).write("full", &old).await.unwrap();
    assert_eq!(load(&medium).read("full").await, refused());
}

#[wasm_bindgen_test]
async fn a_write_to_a_medium_of_all_tabs_does_not_read_it() {
    store().write("unread", "one").await.unwrap();
    js("window.reads = 0;");
    let counting = "function (key) { window.reads += key === 'unread'; return before.call(this, key); }";
    let _counting = replace("Storage.prototype", "getItem", counting);
    store().write("unread", "two").await.unwrap();
    store().remove("unread").await.unwrap();
    assert!(js_is("reads === 0"));
}

#[wasm_bindgen_test]
async fn keys_of_tabs_that_are_long_gone_do_not_pile_up() {
    let ((old, _), (other, _), (new, _)) = (tab(), tab(), tab());
    {
        let _early = replace("Date", "now", "() => before.call(Date) - 91 * 24 * 3600 * 1000");
        old.write("gone.session", "old").await.unwrap();
        old.write("gone", "old").await.unwrap();
    }
    other.write("gone", "other").await.unwrap();
    new.write("gone", "new").await.unwrap();
    let _hurried = hurried();
    assert_eq!(old.read("gone").await, refused());
    assert_eq!(old.read("gone.session").await, read_as("old"), "another record");
    assert_eq!(other.read("gone").await, read_as("other"));
    assert_eq!(new.read("gone").await, read_as("new"));
}

#[wasm_bindgen_test]
async fn of_two_that_write_first_at_the_same_time_one_makes_the_key_and_both_use_it() {
    for round in 0..5 {
        let key = format!("race.{round}");
        let (first, second) = (store(), store());
        let mut all = [Box::pin(first.write(&key, "one")), Box::pin(second.write(&key, "two"))];
        for one in &mut all {
            assert!(begun(one).await.is_none());
        }
        for one in all {
            assert_eq!(one.await, Ok(()));
        }
        assert_eq!(store().read(&key).await, read_as("two"));
        assert_eq!(entry(&key, "last").await, "2");
    }
}

#[wasm_bindgen_test]
async fn two_that_have_no_web_locks_agree_on_one_key_all_the_same() {
    let _locks = replace("navigator", "locks", "undefined");
    let (first, second) = (store(), store());
    let mut all = [Box::pin(first.write("agree.1", "one")), Box::pin(second.write("agree.2", "two"))];
    for one in &mut all {
        assert!(begun(one).await.is_none());
    }
    for one in all {
        assert_eq!(one.await, Ok(()));
    }
    assert_eq!(store().read("agree.1").await, read_as("one"));
    assert_eq!(store().read("agree.2").await, read_as("two"));
}

#[wasm_bindgen_test]
async fn a_worn_key_is_replaced_and_reads_until_the_text_is_sealed_anew() {
    let _hurried = hurried();
    store().write("worn", "one").await.unwrap();
    let first = stored("worn");
    let (slot, made_at) = (entry("worn", "slot").await, entry("worn", "made_at").await);
    let _later = replace("Date", "now", "() => before.call(Date) + 31 * 24 * 3600 * 1000");
    assert_eq!(store().read("worn").await, read_as("one"));
    {
        // Cut off between the new key and the new text.
        let _full =
            replace("Storage.prototype", "setItem", "() => { throw new DOMException('', 'QuotaExceededError'); }");
        assert_eq!(store().write("worn", "lost").await, Err(StoreFailure::Full));
    }
    assert_eq!(entry("worn", "old").await, "[object CryptoKey]");
    assert_eq!(store().read("worn").await, read_as("one"), "by the old key");
    store().write("worn", "two").await.unwrap();
    assert_eq!(store().read("worn").await, read_as("two"));
    assert_eq!(entry("worn", "old").await, "undefined");
    assert_eq!(entry("worn", "slot").await, slot);
    assert_ne!(entry("worn", "made_at").await, made_at);
    assert!(!stored("worn").contains(&format!("{slot}.1\"")) && first.contains(&format!("{slot}.1\"")));
    put_back("worn", &first);
    assert_eq!(store().read("worn").await, refused());
}

#[wasm_bindgen_test]
async fn a_write_that_is_cut_off_after_any_step_leaves_the_old_text_or_the_new_one() {
    let _hurried = hurried();
    // Of the first text of a place: the key with its counter, the confirmation.
    for (step, expected) in [(1, None), (2, Some("first"))] {
        let key = format!("cut.first.{step}");
        {
            let _cut = fail_put(step, "UnknownError");
            let outcome = store().write(&key, "first").await;
            assert_eq!(outcome.is_ok(), expected.is_some(), "{step}");
        }
        assert_eq!(store().read(&key).await, Ok(expected.map(str::to_owned)), "{step}");
        store().write(&key, "next").await.unwrap();
        assert_eq!(store().read(&key).await, read_as("next"), "{step}");
        put_back(&key, PLAIN);
        assert_eq!(store().read(&key).await, refused(), "{step}: no plain text any more");
    }
    // Of a later one: the counter, the confirmation.
    for (step, expected) in [(1, "old"), (2, "new")] {
        let key = format!("cut.later.{step}");
        store().write(&key, "old").await.unwrap();
        let old = stored(&key);
        {
            let _cut = fail_put(step, "UnknownError");
            assert_eq!(store().write(&key, "new").await.is_ok(), expected == "new", "{step}");
        }
        assert_eq!(store().read(&key).await, read_as(expected), "{step}");
        if expected == "new" {
            put_back(&key, &old);
            assert_eq!(store().read(&key).await, refused(), "{step}: the reading has caught up");
        }
        store().write(&key, "next").await.unwrap();
        assert_eq!(store().read(&key).await, read_as("next"), "{step}");
    }
    // Between the two: the medium takes nothing.
    store().write("cut.between", "old").await.unwrap();
    {
        let _full =
            replace("Storage.prototype", "setItem", "() => { throw new DOMException('', 'QuotaExceededError'); }");
        assert_eq!(store().write("cut.between", "new").await, Err(StoreFailure::Full));
        assert_eq!(store().read("cut.between").await, read_as("old"));
    }
    store().write("cut.between", "next").await.unwrap();
    assert_eq!(store().read("cut.between").await, read_as("next"));
}

#[wasm_bindgen_test]
async fn f25_a_text_whose_key_is_gone_is_refused_and_the_next_one_gets_a_new_key() {
    let _hurried = hurried();
    for shared in [true, false] {
        let key = format!("gone.{shared}");
        let store = sealed(Medium::LocalStorage, sealing(shared, PlainTexts::Migrated));
        store.write(&key, "one").await.unwrap();
        let slot = js_text(&format!("JSON.parse(localStorage.getItem('{key}')).kid.split('.')[0]"));
        destroy_key(&format!("{key}:{}", if shared { "" } else { &slot })).await;
        assert_eq!(store.read(&key).await, refused(), "{shared}");
        store.write(&key, "two").await.unwrap();
        assert_eq!(store.read(&key).await, read_as("two"), "{shared}");
    }
}

#[wasm_bindgen_test]
async fn an_old_text_that_a_browser_shows_for_a_moment_is_looked_at_again() {
    let _hurried = hurried();
    store().write("stale", "one").await.unwrap();
    let old = stored("stale");
    store().write("stale", "two").await.unwrap();
    js("window.reads = 0;");
    let stale = format!(
        "function (key) {{ return key === 'stale' && ++window.reads <= 3 ? '{old}' : before.call(this, key); }}"
    );
    let _stale = replace("Storage.prototype", "getItem", &stale);
    assert_eq!(store().read("stale").await, read_as("two"));
}

#[wasm_bindgen_test]
async fn without_a_database_nothing_is_written_and_what_is_there_stays() {
    store().write("blocked", "kept").await.unwrap();
    let before = stored("blocked");
    for (getter, failure) in [
        ("throw new DOMException('denied', 'SecurityError');", StoreFailure::Blocked),
        ("return undefined;", StoreFailure::Blocked),
        ("return { open() { return {}; } };", StoreFailure::Failed),
    ] {
        let _withheld = replace_getter("window", "indexedDB", getter);
        let _rushed = (failure == StoreFailure::Failed).then(rushed);
        assert_eq!(store().read("nothing").await, Ok(None), "{getter}");
        assert_eq!(store().read("blocked").await, Err(failure), "{getter}");
        assert_eq!(store().write("blocked", "new").await, Err(failure), "{getter}");
        assert_eq!(stored("blocked"), before, "{getter}");
    }
    assert_eq!(store().read("blocked").await, read_as("kept"));
}

#[wasm_bindgen_test]
async fn without_web_cryptography_nothing_is_written_and_what_is_there_stays() {
    store().write("dumb", "kept").await.unwrap();
    let before = stored("dumb");
    let broken = "{ encrypt: async () => { throw new DOMException('', 'OperationError'); }, \
                    decrypt: async () => { throw new DOMException('', 'OperationError'); } }";
    for (subtle, failure) in
        [("undefined", StoreFailure::Blocked), (broken, StoreFailure::Failed), ("{}", StoreFailure::Failed)]
    {
        let _withheld = replace("crypto", "subtle", subtle);
        assert_eq!(store().read("dumb").await, Err(failure), "{subtle}");
        assert_eq!(store().write("dumb", "new").await, Err(failure), "{subtle}");
        assert_eq!(store().write("dumb.first", "new").await, Err(failure), "{subtle}");
        assert_eq!((stored("dumb"), stored("dumb.first")), (before.clone(), String::new()), "{subtle}");
    }
    assert_eq!(store().read("dumb").await, read_as("kept"));
}

#[wasm_bindgen_test]
async fn a_plain_text_of_the_version_before_is_sealed_when_it_is_read_and_none_is_taken_after_it() {
    for shared in [true, false] {
        let key = format!("migrated.{shared}");
        let store = sealed(Medium::LocalStorage, sealing(shared, PlainTexts::Migrated));
        put_back(&key, PLAIN);
        assert_eq!(store.read(&key).await, read_as(PLAIN), "{shared}");
        assert!(!stored(&key).contains("CANARY"), "{shared}");
        assert_eq!(store.read(&key).await, read_as(PLAIN), "{shared}");
        store.write(&key, "next").await.unwrap();
        put_back(&key, PLAIN);
        assert_eq!(store.read(&key).await, refused(), "{shared}");
        store.remove(&key).await.unwrap();
        put_back(&key, PLAIN);
        assert_eq!(store.read(&key).await, refused(), "{shared}: also after a sign-out");
    }
}

#[wasm_bindgen_test]
async fn each_tab_takes_over_the_plain_text_that_it_has() {
    let (first, second) = (map(), map());
    for (tab, text) in [(&first, PLAIN), (&second, r#"{"v":1,"lineage":"CANARY two"}"#)] {
        BrowserStore::new(tab.clone()).write("tab.plain", text).await.unwrap();
        assert_eq!(load(tab).read("tab.plain").await, read_as(text));
        assert!(!text_in(tab, "tab.plain").await.contains("CANARY"));
        assert_eq!(load(tab).read("tab.plain").await, read_as(text));
    }
    assert_eq!(load(&first).read("tab.plain").await, read_as(PLAIN));
}

#[wasm_bindgen_test]
async fn whatever_step_the_taking_over_is_cut_off_after_the_text_is_there() {
    let _hurried = hurried();
    let full =
        || replace("Storage.prototype", "setItem", "() => { throw new DOMException('', 'QuotaExceededError'); }");
    let kinds = [(true, PlainTexts::Migrated), (false, PlainTexts::MigratedByTab)];
    // The key with its counter, the text, the confirmation.
    for (at, (shared, plain)) in (0..3).flat_map(|at| kinds.map(|kind| (at, kind))) {
        let key = format!("taking.{at}.{shared}");
        let store = || sealed(Medium::LocalStorage, sealing(shared, plain));
        put_back(&key, PLAIN);
        {
            let _cut = match at {
                0 => fail_put(1, "UnknownError"),
                1 => full(),
                _ => fail_put(2, "UnknownError"),
            };
            assert_eq!(store().read(&key).await, read_as(PLAIN), "{key}");
            assert_eq!(stored(&key) == PLAIN, at < 2, "{key}");
        }
        assert_eq!(store().read(&key).await, read_as(PLAIN), "{key}");
        assert!(!stored(&key).contains("CANARY"), "{key}");
        assert_eq!(store().read(&key).await, read_as(PLAIN), "{key}");
    }
}

#[wasm_bindgen_test]
async fn of_two_that_take_a_plain_text_over_neither_puts_it_in_the_place_of_a_later_one() {
    put_back("taken", PLAIN);
    let (first, second) = (store(), store());
    let mut all = [Box::pin(first.read("taken")), Box::pin(second.read("taken"))];
    for one in &mut all {
        assert!(begun(one).await.is_none());
    }
    let [first, second] = all;
    assert_eq!(first.await, read_as(PLAIN));
    store().write("taken", "later").await.unwrap();
    drop(second.await);
    assert_eq!(store().read("taken").await, read_as("later"));
}

#[wasm_bindgen_test]
async fn a_plain_text_is_never_taken_where_others_can_write_to_the_medium() {
    let store = sealed(Medium::LocalStorage, sealing(true, PlainTexts::Refused));
    put_back("planted", PLAIN);
    assert_eq!(store.read("planted").await, refused());
    assert_eq!(store.read("planted").await, Ok(None));
}

/// How a database fails: a getter in its place, if any, and otherwise the name of what its writes throw.
const FAILING: [(&str, &str); 5] = [
    ("throw new DOMException('denied', 'SecurityError');", ""),
    ("return { open() { return {}; } };", ""),
    ("", "DataCloneError"),
    ("", "QuotaExceededError"),
    ("", "UnknownError"),
];

/// The failing database, and impatience with it.
fn failing((getter, thrown): (&str, &str)) -> (Replaced, Option<Replaced>) {
    let database = if getter.is_empty() {
        let body = format!("() => {{ throw new DOMException('', '{thrown}'); }}");
        replace("IDBObjectStore.prototype", "put", &body)
    } else {
        replace_getter("window", "indexedDB", getter)
    };
    (database, getter.starts_with("return").then(rushed))
}

#[wasm_bindgen_test]
async fn a_pending_sign_in_is_plain_only_where_no_key_can_be_had_and_is_found_there_on_the_way_back() {
    let pending = || sealed(Medium::SessionStorage, sealing(false, PlainTexts::Allowed));
    let plain = |key: &str| js_is(&format!("sessionStorage.getItem('{key}').includes('CANARY')"));
    for (at, how) in FAILING.into_iter().enumerate() {
        let key = format!("pending.{at}");
        // Another tab has a key.
        let (other, _) = tab();
        other.write(&key, PLAIN).await.unwrap();
        {
            let _failing = failing(how);
            assert_eq!(pending().write(&key, PLAIN).await, Ok(()), "{how:?}");
            assert!(plain(&key), "{how:?}");
            assert_eq!(pending().read(&key).await, read_as(PLAIN), "{how:?}");
        }
        // The way to the provider and back is long enough for a database to recover.
        assert_eq!(pending().read(&key).await, read_as(PLAIN), "{how:?}");
        pending().write(&key, PLAIN).await.unwrap();
        assert!(!plain(&key), "{how:?}");
        // And for it to fail.
        let _failing = failing(how);
        assert_eq!(pending().write(&key, PLAIN).await, Ok(()), "{how:?}");
        assert_eq!(pending().read(&key).await, read_as(PLAIN), "{how:?}");
    }
}

#[wasm_bindgen_test]
async fn a_session_is_not_written_where_no_key_can_be_had() {
    for (at, how) in FAILING.into_iter().enumerate() {
        for (shared, plain) in [(true, PlainTexts::Migrated), (false, PlainTexts::MigratedByTab)] {
            let key = format!("unsealed.{at}.{shared}");
            let _failing = failing(how);
            let store = sealed(Medium::LocalStorage, sealing(shared, plain));
            assert!(store.write(&key, PLAIN).await.is_err(), "{key}");
            assert_eq!(stored(&key), "", "{key}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_browser_that_does_not_keep_keys_is_as_one_without_a_database() {
    let _private = fail_put(1, "DataCloneError");
    assert_eq!(store().write("private", PLAIN).await, Err(StoreFailure::Blocked));
    assert_eq!(stored("private"), "");
}

#[wasm_bindgen_test]
async fn a_text_of_a_newer_version_is_handed_on_and_left_alone() {
    let newer = r#"{"v":3,"sealed":"otherwise"}"#;
    put_back("newer", newer);
    assert_eq!(store().read("newer").await, read_as(newer));
    assert_eq!(stored("newer"), newer);
}

#[wasm_bindgen_test]
async fn a_medium_that_can_neither_be_emptied_nor_replaced_is_of_no_use_after_a_sign_out() {
    let _hurried = hurried();
    store().write("stuck", "secret").await.unwrap();
    let broken = "() => { throw new DOMException('', 'UnknownError'); }";
    {
        let _stuck = replace("Storage.prototype", "removeItem", broken);
        let _full = replace("Storage.prototype", "setItem", broken);
        assert!(store().write("stuck", &ended_text("x")).await.is_err());
        assert!(store().remove("stuck").await.is_err());
    }
    assert_ne!(stored("stuck"), "");
    assert_eq!(store().read("stuck").await, refused());
}
