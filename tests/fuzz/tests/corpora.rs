//! Each target over its corpus: what was thought of, and what the fuzzer found.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::fs;
use std::path::Path;

fn replay(name: &str) {
    let (_, target) = authsafe_fuzz::TARGETS.iter().find(|(each, _)| *each == name).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{} files", files.len());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| target(&bytes));
        assert!(outcome.is_ok(), "{}", file.display());
        // And what is left of it when a write was cut off.
        for end in [bytes.len() / 2, bytes.len().saturating_sub(1)] {
            let outcome = std::panic::catch_unwind(|| target(bytes.get(..end).unwrap()));
            assert!(outcome.is_ok(), "{} up to {end}", file.display());
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_a_dictionary_or_reads_no_text() {
    for (name, _) in authsafe_fuzz::TARGETS {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(root.join("corpus").join(name).is_dir(), "{name}");
        assert_eq!(root.join("dictionaries").join([name, ".dict"].concat()).is_file(), *name != "tabs", "{name}");
    }
}

#[test]
fn addresses_that_may_be_callbacks() {
    replay("callback_url");
}

#[test]
fn answers_of_token_endpoints() {
    replay("token_response");
}

#[test]
fn answers_of_userinfo_endpoints() {
    replay("userinfo");
}

#[test]
fn headers_that_decide_something() {
    replay("headers");
}

#[test]
fn texts_that_a_medium_may_hold() {
    replay("store_record");
}

#[test]
fn tokens_in_compact_form() {
    replay("jws_compact");
}

#[test]
fn tokens_that_were_signed_and_changed() {
    replay("jws_verify");
}

#[test]
fn claims_of_id_tokens() {
    replay("id_token_claims");
}

#[test]
fn sets_of_keys_and_how_often_they_are_asked_for() {
    replay("jwks");
}

#[test]
fn what_happens_to_browsers_with_some_tabs() {
    replay("tabs");
}
