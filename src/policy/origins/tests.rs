use super::*;

fn places() -> Vec<AllowedOrigin> {
    [
        "https://api.test",
        "https://v.test/v1",
        "https://p.test:8443/a/b/",
        "http://localhost:9400",
        "https://xn--bcher-kva.test",
    ]
    .map(|text| AllowedOrigin::parse(text).unwrap())
    .to_vec()
}

/// As the text stands, and as a URL parser serialises it: both are ways in which it can arrive.
fn attached(text: &str) -> Vec<bool> {
    let serialised = url::Url::parse(text).ok().and_then(|url| WebUrl::parse(url.as_str()));
    [WebUrl::parse(text), serialised].iter().flatten().map(|url| may_attach(&places(), url)).collect()
}

#[test]
fn the_named_places_get_the_credential() {
    for text in [
        "https://api.test",
        "https://api.test/",
        "https://api.test/anything/at%2fall?x=..#y",
        "https://api.test?x=https://evil.test",
        "https://v.test/v1",
        "https://v.test/v1/",
        "https://v.test/v1/a",
        "https://v.test/v1?x=../..",
        "https://v.test/v1/a#/../..",
        "https://v.test/v1/a..b/...",
        "https://v.test/v1/a%20b",
        "https://v.test/v1/a;b=c",
        "https://p.test:8443/a/b",
        "https://p.test:8443/a/b/c",
        "http://localhost:9400/x",
        "https://xn--bcher-kva.test/",
    ] {
        let results = attached(text);
        assert!(!results.is_empty() && results.iter().all(|yes| *yes), "{text}: {results:?}");
    }
}

#[test]
fn a_hostile_spelling_gets_no_credential() {
    for text in [
        // Another host.
        "https://api.test.evil.tld/",
        "https://api.test@evil.tld/",
        "https://api.test:443@evil.tld/",
        "https://api.test%40evil.tld/",
        "https://api.test%2f@evil.tld/",
        "https://api.test%00.evil.tld/",
        "https://evil.tld\\@api.tes",
        "https://evil.tld/https://api.test/",
        "https://evil.tld/?https://api.test/",
        "https://evil.tld#https://api.test/",
        "https://evil.tld#@api.test/",
        "https://evil.tld/@api.test",
        "https://evilapi.test/",
        "https://api.test./",
        "https://api.test../",
        "https://api-test/",
        "https://sub.api.test/",
        "https://.api.test/",
        "https://api.tes",
        "https://api.test\u{2044}evil.tld/",
        "https://api.test\u{3002}evil.tld/",
        "https://\u{430}pi.test/",
        "https://xn--pi-7kc.test/",
        "https://xn--bcher-kva.test.evil.tld/",
        "//evil.tld/",
        "\\\\evil.tld/",
        "https:evil.tld/",
        "https:/evil.tld/",
        "https:///evil.tld/",
        // Another scheme or port.
        "http://api.test/",
        "ws://api.test/",
        "ftp://api.test/",
        "https://api.test:8443/",
        "https://api.test:80/",
        "https://api.test:4430/",
        "https://p.test/a/b",
        "https://p.test:443/a/b",
        "http://localhost:9401/",
        "http://localhost/",
        "https://localhost:9400/",
        "http://127.0.0.1:9400/",
        "http://[::1]:9400/",
        "http://localhost.evil.tld:9400/",
        // No place at all.
        "blob:https://api.test/5f0c",
        "data:text/html,https://api.test/",
        "javascript:fetch('https://api.test/')",
        "filesystem:https://api.test/temporary/x",
        "about:blank",
        "file:///api.test",
        "",
        // Outside of the prefix, now or after a lax server has decoded it.
        "https://v.test/",
        "https://v.test/v10",
        "https://v.test/v1.evil",
        "https://v.test/v1%2e",
        "https://v.test/v1%2fadmin",
        "https://v.test/v1%3f/../x",
        "https://v.test/V1/a",
        "https://v.test//v1/a",
        "https://v.test/x/v1/a",
        "https://v.test/v1/../admin",
        "https://v.test/v1/%2e%2e/admin",
        "https://v.test/v1/%2E./admin",
        "https://v.test/v1/.%2e",
        "https://v.test/v1/..%2fadmin",
        "https://v.test/v1/..%2Fadmin",
        "https://v.test/v1/%2f..%2fadmin",
        "https://v.test/v1/..%5cadmin",
        "https://v.test/v1/%5C..%5Cadmin",
        "https://v.test/v1/..\\admin",
        "https://v.test/v1/%252e%252e/admin",
        "https://v.test/v1/..%252fadmin",
        "https://v.test/v1/..%25255cadmin",
        "https://v.test/v1/..;/admin",
        "https://v.test/v1/..;x=y/admin",
        "https://v.test/v1/%2e%2e%3b/admin",
        "https://v.test/v1/..%c0%afadmin",
        "https://v.test/v1/..%C1%9Cadmin",
        "https://v.test/v1/%u002e%u002e/admin",
        "https://p.test:8443/a",
        "https://p.test:8443/a/bc",
        "https://p.test:8443/a/b/../c",
    ] {
        assert!(attached(text).iter().all(|yes| !yes), "{text} gets a credential");
    }
}

#[test]
fn a_spelling_that_parsers_read_in_two_ways_counts_only_after_one_of_them_has_settled_it() {
    // Each leads to a named place in a browser, and to another one in some laxer reading.
    for text in [
        "https://API.test/",
        "https://api.test:443/",
        "https://api.test:0443/",
        "https:\\\\api.test\\",
        "https:api.test",
        "https://api.test\\@evil.tld/",
        "https://api.test\\.evil.tld/",
        "https://api.te\nst/",
        "https://api.test/\t",
        " https://api.test/",
    ] {
        assert_eq!(attached(text), [true], "{text:?}");
        assert_eq!(WebUrl::parse(text), None, "{text:?}");
    }
    // A path is settled in the same way; as it stands, it does not match.
    assert_eq!(attached("https://v.test/x/../v1/a"), [false, true]);
    // A parser keeps user names, so such an address gets nothing, wherever it leads.
    assert!(attached("https://user:pw@api.test/").is_empty());
}

#[test]
fn whoever_gets_the_credential_is_whom_the_reference_parser_names() {
    let named: Vec<String> = places().into_iter().map(|place| place.origin).collect();
    let heads = ["https://", "http://", "https:", "https:\\\\", "//", "HTTPS://", "https:///", ""];
    let hosts =
        ["api.test", "API.test", "evil.tld", "v.test", "api.test@evil.tld", "evil.tld@api.test", "evil.tld\\@api.test"];
    let tails = ["", "/", "\\", "@", ":", ":443", ":8443", "?", "#", ".", "%2f", "%00", "\t", ";"];
    let rests = ["", "evil.tld/", "/v1/a", "@evil.tld", "/..%2f"];
    let mut seen = 0;
    let starts = heads.iter().flat_map(|head| hosts.map(|host| [head, host].concat()));
    let ends: Vec<String> = tails.iter().flat_map(|tail| rests.map(|rest| [tail, rest].concat())).collect();
    for text in starts.flat_map(|start| ends.iter().map(|end| [start.as_str(), end].concat()).collect::<Vec<_>>()) {
        if attached(&text).contains(&true) {
            seen += 1;
            let origin = url::Url::parse(&text).unwrap().origin().ascii_serialization();
            assert!(named.contains(&origin), "{text:?} leads to {origin}");
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn nothing_is_allowed_where_nothing_is_named() {
    assert!(!may_attach(&[], &WebUrl::parse("https://api.test/").unwrap()));
}

#[test]
fn an_origin_that_is_not_trustworthy_gets_nothing_even_if_it_is_named() {
    let named = AllowedOrigin { origin: "http://api.test".into(), path_prefix: None };
    assert!(!may_attach(&[named], &WebUrl::parse("http://api.test/").unwrap()));
}

#[test]
fn a_place_is_written_as_an_origin_with_or_without_a_path() {
    for (text, origin, path_prefix) in [
        ("https://api.test", "https://api.test", None),
        ("https://api.test/", "https://api.test", None),
        ("https://api.test:8443", "https://api.test:8443", None),
        ("https://api.test/v1", "https://api.test", Some("/v1")),
        ("https://api.test/v1/", "https://api.test", Some("/v1")),
        ("http://127.0.0.1:3000/a/b", "http://127.0.0.1:3000", Some("/a/b")),
    ] {
        let place = AllowedOrigin { origin: origin.into(), path_prefix: path_prefix.map(str::to_owned) };
        assert_eq!(AllowedOrigin::parse(text), Ok(place), "{text}");
    }
}

#[test]
fn a_place_that_could_mean_another_is_refused_with_the_reason() {
    for (text, why) in [
        ("http://api.test", "https"),
        ("api.test", "origin"),
        ("*", "origin"),
        ("https://*.test", "origin"),
        ("null", "origin"),
        ("", "origin"),
        ("https://API.test", "origin"),
        ("https://api.test:443", "origin"),
        ("https://user@api.test", "origin"),
        ("https://api.test?x", "query"),
        ("https://api.test/#x", "query"),
        ("https://api.test/v1?", "query"),
        ("https://api.test/a/../b", "plain path"),
        ("https://api.test/a%2fb", "plain path"),
    ] {
        let error = AllowedOrigin::parse(text).unwrap_err();
        assert_eq!(error.code, ErrorCode::ConfigInvalid, "{text}");
        assert!(error.detail.contains(why), "{text}: {}", error.detail);
    }
}

#[test]
fn a_prefix_given_apart_is_as_strict() {
    let place = || AllowedOrigin::parse("https://api.test").unwrap();
    assert_eq!(place().below("/v1/").unwrap().path_prefix.as_deref(), Some("/v1"));
    assert_eq!(place().below("/").unwrap().path_prefix, None);
    for prefix in ["", "v1", ".evil.tld/", ":8443/", "@evil.tld/", "/..", "/a?b", "/a#b", "/a\\b", "/a b", "/%2e%2e/"] {
        assert!(place().below(prefix).is_err(), "{prefix}");
    }
}
