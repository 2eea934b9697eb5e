//! Values that are refused, one by one.

use super::*;

#[test]
fn a_value_of_another_type_or_range_is_named_with_what_was_expected() {
    for (options, parts) in [
        ("{}", ["`mode`", "'session' or 'token'"]),
        ("[]", ["`mode`", "'session' or 'token'"]),
        (r#"{"mode":"cookie"}"#, ["`mode`", "'session' or 'token'"]),
        (r#"{"mode":"session"}"#, ["`endpoints`", "missing"]),
        (r#"{"mode":"session","endpoints":"/s"}"#, ["`endpoints`", "object"]),
        (r#"{"mode":"session","endpoints":{}}"#, ["`endpoints.session`", "missing"]),
        (r#"{"mode":"session","endpoints":{"session":7}}"#, ["`endpoints.session`", "URL"]),
        (r#"{"mode":"session","endpoints":{"session":{"method":"GET"}}}"#, ["`endpoints.session.url`", "missing"]),
        (r#"{"mode":"token"}"#, ["`oidc`", "`firstParty`"]),
        (r#"{"mode":"token","oidc":"https://as.example"}"#, ["`oidc`", "object"]),
        (r#"{"mode":"token","oidc":{"issuer":"https://as.example"}}"#, ["`oidc.clientId`", "missing"]),
        (r#"{"mode":"token","oidc":{"issuer":"https://as.example","clientId":""}}"#, ["`oidc.clientId`", "empty"]),
        (r#"{"mode":"token","oidc":{"issuer":"https://as.example","clientId":7}}"#, ["`oidc.clientId`", "text"]),
        (r#"{"mode":"token","firstParty":{"baseUrl":"/"}}"#, ["`firstParty.endpoints`", "missing"]),
        (r#"{"mode":"token","firstParty":{"endpoints":{"login":"/l"}}}"#, ["`firstParty.baseUrl`", "missing"]),
    ] {
        refused(parse(options), &parts);
    }
    for (more, parts) in [
        (r#","id":7"#, ["`id`", "text"]),
        (r#","id":"a b""#, ["`id`", "characters"]),
        (r#","id":"""#, ["`id`", "characters"]),
        (r#","mapUser":"x""#, ["`mapUser`", "function"]),
        (r#","parseSession":{}"#, ["`parseSession`", "function"]),
        (r#","isolation":"iframe""#, ["`isolation`", "'worker', 'page', 'required'"]),
        (r#","credentials":"omit""#, ["`credentials`", "'same-origin', 'include'"]),
        (r#","refresh":true"#, ["`refresh`", "object"]),
        (r#","refresh":{"proactive":1}"#, ["`refresh.proactive`", "true or false"]),
        (r#","refresh":{"earlySeconds":"60"}"#, ["`refresh.earlySeconds`", "number"]),
        (r#","refresh":{"earlySeconds":-1}"#, ["`refresh.earlySeconds`", "at least 0"]),
        (r#","refresh":{"earlySeconds":1e12}"#, ["`refresh.earlySeconds`", "at most a year"]),
        (r#","refresh":{"maxAttempts":0}"#, ["`refresh.maxAttempts`", "from 1 to 100"]),
        (r#","refresh":{"maxAttempts":1.5}"#, ["`refresh.maxAttempts`", "whole number"]),
        (r#","recheck":true"#, ["`recheck`", "object"]),
        (r#","recheck":{"intervalSeconds":0}"#, ["`recheck.intervalSeconds`", "at least 1"]),
        (r#","allowedOrigins":"https://a.example""#, ["`allowedOrigins`", "list"]),
        (r#","allowedOrigins":["https://a.example",7]"#, ["`allowedOrigins[1]`", "origin"]),
        (r#","allowedOrigins":["http://a.example"]"#, ["`allowedOrigins[0]`", "https"]),
        (r#","allowedOrigins":["*"]"#, ["`allowedOrigins[0]`", "origin"]),
        (r#","allowedOrigins":[{"pathPrefix":"/v1"}]"#, ["`allowedOrigins[0].origin`", "missing"]),
        (r#","allowedOrigins":[{"origin":"https://a.example/v1"}]"#, ["`allowedOrigins[0].origin`", "`pathPrefix`"]),
        (
            r#","allowedOrigins":[{"origin":"https://a.example","pathPrefix":"v1"}]"#,
            ["`allowedOrigins[0].pathPrefix`", "slash"],
        ),
        (r#","csrf":true"#, ["`csrf`", "`kind`"]),
        (r#","csrf":{}"#, ["`csrf.kind`", "missing"]),
        (r#","csrf":{"headerName":"x"}"#, ["`csrf.kind`", "missing"]),
        (r#","csrf":{"kind":"token"}"#, ["`csrf.kind`", "'double-submit', 'synchronizer', 'static-header'"]),
        (r#","csrf":{"kind":"synchronizer"}"#, ["`csrf.headerName`", "missing"]),
        (r#","csrf":{"kind":"synchronizer","headerName":"x y"}"#, ["`csrf.headerName`", "header name"]),
        (r#","csrf":{"kind":"synchronizer","headerName":"Cookie"}"#, ["`csrf.headerName`", "browser"]),
        (r#","csrf":{"kind":"double-submit","headerName":"x"}"#, ["`csrf.cookieName`", "missing"]),
        (
            r#","csrf":{"kind":"double-submit","headerName":"x","cookieName":"a;b"}"#,
            ["`csrf.cookieName`", "cookie name"],
        ),
        (r#","csrf":{"kind":"static-header","headerName":"x"}"#, ["`csrf.value`", "missing"]),
        (r#","csrf":{"kind":"static-header","headerName":"x","value":"a\r\nb"}"#, ["`csrf.value`", "ASCII"]),
        (r#","initialSession":{"user":{}}"#, ["`initialSession`", "`user` is empty"]),
        (r#","initialSession":{"user":{"sub":"u"},"expiresAt":1800000000000}"#, ["`initialSession`", "milliseconds"]),
        (r#","initialSession":false"#, ["`initialSession`", "object"]),
    ] {
        refused(session(more), &parts);
    }
}

#[test]
fn an_endpoint_must_lead_where_a_credential_may_go() {
    for (text, parts) in [
        (r#""login":"http://id.example/login""#, ["`endpoints.login`", "https"]),
        (r#""login":"//id.example/login""#, ["`endpoints.login`", "path"]),
        (r#""login":"https://me@id.example/login""#, ["`endpoints.login`", "path"]),
        (r#""login":"../login""#, ["`endpoints.login`", "path"]),
        (r#""login":"/login#x""#, ["`endpoints.login`", "path"]),
        (r#""login":{"url":""}"#, ["`endpoints.login.url`", "empty"]),
        (r#""login":{"url":"javascript:alert(1)//"}"#, ["`endpoints.login.url`", "path"]),
        (r#""login":{"url":"/x","method":"get"}"#, ["`endpoints.login.method`", "'GET', 'POST'"]),
        (r#""login":{"url":"/x","method":"GET"}"#, ["`endpoints.login.method`", "body"]),
        (r#""login":{"url":"/x","body":"xml"}"#, ["`endpoints.login.body`", "'json', 'form'"]),
        (r#""login":{"url":"/x","headers":["x"]}"#, ["`endpoints.login.headers`", "object"]),
        (r#""login":{"url":"/x","headers":{"x":1}}"#, ["`endpoints.login.headers.x`", "text"]),
        (r#""login":{"url":"/x","headers":{"x y":"1"}}"#, ["`endpoints.login.headers.x y`", "header name"]),
        (r#""login":{"url":"/x","headers":{"Authorization":"Bearer x"}}"#, ["headers.Authorization`", "authsafe"]),
        (r#""login":{"url":"/x","headers":{"sec-fetch-site":"none"}}"#, ["headers.sec-fetch-site`", "browser"]),
        (r#""login":{"url":"/x","headers":{"x":"a\nb"}}"#, ["`endpoints.login.headers.x`", "ASCII"]),
        (r#""extend":{"url":"/x","navigate":true}"#, ["`endpoints.extend.navigate`", "login"]),
        (r#""login":{"url":"/x","navigate":true,"method":"POST"}"#, ["`endpoints.login.navigate`", "GET"]),
        (r#""login":{"url":"/x","navigate":"yes"}"#, ["`endpoints.login.navigate`", "true or false"]),
    ] {
        refused(endpoints(text), &parts);
    }
    refused(session(r#","baseUrl":"http://id.example""#), &["`baseUrl`", "https"]);
    refused(session(r#","baseUrl":"https://id.example""#), &["`credentials`", "'include'"]);
    assert!(session(r#","baseUrl":"http://localhost:3000","credentials":"include""#).is_ok());
}

#[test]
fn a_provider_is_refused_where_a_sign_in_could_not_be_safe_or_complete() {
    for (issuer, part) in [
        ("http://as.example", "https, or http on loopback"),
        ("as.example", "https URL"),
        ("https://as.example/?x=1", "query"),
        ("https://as.example#x", "fragment"),
        ("https://me:pw@as.example", "https URL"),
        ("https://AS.example", "https URL"),
        ("", "empty"),
    ] {
        let options = format!(r#"{{"mode":"token","oidc":{{"issuer":"{issuer}","clientId":"a"}}}}"#);
        refused(parse(&options), &["`oidc.issuer`", part]);
    }
    for issuer in
        ["https://as.example/", "https://as.example/realms/x", "http://localhost:9400", "http://127.0.0.1:1/op"]
    {
        let options = format!(r#"{{"mode":"token","oidc":{{"issuer":"{issuer}","clientId":"a"}}}}"#);
        assert_eq!(tokens_of(parse(&options).unwrap()).oidc.unwrap().issuer.as_str(), issuer);
    }
    for (more, parts) in [
        (r#","redirectUri":"https://other.example/cb""#, ["`oidc.redirectUri`", "own origin"]),
        (r#","redirectUri":"/cb#x""#, ["`oidc.redirectUri`", "path"]),
        (r#","redirectUri":7"#, ["`oidc.redirectUri`", "text"]),
        (r#","postLogoutRedirectUri":"http://other.example""#, ["`oidc.postLogoutRedirectUri`", "https"]),
        (r#","scope":"openid  profile""#, ["`oidc.scope`", "single spaces"]),
        (r#","scope":"openid \"x\"""#, ["`oidc.scope`", "single spaces"]),
        (r#","scope":["openid"]"#, ["`oidc.scope`", "text"]),
        (r#","metadata":{"issuer":"https://as.example"}"#, ["`oidc.metadata`", "`authorization_endpoint`"]),
        (r#","metadata":{"issuer":"https://other.example"}"#, ["`oidc.metadata`", "https://other.example"]),
        (r#","authorizationParams":{"state":"x"}"#, ["`oidc.authorizationParams.state`", "authsafe"]),
        (r#","authorizationParams":[]"#, ["`oidc.authorizationParams`", "object"]),
        (r#","tokenParams":{"client_id":"x"}"#, ["`oidc.tokenParams.client_id`", "authsafe"]),
        (r#","tokenParams":{"audience":1}"#, ["`oidc.tokenParams.audience`", "text"]),
        (r#","idToken":{"leewaySeconds":301}"#, ["`oidc.idToken.leewaySeconds`", "from 0 to 300"]),
        (r#","idToken":{"maxAgeSeconds":-1}"#, ["`oidc.idToken.maxAgeSeconds`", "whole number"]),
    ] {
        refused(oidc(more), &parts);
    }
    let metadata = r#","metadata":{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a",
        "token_endpoint":"https://as.example/t"}"#;
    assert!(tokens_of(oidc(metadata).unwrap()).oidc.unwrap().metadata.is_some());
    let cookie = r#"{"mode":"token","firstParty":{"baseUrl":"/","endpoints":{"login":"/l"},"refreshCookie":true}}"#;
    refused(parse(cookie), &["`firstParty.refreshCookie`", "`endpoints.refresh`"]);
    refused(first_party(r#","parseTokens":"x""#), &["`firstParty.parseTokens`", "function"]);
}

#[test]
fn plain_text_in_a_medium_needs_the_word_that_names_the_risk() {
    for choice in ["sessionStorage", "localStorage", "indexedDB", "cookie"] {
        for (options, plaintext) in [
            (format!("\"{choice}\""), false),
            (format!(r#"{{"kind":"{choice}"}}"#), false),
            (format!(r#"{{"kind":"{choice}","dangerouslyPlaintext":false}}"#), false),
            (format!(r#"{{"kind":"{choice}","dangerouslyPlaintext":true}}"#), true),
        ] {
            let storage = tokens_of(storage(&options).unwrap()).storage;
            assert_eq!((storage.medium.as_str(), storage.plaintext), (choice, plaintext), "{options}");
        }
    }
    for (choice, parts) in [
        (r#""custom""#, ["'custom'", "`adapter`"]),
        (r#""LocalStorage""#, ["`storage`", "'localStorage'"]),
        (r#"{"kind":"disk"}"#, ["`storage.kind`", "'memory'"]),
        (r#"{}"#, ["`storage.kind`", "'memory'"]),
        ("7", ["`storage.kind`", "word"]),
        (r#"{"kind":"memory","dangerouslyPlaintext":true}"#, ["`storage.dangerouslyPlaintext`", "no option"]),
        (
            r#"{"kind":"localStorage","dangerouslyPlaintext":"yes"}"#,
            ["`storage.dangerouslyPlaintext`", "true or false"],
        ),
        (
            r#"{"kind":"cookie","sameSite":"None","dangerouslyPlaintext":true}"#,
            ["`storage.sameSite`", "'Strict', 'Lax'"],
        ),
        (r#"{"kind":"cookie","path":"app","dangerouslyPlaintext":true}"#, ["`storage.path`", "slash"]),
        (r#"{"kind":"cookie","path":"/;domain=x","dangerouslyPlaintext":true}"#, ["`storage.path`", "semicolons"]),
        (
            r#"{"kind":"cookie","maxAgeSeconds":0,"dangerouslyPlaintext":true}"#,
            ["`storage.maxAgeSeconds`", "at least 1"],
        ),
    ] {
        refused(storage(choice), &parts);
    }
    for choice in [
        r#""memory""#,
        r#"{"kind":"memory"}"#,
        "null",
        r#"{"kind":"custom","adapter":true}"#,
        r#"{"kind":"custom","adapter":true,"dangerouslyPlaintext":true}"#,
    ] {
        assert!(storage(choice).is_ok(), "{choice}");
    }
    let cookie = r#"{"kind":"cookie","path":"/app","sameSite":"Lax","maxAgeSeconds":3600,"dangerouslyPlaintext":true}"#;
    let cookie = tokens_of(storage(cookie).unwrap()).storage;
    assert_eq!((cookie.cookie_path.as_str(), cookie.cookie_lax), ("/app", true));
    assert_eq!(cookie.cookie_max_age, Some(Lifetime::from_seconds(3600)));
}
