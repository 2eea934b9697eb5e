//! The page, its timers, its clock and its randomness.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod browser_support;

use authsafe::browser::{Medium, PageEvent};
use authsafe::ports::{Clock, Entropy, EntropyFailure, Page, Spawn, Timer};
use authsafe::types::Lifetime;
use browser_support::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn what_happens_to_the_page_is_told_until_the_listener_is_dropped() {
    let told = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&told);
    let listener = ports_with(Medium::Memory).listen_page(move |event| sink.borrow_mut().push(event));
    let happen = || {
        js("for (const type of ['online', 'offline', 'focus', 'blur']) window.dispatchEvent(new Event(type));
            for (const persisted of [false, true])
              for (const type of ['pagehide', 'pageshow'])
                window.dispatchEvent(new PageTransitionEvent(type, { persisted }));");
        for state in ["hidden", "visible"] {
            let _state = replace_getter("document", "visibilityState", &format!("return '{state}';"));
            js("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));");
        }
    };
    happen();
    let expected = [
        PageEvent::Online,
        PageEvent::Offline,
        PageEvent::Visible,
        PageEvent::Left,
        PageEvent::Restored,
        PageEvent::Hidden,
        PageEvent::Visible,
    ];
    assert_eq!(*told.borrow(), expected);
    drop(listener);
    js("window.errors = 0; window.addEventListener('error', () => { errors += 1; });");
    happen();
    assert_eq!(*told.borrow(), expected);
    assert!(js_is("errors === 0"), "the page does not call what is gone");
}

#[wasm_bindgen_test]
fn a_page_that_was_opened_out_of_sight_is_told_of_at_once() {
    let told = Rc::new(Cell::new(None));
    let sink = Rc::clone(&told);
    let _state = replace_getter("document", "visibilityState", "return 'hidden';");
    let _listener = ports_with(Medium::Memory).listen_page(move |event| sink.set(Some(event)));
    assert_eq!(told.get(), Some(PageEvent::Hidden));
}

#[wasm_bindgen_test]
fn an_event_that_happens_while_another_is_told_is_told_too() {
    let told = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&told);
    let _listener = ports_with(Medium::Memory).listen_page(move |event| {
        sink.borrow_mut().push(event);
        if event == PageEvent::Online {
            js("window.dispatchEvent(new Event('offline'));");
        }
    });
    js("window.dispatchEvent(new Event('online'));");
    assert_eq!(*told.borrow(), [PageEvent::Online, PageEvent::Offline]);
}

#[wasm_bindgen_test]
fn the_address_is_replaced_without_losing_what_the_router_keeps() {
    let page = ports_with(Medium::Memory);
    let clean = js_text("location.href");
    js("window.entries = history.length; history.replaceState({ router: 7 }, '', '?code=a&state=b#top');");
    assert_eq!(page.href(), js_text("location.href"));
    assert!(page.href().ends_with("?code=a&state=b#top"));
    page.replace_url(&clean);
    assert_eq!(page.href(), clean);
    assert!(js_is("history.state.router === 7 && history.length === entries"));
    js("history.replaceState(null, '');");
}

#[wasm_bindgen_test]
fn an_address_that_the_browser_refuses_changes_nothing() {
    let page = ports_with(Medium::Memory);
    let before = page.href();
    page.replace_url("https://elsewhere.example.com/");
    assert_eq!(page.href(), before);
    let _refusing =
        replace("history", "replaceState", "() => { throw new DOMException('too often', 'SecurityError'); }");
    page.replace_url("/other");
    assert_eq!(page.href(), before);
}

#[wasm_bindgen_test]
async fn the_page_leaves_after_the_call_and_not_within_it() {
    let page = ports_with(Medium::Memory);
    let before = page.href();
    js("window.left = new Promise((done) => window.addEventListener('hashchange', done, { once: true }));");
    page.navigate(&[&before, "#left"].concat());
    assert_eq!(page.href(), before);
    js_promise("left").await;
    assert_eq!(page.href(), [&before, "#left"].concat());
    page.navigate("https://[not a url");
    js("history.replaceState(null, '', location.pathname + location.search);");
}

#[wasm_bindgen_test]
async fn a_sleep_longer_than_a_browser_timer_can_be_is_made_of_several() {
    js("window.expected = [];");
    // Only the timers that are expected here are shortened: a driver may have timers of its own in the page.
    let _recorder = replace(
        "window",
        "setTimeout",
        "(callback, delay) => {
          if (!window.expected.includes(delay)) return before(callback, delay);
          window.delays.push(delay);
          return before(callback, 0);
        }",
    );
    let timer = ports_with(Medium::Memory);
    for (seconds, delays) in [(0, "[0]"), (90, "[90000]"), (30 * 86_400, "[2147483647,444516353]")] {
        js(&["window.delays = []; window.expected = ", delays, ";"].concat());
        timer.sleep(Lifetime::from_seconds(seconds)).await;
        assert_eq!(js_text("JSON.stringify(delays)"), delays);
    }
}

#[wasm_bindgen_test]
async fn a_sleep_that_nobody_waits_for_any_more_is_cleared_and_one_that_ended_is_not() {
    // A driver may set and clear timers of its own in the page: those of this test are known by their delay.
    let set = "(callback, delay) => {
      const handle = before(callback, delay);
      if (delay === 0 || delay === 3600000) window.handle = handle;
      return handle;
    }";
    let _set = replace("window", "setTimeout", set);
    let clear = "(handle) => { if (handle === window.handle) window.cleared = handle; before(handle); }";
    let _clear = replace("window", "clearTimeout", clear);
    js("window.cleared = null;");
    let timer = ports_with(Medium::Memory);
    timer.sleep(Lifetime::ZERO).await;
    assert!(js_is("cleared === null"));
    let mut sleep = Box::pin(timer.sleep(Lifetime::from_seconds(3600)));
    assert!(begun(&mut sleep).await.is_none());
    drop(sleep);
    assert!(js_is("cleared !== null && cleared === handle"));
}

#[wasm_bindgen_test]
fn the_generator_fills_every_byte_also_beyond_the_browsers_quota() {
    let entropy = ports_with(Medium::Memory);
    let (mut one, mut two) = (vec![0; 70_000], vec![0; 70_000]);
    entropy.fill(&mut one).unwrap();
    entropy.fill(&mut two).unwrap();
    for (at, (a, b)) in one.chunks(100).zip(two.chunks(100)).enumerate() {
        assert_ne!(a, b, "part {at}");
        assert_ne!(a, [0; 100], "part {at}");
    }
    assert_eq!(entropy.fill(&mut []), Ok(()));
}

#[wasm_bindgen_test]
fn a_generator_that_is_missing_or_broken_is_an_error() {
    let entropy = ports_with(Medium::Memory);
    for broken in [
        "undefined",
        "null",
        "{}",
        "{ getRandomValues() { throw new Error('x'); } }",
        "{ getRandomValues: (bytes) => bytes }",
    ] {
        let _broken = replace("window", "crypto", broken);
        assert_eq!(entropy.fill(&mut [0; 32]), Err(EntropyFailure), "{broken}");
    }
}

#[wasm_bindgen_test]
fn the_clock_is_the_devices() {
    let clock = ports_with(Medium::Memory);
    let _stopped = replace("Date", "now", "() => 1700000000123");
    assert_eq!(clock.now().0, 1_700_000_000_123);
}

#[wasm_bindgen_test]
async fn a_spawned_future_runs_after_the_call_and_to_its_end() {
    let began = Rc::new(Cell::new(false));
    let (ended, done) = deferred();
    let flag = Rc::clone(&began);
    let ports = ports_with(Medium::Memory);
    ports.spawn(Box::pin(async move {
        flag.set(true);
        done.call0(&JsValue::UNDEFINED).unwrap();
    }));
    assert!(!began.get());
    ended.await.unwrap();
    assert!(began.get());
}
