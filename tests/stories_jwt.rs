//! Stories of ID tokens: whose signature is verified, with which keys, and what becomes of a session where that cannot be done.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story that cannot go on has failed")]

mod support;

use authsafe::client::SignedOutReason;
use authsafe::error::{Error, ErrorCode, ErrorRecovery};
use authsafe::machine::Snapshot;
use authsafe::ports::fake::{Tab, World};
use authsafe::types::Json;
use std::rc::Rc;
use support::*;

fn jwks_requests(world: &World) -> usize {
    world.requests.borrow().iter().filter(|line| line.ends_with("/jwks")).count()
}

/// Signs in with these options; what went wrong.
fn sign_in(world: &Rc<World>, provider: &Provider, options: &str) -> (Page, Option<Error>) {
    let page = Page::open(world, APP, options);
    page.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&page, provider);
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), options);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    (page, error)
}

fn renew(page: &Page) -> Result<(), Error> {
    page.run(|client| async move { client.renew().await })
}

fn options(id_token: &str) -> String {
    token_options("localStorage").replace(r#""clientId":"app""#, &format!(r#""clientId":"app","idToken":{id_token}"#))
}

#[test]
fn keys_are_fetched_while_the_code_is_exchanged_and_serve_the_renewals() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    let log = world.log.borrow();
    let at = |path: &str| log.iter().find(|each| each.url.ends_with(path)).map(|each| each.at).unwrap();
    assert_eq!(at("/jwks"), at("/token"));
    drop(log);
    for _ in 0..3 {
        assert_eq!(renew(&page), Ok(()));
    }
    assert_eq!(jwks_requests(&world), 1);
    invariants::hold(&world);
}

#[test]
fn a_restored_session_asks_for_no_keys() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    page.client.dispose();
    let before = jwks_requests(&world);
    // Nothing could be loaded, and nobody notices.
    world.verifier_fails.set(Some(ErrorCode::WasmLoadFailed));
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    assert_eq!(page.client.id_token_claims().and_then(|claims| claims.get("sub").cloned()), Some(Json::from("alice")));
    assert_eq!(jwks_requests(&world), before);
    invariants::hold(&world);
}

#[test]
fn f40_a_sign_in_that_cannot_be_verified_says_why_and_the_next_one_works() {
    let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 101].join(","));
    for (instead, code) in [
        ((500, "{}"), ErrorCode::JwksUnavailable),
        ((404, "{}"), ErrorCode::JwksUnavailable),
        ((200, "<html>"), ErrorCode::JwksInvalid),
        ((200, many.as_str()), ErrorCode::JwksInvalid),
        ((200, r#"{"keys":[]}"#), ErrorCode::JwksKeyMissing),
    ] {
        let provider = Provider::new();
        let world = world_of(&provider);
        *provider.instead_of_keys.borrow_mut() = Some((instead.0, instead.1.to_owned()));
        let (page, error) = sign_in(&world, &provider, &token_options("memory"));
        let error = error.unwrap();
        assert_eq!((error.code, page.status()), (code, "unauthenticated"));
        assert_eq!(error.code.retryable(), error.code.recovery() == ErrorRecovery::Retry);
        *provider.instead_of_keys.borrow_mut() = None;
        assert_eq!(sign_in(&world, &provider, &token_options("memory")).1, None, "{code:?}");
        invariants::hold(&world);
    }
}

#[test]
fn f40_where_keys_cannot_be_had_a_renewal_keeps_its_tokens_and_the_claims_that_were_verified() {
    type Breaks = fn(&World, &Provider);
    let unverifiable = ErrorCode::IdTokenUnverifiable;
    let cases: [(&str, Breaks, ErrorCode); 7] = [
        (
            "500",
            |_, provider| *provider.instead_of_keys.borrow_mut() = Some((500, String::new())),
            ErrorCode::JwksUnavailable,
        ),
        (
            "no keys",
            |_, provider| *provider.instead_of_keys.borrow_mut() = Some((200, "<html>".to_owned())),
            ErrorCode::JwksInvalid,
        ),
        ("rotated too early", |_, provider| provider.signs.set(2), ErrorCode::JwksKeyMissing),
        ("two of one name", |_, provider| *provider.published.borrow_mut() = vec![1, 1], ErrorCode::JwksKeyAmbiguous),
        ("module", |world, _| world.verifier_fails.set(Some(ErrorCode::WasmLoadFailed)), ErrorCode::WasmLoadFailed),
        ("browser", |world, _| world.verifier_fails.set(Some(ErrorCode::IdTokenUnverifiable)), unverifiable),
        ("hangs", |world, _| world.verifier_takes.set(3_600_000), ErrorCode::Timeout),
    ];
    for (what, breaks, code) in cases {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, "localStorage");
        page.client.dispose();
        // A page that has no keys yet.
        let tab = Tab { notary: Rc::default(), ..page.tab.clone() };
        let page = Page::in_tab(tab, &token_options("localStorage"));
        page.run(|client| async move { client.start().await.unwrap() });
        breaks(&world, &provider);
        *provider.sub.borrow_mut() = "mallory".to_owned();
        for _ in 0..2 {
            assert_eq!(renew(&page), Ok(()), "{what}");
        }
        assert!(!provider.reused.get(), "{what}: the token that was rotated is the one in force");
        assert_eq!(page.status(), "authenticated", "{what}");
        assert!(!page.events().contains(&"RefreshFailed".to_owned()), "{what}: {:?}", page.events());
        let claims = page.client.id_token_claims().unwrap();
        assert_eq!(claims.get("sub"), Some(&Json::from("alice")), "{what}: nobody has verified the other one");
        assert!(page.tab.store.dump().contains("refresh-3"), "{what}");
        let text = |entry: &Json, name: &str| entry.get(name).and_then(Json::text).unwrap_or_default().to_owned();
        let skipped = || {
            let history = page.run(|client| async move { client.diagnose().await }).history;
            let skipped = history.iter().filter(|entry| text(entry, "event") == "idTokenSkipped");
            skipped.map(|entry| (text(entry, "code"), text(entry, "phase"))).collect::<Vec<_>>()
        };
        assert_eq!(skipped(), vec![(code.as_str().to_owned(), "refresh".to_owned()); 2], "{what}");

        *provider.sub.borrow_mut() = "alice".to_owned();
        provider.signs.set(1);
        *provider.published.borrow_mut() = vec![1];
        *provider.instead_of_keys.borrow_mut() = None;
        world.verifier_fails.set(None);
        world.verifier_takes.set(0);
        // Where a token has called for newer keys, the next one may do so after a minute.
        world.advance(secs(61));
        assert_eq!(renew(&page), Ok(()), "{what}");
        assert_eq!(skipped().len(), 2, "{what}: the next one is judged");
        invariants::hold(&world);
    }
}

#[test]
fn a_renewal_waits_five_seconds_for_the_verdict_and_no_longer() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    world.verifier_takes.set(3_600_000);
    let before = world.running();
    assert_eq!(renew(&page), Ok(()));
    assert!((5000..6000).contains(&(world.running() - before)), "{}", world.running() - before);
    invariants::hold(&world);
}

#[test]
fn f19_a_renewal_with_a_wrong_signature_ends_the_session() {
    fn forge(token: String) -> String {
        let (input, _) = token.rsplit_once('.').unwrap();
        // The signature of another text by the right key.
        let other = keys::signed("{}");
        [input, other.rsplit_once('.').unwrap().1].join(".")
    }
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    provider.spoils.set(Some(forge));
    // The key may have been changed under its name: the keys are asked for once more before the verdict.
    let error = renew(&page).unwrap_err();
    assert_eq!(error.code, ErrorCode::IdTokenSignatureInvalid);
    let Snapshot::Unauthenticated(reason, _) = page.client.snapshot() else { panic!("{}", page.status()) };
    assert_eq!(reason, SignedOutReason::Error);
    assert!(page.events().contains(&"RefreshFailed".to_owned()), "{:?}", page.events());
    assert_eq!(page.client.id_token_claims(), None);
    assert!(is_mark(&page.tab.store.dump()), "{}", page.tab.store.dump());
    assert_eq!(jwks_requests(&world), 2);
    invariants::hold(&world);
}

#[test]
fn f40_a_wrong_signature_while_keys_cannot_be_had_ends_nothing() {
    fn spoil(token: String) -> String {
        let (input, _) = token.rsplit_once('.').unwrap();
        [input, keys::signed("{}").rsplit_once('.').unwrap().1].join(".")
    }
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    provider.spoils.set(Some(spoil));
    *provider.instead_of_keys.borrow_mut() = Some((503, String::new()));
    // The key may have been changed under its name.
    assert_eq!(renew(&page), Ok(()));
    assert_eq!(renew(&page), Ok(()), "nor while the keys are not asked for again");
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn a_key_that_is_new_is_fetched_once_and_unknown_ones_once_a_minute() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    provider.signs.set(2);
    *provider.published.borrow_mut() = vec![1, 2];
    assert_eq!(renew(&page), Ok(()));
    assert_eq!(jwks_requests(&world), 2);
    // Nobody publishes this one.
    provider.signs.set(3);
    for _ in 0..5 {
        assert_eq!(renew(&page), Ok(()));
    }
    assert_eq!(jwks_requests(&world), 2);
    world.advance(secs(61));
    assert_eq!(renew(&page), Ok(()));
    assert_eq!(jwks_requests(&world), 3);
    assert_eq!(page.status(), "authenticated");
    invariants::hold(&world);
}

#[test]
fn tokens_that_come_at_once_wait_for_one_request_for_keys() {
    use authsafe::jose::{algs::Allowed, check::IdTokenCheck};
    use authsafe::ports::Verifier;
    use authsafe::types::{AccessToken, ClientId, IdToken, Issuer, UnixMillis, WebUrl};
    let provider = Provider::new();
    let world = world_of(&provider);
    let tab = world.tab(APP, false);
    let check = |token: &str| IdTokenCheck {
        token: IdToken::new(token.to_owned()).unwrap(),
        access: AccessToken::new("access".to_owned()),
        typ: None,
        issuer: Issuer(ISSUER.to_owned()),
        client_id: ClientId("app".to_owned()),
        nonce: None,
        max_age: None,
        acr: Vec::new(),
        leeway: secs(60),
        now: UnixMillis(START.0),
        previous: None,
        signature: Some((WebUrl::parse(&format!("{ISSUER}/jwks")).unwrap(), Allowed::default())),
    };
    let judge = |token: String| {
        let (tab, check) = (tab.clone(), check(&token));
        async move { tab.verify(&check).await.map(|_| ()).map_err(|error| error.code) }
    };
    let all = |token: String| {
        let verdicts: Rc<std::cell::RefCell<Vec<_>>> = Rc::default();
        for _ in 0..100 {
            let (verdicts, work) = (Rc::clone(&verdicts), judge(token.clone()));
            world.start(async move {
                let verdict = work.await;
                verdicts.borrow_mut().push(verdict);
            });
        }
        world.advance(secs(1));
        Rc::try_unwrap(verdicts).map(std::cell::RefCell::into_inner).unwrap()
    };
    *provider.instead_of_keys.borrow_mut() = Some((500, String::new()));
    assert_eq!(all(provider.id_token(START)), vec![Err(ErrorCode::JwksUnavailable); 100]);
    assert_eq!(jwks_requests(&world), 1);
    *provider.instead_of_keys.borrow_mut() = None;
    assert_eq!(all(provider.id_token(START)), vec![Ok(()); 100]);
    assert_eq!(jwks_requests(&world), 2);
    provider.signs.set(9);
    assert_eq!(all(provider.id_token(START)), vec![Err(ErrorCode::JwksKeyMissing); 100]);
    assert_eq!(jwks_requests(&world), 3);
    *provider.published.borrow_mut() = vec![9];
    world.advance(secs(60));
    assert_eq!(all(provider.id_token(START)), vec![Ok(()); 100]);
    assert_eq!(jwks_requests(&world), 4);
}

#[test]
fn without_verification_nobody_asks_for_keys_and_all_other_rules_hold() {
    fn spoil(token: String) -> String {
        [token.rsplit_once('.').unwrap().0, "c2ln"].join(".")
    }
    let provider = Provider::new();
    let world = world_of(&provider);
    provider.spoils.set(Some(spoil));
    let (page, error) = sign_in(&world, &provider, &options(r#"{"verifySignature":false}"#));
    assert_eq!((error, page.status()), (None, "authenticated"));
    assert_eq!(renew(&page), Ok(()));
    assert_eq!(jwks_requests(&world), 0);
    *provider.sub.borrow_mut() = "mallory".to_owned();
    assert_eq!(renew(&page).unwrap_err().code, ErrorCode::IdentityChanged);
    assert_eq!(page.status(), "unauthenticated");
}

#[test]
fn a_token_is_signed_by_an_algorithm_of_the_list() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let (_, error) = sign_in(&world, &provider, &options(r#"{"algs":["RS256","ES256"]}"#));
    assert_eq!(error.unwrap().code, ErrorCode::IdTokenAlgorithmRefused);
    let (page, error) = sign_in(&world, &provider, &options(r#"{"algs":["EdDSA"]}"#));
    assert_eq!((error, page.status()), (None, "authenticated"));
    invariants::hold(&world);
}

#[test]
fn a_sign_in_that_asks_for_a_level_does_not_do_with_another() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let asks = token_options("memory")
        .replace(r#""clientId":"app""#, r#""clientId":"app","authorizationParams":{"acr_values":"gold silver"}"#);
    let (_, error) = sign_in(&world, &provider, &asks);
    assert_eq!(error.unwrap().code, ErrorCode::AuthenticationInsufficient);
    provider.says.set(r#","acr":"bronze""#);
    let (_, error) = sign_in(&world, &provider, &asks);
    assert_eq!(error.unwrap().code, ErrorCode::AuthenticationInsufficient);
    provider.says.set(r#","acr":"silver""#);
    let (page, error) = sign_in(&world, &provider, &asks);
    assert_eq!((error, page.status()), (None, "authenticated"));
}

#[test]
fn a_renewed_id_token_without_amr_leaves_what_is_known_and_another_amr_replaces_it() {
    let provider = Provider::new();
    let world = world_of(&provider);
    provider.says.set(r#","amr":["pwd","otp"]"#);
    let page = signed_in(&world, &provider, "localStorage");
    let known = || {
        let Snapshot::Authenticated(_, facts, _) = page.client.snapshot() else { panic!("{}", page.status()) };
        facts.amr
    };
    assert_eq!(known(), ["pwd", "otp"]);
    for (says, amr) in [("", &["pwd", "otp"][..]), (r#","amr":["hwk"]"#, &["hwk"]), ("", &["hwk"])] {
        provider.says.set(says);
        assert_eq!(renew(&page), Ok(()));
        assert_eq!(known(), amr, "{says}");
    }
    invariants::hold(&world);
}
