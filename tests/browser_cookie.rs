//! Cookies that script writes, in a real browser's jar.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod browser_support;

use authsafe::browser::{CookieOptions, CookieStore, Medium, SameSite};
use authsafe::ports::{Page, Store, StoreFailure};
use authsafe::types::Lifetime;
use browser_support::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// The tests are served over http, from loopback.
fn here() -> CookieOptions {
    CookieOptions { secure: false, ..CookieOptions::default() }
}

fn store() -> CookieStore {
    CookieStore::new(here())
}

/// The names in the jar that begin with `key`.
fn names(key: &str) -> Vec<String> {
    let all = js_text("document.cookie");
    let mut names: Vec<String> = all
        .split("; ")
        .filter_map(|pair| pair.split_once('=').map(|(name, _)| name.to_owned()))
        .filter(|name| name.starts_with(key))
        .collect();
    names.sort();
    names
}

/// A text of this many bytes in which each part differs from the others.
fn long(bytes: usize, mark: char) -> String {
    (0..bytes).map(|at| if at % 100 == 0 { char::from(b'a' + (at / 100 % 26) as u8) } else { mark }).collect()
}

#[wasm_bindgen_test]
async fn a_long_text_is_split_and_put_together_again() {
    let text = long(10_000, 'x');
    store().write("long", &text).await.unwrap();
    assert_eq!(names("long"), ["long.0", "long.1", "long.2"]);
    assert!(js_is("document.cookie.split('; ').every((pair) => pair.length <= 4000)"));
    assert_eq!(store().read("long").await, Ok(Some(text)));

    store().write("long", "short").await.unwrap();
    assert_eq!(names("long"), ["long.0"]);
    assert_eq!(store().read("long").await, Ok(Some("short".to_owned())));
    store().remove("long").await.unwrap();
    assert!(names("long").is_empty());
}

#[wasm_bindgen_test]
async fn a_text_of_characters_that_cookies_forbid_survives_being_split() {
    let text = "\"ü;漢,🦀 ".repeat(300);
    store().write("odd", &text).await.unwrap();
    assert!(names("odd").len() > 1);
    assert_eq!(store().read("odd").await, Ok(Some(text)));
    store().remove("odd").await.unwrap();
}

#[wasm_bindgen_test]
async fn a_write_that_was_cut_off_reads_as_no_record() {
    let (old, new) = (long(9_000, 'o'), long(9_000, 'n'));
    store().write("torn", &new).await.unwrap();
    let new_parts = js("return document.cookie.split('; ').filter((pair) => pair.startsWith('torn.')).sort();");
    for after in 0..3u32 {
        store().write("torn", &old).await.unwrap();
        let parts = js_sys::Array::from(&new_parts);
        for at in 0..=after {
            let part = parts.get(at).as_string().unwrap();
            js(&format!("document.cookie = '{part}; SameSite=Strict; Path=/';"));
        }
        let expected = if after == 2 { Some(new.clone()) } else { None };
        assert_eq!(store().read("torn").await, Ok(expected), "cut off after part {after}");
    }
    for at in 0..3 {
        store().write("torn", &new).await.unwrap();
        js(&format!("document.cookie = 'torn.{at}=; SameSite=Strict; Path=/; Max-Age=0';"));
        assert_eq!(store().read("torn").await, Ok(None), "part {at} is missing");
    }
    store().remove("torn").await.unwrap();
    assert!(names("torn").is_empty());
}

#[wasm_bindgen_test]
async fn a_cookie_that_someone_else_wrote_reads_as_no_record() {
    for value in ["", "x", "1", "1.2", "1.2.3", "9.0.", "99999999999999999999.1.x", "-1.1.x", "1.2166136261.%zz"] {
        js(&format!("document.cookie = 'foreign.0={value}; SameSite=Strict; Path=/';"));
        assert_eq!(store().read("foreign").await, Ok(None), "{value}");
    }
    store().remove("foreign").await.unwrap();
}

#[wasm_bindgen_test]
async fn a_text_that_servers_would_choke_on_is_refused_and_the_old_one_stays() {
    store().write("big", "old").await.unwrap();
    assert_eq!(store().write("big", &long(14_001, 'x')).await, Err(StoreFailure::Full));
    assert_eq!(store().read("big").await, Ok(Some("old".to_owned())));
    assert_eq!(store().write("big", &long(14_000, 'x')).await, Ok(()));
    store().remove("big").await.unwrap();
}

#[wasm_bindgen_test]
async fn a_cookie_that_the_browser_did_not_take_is_noticed() {
    let elsewhere = CookieStore::new(CookieOptions { path: "/elsewhere".to_owned(), ..here() });
    assert_eq!(elsewhere.write("away", "text").await, Err(StoreFailure::Blocked), "a path that this page is not in");
    {
        let _off = define("document", "cookie", "get() { return ''; }, set() {}");
        assert_eq!(store().write("off", "text").await, Err(StoreFailure::Blocked), "cookies are switched off");
    }
    {
        let jar = "get() { return [...document.jar].map((pair) => pair.join('=')).join('; '); },
            set(text) {
              const [pair, ...rest] = text.split('; '), [name, value] = pair.split(/=(.*)/);
              document.jar ??= new Map();
              if (rest.includes('Max-Age=0')) document.jar.delete(name);
              else if (document.jar.size < 2) document.jar.set(name, value);
            }";
        let _small = define("document", "cookie", &format!("{jar} "));
        js("document.jar = new Map();");
        assert_eq!(store().write("small", &long(9_000, 'x')).await, Err(StoreFailure::Full), "room for two cookies");
        assert_eq!(js_text("document.cookie"), "", "what came through is taken back");
    }
}

#[wasm_bindgen_test]
async fn a_cookie_that_cannot_be_removed_does_not_pass_for_removed() {
    let elsewhere = CookieStore::new(CookieOptions { path: "/elsewhere".to_owned(), ..here() });
    store().write("stays", "text").await.unwrap();
    assert_eq!(elsewhere.remove("stays").await, Err(StoreFailure::Failed));
    assert_eq!(store().remove("stays").await, Ok(()));
    assert_eq!(elsewhere.remove("stays").await, Ok(()));
}

#[wasm_bindgen_test]
async fn a_jar_that_cannot_be_opened_is_blocked() {
    let denied = "throw new DOMException('sandboxed', 'SecurityError');";
    let _denied = define("document", "cookie", &format!("get() {{ {denied} }}, set() {{ {denied} }}"));
    assert_eq!(store().read("key").await, Err(StoreFailure::Blocked));
    assert_eq!(store().write("key", "text").await, Err(StoreFailure::Blocked));
    assert_eq!(store().remove("key").await, Err(StoreFailure::Blocked));
    assert_eq!(ports_with(Medium::Memory).cookie("key"), None);
}

#[wasm_bindgen_test]
async fn the_attributes_are_those_that_were_asked_for() {
    let _recorder =
        define("document", "cookie", "get() { return ''; }, set(text) { (document.asked ??= []).push(text); }");
    js("document.asked = [];");
    let options = CookieOptions {
        path: "/app".to_owned(),
        same_site: SameSite::Lax,
        secure: true,
        jar: None,
        max_age: Some(Lifetime::from_seconds(3600)),
    };
    // The recorder keeps nothing, which the store notices; what it asked for is the point here.
    assert_eq!(CookieStore::new(options).write("a:b", "").await, Err(StoreFailure::Blocked));
    assert_eq!(store().write("c", "").await, Err(StoreFailure::Blocked));
    assert_eq!(
        js_text("document.asked.join('\\n')"),
        "a%3ab.0=1.2166136261.; Secure; SameSite=Lax; Path=/app; Max-Age=3600\n\
         c.0=1.2166136261.; SameSite=Strict; Path=/"
    );
}

#[wasm_bindgen_test]
async fn a_path_or_key_that_would_break_the_cookie_is_refused() {
    let injected = CookieOptions { path: "/; Domain=example.com".to_owned(), ..CookieOptions::default() };
    assert_eq!(CookieStore::new(injected).write("key", "text").await, Err(StoreFailure::Failed));
    assert_eq!(store().write(&"k".repeat(401), "text").await, Err(StoreFailure::Failed));
}

#[wasm_bindgen_test]
fn a_readable_cookie_is_found_by_its_whole_name_and_decoded() {
    let page = ports_with(Medium::Memory);
    js("for (const pair of ['XSRF-TOKEN=a%3Db%2F%C3%BC', 'XSRF=short', 'percent=50%', 'equals=a=b=', 'empty='])
          document.cookie = pair + '; Path=/';");
    for (name, value) in [
        ("XSRF-TOKEN", Some("a=b/ü")),
        ("XSRF", Some("short")),
        ("percent", Some("50%")),
        ("equals", Some("a=b=")),
        ("empty", Some("")),
        ("XSR", None),
        ("SRF", None),
        ("", None),
    ] {
        assert_eq!(page.cookie(name).as_deref(), value, "{name}");
    }
    js("for (const name of ['XSRF-TOKEN', 'XSRF', 'percent', 'equals', 'empty'])
          document.cookie = name + '=; Path=/; Max-Age=0';");
}
