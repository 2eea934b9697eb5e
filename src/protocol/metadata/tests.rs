use super::*;
use crate::protocol::http::Credentials;
use crate::protocol::testing::answer;

fn issuer() -> Issuer {
    Issuer("https://as.example".to_owned())
}

/// A good document, with members replaced or added; `null` counts as absent.
fn document(changes: &[(&str, &str)]) -> Json {
    let Json::Object(mut members) = Json::parse(
        r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/auth",
        "token_endpoint":"https://as.example/token","revocation_endpoint":"https://as.example/revoke",
        "end_session_endpoint":"https://as.example/logout","jwks_uri":"https://as.example/jwks",
        "userinfo_endpoint":"https://as.example/userinfo",
        "code_challenge_methods_supported":["plain","S256"],"authorization_response_iss_parameter_supported":true,
        "something_else":{"is":["ignored"]}}"#,
    )
    .unwrap() else {
        unreachable!()
    };
    for (name, value) in changes {
        members.retain(|(known, _)| known != name);
        members.push(((*name).to_owned(), Json::parse(value).unwrap()));
    }
    Json::Object(members)
}

#[test]
fn the_document_is_asked_for_below_the_issuer() {
    for (issuer, url) in [
        ("https://as.example", "https://as.example/.well-known/openid-configuration"),
        ("https://as.example/", "https://as.example/.well-known/openid-configuration"),
        ("https://as.example/realms/a", "https://as.example/realms/a/.well-known/openid-configuration"),
        ("https://as.example/realms/a/", "https://as.example/realms/a/.well-known/openid-configuration"),
        ("https://as.example//", "https://as.example//.well-known/openid-configuration"),
        ("https://AS.example:443/am", "https://as.example/am/.well-known/openid-configuration"),
        ("http://localhost:3000", "http://localhost:3000/.well-known/openid-configuration"),
    ] {
        let request = discovery_request(&Issuer(issuer.to_owned())).unwrap();
        assert_eq!((request.url.as_str(), request.method.as_str()), (url, "GET"), "{issuer}");
        assert_eq!((request.credentials, request.body.is_none()), (Credentials::Omit, true));
    }
}

#[test]
fn an_issuer_that_is_no_https_url_is_a_configuration_error() {
    for issuer in [
        "http://as.example",
        "as.example",
        "",
        "https://as.example?tenant=1",
        "https://as.example/#",
        "javascript:alert(1)",
        "https://user@as.example",
        "//as.example",
        "https://as.example\\@evil.example",
    ] {
        let error = discovery_request(&Issuer(issuer.to_owned())).unwrap_err();
        assert_eq!(error.code, ErrorCode::ConfigInvalid, "{issuer}");
    }
}

#[test]
fn a_good_document_is_read_whole() {
    let response = answer(200, "application/json; charset=utf-8", &document(&[]).to_text());
    assert_eq!(process_discovery(&issuer(), &response), Ok(crate::protocol::testing::metadata()));
}

#[test]
fn the_optional_members_may_be_missing() {
    let names = [
        "revocation_endpoint",
        "end_session_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "code_challenge_methods_supported",
    ];
    let mut changes: Vec<_> = names.iter().map(|name| (*name, "null")).collect();
    changes.push(("authorization_response_iss_parameter_supported", "null"));
    let metadata = Metadata::from_json(&issuer(), &document(&changes)).unwrap();
    let Metadata { revocation_endpoint, end_session_endpoint, jwks_uri, userinfo_endpoint, .. } = metadata;
    assert_eq!(revocation_endpoint.or(end_session_endpoint).or(jwks_uri).or(userinfo_endpoint), None);
    assert!(!metadata.iss_parameter_supported);
}

#[test]
fn a_server_offers_proofs_of_possession_only_where_it_lists_our_algorithm() {
    let offers = |value| Metadata::from_json(&issuer(), &document(&[("dpop_signing_alg_values_supported", value)]));
    for (value, offered) in [
        (r#"["ES256"]"#, true),
        (r#"["RS256","ES256"]"#, true),
        (r#"["EdDSA"]"#, false),
        ("[]", false),
        ("null", false),
        (r#""ES256""#, false),
    ] {
        assert_eq!(offers(value).unwrap().dpop_es256, offered, "{value}");
    }
}

#[test]
fn another_issuers_document_is_refused_even_if_it_differs_by_a_slash() {
    for published in [
        "https://as.example/",
        "https://AS.example",
        "https://as.example:443",
        "https://evil.example",
        "",
        " https://as.example",
    ] {
        let changed = document(&[("issuer", &Json::from(published).to_text())]);
        let error = Metadata::from_json(&issuer(), &changed).unwrap_err();
        assert_eq!(error.code, ErrorCode::IssuerMismatch, "{published}");
        assert!(error.detail.contains("https://as.example"), "{}", error.detail);
    }
}

#[test]
fn a_lying_or_broken_document_is_refused_and_the_member_is_named() {
    let mut cases = vec![
        ("issuer", "null"),
        ("issuer", "7"),
        ("authorization_endpoint", "null"),
        ("token_endpoint", "null"),
        ("code_challenge_methods_supported", "[]"),
        ("code_challenge_methods_supported", "[\"plain\"]"),
        ("code_challenge_methods_supported", "[\"s256\",[\"S256\"]]"),
        ("code_challenge_methods_supported", "\"S256\""),
        ("authorization_response_iss_parameter_supported", "\"true\""),
        ("authorization_response_iss_parameter_supported", "1"),
    ];
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
    ] {
        for value in [
            "7",
            "true",
            "[]",
            "\"\"",
            "\"/token\"",
            "\"//evil.example/token\"",
            "\"http://as.example/token\"",
            "\"javascript:alert(1)\"",
            "\"data:text/html,x\"",
            "\"https://as.example@evil.example/\"",
            "\"https://as.example\\\\@evil.example/\"",
            "\"https://as.example/token#x\"",
            "\"https://as.example/to ken\"",
        ] {
            cases.push((name, value));
        }
    }
    for (name, value) in cases {
        let error = Metadata::from_json(&issuer(), &document(&[(name, value)])).unwrap_err();
        assert_eq!((error.code, error.phase), (ErrorCode::DiscoveryInvalid, ErrorPhase::Discovery), "{name} {value}");
        assert!(error.detail.contains(name), "{name} {value}: {}", error.detail);
    }
}

#[test]
fn a_default_port_and_capitals_in_an_endpoint_are_harmless() {
    let changed = document(&[("token_endpoint", "\"https://AS.Example:443/Token?A=B\"")]);
    let metadata = Metadata::from_json(&issuer(), &changed).unwrap();
    assert_eq!(metadata.token_endpoint.as_str(), "https://as.example/Token?A=B");
    for text in [
        "https://as.example:80/",
        "HTTPS://as.example:443x/",
        "https://as.example:443@evil.example/",
        "http://localhost:80/x",
    ] {
        let parsed = ::url::Url::parse(text).ok().filter(|url| url.username().is_empty()).map(String::from);
        assert_eq!(endpoint_url(text).map(|url| url.as_str().to_owned()), parsed, "{text}");
    }
}

#[test]
fn an_answer_that_is_no_document_tells_what_it_is() {
    let html = "<html></html>";
    for (status, content_type, body, code) in [
        (200, "text/html", html, ErrorCode::DiscoveryInvalid),
        (200, "application/json", "{\"issuer\":", ErrorCode::DiscoveryInvalid),
        (200, "application/json", "[]", ErrorCode::DiscoveryInvalid),
        (404, "text/html", html, ErrorCode::DiscoveryInvalid),
        (404, "application/json", "{}", ErrorCode::DiscoveryInvalid),
        (204, "", "", ErrorCode::DiscoveryInvalid),
        (0, "", "", ErrorCode::RedirectRefused),
        (429, "", "", ErrorCode::RateLimited),
        (502, "text/html", html, ErrorCode::ServerError),
    ] {
        let error = process_discovery(&issuer(), &answer(status, content_type, body)).unwrap_err();
        assert_eq!((error.code, error.phase), (code, ErrorPhase::Discovery), "{status} {body}");
    }
}
