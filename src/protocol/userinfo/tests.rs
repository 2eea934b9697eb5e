use super::*;
use crate::protocol::dpop::bound_token;
use crate::protocol::http::Credentials;
use crate::protocol::testing::{answer, url};
use crate::types::Lifetime;

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

fn claims() -> Json {
    json(r#"{"iss":"https://as.example","sub":"alice","aud":"app","exp":2,"iat":1,"name":"Al"}"#)
}

/// The text of what is taken, or the code and the reason.
fn judged(response: &HttpResponse) -> Result<String, (&'static str, String)> {
    match process_userinfo(response, &claims()) {
        Ok(userinfo) => Ok(userinfo.to_text()),
        Err(error) => {
            assert_eq!((error.phase, error.status.unwrap_or_default()), (ErrorPhase::Token, response.status));
            Err((error.code.as_str(), error.detail.clone()))
        }
    }
}

#[test]
fn the_token_is_shown_in_the_header_alone_and_by_a_proof_where_it_is_bound() {
    let access = AccessToken::new("at".to_owned()).unwrap();
    let prover = Prover { jkt: "key".to_owned(), skew: 0, known_at: None };
    for (prover, shown, named) in [(None, "Bearer at", None), (Some(prover), "DPoP at", Some(access.clone()))] {
        let request = userinfo_request(&url("https://as.example/me?tenant=7"), &access, prover.clone());
        assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", "https://as.example/me?tenant=7"));
        assert_eq!(
            request.headers,
            [("accept".to_owned(), "application/json".to_owned()), ("authorization".to_owned(), shown.to_owned())]
        );
        assert_eq!((request.credentials, request.body.is_none()), (Credentials::Omit, true));
        assert_eq!(request.prover, prover);
        assert_eq!(bound_token(&request), named);
        assert!(!format!("{request:?}").contains("at "), "{request:?}");
    }
}

#[test]
fn what_is_said_about_the_user_of_the_id_token_is_taken() {
    for body in [
        r#"{"sub":"alice"}"#,
        r#"{"email":"a@b.example","sub":"alice","address":{"country":"FR"}}"#,
        r#"{"sub":"\u0061lice"}"#,
    ] {
        for content_type in ["application/json", "application/json; charset=utf-8"] {
            assert_eq!(judged(&answer(200, content_type, body)), Ok(json(body).to_text()), "{body}");
        }
    }
}

#[test]
fn what_is_said_about_somebody_else_or_about_nobody_is_not() {
    for (body, why) in [
        (r#"{"sub":"bob","email":"b@b.example"}"#, "Its `sub` is another."),
        (r#"{"sub":"Alice"}"#, "Its `sub` is another."),
        (r#"{"sub":"alice "}"#, "Its `sub` is another."),
        (r#"{"sub":"alice\u0000"}"#, "Its `sub` is another."),
        (r#"{"sub":"аlice"}"#, "Its `sub` is another."),
        (r#"{"sub":""}"#, "Its `sub` is another."),
        (r#"{"email":"a@b.example"}"#, "Its `sub` is missing."),
        ("{}", "Its `sub` is missing."),
        (r#"{"sub":null}"#, "Its `sub` is missing."),
        (r#"{"Sub":"alice"}"#, "Its `sub` is missing."),
        (r#"{"claims":{"sub":"alice"}}"#, "Its `sub` is missing."),
        (r#"{"sub":7}"#, "Its `sub` is not a text."),
        (r#"{"sub":true}"#, "Its `sub` is not a text."),
        (r#"{"sub":["alice"]}"#, "Its `sub` is not a text."),
        (r#"{"sub":{"alice":"alice"}}"#, "Its `sub` is not a text."),
    ] {
        let refused = Err(("userinfo_subject_mismatch", why.to_owned()));
        assert_eq!(judged(&answer(200, "application/json", body)), refused, "{body}");
    }
}

#[test]
fn what_is_no_json_object_says_nothing() {
    const KIND: &str = "The content type is not application/json.";
    const TEXT: &str = "The body is not valid JSON.";
    const OBJECT: &str = "The body is not a JSON object.";
    const SIGNED: &str = "It is signed or encrypted (application/jwt).";
    let deep = [r#"{"sub":"alice","a":"#, &"[".repeat(1000), &"]".repeat(1000), "}"].concat();
    for (content_type, body, why) in [
        ("application/json", r#"[{"sub":"alice"}]"#, OBJECT),
        ("application/json", r#""alice""#, OBJECT),
        ("application/json", "null", OBJECT),
        ("application/json", "", TEXT),
        ("application/json", r#"{"sub":"alice""#, TEXT),
        ("application/json", r#"{"sub":"alice"} {}"#, TEXT),
        ("application/json", r#"{"sub":"alice","sub":"bob"}"#, TEXT),
        ("application/json", r#"{"sub":"bob","\u0073ub":"alice"}"#, TEXT),
        ("application/json", "\u{feff}{\"sub\":\"alice\"}", TEXT),
        ("application/json", deep.as_str(), TEXT),
        ("application/json", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.", TEXT),
        ("text/html", "<html>Sign in</html>", KIND),
        ("text/plain", r#"{"sub":"alice"}"#, KIND),
        ("", r#"{"sub":"alice"}"#, KIND),
        ("application/jwt", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.", SIGNED),
        ("Application/JWT; charset=utf-8", r#"{"sub":"alice"}"#, SIGNED),
    ] {
        let refused = Err(("userinfo_invalid", why.to_owned()));
        assert_eq!(judged(&answer(200, content_type, body)), refused, "{content_type} {body}");
    }
    let mut binary = answer(200, "application/json", "");
    binary.body = zeroize::Zeroizing::new(vec![0xff, 0xfe, b'{', b'}']);
    assert_eq!(judged(&binary), Err(("userinfo_invalid", TEXT.to_owned())));
}

#[test]
fn a_status_other_than_200_says_nothing_whatever_its_body() {
    for (status, code, why) in [
        (0, "userinfo_invalid", "It is a redirect."),
        (201, "userinfo_invalid", "The status is 201."),
        (204, "userinfo_invalid", "The status is 204."),
        (302, "userinfo_invalid", "The status is 302."),
        (307, "userinfo_invalid", "The status is 307."),
        (400, "userinfo_invalid", "The status is 400."),
        (401, "userinfo_invalid", "The status is 401."),
        (403, "userinfo_invalid", "The status is 403."),
        (404, "userinfo_invalid", "The status is 404."),
        (429, "userinfo_unavailable", "The status is 429."),
        (500, "userinfo_unavailable", "The status is 500."),
        (503, "userinfo_unavailable", "The status is 503."),
        (999, "userinfo_invalid", "The status is 999."),
    ] {
        for body in [r#"{"sub":"alice"}"#, "<html>", ""] {
            assert_eq!(judged(&answer(status, "application/json", body)), Err((code, why.to_owned())), "{body}");
        }
    }
}

#[test]
fn a_refusal_is_told_in_the_words_of_the_provider() {
    let body = r#"{"error":"invalid_token","error_description":"no access token \u0007 provided"}"#;
    let oauth = process_userinfo(&answer(401, "application/json", body), &claims()).unwrap_err().oauth.clone().unwrap();
    assert_eq!(
        (oauth.error.as_str(), oauth.error_description.as_deref()),
        ("invalid_token", Some("no access token ? provided"))
    );
    let mut busy = answer(503, "text/plain", "");
    busy.headers.push(("retry-after".to_owned(), "7".to_owned()));
    assert_eq!(process_userinfo(&busy, &claims()).unwrap_err().retry_after, Some(Lifetime::from_seconds(7)));
}

#[test]
fn a_call_without_an_answer_can_be_made_later_unless_the_answer_was_too_large() {
    for (failed, code, why) in [
        (ErrorCode::NetworkOrCors, ErrorCode::UserinfoUnavailable, "No answer came."),
        (ErrorCode::Timeout, ErrorCode::UserinfoUnavailable, "No answer came in time."),
        (ErrorCode::ResponseTooLarge, ErrorCode::UserinfoInvalid, "It is larger than 256 KiB."),
    ] {
        assert_eq!(coded(failed.into()), Error::new(code, why));
    }
    // It says by itself what must be done.
    for code in [ErrorCode::DpopNonceUnavailable, ErrorCode::DpopKeyLost, ErrorCode::StorageUnavailable] {
        assert_eq!(coded(code.into()), Error::from(code));
    }
}

#[test]
fn claims_without_a_subject_are_nobody_s() {
    for claims in ["{}", r#"{"sub":null}"#, r#"{"sub":["alice"]}"#, "[]", "null"] {
        for userinfo in ["{}", r#"{"sub":null}"#, r#"{"sub":["alice"]}"#, r#"{"sub":"alice"}"#] {
            assert!(!is_about(&json(userinfo), &json(claims)), "{userinfo} {claims}");
        }
    }
    assert!(is_about(&json(r#"{"sub":"alice"}"#), &claims()));
}

#[test]
fn the_endpoint_adds_to_the_id_token_and_is_newer_about_the_user() {
    let userinfo = json(r#"{"sub":"alice","name":"Alice","email":"a@b.example","locale":null}"#);
    let user = merged(&claims(), &userinfo);
    let expected = r#"{"iss":"https://as.example","sub":"alice","aud":"app","exp":2,"iat":1,"name":"Alice","email":"a@b.example","locale":null}"#;
    assert_eq!(user.to_text(), expected);
    assert_eq!(merged(&claims(), &json("{}")), claims());
    assert_eq!(merged(&claims(), &json("[]")), claims());
}

#[test]
fn whether_an_address_was_verified_says_who_names_the_address() {
    for (value, verified) in [("email", "email_verified"), ("phone_number", "phone_number_verified")] {
        let named = |text: &str| json(&text.replace("value", value).replace("checked", verified));
        for (claims, userinfo, user) in [
            (r#"{"value":"a","checked":true}"#, r#"{"value":"b"}"#, r#"{"value":"b"}"#),
            (r#"{"value":"a","checked":true}"#, r#"{"value":"a"}"#, r#"{"value":"a"}"#),
            (r#"{"value":"a"}"#, r#"{"checked":true}"#, r#"{"value":"a"}"#),
            (r#"{"value":"a","checked":false}"#, r#"{"checked":true}"#, r#"{"value":"a","checked":false}"#),
            (r#"{"value":"a"}"#, r#"{"value":"b","checked":true}"#, r#"{"value":"b","checked":true}"#),
            (r#"{"checked":false}"#, r#"{"value":"b"}"#, r#"{"value":"b"}"#),
            ("{}", r#"{"checked":true}"#, r#"{"checked":true}"#),
        ] {
            assert_eq!(merged(&named(claims), &named(userinfo)), named(user), "{claims} {userinfo}");
        }
        // A later ID token names another address.
        let (before, later) = (named(r#"{"value":"a"}"#), named(r#"{"value":"c"}"#));
        let left = beside(&named(r#"{"value":"a","checked":true,"name":"Al"}"#), &before, &later);
        assert_eq!(left, named(r#"{"name":"Al"}"#));
        let left = beside(&named(r#"{"value":"a","checked":true}"#), &before, &later);
        assert_eq!(merged(&later, &left), later);
    }
}

#[test]
fn what_only_an_id_token_can_say_is_never_taken_from_the_endpoint() {
    let all = OF_THE_TOKEN.iter().map(|name| ((*name).to_owned(), Json::from("forged")));
    let userinfo = Json::Object(all.chain([("name".to_owned(), Json::from("Alice"))]).collect());
    let user = merged(&claims(), &userinfo);
    // Neither in the place of what it says nor where it says nothing.
    let expected = r#"{"iss":"https://as.example","sub":"alice","aud":"app","exp":2,"iat":1,"name":"Alice"}"#;
    assert_eq!(user.to_text(), expected);
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "azp",
        "at_hash",
        "c_hash",
        "sid",
    ] {
        assert_eq!(user.get(name), claims().get(name), "{name}");
    }
}

#[test]
fn a_later_id_token_is_newer_only_where_it_says_something_else_than_the_one_before() {
    let userinfo = json(r#"{"sub":"alice","name":"Alice","email":"a@b.example","groups":["staff"],"locale":"fr"}"#);
    let before = json(r#"{"sub":"alice","iat":1,"name":"Al","groups":["staff"]}"#);
    // Unchanged, changed, and said for the first time.
    let later = json(r#"{"sub":"alice","iat":9,"name":"Al","groups":[],"locale":"de"}"#);
    let left = beside(&userinfo, &before, &later);
    assert_eq!(left.to_text(), r#"{"sub":"alice","name":"Alice","email":"a@b.example","locale":"fr"}"#);
    assert_eq!(
        merged(&later, &left).to_text(),
        r#"{"sub":"alice","iat":9,"groups":[],"name":"Alice","email":"a@b.example","locale":"fr"}"#
    );
    assert_eq!(beside(&left, &later, &json(r#"{"sub":"alice"}"#)), left, "what it does not say again is kept");
}
