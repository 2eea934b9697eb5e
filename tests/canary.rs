//! Secrets are planted everywhere, and looked for in everything that authsafe shows: reports, errors, Debug, messages.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

mod support;

use authsafe::machine::{Ending, Login};
use authsafe::ports::fake::Reply;
use authsafe::protocol::http::HttpFailure;
use authsafe::types::{Lifetime, Password};
use std::cell::RefCell;
use std::rc::Rc;
use support::*;

/// What must never be seen: tokens, the code, and the password, by the marks that the servers of these tests give them.
const MARKS: &[&str] = &["access-1", "access-2", "refresh-1", "refresh-2", "code-1", "PASSWORD-CANARY", "eyJ"];

fn assert_clean(what: &str, text: &str) {
    for mark in MARKS {
        assert!(!text.contains(mark), "{mark} is in {what}: {text}");
    }
}

#[test]
fn the_marks_would_be_seen() {
    let seen = std::panic::catch_unwind(|| assert_clean("a trial", "token refresh-1"));
    assert!(seen.is_err());
}

#[test]
fn no_secret_is_in_a_report_an_error_or_a_message_whatever_the_server_answers() {
    let faults: [fn() -> Reply; 8] = [
        || Reply::failure(HttpFailure::NetworkOrCors),
        || Reply::failure(HttpFailure::TooLarge),
        || Reply::json(500, r#"{"error":"server_error","access_token":"access-1"}"#),
        || Reply::json(200, r#"{"access_token":"access-1","token_type":"mac","refresh_token":"refresh-1"}"#),
        || Reply::json(200, r#"{"access_token":["access-1"],"token_type":"Bearer"}"#),
        || Reply::with(200, "text/html", "access-1 refresh-1"),
        || Reply::json(400, r#"{"error":"invalid_client"}"#),
        || Reply::json(400, r#"{"error":"invalid_grant"}"#),
    ];
    for fault in faults {
        let provider = Provider::new();
        let world = world_of(&provider);
        let overheard: Rc<RefCell<String>> = Rc::default();
        let sink = Rc::clone(&overheard);
        world.listen(0, move |text| sink.borrow_mut().push_str(text));
        let page = signed_in(&world, &provider, "localStorage");
        provider.faults.borrow_mut().push(fault());
        let error = page.run(|client| async move { client.renew().await.unwrap_err() });
        assert_clean("an error", &format!("{error} {error:?} {}", error.to_json().to_text()));
        page.run(|client| async move { client.logout(Ending::Provider).await.ok() });
        world.advance(Lifetime::from_seconds(5));
        for report in page.reports.borrow().iter() {
            // A state shows the user's claims, which are no secret, and nothing of the credential.
            assert_clean("a report", &format!("{report:?}"));
        }
        assert_clean("a message to other tabs", &overheard.borrow());
        assert!(!overheard.borrow().is_empty());
        assert_clean("Debug of the client", &format!("{:?}", page.client));
    }
}

#[test]
fn a_password_is_in_no_error_and_in_no_debug_output() {
    let world = authsafe::ports::fake::World::new(START, |_, _| {
        Reply::json(401, r#"{"error":"invalid_credentials","echo":"PASSWORD-CANARY"}"#)
    });
    let options = r#"{"mode":"session","endpoints":{"session":"/session","login":"/login"}}"#;
    let page = Page::open(&world, APP, options);
    page.run(|client| async move { client.start().await.unwrap() });
    let login = Login::Password {
        username: "alice".to_owned(),
        password: Password::new("PASSWORD-CANARY".to_owned()).unwrap(),
        extra: None,
        return_to: None,
        app_state: None,
    };
    assert_clean("Debug of a sign-in", &format!("{login:?}"));
    let error = page.run(|client| async move { client.login(login).await.unwrap_err() });
    assert_clean("an error", &format!("{error} {error:?} {}", error.to_json().to_text()));
}

#[test]
fn memory_storage_leaves_no_token_in_any_medium() {
    let provider = Provider::new();
    let world = world_of(&provider);
    let page = signed_in(&world, &provider, "memory");
    page.run(|client| async move { client.renew().await.unwrap() });
    let media: String = world.shared.borrow().values().cloned().collect();
    assert_clean("a shared medium", &media);
    assert_clean("the tab's own storage", &page.tab.transactions.dump());
}

#[test]
fn no_value_of_a_configured_header_is_in_the_debug_output_of_the_options() {
    let options = r#"{"mode":"session","endpoints":{"session":{"url":"/session","headers":{"x-api-key":"KEY-CANARY"}}},
        "csrf":{"kind":"static-header","headerName":"x-proof","value":"PROOF-CANARY"}}"#;
    let here = authsafe::types::WebUrl::parse(APP).unwrap();
    let config = authsafe::Config::parse(&authsafe::types::Json::parse(options).unwrap(), &here).unwrap();
    let shown = format!("{config:?}");
    assert!(shown.contains("x-api-key") && shown.contains("x-proof"), "{shown}");
    assert!(!shown.contains("CANARY"), "{shown}");
}
