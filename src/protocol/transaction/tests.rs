use super::*;
use crate::protocol::testing::{transaction, url};

const START: i64 = 1_700_000_000_000;

fn at(seconds: i64) -> UnixMillis {
    UnixMillis(START + seconds * 1000)
}

fn begun(seed: u8, seconds: i64) -> Transaction {
    transaction(seed, at(seconds))
}

fn pending(seeds: &[u8]) -> Transactions {
    let mut list = Transactions::default();
    seeds.iter().for_each(|seed| list.add(begun(*seed, 0), at(0)));
    list
}

fn state(seed: u8) -> State {
    begun(seed, 0).state
}

#[test]
fn a_sign_in_is_taken_once_and_its_state_is_spent_from_then_on() {
    let mut list = pending(&[1, 2]);
    assert_eq!(list.take(&state(1), at(5)), Taken::Fresh(begun(1, 0)));
    assert_eq!(list.take(&state(1), at(6)), Taken::Spent);
    let mut reloaded = Transactions::parse(&list.to_text());
    assert_eq!(reloaded.take(&state(1), at(7)), Taken::Spent);
    assert_eq!(reloaded.take(&state(2), at(7)), Taken::Fresh(begun(2, 0)));
}

#[test]
fn the_key_of_a_sign_in_is_remembered_by_its_thumbprint() {
    let mut list = Transactions::default();
    let bound = Transaction { jkt: Some("0ZcO".to_owned()), ..begun(1, 0) };
    list.add(bound.clone(), at(0));
    assert_eq!(Transactions::parse(&list.to_text()).take(&state(1), at(1)), Taken::Fresh(bound));
}

#[test]
fn the_verifier_is_gone_from_the_text_before_the_code_can_be_sent() {
    let mut list = pending(&[1]);
    let verifier = begun(1, 0).code_verifier;
    assert!(list.to_text().contains(verifier.expose()));
    list.take(&state(1), at(1));
    assert!(!list.to_text().contains(verifier.expose()));
}

#[test]
fn a_foreign_state_is_unknown_and_changes_nothing() {
    let mut list = pending(&[1]);
    let before = list.clone();
    for foreign in ["", "x", &state(1).as_str().to_lowercase(), &[state(1).as_str(), "A"].concat()] {
        assert_eq!(list.take(&State(foreign.to_owned()), at(1)), Taken::Unknown, "{foreign}");
    }
    assert_eq!(list, before);
}

#[test]
fn ten_minutes_end_a_sign_in_whichever_way_the_clock_jumps() {
    for (seconds, taken) in [
        (600, Taken::Fresh(begun(1, 0))),
        (601, Taken::Expired(Some(begun(1, 0)))),
        (86_400, Taken::Expired(Some(begun(1, 0)))),
        (-600, Taken::Fresh(begun(1, 0))),
        (-601, Taken::Expired(Some(begun(1, 0)))),
    ] {
        let mut list = pending(&[1]);
        assert_eq!(list.take(&state(1), at(seconds)), taken, "{seconds}");
    }
    let mut list = pending(&[1]);
    list.add(begun(2, 601), at(601));
    assert!(!list.to_text().contains(begun(1, 0).code_verifier.expose()), "an expired verifier is not kept");
    assert_eq!(list.take(&state(1), at(602)), Taken::Expired(None));
}

#[test]
fn a_spent_state_is_remembered_for_ten_minutes() {
    let mut list = pending(&[1]);
    list.take(&state(1), at(0));
    assert_eq!(list.take(&state(1), at(600)), Taken::Spent);
    assert_eq!(list.take(&state(1), at(601)), Taken::Unknown);
    assert_eq!(list, Transactions::default());
}

#[test]
fn the_eleventh_sign_in_pushes_out_the_oldest_and_memory_stays_bounded() {
    let mut list = pending(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(list.take(&state(1), at(1)), Taken::Expired(None));
    assert_eq!(list.take(&state(2), at(1)), Taken::Fresh(begun(2, 0)));
    for seed in 0..200 {
        list.add(begun(seed, 2), at(2));
        if seed % 2 == 0 {
            list.take(&state(seed), at(2));
        }
    }
    assert_eq!((list.pending.len(), list.over.len()), (MAX_PENDING, MAX_PENDING));
}

#[test]
fn everything_survives_being_written_and_read() {
    let mut full = begun(1, 0);
    full.max_age = Some(Lifetime::from_seconds(0));
    full.return_to = ReturnTo::parse("/a?b=\"c\"#d");
    full.app_state = Json::parse(r#"{"a":[1,null,"\"\\\u0001é"]}"#);
    full.redirect_uri = url("https://app.example/cb?x=1");
    let mut list = pending(&[2]);
    list.add(full, at(1));
    list.take(&state(2), at(1));
    assert_eq!(Transactions::parse(&list.to_text()), list);
    assert_eq!(Transactions::parse(&Transactions::default().to_text()), Transactions::default());
}

#[test]
fn a_corrupt_text_is_an_empty_list() {
    let good = pending(&[1]).to_text();
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "\u{0}",
        "{\"v\":1}",
        "{\"v\":1,\"pending\":{},\"over\":7}",
        "{\"v\":1,\"pending\":[1,null,{}],\"over\":[[],{}]}",
        &good.replace("\"v\":1", "\"v\":2"),
        &good.replace("\"v\":1", "\"v\":\"1\""),
        &good[..good.len() - 1],
        &"[".repeat(100_000),
    ] {
        assert_eq!(Transactions::parse(text), Transactions::default(), "{text:.60}");
    }
}

#[test]
fn a_tampered_entry_is_left_out_and_the_others_stay() {
    let mut first = begun(1, 0);
    first.max_age = Some(Lifetime::from_seconds(60));
    first.return_to = ReturnTo::parse("/inbox");
    let mut list = Transactions::default();
    list.add(first, at(0));
    let verifier = begun(1, 0).code_verifier;
    list.add(begun(2, 0), at(0));
    let good = list.to_text();
    for (from, to) in [
        ("/inbox", "//evil.example"),
        ("/inbox", "javascript:x"),
        ("\"/inbox\"", "7"),
        ("\"max_age\":60000", "\"max_age\":\"60000\""),
        ("\"max_age\":60000", "\"max_age\":-1"),
        (verifier.expose(), "short"),
        (&["\"code_verifier\":\"", verifier.expose(), "\","].concat(), ""),
        ("https://app.example/cb", "javascript:alert(1)"),
        (&["\"created_at\":", &START.to_string()].concat(), "\"created_at\":\"now\""),
        (&["\"created_at\":", &START.to_string()].concat(), "\"created_at\":1e99"),
        (state(1).as_str(), ""),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, *good, "{from}");
        let mut read = Transactions::parse(&text);
        assert_eq!(read.take(&state(1), at(1)), Taken::Unknown, "{from} -> {to}");
        assert_eq!(read.take(&state(2), at(1)), Taken::Fresh(begun(2, 0)), "{from} -> {to}");
    }
}

#[test]
fn nothing_secret_prints() {
    let mut one = begun(1, 0);
    one.app_state = Some(Json::from("CANARY"));
    let mut list = pending(&[2]);
    list.take(&state(2), at(0));
    list.add(one.clone(), at(0));
    let printed = format!("{list:?} {one:?} {:?}", Taken::Fresh(one.clone()));
    for secret in ["CANARY", one.code_verifier.expose(), one.state.as_str(), one.nonce.as_str(), state(2).as_str()] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
