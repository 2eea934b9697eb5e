use super::*;

fn token_session() -> Session {
    let user = Json::parse(r#"{"sub":"u1","name":"Ada \"é\" \u0001","roles":["a",{"b":null}],"n":1.5}"#).unwrap();
    Session::new(
        Rc::new(user),
        SessionFacts {
            sub: Some("u1".into()),
            sid: Some("s1".into()),
            issued_at: Some(UnixMillis(1_800_000_000_123)),
            expires_at: Some(ExpiresAt(UnixMillis(1_800_000_060_123))),
            refresh_expires_at: Some(ExpiresAt(UnixMillis(1_800_086_400_123))),
            absolute_expires_at: Some(ExpiresAt(UnixMillis(1_800_600_000_000))),
            idle_expires_at: None,
            acr: Some("urn:mace:incommon:iap:silver".into()),
            amr: vec!["pwd".into(), "otp".into()],
            auth_time: Some(UnixMillis(-1)),
            scope: Some(Scope("openid profile".into())),
            skew: -3_600_000,
        },
        Credential::Tokens(Tokens {
            access: AccessToken::new("at+/=\\\"".to_owned()).unwrap(),
            refresh: RefreshToken::new("rt".to_owned()),
            id_token: IdToken::new("a.b.c".to_owned()),
            id_claims: Some(Rc::new(Json::parse(r#"{"iss":"https://as.example","exp":1800000060}"#).unwrap())),
            userinfo: Some(Rc::new(Json::parse(r#"{"sub":"s","name":"Alice"}"#).unwrap())),
            source: Source::Oidc,
            binding: Some(Binding { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".to_owned(), access: true }),
        }),
    )
}

fn cookie_session() -> Session {
    Session::new(Rc::new(Json::Object(Vec::new())), SessionFacts::default(), Credential::Cookie)
}

fn bare_tokens() -> Session {
    let access = AccessToken::new("at".to_owned()).unwrap();
    let tokens = Tokens {
        access,
        refresh: None,
        id_token: None,
        id_claims: None,
        userinfo: None,
        source: Source::FirstParty,
        binding: None,
    };
    Session::new(Rc::new(Json::Object(Vec::new())), SessionFacts::default(), Credential::Tokens(tokens))
}

fn record(generation: u64, session: Session) -> Record {
    Record { lineage: "9f3a".into(), generation, session }
}

#[test]
fn what_was_written_is_read_again() {
    for session in [token_session(), cookie_session(), bare_tokens()] {
        for generation in [0, 1, 4_294_967_296, MOST] {
            let record = record(generation, session.clone());
            assert_eq!(Record::parse(&record.to_text()), Ok(record));
        }
    }
}

#[test]
fn every_part_of_a_session_can_be_absent_by_itself() {
    let drop_one: [fn(&mut SessionFacts); 10] = [
        |facts| facts.sub = None,
        |facts| facts.sid = None,
        |facts| facts.issued_at = None,
        |facts| facts.expires_at = None,
        |facts| facts.refresh_expires_at = None,
        |facts| facts.absolute_expires_at = None,
        |facts| facts.acr = None,
        |facts| facts.amr.clear(),
        |facts| facts.auth_time = None,
        |facts| facts.scope = None,
    ];
    for change in drop_one {
        let mut session = token_session();
        change(&mut session.facts);
        assert_ne!(session, token_session());
        let record = record(7, session);
        assert_eq!(Record::parse(&record.to_text()), Ok(record));
    }
}

#[test]
fn an_instant_beyond_what_json_can_count_is_written_as_the_last_that_it_can() {
    let mut session = bare_tokens();
    session.facts.expires_at = Some(ExpiresAt(UnixMillis(i64::MAX)));
    session.facts.auth_time = Some(UnixMillis(i64::MIN));
    let read = Record::parse(&record(u64::MAX, session).to_text()).unwrap();
    assert_eq!(read.session.facts.expires_at, Some(ExpiresAt(UnixMillis(1 << 53))));
    assert_eq!(read.session.facts.auth_time, Some(UnixMillis(-(1 << 53))));
    assert_eq!(read.generation, 1 << 53);
}

#[test]
fn a_text_that_is_no_record_says_whose_fault_that_is() {
    use RecordFault::{Corrupt, Foreign, Newer};
    for (text, fault) in [
        ("", Corrupt),
        ("garbage", Corrupt),
        ("{\"v\":1", Corrupt),
        ("{\"v\":1}", Corrupt),
        ("{\"v\":0}", Corrupt),
        ("{\"v\":0.5}", Corrupt),
        ("{\"v\":-1}", Corrupt),
        ("{\"v\":2}", Newer),
        ("{\"v\":2,\"lineage\":7}", Newer),
        ("{}", Foreign),
        ("[]", Foreign),
        ("null", Foreign),
        ("\"text\"", Foreign),
        ("{\"v\":\"1\"}", Foreign),
        ("{\"access_token\":\"x\"}", Foreign),
    ] {
        assert_eq!(Record::parse(text), Err(fault), "{text}");
    }
}

#[test]
fn a_member_that_is_missing_added_or_of_another_type_makes_a_record_corrupt() {
    let whole = Json::parse(&record(3, token_session()).to_text()).unwrap();
    let members = whole.members().unwrap().to_vec();
    let parse = |members: Vec<(String, Json)>| Record::parse(&Json::Object(members).to_text());
    let may_be_absent = [
        "sub",
        "sid",
        "issued_at",
        "expires_at",
        "refresh_expires_at",
        "absolute_expires_at",
        "acr",
        "auth_time",
        "scope",
        "tokens",
    ];
    for (at, (name, _)) in members.iter().enumerate() {
        let mut without = members.clone();
        without.remove(at);
        let expected = if name == "v" { Some(RecordFault::Foreign) } else { Some(RecordFault::Corrupt) };
        let expected = expected.filter(|_| !may_be_absent.contains(&name.as_str()));
        assert_eq!(parse(without).err(), expected, "without {name}");
        if name == "v" {
            continue;
        }
        for odd in [Json::Null, Json::Bool(true), Json::Number(0.5), Json::List(vec![Json::Null]), Json::Number(1e300)]
        {
            let mut changed = members.clone();
            changed[at].1 = odd.clone();
            assert_eq!(parse(changed).err(), Some(RecordFault::Corrupt), "{name} {odd:?}");
        }
    }
    let mut added = members.clone();
    added.push(("refesh".into(), Json::Null));
    assert_eq!(parse(added).err(), Some(RecordFault::Corrupt));

    let tokens = members.iter().position(|(name, _)| name == "tokens").unwrap();
    for odd in [
        r#"{}"#,
        r#"{"access":"","source":"oidc"}"#,
        r#"{"access":"at"}"#,
        r#"{"access":"at","source":"elsewhere"}"#,
        r#"{"access":"at","source":"oidc","refresh":""}"#,
        r#"{"access":"at","source":"oidc","refresh":null}"#,
        r#"{"access":"at","source":"oidc","id_claims":[]}"#,
        r#"{"access":"at","source":"oidc","refesh":"rt"}"#,
        r#"{"access":"at","source":"oidc","jkt":"k"}"#,
        r#"{"access":"at","source":"oidc","bound":true}"#,
        r#"{"access":"at","source":"oidc","jkt":7,"bound":true}"#,
        r#"{"access":"at","source":"oidc","jkt":"k","bound":"yes"}"#,
    ] {
        let mut changed = members.clone();
        changed[tokens].1 = Json::parse(odd).unwrap();
        assert_eq!(parse(changed).err(), Some(RecordFault::Corrupt), "{odd}");
    }
}

#[test]
fn every_corruption_of_a_single_byte_gives_a_whole_record_or_a_fault() {
    // Every byte for the short records; for the long one every flipped bit, and what JSON takes for punctuation.
    let all: Vec<u8> = (0..=255).collect();
    let telling = b"\"\\{}[]:,.-+09eEtfnu \n\0";
    for (session, replacements) in [(token_session(), &telling[..]), (cookie_session(), &all), (bare_tokens(), &all)] {
        let text = record(3, session).to_text();
        let bytes = text.as_bytes();
        let (mut records, mut faults) = (0, 0);
        let mut try_out = |bytes: &[u8]| {
            // A medium hands out text; bytes that are none never get here.
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            match Record::parse(text) {
                Ok(record) => {
                    records += 1;
                    assert_eq!(Record::parse(&record.to_text()), Ok(record));
                }
                Err(RecordFault::Corrupt | RecordFault::Newer | RecordFault::Foreign) => faults += 1,
            }
        };
        for at in 0..bytes.len() {
            try_out(&bytes[..at]);
            try_out(&[&bytes[..at], &bytes[at + 1..]].concat());
            let flipped = (0..8).map(|bit| bytes[at] ^ (1 << bit));
            for replacement in replacements.iter().copied().chain(flipped).filter(|byte| *byte != bytes[at]) {
                let mut changed = bytes.to_vec();
                changed[at] = replacement;
                try_out(&changed);
            }
        }
        assert!(records > 0 && faults > 1000, "{records} {faults}");
    }
}

#[test]
fn a_record_prints_no_token() {
    let printed = format!("{:?}", record(0, token_session()));
    for secret in ["at+/=", "\"rt\"", "a.b.c"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn a_mark_says_which_sign_in_is_over_and_whether_that_was_the_users_wish() {
    for wished in [true, false] {
        let mark = Mark { lineage: "a1".to_owned(), wished };
        assert_eq!(Mark::parse(&mark.to_text()), Some(mark.clone()));
        assert_eq!(parse_ended(&mark.to_text()), Some("a1".to_owned()));
        assert!(Record::parse(&mark.to_text()).is_err());
    }
    for text in ["", "{}", r#"{"v":1,"ended":"a1""#, r#"{"v":1,"ended":"a\"1"}"#, r#"{"v":1,"lapsed":"a1","x":1}"#] {
        assert_eq!(Mark::parse(text), None, "{text}");
    }
}
