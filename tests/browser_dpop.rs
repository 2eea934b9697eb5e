//! Keys that tokens are bound to, in a real browser: WebCrypto makes and uses them, IndexedDB keeps them.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod browser_support;

use authsafe::browser::Keys;
use authsafe::ports::{ProofKeys, StoreFailure};
use authsafe::protocol::dpop::{Claims, PublicKey, proof};
use authsafe::types::{AccessToken, UnixMillis, WebUrl};
use browser_support::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Shows a value to lines of JavaScript, as `window.shown`.
fn show(value: &JsValue) {
    js_sys::Reflect::set(&js_sys::global(), &"shown".into(), value).unwrap();
}

/// Judges a proof by the key that it brings along, as a server does.
const VERIFY: &str = "(async () => {
    const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const [header, claims, signature] = shown.split('.');
    const { jwk } = JSON.parse(new TextDecoder().decode(bytes(header)));
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
    const signed = new TextEncoder().encode(`${header}.${claims}`);
    return crypto.subtle.verify(algorithm, key, bytes(signature), signed);
})()";

async fn prove(key: &JsValue) -> String {
    let (url, access) =
        (WebUrl::parse("https://api.example/things?page=1").unwrap(), AccessToken::new("at".to_owned()));
    let claims = Claims {
        method: "GET",
        url: &url,
        jti: &[7; 16],
        at: UnixMillis(1_800_000_000_000),
        access: access.as_ref(),
        nonce: Some("n"),
    };
    let input = public(key).signing_input(&claims);
    proof(&input, &Keys.sign(key, input.as_bytes()).await.unwrap())
}

fn public(key: &JsValue) -> PublicKey {
    PublicKey::new(&Keys.public(key).unwrap())
}

async fn is_proof(text: &str) -> bool {
    show(&text.into());
    js_promise(VERIFY).await.is_truthy()
}

#[wasm_bindgen_test]
async fn a_proof_is_signed_by_the_key_that_it_shows() {
    let key = Keys.make().await.unwrap();
    let text = prove(&key).await;
    assert!(is_proof(&text).await);
    let (signed, signature) = text.rsplit_once('.').unwrap();
    assert!(!is_proof(&[signed, ".", &"A".repeat(signature.len())].concat()).await);
    assert_ne!(public(&key), public(&Keys.make().await.unwrap()));
}

#[wasm_bindgen_test]
async fn nobody_can_read_the_private_key_and_it_can_sign_alone() {
    show(&Keys.make().await.unwrap());
    assert!(js_is("shown.privateKey.type === 'private' && shown.privateKey.extractable === false"));
    assert_eq!(js_text("shown.privateKey.usages.join()"), "sign");
    for format in ["jwk", "pkcs8", "raw"] {
        let attempt =
            format!("crypto.subtle.exportKey('{format}', shown.privateKey).then(() => 'read', (e) => e.name)");
        assert!(js_promise(&attempt).await.as_string().is_some_and(|name| name != "read"), "{format}");
    }
    assert!(!js_is("JSON.stringify(shown).includes('\"d\"')"));
}

#[wasm_bindgen_test]
async fn a_kept_key_signs_as_the_same_after_a_reload_and_not_after_it_was_forgotten() {
    let key = Keys.make().await.unwrap();
    assert_eq!(Keys.load("dpop-test.a").await.unwrap(), None);
    Keys.keep("dpop-test.a", &key).await.unwrap();
    let loaded = Keys.load("dpop-test.a").await.unwrap().unwrap();
    assert_eq!(public(&loaded), public(&key));
    assert!(is_proof(&prove(&loaded).await).await);
    show(&loaded);
    assert!(js_is("shown.privateKey.extractable === false"));
    Keys.forget("dpop-test.a", "dpop-test.a").await.unwrap();
    assert_eq!(Keys.load("dpop-test.a").await.unwrap(), None);
}

#[wasm_bindgen_test]
async fn a_range_of_names_is_forgotten_and_its_neighbours_are_not() {
    let key = Keys.make().await.unwrap();
    let names = ["dpop-range.0", "dpop-range.1.a", "dpop-range.2.b", "dpop-range.3", "dpop-range.4"];
    for name in names {
        Keys.keep(name, &key).await.unwrap();
    }
    Keys.forget("dpop-range.1", "dpop-range.3").await.unwrap();
    let mut left = Vec::new();
    for name in names {
        if Keys.load(name).await.unwrap().is_some() {
            left.push(name);
        }
    }
    assert_eq!(left, ["dpop-range.0", "dpop-range.4"]);
    Keys.forget("dpop-range.", "dpop-range.~").await.unwrap();
    assert_eq!(Keys.load("dpop-range.4").await.unwrap(), None);
}

#[wasm_bindgen_test]
async fn what_is_no_key_is_taken_for_none() {
    for odd in [
        "return 7;",
        "return {};",
        "return { point: new ArrayBuffer(3) };",
        "return { point: 'text' };",
        "return { point: 1e12 };",
    ] {
        assert_eq!(Keys.public(&js(odd)), None, "{odd}");
        assert_eq!(Keys.sign(&js(odd), b"x").await, Err(StoreFailure::Failed), "{odd}");
    }
}

#[wasm_bindgen_test]
async fn a_browser_without_cryptography_or_database_says_so() {
    let key = Keys.make().await.unwrap();
    {
        let _no_subtle = replace_getter("crypto", "subtle", "return undefined;");
        assert_eq!(Keys.make().await, Err(StoreFailure::Blocked));
        assert_eq!(Keys.sign(&key, b"x").await, Err(StoreFailure::Blocked));
    }
    {
        let _no_database = replace_getter("window", "indexedDB", "return undefined;");
        assert_eq!(Keys.keep("dpop-test.b", &key).await, Err(StoreFailure::Blocked));
        assert_eq!(Keys.load("dpop-test.b").await, Err(StoreFailure::Blocked));
        assert_eq!(Keys.forget("a", "b").await, Err(StoreFailure::Blocked));
    }
    {
        let _throws = replace("crypto.subtle", "sign", "() => { throw new Error('no'); }");
        assert_eq!(Keys.sign(&key, b"x").await, Err(StoreFailure::Failed));
    }
}
