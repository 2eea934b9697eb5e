use super::*;
use crate::protocol::http::BodyKind;
use crate::protocol::testing::{answer, url};

const AT: UnixMillis = UnixMillis(1_000_000);
const TOKENS: &str =
    r#"{"access_token":"at","token_type":"Bearer","expires_in":60,"refresh_token":"rt","user":{"sub":"u1"}}"#;

fn endpoint(method: &str, path: &str) -> Endpoint {
    Endpoint::new(method, url(&["https://app.example", path].concat()))
}

fn backend() -> FirstParty {
    FirstParty {
        login: endpoint("POST", "/login"),
        refresh: Some(endpoint("POST", "/refresh")),
        logout: Some(endpoint("POST", "/logout")),
        user: Some(endpoint("GET", "/user")),
        refresh_cookie: false,
    }
}

fn refresh_token() -> RefreshToken {
    RefreshToken::new("CANARY-rt".to_owned()).unwrap()
}

fn body(request: &HttpRequest) -> &str {
    request.body.as_ref().map_or("", |(_, text)| text.as_str())
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find_map(|(key, value)| (key == name).then_some(value.as_str()))
}

fn json(status: u16, body: &str) -> HttpResponse {
    answer(status, "application/json", body)
}

#[test]
fn each_call_goes_to_its_endpoint_with_what_it_needs() {
    let password = Password::new("p w".to_owned()).unwrap();
    let login = login_request(&backend(), "me", &password, Some(&Json::parse(r#"{"otp":"1"}"#).unwrap()));
    assert_eq!((login.method.as_str(), login.url.path(), login.purpose), ("POST", "/login", Purpose::Tokens));
    assert_eq!(body(&login), r#"{"username":"me","password":"p w","otp":"1"}"#);

    let refresh = refresh_request(&backend(), Some(&refresh_token())).unwrap();
    assert_eq!((refresh.url.path(), refresh.purpose), ("/refresh", Purpose::Tokens));
    assert_eq!(body(&refresh), r#"{"refresh_token":"CANARY-rt"}"#);

    let logout = logout_request(&backend(), Some(&refresh_token())).unwrap();
    assert_eq!(
        (logout.url.path(), logout.keepalive, body(&logout)),
        ("/logout", true, r#"{"refresh_token":"CANARY-rt"}"#)
    );

    let user = user_request(&backend(), &AccessToken::new("at".to_owned()).unwrap()).unwrap();
    assert_eq!((user.method.as_str(), user.url.path(), user.body.is_none()), ("GET", "/user", true));
    assert_eq!(header(&user, "authorization"), Some("Bearer at"));

    for request in [login, refresh, logout, user] {
        assert_eq!((request.credentials, header(&request, "x-requested-with")), (Credentials::Omit, None));
        assert!(!format!("{request:?}").contains("CANARY"));
    }
}

#[test]
fn with_a_refresh_cookie_every_call_carries_cookies_and_a_header_that_no_form_can_send() {
    let mut backend = FirstParty { refresh_cookie: true, ..backend() };
    // The application may have set the header itself; it must not go out twice.
    backend.login.headers.push(("X-Requested-With".into(), "XMLHttpRequest".into()));
    backend.login.body = BodyKind::Form;
    let password = Password::new("pw".to_owned()).unwrap();
    let login = login_request(&backend, "me", &password, None);
    assert_eq!(body(&login), "username=me&password=pw");
    let refresh = refresh_request(&backend, None).unwrap();
    let logout = logout_request(&backend, None).unwrap();
    assert_eq!((body(&refresh), body(&logout)), ("{}", "{}"));
    let user = user_request(&backend, &AccessToken::new("at".to_owned()).unwrap()).unwrap();
    for request in [login, refresh, logout, user] {
        let sent: Vec<_> = request.headers.iter().filter(|(name, _)| name == "x-requested-with").collect();
        assert_eq!(sent, [&("x-requested-with".to_owned(), "authsafe".to_owned())]);
        assert_eq!(request.credentials, Credentials::Include);
    }
}

#[test]
fn what_the_backend_cannot_do_is_not_asked() {
    let bare = FirstParty { refresh: None, logout: None, user: None, ..backend() };
    assert!(refresh_request(&bare, Some(&refresh_token())).is_none());
    assert!(logout_request(&bare, None).is_none());
    assert!(user_request(&bare, &AccessToken::new("at".to_owned()).unwrap()).is_none());
    assert!(refresh_request(&backend(), None).is_none(), "there is nothing to refresh with");
}

#[test]
fn a_good_answer_brings_tokens_and_the_user() {
    for status in [200, 201] {
        let tokens = process_tokens(&json(status, TOKENS), AT, ErrorPhase::Login).unwrap();
        assert_eq!(tokens.access.expose(), "at");
        assert_eq!(tokens.refresh.as_ref().map(RefreshToken::expose), Some("rt"));
        assert_eq!(tokens.expires_at.map(|end| end.0), Some(UnixMillis(1_060_000)));
        assert_eq!(tokens.user, Json::parse(r#"{"sub":"u1"}"#));
    }
}

#[test]
fn a_refusal_ends_the_session_only_when_the_backend_itself_says_so() {
    use ErrorCode::{
        CredentialsRejected as Credentials, RateLimited, RedirectRefused as Redirect, ResponseInvalid as Invalid,
        ServerError, SessionExpired as Expired, TokenRequestRejected as Rejected,
    };
    let (grant, client) = (r#"{"error":"invalid_grant"}"#, r#"{"error":"invalid_client"}"#);
    let page = "<!doctype html><title>Sign in to the proxy</title>";
    // status, content type, body, code for a login, code for a refresh
    for (status, kind, body, login, refresh) in [
        (400, "application/json", grant, Credentials, Expired),
        (401, "application/json", grant, Credentials, Expired),
        (403, "application/json", grant, Credentials, Expired),
        (401, "application/json", "{}", Credentials, Expired),
        (401, "application/json", r#"{"error":"unauthenticated"}"#, Credentials, Expired),
        (401, "text/plain", "Unauthorized", Credentials, Expired),
        (401, "", "", Credentials, Expired),
        (403, "", "", Credentials, Expired),
        (403, "application/json", r#"{"message":"no"}"#, Credentials, Expired),
        (401, "application/json", client, Credentials, Rejected),
        (400, "application/json", client, Credentials, Rejected),
        (403, "application/json", r#"{"error":"csrf"}"#, Credentials, Rejected),
        (400, "application/json", r#"{"error":"unsupported_grant_type"}"#, Credentials, Rejected),
        (400, "application/json", "{}", Credentials, Invalid),
        (400, "", "", Credentials, Invalid),
        (401, "text/html", page, Credentials, Invalid),
        (403, "", page, Credentials, Invalid),
        (403, "Text/HTML; charset=utf-8", "denied", Credentials, Invalid),
        (422, "application/json", r#"{"errors":{"password":["is too short"]}}"#, Credentials, Invalid),
        (404, "application/json", r#"{"error":"not_found"}"#, Invalid, Rejected),
        (404, "application/json", grant, Invalid, Rejected),
        (405, "", "", Invalid, Invalid),
        (429, "application/json", grant, RateLimited, RateLimited),
        (500, "application/json", grant, ServerError, ServerError),
        (503, "text/html", page, ServerError, ServerError),
        (302, "", "", Redirect, Redirect),
        (0, "", "", Redirect, Redirect),
    ] {
        let response = answer(status, kind, body);
        for (phase, code) in [(ErrorPhase::Login, login), (ErrorPhase::Refresh, refresh)] {
            let error = process_tokens(&response, AT, phase).unwrap_err();
            assert_eq!((error.code, error.phase), (code, phase), "{status} {kind} {body}");
            assert_eq!(error.status, (status != 0).then_some(status), "{status} {body}");
        }
    }
    let error = process_tokens(&json(401, client), AT, ErrorPhase::Refresh).unwrap_err();
    assert_eq!(error.oauth.clone().map(|oauth| oauth.error).as_deref(), Some("invalid_client"));
}

#[test]
fn an_answer_that_is_no_token_response_is_invalid_and_ends_nothing() {
    for (kind, body) in [
        ("text/html", "<html></html>"),
        ("application/json", "<html></html>"),
        ("application/json", ""),
        ("application/json", "{}"),
        ("application/json", "[]"),
        ("application/json", r#"{"access_token":"at","token_type":"Bearer""#),
        ("application/json", r#"{"access_token":"at"}"#),
        ("application/json", r#"{"error":"invalid_grant"}"#),
    ] {
        for phase in [ErrorPhase::Login, ErrorPhase::Refresh] {
            let error = process_tokens(&answer(200, kind, body), AT, phase).unwrap_err();
            assert_eq!((error.code, error.phase), (ErrorCode::ResponseInvalid, phase), "{body}");
        }
    }
}

#[test]
fn a_hook_replaces_the_body_of_a_good_answer_and_nothing_else() {
    let with = |status, verdict| HttpResponse { verdict: Some(verdict), ..answer(status, "text/xml", "<tokens/>") };
    let parsed = Verdict::Parsed(Json::parse(TOKENS).unwrap());
    assert!(process_tokens(&with(200, parsed.clone()), AT, ErrorPhase::Refresh).is_ok());
    for (status, verdict, code) in [
        (200, Verdict::Failed, ErrorCode::ConfigInvalid),
        (200, Verdict::Gone, ErrorCode::ResponseInvalid),
        (200, Verdict::Parsed(Json::parse(r#"{"token":"x"}"#).unwrap()), ErrorCode::ResponseInvalid),
        (200, Verdict::Parsed(Json::Null), ErrorCode::ResponseInvalid),
        (500, parsed.clone(), ErrorCode::ServerError),
        (401, parsed, ErrorCode::ResponseInvalid),
        (500, Verdict::Failed, ErrorCode::ServerError),
    ] {
        let error = process_tokens(&with(status, verdict.clone()), AT, ErrorPhase::Refresh).unwrap_err();
        assert_eq!(error.code, code, "{status} {verdict:?}");
        assert_eq!(
            error.detail.contains("parseTokens"),
            matches!(verdict, Verdict::Failed | Verdict::Gone) && status == 200
        );
    }
}

#[test]
fn the_user_is_a_json_object_that_says_something() {
    assert_eq!(process_user(&json(200, r#"{"sub":"u1"}"#)).unwrap(), Json::parse(r#"{"sub":"u1"}"#).unwrap());
    for (status, body, code) in [
        (200, "{}", ErrorCode::ResponseInvalid),
        (200, "[]", ErrorCode::ResponseInvalid),
        (200, "null", ErrorCode::ResponseInvalid),
        (200, r#"{"error":"invalid_token"}"#, ErrorCode::ResponseInvalid),
        (401, r#"{"sub":"u1"}"#, ErrorCode::ResponseInvalid),
        (503, "", ErrorCode::ServerError),
        (0, "", ErrorCode::RedirectRefused),
    ] {
        let error = process_user(&json(status, body)).unwrap_err();
        assert_eq!((error.code, error.phase), (code, ErrorPhase::Login), "{status} {body}");
    }
}
