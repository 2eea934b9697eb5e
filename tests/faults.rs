//! Every fault that authsafe is to survive has its tests, and docs/faults.md says which.
//!
//! A test belongs to a fault by its name: `f07_…` in Rust, `F7 …` in JavaScript. The page is generated from the list here and
//! from those names; `AUTHSAFE_BLESS=1 cargo test --test faults` writes it anew.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What goes wrong, and tests without its number that are about it too: file and name.
type Fault = (u32, &'static str, &'static [(&'static str, &'static str)]);

const FAULTS: &[Fault] = &[
    (
        1,
        "the connection is reset before the request is sent",
        &[("tests/stories_turn.rs", "while_the_server_cannot_be_reached_the_token_is_not_sent_again")],
    ),
    (
        2,
        "the connection breaks after the request is sent and before the answer comes",
        &[
            ("tests/stories_turn.rs", "a_request_whose_answer_was_lost_is_made_once_more_and_then_not_again"),
            ("tests/stories_turn.rs", "a_strict_server_that_rotated_and_was_not_heard_ends_the_session_once"),
        ],
    ),
    (3, "the answer breaks off", &[]),
    (
        4,
        "500, 502, 503, 504, with any body",
        &[("tests/stories.rs", "a_transient_failure_keeps_the_session_and_the_token_until_its_end")],
    ),
    (5, "429 and `Retry-After` in any shape", &[]),
    (6, "200 with garbage, truncated, nested or doubled JSON", &[]),
    (
        7,
        "200 with a body of megabytes",
        &[
            ("tests/browser_fetch.rs", "a_body_of_the_limit_is_read_and_one_byte_more_ends_the_call"),
            ("tests/browser_fetch.rs", "a_body_without_an_end_is_cut_off_at_the_limit"),
        ],
    ),
    (8, "200 with the login page of a network", &[]),
    (9, "an answer that trickles", &[("tests/browser_fetch.rs", "the_deadline_covers_the_answer_and_its_body")]),
    (10, "no refresh token in the answer", &[]),
    (11, "the same refresh token again", &[]),
    (12, "another refresh token", &[]),
    (13, "`invalid_grant`", &[("tests/stories.rs", "a_dead_refresh_token_ends_the_session_once")]),
    (14, "any other OAuth error", &[]),
    (15, "400, 401 and 403 of something in between", &[]),
    (
        16,
        "`expires_in` of zero and less",
        &[("tests/faults_token.rs", "a_token_that_is_born_expired_makes_no_storm_and_no_promise_hang")],
    ),
    (17, "`expires_in` in any other shape", &[("tests/stories.rs", "a_lifetime_of_years_does_not_fire_at_once")]),
    (18, "no usable access token, or of a type that cannot be sent", &[]),
    (
        19,
        "the tokens of another user",
        &[("tests/stories.rs", "a_renewed_token_of_another_user_is_discarded_and_revoked")],
    ),
    (20, "a clock that is a day ahead at the start", &[]),
    (21, "a clock that is a day behind at the start", &[]),
    (
        22,
        "a clock that jumps",
        &[("tests/faults_races.rs", "a_clock_that_is_set_back_while_a_renewal_is_written_prolongs_nothing")],
    ),
    (23, "a sleep of nine hours", &[]),
    (24, "a stored record that is damaged", &[]),
    (25, "a sealed record that does not open, whose key is gone, or that shares its vector with another", &[]),
    (
        26,
        "a record of an older version",
        &[(
            "tests/browser_vault.rs",
            "a_plain_text_of_the_version_before_is_sealed_when_it_is_read_and_none_is_taken_after_it",
        )],
    ),
    (
        27,
        "a record of a newer version",
        &[("tests/browser_vault.rs", "a_text_of_a_newer_version_is_handed_on_and_left_alone")],
    ),
    (28, "no room for a token that was rotated", &[]),
    (
        29,
        "storage that the browser denies",
        &[("tests/browser_storage.rs", "storage_that_the_browser_withholds_is_an_error_and_not_a_panic")],
    ),
    (
        30,
        "a database that is blocked, never answers or closes",
        &[
            ("tests/browser_storage.rs", "a_database_that_never_answers_is_given_up"),
            ("tests/browser_storage.rs", "a_database_can_be_deleted_while_it_is_in_use_and_is_made_anew"),
        ],
    ),
    (
        31,
        "a write that is cut off",
        &[("tests/browser_vault.rs", "a_write_that_is_cut_off_after_any_step_leaves_the_old_text_or_the_new_one")],
    ),
    (32, "storage that is cleared while the page runs", &[]),
    (33, "fifty tabs whose token ends together", &[]),
    (34, "a tab that dies with the lock", &[]),
    (
        35,
        "a tab that hangs with the lock",
        &[("tests/stories_turn.rs", "of_fifty_tabs_that_wait_for_a_tab_that_hangs_one_overtakes_it")],
    ),
    (
        36,
        "a lock that other script takes away",
        &[("tests/browser_tabs.rs", "who_is_overtaken_does_not_give_back_what_is_another_s")],
    ),
    (37, "a browser without locks", &[]),
    (38, "tabs that cannot hear each other", &[]),
    (39, "a page that comes back from the back-forward cache", &[]),
    (40, "the provider's keys cannot be had", &[]),
    (41, "the metadata cannot be had at a start with a stored session", &[]),
    (42, "metadata of another issuer, or with another endpoint", &[]),
    (
        43,
        "a token endpoint that redirects",
        &[("tests/browser_fetch.rs", "every_status_and_header_arrives_and_a_redirect_is_status_0")],
    ),
    (44, "a token endpoint without CORS", &[]),
    (45, "a start without a network", &[]),
    (46, "a browser that is wrong about the network", &[]),
    (47, "a provider that is asked silently and knows nobody, or may not", &[]),
    (48, "a frame that does not answer (authsafe opens none)", &[]),
    (49, "a popup that is blocked or closed", &[]),
    (
        50,
        "Back on the provider's page, and a callback that is opened twice",
        &[
            ("tests/e2e/callback.spec.mjs", "a person who comes back by the Back button is signed out as before"),
            ("tests/e2e/callback.spec.mjs", "a callback opened in another browser is left alone"),
        ],
    ),
    (
        51,
        "a double click, a double start",
        &[(
            "tests/package/client.test.mjs",
            "init gives the same promise to every caller, and every other call waits for it",
        )],
    ),
    (
        52,
        "two sign-ins in two tabs",
        &[("tests/e2e/callback.spec.mjs", "two sign-ins that were begun in two tabs both come to their end")],
    ),
    (53, "a sign-out during a renewal", &[]),
    (54, "a sign-out without a network", &[]),
    (
        55,
        "a worker that does not start, or dies",
        &[("tests/e2e/vault.spec.mjs", "a body that is being read ends with its worker")],
    ),
    (56, "the module cannot be loaded", &[]),
    (57, "the core traps", &[]),
    (58, "a page that is left during a renewal", &[]),
    (59, "a tab that is discarded, frozen or prerendered", &[]),
    (60, "many calls that are refused at once", &[]),
    (61, "an API that refuses every token", &[]),
    (62, "a DPoP nonce that changes with every call", &[]),
    (63, "a session server that cannot say who is signed in", &[]),
    (64, "a proxy that takes the proof away", &[]),
    (65, "two versions of authsafe on one origin", &[]),
    (66, "no random numbers", &[]),
];

/// Faults of what authsafe does not do: it opens no popup, and no frame.
const NOT_MET: &[u32] = &[49];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The files of a folder with this ending, in order: their path in the tree and their text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found: Vec<_> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ending))
        .map(|name| ([folder, "/", &name].concat(), fs::read_to_string(root().join(folder).join(&name)).unwrap()))
        .collect();
    found.sort();
    found
}

/// The number that a text begins with, and what follows it.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

/// The tests that name faults by their number: number, file and name.
fn numbered() -> Vec<(u32, String, String)> {
    let mut found = Vec::new();
    for (path, text) in files("tests", ".rs") {
        let declared = text.lines().map(|line| line.trim_start().trim_start_matches("async "));
        for name in declared.filter_map(|line| line.strip_prefix("fn f")) {
            let name = name.split('(').next().unwrap();
            if let Some((fault, _)) = number(name).filter(|(_, rest)| rest.starts_with('_')) {
                found.push((fault, path.clone(), ["f", name].concat()));
            }
        }
    }
    let scripts = [("tests/e2e", ".spec.mjs"), ("tests/package", ".test.mjs"), ("tests/package/packed", ".mjs")];
    for (path, text) in scripts.into_iter().flat_map(|(folder, ending)| files(folder, ending)) {
        for quote in ['"', '`'] {
            for after in text.split(&format!("{quote}F")).skip(1) {
                let title = ["F", after.split(quote).next().unwrap()].concat();
                let mut rest = title.as_str();
                // One test may be about several: `F33 F34 50 tabs …`.
                while let Some((fault, after)) = rest.strip_prefix('F').and_then(number) {
                    let Some(after) = after.strip_prefix(' ') else { break };
                    found.push((fault, path.clone(), title.clone()));
                    rest = after;
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// A title without what a template puts into it.
fn plain(title: &str) -> String {
    let mut out = String::new();
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push('…');
        // An expression in a title has no braces of its own.
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

#[test]
fn every_fault_has_its_tests_and_the_page_says_which() {
    let numbered = numbered();
    let mut tests: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
    for (fault, path, name) in numbered {
        assert!(FAULTS.iter().any(|(known, ..)| *known == fault), "{path}: {name} is about no fault of the list");
        tests.entry(fault).or_default().push((path, plain(&name)));
    }
    let unnumbered = FAULTS.iter().filter(|(fault, ..)| !tests.contains_key(fault) && !NOT_MET.contains(fault));
    assert_eq!(
        unnumbered.map(|(fault, ..)| *fault).collect::<Vec<_>>(),
        [],
        "faults without a test under their number"
    );
    let numbers: Vec<_> = FAULTS.iter().map(|(fault, ..)| *fault).collect();
    assert_eq!(numbers, (1..=66).collect::<Vec<_>>());
    for (fault, what, also) in FAULTS {
        for (path, name) in *also {
            let text = fs::read_to_string(root().join(path)).unwrap();
            assert!(text.contains(name), "F{fault}: {path} has no test {name:?}");
            tests.entry(*fault).or_default().push(((*path).to_owned(), (*name).to_owned()));
        }
        assert_eq!(tests.contains_key(fault), !NOT_MET.contains(fault), "F{fault}: {what}");
    }
    let mut page = HEAD.to_owned();
    for (fault, what, _) in FAULTS {
        page.push_str(&format!("\n## F{fault}: {what}\n\n"));
        let Some(tests) = tests.get(fault) else {
            page.push_str("authsafe does nothing that could meet this fault.\n");
            continue;
        };
        let mut last = "";
        for (path, name) in tests {
            if path != last {
                page.push_str(&format!("- `{path}`\n"));
                last = path;
            }
            page.push_str(&format!("  - {}\n", name.replace('_', " ")));
        }
    }
    let path = root().join("docs/faults.md");
    if std::env::var_os("AUTHSAFE_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/faults.md is not what the tests say; write it anew with AUTHSAFE_BLESS=1 cargo test --test faults"
    );
}

const HEAD: &str = "# What authsafe survives

Each fault has a number and its tests. Those in `tests/*.rs` run natively on virtual time, where a whole browser with its tabs,
its media, its clock and its network is a test rig that fails on demand; those in `tests/browser_*.rs` and `tests/e2e/` run in
real browsers. After each of the native ones (`tests/support/invariants.rs`), and after each test in `tests/e2e/`
(`tests/e2e/support/invariants.mjs`), a checker looks for eight invariants:

1. the refresh token that the server issued last is stored or held, or the session has ended for a reason;
2. at most one token request is under way per session in the whole browser;
3. every promise settles;
4. one event per transition in every tab, and tabs that share a medium agree;
5. no credential is used after a sign-out;
6. no storm of token requests;
7. no secret in a report, an error, an address or a message;
8. calls get the current token until its end.

The native checker also follows `tests/properties.rs`, which plays arbitrary sequences of all of this, `tests/soak.rs`, a week of
use, and the fuzzer. The one for browsers believes the servers and no client: it sees every request that reached one, what the
tabs were told, their consoles, and what the tabs that are left then do with their session. A test that brings about what must not
be, such as a tab that dies with the answer in its hands, declares it (`invariants.breaks`), and fails where it does not happen.
`tests/e2e/checker.spec.mjs` shows that it finds each violation.

Hidden, frozen, crashed and prerendered tabs, the back-forward cache, slow and lost networks are the browser's own there, by its
protocol. Two things are imitated: a sleep of hours, because the clock of a test would run the timers of a frozen page, and a realm
that hangs, which a synchronous request keeps busy.

This page is written by `AUTHSAFE_BLESS=1 cargo test --test faults` from the names of the tests.
";
