//! Stories of the UserInfo endpoint: who is asked, when, what becomes of the answer, and of a sign-in whose answer is not right.
//! OpenID Connect Core 1.0 §5.3.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story that cannot go on has failed")]

mod support;

use authsafe::error::{Error, ErrorCode, ErrorPhase};
use authsafe::machine::{Ending, Login, Snapshot};
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::http::HttpFailure;
use authsafe::protocol::record::Record;
use authsafe::types::{Json, Lifetime, Session};
use std::rc::Rc;
use support::*;

fn options(storage: &str) -> String {
    token_options(storage).replace(r#""clientId":"app""#, r#""clientId":"app","userInfo":true"#)
}

/// How often it was asked.
fn asked(world: &World) -> usize {
    world.requests.borrow().iter().filter(|line| line.ends_with("/userinfo")).count()
}

/// Loads the page anew in its tab; what was wrong with the callback, if the address was one.
fn reload(page: &Page, options: &str) -> (Page, Option<Error>) {
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), options);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    (page, error)
}

/// Signs in in this tab.
fn sign_in(page: &Page, provider: &Provider, options: &str) -> (Page, Option<Error>) {
    go_and_return(page, provider);
    reload(page, options)
}

fn opened(world: &Rc<World>, options: &str) -> Page {
    let page = Page::open(world, APP, options);
    page.run(|client| async move { client.start().await.unwrap() });
    page
}

/// A claim of the user that the application sees.
fn shown(page: &Page, name: &str) -> Option<Json> {
    let Snapshot::Authenticated(user, ..) = page.client.snapshot() else { panic!("{}", page.status()) };
    user.get(name).cloned()
}

fn token(page: &Page) -> String {
    page.run(|client| async move { client.access_token(Lifetime::ZERO).await.unwrap().0.expose().to_owned() })
}

fn told(page: &Page) -> Session {
    page.client.inside().session.unwrap()
}

#[test]
fn nobody_is_asked_unless_the_application_wants_it() {
    let provider = Provider::new();
    let world = world_of(&provider);
    for options in
        [token_options("localStorage"), options("localStorage").replace("\"userInfo\":true", "\"userInfo\":false")]
    {
        let page = signed_in_with(&world, &provider, &options);
        assert_eq!((asked(&world), shown(&page, "name")), (0, Some(Json::from("Alice"))));
        assert_eq!(told(&page).tokens().unwrap().userinfo, None);
        page.client.dispose();
    }
}

#[test]
fn what_it_says_is_part_of_the_user_and_never_of_what_was_signed() {
    for storage in ["memory", "localStorage"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options(storage));
        assert_eq!(asked(&world), 1);
        assert_eq!(shown(&page, "email"), Some(Json::from("alice@id.example")), "it adds");
        assert_eq!(shown(&page, "name"), Some(Json::from("alice of UserInfo")), "and is newer");
        let claims = page.client.id_token_claims().unwrap();
        assert_eq!((claims.get("name"), claims.get("email")), (Some(&Json::from("Alice")), None));
        assert_eq!(shown(&page, "exp"), claims.get("exp").cloned(), "what the ID token says of itself stays");
        let log = world.log.borrow();
        let request = log.iter().find(|each| each.url.ends_with("/userinfo")).unwrap();
        assert_eq!((request.method.as_str(), request.body.as_str()), ("GET", ""));
        assert_eq!(request.authorization.as_deref(), Some("Bearer access-1"));
        drop(log);
        invariants::hold(&world);
    }
}

#[test]
fn a_reload_and_another_tab_have_the_same_user_without_asking() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("localStorage"));
    let user = Rc::clone(&told(&page).user);
    let (page, error) = reload(&page, &options("localStorage"));
    assert_eq!((error, &told(&page).user), (None, &user));
    let other = opened(&world, &options("localStorage"));
    assert_eq!((&told(&other).user, told(&other)), (&user, told(&page)));
    assert_eq!(asked(&world), 1);
    invariants::hold(&world);
}

#[test]
fn a_renewal_keeps_what_was_said_beside_the_claims_of_its_own_id_token() {
    fn without_name(token: String) -> String {
        let claims = token.split('.').nth(1).unwrap().to_owned();
        let claims = String::from_utf8(unencoded(&claims)).unwrap();
        keys::signed(&claims.replace(r#","name":"Alice""#, ""))
    }
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("localStorage"));
    let first = shown(&page, "iat");
    // What the ID token does not say any more is still what the endpoint said.
    for spoil in [None, Some(without_name as Spoil), None] {
        provider.spoils.set(spoil);
        world.advance(secs(10));
        assert_eq!(page.run(|client| async move { client.renew().await }), Ok(()));
        assert_eq!(shown(&page, "email"), Some(Json::from("alice@id.example")));
        assert_ne!(shown(&page, "iat"), first, "the ID token's own claims are those of the new one");
        assert_eq!(shown(&page, "iat"), page.client.id_token_claims().unwrap().get("iat").cloned());
        assert_eq!(shown(&page, "name"), Some(Json::from("alice of UserInfo")));
    }
    assert_eq!(asked(&world), 1, "once for a sign-in");
    let (page, _) = reload(&page, &options("localStorage"));
    assert_eq!(shown(&page, "email"), Some(Json::from("alice@id.example")));
    assert_eq!(page.client.id_token_claims().unwrap().get("email"), None);
    invariants::hold(&world);
}

#[test]
fn who_signs_in_again_is_asked_about_again_and_nothing_of_before_is_left() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("localStorage"));
    let only_sub = Reply::json(200, r#"{"sub":"alice"}"#);
    provider.instead_of_userinfo.borrow_mut().push(only_sub);
    let (page, error) = sign_in(&page, &provider, &options("localStorage"));
    assert_eq!((error, asked(&world)), (None, 2));
    assert_eq!((shown(&page, "email"), shown(&page, "name")), (None, Some(Json::from("Alice"))));
    *provider.sub.borrow_mut() = "bob".to_owned();
    let (page, error) = sign_in(&page, &provider, &options("localStorage"));
    assert_eq!((error, asked(&world)), (None, 3));
    assert_eq!(shown(&page, "email"), Some(Json::from("bob@id.example")));
    invariants::hold(&world);
}

/// What it may answer, and the error of the sign-in.
fn wrong_answers() -> Vec<(&'static str, Reply, ErrorCode)> {
    let json = |status, body: &str| Reply::json(status, body);
    let good = r#"{"sub":"alice","email":"CANARY-email"}"#;
    vec![
        ("another sub", json(200, r#"{"sub":"bob","email":"CANARY-email"}"#), ErrorCode::UserinfoSubjectMismatch),
        ("no sub", json(200, r#"{"email":"CANARY-email"}"#), ErrorCode::UserinfoSubjectMismatch),
        ("a number", json(200, r#"{"sub":7,"email":"CANARY-email"}"#), ErrorCode::UserinfoSubjectMismatch),
        ("a list", json(200, r#"[{"sub":"alice","email":"CANARY-email"}]"#), ErrorCode::UserinfoInvalid),
        ("a page", Reply::with(200, "text/html", "<html>CANARY-email</html>"), ErrorCode::UserinfoInvalid),
        ("signed", Reply::with(200, "application/jwt", "a.CANARY-email.c"), ErrorCode::UserinfoInvalid),
        ("401", json(401, r#"{"error":"invalid_token"}"#), ErrorCode::UserinfoInvalid),
        ("404", json(404, good), ErrorCode::UserinfoInvalid),
        ("redirect", json(302, good), ErrorCode::UserinfoInvalid),
        ("500", json(500, good), ErrorCode::UserinfoUnavailable),
        ("429", json(429, good), ErrorCode::UserinfoUnavailable),
        ("unreachable", Reply::failure(HttpFailure::NetworkOrCors), ErrorCode::UserinfoUnavailable),
        ("lost", json(200, good).lost(HttpFailure::NetworkOrCors), ErrorCode::UserinfoUnavailable),
        ("too large", Reply::failure(HttpFailure::TooLarge), ErrorCode::UserinfoInvalid),
        ("too late", json(200, good).slow(secs(3600)), ErrorCode::UserinfoUnavailable),
    ]
}

#[test]
fn a_wrong_answer_signs_nobody_in_and_the_next_sign_in_works() {
    for (what, reply, code) in wrong_answers() {
        let provider = Provider::new();
        let world = world_of(&provider);
        provider.instead_of_userinfo.borrow_mut().push(reply);
        let page = opened(&world, &options("localStorage"));
        let (page, error) = sign_in(&page, &provider, &options("localStorage"));
        let error = error.unwrap();
        assert_eq!((error.code, error.phase), (code, ErrorPhase::Token), "{what}: {error}");
        assert!(!error.to_json().to_text().contains("CANARY"), "{what}: {error}");
        assert_eq!(error.code.retryable(), code == ErrorCode::UserinfoUnavailable, "{what}");
        assert_eq!((page.status(), page.client.id_token_claims()), ("unauthenticated", None), "{what}");
        assert!(!page.tab.store.dump().contains("access-1"), "{what}: {}", page.tab.store.dump());
        assert!(!page.events().contains(&"SignedIn".to_owned()), "{what}");
        let (page, error) = sign_in(&page, &provider, &options("localStorage"));
        assert_eq!((error, page.status()), (None, "authenticated"), "{what}");
        invariants::hold(&world);
    }
}

#[test]
fn a_wrong_answer_loses_nobody_who_was_signed_in_before() {
    for (what, reply, code) in wrong_answers() {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in_with(&world, &provider, &options("localStorage"));
        let (user, stored) = (Rc::clone(&told(&page).user), page.tab.store.dump());
        provider.instead_of_userinfo.borrow_mut().push(reply);
        let (page, error) = sign_in(&page, &provider, &options("localStorage"));
        assert_eq!(error.map(|error| error.code), Some(code), "{what}");
        assert_eq!((page.status(), token(&page).as_str()), ("authenticated", "access-1"), "{what}");
        assert_eq!(told(&page).user, user, "{what}");
        assert_eq!(page.tab.store.dump(), stored, "{what}");
        assert!(!page.events().contains(&"SignedOut".to_owned()), "{what}: {:?}", page.events());
        assert!(provider.revoked.borrow().is_empty(), "{what}: as of a sign-in whose ID token is refused");
    }
}

#[test]
fn nobody_is_sent_to_a_provider_without_the_endpoint() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let server = Rc::clone(&provider);
    world.serve(move |request, now| {
        let mut reply = server.answer(request, now);
        if request.url.path().ends_with("/openid-configuration")
            && let Ok(response) = &mut reply.result
        {
            let text = String::from_utf8(response.body.to_vec()).unwrap().replace("userinfo_endpoint", "nothing");
            response.body = zeroize::Zeroizing::new(text.into_bytes());
        }
        reply
    });
    let leave = |page: &Page| {
        let wish = Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
        page.run(|client| async move { client.login(wish).await.unwrap_err() })
    };
    let page = opened(&world, &options("localStorage"));
    // And asked for anew, as the provider may mend it.
    for _ in 0..2 {
        let error = leave(&page);
        assert_eq!((error.code, error.phase), (ErrorCode::DiscoveryInvalid, ErrorPhase::Discovery));
        assert!(error.detail.contains("`userinfo_endpoint` is missing"), "{error}");
    }
    assert!(page.tab.navigations.borrow().is_empty());
    let server = Rc::clone(&provider);
    world.serve(move |request, now| server.answer(request, now));
    let (page, error) = sign_in(&page, &provider, &options("localStorage"));
    assert_eq!((error, page.status()), (None, "authenticated"));
}

#[test]
fn of_a_sign_in_that_nobody_waits_for_any_more_nobody_is_asked_and_its_tokens_are_revoked() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = opened(&world, &options("memory"));
    go_and_return(&page, &provider);
    page.client.dispose();
    // The user signs out while the ID token is being judged.
    world.verifier_takes.set(5000);
    let page = Page::in_tab(page.tab.clone(), &options("memory"));
    let client = page.client.clone();
    world.start(async move { drop(client.start().await) });
    world.advance(secs(2));
    assert_eq!(provider.token_requests.get(), 1);
    let client = page.client.clone();
    world.start(async move { drop(client.logout(Ending::Local).await) });
    world.advance(secs(30));
    assert_eq!((page.status(), asked(&world)), ("unauthenticated", 0));
    let revoked = provider.revoked.borrow().join("\n");
    assert!(revoked.contains("access-1") && revoked.contains("refresh-1"), "{revoked}");
    invariants::hold(&world);
}

#[test]
fn a_sign_out_while_the_endpoint_takes_its_time_revokes_what_came() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = opened(&world, &options("memory"));
    go_and_return(&page, &provider);
    page.client.dispose();
    provider.instead_of_userinfo.borrow_mut().push(Reply::json(200, r#"{"sub":"alice"}"#).slow(secs(5)));
    let page = Page::in_tab(page.tab.clone(), &options("memory"));
    let client = page.client.clone();
    world.start(async move { drop(client.start().await) });
    world.advance(secs(2));
    assert_eq!(asked(&world), 1);
    let client = page.client.clone();
    world.start(async move { drop(client.logout(Ending::Local).await) });
    world.advance(secs(30));
    assert_eq!(page.status(), "unauthenticated");
    assert!(provider.revoked.borrow().join("\n").contains("refresh-1"));
    invariants::hold(&world);
}

#[test]
fn what_is_stored_of_it_is_read_again_by_itself() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in_with(&world, &provider, &options("localStorage"));
    let dump = page.tab.store.dump();
    let text = dump.lines().find(|line| line.contains("\"access-1\"")).unwrap();
    let Record { session, .. } = Record::parse(text).unwrap();
    assert_eq!(session.tokens().unwrap().userinfo, told(&page).tokens().unwrap().userinfo);
}
