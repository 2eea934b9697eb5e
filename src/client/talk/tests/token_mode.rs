//! Token mode: the provider, and a backend that gives out tokens.

use super::*;
use crate::client::options::TokenConfig;
use crate::machine::Ending;
use crate::protocol::metadata::Metadata;
use crate::protocol::testing::metadata;
use crate::types::{AccessToken, Credential, IdToken, RefreshToken, SessionFacts, Source, Tokens};
use std::rc::Rc;

/// A conversation of token mode from its beginning.
fn token_call(config: &TokenConfig, call: Call, memory: &mut Memory, says: &[Says]) -> (Vec<String>, String) {
    let begun = token::begin(config, call, None, memory);
    play(begun, memory, says, &[])
}

fn provider(metadata: Option<&str>) -> TokenConfig {
    let given = metadata.map(|text| format!(r#","metadata":{text}"#)).unwrap_or_default();
    let options = r#"{"mode":"token","oidc":{"issuer":"https://as.example","clientId":"app"GIVEN}}"#;
    let Mode::Token(config) = config(&options.replace("GIVEN", &given)) else { panic!("token mode") };
    config
}

fn tokens(source: Source, refresh: Option<&str>) -> Session {
    let credential = Credential::Tokens(Tokens {
        access: AccessToken::new("access".to_owned()).unwrap(),
        refresh: refresh.map(|text| RefreshToken::new(text.to_owned()).unwrap()),
        id_token: IdToken::new("h.p.s".to_owned()),
        id_claims: None,
        userinfo: None,
        source,
        binding: None,
    });
    let user = Rc::new(Json::parse(r#"{"sub":"alice"}"#).unwrap());
    Session::new(user, SessionFacts::default(), credential)
}

const METADATA: &str = r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/auth",
    "token_endpoint":"https://as.example/token","jwks_uri":"https://as.example/jwks"}"#;
const DISCOVERY: &str = "GET /.well-known/openid-configuration";
const LEFT: &str = r#"keep Some("draft"), leave for /auth"#;

#[test]
fn metadata_is_asked_for_once_and_not_where_it_is_given() {
    let (ours, mut memory) = (provider(None), Memory::default());
    assert_eq!(
        token_call(&ours, redirect(), &mut memory, &[Status(503, "")]),
        (lines(&[DISCOVERY]), "server_error during Discovery".to_owned())
    );
    assert_eq!(
        token_call(&ours, redirect(), &mut memory, &[Status(200, METADATA)]),
        (lines(&[DISCOVERY]), LEFT.to_owned())
    );
    assert_eq!(token_call(&ours, redirect(), &mut memory, &[]), (lines(&[]), LEFT.to_owned()));
    let given = provider(Some(METADATA));
    assert_eq!(token_call(&given, redirect(), &mut Memory::default(), &[]), (lines(&[]), LEFT.to_owned()));
}

#[test]
fn a_sign_out_revokes_the_refresh_token_first_and_reports_the_first_failure() {
    const REFRESH: &str = "POST /revoke token=rt&token_type_hint=refresh_token&client_id=app";
    const ACCESS: &str = "POST /revoke token=access&token_type_hint=access_token&client_id=app";
    let cases: [(Option<&str>, Ending, &[Says], &[&str], &str); 6] = [
        (Some("rt"), Ending::Revoke, &[Status(200, ""), Status(200, "")], &[REFRESH, ACCESS], "ended"),
        (None, Ending::Revoke, &[Status(200, "")], &[ACCESS], "ended"),
        (Some("rt"), Ending::Revoke, &[Status(503, ""), Nothing], &[REFRESH, ACCESS], "server_error during Logout"),
        (Some("rt"), Ending::Revoke, &[Nothing, Status(200, "")], &[REFRESH, ACCESS], "network_or_cors during Logout"),
        (Some("rt"), Ending::Provider, &[Nothing, Nothing], &[REFRESH, ACCESS], "leave for /logout"),
        (Some("rt"), Ending::Local, &[], &[], "ended"),
    ];
    for (refresh, ending, says, sent, end) in cases {
        let mut memory = Memory { metadata: Some(Rc::new(metadata())), ..Memory::default() };
        let call = Call::End(Some(tokens(Source::Oidc, refresh)), ending);
        let played = token_call(&provider(None), call, &mut memory, says);
        assert_eq!(played, (lines(sent), end.to_owned()));
    }
    let silent = Metadata { revocation_endpoint: None, end_session_endpoint: None, ..metadata() };
    let mut memory = Memory { metadata: Some(Rc::new(silent)), ..Memory::default() };
    let call = Call::End(Some(tokens(Source::Oidc, Some("rt"))), Ending::Provider);
    assert_eq!(token_call(&provider(None), call, &mut memory, &[]), (lines(&[]), "ended".to_owned()));
}

fn backend(refresh_cookie: bool) -> TokenConfig {
    let options = r#"{"mode":"token","firstParty":{"baseUrl":"https://app.example/","refreshCookie":COOKIE,
        "endpoints":{"login":"login","refresh":"refresh","logout":"logout","user":"user"}}}"#;
    let Mode::Token(config) = config(&options.replace("COOKIE", &refresh_cookie.to_string())) else {
        panic!("token mode")
    };
    config
}

const TOKENS: &str = r#"{"access_token":"a","token_type":"Bearer"}"#;
const BOTH: &str = r#"{"access_token":"a","token_type":"Bearer","user":{"sub":"bob"}}"#;
const BOB: &str = r#"{"sub":"bob"}"#;

#[test]
fn a_first_party_user_is_asked_for_only_where_nobody_knows_it_yet() {
    let known = || Call::Refresh(Some(tokens(Source::FirstParty, Some("rt"))));
    let cases: [(bool, Call, &[Says], &[&str], &str); 7] = [
        (false, password(), &[Status(200, BOTH)], &["POST /login T"], r#"signed in Some("bob") at Some(1000)"#),
        (
            false,
            password(),
            &[Status(200, TOKENS), Status(200, BOB)],
            &["POST /login T", "GET /user"],
            // The tokens' own time, and not that of the later answer.
            r#"signed in Some("bob") at Some(1000)"#,
        ),
        (
            false,
            password(),
            &[Status(200, TOKENS), Nothing],
            &["POST /login T", "GET /user"],
            "network_or_cors during Login",
        ),
        (
            true,
            Call::Refresh(None),
            &[Status(200, TOKENS), Status(200, BOB)],
            &["POST /refresh {}", "GET /user"],
            r#"renewed Some("bob") at Some(1000)"#,
        ),
        (
            true,
            Call::Refresh(None),
            &[Status(200, TOKENS), Nothing],
            &["POST /refresh {}", "GET /user"],
            "network_or_cors during Refresh",
        ),
        (
            false,
            known(),
            &[Status(200, TOKENS)],
            &[r#"POST /refresh {"refresh_token":"rt"}"#],
            r#"renewed Some("alice") at Some(1000)"#,
        ),
        (false, Call::Refresh(None), &[], &[], "refresh_unavailable during Refresh"),
    ];
    for (cookie, call, says, sent, end) in cases {
        let played = token_call(&backend(cookie), call, &mut Memory::default(), says);
        assert_eq!(played, (lines(sent), end.to_owned()));
    }
}

#[test]
fn a_first_party_session_ends_at_the_backend_where_something_of_it_is_left_there() {
    let ours = || Some(tokens(Source::FirstParty, Some("rt")));
    let logout = r#"POST /logout {"refresh_token":"rt"}"#;
    let cases: [(bool, Option<Session>, Ending, &[Says], &[&str], &str); 7] = [
        (false, ours(), Ending::Provider, &[Status(204, "")], &[logout], "ended"),
        (false, ours(), Ending::Provider, &[Status(401, "{}")], &[logout], "ended"),
        (false, ours(), Ending::Revoke, &[Status(500, "{}")], &[logout], "server_error during Logout"),
        (false, ours(), Ending::Local, &[], &[], "ended"),
        (true, ours(), Ending::Local, &[Status(204, "")], &[logout], "ended"),
        (true, None, Ending::Provider, &[Status(204, "")], &["POST /logout {}"], "ended"),
        (true, None, Ending::Local, &[Status(204, "")], &["POST /logout {}"], "ended"),
    ];
    for (cookie, session, ending, says, sent, end) in cases {
        let played = token_call(&backend(cookie), Call::End(session, ending), &mut Memory::default(), says);
        assert_eq!(played, (lines(sent), end.to_owned()));
    }
}

#[test]
fn a_call_of_the_other_mode_and_a_server_that_is_not_configured_are_refused() {
    let refused = (lines(&[]), "config_invalid during Config".to_owned());
    for call in [redirect(), Call::Check, Call::Extend, Call::Exchange] {
        assert_eq!(token_call(&backend(false), call, &mut Memory::default(), &[]), refused);
    }
    assert_eq!(token_call(&provider(None), password(), &mut Memory::default(), &[]), refused);
    let replayed = (lines(&[]), "callback_replayed during Callback".to_owned());
    assert_eq!(token_call(&provider(None), Call::Exchange, &mut Memory::default(), &[]), replayed);
}

const RENEWED: &str = r#"{"access_token":"a2","token_type":"Bearer","refresh_token":"rt2","id_token":"h.p.s2"}"#;
const CLAIMS: &str = r#"{"iss":"https://as.example","sub":"alice","name":"Alice"}"#;
const REFRESH: &str = "POST /token grant_type=refresh_token&refresh_token=rt&client_id=app";

/// A renewal of this session, whose ID token is judged so; the session that it leads to.
fn renewed(says: Says) -> Result<Session, String> {
    let (ours, mut memory) = (provider(Some(METADATA)), Memory::default());
    let call = Call::Refresh(Some(tokens(Source::Oidc, Some("rt"))));
    let mut step = token::begin(&ours, call, None, &mut memory);
    let moment = || Moment { asked: reading(NOW), now: reading(NOW), cookie: None };
    let mut says = Some(says);
    loop {
        step = match step {
            Ok(Next::Send(request, _, then)) => {
                assert_eq!(line(&request), REFRESH);
                then.next(Ok(reply(200, "application/json", RENEWED)), moment(), &mut memory)
            }
            Ok(Next::Judge(judging)) => {
                let judged = match says.take() {
                    Some(Status(_, claims)) => Ok(Json::parse(claims).unwrap()),
                    Some(Refused(code)) => Err(code.into()),
                    Some(Nothing) | None => Err(ErrorCode::Timeout.into()),
                };
                judging.judged(judged, &mut memory)
            }
            Ok(Next::Done(answer) | Next::Unjudged(_, answer)) => {
                let Answer::Renewed(session) = *answer else { panic!("{answer:?}") };
                return Ok(session);
            }
            Ok(Next::Draw(_) | Next::Keep(..)) => panic!("it leaves"),
            Err(error) => return Err(format!("{} during {:?}", error.code.as_str(), error.phase)),
        }
    }
}

#[test]
fn tokens_that_the_server_has_renewed_are_kept_where_nobody_can_tell_what_the_id_token_among_them_is_worth() {
    let kept = |session: &Session| {
        let tokens = session.tokens().unwrap();
        let text = |token: Option<&str>| token.unwrap_or_default().to_owned();
        let refresh = text(tokens.refresh.as_ref().map(RefreshToken::expose));
        (tokens.access.expose().to_owned(), refresh, text(tokens.id_token.as_ref().map(IdToken::expose)))
    };
    let session = renewed(Status(200, CLAIMS)).unwrap();
    assert_eq!(kept(&session), ("a2".to_owned(), "rt2".to_owned(), "h.p.s2".to_owned()));
    assert_eq!(session.user.get("name").and_then(Json::text), Some("Alice"));
    for code in [
        ErrorCode::JwksInvalid,
        ErrorCode::IdTokenUnverifiable,
        ErrorCode::JwksKeyAmbiguous,
        ErrorCode::JwksKeyMissing,
        ErrorCode::JwksUnavailable,
        ErrorCode::WasmBlockedByCsp,
        ErrorCode::WasmLoadFailed,
        ErrorCode::WasmTrapped,
    ] {
        let session = renewed(Refused(code)).unwrap();
        assert_eq!(kept(&session), ("a2".to_owned(), "rt2".to_owned(), "h.p.s".to_owned()), "{code:?}");
        assert_eq!(session.user.get("name"), None, "the user is still who was verified");
    }
    assert!(renewed(Nothing).is_ok());
}

#[test]
fn tokens_beside_an_id_token_that_was_judged_and_is_wrong_are_not_kept() {
    for code in [
        ErrorCode::IdTokenAlgorithmRefused,
        ErrorCode::IdTokenInvalid,
        ErrorCode::IdTokenMalformed,
        ErrorCode::IdTokenSignatureInvalid,
        ErrorCode::IdentityChanged,
    ] {
        assert_eq!(renewed(Refused(code)), Err(format!("{} during Refresh", code.as_str())));
    }
}

#[test]
fn who_signs_in_is_not_sent_away_where_the_answer_could_not_be_verified() {
    let without = METADATA.replace(r#","jwks_uri":"https://as.example/jwks""#, "");
    let refused = (lines(&[]), "discovery_invalid during Discovery".to_owned());
    assert_eq!(token_call(&provider(Some(&without)), redirect(), &mut Memory::default(), &[]), refused);
    let options = r#"{"mode":"token","oidc":{"issuer":"https://as.example","clientId":"app","metadata":GIVEN,MORE}}"#;
    for more in [r#""idToken":{"verifySignature":false}"#, r#""scope":"profile""#] {
        let Mode::Token(ours) = config(&options.replace("GIVEN", &without).replace("MORE", more)) else {
            panic!("token mode")
        };
        let left = (lines(&[]), LEFT.to_owned());
        assert_eq!(token_call(&ours, redirect(), &mut Memory::default(), &[]), left, "{more}");
    }
}
