//! What a token endpoint answers, or does not, when a session is to be renewed: F1 to F19 and F40 to F44 of docs/faults.md.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::Report;
use authsafe::error::ErrorCode;
use authsafe::machine::{Notice, SignedOutReason};
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::http::HttpFailure;
use authsafe::types::Lifetime;
use std::cell::Cell;
use std::rc::Rc;
use support::session::reason;
use support::*;

fn story(storage: &str) -> (Rc<Provider>, Rc<World>, Page) {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, storage);
    (provider, world, page)
}

fn renew(page: &Page) -> Result<(), ErrorCode> {
    page.run(|client| async move { client.renew().await.map_err(|error| error.code) })
}

fn token(page: &Page) -> String {
    page.run(|client| async move { client.access_token(Lifetime::ZERO).await.unwrap().0.expose().to_owned() })
}

/// A renewal that meets `reply` fails as it should and loses nothing: the old tokens are in use and stored, and the next
/// renewal, with the same refresh token, is good.
fn is_survived(what: &str, reply: Reply, expected: ErrorCode) {
    for storage in ["memory", "localStorage"] {
        let (provider, world, page) = story(storage);
        let reply = Reply { after: reply.after, result: clone(&reply), lost: reply.lost };
        provider.faults.borrow_mut().push(reply);
        assert_eq!(renew(&page), Err(expected), "{what}");
        assert_eq!((page.status(), token(&page).as_str()), ("authenticated", "access-1"), "{what}");
        assert!(page.tab.store.dump().contains("\"refresh-1\""), "{what}");
        assert!(!page.events().contains(&"SignedOut".to_owned()), "{what}");
        assert_eq!(renew(&page), Ok(()), "{what}");
        assert_eq!((provider.reused.get(), token(&page).as_str()), (false, "access-2"), "{what}");
        invariants::hold(&world);
    }
}

fn clone(reply: &Reply) -> Result<authsafe::protocol::http::HttpResponse, HttpFailure> {
    let response = reply.result.as_ref().map_err(|failure| *failure)?;
    Ok(authsafe::protocol::http::HttpResponse {
        status: response.status,
        headers: response.headers.clone(),
        body: response.body.clone(),
        verdict: None,
    })
}

#[test]
fn f01_a_connection_that_is_reset_before_the_request_arrives_loses_nothing() {
    is_survived("reset", Reply::failure(HttpFailure::NetworkOrCors), ErrorCode::NetworkOrCors);
}

#[test]
fn f02_of_a_request_whose_answer_was_lost_there_is_one_more_try_and_then_one_error() {
    // A server with grace gives the same again; a strict one ends the session, once.
    for grace in [true, false] {
        let grants = grants::Grants::new(if grace { grants::Rotation::Grace(30) } else { grants::Rotation::Strict });
        let mut game = play::Game::of(&grants, "localStorage", 2);
        game.make(&play::Move::Open);
        game.make(&play::Move::Login(0, false));
        world_settles(&game.world);
        game.make(&play::Move::Server(play::Trouble::Lost));
        let page = &game.pages[0];
        assert_eq!(renew(page), Err(ErrorCode::NetworkOrCors));
        assert_eq!(page.status(), "authenticated");
        let again = renew(page);
        assert_eq!(again, if grace { Ok(()) } else { Err(ErrorCode::SessionExpired) });
        assert_eq!(page.events().iter().filter(|name| *name == "SignedOut").count(), usize::from(!grace));
        assert_eq!(game.finish(), Vec::<String>::new());
    }
}

fn world_settles(world: &World) {
    world.advance(secs(2));
}

#[test]
fn f03_an_answer_that_breaks_off_is_not_read_and_its_request_not_made_a_third_time() {
    let grants = grants::Grants::new(grants::Rotation::Grace(30));
    let mut game = play::Game::of(&grants, "localStorage", 1);
    game.make(&play::Move::Open);
    game.make(&play::Move::Login(0, false));
    world_settles(&game.world);
    let cut = Reply::json(200, r#"{"access_token":"access-cut","token_type":"Bearer","refresh_tok"#);
    grants.faults.borrow_mut().push_back(grants::Fault::Instead(cut));
    let page = &game.pages[0];
    assert_eq!(renew(page), Err(ErrorCode::ResponseInvalid));
    assert!(!page.tab.store.dump().contains("access-cut"));
    assert_eq!(renew(page), Ok(()));
    assert_eq!(game.finish(), Vec::<String>::new());
}

#[test]
fn f04_a_failing_server_takes_no_token_away_whatever_its_body_says() {
    for status in [500, 502, 503, 504] {
        for (kind, body) in [
            ("application/json", r#"{"error":"server_error"}"#),
            ("application/json", r#"{"error":"invalid_grant"}"#),
            ("application/json", "{}"),
            ("application/json", r#"{"access_token":"access-x","token_type":"Bearer","refresh_token":null}"#),
            ("text/html", "<html>Bad gateway</html>"),
            ("", ""),
        ] {
            is_survived(&format!("{status} {body}"), Reply::with(status, kind, body), ErrorCode::ServerError);
        }
    }
}

#[test]
fn f04_a_timer_that_fails_tries_again_ever_more_rarely_and_then_leaves_it_to_the_next_use() {
    let (provider, world, page) = story("localStorage");
    let server = Rc::clone(&provider);
    let up = Rc::new(Cell::new(false));
    let is_up = Rc::clone(&up);
    world.serve(move |request, now| match request.url.path() {
        "/token" if !is_up.get() => Reply::json(503, "{}"),
        _ => server.answer(request, now),
    });
    world.advance(secs(590));
    let asked = world.log.borrow().iter().filter(|each| each.body.contains("refresh-1")).count();
    assert!((2..=5).contains(&asked), "{asked}");
    up.set(true);
    assert_eq!(token(&page), "access-1", "until its real end");
    world.advance(secs(20));
    assert_eq!(page.run(|client| async move { client.access_token(secs(5)).await.unwrap().0 }).expose(), "access-2");
    invariants::hold(&world);
}

#[test]
fn f05_a_server_that_asks_for_time_gets_it_and_garbage_is_our_own_pause() {
    for (header, least, most) in [
        ("7", 7, 8),
        ("120", 120, 132),
        ("300", 300, 300),
        ("1000000000", 300, 300),
        ("0", 0, 1),
        ("-5", 0, 1),
        ("soon", 0, 1),
        ("", 0, 1),
        ("1e3", 0, 1),
    ] {
        let (provider, world, page) = story("memory");
        provider.faults.borrow_mut().push(Reply::json(429, "{}").header("retry-after", header));
        let begun = world.running();
        assert_eq!(renew(&page), Err(ErrorCode::RateLimited), "{header}");
        let next = page.reports.borrow().iter().find_map(|report| match report {
            Report::Event(Notice::RefreshFailed(_, next, ended)) => {
                assert!(!ended);
                *next
            }
            Report::Event(_) | Report::State(_) => None,
        });
        let wait = next.unwrap().0 - begun;
        assert!((least * 1000..=most * 1000 + 100).contains(&wait), "{header}: {wait} ms");
        // A request in between does not ask either: it gets the token that is still good.
        let asked = provider.token_requests.get();
        assert_eq!(token(&page), "access-1");
        assert_eq!(provider.token_requests.get(), asked);
        world.advance(secs(310));
        assert_eq!(token(&page), "access-2", "{header}");
        invariants::hold(&world);
    }
}

#[test]
fn f06_what_is_not_exactly_a_token_answer_changes_nothing() {
    let nested = ["{\"a\":".repeat(10_000), "1".to_owned(), "}".repeat(10_000)].concat();
    for body in [
        "",
        "null",
        "[]",
        "not json",
        "{\"access_token\":\"acc",
        "\u{feff}{\"access_token\":\"a\",\"token_type\":\"Bearer\"}",
        r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
        r#"{"access_token":"a","token_type":"Bearer"}{"access_token":"b"}"#,
        &nested,
    ] {
        is_survived(body.get(..40).unwrap_or(body), Reply::json(200, body), ErrorCode::ResponseInvalid);
    }
}

#[test]
fn f07_an_answer_that_is_too_large_is_given_up_and_changes_nothing() {
    is_survived("10 MB", Reply::failure(HttpFailure::TooLarge), ErrorCode::ResponseTooLarge);
}

#[test]
fn f08_a_login_page_of_a_network_is_no_answer() {
    is_survived(
        "portal",
        Reply::with(200, "text/html", "<html>Sign in to the network</html>"),
        ErrorCode::ResponseInvalid,
    );
}

#[test]
fn f09_a_server_that_trickles_is_given_up_after_ten_seconds() {
    let (provider, world, page) = story("localStorage");
    provider.faults.borrow_mut().push(Reply::json(200, "{}").slow(secs(86_400)));
    let begun = world.running();
    assert_eq!(renew(&page), Err(ErrorCode::Timeout));
    assert_eq!(world.running() - begun, 10_000);
    assert_eq!(token(&page), "access-1");
    assert_eq!(renew(&page), Ok(()));
    invariants::hold(&world);
}

#[test]
fn f10_an_answer_without_a_refresh_token_keeps_the_one_at_hand() {
    for refresh in ["", r#","refresh_token":null"#, r#","refresh_token":"""#] {
        let (provider, world, page) = story("localStorage");
        let body = format!(r#"{{"access_token":"access-x","token_type":"Bearer","expires_in":600{refresh}}}"#);
        provider.faults.borrow_mut().push(Reply::json(200, &body));
        assert_eq!(renew(&page), Ok(()));
        assert_eq!(token(&page), "access-x");
        assert!(page.tab.store.dump().contains("\"refresh-1\""));
        assert_eq!(renew(&page), Ok(()));
        assert_eq!(token(&page), "access-2");
        invariants::hold(&world);
    }
}

#[test]
fn f11_a_server_that_gives_the_same_refresh_token_again_is_served_for_ever() {
    let grants = grants::Grants::new(grants::Rotation::Never);
    let mut game = play::Game::of(&grants, "localStorage", 2);
    game.make(&play::Move::Open);
    game.make(&play::Move::Open);
    game.make(&play::Move::Login(0, false));
    world_settles(&game.world);
    for round in 0..20 {
        assert_eq!(renew(&game.pages[round % 2]), Ok(()));
        game.world.advance(secs(10));
    }
    assert_eq!(game.finish(), Vec::<String>::new());
}

#[test]
fn f12_a_rotated_refresh_token_is_durable_before_anybody_is_told() {
    let (_provider, world, page) = story("localStorage");
    world.write_takes.set(2000);
    let done = Rc::new(Cell::new(false));
    let (client, flag) = (page.client.clone(), Rc::clone(&done));
    world.start(async move { flag.set(client.renew().await.is_ok()) });
    let stored = || world.shared.borrow().values().any(|text| text.contains("\"refresh-2\""));
    for _ in 0..60 {
        world.advance(Lifetime::from_millis(100));
        assert!(!done.get() || stored());
        assert!(stored() || !page.events().contains(&"Refreshed".to_owned()));
    }
    assert!(done.get());
    world.write_takes.set(0);
    invariants::hold(&world);
}

#[test]
fn f13_the_word_that_a_grant_is_over_ends_the_session_once_in_every_tab() {
    let (provider, world, page) = story("localStorage");
    let others = [another(&world), another(&world)];
    provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant"}"#));
    assert_eq!(renew(&page), Err(ErrorCode::SessionExpired));
    world.advance(secs(3600));
    for each in others.iter().chain([&page]) {
        assert_eq!(reason(each), Some(SignedOutReason::Expired));
        assert_eq!(each.events().iter().filter(|name| *name == "SignedOut").count(), 1);
    }
    assert_eq!(provider.token_requests.get(), 2, "the sign-in, and one renewal");
    invariants::hold(&world);
}

#[test]
fn f14_what_the_configuration_is_to_blame_for_is_not_tried_again_and_ends_nothing() {
    for error in ["invalid_client", "unauthorized_client", "invalid_scope", "unsupported_grant_type", "unheard_of"] {
        let (provider, world, page) = story("localStorage");
        provider.faults.borrow_mut().push(Reply::json(400, &format!(r#"{{"error":"{error}"}}"#)));
        assert_eq!(renew(&page), Err(ErrorCode::TokenRequestRejected), "{error}");
        world.advance(secs(500));
        assert_eq!((provider.token_requests.get(), token(&page).as_str()), (2, "access-1"), "{error}");
        world.advance(secs(120));
        assert_eq!(
            page.run(|client| async move { client.access_token(secs(5)).await.unwrap().0 }).expose(),
            "access-2"
        );
        invariants::hold(&world);
    }
}

#[test]
fn f15_a_refusal_that_is_not_the_token_endpoint_s_ends_nothing() {
    for (what, reply) in [
        ("400 without a body", Reply::with(400, "", "")),
        ("401 of a proxy", Reply::with(401, "text/plain", "").header("www-authenticate", "Basic realm=\"proxy\"")),
        ("403 of a firewall", Reply::with(403, "text/html", "<html>blocked</html>")),
        ("404", Reply::with(404, "text/html", "")),
        ("400 that only looks like OAuth", Reply::with(400, "text/html", r#"{"error":"invalid_grant"}"#)),
    ] {
        is_survived(what, reply, ErrorCode::ResponseInvalid);
    }
}

#[test]
fn f16_a_token_that_is_born_expired_is_used_once_and_asked_for_on_demand() {
    for life in [0, -1] {
        let (provider, world, page) = story("localStorage");
        provider.lifetime.set(life);
        assert_eq!(renew(&page), Ok(()));
        let asked = provider.token_requests.get();
        world.advance(secs(600));
        assert_eq!(provider.token_requests.get(), asked, "by itself");
        let given = page.run(|client| async move { client.access_token(secs(5)).await.unwrap().0 });
        assert_eq!(given.expose(), format!("access-{}", provider.rotations.get()));
        assert_eq!(provider.token_requests.get(), asked + 1);
        invariants::hold(&world);
    }
}

#[test]
fn f17_a_lifetime_in_any_shape_is_a_lifetime_or_unknown_and_never_a_storm() {
    for (life, seconds) in [
        ("\"3600\"", Some(3600)),
        ("3600.5", Some(3600)),
        ("null", None),
        ("1e18", None),
        ("\"NaN\"", None),
        ("\"\"", None),
        ("3153600000", Some(31_536_000)),
    ] {
        let (provider, world, page) = story("localStorage");
        let body = format!(
            r#"{{"access_token":"access-x","token_type":"Bearer","refresh_token":"refresh-1","expires_in":{life}}}"#
        );
        provider.faults.borrow_mut().push(Reply::json(200, &body));
        assert_eq!(renew(&page), Ok(()), "{life}");
        let facts = page.client.inside().session.unwrap().facts.clone();
        let lives = facts.expires_at.map(|end| (end.0.0 - facts.issued_at.unwrap().0) / 1000);
        assert_eq!(lives, seconds, "{life}");
        world.advance(secs(3000));
        assert_eq!(token(&page), "access-x", "{life}");
        invariants::hold(&world);
    }
}

#[test]
fn f18_a_token_that_cannot_be_sent_takes_no_place() {
    for (body, code) in [
        (r#"{"token_type":"Bearer","refresh_token":"refresh-x"}"#, ErrorCode::ResponseInvalid),
        (r#"{"access_token":"","token_type":"Bearer","refresh_token":"refresh-x"}"#, ErrorCode::ResponseInvalid),
        (r#"{"access_token":7,"token_type":"Bearer"}"#, ErrorCode::ResponseInvalid),
        (r#"{"access_token":"a b","token_type":"Bearer"}"#, ErrorCode::ResponseInvalid),
        (r#"{"access_token":"access-x"}"#, ErrorCode::ResponseInvalid),
        (r#"{"access_token":"access-x","token_type":["Bearer"]}"#, ErrorCode::ResponseInvalid),
        (
            r#"{"access_token":"access-x","token_type":"mac","refresh_token":"refresh-x"}"#,
            ErrorCode::TokenTypeUnsupported,
        ),
        (r#"{"access_token":"access-x","token_type":"DPoP"}"#, ErrorCode::TokenTypeUnsupported),
    ] {
        is_survived(body, Reply::json(200, body), code);
    }
}

#[test]
fn f19_the_token_of_another_user_is_discarded_and_ends_the_session() {
    let (provider, world, page) = story("localStorage");
    let other = another(&world);
    *provider.sub.borrow_mut() = "mallory".to_owned();
    assert_eq!(renew(&page), Err(ErrorCode::IdentityChanged));
    world.advance(secs(5));
    for each in [&page, &other] {
        assert_eq!(reason(each), Some(SignedOutReason::UserChanged));
    }
    assert!(!page.tab.store.dump().contains("access"), "{}", page.tab.store.dump());
    invariants::hold(&world);
}

#[test]
fn f40_keys_that_cannot_be_had_hold_no_renewal_up() {
    let (provider, world, page) = story("localStorage");
    let server = Rc::clone(&provider);
    world.serve(move |request, now| match request.url.path() {
        "/jwks" => Reply::json(500, "{}"),
        _ => server.answer(request, now),
    });
    let body = r#"{"access_token":"access-x","token_type":"Bearer","expires_in":600,"refresh_token":"refresh-1"}"#;
    provider.faults.borrow_mut().push(Reply::json(200, body));
    assert_eq!(renew(&page), Ok(()));
    assert_eq!(token(&page), "access-x");
    invariants::hold(&world);
}

#[test]
fn f41_a_stored_session_that_lives_needs_no_metadata() {
    let (provider, world, page) = story("localStorage");
    page.client.dispose();
    let server = Rc::clone(&provider);
    world.serve(move |request, now| match request.url.path() {
        "/.well-known/openid-configuration" => Reply::failure(HttpFailure::NetworkOrCors),
        _ => server.answer(request, now),
    });
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!((error, page.status(), token(&page).as_str()), (None, "authenticated", "access-1"));
    assert_eq!(renew(&page), Err(ErrorCode::NetworkOrCors));
    assert_eq!(token(&page), "access-1");
    world.advance(secs(300));
    world.serve(move |request, now| provider.answer(request, now));
    assert_eq!(renew(&page), Ok(()));
    invariants::hold(&world);
}

#[test]
fn f42_metadata_of_another_issuer_is_not_used_and_the_token_at_hand_is() {
    for change in [
        ("\"issuer\":\"https://id.example\"", "\"issuer\":\"https://id.example/\""),
        ("https://id.example/token", "http://id.example/token"),
    ] {
        let (provider, world, page) = story("localStorage");
        page.client.dispose();
        let server = Rc::clone(&provider);
        world.serve(move |request, now| {
            let mut reply = server.answer(request, now);
            if let (true, Ok(answer)) = (request.url.path().starts_with("/.well-known"), &mut reply.result) {
                let text = String::from_utf8(answer.body.to_vec()).unwrap().replace(change.0, change.1);
                answer.body = zeroize::Zeroizing::new(text.into_bytes());
            }
            reply
        });
        let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
        page.run(|client| async move { client.start().await.unwrap() });
        let error = renew(&page).unwrap_err();
        assert!(matches!(error, ErrorCode::IssuerMismatch | ErrorCode::DiscoveryInvalid), "{error:?}");
        assert_eq!((page.status(), token(&page).as_str()), ("authenticated", "access-1"));
        assert_eq!(provider.token_requests.get(), 1);
        invariants::hold(&world);
    }
}

#[test]
fn f43_a_token_endpoint_that_redirects_gets_the_refresh_token_once() {
    for status in [0, 301, 302, 307, 308] {
        is_survived(
            &status.to_string(),
            Reply::with(status, "text/html", "").header("location", "https://evil.example/"),
            ErrorCode::RedirectRefused,
        );
    }
}

#[test]
fn f44_an_answer_that_the_browser_keeps_back_is_named_and_loses_nothing() {
    let (provider, world, page) = story("localStorage");
    provider.faults.borrow_mut().push(Reply::failure(HttpFailure::NetworkOrCors));
    let error = page.run(|client| async move { client.renew().await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::NetworkOrCors);
    assert!(error.code.hint().contains("CORS"));
    assert_eq!(renew(&page), Ok(()));
    invariants::hold(&world);
}
