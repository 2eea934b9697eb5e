use super::*;
use crate::protocol::testing::{metadata, transaction, url};
use crate::types::{Issuer, UnixMillis};

fn ours() -> Transaction {
    transaction(1, UnixMillis(0))
}

fn read(href: &str) -> Option<AuthorizationResponse> {
    recognise(href, &url("https://app.example/cb"))
}

fn code(text: &str) -> Outcome {
    Outcome::Code(AuthorizationCode::new(text.to_owned()).unwrap())
}

#[test]
fn a_response_is_recognised_and_its_parameters_are_taken_out_of_the_address() {
    for (href, outcome, cleaned) in [
        ("https://app.example/cb?code=c&state=s", code("c"), "https://app.example/cb"),
        ("https://app.example/cb?state=s&code=a%2Bb%3D+c", code("a+b= c"), "https://app.example/cb"),
        (
            "https://app.example/cb?a=1&code=c&b&state=s&iss=i#frag?code=x",
            code("c"),
            "https://app.example/cb?a=1&b#frag?code=x",
        ),
        ("https://app.example/cb?c%6Fde=c&st%61te=s", code("c"), "https://app.example/cb"),
        ("https://app.example/cb?code=c&&state=s&session_state=z&", code("c"), "https://app.example/cb"),
        ("https://app.example/cb?code=c&state=s&q=a\\b`|'{}", code("c"), "https://app.example/cb?q=a\\b`|'{}"),
        ("https://app.example/cb?code=c&state=s#/a\\b", code("c"), "https://app.example/cb#/a\\b"),
        ("https://app.example/cb?code=c?x&state=s", code("c?x"), "https://app.example/cb"),
        (
            "https://app.example/cb?error=access_denied&error_description=No%21&error_uri=u&state=s&keep=%zz",
            Outcome::Error(OAuthError::new("access_denied", Some("No!"), Some("u"))),
            "https://app.example/cb?keep=%zz",
        ),
    ] {
        let response = read(href).unwrap();
        assert_eq!((response.state.as_str(), &response.outcome), ("s", &outcome), "{href}");
        assert_eq!(response.cleaned_url, cleaned, "{href}");
    }
    assert_eq!(
        read("https://app.example/cb?code=c&state=s&iss=https%3A%2F%2Fas.example").unwrap().iss.as_deref(),
        Some("https://as.example")
    );
}

#[test]
fn every_other_address_is_left_alone() {
    for href in [
        "https://app.example/cb",
        "https://app.example/cb?",
        "https://app.example/cb?code=c",
        "https://app.example/cb?state=s",
        "https://app.example/cb?code=c&state=",
        "https://app.example/cb?error_description=x&state=s",
        "https://app.example/cb#code=c&state=s",
        "https://app.example/cb/?code=c&state=s",
        "https://app.example/CB?code=c&state=s",
        "https://app.example/cb/../cb?code=c&state=s",
        "https://app.example/c%62?code=c&state=s",
        "https://app.example/?code=c&state=s",
        "https://app.example:8443/cb?code=c&state=s",
        "http://app.example/cb?code=c&state=s",
        "https://app.example.evil.example/cb?code=c&state=s",
        "https://app.example@evil.example/cb?code=c&state=s",
        "https://evil.example/cb?code=c&state=s&x=https://app.example/cb",
        "https:\\\\app.example/cb?code=c&state=s",
        "about:blank?code=c&state=s",
        "?code=c&state=s",
        "",
    ] {
        assert_eq!(read(href), None, "{href}");
    }
}

#[test]
fn a_redirect_uri_with_a_query_is_recognised_only_with_it() {
    let redirect_uri = url("https://app.example/?auth=cb");
    let response = recognise("https://app.example/?auth=cb&code=c&state=s", &redirect_uri).unwrap();
    assert_eq!(response.cleaned_url, "https://app.example/?auth=cb");
    assert_eq!(recognise("https://app.example/?code=c&state=s", &redirect_uri), None);
}

#[test]
fn what_no_honest_server_says_is_invalid_and_still_cleaned() {
    for query in [
        "code=c&code=d&state=s",
        "code=c&code=c&state=s",
        "code=c&state=s&state=t",
        "code=c&state=s&c%6fde=d",
        "code=c&error=x&state=s",
        "error=x&error=y&state=s",
        "code=c&state=s&iss=a&iss=b",
        "code=c&state=s&session_state=a&session_state=b",
        "code=&state=s",
        "error=&state=s",
        "code=&error=&state=s",
    ] {
        let response = read(&["https://app.example/cb?", query].concat()).unwrap();
        assert!(matches!(response.outcome, Outcome::Invalid(_)), "{query}: {:?}", response.outcome);
        assert_eq!(response.cleaned_url, "https://app.example/cb", "{query}");
        let error = judge(response, &ours(), &metadata()).unwrap_err();
        assert_eq!((error.code, error.phase), (ErrorCode::CallbackInvalid, ErrorPhase::Callback), "{query}");
    }
}

fn judged(outcome: Outcome, iss: Option<&str>, announced: bool) -> Result<CallbackCode, Error> {
    let mut provider = metadata();
    provider.iss_parameter_supported = announced;
    let (state, cleaned_url) = (ours().state, String::new());
    judge(AuthorizationResponse { state, outcome, iss: iss.map(str::to_owned), cleaned_url }, &ours(), &provider)
}

#[test]
fn iss_must_be_the_issuer_byte_for_byte_and_must_be_there_if_announced() {
    let denied = || Outcome::Error(OAuthError::new("access_denied", None, None));
    for (iss, announced, believed) in [
        (Some("https://as.example"), true, true),
        (Some("https://as.example"), false, true),
        (None, false, true),
        (None, true, false),
        (Some("https://as.example/"), false, false),
        (Some("https://AS.example"), false, false),
        (Some("https://evil.example"), true, false),
        (Some(""), false, false),
    ] {
        let good = judged(code("c"), iss, announced);
        let bad = judged(denied(), iss, announced).unwrap_err();
        assert_eq!(good.is_ok(), believed, "{iss:?} {announced}");
        if believed {
            assert_eq!(good.unwrap().expose(), "c");
            assert_eq!(bad.code, ErrorCode::AccessDenied);
        } else {
            assert_eq!(
                (bad.code, bad.phase, bad.oauth.clone()),
                (ErrorCode::IssuerMismatch, ErrorPhase::Callback, None)
            );
            assert_eq!(good.unwrap_err().code, ErrorCode::IssuerMismatch);
        }
    }
}

#[test]
fn the_providers_no_is_told_apart_from_its_other_errors() {
    for (error, expected) in [
        ("access_denied", ErrorCode::AccessDenied),
        ("login_required", ErrorCode::AuthorizationFailed),
        ("server_error", ErrorCode::AuthorizationFailed),
        ("<script>", ErrorCode::AuthorizationFailed),
        ("ACCESS_DENIED", ErrorCode::AuthorizationFailed),
    ] {
        let oauth = OAuthError::new(error, Some("why"), None);
        let judged = judged(Outcome::Error(oauth.clone()), Some("https://as.example"), true).unwrap_err();
        assert_eq!(
            (judged.code, judged.phase, judged.oauth.clone()),
            (expected, ErrorPhase::Callback, Some(oauth)),
            "{error}"
        );
    }
}

#[test]
fn that_a_provider_would_have_to_ask_the_user_is_no_failure_where_it_was_asked_without_them() {
    let refusal = |outcome: &str| {
        let response = read(&["https://app.example/cb?state=s&", outcome].concat()).unwrap();
        response.refusal().map(|failure| failure.map(|error| error.code))
    };
    assert_eq!(refusal("code=c"), None);
    for error in ["login_required", "interaction_required", "consent_required", "account_selection_required"] {
        assert_eq!(refusal(&["error=", error].concat()), Some(None), "{error}");
    }
    for (error, code) in [
        ("access_denied", ErrorCode::AccessDenied),
        ("server_error", ErrorCode::AuthorizationFailed),
        ("LOGIN_REQUIRED", ErrorCode::AuthorizationFailed),
    ] {
        assert_eq!(refusal(&["error=", error].concat()), Some(Some(code)), "{error}");
    }
}

#[test]
fn a_response_is_good_for_its_own_transaction_and_issuer_only() {
    let response = || {
        read(&["https://app.example/cb?code=c&iss=https://as.example&state=", ours().state.as_str()].concat()).unwrap()
    };
    assert!(judge(response(), &ours(), &metadata()).is_ok());
    let other = transaction(2, UnixMillis(0));
    assert_eq!(judge(response(), &other, &metadata()).unwrap_err().code, ErrorCode::CallbackInvalid);
    let mut elsewhere = metadata();
    elsewhere.issuer = Issuer("https://other.example".to_owned());
    assert_eq!(judge(response(), &ours(), &elsewhere).unwrap_err().code, ErrorCode::IssuerMismatch);
}

#[test]
fn a_code_does_not_print() {
    let response = read("https://app.example/cb?code=CANARY&state=s&error_description=x").unwrap();
    let judged = judged(code("CANARY"), None, false);
    let invalid = read("https://app.example/cb?code=CANARY&code=CANARY&state=s").unwrap();
    let error = judge(invalid.clone(), &ours(), &metadata());
    assert!(!format!("{response:?} {judged:?} {invalid:?} {error:?}").contains("CANARY"));
}
