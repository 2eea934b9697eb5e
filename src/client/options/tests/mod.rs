mod values;

use super::*;
use crate::error::ErrorCode;
use crate::jose::algs::{Algorithm, Allowed};
use crate::policy::storage::Medium;
use crate::protocol::dpop::Policy;
use crate::protocol::http::{BodyKind, Credentials};
use crate::types::{Csrf, Lifetime};

fn parse_at(page: &str, options: &str) -> Result<Config, Error> {
    Config::parse(&Json::parse(options).unwrap(), &WebUrl::parse(page).unwrap())
}

fn parse(options: &str) -> Result<Config, Error> {
    parse_at("https://app.example/start/page?x=1#y", options)
}

fn session(more: &str) -> Result<Config, Error> {
    parse(&format!(r#"{{"mode":"session","endpoints":{{"session":"/session"}}{more}}}"#))
}

fn endpoints(text: &str) -> Result<Config, Error> {
    parse(&format!(r#"{{"mode":"session","endpoints":{{"session":"/session",{text}}}}}"#))
}

fn oidc(more: &str) -> Result<Config, Error> {
    parse(&format!(r#"{{"mode":"token","oidc":{{"issuer":"https://as.example","clientId":"app"{more}}}}}"#))
}

fn first_party(more: &str) -> Result<Config, Error> {
    let base = r#""baseUrl":"/auth/","endpoints":{"login":"login","refresh":"/auth/refresh"}"#;
    parse(&format!(r#"{{"mode":"token","firstParty":{{{base}{more}}}}}"#))
}

fn storage(choice: &str) -> Result<Config, Error> {
    parse(&format!(
        r#"{{"mode":"token","oidc":{{"issuer":"https://as.example","clientId":"app"}},"storage":{choice}}}"#
    ))
}

fn backend_of(config: Config) -> SessionConfig {
    match config.mode {
        Mode::Session(config) => config,
        Mode::Token(_) => panic!("token mode"),
    }
}

fn tokens_of(config: Config) -> TokenConfig {
    match config.mode {
        Mode::Token(config) => config,
        Mode::Session(_) => panic!("session mode"),
    }
}

/// Every part must be in the message.
fn refused(result: Result<Config, Error>, parts: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.code, ErrorCode::ConfigInvalid, "{error}");
    assert!(error.detail.ends_with(['.', '?']), "{}", error.detail);
    for part in parts {
        assert!(error.detail.contains(part), "{part} is not in: {}", error.detail);
    }
}

#[test]
fn the_shortest_options_have_the_documented_defaults() {
    let config = session("").unwrap();
    assert_eq!(config.allowed_origins, [AllowedOrigin { origin: "https://app.example".into(), path_prefix: None }]);
    // Documented in both modes: a session is not prolonged behind its user's back.
    assert_eq!(config.refresh, RefreshPolicy { proactive: false, early: None, max_attempts: 5, grace: None });
    let SessionConfig { backend, recheck, initial_session } = backend_of(config);
    assert_eq!((backend.session.url.as_str(), backend.session.method.as_str()), ("https://app.example/session", "GET"));
    assert_eq!((backend.credentials, backend.csrf_kind, initial_session), (Credentials::SameOrigin, Csrf::Off, None));
    let ten = Lifetime::from_seconds(10);
    assert_eq!(recheck, Recheck { interval: None, on_focus: true, on_online: true, min_interval: ten });

    let config = oidc("").unwrap();
    assert_eq!(config.allowed_origins, []);
    assert_eq!(config.refresh, RefreshPolicy { proactive: true, early: None, max_attempts: 5, grace: None });
    let tokens = tokens_of(config);
    let provider = tokens.oidc.unwrap();
    assert_eq!(provider.algs, Some(Allowed::default()));
    let registration = provider.registration;
    assert_eq!(registration.redirect_uri.as_str(), "https://app.example/start/page");
    assert_eq!(registration.scope.as_str(), "openid profile email");
    assert_eq!((registration.leeway, registration.max_age), (Lifetime::from_seconds(60), None));
    assert_eq!((tokens.storage.medium, tokens.storage.cookie_path.as_str()), (Medium::Memory, "/"));
    assert!(tokens.first_party.is_none() && !tokens.storage.cookie_lax && tokens.storage.cookie_max_age.is_none());
}

#[test]
fn every_option_reaches_its_place() {
    let config = parse(
        r#"{"mode":"session","id":"a.B_c-1","mapUser":true,"logger":"debug","isolation":"required",
        "allowedOrigins":["https://api.example","https://b.example/v1",{"origin":"https://c.example:8443","pathPrefix":"/x/"}],
        "refresh":{"proactive":false,"earlySeconds":1.5,"maxAttempts":3,"offlineGraceSeconds":28800},
        "baseUrl":"https://id.example/api","credentials":"include","parseSession":true,"isSessionExpired":true,
        "csrf":{"kind":"double-submit","cookieName":"XSRF-TOKEN","headerName":"X-XSRF-TOKEN"},
        "recheck":{"intervalSeconds":60,"onFocus":false,"onOnline":false,"minIntervalSeconds":0},
        "initialSession":{"user":{"sub":"u1"}},
        "endpoints":{"session":"me","login":{"url":"/login","body":"form","headers":{"x-app":"1"}},
            "logout":{"url":"https://id.example/bye","navigate":true},"extend":{"url":"extend","method":"PUT"},"csrf":"csrf"}}"#,
    )
    .unwrap();
    assert_eq!(config.id, "a.B_c-1");
    let places: Vec<_> =
        config.allowed_origins.iter().map(|place| (place.origin.as_str(), place.path_prefix.as_deref())).collect();
    assert_eq!(
        places,
        [("https://api.example", None), ("https://b.example", Some("/v1")), ("https://c.example:8443", Some("/x"))]
    );
    let early = Some(Lifetime::from_millis(1500));
    let grace = Some(Lifetime::from_seconds(28_800));
    let refresh = RefreshPolicy { proactive: false, early, max_attempts: 3, grace };
    assert_eq!(config.refresh, refresh);
    let SessionConfig { backend, recheck, initial_session } = backend_of(config);
    assert_eq!(backend.session.url.as_str(), "https://id.example/api/me");
    let login = backend.login.unwrap();
    assert_eq!(
        (login.url.as_str(), login.method.as_str(), login.body),
        ("https://id.example/login", "POST", BodyKind::Form)
    );
    assert_eq!(login.headers, [("x-app".to_owned(), "1".to_owned())]);
    let logout = backend.logout.unwrap();
    assert_eq!((logout.url.as_str(), logout.method.as_str(), logout.navigate), ("https://id.example/bye", "GET", true));
    assert_eq!(backend.extend.unwrap().method, "PUT");
    assert_eq!((backend.csrf.unwrap().method.as_str(), backend.credentials), ("GET", Credentials::Include));
    let csrf = Csrf::DoubleSubmit { cookie_name: "XSRF-TOKEN".into(), header_name: "X-XSRF-TOKEN".into() };
    assert_eq!(backend.csrf_kind, csrf);
    let every_minute = Some(Lifetime::from_seconds(60));
    assert_eq!(
        recheck,
        Recheck { interval: every_minute, on_focus: false, on_online: false, min_interval: Lifetime::ZERO }
    );
    assert_eq!(initial_session, Some(Json::parse(r#"{"user":{"sub":"u1"}}"#)));

    let tokens = tokens_of(
        oidc(
            r#","redirectUri":"/cb","postLogoutRedirectUri":"https://app.example/bye","scope":"openid offline_access",
            "authorizationParams":{"prompt":"login","max_age":5},"tokenParams":{"audience":"api"},
            "idToken":{"leewaySeconds":0,"maxAgeSeconds":600,"algs":["EdDSA","ES384"]}"#,
        )
        .unwrap(),
    );
    let provider = tokens.oidc.unwrap();
    assert_eq!(provider.algs, Some(Allowed::only(&[Algorithm::Es384, Algorithm::EdDsa]).unwrap()));
    let registration = provider.registration;
    assert_eq!(registration.redirect_uri.as_str(), "https://app.example/cb");
    assert_eq!(registration.post_logout_redirect_uri.unwrap().as_str(), "https://app.example/bye");
    assert_eq!(
        registration.authorization_params,
        [("prompt", "login"), ("max_age", "5")].map(|(k, v)| (k.into(), v.into()))
    );
    assert_eq!(registration.token_params, [("audience".to_owned(), "api".to_owned())]);
    assert_eq!((registration.leeway, registration.max_age), (Lifetime::ZERO, Some(Lifetime::from_seconds(600))));

    let backend = tokens_of(first_party(r#","refreshCookie":true,"parseTokens":true"#).unwrap()).first_party.unwrap();
    assert_eq!(backend.login.url.as_str(), "https://app.example/auth/login");
    assert_eq!(backend.refresh.unwrap().url.as_str(), "https://app.example/auth/refresh");
    assert!(backend.refresh_cookie);
}

#[test]
fn an_option_that_does_not_exist_is_named_with_its_path_and_with_what_was_meant() {
    refused(session(r#","baseURL":"x""#), &["`baseURL`", "`baseUrl`"]);
    refused(session(r#","Mode":1"#), &["`Mode`", "`mode`"]);
    refused(session(r#","refresh":{"earlyseconds":1}"#), &["`refresh.earlyseconds`", "`earlySeconds`"]);
    refused(session(r#","recheck":{"onfocus":true}"#), &["`recheck.onfocus`", "`onFocus`"]);
    refused(session(r#","recheck":{"interval":9}"#), &["`recheck.interval`"]);
    refused(
        session(r#","allowedOrigins":[{"origin":"https://a.example","path":"/v1"}]"#),
        &["`allowedOrigins[0].path`"],
    );
    refused(session(r#","csrf":{"kind":"synchronizer","headername":"x"}"#), &["`csrf.headername`", "`headerName`"]);
    refused(session(r#","csrf":{"kind":"synchronizer","headerName":"x","cookieName":"c"}"#), &["`csrf.cookieName`"]);
    refused(endpoints(r#""signin":"/x""#), &["`endpoints.signin`"]);
    refused(endpoints(r#""login":{"url":"/x","methode":"POST"}"#), &["`endpoints.login.methode`", "`method`"]);
    refused(
        parse(r#"{"mode":"token","oidc":{"issuer":"https://as.example","clientID":"x"}}"#),
        &["`oidc.clientID`", "`clientId`"],
    );
    refused(
        parse(r#"{"mode":"token","oidc":{"issuer":"https://as.example","client_id":"x"}}"#),
        &["`oidc.client_id`", "`clientId`"],
    );
    refused(oidc(r#","idToken":{"leeway":1}"#), &["`oidc.idToken.leeway`"]);
    refused(first_party(r#","refreshcookie":true"#), &["`firstParty.refreshcookie`", "`refreshCookie`"]);
    refused(
        storage(r#"{"kind":"localStorage","dangerouslyPlainText":true}"#),
        &["`storage.dangerouslyPlainText`", "`dangerouslyPlaintext`"],
    );
    refused(storage(r#"{"kind":"localStorage","path":"/","dangerouslyPlaintext":true}"#), &["`storage.path`"]);
    refused(parse(r#"{"mode":"session","oidc":{},"endpoints":{"session":"/s"}}"#), &["`oidc`", "token mode"]);
    refused(parse(r#"{"mode":"token","endpoints":{}}"#), &["`endpoints`", "session mode"]);
}

#[test]
fn a_signature_is_by_an_algorithm_that_is_named_or_not_verified_at_all() {
    let (path, problem) = ("`oidc.idToken.algs`", "must name at least one");
    for algs in [r#"[]"#, r#"["HS256"]"#, r#"["RS256","none"]"#, r#"["rs256"]"#, r#"[256]"#] {
        refused(oidc(&[r#","idToken":{"algs":"#, algs, "}"].concat()), &[path, problem]);
    }
    refused(oidc(r#","idToken":{"algs":"RS256"}"#), &[path, "must be a list"]);
    refused(oidc(r#","idToken":{"verifySignature":false,"algs":["RS256"]}"#), &[path, "which is off"]);
    refused(oidc(r#","idToken":{"verifySignature":"no"}"#), &["`oidc.idToken.verifySignature`", "true or false"]);
    let algs = |id_token: &str| tokens_of(oidc(&[r#","idToken":"#, id_token].concat()).unwrap()).oidc.unwrap().algs;
    assert_eq!(algs("{}"), Some(Allowed::default()));
    assert_eq!(algs(r#"{"verifySignature":true,"algs":["Ed25519"]}"#), Allowed::only(&[Algorithm::EdDsa]));
    assert_eq!(algs(r#"{"verifySignature":false}"#), None);
}

#[test]
fn the_user_is_asked_about_only_where_that_is_wanted_and_an_id_token_says_who_it_is() {
    refused(oidc(r#","userInfo":"yes""#), &["`oidc.userInfo`", "true or false"]);
    refused(oidc(r#","userinfo":true"#), &["`oidc.userinfo`", "`userInfo`"]);
    // Without an ID token there is nobody whom an answer could be about.
    for scope in ["", "profile", "openid_connect offline_access"] {
        let options = [r#","userInfo":true,"scope":""#, scope, r#"""#].concat();
        refused(oidc(&options), &["`oidc.userInfo`", "needs `openid` in `oidc.scope`"]);
        assert!(oidc(&options.replace("true", "false")).is_ok(), "{scope}");
    }
    let asks = |more: &str| tokens_of(oidc(more).unwrap()).oidc.unwrap().user_info;
    assert_eq!((asks(""), asks(r#","userInfo":false"#), asks(r#","userInfo":true"#)), (false, false, true));
}

#[test]
fn an_option_of_a_later_version_says_so() {
    refused(oidc(r#","par":"auto""#), &["`oidc.par`", "not in this version"]);
    refused(session(r#","preset":"django""#), &["`preset`", "not in this version"]);
    for option in ["par", "onMetric"] {
        refused(
            parse(&format!(
                r#"{{"mode":"token","{option}":"auto","oidc":{{"issuer":"https://as.example","clientId":"a"}}}}"#
            )),
            &[option, "not in this version"],
        );
    }
}

#[test]
fn tokens_are_bound_where_it_can_be_unless_the_application_says_otherwise() {
    let policy = |more: &str| {
        let config =
            parse(&format!(r#"{{"mode":"token"{more},"oidc":{{"issuer":"https://as.example","clientId":"a"}}}}"#));
        let Mode::Token(tokens) = config.unwrap().mode else { unreachable!() };
        tokens.oidc.unwrap().dpop
    };
    assert_eq!(policy(""), Policy::Auto);
    assert_eq!(policy(r#","dpop":"auto""#), Policy::Auto);
    assert_eq!(policy(r#","dpop":"always""#), Policy::Always);
    assert_eq!(policy(r#","dpop":"never""#), Policy::Never);
    let backend = r#""firstParty":{"baseUrl":"https://app.example","endpoints":{"login":"/l"}}"#;
    refused(parse(&format!(r#"{{"mode":"token","dpop":"always",{backend}}}"#)), &["`dpop`", "`oidc`"]);
    assert!(parse(&format!(r#"{{"mode":"token","dpop":"auto",{backend}}}"#)).is_ok());
    refused(parse(&format!(r#"{{"mode":"token","dpop":true,{backend}}}"#)), &["`dpop`", "'auto', 'always', 'never'"]);
}

#[test]
fn a_rendered_session_is_a_session_nobody_or_unknown() {
    for (more, expected) in [
        ("", None),
        (r#","initialSession":null"#, Some(None)),
        (r#","initialSession":{"user":{"sub":"u1"}}"#, Some(Json::parse(r#"{"user":{"sub":"u1"}}"#))),
    ] {
        assert_eq!(backend_of(session(more).unwrap()).initial_session, expected, "{more}");
    }
}

#[test]
fn each_kind_of_csrf_proof_can_be_chosen_and_rechecks_switched_off() {
    for (csrf, expected) in [
        ("false", Csrf::Off),
        ("null", Csrf::Off),
        (r#"{"kind":"synchronizer","headerName":"x-t"}"#, Csrf::Synchronizer { header_name: "x-t".into() }),
        (
            r#"{"kind":"static-header","headerName":"x-requested-with","value":"authsafe"}"#,
            Csrf::StaticHeader { header_name: "x-requested-with".into(), value: "authsafe".into() },
        ),
    ] {
        let config = session(&format!(r#","csrf":{csrf}"#)).unwrap();
        assert_eq!(backend_of(config).backend.csrf_kind, expected);
    }
    let off = backend_of(session(r#","recheck":false"#).unwrap()).recheck;
    assert!(off.interval.is_none() && !off.on_focus && !off.on_online);
}

#[test]
fn the_default_id_is_stable_and_tells_clients_apart() {
    let ids: Vec<String> = [
        oidc(""),
        oidc(r#","scope":"openid""#),
        parse(r#"{"mode":"token","oidc":{"issuer":"https://as.example","clientId":"app2"}}"#),
        parse(r#"{"mode":"token","oidc":{"issuer":"https://as.example/","clientId":"app"}}"#),
        first_party(""),
        session(""),
        parse(r#"{"mode":"session","endpoints":{"session":"/other"}}"#),
    ]
    .map(|config| config.unwrap().id)
    .to_vec();
    assert_eq!(ids[0], ids[1], "what may change between two page loads does not change the id");
    for (at, id) in ids.iter().enumerate().skip(1) {
        assert!(!ids[at + 1..].contains(id), "{ids:?}");
        assert!(id.len() == 25 && id.starts_with("authsafe-"), "{id}");
    }
    // Stored sessions are found by it, so it must not change from one version to the next.
    assert_eq!(short_hash(""), "cbf29ce484222325");
    assert_eq!(short_hash("foobar"), "85944171f73967e8");
}

#[test]
fn a_page_that_is_not_a_secure_context_is_told_so() {
    for options in [
        r#"{"mode":"session","endpoints":{"session":"/session"}}"#,
        r#"{"mode":"token","oidc":{"issuer":"https://as.example","clientId":"app"}}"#,
    ] {
        let error = parse_at("http://192.168.0.7:8080/", options).unwrap_err();
        assert_eq!(error.code, ErrorCode::InsecureContext);
        assert!(parse_at("http://localhost:8080/", options).is_ok());
    }
}

#[test]
fn no_option_makes_reading_panic() {
    let samples =
        ["null", "true", "-1", "1e300", "\"\"", "\"x\"", "\"/x\"", "[]", "[null]", "{}", r#"{"kind":7,"url":{}}"#];
    for (mode, names) in [("session", SESSION_OPTIONS), ("token", TOKEN_OPTIONS)] {
        for name in names.iter().chain(COMMON_OPTIONS).filter(|name| **name != "mode") {
            for sample in samples {
                let other = if *name == "endpoints" { "id" } else { "endpoints" };
                for options in [
                    format!(r#"{{"mode":"{mode}","{name}":{sample}}}"#),
                    format!(r#"{{"mode":"{mode}","{name}":{sample},"{other}":{sample}}}"#),
                ] {
                    if let Err(error) = parse(&options) {
                        assert_eq!(error.code, ErrorCode::ConfigInvalid, "{options}: {error}");
                    }
                }
            }
        }
    }
}
