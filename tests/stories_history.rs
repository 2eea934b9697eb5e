//! What is left to look into when somebody was signed out, and what a client says of its deployment.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::client::Diagnosis;
use authsafe::machine::Ending;
use authsafe::ports::StoreFailure;
use authsafe::ports::fake::Reply;
use authsafe::types::Json;
use support::session::{OPTIONS, Server, password};
use support::*;

fn diagnose(page: &Page) -> Diagnosis {
    page.run(|client| async move { client.diagnose().await })
}

/// Each entry in a line: its members in order, without the time.
fn told(page: &Page) -> Vec<String> {
    diagnose(page).history.iter().map(line).collect()
}

fn line(entry: &Json) -> String {
    let members = entry.members().unwrap().iter().filter(|(name, _)| name != "at");
    members
        .map(|(name, value)| {
            format!("{name}={}", value.text().map_or_else(|| value.number().unwrap().to_string(), str::to_owned))
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn ids(page: &Page, ok: bool) -> Vec<&'static str> {
    diagnose(page).checks.iter().filter(|check| check.ok == ok).map(|check| check.id).collect()
}

fn reload(page: &Page, options: &str) -> Page {
    page.tab.world.run();
    page.client.dispose();
    page.tab.world.mute(page.tab.id);
    *page.tab.href.borrow_mut() = APP.to_owned();
    let page = Page::in_tab(page.tab.clone(), options);
    page.run(|client| async move { client.start().await.unwrap() });
    page
}

#[test]
fn a_sign_out_by_the_server_is_told_with_the_failure_that_led_to_it() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    provider.faults.borrow_mut().push(Reply::json(503, "{}"));
    page.run(|client| async move { client.renew().await.unwrap_err() });
    provider.faults.borrow_mut().push(Reply::json(400, r#"{"error":"invalid_grant","error_description":"gone"}"#));
    world.advance(secs(120));
    assert_eq!(page.status(), "unauthenticated");
    let all = told(&page);
    let expected = [
        "event=refreshFailed code=server_error phase=refresh httpStatus=503 generation=1",
        "event=refreshFailed code=session_expired phase=refresh httpStatus=400",
        "event=signedOut reason=expired origin=server code=session_expired phase=refresh httpStatus=400",
        "status=unauthenticated reason=expired code=session_expired phase=refresh httpStatus=400",
    ];
    for line in expected {
        assert!(all.iter().any(|each| each == line), "{line} is not in {all:#?}");
    }
}

#[test]
fn it_survives_a_reload_and_goes_on_there() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "sessionStorage");
    let before = told(&page);
    assert!(before.contains(&"event=signedIn origin=this-tab generation=1".to_owned()), "{before:#?}");
    let page = reload(&page, &token_options("sessionStorage"));
    let after = told(&page);
    assert_eq!(after[..before.len()], before);
    assert!(after[before.len()..].contains(&"event=signedIn origin=restored generation=1".to_owned()), "{after:#?}");
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    let page = reload(&page, &token_options("sessionStorage"));
    assert!(told(&page).contains(&"event=signedOut reason=logged_out origin=this-tab".to_owned()));
}

#[test]
fn a_sign_out_elsewhere_is_told_as_that() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let first = signed_in(&world, &provider, "localStorage");
    let second = another(&world);
    first.run(|client| async move { client.logout(Ending::Revoke).await.unwrap() });
    world.run();
    assert!(told(&second).contains(&"event=signedOut reason=logged_out_elsewhere origin=other-tab".to_owned()));
}

#[test]
fn in_session_mode_it_is_told_too() {
    let server = Server::new();
    let world = server.world();
    let page = Page::open(&world, APP, OPTIONS);
    page.run(|client| async move { client.start().await.unwrap() });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    *server.user.borrow_mut() = None;
    page.run(|client| async move { client.check().await.unwrap() });
    assert!(told(&page).contains(&"event=signedOut reason=expired origin=server".to_owned()));
}

#[test]
fn nothing_in_it_is_about_the_user_or_a_secret() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    *provider.sub.borrow_mut() = "mallory".to_owned();
    page.run(|client| async move { client.renew().await.unwrap_err() });
    world.run();
    let kept = page.tab.traces.dump();
    assert!(kept.contains("userChanged") || kept.contains("user_changed"), "{kept}");
    for secret in ["alice", "Alice", "mallory", "access-", "refresh-", "code-1", "eyJ", "https:", "id.example"] {
        assert!(!kept.contains(secret), "{secret}: {kept}");
    }
}

#[test]
fn it_is_bounded_and_keeps_the_newest() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    for _ in 0..100 {
        page.run(|client| async move { client.renew().await.unwrap() });
        // Ten a minute are allowed.
        world.advance(secs(7));
    }
    let all = told(&page);
    assert_eq!(all.len(), 50);
    assert_eq!(all.last().unwrap(), "event=refreshed origin=this-tab generation=101");
    let kept = page.tab.traces.dump();
    assert!(kept.len() < 20_000, "{}", kept.len());
    // And a reload reads all of it.
    let page = reload(&page, &token_options("localStorage"));
    assert_eq!(told(&page).len(), 50);
}

#[test]
fn a_storage_that_fails_costs_the_reload_and_nothing_else() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    world.writes_fail.set(Some(StoreFailure::Full));
    page.run(|client| async move { client.renew().await.unwrap() });
    assert!(told(&page).iter().any(|line| line.starts_with("event=refreshed")));
    world.store_failure.set(Some(StoreFailure::Blocked));
    page.run(|client| async move { client.renew().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    assert!(told(&page).iter().any(|line| line.contains("generation=3")));
}

#[test]
fn what_somebody_else_wrote_there_is_read_as_far_as_it_could_be_ours() {
    let long = format!(r#"[{{"at":1,"event":"{}"}}]"#, "x".repeat(30_000));
    let cases = [
        ("", 0),
        ("{", 0),
        ("{}", 0),
        ("[1,null,[]]", 0),
        (&long, 0),
        (r#"[{"at":1,"event":"signedOut","token":"eyJ","reason":"a b","code":7}]"#, 1),
    ];
    for (text, count) in cases {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, "localStorage");
        world.run();
        page.client.dispose();
        page.tab.traces.replace_all(text);
        let page = reload(&page, &token_options("localStorage"));
        let foreign: Vec<Json> =
            diagnose(&page).history.into_iter().filter(|entry| entry.get("at") == Some(&Json::Number(1.0))).collect();
        assert_eq!(foreign.len(), count, "{text:.40}");
        for entry in foreign {
            assert_eq!(line(&entry), "event=signedOut");
        }
    }
}

#[test]
fn what_is_in_order_is_told_and_what_is_not_comes_with_what_would_mend_it() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "localStorage");
    let fine = [
        "secure_context",
        "broadcast_channel",
        "indexed_db",
        "isolation",
        "allowed_origins",
        "storage",
        "sign_in_storage",
        "discovery",
        "clock",
        "renewal",
    ];
    assert_eq!((ids(&page, true), ids(&page, false)), (fine.to_vec(), vec![]));
    page.tab.isolated.set(false);
    world.store_failure.set(Some(StoreFailure::Blocked));
    assert_eq!(ids(&page, false), ["isolation", "storage", "sign_in_storage"]);
    let report = diagnose(&page).to_json();
    assert_eq!(report.get("ok"), Some(&Json::Bool(false)));
    for check in diagnose(&page).checks {
        assert_eq!(check.ok, check.fix.is_none(), "{check:?}");
        assert!(check.detail.ends_with('.'), "{check:?}");
    }
}

#[test]
fn only_what_is_known_is_said() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = Page::open(&world, APP, &token_options("memory").replace(r#"["https://api.example"]"#, "[]"));
    page.run(|client| async move { client.start().await.unwrap() });
    // Nobody has asked the provider, and nobody is signed in.
    let fine = ["secure_context", "broadcast_channel", "indexed_db", "isolation", "sign_in_storage"];
    assert_eq!((ids(&page, true), ids(&page, false)), (fine.to_vec(), vec!["allowed_origins"]));
    assert!(world.requests.borrow().is_empty());
    let server = Server::new();
    let page = Page::open(&server.world(), APP, OPTIONS);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(ids(&page, true), ["secure_context", "broadcast_channel", "indexed_db"]);
}

#[test]
fn a_device_whose_clock_is_wrong_is_told() {
    let server = Server::new();
    let world = server.world();
    let page = Page::open(&world, APP, OPTIONS);
    page.run(|client| async move { client.start().await.unwrap() });
    server.ahead.set(3600);
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let check = diagnose(&page).checks.into_iter().find(|check| check.id == "clock").unwrap();
    assert_eq!((check.ok, check.detail.as_str()), (false, "The device's clock is 3600 s behind the server's."));
}

#[test]
fn a_core_that_was_lost_is_told_by_the_next_one_once() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "sessionStorage");
    world.advance(secs(5));
    let before = told(&page);
    // What the page writes when its core stops.
    let lost = world.true_time();
    page.tab.world.block_on({
        let tab = page.tab.clone();
        async move { authsafe::ports::Store::write(&tab.traces, "authsafe.lost", &lost.0.to_string()).await.unwrap() }
    });
    world.advance(secs(5));
    let page = reload(&page, &token_options("sessionStorage"));
    let after = told(&page);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after[before.len()], "event=coreLost");
    let entry = &diagnose(&page).history[before.len()];
    assert_eq!(entry.get("at").and_then(Json::number), Some(lost.seconds() as f64));
    let page = reload(&page, &token_options("sessionStorage"));
    let count = told(&page).iter().filter(|line| *line == "event=coreLost").count();
    assert_eq!(count, 1);
    invariants::hold(&world);
}

#[test]
fn what_somebody_else_wrote_about_a_lost_core_is_no_entry() {
    for text in ["", "x", "1e99", "-1", "99999999999999999999", "9999999999999", "\u{1f512}"] {
        let provider = Provider::new();
        let world = world_of(&provider);
        let page = signed_in(&world, &provider, "sessionStorage");
        page.tab.world.block_on({
            let tab = page.tab.clone();
            async move { authsafe::ports::Store::write(&tab.traces, "authsafe.lost", text).await.unwrap() }
        });
        let page = reload(&page, &token_options("sessionStorage"));
        assert!(!told(&page).contains(&"event=coreLost".to_owned()), "{text:?}");
    }
}
