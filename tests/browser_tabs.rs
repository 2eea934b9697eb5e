//! What tabs share: locks and messages. Another tab is played by the page's own script, which uses the same Web APIs.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod browser_support;

use authsafe::browser::{Broadcast, BrowserPorts, IndexedDb, Locks, Setup};
use authsafe::ports::{Channel, Lock, Register, Store};
use authsafe::types::Lifetime;
use browser_support::*;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const SOON: Lifetime = Lifetime::from_millis(1);
const LONG: Lifetime = Lifetime::from_seconds(30);

/// What stands in for `navigator.locks`: nothing, an older browser's absence, a browser's denial.
const WORLDS: [&str; 3] =
    ["before", "undefined", "{ request: async () => { throw new DOMException('opaque', 'SecurityError'); } }"];

#[wasm_bindgen_test]
async fn a_lock_is_held_by_one_at_a_time() {
    for world in WORLDS {
        let _locks = replace("navigator", "locks", world);
        let first = Locks.acquire("one", LONG).await;
        assert!(first.is_some(), "{world}");
        assert!(Locks.acquire("one", SOON).await.is_none(), "{world}: taken");
        assert!(Locks.acquire("other", LONG).await.is_some(), "{world}: another name is free");
        drop(first);
        assert!(Locks.acquire("one", LONG).await.is_some(), "{world}: free again");
    }
}

#[wasm_bindgen_test]
async fn those_who_wait_are_served_in_their_order_and_those_who_gave_up_are_not() {
    for world in WORLDS {
        let _locks = replace("navigator", "locks", world);
        let order = Rc::new(RefCell::new(Vec::new()));
        let first = Locks.acquire("queue", LONG).await.unwrap();
        let mut all = Vec::new();
        for place in ["a", "b", "c"] {
            let order = Rc::clone(&order);
            let mut turn = Box::pin(async move {
                let _guard = Locks.acquire("queue", LONG).await.unwrap();
                order.borrow_mut().push(place);
            });
            assert!(begun(&mut turn).await.is_none(), "{world}");
            all.push(turn);
        }
        // "b" is no longer waited for.
        drop(all.remove(1));
        assert!(Locks.acquire("queue", SOON).await.is_none(), "{world}");
        drop(first);
        for turn in all {
            turn.await;
        }
        assert_eq!(*order.borrow(), ["a", "c"], "{world}");
    }
}

#[wasm_bindgen_test]
async fn a_lock_keeps_another_tab_waiting_and_waits_for_it() {
    js("window.theirs = new Promise((granted) => navigator.locks.request('shared', () => {
          granted(); return new Promise((release) => { window.release = release; }); }));");
    js_promise("theirs").await;
    assert!(Locks.acquire("shared", SOON).await.is_none());
    let mut ours = Box::pin(Locks.acquire("shared", LONG));
    assert!(begun(&mut ours).await.is_none());
    js("release();");
    let guard = ours.await;
    assert!(guard.is_some());
    let taken = "navigator.locks.request('shared', { ifAvailable: true }, (lock) => lock === null)";
    assert_eq!(js_promise(taken).await, JsValue::TRUE);
    drop(guard);
    assert_eq!(js_promise("navigator.locks.request('shared', () => 'free')").await, "free");
}

#[wasm_bindgen_test]
async fn who_gave_up_leaves_no_request_behind() {
    let guard = Locks.acquire("given-up", LONG).await;
    assert!(Locks.acquire("given-up", SOON).await.is_none());
    drop(guard);
    js_promise("navigator.locks.request('given-up', () => {})").await;
    let left = "navigator.locks.query().then(({ held, pending }) =>
        [...held, ...pending].filter(({ name }) => name === 'given-up').length)";
    assert_eq!(js_promise(left).await, 0);
}

#[wasm_bindgen_test]
async fn a_grant_that_comes_after_giving_up_holds_nothing() {
    let _late = replace(
        "navigator",
        "locks",
        "{ request: (name, options, callback) => { window.late = { options, callback }; return new Promise(() => {}); } }",
    );
    assert!(Locks.acquire("late", SOON).await.is_none());
    assert!(js_is("late.options.signal.aborted"));
    // The browser releases the lock when the callback throws, or when its promise settles.
    js_promise("new Promise((done) => done(late.callback({}))).catch(() => {})").await;
}

#[wasm_bindgen_test]
async fn a_lock_can_be_taken_from_a_tab_that_does_not_give_it_back() {
    js("window.hung = new Promise((granted) => { window.taken = navigator.locks.request('hung', () => {
          granted(); return new Promise(() => {}); }).catch((error) => error.name); });");
    js_promise("hung").await;
    assert!(Locks.acquire("hung", SOON).await.is_none());
    let guard = Locks.seize("hung").await.unwrap();
    assert!(Locks::spans_tabs(&guard));
    assert_eq!(js_promise("taken").await, "AbortError");
    assert!(Locks.acquire("hung", SOON).await.is_none(), "it is ours");
    drop(guard);
    assert!(Locks.acquire("hung", LONG).await.is_some());
}

#[wasm_bindgen_test]
async fn who_is_overtaken_does_not_give_back_what_is_another_s() {
    let first = Locks.acquire("overtaken", LONG).await.unwrap();
    let second = Locks.seize("overtaken").await.unwrap();
    drop(first);
    assert!(Locks.acquire("overtaken", SOON).await.is_none());
    drop(second);
    assert!(Locks.acquire("overtaken", LONG).await.is_some());
}

#[wasm_bindgen_test]
async fn a_lock_of_this_page_alone_is_known_for_one() {
    for world in WORLDS {
        let _locks = replace("navigator", "locks", world);
        let guard = Locks.acquire("reach", LONG).await.unwrap();
        assert_eq!(Locks::spans_tabs(&guard), world == "before", "{world}");
    }
}

/// Two tabs play by one database; each transaction is a tab's whatever realm it is begun in.
#[wasm_bindgen_test]
async fn of_tabs_that_count_in_one_register_at_once_none_loses_a_count() {
    let count = |found: Option<String>| {
        let before: u32 = found.and_then(|text| text.parse().ok()).unwrap_or_default();
        Some((before + 1).to_string())
    };
    let all = (0..40).map(|_| IndexedDb.update("count", Box::new(count)));
    let mut counts: Vec<u32> = Vec::new();
    for each in futures_of(all).await {
        counts.push(each.unwrap().unwrap().parse().unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=40).collect::<Vec<_>>());
    assert_eq!(IndexedDb.update("count", Box::new(|_| None)).await, Ok(None), "nothing was put");
    assert_eq!(IndexedDb.read("count").await, Ok(Some("40".to_owned())));
    IndexedDb.remove("count").await.unwrap();
}

/// Starts all of them, then waits for each.
async fn futures_of<F: Future + 'static>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut begun_ones = Vec::new();
    for each in all {
        let mut each = Box::pin(each);
        let early = begun(&mut each).await;
        begun_ones.push((each, early));
    }
    let mut outputs = Vec::new();
    for (each, early) in begun_ones {
        outputs.push(match early {
            Some(output) => output,
            None => each.await,
        });
    }
    outputs
}

fn channel(name: &str) -> BrowserPorts {
    BrowserPorts::new(Setup { channel: name.to_owned(), ..Setup::default() })
}

/// Texts that a listener got.
type Heard = Rc<RefCell<Vec<String>>>;

fn collect(heard: &Heard) -> impl Fn(&str) + 'static {
    let heard = Rc::clone(heard);
    move |text| heard.borrow_mut().push(text.to_owned())
}

#[wasm_bindgen_test]
async fn a_message_reaches_the_other_tabs_and_not_its_sender() {
    let (ours, heard) = (channel("talk"), Heard::default());
    let _listener = ours.listen_tabs(collect(&heard));
    js("window.tab = new BroadcastChannel('talk');
        window.got = new Promise((done) => { tab.onmessage = ({ data }) => done(data); });");
    ours.post("{\"hello\":\"ü\"}");
    assert_eq!(js_promise("got").await, "{\"hello\":\"ü\"}");

    let (answered, done) = deferred();
    let _end = ours.listen_tabs(move |text| {
        if text == "last" {
            done.call0(&JsValue::UNDEFINED).unwrap();
        }
    });
    js("for (const message of ['first', { no: 'text' }, 7, null, 'last']) tab.postMessage(message);");
    answered.await.unwrap();
    assert_eq!(*heard.borrow(), ["first", "last"]);
    js("tab.close();");
}

#[wasm_bindgen_test]
async fn a_listener_that_was_dropped_hears_nothing_more() {
    let (ours, heard) = (Broadcast::open("quiet"), Heard::default());
    let gone = ours.listen(collect(&heard));
    let (answered, done) = deferred();
    let _other = ours.listen(move |_| drop(done.call0(&JsValue::UNDEFINED)));
    drop(gone);
    Broadcast::open("quiet").post("text");
    answered.await.unwrap();
    assert!(heard.borrow().is_empty());
}

#[wasm_bindgen_test]
async fn a_listener_may_be_dropped_by_its_own_callback() {
    let ours = Broadcast::open("suicide");
    let (answered, done) = deferred();
    let slot = Rc::new(RefCell::new(None));
    let inside = Rc::clone(&slot);
    let listener = ours.listen(move |_| {
        drop(inside.borrow_mut().take());
        done.call0(&JsValue::UNDEFINED).unwrap();
    });
    *slot.borrow_mut() = Some(listener);
    Broadcast::open("suicide").post("text");
    answered.await.unwrap();
    assert!(slot.borrow().is_none());
}

#[wasm_bindgen_test]
fn a_browser_without_broadcast_channels_posts_nothing_and_does_not_mind() {
    for absent in ["undefined", "class { constructor() { throw new DOMException('opaque', 'SecurityError'); } }"] {
        let _absent = replace("window", "BroadcastChannel", absent);
        let ours = channel("absent");
        let _listener = ours.listen_tabs(|_| ());
        ours.post("text");
    }
    let closed = Broadcast::open("closed");
    let _refusing = replace(
        "BroadcastChannel.prototype",
        "postMessage",
        "() => { throw new DOMException('x', 'InvalidStateError'); }",
    );
    closed.post("text");
}

#[wasm_bindgen_test]
fn ports_can_be_made_where_there_is_no_page_at_all() {
    let function: js_sys::Function = js("return () => {};").unchecked_into();
    let hooks = authsafe::browser::Hooks { parse_tokens: Some(function), ..Default::default() };
    let _blocked = ["localStorage", "sessionStorage", "navigator", "crypto", "fetch", "setTimeout", "BroadcastChannel"]
        .map(|name| replace_getter("window", name, "throw new Error('touched');"));
    let _ports = BrowserPorts::new(Setup { channel: "c".to_owned(), hooks, ..Setup::default() });
}
