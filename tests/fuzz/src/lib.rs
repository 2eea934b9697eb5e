//! What authsafe's readers and its whole machine are fuzzed with: each target takes any bytes, and panics where a property is
//! broken. `tools/fuzz` runs them with libFuzzer; `cargo test` runs them over the corpora.
//!
//! | target | bytes are | property, besides that nothing panics or hangs |
//! |---|---|---|
//! | `callback_url` | an address | a code is given out for its own state, issuer and sign-in only; a doubled parameter is refused; the address is clean afterwards |
//! | `token_response` | status, type and body of an answer | what is accepted is what RFC 6749 and our limits say, by another JSON parser too; only `invalid_grant` ends a session |
//! | `userinfo` | status, type and body of an answer | what is taken is about the user of the ID token, by another JSON parser too; what that token says of itself stays |
//! | `headers` | `WWW-Authenticate`, `Retry-After`, `Date` or `DPoP-Nonce` | waits are bounded; what is read is in the text |
//! | `store_record` | a stored text | what is read is written and read again the same; a client that finds it starts, and loses nothing but it |
//! | `jws_compact` | a token, or the lines of one | what is read is written the same, and is what other readers read; it has one spelling |
//! | `jws_verify` | what was done to a good token, or what our own key signs | verified is what was signed and nothing else; `jsonwebtoken` accepts it, too |
//! | `id_token_claims` | claims | those that pass keep every rule by another JSON reader; of a wrong type, a claim is malformed and never absent |
//! | `jwks` | a set of keys; steps of a cache | a key that is read has a thumbprint that reads back; order does not matter; no key is asked for twice within a minute |
//! | `tabs` | what happens to a browser with up to four tabs | the invariants I1 to I8 |

use authsafe::error::{ErrorCode, ErrorPhase};
use authsafe::policy::replay::{Refusal, refusal};
use authsafe::protocol::callback::{self, Outcome};
use authsafe::protocol::coordination::Coordination;
use authsafe::protocol::dpop::Policy;
use authsafe::protocol::http::{HttpResponse, MAX_BODY};
use authsafe::protocol::metadata::Metadata;
use authsafe::protocol::record::{Mark, Record};
use authsafe::protocol::sealed::Form;
use authsafe::protocol::transaction::{Taken, Transaction, Transactions};
use authsafe::protocol::{answer, http_date, pkce, token, userinfo as about_the_user};
use authsafe::types::{ClientId, Issuer, Json, Lifetime, Nonce, State, UnixMillis, WebUrl};

mod jose;
#[path = "../../support/mod.rs"]
#[allow(unused_imports, reason = "the stories use the rest")]
mod support;
mod tabs;

pub use jose::{id_token_claims, jwks, jws_compact, jws_verify};
pub use tabs::tabs;

/// Takes any bytes, and panics where a property is broken.
pub type Target = fn(&[u8]);

/// Each target by its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("callback_url", callback_url),
    ("token_response", token_response),
    ("userinfo", userinfo),
    ("headers", headers),
    ("store_record", store_record),
    ("jws_compact", jws_compact),
    ("jws_verify", jws_verify),
    ("id_token_claims", id_token_claims),
    ("jwks", jwks),
    ("tabs", tabs),
];

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

/// Z1: the address of a page that may be an authorization response.
pub fn callback_url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(redirect_uri) = WebUrl::parse("https://app.example/cb") else { return };
    // As it is, and as the query of the right address.
    for href in [text.to_owned(), ["https://app.example/cb?", text].concat()] {
        callback(&href, &redirect_uri);
    }
}

fn callback(href: &str, redirect_uri: &WebUrl) {
    let Some(response) = callback::recognise(href, redirect_uri) else { return };
    // By the reference parser, it is our address.
    let by_reference = url::Url::parse(href).ok();
    if let Some(there) = &by_reference {
        assert_eq!(there.origin().ascii_serialization(), "https://app.example");
        assert_eq!(there.path(), "/cb");
    }
    let query = href.split('#').next().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let values =
        |name: &str| pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
    assert!(values("state").contains(&response.state.as_str()), "the state is none of the address");
    let doubled = ["code", "state", "iss", "error"].iter().any(|name| values(name).len() > 1);
    let (code, both) = (values("code"), !values("code").is_empty() && !values("error").is_empty());
    match &response.outcome {
        Outcome::Code(_) => assert!(!doubled && !both && code.len() == 1, "a code of an ambiguous response"),
        Outcome::Error(_) => assert!(!doubled && !both && code.is_empty(), "an error of an ambiguous response"),
        Outcome::Invalid(_) => {}
    }
    // Nothing of it is left in the address, and nothing of it is there for a second look.
    let clean = &response.cleaned_url;
    assert_eq!(callback::recognise(clean, redirect_uri), None, "{clean}");
    let rest = clean.split('#').next().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
    let left: Vec<_> = url::form_urlencoded::parse(rest.as_bytes()).into_owned().collect();
    let ours = ["code", "state", "iss", "error", "error_description", "error_uri", "session_state"];
    let kept: Vec<_> = pairs.iter().filter(|(name, _)| !ours.contains(&name.as_str())).cloned().collect();
    assert_eq!(left, kept, "{clean}");
    // A state that nobody waits for is nobody's; another sign-in's is refused; its own needs the right issuer.
    let mut known = Transactions::parse("");
    known.add(transaction(State("another-state-that-is-long-enough-0123456789".to_owned())), NOW);
    let other = known.take(&response.state, NOW);
    if response.state.as_str() != "another-state-that-is-long-enough-0123456789" {
        assert!(matches!(other, Taken::Unknown));
        let foreign = transaction(State("another-state-that-is-long-enough-0123456789".to_owned()));
        assert!(callback::judge(response.clone(), &foreign, &metadata(true)).is_err());
    }
    for promised in [true, false] {
        let own = transaction(response.state.clone());
        let judged = callback::judge(response.clone(), &own, &metadata(promised));
        let issuer_is_right = match values("iss").as_slice() {
            [] => !promised,
            [iss] => *iss == "https://as.example",
            _ => false,
        };
        let good = matches!(response.outcome, Outcome::Code(_)) && issuer_is_right;
        assert_eq!(judged.is_ok(), good, "{:?}", judged.err());
    }
}

fn transaction(state: State) -> Transaction {
    Transaction {
        state,
        nonce: Nonce("nonce".to_owned()),
        code_verifier: pkce::code_verifier(&[7; 32]),
        issuer: Issuer("https://as.example".to_owned()),
        client_id: ClientId("app".to_owned()),
        redirect_uri: url("https://app.example/cb"),
        created_at: NOW,
        max_age: None,
        return_to: None,
        app_state: None,
        silent: false,
        acr: Vec::new(),
        jkt: None,
    }
}

fn metadata(iss_parameter_supported: bool) -> Metadata {
    Metadata {
        issuer: Issuer("https://as.example".to_owned()),
        authorization_endpoint: url("https://as.example/auth"),
        token_endpoint: url("https://as.example/token"),
        revocation_endpoint: None,
        end_session_endpoint: None,
        jwks_uri: None,
        userinfo_endpoint: None,
        iss_parameter_supported,
        dpop_es256: false,
    }
}

#[allow(clippy::unwrap_used, reason = "constants")]
fn url(text: &str) -> WebUrl {
    WebUrl::parse(text).unwrap()
}

/// Z2: an answer of the token endpoint. The first byte chooses the status and what was asked, the second the content type.
pub fn token_response(bytes: &[u8]) {
    let [how, kind, body @ ..] = bytes else { return };
    let status = [200, 400, 401, 403, 429, 500, 503, 0][usize::from(*how) % 8];
    let (phase, bound) = (if how & 8 == 0 { ErrorPhase::Refresh } else { ErrorPhase::Token }, how & 16 != 0);
    let types = [
        "application/json",
        "application/json; charset=utf-8",
        "application/token+json",
        "text/html",
        "",
        "application/jsonp",
    ];
    let content_type = types[usize::from(*kind) % types.len()];
    let response = response(status, &[("content-type", content_type)], body);
    let (key, policy) = if bound { (Some("thumbprint"), Policy::Auto) } else { (None, Policy::Never) };
    let judged = token::process_token_response(&response, NOW, phase, (key, policy));
    let reference: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let text = |name: &str| reference.as_ref()?.get(name)?.as_str().map(str::to_owned);
    match judged {
        Ok(tokens) => {
            assert_eq!(status, 200, "tokens of an answer that is none");
            assert!(usize::from(*kind) % types.len() < 3, "tokens in {content_type}");
            assert!(body.len() <= MAX_BODY || Json::parse_bytes(body).is_some());
            // The reference takes more than we do, and nothing less: but for numbers that it does not.
            if reference.is_some() {
                assert_eq!(text("access_token").as_deref(), Some(tokens.access.expose()));
                assert_eq!(
                    text("refresh_token").filter(|token| !token.is_empty()).as_deref(),
                    tokens.refresh.as_ref().map(|token| token.expose())
                );
                let kind = text("token_type").unwrap_or_default().to_ascii_lowercase();
                let is_bound = tokens.binding.as_ref().is_some_and(|binding| binding.access);
                assert_eq!(kind, if is_bound { "dpop" } else { "bearer" });
            }
            assert!(!tokens.access.expose().is_empty() && tokens.access.expose().bytes().all(|b| b.is_ascii_graphic()));
            for end in [tokens.expires_at, tokens.refresh_expires_at].into_iter().flatten() {
                assert!(end.0 >= NOW && end.0 <= NOW.plus(token::MAX_LIFETIME), "{end:?}");
            }
            let shown = format!("{tokens:?}");
            for secret in [Some(tokens.access.expose()), tokens.refresh.as_ref().map(|token| token.expose())] {
                // Shorter ones stand in the names of fields.
                assert!(secret.is_none_or(|secret| secret.len() < 16 || !shown.contains(secret)), "{shown}");
            }
        }
        Err(error) => {
            if error.code == ErrorCode::SessionExpired {
                assert!(matches!(status, 400..=499) && status != 429 && phase == ErrorPhase::Refresh);
                assert_eq!(error.oauth.as_ref().map(|oauth| oauth.error.as_str()), Some("invalid_grant"));
            }
            let shown = format!("{error} {error:?} {}", error.to_json().to_text());
            assert!(shown.is_ascii() && shown.len() < 4000, "{shown}");
            for secret in ["access_token", "refresh_token", "id_token"].into_iter().filter_map(text) {
                let named = error.oauth.as_ref().is_some_and(|oauth| format!("{oauth:?}").contains(&secret));
                assert!(secret.len() < 20 || named || !shown.contains(&secret), "{shown}");
            }
        }
    }
}

/// Z2, for the endpoint that tells about the user. The first byte chooses the status, the second the content type.
#[allow(clippy::unwrap_used, reason = "constants")]
pub fn userinfo(bytes: &[u8]) {
    let [how, kind, body @ ..] = bytes else { return };
    let status = [200, 200, 200, 401, 429, 503, 204, 0][usize::from(*how) % 8];
    let types = ["application/json", "application/json; charset=utf-8", "application/jwt", "text/html", ""];
    let content_type = types[usize::from(*kind) % types.len()];
    let claims =
        r#"{"iss":"https://as.example","sub":"alice","aud":"app","exp":1800003600,"iat":1800000000,"name":"Al"}"#;
    let claims = Json::parse(claims).unwrap();
    let reference: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let judged = about_the_user::process_userinfo(&response(status, &[("content-type", content_type)], body), &claims);
    let Ok(told) = judged else {
        let shown =
            judged.map_or_else(|error| format!("{error} {error:?} {}", error.to_json().to_text()), |_| String::new());
        assert!(shown.is_ascii() && shown.len() < 4000, "{shown}");
        return;
    };
    assert!(status == 200 && usize::from(*kind) % types.len() < 2, "{status} {content_type}");
    if let Some(reference) = reference {
        assert_eq!(reference.get("sub").and_then(|sub| sub.as_str()), Some("alice"));
    }
    let user = about_the_user::merged(&claims, &told);
    for name in ["iss", "sub", "aud", "exp", "iat", "nbf", "auth_time", "nonce", "acr", "amr", "azp", "sid"] {
        assert_eq!(user.get(name), claims.get(name), "{name}");
    }
    for (name, value) in user.members().unwrap() {
        assert!(claims.get(name) == Some(value) || told.get(name) == Some(value), "{name}");
        assert_eq!(user.members().unwrap().iter().filter(|(other, _)| other == name).count(), 1, "{name}");
    }
    // A renewal that says nothing new changes nothing.
    assert_eq!(about_the_user::beside(&told, &claims, &claims), told);
}

fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
    HttpResponse {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: zeroize::Zeroizing::new(body.to_vec()),
        verdict: None,
    }
}

/// Z10: headers that decide something.
pub fn headers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for status in [200, 400, 403, 500] {
        assert_eq!(refusal(status, Some(text)), Refusal::No);
    }
    let found = refusal(401, Some(text));
    let lower = text.to_ascii_lowercase();
    match found {
        Refusal::Nonce => assert!(lower.contains("dpop") && text.contains("use_dpop_nonce")),
        Refusal::Token => assert!(lower.contains("dpop") || lower.contains("bearer")),
        Refusal::Hidden => assert!(text.trim().is_empty()),
        Refusal::No => {}
    }
    for date in ["", "Fri, 15 Jan 2027 08:00:00 GMT", text] {
        let mut response = response(429, &[("retry-after", text), ("date", date)], b"");
        answer::count_retry_after(&mut response, NOW);
        let error = answer::status_error(&response, ErrorPhase::Refresh);
        let wait = error.retry_after.unwrap_or(Lifetime::ZERO);
        assert!(wait >= Lifetime::ZERO && wait <= answer::MAX_RETRY_AFTER, "{wait:?}");
    }
    if let Some(at) = http_date::parse(text) {
        assert_eq!(at.0.rem_euclid(1000), 0);
        let again = support::grants::http_date(at.seconds());
        assert_eq!(http_date::parse(&again), Some(at), "{again}");
    }
    let (mut nonces, server) = (authsafe::protocol::dpop::Nonces::default(), url("https://as.example/token"));
    nonces.learn(&server, Some(text));
    if let Some(nonce) = nonces.of(&server) {
        assert!(nonce == text && nonce.bytes().all(|byte| byte.is_ascii_graphic()), "{nonce:?}");
    }
}

/// Z11: a text that a medium holds.
pub fn store_record(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(record) = Record::parse(text) {
        let written = record.to_text();
        assert_eq!(Record::parse(&written).as_ref(), Ok(&record));
        assert_eq!(Mark::parse(text), None, "a record that is a mark");
    }
    if let Some(mark) = Mark::parse(text) {
        assert_eq!(mark.to_text(), text);
    }
    let known = Coordination::parse(text);
    assert_eq!(Coordination::parse(&known.to_text()), known);
    if let Ok(Form::Sealed(sealed)) = Form::parse(text) {
        assert_eq!(sealed.to_text(), text);
    }
    let transactions = Transactions::parse(text).to_text();
    assert_eq!(Transactions::parse(&transactions).to_text(), transactions);
    tabs::start_with(text);
}
